// ECDSA signatures as services and openssl give them: an Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3). COSE has r ‖ s (RFC 9053 §2.1).

import { children, INTEGER, SEQUENCE, singleTlv, type Tlv } from "./der-strict.js";

/** An INTEGER, positive and in its shortest form, as `length` bytes in big endian; undefined for anything else, and for 0. */
function positive({ tag, content }: Tlv, length: number): Uint8Array | undefined {
  const [first = 0xff, next = 0] = content;
  // a set top bit is a negative number, and a zero in front of a clear one is a second encoding (X.690 §8.3.2)
  if (tag !== INTEGER || first >= 0x80 || (first === 0 && next < 0x80)) return undefined;
  const digits = content.subarray(first === 0 ? 1 : 0);
  if (digits.length > length) return undefined;
  const out = new Uint8Array(length);
  out.set(digits, length - digits.length);
  return out;
}

/**
 * r ‖ s, `length` bytes, of an ECDSA signature in DER. undefined where it is not DER to the last bit: one signature must not
 * have several encodings that are taken. Whether r and s are below n is for the verifier to say.
 */
export function rawFromDer(der: Uint8Array, length = 64): Uint8Array | undefined {
  const numbers = children(singleTlv(der, SEQUENCE));
  if (numbers?.length !== 2) return undefined;
  const [r, s] = numbers.map((number) => positive(number, length / 2));
  return r && s && Uint8Array.of(...r, ...s);
}
