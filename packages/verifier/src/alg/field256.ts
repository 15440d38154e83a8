// Arithmetic modulo the prime of P-256, p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 §3.2.1.3), in
// doubles.
//
// An element is 11 numbers, limb i counting 2^(24 i). Limbs are signed, so that a subtraction needs no borrow. It
// stands for its value times 2^-264 modulo p (Montgomery's form). "Tight" means |limb i| <= 2^23 for i < 10; "weight k"
// means |limb i| <= k * 2^23. What the top limb holds follows from the size of the value: a value below 3 p leaves
// |limb 10| < 2^18.
//
// Why mul is exact (tested at the extremes). Weights ka and kb with ka * kb <= 12, and values below 31 p in magnitude:
//   products   the fullest column is 9, with 10 products of lower limbs: 10 * 12 * 2^46 = 120 * 2^46. Column 10 has 9 such products and two
//              with a top limb (at most 31 * 2^16 + 1 < 2^21): 9 * 12 * 2^46 + 24 * 2^44 = 114 * 2^46. All others have fewer.
//   carry      at most 2^53 / 2^24 = 2^29 from the column before.
//   reduction  each |q| <= 2^23: two of them, one times 256 and one times 65536, below 2^40.
//   addend     |s * d|: at most 8 * 3 * 2^23 < 2^28.
// The sum of magnitudes stays below 121 * 2^46 < 2^53, so every partial sum is an integer that a double holds exactly.
// The carry is c = t + M - M with M = 3 * 2^75: t + M lies between 2^76 and 2^77, where doubles are multiples of 2^24.
// So c is the multiple of 2^24 nearest to t, and |t - c| <= 2^23, which makes the result tight.
//
// Montgomery's step: p = -1 modulo 2^24, so the low limb q of a column is itself the multiple of p that clears it, and
// adding q * p means adding q at 2^96 and 2^192, -256 q at 2^216 and 65536 q at 2^240. After 11 columns the sum has
// been divided by 2^264. As |sum of q| <= 2^263 * (1 + 2^-23), the value of the result is at most |a| * |b| / 2^264 +
// 0.5001 p + |s * d|.

import type { Bytes } from "../base/types.js";

/** p: the sparse signed limbs. */
export var P = [-1, 0, 0, 0, 1, 0, 0, 0, 1, -256, 65536];

/** 2^264 modulo p: the element 1. */
export var ONE = [256, 0, 0, 0, -256, 0, 0, 0, -256, 65536, 0];

/** 2^528 modulo p: multiplying by it brings a plain number into Montgomery's form. */
export var RR = [196608, 0, 0, -256, -262144, 0, -1, 0, -131072, 0, 5];

/** x f^24 */
function times(x: number, f: number): number {
  var i: number;
  for (i = 0; i < 24; i++) x *= f;
  return x;
}

/** 3 * 2^75 and 2^-24, by exact steps: a decimal parser need not be trusted with them. */
export var M: number = /* @__PURE__ */ times(24, 8);
export var V: number = 1 / /* @__PURE__ */ times(1, 2);

