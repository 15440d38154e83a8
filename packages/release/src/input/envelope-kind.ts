// What a file is, by its first bytes. The verifier decides what it holds; this decides what a person meant by it.

import { begin, bstr, head, map, peekType, skip, TAG, TSTR } from "@firmseal/verifier/cbor";

/** Tag 107 around a map, or a map that begins with element 1, 2 or 3 (M37 §8.2). */
export function looksLikeEnvelope(head: ArrayLike<number>): boolean {
  const tagged = head[0] === 0xd8 && head[1] === 0x6b;
  const at = tagged ? 2 : 0;
  if ((head[at] ?? 0) >> 5 !== 5) return false;
  const key = head[at + 1] ?? 0;
  return tagged || (key >= 1 && key <= 3);
}

/** Elements that are counted: an envelope has at most 16 payloads and a dozen others. */
const MOST_ELEMENTS = 64;

/** Bytes of an envelope that belong to no payload. What is damaged counts as far as it can be read: the verifier says what is wrong with it. */
export function headSize(envelope: Uint8Array): number {
  let size = envelope.length;
  try {
    begin(envelope);
    if (peekType() === TAG) head();
    for (let n = Math.min(map(), MOST_ELEMENTS); n > 0; n--) {
      const isPayload = peekType() === TSTR;
      skip();
      if (isPayload) size -= bstr().n;
      else skip();
    }
  } catch {
    // a refusal
  }
  return size;
}
