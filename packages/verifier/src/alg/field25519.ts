// Numbers modulo p = 2^255 - 19 as 12 doubles, after the floating-point arithmetic of D. J. Bernstein, "Curve25519: new
// Diffie-Hellman speed records" (2006) §4: radix 2^21.25, limbs that carry their own weight, carries by rounding. No
// bit operation, no floor, no branch.
//
// The number is x0 + .. + x5 + 2^127 * (x6 + .. + x11). With the two halves on the same scale, a product needs three
// products of halves (Karatsuba). Weights: x0 .. x5 are multiples of 2^0, 2^22, 2^43, 2^64, 2^85, 2^107; x6 .. x11 of
// 2^1, 2^22, 2^43, 2^65, 2^86, 2^107. These are 2^ceil(21.25 i), over 2^127 from x6 on; as ceil(a) + ceil(b) >= ceil(a
// + b), a product of two limbs is a multiple of the weight of the column that it falls in, even if it comes round
// past 2^255 = 19 or past 2^254 = 19/2.
//
// Bounds. Let u(i) be the weight of limb i and w(i) its width in bits: 22 for i = 0, 4, 8, else 21. `mul`, `isZero` and
// `unpack` leave
//   |xi| <= 2^(w(i) - 1) * u(i)                 for all i but 1 and 7: half of the next weight, since a carry rounds to nearest
//   |xi| <= 2^(w(i) - 1) * u(i) * (1 + 2^-9)    for i = 1, 7
// and this is called size 1. The sum or difference of numbers of sizes m and n has size m + n. `mul` takes sizes whose
// product is at most 16. Proof: a column is a sum of multiples of its weight, so it is exact in every order while the
// sum of the absolute values is at most 2^53 weights. With sizes 1 and 1 (and without the 2^-9) that sum is 2^53 / B
// weights, with these B in the columns 0 .. 11:
//   16.4, 30.3, 28.2, 26.3, 25.8, 50.6,   49.6, 48.8, 59.4, 152, 210, 341
// and B >= 73 for the products of the sums of halves, together with what is taken away from them. B > 16 * (1 + 2^-9)^2
// suffices. A carry adds and takes away 3 * 2^51 * V, V the next weight. That rounds to a multiple of V while the limb
// is below 2^51 * V; a column is below 2^53 of its own weights, so below 2^32 * V. What goes round from x11 to x0, and
// from x5 to x6, is below 2^32 weights there: what the last carry takes on to x1 and x7 is below 2^11 weights, 2^-9 of
// half the next one. The test works all this out again, and multiplies at the extremes. scripts/bounds.mjs proves it of
// this text, and of the sizes that every caller brings.

import { HAS_PLAIN, HAS_PREPARED, HAS_TABLES } from "../base/features.js";
import { floor } from "../hash/constants.js";

declare var WebAssembly: unknown;

/**
 * Room for `n` numbers: an array, which is the faster, or, where RAM counts for more, what the engine has for doubles.
 * Without HAS_PLAIN and HAS_TABLES also a copy of such. Engines with WebAssembly compile to machine code: there RAM
 * does not count, and `mul` needs two thirds of the time if all its numbers are in arrays of one kind.
 */
function numbers(n: number | number[], small: boolean): number[] {
  return (!(HAS_PLAIN || HAS_TABLES) ||
  (small && !(HAS_TABLES && typeof WebAssembly !== "undefined") && typeof Float64Array !== "undefined")
    ? new Float64Array(n as number)
    : []) as unknown as number[];
}

