// Ed25519 (RFC 8032 §5.1), verification alone, with the one strict reading: S < L, canonical A and R, neither of small order, and the
// equation without the cofactor, [S]B = R + [k]A. RFC 8032 §5.1.7 leaves the choice; a verifier that decides otherwise accepts two
// encodings of one signature, or a key under which anything verifies.

import { rawKey } from "../bytes.js";
import { sha512 } from "../hash/sha512.js";
import { ALG_ED25519, ALG_EDDSA } from "../spec/cose.js";
import type { Alg, Bytes, HashState, Host, Prepared } from "../types.js";
import { add, element, equal, mul, pack, power, same, sub, unpack } from "./field25519.js";

// A point is [X, Y, Z, T], x = X/Z, y = Y/Z, T = XY/Z: extended coordinates on -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 §5.1.4).
type Point = number[][];

/** d = -121665/121666 (RFC 8032 §5.1), in limbs as `element` takes them; so are those that follow. */
var D = [1669302, -579507, 965994, 121003, 1206794, 3585, -399208, 248764, -1887792, 1048180, 487771, -753445];
/** 2^((p - 1) / 4), a square root of -1 (RFC 8032 §5.1.3). */
var ROOT = [958640, 826664, -483901, 1041529, 13673, 387171, -272473, 313840, 709440, 122635, 262782, 712905];
/** The base point B (RFC 8032 §5.1). */
var BASE_X = [-1714918, -687555, -447802, 370611, -326487, 861593, -598948, -946193, -1038023, 939007, -614805, 547406];
var BASE_Y = [-1677717, -419430, 838861, 419430, -838861, 838861, 419430, -838861, 1677722, 419430, -838861, -419430];
/** L - 2^252, L the order of B, in digits of 21 bits, least significant first. */
var ORDER = [1430509, 1626855, 1442968, 997804, 1960495, 683900];

/** n -= t * L at the digit `at`, but for the top digit. The 11 digits from there are brought to 0..2^21 - 1, the twelfth takes the carry. */
function fold(n: number[], at: number, t: number): void {
  var i: number;
  var c: number;
  for (i = 0; i < 6; i++) {
    n[at + i] -= t * ORDER[i];
  }
  for (i = at; i < at + 11; i++) {
    c = Math.floor(n[i] / 2097152);
    n[i] -= c * 2097152;
    n[i + 1] += c;
  }
}

/**
 * The number in `length` octets from `at`, least significant first, modulo L, as signed windows: 256 digits, each 0 or odd and within
 * -15..15, any two that are not 0 at least five places apart. 32 octets are a number that must be below L already (S, RFC 8032
 * §5.1.7 step 1: else S + L would be a second signature on the message); where it is not, there is no result.
 */
function windows(bytes: Bytes, at: number, length: number): number[] | undefined {
  var n: number[] = [];
  var out: number[] = [];
  var i: number;
  var j: number;
  var t: number;
  for (i = 0; i < 26; i++) {
    n[i] = 0;
  }
  // A digit starts with less than 2^28: bits from 0 to 20 + 7.
  for (i = 0; i < length; i++) {
    t = 8 * i;
    n[Math.floor(t / 21)] += bytes[at + i] << (t % 21);
  }
  // 2^252 = L - ORDER: what stands above is folded down from the top. t < 2^29, ORDER < 2^21: all stays below 2^51.
  for (i = length > 32 ? 24 : 11; i > 11; i--) {
    t = n[i];
    n[i] = 0;
    fold(n, i - 12, t);
  }
  // Now -2^150 < n < L + 2^150 for 64 octets. Less L, it is negative, and one or two L more are the remainder; S is below L when
  // one L less makes it negative.
  n[11] -= 2097152;
  fold(n, 0, 1);
  if (n[11] >= 0) {
    return undefined;
  }
  while (n[11] < 0) {
    n[11] += 2097152;
    fold(n, 0, -1);
  }
  // From 2^252 to L the twelfth digit is too long.
  n[12] = n[11] >> 21;
  for (i = 0; i < 13; i++) {
    for (j = 0; j < 21; j++) {
      out.push((n[i] >> j) & 1);
    }
  }
  for (i = 0; i < 256; i++) {
    if (out[i]) {
      t = 0;
      for (j = 4; j >= 0; j--) {
        t = 2 * t + out[i + j];
        out[i + j] = 0;
      }
      if (t > 15) {
        t -= 32;
        for (j = i + 5; out[j]; j++) {
          out[j] = 0;
        }
        out[j] = 1;
      }
      out[i] = t;
    }
  }
  return out;
}

