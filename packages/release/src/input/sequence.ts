// Sequence numbers for arithmetic.

import type { Sequence } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";

/** A sequence number as an integer, from 0 to 2^64 - 1. */
export function bigSequence(s: Sequence): bigint {
  return BigInt(formatSequence(s));
}
