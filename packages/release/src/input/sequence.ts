// Sequence numbers for arithmetic, and how much room they leave.

import type { Sequence } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";

/** A sequence number as an integer, from 0 to 2^64 - 1. */
export function bigSequence(s: Sequence): bigint {
  return BigInt(formatSequence(s));
}

/** The highest sequence number. */
export const LAST = 2n ** 64n - 1n;

/** Numbers that a product needs: for another minor version, or for ten releases. */
const NEEDED = { version: 2n ** 32n, count: 10n };

/**
 * Whether little room is left for releases after `last`, up to `end`: no minor version, or less than ten numbers.
 * `isCount`: the numbers are not those of versions, which are far apart.
 */
export const isLittleRoom = (last: bigint, end: bigint, isCount: boolean): boolean =>
  end - last < (isCount ? NEEDED.count : NEEDED.version);