/** Whether (x : y) is of order 1, 2, 4 or 8: x = 0, y = 0, or x^2 + y^2 = 0 (then the double has y = 0). Sizes 1; any common Z. */
function small(x: number[], y: number[]): boolean {
  var a: number[] = [];
  var b: number[] = [];
  mul(a, x);
  mul(b, y);
  add(a, a, b);
  mul(a, a, x);
  mul(a, a, y);
  return equal(a, element([]));
}

/** The point of 32 octets (RFC 8032 §5.1.3), strictly: y < p, on the curve, not of small order (thereby x = 0 with a sign, too, is refused). */
function decode(bytes: Bytes): Point | undefined {
  var x: number[] = [];
  var y = unpack(bytes);
  var u: number[] = [];
  var v: number[] = [];
  var w: number[] = [];
  var n = pack(y);
  n[31] += bytes[31] & 128;
  if (!same(n, bytes)) {
    return undefined;
  }
  // x^2 = u / v with u = y^2 - 1, v = d y^2 + 1; x = u v^3 (u v^7)^((p - 5) / 8). Size 2 for the 1 added is more than enough.
  mul(u, y);
  mul(v, u, element(D));
  u[0] -= 1;
  v[0] += 1;
  mul(w, v);
  mul(w, w, v);
  mul(x, w, u);
  mul(w, w);
  mul(w, w, v);
  mul(w, w, u);
  power(w, w);
  mul(x, x, w);
  mul(w, x);
  mul(w, w, v);
  if (!equal(w, u)) {
    sub(u, element([]), u);
    if (!equal(w, u)) {
      return undefined;
    }
    mul(x, x, element(ROOT));
  }
  if (small(x, y)) {
    return undefined;
  }
  if ((pack(x)[0] & 1) !== bytes[31] >> 7) {
    sub(x, element([]), x);
  }
  mul(w, x, y);
  return [x, y, element([1]), w];
}

/** The end of both operations: (E F : G H : F G : E H). T is left out where the next operation is a doubling. */
function finish(p: Point, e: number[], f: number[], g: number[], h: number[], extended: unknown): void {
  mul(p[0], e, f);
  mul(p[1], g, h);
  mul(p[2], f, g);
  if (extended) {
    mul(p[3], e, h);
  }
}

/** p = 2p, signs of F and H against RFC 8032 §5.1.4 turned around, which is the same point. */
function twice(p: Point, room: Point, extended: unknown): void {
  var e = room[0];
  var f = room[1];
  var g = room[2];
  var h = room[3];
  var i: number;
  var a: number;
  var b: number;
  add(e, p[0], p[1]);
  mul(e, e);
  mul(f, p[2]);
  mul(g, p[0]);
  mul(h, p[1]);
  // Sizes: E 3, F 4, G 2, H 2; the largest product is E F with 12.
  for (i = 0; i < 12; i++) {
    a = g[i];
    b = h[i];
    h[i] = a + b;
    e[i] -= a + b;
    g[i] = b - a;
    f[i] += f[i] + a - b;
  }
  finish(p, e, f, g, h, extended);
}

/** A point made ready to be added: [Y - X, Y + X, 2 d T, 2 Z], sizes 2, 2, 1, 2. */
function ready(p: Point, d2: number[]): Point {
  var q: Point = [[], [], [], []];
  sub(q[0], p[1], p[0]);
  add(q[1], p[1], p[0]);
  mul(q[2], p[3], d2);
  add(q[3], p[2], p[2]);
  return q;
}

/**
 * p += digit P for an odd digit, with a table of P, 3P, 5P .. made `ready`. Complete, also where the two are the same or opposite
 * (RFC 8032 §5.1.4).
 */
