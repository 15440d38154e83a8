// Numbers modulo p = 2^255 - 19 as 12 doubles, after the floating-point arithmetic of D. J. Bernstein, "Curve25519: new Diffie-Hellman
// speed records" (2006) §4: radix 2^21.25, limbs that carry their own weight, carries by rounding. No bit operation, no floor, no branch.
//
// The number is x0 + .. + x5 + 2^127 * (x6 + .. + x11). With the two halves on the same scale, a product needs three products of halves
// (Karatsuba). Weights: x0 .. x5 are multiples of 2^0, 2^22, 2^43, 2^64, 2^85, 2^107; x6 .. x11 of 2^1, 2^22, 2^43, 2^65, 2^86, 2^107.
// These are 2^ceil(21.25 i), over 2^127 from x6 on; as ceil(a) + ceil(b) >= ceil(a + b), a product of two limbs is a multiple of the
// weight of the column that it falls in, also where it comes round past 2^255 = 19 or past 2^254 = 19/2.
//
// Bounds. UNIT of limb i is its weight, w(i) its width in bits (22 for i = 0, 4, 8, else 21). `carry`, `mul`, `sqr` and `unpack` leave
//   |xi| <= 2^(w(i) - 1) * UNIT(i)          for all i but 1 and 7: half of the next weight, since a carry rounds to nearest
//   |xi| <= 2^(w(i) - 1) * UNIT(i) * (1 + 2^-10)   for i = 1, 7
// and this is called size 1. A sum or difference of numbers of sizes m and n has size m + n. `mul` takes sizes whose product is at
// most 16, `sqr` a size of at most 4. Proof: count a column in units of its weight; it is exact while below 2^53 (every partial sum is a
// multiple of the weight, and the sum of the absolute values is a bound for it). With sizes 1 and 1 the absolute values add up to 2^53 / B with
// B, for the columns 0 .. 11, of
//   16.4, 30.3, 28.2, 26.3, 25.8, 50.6,   49.6, 48.8, 59.4, 152, 210, 341
// and for the products of the sums of halves, with what is taken from them, B is at least 73. So B > 16 * (1 + 2^-10)^2 suffices everywhere;
// the test works the sizes out again from these lines and multiplies at the extremes. A carry adds and takes away 3 * 2^51 * V, V the next
// weight: that rounds to a multiple of V while the limb is below 2^51 * V, which is 2^20 times what a column can be. What goes round from x11 to x0
// is below 2^32 units, and from x5 to x6 as well, hence the last carry into x1 and x7 is below 2^-10 of half a unit of x2 and x8.

/** 2^(bits of limb i). */
function width(i: number): number {
  return i % 4 ? 2097152 : 4194304;
}

function weights(): number[] {
  var unit: number[] = [];
  var x = 1;
  var i: number;
  for (i = 0; i < 12; i++) {
    if (i === 6) {
      x = 2;
    }
    unit[i] = x;
    x *= width(i);
  }
  return unit;
}

var UNIT: number[] = /* @__PURE__ */ weights();

// 0 .. 11: 3 * 2^51 * the next weight. 12: 19 * 2^-128, from the upper half's 2^128 to the lower half. 13: 2^-127, from the lower half to
// the upper. 14: 19/2 = 2^254. Made by exact steps: a decimal fraction is not read exactly by every engine.
function constants(): number[] {
  var k: number[] = [];
  var x = 1;
  var i: number;
  for (i = 0; i < 12; i++) {
    k[i] = 3 * 33554432 * 67108864 * UNIT[i] * width(i);
  }
  for (i = 0; i < 127; i++) {
    x /= 2;
  }
  k[12] = (19 * x) / 2;
  k[13] = x;
  k[14] = 19 / 2;
  return k;
}

var CONSTANTS: number[] = /* @__PURE__ */ constants();

