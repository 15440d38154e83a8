// Sequence numbers: 64 bits, exact, in engines that only have doubles.

import { HAS_PLAIN } from "./features.js";
import { refuse } from "./refuse.js";
import type { Sequence } from "./types.js";

/** Whether a < b. Exact for all 64 bits. */
export function sequenceLess(a: Sequence, b: Sequence): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

/** Whether `a` is higher than `b` by more than `most`. */
export function sequenceExceeds(a: Sequence, b: Sequence, most: Sequence): boolean {
  var low = a[1] - b[1];
  // 32 bits: the low half of the difference
  return sequenceLess(b, a) && sequenceLess(most, [a[0] - b[0] - (low < 0 ? 1 : 0), low >>> 0]);
}

/**
 * Compares two sequence numbers, exactly for all 64 bits.
 *
 * @param a - The high and the low 32 bits of a number.
 * @param b - The same of another number.
 * @returns -1, 0 or 1.
 */
export function compareSequence(a: Sequence, b: Sequence): number {
  return sequenceLess(a, b) ? -1 : sequenceLess(b, a) ? 1 : 0;
}

/** Whether a value is an unsigned integer of 32 bits. */
export function isHalf(n: unknown): boolean {
  // the unsigned 32 bits of anything else, such as a text, differ from it; a BigInt has none
  return typeof n === "number" && n === (n as number) >>> 0;
}

/**
 * How `a` compares with the limit `s`: negative, 0 or positive; 0 if there is no limit. Refuses one that is not a
 * number of 64 bits with `code`: NaN would be neither lower nor higher. The differences are exact.
 */
export function compareLimit(a: Sequence, s: Sequence | undefined, code: number): number {
  if (s === undefined) return 0;
  // the unsigned 32 bits of anything that is not a half differ from it
  if (HAS_PLAIN ? !isHalf(s[0]) || !isHalf(s[1]) : s[0] !== s[0] >>> 0 || s[1] !== s[1] >>> 0) refuse(code);
  return a[0] - s[0] || a[1] - s[1];
}

/** Whether a value is a 64-bit number. On Espruino, throws an error for a value without members, such as 5. */
export function isSequence(s: Sequence | undefined): boolean {
  return !!s && isHalf(s[0]) && isHalf(s[1]);
}

/**
 * Formats a sequence number in decimal.
 *
 * @param s - The high and the low 32 bits.
 * @returns The digits, exactly.
 */
export function formatSequence(s: Sequence): string {
  var hi = s[0],
    lo = s[1],
    out = "",
    rest;
  do {
    // long division by ten in base 2^32: the remainder is below 10, so rest · 2^32 + lo stays below 2^36
    rest = hi % 10;
    hi = Math.floor(hi / 10);
    rest = rest * 4294967296 + lo;
    lo = Math.floor(rest / 10);
    out = String(rest % 10) + out;
  } while (hi > 0 || lo > 0);
  return out;
}

/**
 * Parses the decimal form of a sequence number.
 *
 * @param text - The digits.
 * @returns The high and the low 32 bits.
 * @throws Error if it is not an unsigned 64-bit integer.
 */
export function parseSequence(text: string): Sequence {
  var hi = 0,
    lo = 0,
    i;
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,19})$/.test(text)) throw new Error("not a decimal number of 64 bits: " + text);
  for (i = 0; i < text.length; i++) {
    lo = lo * 10 + (text.charCodeAt(i) - 48);
    hi = hi * 10 + Math.floor(lo / 4294967296);
    lo = lo % 4294967296;
  }
  if (hi > 4294967295) throw new Error("not a decimal number of 64 bits: " + text);
  return [hi, lo];
}