// 0 .. 11: u(i). 12 .. 23: 3 * 2^51 * the next weight. 24: 19 * 2^-128, from the upper half's 2^128 to the lower half.
// 25: 2^-127, from the lower half to the upper. 26: 19/2 = 2^254. Made in exact steps: not every engine reads a decimal
// fraction exactly.
function constants(): number[] {
  var k = numbers(27, !HAS_TABLES);
  var x = 1;
  var i: number;
  // in order: not every engine has arrays with holes
  for (i = 0; i < 27; i++) {
    k[i] = 0;
  }
  for (i = 0; i < 12; i++) {
    if (i === 6) {
      k[25] = 2 / x;
      x = 2;
    }
    k[i] = x;
    // 2^w(i)
    x *= i % 4 ? 2097152 : 4194304;
    k[i + 12] = x * 3 * 33554432 * 67108864;
  }
  k[24] = (k[25] / 2) * 19;
  k[26] = k[24] / k[25];
  return k;
}

var CONSTANTS: number[] = /* @__PURE__ */ constants();

/** The small integer n, in a new array. Size 1 for |n| <= 2^21. */
export function element(n: number): number[] {
  var r = numbers(12, !HAS_TABLES);
  var i: number;
  for (i = 0; (HAS_PLAIN || HAS_TABLES) && i < 12; i++) {
    r[i] = 0;
  }
  r[0] = n;
  return r;
}

/** 1/2 = (p + 1) / 2 = 2^254 - 9. */
export function half(): number[] {
  var r = element(-9);
  r[11] = 1 / CONSTANTS[25];
  return r;
}

/**
 * The number in 42 characters of `text` from `at`: six times seven digits, most significant first, of a pair of limbs
 * in units of the lower one. A digit is the character modulo 92, less 46, to the base 71: -35..35 for what `prepare` of
 * the signer wrote, and then of size 1. Whatever the characters, a pair is below 46 / 70 * 71^7 < 1.37 * 2^42, and the
 * size below 2.8. Instead of seven characters there may be one whole number in an array; any other value, or one above
 * 2^43, counts as 0: then the size is at most 4.
 */
export function readElement(text: string | number[], at: number): number[] {
  var r = element(0);
  var i: number;
  var j: number;
  var t: number;
  var u: number;
  for (i = 0; i < 12; i += 2) {
    t = 0;
    if (HAS_PREPARED && typeof text !== "string") {
      u = text[at / 7] as number;
      if (u > -8796093022208 && u < 8796093022208) {
        t = floor(u);
      }
      at += 7;
    } else {
      for (j = 0; j < 7; j++) {
        t = t * 71 + ((text as string).charCodeAt(at) % 92) - 46;
        at++;
      }
    }
    t *= CONSTANTS[i];
    u = t + CONSTANTS[i + 12] - CONSTANTS[i + 12];
    r[i] = t - u;
    r[i + 1] = u;
  }
  return r;
}

/** A copy with little overhead, for values that are kept for long. */
export function copy(a: number[]): number[] {
  var r = numbers(HAS_PLAIN || HAS_TABLES ? 12 : a, true);
  var i: number;
  for (i = 0; (HAS_PLAIN || HAS_TABLES) && i < 12; i++) {
    r[i] = a[i];
  }
  return r;
}

/** r = a + b. Sizes add. */
export function add(r: number[], a: number[], b: number[]): void {
  var i: number;
  for (i = 0; i < 12; i++) {
    r[i] = a[i] + b[i];
  }
}

/** r = a - b. Sizes add. */
export function sub(r: number[], a: number[], b: number[]): void {
  var i: number;
  for (i = 0; i < 12; i++) {
    r[i] = a[i] - b[i];
  }
}

/**
 * r = a * b, size 1; the product of the sizes of a and b at most 16. Without b, r = a * a; the size of a at most 4. r
 * may be a or b.
 */
