// Ed25519 (RFC 8032 §5.1), verification alone, with the one strict reading: S < L, canonical A and R, neither of small order, and the
// equation without the cofactor, [S]B = R + [k]A. RFC 8032 §5.1.7 leaves the choice; a verifier that decides otherwise accepts two
// encodings of one signature, or a key under which anything verifies.
//
// The equation is checked as [vS]B - [u]A - [v]R = 0, with u = vk modulo 8L and v odd, both of some 128 bits (`shorten`), so that half of
// the doublings fall away. It is the same equation: the order of every point divides 8L, so what is left out is [v] of the original
// difference, and [v] of a point is 0 only where the point is 0: v is odd, and no multiple of L, for |v| < L or u = 0.
// With windows of 3 bits, and P and 3P of the four points in RAM, a verification takes about 1,560 multiplications and 650 squarings: 254 squarings
// for R (as many for A when the key is tried out, see `pointOf`), 7 multiplications and squarings for each of some 127 doublings, 8 for each of
// some 125 additions. With windows of 4 bits it would be 4 percent faster, and take 4 KB more of RAM.
// (A. Antipa et al., "Accelerated verification of ECDSA signatures", SAC 2005, there for groups of prime order.)

import { copied, part, rawKey, room, same } from "../base/bytes.js";
import { HAS_PREPARED, HAS_TABLES } from "../base/features.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";
import { floor, whole } from "../hash/block.js";
import { hashing } from "../hash/digest.js";
import { ALG_ED25519, ALG_EDDSA, HASH_SHA_256, HASH_SHA_512 } from "../spec/cose.js";
import { add, copy, element, half, isZero, mul, parity, power, read, sub, unpack } from "./field25519.js";

/**
 * As `read` takes them, 42 characters each: 2 d, d = -121665/121666 (RFC 8032 §5.1); 2^((p - 1) / 4), a square root of -1 (§5.1.3); x and y
 * of the base point B; x and y of [2^128]B.
 */
var NUMBERS =
  "Mv'vH{&2+C7+,O.?si%%Q68Dg#Oo.,977$/8r5qjIz" +
  "I3xI1&v?2oF{v2;s2;P9=38{CnrJ2/4Nuo{:sq-|l1" +
  "sQp6~Mk43zLL0yJ=+g0D>{g;L91kMx(-}sQ7+B|sxH" +
  "|A*An3*5%hH<,kIO5P{$?|A*An3%<w2wJ)7'7Pp|0M" +
  "+AumoI16r(&6wnnGltpMK;1wyi7I;yP..N4|5r;'El" +
  "q~+iltw36=))#?l;nrz8h#*{PG@vLl&Iusg%<$QiNN";

/** L - 2^252, L the order of B, in digits of 21 bits, least significant first. So are all whole numbers here; the top digit has the sign. */
var ORDER = [1430509, 1626855, 1442968, 997804, 1960495, 683900, 0, 0, 0, 0, 0, 0];

/** x, y of a point, and of a multiple of it. */
type Point = number[][];

/**
 * n -= t * b at the digit `at`, b of 12 digits. The 11 digits from there are brought to 0..2^21 - 1, the twelfth takes the carry as it is.
 */
function fold(n: number[], b: number[], at: number, t: number): void {
  var c = 0;
  var i: number;
  var x: number;
  for (i = 0; i < 11; i++) {
    x = n[at] + c - t * b[i];
    c = floor(x / 2097152);
    n[at] = x - c * 2097152;
    at++;
  }
  n[at] += c - t * b[11];
}

/** 0, in 26 digits, or in fewer. */
function zero(length: number): number[] {
  var n: number[] = [];
  while (n.length < length) {
    n.push(0);
  }
  return n;
}

/**
 * n modulo L, in place, for n with digits up to `top`. The result is whether n was below L already, where `top` is 11 and n below 2^256.
 * That is S, RFC 8032 §5.1.7 step 1: else S + L would be a second signature on the message.
 */
function reduce(n: number[], top: number): boolean {
  var t: number;
  // 2^252 = L - ORDER: what stands above is folded down from the top. t < 2^29, ORDER < 2^21: all stays below 2^51.
  while (top > 11) {
    t = n[top];
    n[top] = 0;
    fold(n, ORDER, top - 12, t);
    top--;
  }
  // Now -2^150 < n < L + 2^150 where there was something to fold. Less L, it is negative, and one or two L more are the remainder.
  n[11] -= 2097152;
  fold(n, ORDER, 0, 1);
  if (n[11] >= 0) {
    return false;
  }
  while (n[11] < 0) {
    n[11] += 2097152;
    fold(n, ORDER, 0, -1);
  }
  return true;
}

