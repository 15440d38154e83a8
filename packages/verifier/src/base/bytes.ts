// Bytes from any source, and the one border at which they enter.
//
// Once past octetsOf(), every byte is an integer from 0 to 255 in memory of our own. So the hashed, parsed, compared
// and executed bytes are the same, whatever a Source, a device, a host's hash or a caller's array returns later.

import { CBOR_OCTET, CBOR_TRUNCATED } from "../spec/errors.generated.js";
import { HAS_GENERAL, HAS_PLAIN } from "./features.js";
import { refuse } from "./refuse.js";
import type { Bytes, Prepared } from "./types.js";

/**
 * Room for `n` bytes: a typed array if the engine has them. Without HAS_PLAIN also a copy of an array, converted to
 * bytes.
 */
export function newBytes(n: number | Bytes): number[] {
  return (HAS_PLAIN && typeof Uint8Array === "undefined" ? [] : new Uint8Array(n as number)) as unknown as number[];
}

/**
 * Room for `n` unsigned words of 32 bits: a typed array if the engine has them. Without HAS_PLAIN also a copy of words.
 */
export function newWords(n: number | number[]): number[] {
  return (HAS_PLAIN && typeof Uint32Array === "undefined" ? [] : new Uint32Array(n as number)) as unknown as number[];
}

/**
 * `n` elements from `at` on, for reading only: a view if the engine has views (in Espruino: below 2^16), otherwise a
 * copy. A copy from a plain array may contain values that are not bytes. In a micro verifier without HAS_PLAIN always a
 * view.
 */
export function subBytes(b: Bytes, at: number, n: number): Bytes {
  var out: number[], i;
  // the caller checks the end: Espruino makes views past it. A micro verifier gets typed arrays only
  if ((!HAS_GENERAL && !HAS_PLAIN) || (b as Uint8Array).byteOffset + at + n < 65536) return (b as Uint8Array).subarray(at, at + n);
  out = (b as Uint8Array).byteOffset >= 0 ? newBytes(n) : [];
  for (i = 0; i < n; i++) out[i] = b[at + i];
  return out;
}

/** Copies `from` into `out`, from `at` on. Returns where it ends. */
export function put(out: number[], at: number, from: Bytes): number {
  var n = from.length,
    i;
  // the engine copies, which costs an interpreter far less than a loop
  if (!HAS_PLAIN || (out as unknown as Uint8Array).set) (out as unknown as Uint8Array).set(from, at);
  else for (i = 0; i < n; i++) out[at + i] = from[i];
  return at + n;
}

/** Concatenates `pieces`. */
export function concat(pieces: Bytes[]): Bytes {
  var n = 0,
    out,
    i;
  for (i = 0; i < pieces.length; i++) n += pieces[i].length;
  out = newBytes(n);
  n = 0;
  for (i = 0; i < pieces.length; i++) n = put(out, n, pieces[i]);
  return out;
}

/** Concatenates two byte strings. */
export function append(a: Bytes, b: Bytes): Bytes {
  var out = HAS_PLAIN ? concat([a, b]) : newBytes(a.length + b.length);
  if (!HAS_PLAIN) {
    (out as Uint8Array).set(a);
    (out as Uint8Array).set(b, a.length);
  }
  return out;
}

/**
 * Whether a value is an integer from 0 to 255. NaN, undefined, texts, objects, fractions and larger numbers differ from
 * their low 8 bits.
 */
function isOctet(b: unknown): boolean {
  return typeof b === "number" && b === (b & 255);
}

/**
 * Whether two byte strings are equal. A value that is not a byte equals nothing, not even itself. Takes the same time
 * in both cases: also used for tags and check-content (M37 §8.4.9.3).
 */
export function equalConstantTime(a: Bytes, b: Bytes): boolean {
  var i = a.length,
    differ: boolean | number = i !== b.length;
  while (i-- > 0)
    if (!HAS_PLAIN)
      // one side is a typed array: a number there equals nothing but itself. 32 bits: 0 or 1
      differ = (differ as number) | ((a[i] !== b[i]) as unknown as number);
    else if (!isOctet(a[i]) || a[i] !== b[i]) differ = true;
  return !differ;
}

/** Whether all elements are bytes. For arrays that are too large to be copied. */
export function areOctets(bytes: Bytes): boolean {
  var i;
  // a micro verifier has copied them
  if (!HAS_GENERAL || ((!HAS_PLAIN || typeof Uint8Array !== "undefined") && (bytes as unknown) instanceof Uint8Array)) return true;
  for (i = 0; i < bytes.length; i++) if (!isOctet(bytes[i])) return false;
  return true;
}

/**
 * A copy of `n` bytes, each read once. Returns null or false if the length differs or an element is not an integer from
 * 0 to 255.
 */
export function copied(bytes: Bytes, n: number): Bytes | null | false {
  // let the engine copy if it can; a typed array contains only bytes
  var isChecked = HAS_GENERAL || HAS_PLAIN,
    typed = isChecked && (!HAS_PLAIN || typeof Uint8Array !== "undefined") && (bytes as unknown) instanceof Uint8Array,
    // a subclass may lie about its length
    out = (bytes && bytes.length === n && (!typed || (bytes as Uint8Array).byteLength === n) && newBytes(n)) as number[],
    i,
    b;
  // Espruino takes twice as long to make a typed array of another one
  if (out && (!isChecked || typed)) (out as unknown as Uint8Array).set(bytes);
  // set() makes every value a byte, so a value that was not a byte now differs
  if (!isChecked) return out && ((bytes as unknown) instanceof Uint8Array || equalConstantTime(out, bytes)) && out;
  if (!out) return null;
  for (i = 0; i < n && !typed; i++) {
    b = bytes[i];
    if (!isOctet(b)) return null;
    out[i] = b;
  }
  return out;
}

/** The border: returns a copy of `n` bytes, or refuses. */
export function octetsOf(bytes: Bytes, n: number): Bytes {
  var out = copied(bytes, n);
  return out || refuse(bytes && bytes.length === n ? CBOR_OCTET : CBOR_TRUNCATED);
}

/**
 * Takes the raw key of an anchor, in either form.
 *
 * @param key - The key, or the key with its table.
 * @returns The raw key.
 */
export function rawKey(key: Bytes | Prepared): Bytes {
  return (HAS_GENERAL && key && (key as Prepared).key) || (key as Bytes);
}

/**
 * Tells whether one secret signs for both keys, so that they count once toward a threshold: equal bytes; points of
 * P-256 with the same x (65 bytes, 4 || x || y) or of Ed25519 with the same y (32 bytes, the top bit is the sign of x),
 * because the negated secret of A belongs to -A; one LMS tree with two numbers of levels (52 or 60 bytes, the number is
 * in the first 4: RFC 8554 §6.1).
 *
 * @param a - A raw key.
 * @param b - Another raw key.
 * @returns true if it does.
 */
export function sameKey(a: Bytes | Prepared, b: Bytes | Prepared): boolean {
  var x = rawKey(a),
    y = rawKey(b),
    n = x.length,
    end = n === 65 ? 33 : n,
    i = n === 65 ? 1 : n === 52 || n === 60 ? 4 : 0;
  // a value that is not a byte counts as equal, which is the safe side
  for (; i < end; i++) if (isOctet(x[i]) && isOctet(y[i]) && (x[i] ^ y[i]) & (n === 32 && i === 31 ? 127 : 255)) return false;
  return n === y.length;
}
