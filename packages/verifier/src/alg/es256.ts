// ECDSA over P-256 with SHA-256: FIPS 186-5 §6.4.2, SEC 1 §4.1.4; in COSE ES256 (RFC 9053 §2.1) and ESP256 (RFC 9864
// §2.1).
//
// u1 G + u2 Q goes through one chain of doublings (Straus) with signed windows of 4 bits over tables of the affine
// points G, 3 G, 5 G, 7 G and Q, 3 Q, 5 Q, 7 Q. A point is [X, W, Z] with x = X / Z^2 and 2 y = W / Z^3: holding 2 y
// instead of y saves the halvings and most of the small factors of Jacobian doubling. Z = 0 is the point at infinity.
//
// Sizes, in multiples of p, which the bounds of field256.ts rest upon. On entry and on exit of dbl and add: |X|, |W| <
// 3, |Z| < 1, tight.

import { copied, newBytes, rawKey } from "../base/bytes.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";
import { digestOf } from "../hash/digest.js";
import { ALG_ES256, ALG_ESP256 } from "../spec/cose.js";
import { isZero256, less, lin, loadElement, mul256, ONE, P, RR } from "./field256.js";
import { ratio } from "./ratio256.js";

/**
 * 11 tight limbs out of 44 characters, 6 bits each, most significant first, 2^23 more than the limb: half the text of
 * their numbers.
 */
function limbs(text: string): number[] {
  var o: number[] = [];
  var i: number;
  var c: number;
  for (i = 0; i < 44; i++) {
    c = text.charCodeAt(i);
    o[i >> 2] = i & 3 ? 64 * o[i >> 2] + c - 48 : c - 80;
  }
  return o;
}

/** The order of G (SP 800-186 §3.2.1.3), plain, and -1/N modulo 2^24. */
var N = /* @__PURE__ */ limbs("hbEAB\\;l1?>j9aNOI_Z^OonmP000P000P001Ool0P@00");
var N_INV = 0xbc4f;

/** The coefficient b of the curve, and G as a point of those below: in Montgomery's form. */
var CURVE_B = /* @__PURE__ */ limbs("?MoLhRW5F9cO132AQLbMEZc`Mb4_8R2\\b3@:WN27P306");
var GX = /* @__PURE__ */ limbs("U3`HE1RYnNLaKKH15Oa8T7Fkmf8UNg<[eLIRm[dgP91O");
var GW = /* @__PURE__ */ limbs(";1D:;id[>nBW\\lRjlLQZbaJE>T?VD@dB>`ZL\\EDAP>?n");

// Scratch elements: written before they are read in each function, so nothing outlives a call.
var A: number[] = [];
var B: number[] = [];
var C: number[] = [];
var D: number[] = [];

/**
 * p = 2 p. With a = 3 (X - Z^2) (X + Z^2) and b = X W^2: X' = a^2 - 2 b, W' = 2 a (b - X') - W^4, Z' = W Z.
 * Weights: 3 (X - Z^2) has 6 and X + Z^2 has 2, the 12 that mul allows; 2 (b - X') has 4. Sizes: X' < 1.6, W' < 1.1, Z'
 * < 0.6. Infinity stays: Z' = W * 0. No point of the curve has y = 0, as the order is odd.
 */
function dbl(p: number[][]): void {
  var x = p[0];
  var w = p[1];
  var z = p[2];
  mul256(A, z, z);
  mul256(C, x, mul256(B, w, w));
  mul256(z, w, z);
  lin(D, x, 3, A, -3);
  mul256(A, lin(A, x, 1, A, 1), D);
  mul256(x, A, A, C, -2);
  mul256(w, A, lin(C, C, 2, x, -2), mul256(B, B, B), -1);
}

/**
 * p = p + s q for an affine q = [x, w], tight and below 2, and s = 1 or -1.
 * With h = x Z^2 - X, r = s w Z^3 - W, j = 4 h^3 and v = 4 X h^2: X' = r^2 - j - 2 v, W' = 2 r (v - X') - 2 W j, Z' = 2
 * h Z. A holds s r, so that the sign costs two numbers only. Weights: 2 h has 2, j + 2 v has 3, 2 (v - X') has 4.
 * Sizes: h and r < 3.6, X' < 2.2, W' < 1.7, Z' < 0.6.
 */