/** The number in `length` octets from `at`, least significant first, not reduced. A digit stays below 2^28: bits from 0 to 20 + 7. */
function load(bytes: Bytes, at: number, length: number): number[] {
  var n = zero(26);
  var i: number;
  for (i = 0; i < length; i++) {
    n[floor((8 * i) / 21)] += bytes[at + i] << ((8 * i) % 21);
  }
  return n;
}

/** n as a double, to some 53 bits, and with the right sign. */
function value(n: number[]): number {
  var v = 0;
  var i: number;
  for (i = 11; i >= 0; i--) {
    v = v * 2097152 + n[i];
  }
  return v;
}

/** |n|, for 12 digits. */
function absolute(n: number[]): number[] {
  var m = n;
  if (value(n) < 0) {
    m = zero(12);
    fold(m, n, 0, 1);
  }
  return m;
}

/**
 * [u, v, sign]: v odd and prime to L, above 0; u = vk modulo 8L, or u = -vk with a sign. k below L. Euclid's algorithm on 8L and k, quotients
 * to the nearest: r = tk modulo 8L in every step, whatever the rounding of `value`. It stops when |r| < sqrt(8L) and t is odd: two t
 * in a row are never both even, as r t' - r' t = +-8L / gcd. r and t are then of some 128 bits. A quotient above 2^26 comes once in a million
 * times; then, and where L divides t and so r, which is then 0, u = k and v = 1.
 */
function shorten(k: number[]): [number[], number[], boolean] {
  var r = zero(12);
  var s = zero(12);
  var t = zero(12);
  var w = zero(12);
  var f: number;
  var g: number;
  var m: number;
  var q: number;
  var i: number;
  var x: number[];
  for (i = 0; i < 12; i++) {
    r[i] = 8 * ORDER[i];
    s[i] = k[i];
  }
  r[11] += 16777216;
  w[0] = 1;
  f = value(r);
  g = value(s);
  m = f;
  while (!g || g * g > m || !(w[0] & 1)) {
    q = f / g;
    // The products stay below 2^48, the top digits below 2^25. g = 0 comes here, too.
    if (!(q * q < 4503599627370496)) {
      w = zero(12);
      w[0] = 1;
      return [k, w, false];
    }
    q = floor((q + q + 1) / 2);
    fold(r, s, 0, q);
    fold(t, w, 0, q);
    f = g;
    g = value(r);
    x = r;
    r = s;
    s = x;
    x = t;
    t = w;
    w = x;
  }
  return [absolute(s), absolute(w), g < 0 !== value(w) < 0];
}

/**
 * n, below 2^256, as signed windows: each digit is 0 or odd and below 2^(width - 1) either way, and of any `width` in a row one at most is not 0.
 * A negative digit has 256 added.
 */
function windows(n: number[], width: number): number[] {
  var out = room(262);
  var t = 0;
  var i: number;
  var j: number;
  // The top digit has up to 25 bits: i - 231 <= 30.
  for (i = 0; i < 262; i++) {
    if (i < 232 && i % 21 === 0) {
      t = n[i / 21];
    }
    out[i] = t & 1;
    t >>= 1;
  }
  for (i = 0; i < 256; i++) {
    if (out[i]) {
      t = 0;
      for (j = i + width - 1; j >= i; j--) {
        t = 2 * t + out[j];
        out[j] = 0;
      }
      if (t >> (width - 1)) {
        t += 256 - (1 << width);
        for (j = i + width; out[j]; j++) {
          out[j] = 0;
        }
        out[j] = 1;
      }
      out[i] = t;
    }
  }
  return out;
}

/** Whether 32 octets are a number below p, the top bit apart: p = 2^255 - 19, of which all octets but the lowest are full. */
function canonical(bytes: Bytes): boolean {
  var full = 0;
  var i: number;
  for (i = 0; i < 32; i++) {
    if (i % 31 && bytes[i] > 254) {
      full++;
    }
  }
  return full < 30 || bytes[0] < 237 || (bytes[31] & 127) < 127;
}

