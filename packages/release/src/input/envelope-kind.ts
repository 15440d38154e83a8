// What a file is, by its first bytes. The verifier decides what it holds; this decides what a person meant by it.

import { readHead, readItem } from "@firmseal/verifier/tools";

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
    let head = readHead(envelope, 0);
    if (head.kind === "tag") head = readHead(envelope, head.body);
    let at = head.body;
    for (let n = head.kind === "map" ? Math.min(head.value, MOST_ELEMENTS) : 0; n > 0; n--) {
      const key = readItem(envelope, at);
      const value = readItem(envelope, key.end);
      if (key.kind === "text" && value.kind === "bytes") size -= value.value;
      at = value.end;
    }
  } catch {
    // a refusal
  }
  return size;
}
