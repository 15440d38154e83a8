// Integers for ed25519.ts: reduction modulo the order L of the base point, halving of lengths, splitting into windows.

import { newBytes } from "../base/bytes.js";
import { HAS_PLAIN, HAS_TABLES } from "../base/features.js";
import type { Bytes } from "../base/types.js";
import { floor } from "../hash/constants.js";

/**
 * L - 2^252, where L is the order of B, in digits of 21 bits, least significant first. All integers here have this
 * form; the top digit has the sign.
 */
export var ORDER = [1430509, 1626855, 1442968, 997804, 1960495, 683900, 0, 0, 0, 0, 0, 0];

/**
 * n -= t * b at the digit `at`, for b of 12 digits. Normalizes the 11 digits from there to 0..2^21 - 1; the twelfth
 * absorbs the carry.
 */
export function fold(n: number[], b: number[], at: number, t: number): void {
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

/** 0, in 26 digits or fewer. */
export function zero(length: number): number[] {
  var n: number[] = [];
  if (!HAS_PLAIN && !HAS_TABLES) {
    return new Float64Array(length) as unknown as number[];
  }
  while (n.length < length) {
    n.push(0);
  }
  return n;
}

/**
 * n modulo L, in place, for n with digits up to `top`. The result is whether n was already below L, where `top` is 11
 * and n below 2^256. That is S, RFC 8032 §5.1.7 step 1: else S + L would be a second signature on the message.
 */
export function reduce(n: number[], top: number): boolean {
  var t: number;
  // 2^252 = L - ORDER: the digits above are folded down from the top. t < 2^29, ORDER < 2^21: all stays below 2^51.
  while (top > 11) {
    t = n[top];
    n[top] = 0;
    fold(n, ORDER, top - 12, t);
    top--;
  }
  // Now -2^150 < n < L + 2^150 where there was something to fold. Less L, it is negative, and one or two L more are the
  // remainder.
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

/**
 * The number in `length` octets from `at`, least significant first, not reduced. A digit stays below 2^28: bits from 0
 * to 20 + 7.
 */
export function loadScalar(bytes: Bytes, at: number, length: number): number[] {
  var n = zero(26);
  var i: number;
  for (i = 0; i < length; i++) {
    n[floor((8 * i) / 21)] += bytes[at + i] << ((8 * i) % 21);
  }
  return n;
}

/** n as a double, with a precision of about 53 bits and the correct sign. */
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
 * [u, v, sign]: v odd and prime to L, above 0; u = vk modulo 8L, or u = -vk with a sign. k below L. Euclid's algorithm
 * on 8L and k, quotients to the nearest: r = tk modulo 8L in every step, whatever the rounding of `value`. It stops
 * when |r| < sqrt(8L) and t is odd: two t in a row are never both even, as r t' - r' t = +-8L / gcd. r and t are then
 * of some 128 bits. A quotient above 2^26 comes once in a million times; then, and where L divides t and so r, which is
 * then 0, u = k and v = 1.
 */
export function shorten(k: number[]): [number[], number[], boolean] {
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
 * n, below 2^256, as signed windows: each digit is 0 or odd and below 2^(width - 1) either way, and of any `width` in a
 * row one at most is not 0. A negative digit has 256 added, so that all are from 0 to 255.
 */
export function windows(n: number[], width: number): number[] {
  var out = newBytes(262);
  var t = 0;
  var i: number;
  var j: number;
  // The top digit has up to 25 bits: i - 231 <= 30. So all is below 2^31; `width` is 4 at most.
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
      if (t >> ((width - 1) & 7)) {
        t += 256 - (1 << (width & 7));
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