/** The point of 32 octets (RFC 8032 §5.1.3), strictly: y < p, on the curve, not of small order (thereby x = 0 with a sign, too, is refused). */
function decode(bytes: Bytes): Point | undefined {
  var x = element(0);
  var y = unpack(bytes);
  var u = element(0);
  var v = element(0);
  var w = element(0);
  // x^2 = u / v with u = 2 y^2 - 2, v = 2 d y^2 + 2; x = u (uv)^((p - 5) / 8): then v x^2 = u (uv)^((p - 1) / 4), which is u or -u where
  // uv is a square, and else none of the two. v is never 0. Sizes 3 and 2, with the 2 added.
  mul(u, y);
  mul(v, u, read(NUMBERS, 0));
  v[0] += 2;
  // The order is 1 or 2 where x = 0, so u = 0; 4 where y = 0; 8 where x^2 + y^2 = 0, for then the double has y = 0: u + v y^2 = 0. Size 4.
  mul(w, u, v);
  add(u, u, u);
  u[0] -= 2;
  add(w, w, u);
  mul(w, w, u);
  mul(w, w, y);
  if (!canonical(bytes) || isZero(w)) {
    return undefined;
  }
  mul(w, u, v);
  power(w, w);
  mul(x, w, u);
  mul(w, x);
  mul(w, w, v);
  sub(v, w, u);
  if (!isZero(v)) {
    add(v, w, u);
    if (!isZero(v)) {
      return undefined;
    }
    mul(x, x, read(NUMBERS, 42));
  }
  if (parity(x) !== bytes[31] >> 7) {
    sub(x, element(0), x);
  }
  return [x, y];
}

// A point in motion is [X, Y, Z, E, H, F, G], x = X/Z, y = Y/Z: extended coordinates on -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 §5.1.4). T = XY/Z
// = E H is worked out where it is needed; F and G are room. Every operation ends with (E F : G H : F G).

/** The end of all operations. */
function finish(p: Point): void {
  mul(p[0], p[3], p[5]);
  mul(p[1], p[6], p[4]);
  mul(p[2], p[5], p[6]);
}

/** p = 2p, signs of F and H against RFC 8032 §5.1.4 turned around, which is the same point. 3 squarings, 4 multiplications. */
function twice(p: Point): void {
  var e = p[3];
  var f = p[5];
  var g = p[6];
  var h = p[4];
  var i: number;
  var a: number;
  var b: number;
  mul(e, p[0], p[1]);
  mul(f, p[2]);
  mul(g, p[0]);
  mul(h, p[1]);
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

/** A point made ready to be added: [Y - X, Y + X, 2 d T, 2 Z], sizes 2, 2, 1, 2; without the last where `affine`, Z being 1. d: 2 d. */
function ready(p: Point, d: number[], affine: boolean): Point {
  var q: Point = [element(0), element(0), element(0)];
  var i: number;
  sub(q[0], p[1], p[0]);
  add(q[1], p[1], p[0]);
  mul(q[2], p[3], p[4]);
  mul(q[2], q[2], d);
  if (!affine) {
    q[3] = element(0);
    add(q[3], p[2], p[2]);
  }
  for (i = 0; HAS_TABLES && i < q.length; i++) {
    q[i] = copy(q[i]);
  }
  return q;
}

/** p += q, or with `minus` p -= q, q made `ready`; one multiplication less where it has no Z. Complete, also where the two are the same or opposite. */
function join(p: Point, q: Point, minus: boolean): void {
  var x = p[0];
  var y = p[1];
  var e = p[3];
  var h = p[4];
  // -q has Y - X and Y + X, and F and G, the other way round.
  var f = p[minus ? 6 : 5];
  var g = p[minus ? 5 : 6];
  var i: number;
  var t: number;
  var u: number;
  // Sizes: before the products at most 2 and 2, or 2 and 4 from a table that is damaged; after them 1, but G 2 without a Z; E, H 2 and F, G 3.
  mul(f, e, h);
  mul(f, f, q[2]);
  for (i = 0; i < 12; i++) {
    t = x[i];
    u = y[i];
    e[i] = u - t;
    h[i] = u + t;
  }
  mul(e, e, q[minus ? 1 : 0]);
  mul(h, h, q[minus ? 0 : 1]);
  if (q[3]) {
    mul(g, p[2], q[3]);
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

/** P, and with `three` 3P, made ready, for P = (x, y). d: 2 d. */
function odd(x: number[], y: number[], d: number[], three: boolean): Point[] {
  var p: Point = [copy(x), copy(y), element(1), copy(x), copy(y), copy(x), copy(x)];
  var table = [ready(p, d, true)];
  if (three) {
    twice(p);
    join(p, table[0], false);
    table.push(ready(p, d, false));
  }
  return table;
}

/**
 * A part of a sum of multiples: windows; whether they count negative; how many of them belong to each base, from the lowest on (the
 * bases being P, [2^span]P, [2^2span]P ..); how many odd multiples of each base there are; a list or a table of these; its first that counts.
 */
type Term = [windows: number[], minus: boolean, span: number, each: number, multiples: Point[] | Table, begin: number];

/** A text as `read` takes it, 126 characters for each entry, or 18 whole numbers instead. */
type Table = string | number[];

/** Entry n, as a point made ready, without a Z. */
function entry(table: Table, n: number): Point {
  var at = 126 * n;
  // Some engines count characters from the beginning of a text each time.
  if (typeof table === "string") {
    table = table.substring(at, at + 126);
    at = 0;
  }
  return [read(table, at), read(table, at + 42), read(table, at + 84)];
}

/** Whether the sum is 0. */
function vanishes(terms: Term[]): boolean {
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
  // A carry of a negative digit may stand above 2^256.
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
          q = t[5] + floor(k / t[2]) * t[3] + ((n > 127 ? 256 - n : n) >> 1);
          join(p, HAS_PREPARED && typeof t[4][0] !== "object" ? entry(t[4] as Table, q) : (t[4] as Point[])[q], n > 127 !== t[1]);
        }
      }
    }
  }
  // Z is never 0, since the formulas are complete; only a table that is damaged makes it so, and then all the rest as well.
  sub(p[1], p[1], p[2]);
  return isZero(p[0]) && isZero(p[1]) && !isZero(p[2]);
}