function add(p: number[][], q: number[][], s: number): void {
  var x = p[0];
  var w = p[1];
  var z = p[2];
  if (isZero256(z)) {
    lin(x, q[0], 1, ONE, 0);
    lin(w, q[1], s, ONE, 0);
    lin(z, ONE, 1, ONE, 0);
    return;
  }
  mul256(B, q[0], mul256(A, z, z), x, -1);
  mul256(A, mul256(A, A, z), q[1], w, -s);
  if (isZero256(B)) {
    // Equal x: the formulas above do not hold. An attacker who knows the private key can cause both cases.
    if (isZero256(A)) dbl(p);
    else lin(z, z, 0, z, 0);
    return;
  }
  mul256(z, z, lin(C, B, 2, B, 0));
  mul256(B, B, mul256(D, C, C));
  mul256(C, x, D);
  mul256(D, w, B);
  mul256(x, A, A, lin(B, B, 1, C, 2), -1);
  mul256(w, A, lin(C, C, 2 * s, x, -2 * s), D, -2);
}

function copy(p: number[][]): number[][] {
  return [p[0].concat(), p[1].concat(), p[2].concat()];
}

/**
 * The affine points q, 3 q, 5 q, 7 q of each q of `points`, one after the other.
 * With 2 q = [X, W, Z], (x, y) -> (x Z^2, y Z^3) maps to another curve, on which 2 q is the affine (X, W) and q is (x
 * Z^2, w Z^3). add does not know the coefficients of the curve, so it adds there, and a Z found there, times that of 2
 * q, is the one on ours. Then all are made affine by one division (Montgomery's trick): f[i] is the product of the i
 * first Z, r the inverse of it. As the order is a prime, no odd multiple of q below 8 equals 2 q or -2 q.
 */
function table(points: number[][][]): number[][][] {
  var t: number[][][] = [];
  var f: number[][] = [ONE];
  var n = 0;
  var d: number[][];
  var c: number[][];
  var r: number[];
  var z: number[];
  var i: number;
  var j: number;
  for (i = 0; i < points.length; i++) {
    c = copy(points[i]);
    d = copy(c);
    dbl(d);
    z = d[2];
    mul256(c[0], c[0], mul256(A, z, z));
    mul256(c[1], c[1], mul256(A, A, z));
    for (j = 0; j < 4; j++) {
      if (j) add(c, d, 1);
      t[n] = copy(c);
      f[n + 1] = mul256([], f[n], mul256(t[n][2], c[2], z));
      n++;
    }
  }
  d = ratio([f[n], RR], P, 1);
  r = d[1];
  lin(r, r, d[0][0], r, 0);
  for (i = n - 1; i >= 0; i--) {
    c = t[i];
    mul256(A, r, f[i]);
    mul256(r, r, c.pop() as number[]);
    mul256(c[0], c[0], mul256(B, A, A));
    mul256(c[1], c[1], mul256(A, A, B));
  }
  return t;
}

/**
 * s u, for u within 18 N of 0 and s = 1 or -1, as digits: index i holds a multiple of 2^i, odd and within -7..7 modulo
 * 16, or 0. u is used up. First k N is taken off, with k the integer next to u / 2^256: what is left is below 2^255 +
 * 18 * 2^224 in magnitude. Non-zero digits are 4 apart, so all below a digit at i come to less than 7/15 * 2^i, and one
 * at 256 would need 2^255 * 16/15: the highest index is 255. Then the limbs are made 264 bits of two's complement, 24
 * each: |u[i]| <= 2^23 and |k| <= 18, so |t| < 2^28, and 32 bits are enough for bit operations. Of a window of 4 bits
 * across two limbs only the low bits of the second are needed. A carry that is left at the end meets the sign bits of a
 * negative number, which it cancels.
 */
function digits(u: number[], s: number): number[] {
  var o = newBytes(259);
  var k = (u[10] + 32768) >> 16;
  var c = 0;
  var i: number;
  var j: number;
  var t: number;
  for (i = 0; i < 11; i++) {
    t = s * (u[i] - k * N[i]) + c;
    c = t >> 24;
    u[i] = t & 16777215;
  }
  c = 0;
  i = 0;
  while (i < 256) {
    k = (i / 24) | 0;
    j = i % 24;
    t = (((u[k] >> j) | (u[k + 1] << (24 - j))) & 15) + c;
    // Odd: not both the carry and bit i are set, so t is below 2^4.
    o[i++] = t & 1 ? t : 0;
    if (t & 1) {
      c = t >> 3;
      // not every engine has arrays with holes
      o[i++] = 0;
      o[i++] = 0;
      o[i++] = 0;
    }
  }
  return o;
}

