// Octets, wherever they come from.

import type { Bytes, Prepared } from "./types.js";

/** Room for `n` octets, in whatever the engine has. */
export function room(n: number): number[] {
  return (typeof Uint8Array === "undefined" ? [] : new Uint8Array(n)) as unknown as number[];
}

/** Room for `n` unsigned words of 32 bits, likewise. */
export function cells(n: number): number[] {
  return (typeof Uint32Array === "undefined" ? [] : new Uint32Array(n)) as unknown as number[];
}

/** All of `pieces`, one after the other. */
export function concat(pieces: Bytes[]): Bytes {
  var n = 0,
    out,
    i,
    j;
  for (i = 0; i < pieces.length; i++) n += pieces[i].length;
  out = room(n);
  n = 0;
  for (i = 0; i < pieces.length; i++) for (j = 0; j < pieces[i].length; j++) out[n++] = pieces[i][j];
  return out;
}

/** Whether two strings of octets are the same. It takes as long whether they are or not: also for tags and check-content (M37 §8.4.9.3). */
export function same(a: Bytes, b: Bytes): boolean {
  var d = a.length ^ b.length,
    i;
  // lengths differ in their low 32 bits, or the input would be one of 4 GB; past the end of b there is 0
  for (i = 0; i < a.length; i++) d |= a[i] ^ b[i];
  return !d;
}

/** The order of two encoded items, bytewise: negative, 0, positive. None is the beginning of another one, so neither ends before they differ. */
export function compare(a: Bytes, b: Bytes): number {
  var i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i < a.length ? a[i] - b[i] : 0;
}

/** The raw key of an anchor, in either form. */
export function rawKey(key: Bytes | Prepared): Bytes {
  return (key as Prepared).key || (key as Bytes);
}