export function mul25519(r: number[], a: number[], b?: number[]): void {
  // Espruino looks a variable up in their order: those that are read most come first
  var t: number;
  var a0 = a[0];
  var a1 = a[1];
  var a2 = a[2];
  var a3 = a[3];
  var a4 = a[4];
  var a5 = a[5];
  var b0 = a[6];
  var b1 = a[7];
  var b2 = a[8];
  var b3 = a[9];
  var b4 = a[10];
  var b5 = a[11];
  // a local name for the constants, which would be looked up outside of the function
  var m0 = (a = CONSTANTS)[12];
  var m1 = a[13];
  var m2 = a[14];
  var m3 = a[15];
  var m4 = a[16];
  var m5 = a[17];
  var m6 = a[20];
  var m7 = a[21];
  var h = a[26];
  var g = a[25];
  var f = a[24];
  var c0: number;
  var c1: number;
  var c2: number;
  var c3: number;
  var c4: number;
  var c5: number;
  var d0: number;
  var d1: number;
  var d2: number;
  var d3: number;
  var d4: number;
  var d5: number;
  var p0: number;
  var p1: number;
  var p2: number;
  var p3: number;
  var p4: number;
  var p5: number;
  var p6: number;
  var p7: number;
  var p8: number;
  var p9: number;
  var p10: number;
  var q0: number;
  var q1: number;
  var q2: number;
  var q3: number;
  var q4: number;
  var q5: number;
  var q6: number;
  var q7: number;
  var q8: number;
  var q9: number;
  var q10: number;
  if (b) {
    c0 = b[0];
    c1 = b[1];
    c2 = b[2];
    c3 = b[3];
    c4 = b[4];
    c5 = b[5];
    d0 = b[6];
    d1 = b[7];
    d2 = b[8];
    d3 = b[9];
    d4 = b[10];
    d5 = b[11];
    // p: the lower halves. q: the upper halves.
    p0 = a0 * c0;
    p1 = a0 * c1 + a1 * c0;
    p2 = a0 * c2 + a1 * c1 + a2 * c0;
    p3 = a0 * c3 + a1 * c2 + a2 * c1 + a3 * c0;
    p4 = a0 * c4 + a1 * c3 + a2 * c2 + a3 * c1 + a4 * c0;
    p5 = a0 * c5 + a1 * c4 + a2 * c3 + a3 * c2 + a4 * c1 + a5 * c0;
    p6 = a1 * c5 + a2 * c4 + a3 * c3 + a4 * c2 + a5 * c1;
    p7 = a2 * c5 + a3 * c4 + a4 * c3 + a5 * c2;
    p8 = a3 * c5 + a4 * c4 + a5 * c3;
    p9 = a4 * c5 + a5 * c4;
    p10 = a5 * c5;
    q0 = b0 * d0;
    q1 = b0 * d1 + b1 * d0;
    q2 = b0 * d2 + b1 * d1 + b2 * d0;
    q3 = b0 * d3 + b1 * d2 + b2 * d1 + b3 * d0;
    q4 = b0 * d4 + b1 * d3 + b2 * d2 + b3 * d1 + b4 * d0;
    q5 = b0 * d5 + b1 * d4 + b2 * d3 + b3 * d2 + b4 * d1 + b5 * d0;
    q6 = b1 * d5 + b2 * d4 + b3 * d3 + b4 * d2 + b5 * d1;
    q7 = b2 * d5 + b3 * d4 + b4 * d3 + b5 * d2;
    q8 = b3 * d5 + b4 * d4 + b5 * d3;
    q9 = b4 * d5 + b5 * d4;
    q10 = b5 * d5;
    a0 += b0;
    a1 += b1;
    a2 += b2;
    a3 += b3;
    a4 += b4;
    a5 += b5;
    c0 += d0;
    c1 += d1;
    c2 += d2;
    c3 += d3;
    c4 += d4;
    c5 += d5;
    // The middle: the sums of the halves, less p and q. Its columns from 6 on come round to the lower half by f, q by
    // h; what is above the lower half goes up by g. The result: p0 .. p5, d0 .. d5.
    d0 = a0 * c0 - p0 - q0 + g * (p6 + h * q6);
    p0 += h * q0 + f * (a1 * c5 + a2 * c4 + a3 * c3 + a4 * c2 + a5 * c1 - p6 - q6);
    d1 = a0 * c1 + a1 * c0 - p1 - q1 + g * (p7 + h * q7);
    p1 += h * q1 + f * (a2 * c5 + a3 * c4 + a4 * c3 + a5 * c2 - p7 - q7);
    d2 = a0 * c2 + a1 * c1 + a2 * c0 - p2 - q2 + g * (p8 + h * q8);
    p2 += h * q2 + f * (a3 * c5 + a4 * c4 + a5 * c3 - p8 - q8);
    d3 = a0 * c3 + a1 * c2 + a2 * c1 + a3 * c0 - p3 - q3 + g * (p9 + h * q9);
    p3 += h * q3 + f * (a4 * c5 + a5 * c4 - p9 - q9);
    d4 = a0 * c4 + a1 * c3 + a2 * c2 + a3 * c1 + a4 * c0 - p4 - q4 + g * (p10 + h * q10);
    p4 += h * q4 + f * (a5 * c5 - p10 - q10);
    d5 = a0 * c5 + a1 * c4 + a2 * c3 + a3 * c2 + a4 * c1 + a5 * c0 - p5 - q5;
    p5 += h * q5;
  } else {
    // Twice a, twice b, and h times b make the products of two different limbs count twice. The columns of a * 2 b are
    // written as those above: an archive then takes them for repetitions.
    c0 = b0 + b0;
    c1 = b1 + b1;
    c2 = b2 + b2;
    c3 = b3 + b3;
    c4 = b4 + b4;
    c5 = b5 + b5;
    p6 = a0 + a0;
    p7 = a1 + a1;
    p8 = a2 + a2;
    p9 = a3 + a3;
    p10 = a4 + a4;
    q0 = h * b0;
    q1 = h * b1;
    q2 = h * b2;
    q3 = h * b3;
    q4 = h * b4;
    q5 = h * b5;
    p0 = a0 * a0 + q0 * b0 + f * (a1 * c5 + a2 * c4 + a3 * c3 + a4 * c2 + a5 * c1);
    p1 = p6 * a1 + q0 * c1 + f * (a2 * c5 + a3 * c4 + a4 * c3 + a5 * c2);
    p2 = p6 * a2 + a1 * a1 + q0 * c2 + q1 * b1 + f * (a3 * c5 + a4 * c4 + a5 * c3);
    p3 = p6 * a3 + p7 * a2 + q0 * c3 + q1 * c2 + f * (a4 * c5 + a5 * c4);
    p4 = p6 * a4 + p7 * a3 + a2 * a2 + q0 * c4 + q1 * c3 + q2 * b2 + f * (a5 * c5);
    p5 = p6 * a5 + p7 * a4 + p8 * a3 + q0 * c5 + q1 * c4 + q2 * c3;
    d0 = a0 * c0 + g * (p7 * a5 + p8 * a4 + a3 * a3 + q1 * c5 + q2 * c4 + q3 * b3);
    d1 = a0 * c1 + a1 * c0 + g * (p8 * a5 + p9 * a4 + q2 * c5 + q3 * c4);
    d2 = a0 * c2 + a1 * c1 + a2 * c0 + g * (p9 * a5 + a4 * a4 + q3 * c5 + q4 * b4);
    d3 = a0 * c3 + a1 * c2 + a2 * c1 + a3 * c0 + g * (p10 * a5 + q4 * c5);
    d4 = a0 * c4 + a1 * c3 + a2 * c2 + a3 * c1 + a4 * c0 + g * (a5 * a5 + q5 * b5);
    d5 = a0 * c5 + a1 * c4 + a2 * c3 + a3 * c2 + a4 * c1 + a5 * c0;
  }
  // Two carries side by side, from the bottom of each half to the bottom of the other; then one step more in each.
  t = p0 + m0 - m0;
  p0 -= t;
  p1 += t;
  t = d0 + m0 - m0;
  d0 -= t;
  d1 += t;
  t = p1 + m1 - m1;
  p1 -= t;
  p2 += t;
  t = d1 + m1 - m1;
  d1 -= t;
  d2 += t;
  t = p2 + m2 - m2;
  r[2] = p2 - t;
  p3 += t;
  t = d2 + m6 - m6;
  r[8] = d2 - t;
  d3 += t;
  t = p3 + m3 - m3;
  r[3] = p3 - t;
  p4 += t;
  t = d3 + m7 - m7;
  r[9] = d3 - t;
  d4 += t;
  t = p4 + m4 - m4;
  r[4] = p4 - t;
  p5 += t;
  t = d4 + m4 - m4;
  r[10] = d4 - t;
  d5 += t;
  t = p5 + m5 - m5;
  r[5] = p5 - t;
  d0 += t * g;
  t = d5 + m5 - m5;
  r[11] = d5 - t;
  p0 += t * f;
  t = p0 + m0 - m0;
  r[0] = p0 - t;
  r[1] = p1 + t;
  t = d0 + m0 - m0;
  r[6] = d0 - t;
  r[7] = d1 + t;
}

