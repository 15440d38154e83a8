// Checks that the available payloads are those that the manifest means. The interpreter runs the installation for every
// kind of device that the manifest distinguishes, and each payload must be compared with an image digest on the way.

import { existsSync } from "node:fs";
import {
  type DeviceKind,
  type DeviceRefusal,
  type Expectation,
  type Interpreter,
  isOfIdentity,
  kindRefusal,
  limitedInterpreter,
  loadedPayloadsOf,
  payloadsOf,
} from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { byteWords, grouped, sizeOf, tooMuch, visible, warn } from "@firmseal/keys/internal";
import { hostFor } from "@firmseal/simulator";
import { errors, type Manifest, type Refusal } from "@firmseal/verifier";
import { codeOfRefusal, HASH_NAMES, readSlice, type Slice } from "@firmseal/verifier/tools";
import { hashFile } from "../input/hash-file.js";
import { LIMITS } from "../input/limits.js";
import { deviceKinds, outsideUris, type WithPayloads, withAllIdentities } from "./manifest-facts.js";
import { isRefusal, refusalHint, refusalMeaning, refusalName } from "./refusals.js";

/** The name of a hash function for payloads. */
export type PayloadHash = NonNullable<Parameters<typeof hashFile>[1]>;

/** An available payload: in the envelope, or a file. */
interface PayloadAtHand {
  /** Its URI, and its file if it is not in the envelope. */
  name: string;
  /** Equal for payloads with the same content. */
  content: string;
  size: number;
  hash(alg: PayloadHash): Promise<Uint8Array>;
}

/** Refuses a payload, as a device does. */
export function refusePayload(
  code: keyof typeof errors,
  { name }: Pick<PayloadAtHand, "name">,
  hint = refusalHint(errors[code]),
  what = refusalMeaning(errors[code]),
): never {
  throw new Failure(1, `ERR_${code}`, `refused: payload ${name}: ${what}`, hint);
}

/** Refuses a value of --payload that is for no payload of the release. */
function refuseOption(value: string, what: string, hint: string): never {
  throw new Failure(1, "ERR_PAYLOAD_UNREFERENCED", `\`payload\` ${value}: ${what}`, hint);
}

/** A refusal as the verifier would throw it, without a position. */
function refused(code: number): Refusal {
  return Object.assign(new Error(refusalMeaning(code)), { code, at: -1 });
}

/** Parses `--payload` values to a map of URI to file. FILE alone means the one external URI, or all of them. */
export function payloadFiles(m: WithPayloads, values: readonly string[]): Map<string, string> {
  const outside = outsideUris(m);
  const out = new Map<string, string>();
  const choice = `name the payload: \`payload\` URI=FILE; the release fetches ${outside.join(", ")}`;
  for (const value of values) {
    const known = outside.filter((uri) => value.startsWith(`${uri}=`)).sort((a, b) => b.length - a.length)[0];
    if (known !== undefined) out.set(known, value.slice(known.length + 1));
    else if (outside.length === 0) refuseOption(value, "the release fetches nothing from outside the envelope", "drop `payload`");
    else if (values.length > 1 || (/^[^=]*:.*=/.test(value) && !existsSync(value)))
      refuseOption(value, "the release fetches no URI of this name", choice);
    else for (const uri of outside) out.set(uri, value);
  }
  return out;
}

/** Bytes of a payload that are hashed at once: as many as the verifier copies at once. It copies more one by one. */
const HASH_CHUNK = 1_024;

/** Splits a slice into chunks that fit into memory. */
function* chunks({ at, n }: Slice): Generator<Slice> {
  for (let done = 0; done < n; done += HASH_CHUNK) yield { at: at + done, n: Math.min(HASH_CHUNK, n - done) };
}

function payloadsAtHand(
  m: Manifest,
  files: Map<string, string>,
  sizes: Map<string, number>,
  hashes: typeof hostFor,
): Map<string, PayloadAtHand> {
  const all = new Map<string, PayloadAtHand>();
  for (const p of m.payloads)
    all.set(p.uri, {
      name: p.uri,
      content: `at ${p.content.at}`,
      size: p.content.n,
      hash: async (alg) => {
        const h = hashes(p.content.n)[alg.replace("-", "") as "sha256" | "sha384" | "sha512"].create();
        for (const slice of chunks(p.content)) h.update(readSlice(m.input, slice));
        return Uint8Array.from(h.digest());
      },
    });
  for (const [uri, path] of files)
    all.set(uri, {
      name: `${uri} (${visible(path)})`,
      content: `file ${path}`,
      size: sizes.get(path) as number,
      hash: async (alg) => (await hashFile(path, alg, sizes.get(path))).digest,
    });
  return all;
}

