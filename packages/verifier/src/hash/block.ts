// Common parts of SHA-256 and SHA-512: constants, splitting the input into blocks, padding (FIPS 180-4 §4.2, §5.1).

import { newBytes, newWords } from "../base/bytes.js";
import { HAS_GENERAL, HAS_PLAIN } from "../base/features.js";
import type { Bytes, Hash, HashState } from "../base/types.js";
import { startSmall } from "./small.js";

/** An alias, because it is shorter. */
export var floor = Math.floor;

/**
 * Bits 1 to 32 and 33 to 64 of the fractional parts of roots of the first primes. From 0 on, the cube roots of 80 primes: the round constants,
 * of which SHA-256 uses the high words of the first 64 (FIPS 180-4 §4.2.2, §4.2.3). From 80 on, the square roots of 16 primes: the initial values
 * of SHA-512, whose high words are those of SHA-256, and of SHA-384 (§5.3.3 to §5.3.5). All 0 until `startHash`.
 */
export var HIGH: number[] = /* @__PURE__ */ newWords(96);
export var LOW: number[] = /* @__PURE__ */ newWords(96);

// The constants are worked out rather than written down: a fifth of the text, which some engines execute from flash.
// x is the root of p to some 50 bits. s = h + d is x cut to 28 binary places, in two parts so that every product in
// r = p - s^3, or p - s^2, is exact but the last: h^3 has 51 bits, 3 h^2 d 50, 3 h d^2 47, and each difference fits 53. What is missing,
// e < 2^-28, is r / (3 s (s + e)), or r / (2 s + e), with an error below 2^-78; none of the 96 comes nearer than 2^-72 to where its 64 bits
// would change.
function deriveConstants(): void {
  var p = 1;
  var x = 1;
  var i: number;
  var j: number;
  var h: number;
  var d: number;
  var e: number;
  var cube: boolean;
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
    HIGH[i] = (h - floor(h)) * 4294967296 + d;
    LOW[i] = floor((e - d) * 4294967296);
  }
}

/** Works the constants out, unless they are there. */
function prepare(): void {
  if (!HIGH[0]) {
    deriveConstants();
  }
}

/** The initial state of SHA-256, for blocks of 64 bytes, or of SHA-512. SHA-256 uses the first 8 words. */
export function initial(state: number[], size: number): void {
  var i: number;
  prepare();
  for (i = 0; i < 16; i++) {
    // 32 bits: an index
    state[i] = size > 64 ? (i & 1 ? LOW : HIGH)[80 + (i >> 1)] : HIGH[80 + i];
  }
}

/** Works the block that stands in the first 16 or 32 of `words`, as 32-bit numbers, into `state`. */
export type Compress = (state: number[], words: number[]) => void;

/**
 * The message length in bits as n bytes, big-endian, for a message of `count` bytes (FIPS 180-4 §5.1). Exact for every
 * count up to 2^53: the number of bits is then a multiple of 8 below 2^56. No bit operations, which would drop
 * everything above 2^32.
 */
export function lengthOctets(count: number, n: number): number[] {
  var out: number[] = [];
  count *= 8;
  while (n--) {
    out[n] = count % 256;
    count = floor(count / 256);
  }
  return out;
}

/**
 * Starts a hash: blocks of `size` bytes, initial values from index `from` on. The state has one word per value for
 * blocks of 64 bytes, otherwise two; the digest is its first `length` bytes. Words have 32 bits; sizes and indices are
 * below 2^8.
 */
export function startHash(compress: Compress, from: number, size: number, length: number): HashState {
  var state = newWords(16);
  var words = newWords(64);
  var block = newBytes(size);
  var filled = 0;
  var count = 0;
  var i = 0;

  function take(bytes: Bytes, at: number): void {
    var w = words;
    var end = size >> 2;
    var i: number;
    for (i = 0; i < end; i++) {
      // masked, so that a value above 255 cannot change the byte before it
      w[i] = (bytes[at] << 24) | ((bytes[at + 1] & 255) << 16) | ((bytes[at + 2] & 255) << 8) | (bytes[at + 3] & 255);
      at += 4;
    }
    compress(state, w);
  }

  function update(bytes: Bytes): void {
    var end = bytes.length;
    var at = 0;
    count += end;
    while (at < end) {
      if (!filled && end - at >= size) {
        take(bytes, at);
        at += size;
      } else {
        block[filled] = bytes[at];
        filled++;
        at++;
        if (filled === size) {
          take(block, 0);
          filled = 0;
        }
      }
    }
  }

  function digest(): Bytes {
    var out = newBytes(length);
    var tail = lengthOctets(count, size / 8);
    var i: number;
    update([128]);
    while (filled !== size - size / 8) {
      update([0]);
    }
    update(tail);
    for (i = 0; i < length; i++) {
      out[i] = (state[i >> 2] >>> (24 - 8 * (i & 3))) & 255;
    }
    return out;
  }

  prepare();
  while (i < size / 8) {
    state[i++] = HIGH[from];
    if (size > 64) {
      state[i++] = LOW[from];
    }
    from++;
  }
  return { update: update, digest: digest };
}

/** Hashes `bytes` and returns the digest. */
export function hashBytes(state: HashState, bytes: Bytes): Bytes {
  state.update(bytes);
  return state.digest();
}

/** A hash function with the parameters of `startHash`. */
export function makeHash(compress: Compress, from: number, size: number, length: number): Hash {
  function create(): HashState {
    return HAS_PLAIN ? startHash(compress, from, size, length) : startSmall(size);
  }
  function once(bytes: Bytes): Bytes {
    return hashBytes(create(), bytes);
  }
  return HAS_GENERAL ? { create: create, once: once } : { create: create };
}
