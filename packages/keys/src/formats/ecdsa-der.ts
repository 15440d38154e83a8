// ECDSA signatures as services and openssl give them: an Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3). COSE has r ‖ s (RFC 9053 §2.1).

import { children, INTEGER, SEQUENCE, singleTlv, type Tlv } from "./der-strict.js";

/** An INTEGER, positive and in its shortest form, as 32 bytes in big endian; undefined for anything else, and for 0. */
function positive({ tag, content }: Tlv): Uint8Array | undefined {
  const [first = 0xff, next = 0] = content;
  // a set top bit is a negative number, and a zero in front of a clear one is a second encoding (X.690 §8.3.2)
  if (tag !== INTEGER || first >= 0x80 || (first === 0 && next < 0x80)) return undefined;
  const digits = content.subarray(first === 0 ? 1 : 0);
  if (digits.length > 32) return undefined;
  const out = new Uint8Array(32);
  out.set(digits, 32 - digits.length);
  return out;
}

/**
 * r ‖ s, 64 bytes, of a signature on P-256 in DER, 8 to 72 bytes. undefined where it is not DER to the last bit: one signature must not
 * have several encodings that are taken. Whether r and s are below n is for the verifier to say.
 */
export function rawFromDer(der: Uint8Array): Uint8Array | undefined {
  const numbers = children(singleTlv(der, SEQUENCE));
  if (numbers?.length !== 2) return undefined;
  const [r, s] = numbers.map(positive);
  return r && s && Uint8Array.of(...r, ...s);
}
