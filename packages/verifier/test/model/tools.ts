// `firmseal verify` in this process, and what the model says about it.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type VerifyOptions, verifyEnvelope } from "../../../cli/src/commands/verify/verify.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import * as errors from "../../src/spec/errors.generated.js";
import { cover, type Key } from "./belief.js";
import { Device } from "./device.js";
import { hashOf } from "./encode.js";
import { Refused } from "./interpreter.js";
import { isChange, type Kind, KindOfDevice, kindsOf, refusalsOf } from "./kinds.js";
import { commandsOf, type Manifest, sequencesOf, valuesOf } from "./manifest.js";
import { CAPACITY, IDS } from "./sequences.js";
import type { World } from "./world.js";

/** A folder for the files of one test file. */
export function folder(): { put(name: string, bytes: Uint8Array | string): string; remove(): void } {
  const path = temporaryFolder("firmseal-model-");
  return {
    put(name, bytes) {
      writeFileSync(join(path, name), bytes);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** What `firmseal verify` has to say. */
export interface Verdict {
  /** The number of its refusal; 0: it is good. */
  code: number;
  /** The number of the refusal that it warns of, and whether that comes with the installation or with the start. */
  warned?: { code: number; installing: boolean };
}

const WARNING = /devices will refuse (to start )?this release.*: .*\(([A-Z_]+)\)/;

/** `words`: where its warnings are written. */
export async function verified(path: string, o: VerifyOptions, words: string[]): Promise<Verdict> {
  words.length = 0;
  let code = 0;
  try {
    await verifyEnvelope(path, { withoutPayloads: true, ...o });
  } catch (e) {
    code = (e as { number: number }).number;
    if (typeof code !== "number") throw e;
  }
  const found = words.flatMap((line) => WARNING.exec(line) ?? []).slice(1);
  const name = found.at(-1);
  if (name === undefined) return { code };
  const number = Object.entries(errors).find(([known]) => known === name)?.[1] as number;
  return { code, warned: { code: number, installing: found[0] === undefined } };
}

/** Of the payloads inside, those that no digest which the manifest names anywhere is the digest of: they can never be good. */
export function strangePayloads(m: Manifest): string[] {
  const digests = valuesOf(m, "digest").map((d) => hashOf(-16, d.of));
  return Object.keys(m.payloads).filter((uri) => !digests.includes(hashOf(-16, m.payloads[uri] as string)));
}

/** The numbers that would be right to name, for an installation and for a start. */
export const warnings = (m: Manifest, installing: boolean): number[] =>
  refusalsOf(m).flatMap((end) => (end.installing === installing ? end.codes : []));

/** The numbers of the refusal of starts that no override allows. Empty: devices start it. */
export const neverStarts = (m: Manifest): number[] => refusalsOf(m).flatMap((end) => (end.ofStart ? end.codes : []));

/** Whether some kind of device would be changed, or its floor raised, by keys that do not cover what it has checked. */
export function reachesOthers(m: Manifest, signed: readonly Key[], threshold: number): boolean {
  const reaches = (k: Kind): boolean => {
    for (const [e, run] of new KindOfDevice(m, k).effects())
      if ((!e || isChange(e)) && run.identified && !cover(signed, threshold, run.checked)) return true;
    return false;
  };
  return [...kindsOf(m)].some((k) => {
    try {
      return reaches(k);
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return false;
    }
  });
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