/** The table that was held against its digest last, and that digest. */
var lastTable: unknown;
var lastDigest: unknown;

/**
 * Whether a table is the one whose digest the code has: SHA-256 over its text, also where it is an array of numbers. Who writes to where the
 * table lies could otherwise choose the multiples of the key, and sign for it. Once for a table: it is as long as hashing so much of an image.
 */
function bound(key: Prepared, host: Host): boolean {
  var table = key.table as string & number[];
  var digest = key.digest;
  var text = typeof table === "string";
  var n = text ? table.length : 7 * table.length;
  var hash = host.sha256;
  var good = n > 0 && n < 8065;
  var out: number[];
  var i: number;
  var j: number;
  var t: number;
  var u: number;
  if (table !== lastTable || digest !== lastDigest) {
    out = room(good ? n : 0);
    for (i = 0; good && i < n; i++) {
      if (text) {
        t = table.charCodeAt(i);
        good = t < 127;
        out[i] = t;
      } else {
        // Seven digits of a number, see `read`. Below 71^7 < 2^44 all of this is exact, and of what is more something is left.
        t = table[i / 7];
        good = t === floor(t);
        for (j = i + 6; j >= i; j--) {
          u = floor((t + 35) / 71);
          t -= 71 * u;
          out[j] = t + (t < -11 ? 138 : 46);
          t = u;
        }
        good = good && t === 0;
        i += 6;
      }
    }
    if (!good || !digest || !same(hash && hash.once ? hash.once(out) : whole(hashing(host, HASH_SHA_256), out), digest)) {
      return false;
    }
    lastTable = table;
    lastDigest = digest;
  }
  return true;
}

/**
 * [S]B = R + [k]A with a table: for A, then for B, and each of 4 bases [2^64 i], of 1, 2 or 4 odd multiples; or of 8 bases [2^32 i] of 4.
 * Each is y - x, y + x, 2 d x y. Whatever the table holds, the sizes hold (see `read` and `join`). Its digest vouches for it (`bound`); its first
 * entry must be the key, lest the table of one key count as another. Small tables are read once: what they
 * take is much like what the multiples take without a table.
 */
function prepared(raw: Bytes, table: Table, s: number[], k: number[], r: Point): boolean {
  var each = table.length / (typeof table === "string" ? 1008 : 144);
  var bases = each > 4 ? 8 : 4;
  var span = 256 / bases;
  var list: Point[] = [];
  var multiples: Point[] | Table = table;
  var n = each * 8;
  var i: number;
  var q: Point;
  if (each !== 1 && each !== 2 && each !== 4 && each !== 8) {
    return false;
  }
  q = entry(table, 0);
  add(q[2], q[1], q[0]);
  sub(q[1], q[1], q[0]);
  mul(q[1], q[1], half());
  mul(q[2], q[2], half());
  i = parity(q[1]);
  sub(q[2], q[2], unpack(raw));
  if (i !== raw[31] >> 7 || !isZero(q[2]) || !canonical(raw)) {
    return false;
  }
  for (i = 0; i < n && each < 3; i++) {
    list[i] = entry(table, i);
    multiples = list;
  }
  // Widths 2, 3, 4.
  i = each > 2 ? 4 : each + 1;
  each = each > 4 ? 4 : each;
  return vanishes([
    [windows(k, i), true, span, each, multiples, 0],
    [windows(s, i), false, span, each, multiples, n / 2],
    [[1], true, 262, 1, odd(r[0], r[1], read(NUMBERS, 0), false), 0],
  ]);
}

