// Division modulo an odd 256-bit number, by the division steps of Bernstein and Yang ("Fast constant-time gcd
// computation and modular inversion", 2019), in the form that starts at delta = 1/2. Nothing is secret here, so the
// loop ends as soon as it can.
//
// Numbers are those of field256.ts: 11 signed limbs of 24 bits. 24 steps at a time look at the low limbs of f and g
// alone and are gathered in a matrix of small integers, which is then applied to the whole numbers: one pass over f and
// g, one over each pair of coefficients.

import { isZero256, M, V } from "./field256.js";

/**
 * (u a + v b + q m) / 2^24, tight, with the q in -2^23..2^23 that makes it an integer; `inv` is -1/m modulo 2^24, or 0
 * where u a + v b is known to divide. With |u| + |v| <= 2^24 and limbs up to 2^24: |u a + v b| <= 2^48, |q * inv| and
 * |q m| <= 2^47, carry <= 2^26: exact.
 */
function row(a: number[], b: number[], u: number, v: number, m: number[], inv: number): number[] {
  var o: number[] = [];
  var t = u * a[0] + v * b[0];
  var q = (t - (t + M - M)) * inv;
  var c: number;
  var i: number;
  q -= q + M - M;
  c = (t + q * m[0]) * V;
  for (i = 1; i < 11; i++) {
    t = c + u * a[i] + v * b[i] + q * m[i];
    c = t + M - M;
    o[i - 1] = t - c;
    c *= V;
  }
  o[10] = c;
  return o;
}

/**
 * Divides modulo `m`: e = [g, x, y …] gives [f, x / g, y / g …], each quotient times f, which is 1 or -1 in limb 0;
 * tight, within -18 m to 18 m. `m` an odd prime, `g` not a multiple of it and within -m to m, `inv` is -1/m modulo
 * 2^24. The array `e` is used up.
 *
 * Row 0 of d and e holds f and g themselves, the others coefficients with d g0 = f x and e g0 = g x modulo m (g0 the
 * `g` given), until g = 0 and so f = 1 or -1. They start at d = m, which is 0 modulo m. Steps needed: at most 590 for 0
 * < g < m < 2^256; the 32 rounds of 24 leave room for a negative g, and bound the work for any input whatever.
 * |f| and |g| never grow. |d| and |e| grow by m / 2 a round at most, as |u| + |v| <= 2^24 and |q| <= 2^23: hence 18 m.
 */
export function ratio(e: number[][], m: number[], inv: number): number[][] {
  var d: number[][] = [];
  var delta = 0;
  var n: number;
  var i: number;
  var f: number;
  var g: number;
  var u: number;
  var v: number;
  var q: number;
  var r: number;
  var t: number;
  var s: number[];
  // a copy: the caller may write to the result
  for (i = 0; i < e.length; i++) d[i] = m.concat();
  // |g| < m from the first step on, so that 0 is the only multiple of p it can be.
  for (n = 0; n < 32 && !isZero256(e[0]); n++) {
    // Limbs are at most 2^24 in magnitude and neither f nor g ever exceeds the larger of both: 32 bits are enough. Of
    // the low limbs, bit j is right in step j, and no step looks further.
    f = d[0][0];
    g = e[0][0];
    u = r = 1;
    v = q = 0;
    for (i = 0; i < 24; i++) {
      if (g & 1) {
        if (delta >= 0) {
          delta = -delta - 1;
          t = f;
          f = g;
          g = -t;
          t = u;
          u = q;
          q = -t;
          t = v;
          v = r;
          r = -t;
        }
        g += f;
        q += u;
        r += v;
      }
      delta++;
      g >>= 1;
      u += u;
      v += v;
    }
    for (i = 0; i < e.length; i++) {
      s = row(d[i], e[i], u, v, m, i ? inv : 0);
      e[i] = row(d[i], e[i], q, r, m, i ? inv : 0);
      d[i] = s;
    }
  }
  return d;
}