/**
 * The point of a key, or false where it cannot be used: 65 bytes, 4 || x || y (SEC 1 §2.3.3, uncompressed), x and y
 * below p, y^2 = x^3 - 3 x + b, as W^2 = 4 (x^3 - 3 x + b). Weights: 2 y has 4, RR less than 1; b - 3 x has 4.
 */
function decode(key: Bytes): number[][] | false {
  var own = copied(key, 65);
  var x: number[];
  var y: number[];
  if (!own || own[0] !== 4) return false;
  x = loadElement(own, 1);
  y = loadElement(own, 33);
  if (!less(x, P) || !less(y, P)) return false;
  mul256(x, x, RR);
  mul256(y, lin(y, y, 2, y, 0), RR);
  mul256(A, mul256(A, x, x), x, lin(C, CURVE_B, 1, x, -3), 1);
  return isZero256(mul256(A, y, y, A, -4)) && [x, y, ONE];
}

function valid(key: Bytes): boolean {
  return !!decode(key);
}

/**
 * ECDSA with SHA-256. Signature: 64 bytes, r || s, big-endian (RFC 9053 §2.1), both in 1..n-1; s above n / 2 is
 * accepted. False on anything else, and never throws.
 */
function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = rawKey(key);
  var h = host && host.sha256;
  var own = copied(signature, 64);
  var q = decode(raw);
  var e: Bytes | null | false;
  var p: number[][];
  var r: number[];
  var s: number[];
  var u: number[][];
  var t: number[][][];
  var i: number;
  var j: number;
  var k: number;
  if (!own || !q || !message) return false;
  r = loadElement(own, 0);
  s = loadElement(own, 32);
  if (isZero256(r) || isZero256(s) || !less(r, N) || !less(s, N)) return false;
  e = copied(h && h.once ? h.once(message) : digestOf(message, host || {}), 32);
  // The host's hash is not SHA-256.
  if (!e) return false;
  // The digest e is not yet modulo n: ratio takes any number of 256 bits.
  u = ratio([s, loadElement(e, 0), r], N, N_INV);
  u = [digits(u[1], u[0][0]), digits(u[2], u[0][0])];
  t = table([[GX, GW, ONE], q]);
  // Any point, with Z = 0.
  p = copy(q);
  p[2] = lin([], ONE, 0, ONE, 0);
  // Digits are below 2^4, those from 8 on negative.
  for (i = 255; i >= 0; i--) {
    dbl(p);
    for (j = 0; j < 2; j++) {
      if ((k = u[j][i])) add(p, t[4 * j + ((k < 8 ? k : 16 - k) >> 1)], k < 8 ? 1 : -1);
    }
  }
  // Infinity: refused (SEC 1 §4.1.4 step 5). Else x = X / Z^2 must be r, or r + n if that is below p: the numbers that
  // are r modulo n. Compared as r Z^2 = X, which saves a division.
  if (isZero256(p[2])) return false;
  mul256(D, p[2], p[2]);
  for (j = 0; j < 2; j++) {
    if (less(r, P) && isZero256(mul256(A, mul256(A, r, RR), D, p[0], -1))) return true;
    lin(r, r, 1, N, 1);
  }
  return false;
}

/**
 * ECDSA with P-256 and SHA-256 (FIPS 186-5 §6.4.2, SP 800-186 §3.2.1.3). Key: 65 bytes, 04 ‖ x ‖ y (SEC 1 §2.3.3).
 * Signature: 64 bytes, r ‖ s, each big-endian (RFC 9053 §2.1). `valid` returns whether the key is a point of the curve.
 * COSE algorithms -7 (ES256, RFC 9053 §2.1) and -9 (ESP256, RFC 9864 §2.1).
 */
export var es256: Alg = { ids: [ALG_ES256, ALG_ESP256], valid: valid, verify: verify };
