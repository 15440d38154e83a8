// Ed25519 (RFC 8032 §5.1), verification alone, with the one strict reading: S < L, canonical A and R, neither of small
// order, and the equation without the cofactor, [S]B = R + [k]A. RFC 8032 §5.1.7 leaves the choice; a verifier that
// decides otherwise accepts two encodings of one signature, or a key under which anything verifies.
//
// The equation is checked as [vS]B - [u]A - [v]R = 0, with u = vk modulo 8L and v odd, both of some 128 bits (`shorten`
// in scalar25519.ts), so that half of the doublings fall away. It is the same equation: the order of every point
// divides 8L, so what is left out is [v] of the original difference, and [v] of a point is 0 only where the point is 0:
// v is odd, and no multiple of L, for |v| < L or u = 0. With windows of 3 bits, and P and 3P of the four points in RAM,
// a verification takes about 1,560 multiplications and 650 squarings: 254 squarings for R (as many for A when the key
// is tried out, see `pointOf`), 7 multiplications and squarings for each of some 127 doublings, 8 for each of some 125
// additions. With windows of 4 bits it would be 4 percent faster, and take 4 KB more of RAM. (A. Antipa et al.,
// "Accelerated verification of ECDSA signatures", SAC 2005, there for groups of prime order.)

import { copied, equalConstantTime, rawKey, subBytes } from "../base/bytes.js";
import { HAS_GENERAL, HAS_PLAIN, HAS_PREPARED, HAS_TABLES } from "../base/features.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";
import { hashing } from "../hash/digest.js";
import { ALG_ED25519, ALG_EDDSA, HASH_SHA_512 } from "../spec/cose.js";
import { decode, NUMBERS, odd, type Point, type Table, type Term, vanishes } from "./curve25519.js";
import { copy, readElement } from "./field25519.js";
import { fold, loadScalar, ORDER, reduce, shorten, windows, zero } from "./scalar25519.js";
import { bound, prepared } from "./table25519.js";

/**
 * A copy of the last decoded key, and its point: anchor() decodes the key to check it, and every signature needs the
 * point again.
 */
var lastKey: ArrayLike<number> = [];
var lastPoint: Point | undefined;

/** The point of a 32-byte key: see `decode`. The arrays are cached: callers must not write to them. */
function pointOf(key: Bytes): Point | undefined {
  var p: Point | undefined;
  // Decode and cache the same copy, so that later changes to the key have no effect.
  var own = copied(key, 32);
  if (!own) {
    return undefined;
  }
  if (!equalConstantTime(own, lastKey)) {
    // Clear both first: if decoding ends early (out of memory, for example), the point of another key must not remain.
    lastKey = [];
    lastPoint = undefined;
    p = decode(own);
    // without these two, numbers are small already
    lastPoint = HAS_PLAIN || HAS_TABLES ? p && [copy(p[0]), copy(p[1])] : p;
    lastKey = own;
  }
  return lastPoint;
}

function valid(key: Bytes): boolean {
  return !!pointOf(key);
}

/** SHA-512(R, A, M): modulo L, it is the challenge k. Returns null or false if the host's hash is not SHA-512. */
function challenge(raw: Bytes, message: Bytes, signature: Bytes, host: Host): Bytes | null | false {
  var hash = hashing(host, HASH_SHA_512);
  hash.update(subBytes(signature, 0, 32));
  hash.update(raw);
  hash.update(message);
  return copied(hash.digest(), 64);
}

/**
 * The windows of vS, u and v, and whether the sign of u is the other one: see above. Returns undefined if S is not
 * below L.
 */
function scalars(signature: Bytes, hash: Bytes): [number[], number[], number[], boolean] | undefined {
  var width = HAS_TABLES ? 3 : 2;
  var s = loadScalar(signature, 32, 32);
  var k = loadScalar(hash, 0, 64);
  var n = zero(26);
  var short: [number[], number[], boolean];
  var i: number;
  if (!reduce(s, 11)) {
    return undefined;
  }
  reduce(k, 24);
  short = shorten(k);
  // vS: below 2^26 in the digit 23 after the carries.
  for (i = 0; i < 12; i++) {
    fold(n, s, i, -short[1][i]);
  }
  fold(n, ORDER, 12, 0);
  reduce(n, 24);
  return [windows(n, width), windows(short[0], width), windows(short[1], width), short[2]];
}

/** The terms of [vS]B - [u]A - [v]R, see above. Nothing else stays alive from here on: the tables take the RAM. */
function halved(w: [number[], number[], number[], boolean], r: Point, a: Point): Term[] {
  var d = readElement(NUMBERS, 0);
  return [
    [
      w[0],
      false,
      128,
      odd(readElement(NUMBERS, 84), readElement(NUMBERS, 126), d).concat(odd(readElement(NUMBERS, 168), readElement(NUMBERS, 210), d)),
    ],
    [w[1], !w[3], 262, odd(a[0], a[1], d)],
    [w[2], true, 262, odd(r[0], r[1], d)],
  ];
}

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = copied(HAS_GENERAL ? rawKey(key) : (key as Bytes), 32);
  var own = copied(signature, 64);
  var r: Point | null | false | undefined = own && decode(own);
  var d: Bytes | null | false | undefined =
    raw && r && (!HAS_GENERAL || message) ? challenge(raw, message, own as Bytes, HAS_GENERAL ? host || {} : host) : null;
  var w: [number[], number[], number[], boolean] | undefined;
  var s: number[];
  var k: number[];
  var a: Point | undefined;
  var terms: Term[] | undefined;
  var table: Table | null | false;
  if (!d) {
    return false;
  }
  if (HAS_PREPARED && (key as Prepared).table) {
    s = loadScalar(own as Bytes, 32, 32);
    k = loadScalar(d, 0, 64);
    reduce(k, 24);
    table = reduce(s, 11) && bound(key as Prepared, host || {});
    return !!table && prepared(raw as Bytes, table, s, k, r as Point);
  }
  w = scalars(own as Bytes, d);
  a = w && pointOf(raw as Bytes);
  terms = a && halved(w as [number[], number[], number[], boolean], r as Point, a);
  // what is not needed any more leaves the RAM
  if (!HAS_GENERAL) d = r = own = null;
  return !!terms && vanishes(terms);
}

/**
 * Ed25519 (RFC 8032). Key: 32 bytes. Signature: 64 bytes, R ‖ S (§5.1.5, §5.1.6). `valid` returns whether the key is
 * the canonical encoding of a point that is not of small order. COSE algorithms -8 (EdDSA, RFC 9053 §2.2) and -19
 * (Ed25519, RFC 9864 §2.2).
 *
 * @example
 * ```ts
 * import { ed25519 } from "@firmseal/verifier";
 *
 * ed25519.verify(publicKey, message, signature, {}); // true or false
 * ```
 */
export var ed25519: Alg = {
  ids: [ALG_EDDSA, ALG_ED25519],
  // a micro verifier asks only whether the result is true
  valid: HAS_GENERAL ? valid : (pointOf as unknown as (key: Bytes) => boolean),
  verify: verify,
};
