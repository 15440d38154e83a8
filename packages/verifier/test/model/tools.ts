// `firmseal verify` in this process, and what the model says of it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type VerifyOptions, verifyEnvelope } from "../../../cli/src/commands/verify/verify.js";
import * as errors from "../../src/spec/errors.js";
import { cover, type Key } from "./belief.js";
import { Device, INSTALL } from "./device.js";
import { hashOf } from "./encode.js";
import { type Effect, Interpreter, type Me, Refused } from "./interpreter.js";
import { CODES, commandsOf, type Manifest, sequencesOf, valuesOf } from "./manifest.js";
import { CAPACITY, IDS } from "./sequences.js";
import type { World } from "./world.js";

/** A folder for the files of one test file. */
export function folder(): { put(name: string, bytes: Uint8Array | string): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "firmseal-model-"));
  return {
    put(name, bytes) {
      writeFileSync(join(path, name), bytes);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** The number of its refusal, 0 where it is good; and the name in its warning that devices will refuse the release, which stands in `words`. */
export async function verified(path: string, o: VerifyOptions, words: string[]): Promise<{ code: number; warned: string | undefined }> {
  words.length = 0;
  let code = 0;
  try {
    await verifyEnvelope(path, { withoutPayloads: true, ...o });
  } catch (e) {
    code = (e as { code: number }).code;
    if (typeof code !== "number") throw e;
  }
  return {
    code,
    warned: words.map((w) => /devices will refuse this release: .*\(([A-Z_]+)\)/.exec(w)?.[1]).find((name) => name !== undefined),
  };
}

/** Of the payloads inside, those that no digest which the manifest names anywhere is the digest of: they can never be good. */
export function strangePayloads(m: Manifest): string[] {
  const digests = valuesOf(m, "digest").map((d) => hashOf(-16, d.of));
  return Object.keys(m.payloads).filter((uri) => !digests.includes(hashOf(-16, m.payloads[uri] as string)));
}

/** A kind of device that a manifest tells apart: who it is, its slot, and whether it has the images already. */
interface Kind {
  me: Me;
  slot: number;
  there: boolean;
}

function* kindsOf(m: Manifest): Generator<Kind> {
  const or = <T>(all: T[], none: T) => (all.length > 0 ? all : [none]);
  for (const vendor of or(valuesOf(m, "vendor"), ""))
    for (const classId of or(valuesOf(m, "class"), ""))
      for (const device of or(valuesOf(m, "device"), ""))
        for (const slot of or(valuesOf(m, "slot"), 0))
          for (const there of [true, false]) yield { me: { vendor: [vendor], class: [classId], device: [device] }, slot, there };
}

/** Every effect of an installation on such a device, and undefined for its end, where it comes to that; with what has been checked by then. */
function* courseOf(m: Manifest, k: Kind): Generator<[Effect | undefined, Interpreter]> {
  const run = new Interpreter(m, k.me);
  const effects = run.run(INSTALL.filter((key) => !m.absent.includes(key)));
  try {
    for (let next = effects.next(); ; ) {
      yield [next.value ?? undefined, run];
      if (next.done) return;
      const { op, slot } = next.value;
      next = effects.next(op === CODES.slot ? slot === k.slot : op === CODES.image || op === CODES.content ? k.there : true);
    }
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
  }
}

/** The numbers of the refusal with which an installation on such a device ends. Empty: it comes to its end. */
function endOf(m: Manifest, k: Kind): readonly number[] {
  const run = new Interpreter(m, k.me);
  const effects = run.run(INSTALL.filter((key) => !m.absent.includes(key)));
  try {
    for (let next = effects.next(); !next.done; ) {
      const { op, slot } = next.value;
      next = effects.next(op === CODES.slot ? slot === k.slot : op === CODES.image || op === CODES.content ? k.there : true);
    }
    return [];
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return e.codes;
  }
}

const isChange = (e: Effect): boolean => [CODES.fetch, CODES.write, CODES.copy, CODES.swap].includes(e.op as 21);

/** The refusal by what the manifest itself leaves out, if it comes to that on such a device. */
function certain(m: Manifest, k: Kind): string | undefined {
  for (const [e, run] of courseOf(m, k)) {
    if (e?.op === CODES.invoke) return "INVOKE_MISPLACED";
    if (e && isChange(e) && !e.digest) return "DIGEST_UNSET";
    if ((!e || isChange(e)) && !run.identified) return "IDENTITY_UNCHECKED";
  }
  return undefined;
}

/** The refusals with which an installation ends, if every kind of device refuses it, also one with all identities at once. Else empty. */
export function refusedByAll(m: Manifest): number[] {
  const kinds = [...kindsOf(m)];
  const parts = (name: "vendor" | "class" | "device") => [...new Set(kinds.flatMap(({ me }) => me[name] ?? []))];
  const all = { vendor: parts("vendor"), class: parts("class"), device: parts("device") };
  const ends = [...kinds, { ...(kinds[0] as Kind), me: all }].map((k) => endOf(m, k));
  return ends.some((codes) => codes.length === 0) ? [] : ends.flat();
}

/** The numbers of refusals. */
export const codesOf = (names: ReadonlySet<string>): number[] =>
  Object.entries(errors).flatMap(([name, code]) => (names.has(name) ? [code as number] : []));

/** The warnings that would be right: one for each kind of device that has to refuse it for what it leaves out, or else those that all give. */
export function warnings(m: Manifest): Set<string> {
  const wrong = [...kindsOf(m)].flatMap((k) => certain(m, k) ?? []);
  if (wrong.length > 0) return new Set(wrong);
  const names = Object.entries(errors).flatMap(([name, code]) => (refusedByAll(m).includes(code as number) ? [name] : []));
  return new Set(names);
}

/** Whether some kind of device would be changed, or its floor raised, by keys that do not cover what it has checked. */
export function reachesOthers(m: Manifest, signed: readonly Key[], threshold: number): boolean {
  for (const k of kindsOf(m))
    for (const [e, run] of courseOf(m, k)) if ((!e || isChange(e)) && run.identified && !cover(signed, threshold, run.checked)) return true;
  return false;
}

/**
 * Whether some kind of device that has nothing yet, and gets no payload from elsewhere, would find that what is in the envelope has another size or
 * digest than was signed. Contents that the manifest itself writes are left out: verify looks at payloads.
 */
export function payloadFault(m: Manifest): boolean {
  if (sequencesOf(m).some((s) => [...commandsOf(s)].some((c) => c.do === "write"))) return false;
  if (valuesOf(m, "size").some((n) => n > CAPACITY)) return false;
  return [...kindsOf(m)].some((k) => {
    const w: World = { me: k.me, current: IDS.map(() => ""), slots: IDS.map(() => 1 - k.slot), had: "unknown", floor: 0n, payloads: {} };
    return new Device(m, w, true).outcome().codes.some((code) => code === errors.IMAGE_UNVERIFIED || code === errors.PAYLOAD_SIZE);
  });
}