/** The number with these integers as limbs, each in units of its weight; without an argument, zero. */
export function element(integers?: number[]): number[] {
  var x: number[] = [];
  var i: number;
  for (i = 0; i < 12; i++) {
    x[i] = integers ? integers[i] * UNIT[i] : 0;
  }
  return x;
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

/** Brings r to size 1, from limbs below 2^40 units. */
export function carry(r: number[]): void {
  var k = CONSTANTS;
  var i: number;
  var j: number;
  var t: number;
  for (i = 0; i < 14; i++) {
    j = i % 12;
    t = r[j] + k[j] - k[j];
    r[j] -= t;
    r[(j + 1) % 12] += j % 6 < 5 ? t : t * k[j < 6 ? 13 : 12];
  }
}

/** r = a * b, size 1; the product of the sizes of a and b at most 16. r may be a or b. */
export function mul(r: number[], a: number[], b: number[]): void {
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
  var c0 = b[0];
  var c1 = b[1];
  var c2 = b[2];
  var c3 = b[3];
  var c4 = b[4];
  var c5 = b[5];
  var d0 = b[6];
  var d1 = b[7];
  var d2 = b[8];
  var d3 = b[9];
  var d4 = b[10];
  var d5 = b[11];
  var k = CONSTANTS;
  var m0 = k[0];
  var m1 = k[1];
  var m2 = k[2];
  var m3 = k[3];
  var m4 = k[4];
  var m5 = k[5];
  var m6 = k[8];
  var m7 = k[9];
  var f = k[12];
  var g = k[13];
  var h = k[14];
  var r0: number;
  var r1: number;
  var r2: number;
  var r3: number;
  var r4: number;
  var r5: number;
  var r6: number;
  var r7: number;
  var r8: number;
  var r9: number;
  var r10: number;
  var r11: number;
  var t: number;
  var p0 = a0 * c0;
  var p1 = a0 * c1 + a1 * c0;
  var p2 = a0 * c2 + a1 * c1 + a2 * c0;
  var p3 = a0 * c3 + a1 * c2 + a2 * c1 + a3 * c0;
  var p4 = a0 * c4 + a1 * c3 + a2 * c2 + a3 * c1 + a4 * c0;
  var p5 = a0 * c5 + a1 * c4 + a2 * c3 + a3 * c2 + a4 * c1 + a5 * c0;
  var p6 = a1 * c5 + a2 * c4 + a3 * c3 + a4 * c2 + a5 * c1;
  var p7 = a2 * c5 + a3 * c4 + a4 * c3 + a5 * c2;
  var p8 = a3 * c5 + a4 * c4 + a5 * c3;
  var p9 = a4 * c5 + a5 * c4;
  var p10 = a5 * c5;
  var q0 = b0 * d0;
  var q1 = b0 * d1 + b1 * d0;
  var q2 = b0 * d2 + b1 * d1 + b2 * d0;
  var q3 = b0 * d3 + b1 * d2 + b2 * d1 + b3 * d0;
  var q4 = b0 * d4 + b1 * d3 + b2 * d2 + b3 * d1 + b4 * d0;
  var q5 = b0 * d5 + b1 * d4 + b2 * d3 + b3 * d2 + b4 * d1 + b5 * d0;
  var q6 = b1 * d5 + b2 * d4 + b3 * d3 + b4 * d2 + b5 * d1;
  var q7 = b2 * d5 + b3 * d4 + b4 * d3 + b5 * d2;
  var q8 = b3 * d5 + b4 * d4 + b5 * d3;
  var q9 = b4 * d5 + b5 * d4;
  var q10 = b5 * d5;
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
  r0 = p0 + h * q0 + f * (a1 * c5 + a2 * c4 + a3 * c3 + a4 * c2 + a5 * c1 - p6 - q6);
  r1 = p1 + h * q1 + f * (a2 * c5 + a3 * c4 + a4 * c3 + a5 * c2 - p7 - q7);
  r2 = p2 + h * q2 + f * (a3 * c5 + a4 * c4 + a5 * c3 - p8 - q8);
  r3 = p3 + h * q3 + f * (a4 * c5 + a5 * c4 - p9 - q9);
  r4 = p4 + h * q4 + f * (a5 * c5 - p10 - q10);
  r5 = p5 + h * q5;
  r6 = a0 * c0 - p0 - q0 + g * (p6 + h * q6);
  r7 = a0 * c1 + a1 * c0 - p1 - q1 + g * (p7 + h * q7);
  r8 = a0 * c2 + a1 * c1 + a2 * c0 - p2 - q2 + g * (p8 + h * q8);
  r9 = a0 * c3 + a1 * c2 + a2 * c1 + a3 * c0 - p3 - q3 + g * (p9 + h * q9);
  r10 = a0 * c4 + a1 * c3 + a2 * c2 + a3 * c1 + a4 * c0 - p4 - q4 + g * (p10 + h * q10);
  r11 = a0 * c5 + a1 * c4 + a2 * c3 + a3 * c2 + a4 * c1 + a5 * c0 - p5 - q5;
  t = r0 + m0 - m0;
  r0 -= t;
  r1 += t;
  t = r6 + m0 - m0;
  r6 -= t;
  r7 += t;
  t = r1 + m1 - m1;
  r1 -= t;
  r2 += t;
  t = r7 + m1 - m1;
  r7 -= t;
  r8 += t;
  t = r2 + m2 - m2;
  r2 -= t;
  r3 += t;
  t = r8 + m6 - m6;
  r8 -= t;
  r9 += t;
  t = r3 + m3 - m3;
  r3 -= t;
  r4 += t;
  t = r9 + m7 - m7;
  r9 -= t;
  r10 += t;
  t = r4 + m4 - m4;
  r4 -= t;
  r5 += t;
  t = r10 + m4 - m4;
  r10 -= t;
  r11 += t;
  t = r5 + m5 - m5;
  r5 -= t;
  r6 += t * g;
  t = r11 + m5 - m5;
  r11 -= t;
  r0 += t * f;
  t = r0 + m0 - m0;
  r[0] = r0 - t;
  r[1] = r1 + t;
  t = r6 + m0 - m0;
  r[6] = r6 - t;
  r[7] = r7 + t;
  r[2] = r2;
  r[3] = r3;
  r[4] = r4;
  r[5] = r5;
  r[8] = r8;
  r[9] = r9;
  r[10] = r10;
  r[11] = r11;
}

/** r = a * a, size 1; the size of a at most 4. r may be a. */
export function sqr(r: number[], a: number[]): void {
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
  var k = CONSTANTS;
  var m0 = k[0];
  var m1 = k[1];
  var m2 = k[2];
  var m3 = k[3];
  var m4 = k[4];
  var m5 = k[5];
  var m6 = k[8];
  var m7 = k[9];
  var f = k[12];
  var g = k[13];
  var h = k[14];
  var r0: number;
  var r1: number;
  var r2: number;
  var r3: number;
  var r4: number;
  var r5: number;
  var r6: number;
  var r7: number;
  var r8: number;
  var r9: number;
  var r10: number;
  var r11: number;
  var t: number;
  var c0 = 2 * a0;
  var c1 = 2 * a1;
  var c2 = 2 * a2;
  var c3 = 2 * a3;
  var c4 = 2 * a4;
  var c5 = 2 * a5;
  var d0 = h * b0;
  var d1 = h * b1;
  var d2 = h * b2;
  var d3 = h * b3;
  var d4 = h * b4;
  var d5 = h * b5;
  var e0 = 2 * d0;
  var e1 = 2 * d1;
  var e2 = 2 * d2;
  var e3 = 2 * d3;
  var e4 = 2 * d4;
  r0 = a0 * a0 + d0 * b0 + f * (c1 * b5 + c2 * b4 + c3 * b3 + c4 * b2 + c5 * b1);
  r1 = c0 * a1 + e0 * b1 + f * (c2 * b5 + c3 * b4 + c4 * b3 + c5 * b2);
  r2 = c0 * a2 + a1 * a1 + e0 * b2 + d1 * b1 + f * (c3 * b5 + c4 * b4 + c5 * b3);
  r3 = c0 * a3 + c1 * a2 + e0 * b3 + e1 * b2 + f * (c4 * b5 + c5 * b4);
  r4 = c0 * a4 + c1 * a3 + a2 * a2 + e0 * b4 + e1 * b3 + d2 * b2 + f * (c5 * b5);
  r5 = c0 * a5 + c1 * a4 + c2 * a3 + e0 * b5 + e1 * b4 + e2 * b3;
  r6 = c0 * b0 + g * (c1 * a5 + c2 * a4 + a3 * a3 + e1 * b5 + e2 * b4 + d3 * b3);
  r7 = c0 * b1 + c1 * b0 + g * (c2 * a5 + c3 * a4 + e2 * b5 + e3 * b4);
  r8 = c0 * b2 + c1 * b1 + c2 * b0 + g * (c3 * a5 + a4 * a4 + e3 * b5 + d4 * b4);
  r9 = c0 * b3 + c1 * b2 + c2 * b1 + c3 * b0 + g * (c4 * a5 + e4 * b5);
  r10 = c0 * b4 + c1 * b3 + c2 * b2 + c3 * b1 + c4 * b0 + g * (a5 * a5 + d5 * b5);
  r11 = c0 * b5 + c1 * b4 + c2 * b3 + c3 * b2 + c4 * b1 + c5 * b0;
  t = r0 + m0 - m0;
  r0 -= t;
  r1 += t;
  t = r6 + m0 - m0;
  r6 -= t;
  r7 += t;
  t = r1 + m1 - m1;
  r1 -= t;
  r2 += t;
  t = r7 + m1 - m1;
  r7 -= t;
  r8 += t;
  t = r2 + m2 - m2;
  r2 -= t;
  r3 += t;
  t = r8 + m6 - m6;
  r8 -= t;
  r9 += t;
  t = r3 + m3 - m3;
  r3 -= t;
  r4 += t;
  t = r9 + m7 - m7;
  r9 -= t;
  r10 += t;
  t = r4 + m4 - m4;
  r4 -= t;
  r5 += t;
  t = r10 + m4 - m4;
  r10 -= t;
  r11 += t;
  t = r5 + m5 - m5;
  r5 -= t;
  r6 += t * g;
  t = r11 + m5 - m5;
  r11 -= t;
  r0 += t * f;
  t = r0 + m0 - m0;
  r[0] = r0 - t;
  r[1] = r1 + t;
  t = r6 + m0 - m0;
  r[6] = r6 - t;
  r[7] = r7 + t;
  r[2] = r2;
  r[3] = r3;
  r[4] = r4;
  r[5] = r5;
  r[8] = r8;
  r[9] = r9;
  r[10] = r10;
  r[11] = r11;
}

/**
 * The number in 32 octets, least significant first; the top bit is left out (RFC 8032 §5.1.3). Size 1. A number of p or more is taken
 * modulo p: whoever has to refuse it compares with `pack`.
 */
export function unpack(r: number[], bytes: ArrayLike<number>): void {
  var x = 1;
  var j = 0;
  var i: number;
  for (i = 0; i < 12; i++) {
    r[i] = 0;
  }
  for (i = 0; i < 32; i++) {
    if (i === 16) {
      x = 2;
      j = 6;
    }
    while (j % 6 < 5 && UNIT[j + 1] <= x) {
      j++;
    }
    // Below 2^(22 + 8) units, and exact: the octets overlap in 8 bits at most.
    r[j] += (i === 31 ? bytes[i] & 127 : bytes[i]) * x;
    x *= 256;
  }
  carry(r);
}

/** The number as its 32 octets, least significant first, below p. Brings a to size 1. */
export function pack(a: number[]): number[] {
  var n: number[] = [];
  var out: number[] = [];
  var t = 0;
  var bits = 0;
  var i: number;
  carry(a);
  // |a| < 2^254 * (1 + 2^-9) < p. A negative number leaves -1 above the top, is then 2^255 too large, and 19 less of that is a + p.
  for (i = 0; i < 24; i++) {
    if (i < 12) {
      n[i] = a[i] / UNIT[i];
    } else if (i === 12) {
      t *= 19;
    }
    t += n[i % 12];
    n[i % 12] = t - Math.floor(t / width(i)) * width(i);
    t = Math.floor(t / width(i));
  }
  // t is below 2^(22 + 7): 32-bit operations are enough.
  t = 0;
  for (i = 0; i < 12; i++) {
    t += n[i] << bits;
    for (bits += i % 4 ? 21 : 22; bits > 7; bits -= 8) {
      out.push(t & 255);
      t >>= 8;
    }
  }
  out.push(t);
  return out;
}

/** Whether the number is 0 modulo p. Brings a to size 1. */
export function zero(a: number[]): boolean {
  var bytes = pack(a);
  var sum = 0;
  var i: number;
  for (i = 0; i < 32; i++) {
    sum += bytes[i];
  }
  return !sum;
}

/** r = a^(2^252 - 3), for size 4 at most: the exponentiation of RFC 8032 §5.1.3 step 2, and all but the end of an inversion. */
export function power(r: number[], a: number[]): void {
  // x = a^(2^n - 1); each step doubles n, or adds an n met before.
  var steps = [1, 2, 1, 5, 10, 20, 10, 50, 100, 50];
  var met: number[][] = [];
  var x = a;
  var n = 1;
  var i: number;
  var j: number;
  var y: number[];
  for (i = 0; i < 10; i++) {
    met[n] = x;
    y = element();
    sqr(y, x);
    for (j = 1; j < steps[i]; j++) {
      sqr(y, y);
    }
    mul(y, y, met[steps[i]]);
    x = y;
    n += steps[i];
  }
  sqr(x, x);
  sqr(x, x);
  mul(r, x, a);
}
