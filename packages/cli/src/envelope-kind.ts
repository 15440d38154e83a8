// What a file is, by its first bytes. The verifier decides what it holds; this decides what a person meant by it.

/** Tag 107 around a map, or a map that begins with element 1, 2 or 3 (M37 §8.2). */
export function looksLikeEnvelope(head: ArrayLike<number>): boolean {
  const tagged = head[0] === 0xd8 && head[1] === 0x6b;
  const at = tagged ? 2 : 0;
  if ((head[at] ?? 0) >> 5 !== 5) return false;
  const key = head[at + 1] ?? 0;
  return tagged || (key >= 1 && key <= 3);
}