/**
 * r = a at size 1: the carries of a product with 1. For limbs below 2^45 of their weights, whose sums of halves stay
 * exact.
 */
export function carry(r: number[], a: number[]): void {
  mul25519(r, a, element(1));
}

/**
 * The number in 32 octets, least significant first, without the top bit (RFC 8032 §5.1.3). Size 1. A number of p or
 * more is taken modulo p: a caller that has to refuse it compares the octets.
 */
export function unpack(bytes: ArrayLike<number>): number[] {
  var r = element(0);
  var x = 1;
  var j = 0;
  var i: number;
  for (i = 0; i < 32; i++) {
    if (i === 16) {
      x = 2;
      j = 6;
    }
    if (j % 6 < 5 && CONSTANTS[j + 1] <= x) {
      j++;
    }
    // Octets do not overlap: below 2^(22 + 7) weights, and exact.
    r[j] += (i < 31 ? bytes[i] : bytes[i] & 127) * x;
    x *= 256;
  }
  carry(r, r);
  return r;
}

/**
 * Whether a = 0 modulo p. Reduces a to size 1, from sizes up to 16. Then |a| < 2^254 * (1 + 2^-8) < p, so a must be 0
 * itself. Each limb must be 0 too, from the lowest on, because it is a multiple of the next weight and at most about
 * half of it. NaN is not 0.
 */
