// The kind of a file, by its first bytes. This decides what a person meant by it; the verifier decides whether it is
// valid.

import { readHead, readItem } from "@firmseal/verifier/tools";

/** Returns whether the bytes begin with tag 107 and a map, or with a map whose first key is 1, 2 or 3 (M37 §8.2). */
export function looksLikeEnvelope(head: ArrayLike<number>): boolean {
  const tagged = head[0] === 0xd8 && head[1] === 0x6b;
  const at = tagged ? 2 : 0;
  if ((head[at] ?? 0) >> 5 !== 5) return false;
  const key = head[at + 1] ?? 0;
  return tagged || (key >= 1 && key <= 3);
}

/** Maximum number of elements to count: an envelope has at most 16 payloads and a dozen others. */
const MOST_ELEMENTS = 64;

/**
 * The number of bytes in an envelope that belong to no payload. A damaged envelope is counted as far as it can be read;
 * the verifier reports the damage.
 */
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
