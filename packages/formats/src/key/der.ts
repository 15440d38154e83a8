// ECDSA signatures as DER: SEQUENCE { r INTEGER, s INTEGER }, in the one encoding that DER has (X.690 §8.3, §10.1).

import { rawFromDer } from "@firmseal/keys/internal";
import { refuseFormat } from "../refusal.js";

/** Removes the zeros before a number, and adds the one that keeps it positive. */
function integer(bytes: Uint8Array): number[] {
  let i = 0;
  while (i < bytes.length - 1 && bytes[i] === 0) i++;
  const digits = [...bytes.subarray(i)];
  if ((digits[0] as number) >= 0x80) digits.unshift(0);
  return [2, digits.length, ...digits];
}

/**
 * Encodes an ECDSA signature as DER.
 *
 * @param raw - r and s, each of the curve's length, at most 66 bytes.
 * @returns The encoding.
 */
export function ecdsaToDer(raw: Uint8Array): Uint8Array {
  const inside = [...integer(raw.subarray(0, raw.length / 2)), ...integer(raw.subarray(raw.length / 2))];
  return Uint8Array.from([0x30, ...(inside.length < 0x80 ? [] : [0x81]), inside.length, ...inside]);
}

/**
 * Decodes an ECDSA signature. No other bytes may stand for the same r and s.
 *
 * @param der - The encoding, without bytes after it.
 * @param length - Bytes of r and s together: schemeLength().
 * @param at - Its offset in the file, for the refusal. Default: none.
 * @returns r and s, each of the curve's length.
 * @throws FormatRefusal FORMAT_SIGNATURE_ENCODING.
 */
export function ecdsaFromDer(der: Uint8Array, length: number, at = -1): Uint8Array {
  return rawFromDer(der, length) ?? refuseFormat("FORMAT_SIGNATURE_ENCODING", at);
}
