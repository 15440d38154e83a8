// Division modulo an odd 256-bit number, by the division steps of Bernstein and Yang ("Fast constant-time gcd computation and modular
// inversion", 2019), in the form that starts at delta = 1/2. Nothing is secret here, so the loop ends as soon as it can.
//
// Numbers are those of field256.ts: 11 signed limbs of 24 bits. 24 steps at a time look at the low limbs of f and g alone and are gathered in
// a matrix of small integers, which is then applied to the whole numbers: one pass over f and g, one over each pair of coefficients.

import { M, V } from "./field256.js";

/**
 * (u a + v b + q m) / 2^24, tight, with the q in -2^23..2^23 that makes it an integer; `inv` is -1/m modulo 2^24, or 0 where u a + v b is
 * known to divide. With |u| + |v| <= 2^24 and limbs up to 2^24: |u a + v b| <= 2^48, |q * inv| and |q m| <= 2^47, carry <= 2^26: exact.
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
 * Each of `xs` divided by `g` modulo `m`, tight, within -17 m to 17 m. `m` odd and prime, `g` not a multiple of it; `inv` is -1/m modulo 2^24.
 *
 * Held throughout: d * g0 = f * x and e * g0 = g * x modulo m (g0 the `g` given), until g = 0 and f = 1 or -1. Steps needed: at most 590 for
 * 0 < g < m < 2^256; the 32 rounds of 24 leave room for a g that is negative or a little above m, and are a bound for any input whatever.
 * |f| and |g| never grow. |d| and |e| grow by m / 2 a round at most, as |u| + |v| <= 2^24 and |q| <= 2^23: hence 17 m.
 */
export function ratio(g: number[], xs: number[][], m: number[], inv: number): number[][] {
  var f = m;
  var d: number[][] = [];
  var e: number[][] = [];
  var delta = 0;
  var n: number;
  var i: number;
  var f0: number;
  var g0: number;
  var u: number;
  var v: number;
  var q: number;
  var r: number;
  var t: number;
  var s: number[];
  for (i = 0; i < xs.length; i++) {
    d[i] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    e[i] = xs[i];
  }
  for (n = 0; n < 32; n++) {
    // Limbs are at most 2^24 in magnitude and f0, g0 never exceed the larger of both: 32 bits are enough. Of the low limbs, bit j is
    // right in step j, and no step looks further.
    f0 = f[0];
    g0 = g[0];
    u = r = 1;
    v = q = 0;
    for (i = 0; i < 24; i++) {
      if (g0 & 1) {
        if (delta >= 0) {
          delta = -delta - 1;
          t = f0;
          f0 = g0;
          g0 = -t;
          t = u;
          u = q;
          q = -t;
          t = v;
          v = r;
          r = -t;
        }
        g0 += f0;
        q += u;
        r += v;
      }
      delta++;
      g0 >>= 1;
      u += u;
      v += v;
    }
    s = row(f, g, u, v, m, 0);
    g = row(f, g, q, r, m, 0);
    f = s;
    for (i = 0; i < xs.length; i++) {
      s = row(d[i], e[i], u, v, m, inv);
      e[i] = row(d[i], e[i], q, r, m, inv);
      d[i] = s;
    }
    t = 0;
    for (i = 0; i < 11; i++) t |= g[i];
    if (!t) break;
  }
  // f is 1 or -1, and a tight form of it has all in limb 0.
  for (i = 0; i < xs.length; i++) for (n = 0; n < 11; n++) d[i][n] *= f[0];
  return d;
}