/** The verifier of the tools, for trying a manifest on each kind of device. Throws a Failure at the start of a run. */
export const triedInterpreter = () =>
  limitedInterpreter(LIMITS.triedCommands, () =>
    tooMuch(
      `trying the manifest on each kind of device takes more than ${grouped(LIMITS.triedCommands)} commands`,
      "make the manifest shorter, or make a release for fewer kinds of device",
    ),
  );

/** Checks the payloads that no installation has met: a start may take them. */
async function checkLoaded(
  m: Manifest,
  by: Interpreter,
  payloads: ReadonlyMap<string, PayloadAtHand>,
  met: ReadonlySet<string>,
  compare: (one: Expectation) => Promise<void>,
): Promise<void> {
  for (const kind of deviceKinds(m)) for (const one of loadedPayloadsOf(by, m, kind)) await compare(one);
  for (const [uri, payload] of payloads) if (!met.has(uri)) refusePayload("DIGEST_UNSET", payload);
}

/**
 * Checks the payloads of the envelope and those in `files` (a map of URI to path). Throws a Failure with the refusal
 * that a device would give: wrong size, wrong digest, no digest at all, or nothing that fetches the payload. `hashes`:
 * the hash functions for payloads in the envelope, by their size. Default: what starts faster.
 */
export async function checkPayloads(m: Manifest, files: Map<string, string>, hashes = hostFor): Promise<void> {
  const digests = new Map<string, Promise<Uint8Array>>();
  // a file is hashed when the manifest compares it, and only if it has the right size
  const sizes = new Map([...files.values()].map((path) => [path, sizeOf(path)]));
  const payloads = payloadsAtHand(m, files, sizes, hashes);
  const oneForAll =
    files.size > 1 && sizes.size === 1 ? `one file was given for ${files.size} payloads: name each, \`payload\` URI=FILE` : undefined;
  const met = new Set<string>();

  /** Refuses a payload that does not match what its component must contain. */
  async function compare({ uri, digest: expected, size }: Expectation): Promise<void> {
    const payload = payloads.get(uri);
    if (!payload) return;
    if (size !== undefined && size !== payload.size) {
      const what = `it has ${byteWords(payload.size)}, and the manifest says ${grouped(size)}`;
      refusePayload("PAYLOAD_SIZE", payload, oneForAll, what);
    }
    if (!expected) return;
    const alg = HASH_NAMES[expected.alg] as PayloadHash;
    // one file may be used for many URIs, but is hashed once
    const key = `${alg} ${payload.content}`;
    const digest = await (digests.get(key) ?? payload.hash(alg));
    digests.set(key, Promise.resolve(digest));
    if (!Buffer.from(digest).equals(Uint8Array.from(expected.bytes))) refusePayload("IMAGE_MISMATCH", payload, oneForAll);
    met.add(uri);
  }

  const by = triedInterpreter();
  let refusal: Refusal | undefined;

  /** Whether this kind of device takes the release. If not, `refusal` is why. */
  async function tryOn(kind: DeviceKind): Promise<boolean> {
    const { expected, refused } = payloadsOf(by, m, kind);
    for (const one of expected) await compare(one);
    if (refused === undefined) return true;
    if (!isRefusal(refused)) throw refused;
    // a kind of device for which the release has nothing is not a fault of the payloads
    refusal ??= refused;
    return false;
  }

  let taken = payloads.size === 0;
  if (!taken) for (const kind of deviceKinds(m)) taken = (await tryOn(kind)) || taken;
  if (!taken) for (const kind of withAllIdentities(m)) taken = (await tryOn(kind)) || taken;
  if (!taken && refusal) {
    const certain = certainRefusal(m);
    throw certain?.during === "install" ? refused(certain.code) : refusal;
  }
  if (met.size < payloads.size) await checkLoaded(m, by, payloads, met, compare);
}

/** A refusal that is certain, whatever devices have. */
export interface CertainRefusal extends DeviceRefusal {
  /** Whether every device refuses the release. */
  readonly isOfAll: boolean;
  /** Whether every device with one vendor, class and device identifier does. One with all of them may take it. */
  readonly isOfEach: boolean;
  /** For a refusal of a start, if every device refuses the release: one that is not of a start. */
  readonly ofOthers?: DeviceRefusal | undefined;
}

