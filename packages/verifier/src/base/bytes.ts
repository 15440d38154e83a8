// Octets, wherever they come from, and the one border at which they enter.
//
// Behind octetsOf() every byte is an integer from 0 to 255 in memory of our own: what is hashed, parsed, compared and executed is the same, whatever a
// Source, a device, a host's hash or a caller's array answers the next time it is asked.

import { CBOR_OCTET, CBOR_TRUNCATED } from "../spec/errors.js";
import { refuse } from "./refuse.js";
import type { Bytes, Prepared } from "./types.js";

/** Room for `n` octets, in whatever the engine has. */
export function newBytes(n: number): number[] {
  return (typeof Uint8Array === "undefined" ? [] : new Uint8Array(n)) as unknown as number[];
}

/** Room for `n` unsigned words of 32 bits, likewise. */
export function newWords(n: number): number[] {
  return (typeof Uint32Array === "undefined" ? [] : new Uint32Array(n)) as unknown as number[];
}

/**
 * `n` elements from `at` on, for reading only: a view where there are views and Espruino has them too, below 2^16, otherwise a copy. What is in a plain array
 * is copied as it is, octet or not.
 */
export function subBytes(b: Bytes, at: number, n: number): Bytes {
  var out: number[], i;
  if ((b as Uint8Array).byteOffset + at + n < 65536) return (b as Uint8Array).subarray(at, at + n);
  out = (b as Uint8Array).byteOffset >= 0 ? newBytes(n) : [];
  for (i = 0; i < n; i++) out[i] = b[at + i];
  return out;
}

/** All of `pieces`, one after the other. */
export function concat(pieces: Bytes[]): Bytes {
  var n = 0,
    out,
    i,
    j;
  for (i = 0; i < pieces.length; i++) n += pieces[i].length;
  out = newBytes(n);
  n = 0;
  for (i = 0; i < pieces.length; i++) for (j = 0; j < pieces[i].length; j++) out[n++] = pieces[i][j];
  return out;
}

/** Whether a value is an integer from 0 to 255: NaN, undefined, texts, objects, fractions and what has more than 8 bits differ from their low 8 bits. */
function isOctet(b: unknown): boolean {
  return typeof b === "number" && b === (b & 255);
}

/** Whether nothing but octets is in there. For what is too large to be copied once more. */
export function areOctets(bytes: Bytes): boolean {
  var i;
  if (typeof Uint8Array !== "undefined" && (bytes as unknown) instanceof Uint8Array) return true;
  for (i = 0; i < bytes.length; i++) if (!isOctet(bytes[i])) return false;
  return true;
}

/** A copy of `n` octets, each read once; null where there are more or fewer, or where one of them is not an integer from 0 to 255. */
export function copied(bytes: Bytes, n: number): Bytes | null {
  // the engine copies where it can, and what it then copies from holds nothing but octets
  var typed = typeof Uint8Array !== "undefined" && (bytes as unknown) instanceof Uint8Array,
    out: number[],
    i,
    b;
  if (!bytes || bytes.length !== n) return null;
  out = typed ? (new Uint8Array(bytes) as unknown as number[]) : newBytes(n);
  for (i = 0; i < n && !typed; i++) {
    b = bytes[i];
    if (!isOctet(b)) return null;
    out[i] = b;
  }
  return out.length === n ? out : null;
}

/** The border: a copy of `n` octets. Refused where something else was given. */
export function octetsOf(bytes: Bytes, n: number): Bytes {
  var out = copied(bytes, n);
  return out || refuse(bytes && bytes.length === n ? CBOR_OCTET : CBOR_TRUNCATED);
}

/**
 * Whether two strings of octets are the same; what is not an octet equals nothing, itself included. It takes as long whether they are or not: also for
 * tags and check-content (M37 §8.4.9.3).
 */
export function equalConstantTime(a: Bytes, b: Bytes): boolean {
  var d = a.length === b.length ? 0 : 1,
    i;
  for (i = 0; i < a.length; i++) if (!isOctet(a[i]) || a[i] !== b[i]) d++;
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

/**
 * Whether one secret signs for both keys, so that they count as one toward a threshold: the same bytes; points of P-256 with the same x (65 bytes, 4 || x || y)
 * or of Ed25519 with the same y (32 bytes, the top bit is the sign of x), for -A belongs to the negated secret of A; one LMS tree listed with
 * two numbers of levels (52 or 60 bytes, the number is the first 4: RFC 8554 §6.1).
 */
export function sameKey(a: Bytes | Prepared, b: Bytes | Prepared): boolean {
  var x = rawKey(a),
    y = rawKey(b),
    n = x.length,
    end = n === 65 ? 33 : n,
    i = n === 65 ? 1 : n === 52 || n === 60 ? 4 : 0;
  // what is not an octet counts as the same, which is the side that refuses
  for (; i < end; i++) if (isOctet(x[i]) && isOctet(y[i]) && (x[i] ^ y[i]) & (n === 32 && i === 31 ? 127 : 255)) return false;
  return n === y.length;
}
