// ECDSA signatures of services and openssl: an Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3). COSE uses r ‖ s (RFC 9053
// §2.1). Not by @noble/curves, which would be loaded for this alone: key files need the strict DER reader anyway.

import { children, INTEGER, SEQUENCE, singleTlv, type Tlv } from "./strict.js";

/**
 * A positive INTEGER in its shortest form, as `length` big-endian bytes. Returns undefined for anything else, and for
 * 0.
 */
function positive({ tag, content }: Tlv, length: number): Uint8Array | undefined {
  const [first = 0xff, next = 0] = content;
  // the top bit marks negative numbers, and a leading zero before a clear top bit is a second encoding (X.690 §8.3.2)
  if (tag !== INTEGER || first >= 0x80 || (first === 0 && next < 0x80)) return undefined;
  const digits = content.subarray(first === 0 ? 1 : 0);
  if (digits.length > length) return undefined;
  const out = new Uint8Array(length);
  out.set(digits, length - digits.length);
  return out;
}

/**
 * Converts an ECDSA signature from DER to r ‖ s, `length` bytes. Returns undefined unless it is strict DER: a signature
 * must have only one accepted encoding. The verifier checks that r and s are below n.
 */
export function rawFromDer(der: Uint8Array, length = 64): Uint8Array | undefined {
  const numbers = children(singleTlv(der, SEQUENCE));
  if (numbers?.length !== 2) return undefined;
  const [r, s] = numbers.map((number) => positive(number, length / 2));
  return r && s && Uint8Array.of(...r, ...s);
}