export function isZero25519(a: number[]): boolean {
  var i: number;
  carry(a, a);
  for (i = 0; i < 12; i++) {
    if (a[i] !== 0) {
      return false;
    }
  }
  return true;
}

/**
 * The lowest bit of a modulo p, for a of size 1. Of the limbs only the lowest can be odd; p is added to a negative
 * number, and p is odd. The highest limb that is not 0 has the sign: it is one weight at least, and those below are
 * together little more than half of one.
 */
export function parity(a: number[]): number {
  var i = 11;
  while (i && !a[i]) {
    i--;
  }
  return (a[0] & 1) ^ (a[i] < 0 ? 1 : 0);
}

/**
 * r = a^(2^252 - 3), size 1, for a of size 4 at most: the power in RFC 8032 §5.1.3 step 2, and all but the end of an
 * inversion.
 */
export function power(r: number[], a: number[]): void {
  // x = a^(2^n - 1); each step doubles n, or adds an n met before, in the step of this number.
  var steps = [0, 1, 0, 3, 4, 5, 4, 7, 8, 7];
  var sizes: number[] = [];
  var met: number[][] = [];
  var x = a;
  var n = 1;
  var i: number;
  var j: number;
  var y: number[];
  for (i = 0; i < 10; i++) {
    met[i] = x;
    sizes[i] = n;
    y = element(0);
    mul25519(y, x);
    for (j = 1; j < sizes[steps[i]]; j++) {
      mul25519(y, y);
    }
    mul25519(y, y, met[steps[i]]);
    x = y;
    n += sizes[steps[i]];
  }
  mul25519(x, x);
  mul25519(x, x);
  mul25519(r, x, a);
}
