// Octets, wherever they come from.

import type { Bytes, Prepared } from "./types.js";

/** Room for `n` octets, in whatever the engine has. */
export function room(n: number): number[] {
  return (typeof Uint8Array === "undefined" ? [] : new Uint8Array(n)) as unknown as number[];
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

/** Whether two strings of octets are the same. Not constant time. */
export function same(a: Bytes, b: Bytes): boolean {
  var i;
  if (a.length !== b.length) return false;
  for (i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The same without an early exit, for tags and for check-content (M37 §8.4.9.3). */
export function sameConstantTime(a: Bytes, b: Bytes): boolean {
  var i,
    d = a.length ^ b.length;
  for (i = 0; i < a.length && i < b.length; i++) d |= a[i] ^ b[i];
  return d === 0;
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
