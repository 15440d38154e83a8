// The DER of an ECDSA signature, SEQUENCE { INTEGER r, INTEGER s } (RFC 3279 §2.2.3), read strictly (X.690 §8.3, §10.1): one form a value.
// COSE carries r || s only (RFC 9053 §2.1); this is here to play vectors that come in DER.

/** One INTEGER from `at`: its value as `size` bytes, big-endian, and where it ends. Undefined unless minimal, not negative and fitting. */
function integer(der: Uint8Array, at: number, size: number): { value: Uint8Array; end: number } | undefined {
  const length = der[at + 1];
  if (der[at] !== 0x02 || length === undefined || length < 1 || length > size + 1) return undefined;
  const end = at + 2 + length;
  if (end > der.length) return undefined;
  let content = der.subarray(at + 2, end);
  const [first = 0, second = 0] = content;
  if (first >= 0x80) return undefined;
  if (first === 0 && length > 1) {
    if (second < 0x80) return undefined;
    content = content.subarray(1);
  }
  if (content.length > size) return undefined;
  const value = new Uint8Array(size);
  value.set(content, size - content.length);
  return { value, end };
}

/** r || s, `size` bytes each, or undefined for whatever is not the strict DER of two such numbers. Sizes below 60 need no long lengths. */
export function rawSignature(der: Uint8Array, size: number): Uint8Array | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der[1] > 0x7f) return undefined;
  const r = integer(der, 2, size);
  const s = r && integer(der, r.end, size);
  if (!r || !s || s.end !== der.length) return undefined;
  const raw = new Uint8Array(2 * size);
  raw.set(r.value, 0);
  raw.set(s.value, size);
  return raw;
}