/**
 * The refusal of a start by some kind of device that would install this release. Else one that some kind of device
 * gives because the commands are wrong; or the one that every device gives, or every device with one identity, whatever
 * its payloads are. Returns undefined if there is none. Throws a Failure if it cannot be tried.
 */
export function certainRefusal(m: Manifest): CertainRefusal | undefined {
  const by = triedInterpreter();
  const refusals = deviceKinds(m).map((kind) => kindRefusal(by, m, kind));
  const found = worst(refusals);
  if (refusals.includes(undefined)) return found && { ...found, isOfAll: false, isOfEach: false };
  const together = withAllIdentities(m).map((kind) => kindRefusal(by, m, kind));
  const isOfAll = !together.includes(undefined);
  const certain = found ?? together.find((r) => r?.isOfStart) ?? (isOfAll ? together : refusals)[0];
  const ofOthers = isOfAll ? [...refusals, ...together].find((r) => r && !r.isOfStart && !isOfIdentity(r)) : undefined;
  return certain && { ...certain, isOfAll, isOfEach: true, ofOthers };
}

/** A refusal that needs no other: of a start, which a device could only find out too late, or else for a fault. */
const worst = (refusals: readonly (DeviceRefusal | undefined)[]) => refusals.find((r) => r?.isOfStart) ?? refusals.find((r) => r?.isFault);

/** The outcome of certainRefusal(). */
export interface Tried {
  readonly refusal: CertainRefusal | undefined;
}

/**
 * Refuses a release without a section that devices need. Nobody needs a key to cut it out, and a person who sees only
 * the rest has not seen what devices would do.
 */
export function requireSections({ refusal }: Tried): void {
  if (refusal?.code === errors.SEVERED_ABSENT) throw refused(errors.SEVERED_ABSENT);
}

/** What a command that signs or verifies accepts of the refusals of devices. */
export interface RefusalOverrides {
  /** Accept a release that devices would install and could never start. */
  allowNoStart?: boolean;
  /** Accept a release that every device refuses to install. */
  allowNoDevice?: boolean;
}

/** Returns the override, as an option name. Throws a Failure if it is not given. */
function overrideOf(given: boolean | undefined, option: string, code: number, what: string, advice: string): string[] {
  if (given) return [option];
  const words = `refused: ${what}: ${refusalMeaning(code)} (${code} ${refusalName(code)})`;
  const hint = `${advice} (firmseal explain FILE shows what devices do), or allow it: \`${option}\``;
  throw new Failure(1, codeOfRefusal(code), words, hint);
}

/**
 * Refuses a release that some kind of device would install and could never start: its floor is raised by then, and no
 * earlier release is a way back. Refuses one that every device refuses. Returns the overrides that were needed, as
 * option names.
 */
export function requireDevices({ code, isOfStart, isOfAll, ofOthers }: CertainRefusal, o: RefusalOverrides): string[] {
  const noDevice = (by: number) =>
    overrideOf(o.allowNoDevice, "allow-no-device", by, "every device refuses this release", "correct the manifest");
  if (!isOfStart) return isOfAll ? noDevice(code) : [];
  const what = "devices that install this release could never start it";
  const noStart = overrideOf(o.allowNoStart, "allow-no-start", code, what, "correct validate, load and invoke");
  // it says nothing about devices that do not install the release
  return ofOthers ? [...noStart, ...noDevice(ofOthers.code)] : noStart;
}

/**
 * Judges a release that is correctly signed but that devices refuse, when it is made and when it is verified. Refuses
 * one without a section that devices need, and unless `o` allows it, one that devices could never start, and one that
 * every device refuses. Warns about others. `tried`: what certainRefusal() has returned for it.
 */
export function judgeRefusal(m: Manifest, o: RefusalOverrides = {}, tried: Tried = { refusal: certainRefusal(m) }): void {
  if (tried.refusal) judge(tried.refusal, o);
}

function judge(refusal: CertainRefusal, o: RefusalOverrides): void {
  requireSections({ refusal });
  requireDevices(refusal, o);
  const { code, during, isOfAll, isOfEach } = refusal;
  const unless = isOfEach && !isOfAll ? ", unless they have all its identities" : "";
  const what = during === "start" ? "refuse to start this release once it is installed" : `refuse this release${unless}`;
  warn(`devices will ${what}: ${refusalMeaning(code)} (${refusalName(code)})`);
}
