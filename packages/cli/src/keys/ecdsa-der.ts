// ECDSA signatures as services and openssl give them: an Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3). COSE has r ‖ s (RFC 9053 §2.1).

/** INTEGER in DER, positive and in its shortest form, as 32 bytes in big endian; undefined for anything else, and for 0. */
function integer(der: Uint8Array, at: number, n: number): Uint8Array | undefined {
  const first = der[at] as number;
  // a set top bit is a negative number, and a zero in front of a clear one is a second encoding (X.690 §8.3.2)
  if (n === 0 || first >= 0x80 || (first === 0 && (n === 1 || (der[at + 1] as number) < 0x80))) return undefined;
  const digits = der.subarray(first === 0 ? at + 1 : at, at + n);
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
  const n = der.length;
  // SEQUENCE { INTEGER, INTEGER }: all lengths are below 128, so each is one byte
  if (n < 8 || n > 72 || der[0] !== 0x30 || der[1] !== n - 2 || der[2] !== 2) return undefined;
  const rLength = der[3] as number;
  const second = 4 + rLength;
  if (second + 2 > n || der[second] !== 2 || der[second + 1] !== n - second - 2) return undefined;
  const r = integer(der, 4, rLength);
  const s = integer(der, second + 2, n - second - 2);
  return r && s && Uint8Array.of(...r, ...s);
}
