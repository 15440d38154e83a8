// Points of edwards25519 for ed25519.ts: strict decoding, doubling, addition, and whether a sum of multiples is 0.

import { HAS_PREPARED, HAS_TABLES } from "../base/features.js";
import type { Bytes } from "../base/types.js";
import { floor } from "../hash/constants.js";
import { add, copy, element, isZero25519, mul25519, parity, power, readElement, sub, unpack } from "./field25519.js";

/**
 * As `read` takes them, 42 characters each: 2 d, d = -121665/121666 (RFC 8032 §5.1); 2^((p - 1) / 4), a square root of
 * -1 (§5.1.3); x and y of the base point B; x and y of [2^128]B.
 */
export var NUMBERS =
  "Mv'vH{&2+C7+,O.?si%%Q68Dg#Oo.,977$/8r5qjIz" +
  "I3xI1&v?2oF{v2;s2;P9=38{CnrJ2/4Nuo{:sq-|l1" +
  "sQp6~Mk43zLL0yJ=+g0D>{g;L91kMx(-}sQ7+B|sxH" +
  "|A*An3*5%hH<,kIO5P{$?|A*An3%<w2wJ)7'7Pp|0M" +
  "+AumoI16r(&6wnnGltpMK;1wyi7I;yP..N4|5r;'El" +
  "q~+iltw36=))#?l;nrz8h#*{PG@vLl&Iusg%<$QiNN";

/** x, y of a point, and of a multiple of it. */
export type Point = number[][];

/**
 * Whether 32 bytes, without the top bit, encode a number below p = 2^255 - 19. All bytes of p except the lowest are
 * 0xff.
 */
export function canonical(bytes: Bytes): boolean {
  var i = 30;
  while (i && bytes[i] > 254) {
    i--;
  }
  return i > 0 || bytes[0] < 237 || (bytes[31] & 127) < 127;
}

/**
 * Decodes a point from 32 bytes (RFC 8032 §5.1.3). Strict: y < p, on the curve, not of small order. This also excludes
 * x = 0 with the sign bit set. Returns undefined otherwise.
 */
export function decode(bytes: Bytes): Point | undefined {
  var x = element(0);
  var y = unpack(bytes);
  var u = element(0);
  var v = element(0);
  var w = element(0);
  // x^2 = u / v with u = 2 y^2 - 2, v = 2 d y^2 + 2; x = u (uv)^((p - 5) / 8): then v x^2 = u (uv)^((p - 1) / 4), which
  // is u or -u where uv is a square, and else none of the two. v is never 0. Sizes 3 and 2, with the 2 added.
  mul25519(u, y);
  mul25519(v, u, readElement(NUMBERS, 0));
  v[0] += 2;
  // The order is 1 or 2 where x = 0, so u = 0; 4 where y = 0; 8 where x^2 + y^2 = 0, for then the double has y = 0: u +
  // v y^2 = 0. Size 4.
  mul25519(w, u, v);
  add(u, u, u);
  u[0] -= 2;
  add(w, w, u);
  mul25519(w, w, u);
  mul25519(w, w, y);
  if (!canonical(bytes) || isZero25519(w)) {
    return undefined;
  }
  mul25519(w, u, v);
  power(w, w);
  mul25519(x, w, u);
  mul25519(w, x);
  mul25519(w, w, v);
  sub(v, w, u);
  if (!isZero25519(v)) {
    add(v, w, u);
    if (!isZero25519(v)) {
      return undefined;
    }
    mul25519(x, x, readElement(NUMBERS, 42));
  }
  // an octet, below 2^8
  if (parity(x) !== bytes[31] >> 7) {
    sub(x, element(0), x);
  }
  return [x, y];
}

// A point in computation is [X, Y, Z, E, H, F, G] with x = X/Z, y = Y/Z: extended coordinates on -x^2 + y^2 = 1 + d x^2
// y^2 (RFC 8032 §5.1.4). T = XY/Z = E H is computed where it is needed; F and G are scratch space. Every operation ends
// with (E F : G H : F G).

/** The last step of every operation. */
function finish(p: Point): void {
  mul25519(p[0], p[3], p[5]);
  mul25519(p[1], p[6], p[4]);
  mul25519(p[2], p[5], p[6]);
}

/**
 * p = 2p. F and H have the opposite sign to RFC 8032 §5.1.4, which gives the same point. 3 squarings, 4
 * multiplications.
 */
function twice(p: Point): void {
  var e = p[3];
  var f = p[5];
  var g = p[6];
  var h = p[4];
  var i: number;
  var a: number;
  var b: number;
  mul25519(e, p[0], p[1]);
  mul25519(f, p[2]);
  mul25519(g, p[0]);
  mul25519(h, p[1]);
  // Sizes: E 2, F 4, G 2, H 2; the largest products are E F and F G with 8.
  for (i = 0; i < 12; i++) {
    a = h[i];
    b = g[i];
    h[i] = a + b;
    a -= b;
    g[i] = a;
    b = f[i];
    f[i] = b + b - a;
    e[i] *= 2;
  }
  finish(p);
}

