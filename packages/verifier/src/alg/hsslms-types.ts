// The types, constants and keys of HSS/LMS (RFC 8554, SP 800-208, RFC 9858).

import { copied } from "../base/bytes.js";
import { HAS_GENERAL } from "../base/features.js";
import type { Bytes } from "../base/types.js";

/**
 * Chains of the checksum, a digit each, for the LM-OTS types 1 to 8: p less 8n/w (RFC 8554 §4.1, appendix B; RFC 9858).
 */
export const CHECKS = "95328532";

// D_PBLC, D_MESG, D_LEAF, D_INTR (RFC 8554 §7.1) are 0x8080 to 0x8383: one octet twice.
export const PBLC = 128;
export const MESG = 129;
export const LEAF = 130;
export const INTR = 131;

/** Decodes u32str (RFC 8554 §3.1). Exact; a shift would make values from 2^31 on negative. Returns NaN past the end. */
export function u32(b: Bytes, at: number): number {
  return ((b[at] * 256 + b[at + 1]) * 256 + b[at + 2]) * 256 + b[at + 3];
}

/**
 * n if the LMS type and the LM-OTS type at `at` are known and have the same n, otherwise 0. LMS 5 to 9 and LM-OTS 1 to
 * 4 have n = 32 (RFC 8554 §5.1, §4.1); LMS 10 to 14 and LM-OTS 5 to 8 have n = 24 (RFC 9858).
 */
export function hashLength(b: Bytes, at: number): number {
  // 1 for LMS 5 to 9, 2 for 10 to 14. Of the LM-OTS type, 32 bits: only 1 to 8 give 0 and 1 below, in groups of 4.
  var tree = (u32(b, at) / 5) | 0;
  return tree && tree < 3 && tree - 1 === (u32(b, at + 4) - 1) >> 2 ? 40 - 8 * tree : 0;
}

/** A copy of a valid key, or a value that is false. */
export function copyOfValidKey(key: Bytes): Bytes | 0 | false | null {
  // check the copy: the key may change meanwhile, or contain values that are not octets
  var own = (!HAS_GENERAL || (key && key.length > 0 && key.length < 61)) && copied(key, key.length);
  var n = own && hashLength(own, 4);
  // 1 to 8 levels: 32 bits, of which only the low 3 may be set in the number before
  return n && (own as Bytes).length === 28 + n && !((u32(own as Bytes, 0) - 1) >>> 3) && own;
}