/** The key that was decoded last, a copy, and its point: who makes an anchor tries the key out, and wants the point again for each signature. */
var lastKey: ArrayLike<number> = [];
var lastPoint: Point | undefined;

/** The point of a key of 32 octets, see `decode`. The arrays are kept: they are not to be written to. */
function pointOf(key: Bytes): Point | undefined {
  var p: Point | undefined;
  // What is decoded and what is kept is one copy, whatever becomes of the key meanwhile.
  var own = copied(key, 32);
  if (!own) {
    return undefined;
  }
  if (!same(own, lastKey)) {
    // Both, lest an early end in here, memory too, leaves the point of another key.
    lastKey = [];
    lastPoint = undefined;
    p = decode(own);
    lastPoint = p && [copy(p[0]), copy(p[1])];
    lastKey = own;
  }
  return lastPoint;
}

function valid(key: Bytes): boolean {
  return !!pointOf(key);
}

/** The challenge k = SHA-512(R, A, M) modulo L; undefined where a host's hash is no SHA-512. */
function challenge(raw: Bytes, message: Bytes, signature: Bytes, host: Host): number[] | undefined {
  var hash = hashing(host, HASH_SHA_512);
  var d: Bytes | null;
  var n: number[];
  hash.update(part(signature, 0, 32));
  hash.update(raw);
  hash.update(message);
  d = copied(hash.digest(), 64);
  if (!d) {
    return undefined;
  }
  n = load(d, 0, 64);
  reduce(n, 24);
  return n;
}

/** [vS]B - [u]A - [v]R, see above, as terms. Nothing else is left over from here on: it is tables that take the RAM. */
function halved(s: number[], k: number[], r: Point, a: Point): Term[] {
  var d = read(NUMBERS, 0);
  var width = HAS_TABLES ? 3 : 2;
  var short = shorten(k);
  var n = zero(26);
  var i: number;
  // vS: below 2^26 in the digit 23 after the carries.
  for (i = 0; i < 12; i++) {
    fold(n, s, i, -short[1][i]);
  }
  fold(n, ORDER, 12, 0);
  reduce(n, 24);
  return [
    [
      windows(n, width),
      false,
      128,
      width - 1,
      odd(read(NUMBERS, 84), read(NUMBERS, 126), d, HAS_TABLES).concat(odd(read(NUMBERS, 168), read(NUMBERS, 210), d, HAS_TABLES)),
      0,
    ],
    [windows(short[0], width), !short[2], 262, width - 1, odd(a[0], a[1], d, HAS_TABLES), 0],
    [windows(short[1], width), true, 262, width - 1, odd(r[0], r[1], d, HAS_TABLES), 0],
  ];
}

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = copied(rawKey(key), 32);
  var own = copied(signature, 64);
  var s: number[];
  var k: number[] | undefined;
  var a: Point | undefined;
  var r: Point | undefined;
  if (!raw || !own) {
    return false;
  }
  s = load(own, 32, 32);
  r = reduce(s, 11) ? decode(own) : undefined;
  k = r && challenge(raw, message, own, host);
  if (!r || !k) {
    return false;
  }
  if (HAS_PREPARED && (key as Prepared).table) {
    return bound(key as Prepared, host) && prepared(raw, (key as Prepared).table as Table, s, k, r);
  }
  a = pointOf(raw);
  return !!a && vanishes(halved(s, k, r, a));
}

/**
 * Ed25519. Key: 32 octets; signature: 64 octets, R and S (RFC 8032 §5.1.5, §5.1.6). `valid` says whether the key is the canonical encoding
 * of a point that is not of small order. COSE algorithms -8 (EdDSA, RFC 9053 §2.2) and -19 (RFC 9864 §2.2).
 * @example ed25519.verify(key, message, signature, {})
 */
export var ed25519: Alg = { ids: [ALG_EDDSA, ALG_ED25519], valid: valid, verify: verify };