/**
 * Prepares a point for addition: [Y - X, Y + X, 2 d T, 2 Z], sizes 2, 2, 1, 2. Without 2 Z if `affine`, because Z is 1.
 * d: 2 d.
 */
function ready(p: Point, d: number[], affine: boolean): Point {
  var q: Point = [element(0), element(0), element(0)];
  var i: number;
  sub(q[0], p[1], p[0]);
  add(q[1], p[1], p[0]);
  mul25519(q[2], p[3], p[4]);
  mul25519(q[2], q[2], d);
  if (!affine) {
    q[3] = element(0);
    add(q[3], p[2], p[2]);
  }
  for (i = 0; HAS_TABLES && i < q.length; i++) {
    q[i] = copy(q[i]);
  }
  return q;
}

/**
 * p += q, or p -= q if `minus` is 1 and not 0, for a prepared q. Without a Z in q, it saves one multiplication.
 * Complete: also correct if the points are equal or opposite.
 */
function join(p: Point, q: Point, minus: number): void {
  var x = p[0];
  var y = p[1];
  var e = p[3];
  var h = p[4];
  // For -q, swap Y - X with Y + X, and F with G.
  var f = p[5 + minus];
  var g = p[6 - minus];
  var i: number;
  var t: number;
  var u: number;
  // Sizes: before the products at most 2 and 2, or 2 and 4 from a damaged table; after them 1, but G 2 without a Z; E,
  // H 2 and F, G 3.
  mul25519(f, e, h);
  mul25519(f, f, q[2]);
  for (i = 0; i < 12; i++) {
    t = x[i];
    u = y[i];
    e[i] = u - t;
    h[i] = u + t;
  }
  mul25519(e, e, q[minus]);
  mul25519(h, h, q[1 - minus]);
  if (q[3]) {
    mul25519(g, p[2], q[3]);
  } else {
    add(g, p[2], p[2]);
  }
  for (i = 0; i < 12; i++) {
    t = e[i];
    u = h[i];
    e[i] = u - t;
    h[i] = u + t;
    t = f[i];
    u = g[i];
    f[i] = u - t;
    g[i] = u + t;
  }
  finish(p);
}

/** Prepares P = (x, y), and 3P too, unless `single`. d: 2 d. */
export function odd(x: number[], y: number[], d: number[], single?: boolean): Point[] {
  // Only X, Y, E and H are read, and nothing is written.
  var table = [ready([x, y, x, x, y], d, true)];
  var p: Point;
  if (HAS_TABLES && !(HAS_PREPARED && single)) {
    p = [copy(x), copy(y), element(1), copy(x), copy(y), copy(x), copy(x)];
    twice(p);
    join(p, table[0], 0);
    table.push(ready(p, d, false));
  }
  return table;
}

/** The number of odd multiples of each base in the terms of `odd`. */
var EACH = HAS_TABLES ? 2 : 1;

/**
 * A part of a sum of multiples: windows; whether they count negative; the number of windows for each base, from the
 * lowest on (the bases are P, [2^span]P, [2^2span]P ..); a list or a table of odd multiples of each base. For a table:
 * their number, and the first of them that counts.
 */
export type Term = [windows: number[], minus: boolean, span: number, multiples: Point[] | Table, each?: number, begin?: number];

/** A text as `read` takes it, 126 characters for each entry, or 18 integers for each. */
export type Table = string | number[];

/** Entry n as a prepared point without Z. */
export function entry(table: Table, n: number): Point {
  var at = 126 * n;
  // Some engines find a character by counting from the beginning of the text.
  if (typeof table === "string") {
    table = table.substring(at, at + 126);
    at = 0;
  }
  return [readElement(table, at), readElement(table, at + 42), readElement(table, at + 84)];
}

/** Whether the sum is 0. The digits of windows are below 2^8. */
export function vanishes(terms: Term[]): boolean {
  var p: Point = [];
  var started = false;
  var i: number;
  var j: number;
  var k: number;
  var n: number;
  var q: number;
  var t: Term;
  // X and T are 0, Y and Z 1.
  for (i = 0; i < 7; i++) {
    p[i] = element(i === 1 || i === 2 ? 1 : 0);
  }
  // A carry of a negative digit may be above 2^256.
  for (i = 261; i >= 0; i--) {
    if (started) {
      twice(p);
    }
    for (j = 0; j < terms.length; j++) {
      t = terms[j];
      for (k = i; i < t[2] && k < 262; k += t[2]) {
        n = t[0][k];
        if (n) {
          started = true;
          q = floor(k / t[2]) * (HAS_PREPARED && t[4] ? t[4] : EACH) + ((n > 127 ? 256 - n : n) >> 1);
          if (HAS_PREPARED && t[5]) {
            q += t[5];
          }
          join(p, HAS_PREPARED && typeof t[3][0] !== "object" ? entry(t[3] as Table, q) : (t[3] as Point[])[q], n > 127 === t[1] ? 0 : 1);
        }
      }
    }
  }
  // Z is never 0, because the formulas are complete. Only a damaged table makes it 0, and then all other coordinates
  // too.
  sub(p[1], p[1], p[2]);
  return isZero25519(p[0]) && isZero25519(p[1]) && !isZero25519(p[2]);
}
