// Verifies a release as every kind of device that it is for would: who signed it, its number, and its payloads.

import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileOfUri } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { STDIO, someOf } from "@firmseal/keys/internal";
import type { RoleName } from "@firmseal/signer";
import { hostFor } from "@firmseal/simulator";
import { type Anchor, type Identity, type Manifest, open, type Trust } from "@firmseal/verifier";
import { decodeEnvelope, MANIFEST_NAMES, parseSequence, rawKey, toHex, type UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { bigSequence } from "../input/sequence.js";
import type { Doubts } from "./doubts.js";
import { deviceKinds, namedIdentities, outsideUris, type WithPayloads } from "./manifest-facts.js";
import { certainRefusal, checkPayloads, judgeRefusal, payloadFiles, type RefusalOverrides, type Tried } from "./payload-check.js";
import { refusedInWords, withNumbers } from "./refusals.js";
import { withReason } from "./true-reason.js";

/** The trusted keys, for any device. */
export interface TrustedKeys {
  /** The policy of a device with this identity. */
  policy(identity: Identity): Trust;
  /** The facts of a trusted key for the JSON output. */
  facts(anchor: Anchor): object & { alg: string; thumbprint: string | null; roles?: string[] };
  /** Whether the policy depends on the identity. */
  scoped: boolean;
  /** The names of published test keys among them. */
  testKeys: string[];
  /** The facts of the trust file for the JSON output of a command. */
  trust?: { name: string; sequence: string; role: RoleName; threshold: number; pinned: boolean };
}

/** The first anchor of each raw key. */
function anchorsByKey(anchors: readonly Anchor[]): Map<string, Anchor> {
  const first = new Map<string, Anchor>();
  for (const a of anchors) {
    const key = toHex(rawKey(a.key));
    if (!first.has(key)) first.set(key, a);
  }
  return first;
}

/**
 * The manifest, with all of `anchors` that have signed and count, each once. open() stops at the threshold, and people
 * want to know all signers: a limit, here one that limits nothing, makes it check every signature.
 */
function trustedByAll(envelope: Uint8Array, anchors: readonly Anchor[]): Manifest {
  return open(
    envelope,
    { anchors: [...anchorsByKey(anchors).values()].map((a): Anchor => ({ since: [0, 0], ...a })) },
    hostFor(envelope.length),
  );
}

/**
 * The policies that differ: each costs a verification of every signature, and most kinds of device trust the same keys.
 */
function distinctPolicies(policies: readonly Trust[]): Trust[] {
  const positions = new Map<Anchor, number>();
  const numberOf = (a: Anchor) => positions.get(a) ?? positions.set(a, positions.size).size - 1;
  return [...new Map(policies.map((policy) => [`${policy.threshold} ${policy.anchors.map(numberOf).join(" ")}`, policy])).values()];
}

/**
 * Every kind of device that the manifest names, if the trusted keys depend on it. If it names none, keys with a scope
 * do not count.
 */
function devices(envelope: Uint8Array, whom: TrustedKeys): Identity[] {
  if (!whom.scoped) return [{ vendor: [], class: [] }];
  return namedIdentities(decodeEnvelope(envelope).manifest);
}

/** Options of verifyRelease(). */
export interface VerifyRelease extends RefusalOverrides {
  /** The lowest number that is accepted. */
  floor?: bigint;
  /** Files of payloads outside the envelope, as --payload names them. */
  payload?: readonly string[];
  /** What else may refuse an envelope, once its signatures are verified. */
  judge?(envelope: Uint8Array): void | Promise<void>;
  /** Accept a payload that is not there to check. */
  withoutPayloads?: boolean;
}

/** What was verified. */
export interface VerifiedRelease extends Doubts {
  readonly sequence: bigint;
  /** The envelope, all of whose text is well-formed. */
  readonly outline: UnverifiedEnvelope;
  readonly manifest: Manifest;
  /** Facts of the trusted keys that signed. */
  readonly signers: readonly ReturnType<TrustedKeys["facts"]>[];
  readonly payloadsChecked: readonly string[];
  readonly payloadsNotChecked: readonly string[];
  /** Names of the severed elements that are not in the envelope. */
  readonly severedAbsent: readonly string[];
}

/** Returns the files beside an envelope, for the payloads that no option names. `given`: those that options name. */
export function payloadsBeside(path: string, manifest: WithPayloads, given: ReadonlyMap<string, string>): Map<string, string> {
  const out = new Map(given);
  if (path === STDIO) return out;
  for (const uri of outsideUris(manifest)) {
    const name = fileOfUri(uri);
    if (out.has(uri) || name === undefined || name === basename(path)) continue;
    const file = join(dirname(path), name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) out.set(uri, file);
  }
  return out;
}

/** Judges what devices refuse. A failure has the devices among its facts. */
async function judgeDevices(m: Manifest, o: RefusalOverrides, tried: Tried): Promise<void> {
  try {
    judgeRefusal(m, o, tried);
  } catch (e) {
    if (!(e instanceof Failure)) throw e;
    const { refusingFacts, refusingOf } = await import("./doubts.js");
    e.facts = { refusing: refusingOf(m).all.map(refusingFacts) };
    throw e;
  }
}

/**
 * Verifies an envelope and its payloads: those in it, those of `payload`, and those in files beside it that have the
 * last part of their URI as name.
 *
 * @param path - Where the envelope was read.
 * @param envelope - The envelope.
 * @param whom - The trusted keys.
 * @param o - The lowest number, and where payloads are.
 * @returns What was verified, and by whom it was signed.
 * @throws Failures: the refusals of open() and of payloads, in words, and ERR_PAYLOAD_UNCHECKED if a payload is not
 *   there.
 */
export const verifyRelease = (path: string, envelope: Uint8Array, whom: TrustedKeys, o: VerifyRelease): Promise<VerifiedRelease> =>
  refusedInWords(() => verified(path, envelope, whom, o));

async function verified(path: string, envelope: Uint8Array, whom: TrustedKeys, o: VerifyRelease): Promise<VerifiedRelease> {
  const floor = o.floor === undefined ? {} : { floor: parseSequence(String(o.floor)) };
  let policies: Trust[];
  let manifest: Manifest;
  try {
    // each kind of device must accept it: a key for one class must not sign for another
    policies = distinctPolicies(devices(envelope, whom).map((device) => whom.policy(device)));
    [manifest] = policies.map((policy) => open(envelope, { ...policy, ...floor }, hostFor(envelope.length))) as [Manifest];
  } catch (e) {
    throw withReason(withNumbers(e, envelope, String(o.floor)), envelope);
  }
  // open() skips the text, which no device needs; who verifies a release wants all of it to be sound
  const outline = decodeEnvelope(envelope);
  await o.judge?.(envelope);
  const files = payloadsBeside(path, manifest, payloadFiles(manifest, o.payload ?? []));
  await checkPayloads(manifest, files);
  const anchors = policies.flatMap((policy) => policy.anchors);
  const listed = anchorsByKey(anchors);
  // where every key has signed, there is nothing left to find
  const isComplete = policies.length === 1 && anchorsByKey(manifest.believed).size === listed.size;
  const all = isComplete ? manifest : trustedByAll(envelope, anchors);
  // each kind of device counts the keys that are trusted for it
  const judged = { ...all, threshold: manifest.threshold };
  const refusal = certainRefusal(judged);
  await judgeDevices(judged, o, { refusal });
  const signed = [...anchorsByKey(all.believed).keys()].map((key) => listed.get(key) as Anchor);
  // one device, with and without the images, whose known keys alone have signed: the code for the rest is not loaded
  const isPlain =
    !refusal && outline.signatures.length === signed.length && whom.testKeys.length === 0 && deviceKinds(manifest).length <= 2;
  const unchecked = outsideUris(manifest).filter((uri) => !files.has(uri));
  if (unchecked.length > 0 && !o.withoutPayloads) throw uncheckedFailure(path, unchecked);
  return {
    sequence: bigSequence(manifest.sequence),
    outline,
    manifest,
    signers: signed.map((anchor) => whom.facts(anchor)),
    ...(isPlain
      ? { signedByTestKeys: [], otherSignatures: [], refusing: [] }
      : await (await import("./doubts.js")).doubtsAbout(judged, outline.signatures, signed)),
    payloadsChecked: [...manifest.payloads.map((p) => p.uri), ...files.keys()],
    payloadsNotChecked: unchecked,
    severedAbsent: manifest.absent.map((key) => MANIFEST_NAMES[key] as string),
  };
}

function uncheckedFailure(path: string, uris: readonly string[]): Failure {
  return new Failure(
    1,
    "ERR_PAYLOAD_UNCHECKED",
    `${path}: signed, but not checked: payload ${someOf(uris)}`,
    "put it beside the envelope, give it with `payload` FILE, or accept that: `withoutPayloads`",
  );
}
