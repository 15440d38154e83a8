// The constants of SHA-256 and SHA-512 (FIPS 180-4 §4.2).

import { newWords } from "../base/bytes.js";

/** An alias, because it is shorter. */
export var floor = Math.floor;

/**
 * Bits 1 to 32 and 33 to 64 of the fractional parts of roots of the first primes. From 0 on, the cube roots of 80
 * primes: the round constants, of which SHA-256 uses the high words of the first 64 (FIPS 180-4 §4.2.2, §4.2.3). From
 * 80 on, the square roots of 16 primes: the initial values of SHA-512, whose high words are those of SHA-256, and of
 * SHA-384 (§5.3.3 to §5.3.5). Empty until `deriveOnce`.
 */
export var HIGH: number[] = [];
export var LOW: number[] = [];

// The constants are worked out rather than written down: a fifth of the text, which some engines execute from flash.
// x is the root of p to some 50 bits. s = h + d is x cut to 28 binary places, in two parts so that every product in
// r = p - s^3, or p - s^2, is exact but the last: h^3 has 51 bits, 3 h^2 d 50, 3 h d^2 47, and each difference fits 53.
// What is missing, e < 2^-28, is r / (3 s (s + e)), or r / (2 s + e), with an error below 2^-78; none of the 96 comes
// nearer than 2^-72 to where its 64 bits would change.
function deriveConstants(): void {
  var p = 1;
  var x = 1;
  var i: number;
  var j: number;
  var h: number;
  var d: number;
  var e: number;
  var cube: boolean;
  HIGH = newWords(96);
  LOW = newWords(96);
  for (i = 0; i < 96; i++) {
    cube = i < 80;
    if (i === 80) {
      p = 1;
    }
    // the next prime: nothing up to its root divides it
    do {
      p++;
      j = 2;
      while (j * j <= p && p % j) {
        j++;
      }
    } while (j * j <= p);
    for (j = 0; j < 9; j++) {
      x = cube ? (x + x + p / (x * x)) / 3 : (x + p / x) / 2;
    }
    h = floor(x * 16384) / 16384;
    d = floor((x - h) * 268435456) / 268435456;
    e = cube ? p - h * h * h - 3 * h * h * d - 3 * h * d * d - d * d * d : p - h * h - 2 * h * d - d * d;
    h += d;
    // j: what e is divided by, less e.
    j = cube ? 3 * h : 1;
    d = cube ? h : h + h;
    e = (e / (j * (d + e / (j * d)))) * 4294967296;
    d = floor(e);
    // bits of a fraction, below 2^32
    HIGH[i] = (h - floor(h)) * 4294967296 + d;
    LOW[i] = floor((e - d) * 4294967296);
  }
}

/** Works the constants out, unless they are there. */
export function deriveOnce(): void {
  if (!HIGH[0]) {
    deriveConstants();
  }
}

/** Drops the constants: they take 768 bytes of RAM. */
export function forget(): void {
  HIGH = LOW = [];
}