/** o = a * b + s * d, or a * b, tight. Bounds above; o, which it returns, may be any of the arguments. */
export function mul256(o: number[], a: number[], b: number[], d?: number[], s?: number): number[] {
  var m = M,
    v = V,
    a0 = a[0],
    a1 = a[1],
    a2 = a[2],
    a3 = a[3],
    a4 = a[4],
    a5 = a[5],
    a6 = a[6],
    a7 = a[7],
    a8 = a[8],
    a9 = a[9],
    a10 = a[10],
    b0 = b[0],
    b1 = b[1],
    b2 = b[2],
    b3 = b[3],
    b4 = b[4],
    b5 = b[5],
    b6 = b[6],
    b7 = b[7],
    b8 = b[8],
    b9 = b[9],
    b10 = b[10],
    q0 = 0,
    q1 = 0,
    q2 = 0,
    q3 = 0,
    q4 = 0,
    q5 = 0,
    q6 = 0,
    q7 = 0,
    q8 = 0,
    q9 = 0,
    q10 = 0,
    c: number,
    t: number;
  if (!d || !s) {
    d = b;
    s = 0;
  }
  t = a0 * b0;
  c = t + m - m;
  q0 = t - c;
  t = a0 * b1 + a1 * b0 + c * v;
  c = t + m - m;
  q1 = t - c;
  t = a0 * b2 + a1 * b1 + a2 * b0 + c * v;
  c = t + m - m;
  q2 = t - c;
  t = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + c * v;
  c = t + m - m;
  q3 = t - c;
  t = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + q0 + c * v;
  c = t + m - m;
  q4 = t - c;
  t = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + q1 + c * v;
  c = t + m - m;
  q5 = t - c;
  t = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + q2 + c * v;
  c = t + m - m;
  q6 = t - c;
  t = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + q3 + c * v;
  c = t + m - m;
  q7 = t - c;
  t = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + q4 + q0 + c * v;
  c = t + m - m;
  q8 = t - c;
  t = a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0 + q5 + q1 - 256 * q0 + c * v;
  c = t + m - m;
  q9 = t - c;
  t =
    a0 * b10 +
    a1 * b9 +
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    a9 * b1 +
    a10 * b0 +
    q6 +
    q2 -
    256 * q1 +
    65536 * q0 +
    c * v;
  c = t + m - m;
  q10 = t - c;
  t =
    a1 * b10 +
    a2 * b9 +
    a3 * b8 +
    a4 * b7 +
    a5 * b6 +
    a6 * b5 +
    a7 * b4 +
    a8 * b3 +
    a9 * b2 +
    a10 * b1 +
    q7 +
    q3 -
    256 * q2 +
    65536 * q1 +
    s * d[0] +
    c * v;
  c = t + m - m;
  o[0] = t - c;
  t =
    a2 * b10 +
    a3 * b9 +
    a4 * b8 +
    a5 * b7 +
    a6 * b6 +
    a7 * b5 +
    a8 * b4 +
    a9 * b3 +
    a10 * b2 +
    q8 +
    q4 -
    256 * q3 +
    65536 * q2 +
    s * d[1] +
    c * v;
  c = t + m - m;
  o[1] = t - c;
  t = a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3 + q9 + q5 - 256 * q4 + 65536 * q3 + s * d[2] + c * v;
  c = t + m - m;
  o[2] = t - c;
  t = a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4 + q10 + q6 - 256 * q5 + 65536 * q4 + s * d[3] + c * v;
  c = t + m - m;
  o[3] = t - c;
  t = a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + q7 - 256 * q6 + 65536 * q5 + s * d[4] + c * v;
  c = t + m - m;
  o[4] = t - c;
  t = a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + q8 - 256 * q7 + 65536 * q6 + s * d[5] + c * v;
  c = t + m - m;
  o[5] = t - c;
  t = a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + q9 - 256 * q8 + 65536 * q7 + s * d[6] + c * v;
  c = t + m - m;
  o[6] = t - c;
  t = a8 * b10 + a9 * b9 + a10 * b8 + q10 - 256 * q9 + 65536 * q8 + s * d[7] + c * v;
  c = t + m - m;
  o[7] = t - c;
  t = a9 * b10 + a10 * b9 - 256 * q10 + 65536 * q9 + s * d[8] + c * v;
  c = t + m - m;
  o[8] = t - c;
  t = a10 * b10 + 65536 * q10 + s * d[9] + c * v;
  c = t + m - m;
  o[9] = t - c;
  o[10] = c * v + s * d[10];
  return o;
}

/** o = s * a + t * b, limb by limb and without carry: the weights add up. o may be any of the arguments. */
export function lin(o: number[], a: number[], s: number, b: number[], t: number): number[] {
  var i: number;
  for (i = 0; i < 11; i++) o[i] = s * a[i] + t * b[i];
  return o;
}

/**
 * Whether a tight element is 0 modulo p. Its value is then k * p with k = -limb 0 (as p = -1 modulo 2^24), and the
 * limbs of k * p are below 2^24 apart from those of a: two such forms of one number are equal limb by limb. Needs
 * |value| < 2^14 p.
 */
export function isZero256(a: number[]): boolean {
  var i: number;
  // NaN is not 0.
  for (i = 0; i < 11; i++) if (a[i] + a[0] * P[i] !== 0) return false;
  return true;
}

/**
 * Whether a < b, as plain numbers; limbs need not be tight, only below 2^29: 32 bits are enough, and the shift rounds
 * down.
 */
export function less(a: number[], b: number[]): boolean {
  var c = 0;
  var i: number;
  for (i = 0; i < 11; i++) c = (a[i] - b[i] + c) >> 24;
  return c < 0;
}

/**
 * 32 big-endian bytes from offset `at` as a plain number: limbs 0 to 2^24 - 1 (weight 2). The caller has checked that
 * they are bytes.
 */
export function loadElement(b: Bytes, at: number): number[] {
  var o: number[] = [];
  var i: number;
  var j = at + 31;
  for (i = 0; i < 10; i++) {
    o[i] = b[j] + 256 * b[j - 1] + 65536 * b[j - 2];
    j -= 3;
  }
  o[10] = b[j] + 256 * b[j - 1];
  return o;
}
