// Damaged files: whatever the bytes are, only a FormatRefusal is thrown.

import { LONG } from "../../test-support/src/environment/effort.js";
import { draws } from "../../test-support/src/randoms.js";
import { reasonOf } from "./common.js";

/** How many damaged files of a kind: FIRMSEAL_CASES, or by default few. */
export const CASES = Number(process.env["FIRMSEAL_CASES"] ?? (LONG ? 2000 : 200));

/** The offsets at which `work` accepts a file that was cut off there. */
export function acceptedCuts(bytes: Uint8Array, work: (cut: Uint8Array) => unknown): number[] {
  return Array.from({ length: bytes.length }, (_, at) => at).filter((at) => reasonOf(() => work(bytes.slice(0, at))) === "");
}

/**
 * The damaged files that `work` accepts, as text. Each differs from `bytes` in one to three octets, or has a few more or
 * fewer of them. `mend` writes checksums again.
 */
export function acceptedMutants(
  bytes: Uint8Array,
  work: (mutant: Uint8Array) => unknown,
  seed = 1,
  mend = (_: Uint8Array) => {},
): string[] {
  const draw = draws(seed);
  const found: string[] = [];
  for (let i = 0; i < CASES; i++) {
    const out = [...bytes];
    const at = draw(bytes.length);
    const kind = draw(8);
    if (kind === 0) out.splice(at, 1 + draw(4));
    else if (kind === 1) out.splice(at, 0, draw(256));
    else for (let n = draw(3); n >= 0; n--) out[n === 0 ? at : draw(bytes.length)] = draw(256);
    const mutant = Uint8Array.from(out);
    mend(mutant);
    if (Buffer.compare(mutant, bytes) !== 0 && reasonOf(() => work(mutant)) === "") found.push(`seed ${seed}, number ${i}`);
  }
  return found;
}