function join(p: Point, table: Point[], digit: number, room: Point, extended: unknown): void {
  var minus = digit < 0;
  var q = table[(minus ? -digit : digit) >> 1];
  var e = room[0];
  var f = room[1];
  var g = room[2];
  var h = room[3];
  var i: number;
  var t: number;
  // Sizes: before the products at most 2 and 2, after them 1; E, F, G, H 2.
  sub(e, p[1], p[0]);
  add(h, p[1], p[0]);
  mul(e, e, q[minus ? 1 : 0]);
  mul(h, h, q[minus ? 0 : 1]);
  mul(f, p[3], q[2]);
  mul(g, p[2], q[3]);
  for (i = 0; i < 12; i++) {
    t = e[i];
    e[i] = h[i] - t;
    h[i] += t;
    t = f[i];
    f[i] = g[i] - t;
    g[i] += t;
  }
  // -q has Y - X and Y + X, and F and G, the other way round.
  finish(p, e, minus ? g : f, minus ? f : g, h, extended);
}

/** p, 3p, 5p .. 15p, made ready. p is used up. */
function odd(p: Point, d2: number[], room: Point): Point[] {
  var table = [ready(p, d2)];
  var step: Point[];
  var i: number;
  twice(p, room, true);
  step = [ready(p, d2)];
  join(p, table, 1, room, true);
  for (i = 1; i < 8; i++) {
    table[i] = ready(p, d2);
    if (i < 7) {
      join(p, step, 1, room, true);
    }
  }
  return table;
}

/** [s]B - [k]A (Straus), without T. a is used up. */
function combine(s: number[], k: number[], a: Point): Point {
  var d2 = element(D);
  var p: Point = [element(BASE_X), element(BASE_Y), element([1]), []];
  var room: Point = [[], [], [], []];
  var ofA: Point[];
  var ofB: Point[];
  var i: number;
  add(d2, d2, d2);
  mul(p[3], p[0], p[1]);
  ofB = odd(p, d2, room);
  ofA = odd(a, d2, room);
  p = [element([]), element([1]), element([1]), []];
  // s and k are below 2^253; the carry of a negative digit may come to stand one place higher.
  for (i = 253; i >= 0; i--) {
    twice(p, room, s[i] || k[i]);
    if (s[i]) {
      join(p, ofB, s[i], room, k[i]);
    }
    if (k[i]) {
      join(p, ofA, -k[i], room, 0);
    }
  }
  return p;
}

/** Whether p is not of small order and its encoding (RFC 8032 §5.1.2) is the first 32 of `bytes`; that decides about a canonical R, too. */
function encodes(p: Point, bytes: Bytes): boolean {
  var z = p[2];
  var t: number[] = [];
  var i: number;
  var x: number[];
  var y: number[];
  if (small(p[0], p[1])) {
    return false;
  }
  // 1/z = z^(p - 2), p - 2 = 8 (2^252 - 3) + 3. Z is never 0: the formulas are complete.
  power(t, z);
  for (i = 0; i < 3; i++) {
    mul(t, t);
  }
  mul(t, t, z);
  mul(z, z);
  mul(t, t, z);
  mul(p[0], p[0], t);
  mul(p[1], p[1], t);
  x = pack(p[0]);
  y = pack(p[1]);
  y[31] += (x[0] & 1) * 128;
  return same(y, bytes);
}

function valid(key: Bytes): boolean {
  return key.length === 32 && !!decode(key);
}

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = rawKey(key);
  var r: number[] = [];
  var i: number;
  var s: number[] | undefined;
  var a: Point | undefined;
  var hash: HashState;
  if (raw.length !== 32 || signature.length !== 64) {
    return false;
  }
  s = windows(signature, 32, 32);
  a = s && decode(raw);
  if (!a) {
    return false;
  }
  for (i = 0; i < 32; i++) {
    r[i] = signature[i];
  }
  hash = (host.sha512 || sha512).create();
  hash.update(r);
  hash.update(raw);
  hash.update(message);
  return encodes(combine(s as number[], windows(hash.digest(), 0, 64) as number[], a), r);
}

/**
 * Ed25519. Key: 32 octets; signature: 64 octets, R and S (RFC 8032 §5.1.5, §5.1.6). `valid` says whether the key is the canonical encoding
 * of a point that is not of small order. COSE algorithms -8 (EdDSA, RFC 9053 §2.2) and -19 (RFC 9864 §2.2).
 * @example ed25519.verify(key, message, signature, {})
 */
export var ed25519: Alg = { ids: [ALG_EDDSA, ALG_ED25519], valid: valid, verify: verify };
