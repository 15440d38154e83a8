// Hashing for micro verifiers, in few bytes and little RAM: SHA-256 in pieces, and SHA-512 whose 64-bit words are
// worked out half by half. SHA-512 takes about four times as long as in sha512.ts, but a micro verifier hashes only
// some 120 bytes with it. Needs typed arrays: they take every number modulo 2^8 or 2^32, and so carry for us.

import { newBytes, newWords } from "../base/bytes.js";
import { HAS_SHA256, HAS_SHA512 } from "../base/features.js";
import type { Bytes, HashState } from "../base/types.js";
import { compress } from "./compress256.js";
import { deriveOnce, forget, HIGH, LOW } from "./constants.js";

/**
 * Works a block of SHA-512 into `state` (FIPS 180-4 §6.4.2). Of each word, the low half comes first (k = 1), and passes
 * its carry to the high half: a sum of at most five numbers of 32 bits is below 2^35, exact in a double. The schedule
 * is a ring of 16 words. The variables are a ring of 8: a is at -2 i, b at 2 - 2 i, and so on, so that none has to
 * move: h becomes a, and d becomes e.
 */
function compressSmall(state: number[], w: number[]): void {
  var v = newWords(state);
  var i: number;
  var j: number;
  var k: number;
  var b: number;
  var c: number;
  var d: number;
  var e: number;

  /** What a sum carries: its bits from 32 on, 0 to 4. */
  function carry(sum: number): number {
    // 32 bits are enough
    return (sum / 4294967296) | 0;
  }

  /** The offset of a variable. 32 bits: 4 are used. */
  function at(n: number): number {
    return ((n - 2 * i) & 15) + k;
  }

  /** A half of x rotated right by n, with the other half y. 32 bits. Some engines shift by 0 to 31 only: hence & 31. */
  function rotated(x: number, y: number, n: number): number {
    return n > 31 ? (y >>> (n & 31)) | (x << (-n & 31)) : (x >>> n) | (y << (-n & 31));
  }

  /**
   * The half k of the Σ or σ of the word at `n` of `z`. Up to 7, the last number shifts: nothing comes into the high
   * half.
   */
  function sigma(z: number[], n: number, p: number, q: number, r: number): number {
    var x = z[n + k];
    var y = z[n + 1 - k];
    return (rotated(x, y, p) ^ rotated(x, y, q) ^ rotated(x, k || r > 7 ? y : 0, r)) >>> 0;
  }

  for (i = 0; i < 80; i++) {
    j = (2 * i) & 31;
    b = c = d = e = 0;
    for (k = 1; k >= 0; k--) {
      if (i > 15) {
        b = carry(b) + w[j + k] + w[((j + 18) & 31) + k] + sigma(w, (j + 28) & 31, 19, 61, 6) + sigma(w, (j + 2) & 31, 1, 8, 7);
        w[j + k] = b;
      }
      c =
        carry(c) +
        v[at(14)] +
        sigma(v, at(8) - k, 14, 18, 41) +
        ((v[at(12)] ^ (v[at(8)] & (v[at(10)] ^ v[at(12)]))) >>> 0) +
        (k ? LOW : HIGH)[i] +
        w[j + k];
      d = carry(d) + v[at(6)] + (c >>> 0);
      e = carry(e) + (c >>> 0) + sigma(v, at(0) - k, 28, 34, 39) + (((v[at(0)] & v[at(2)]) | (v[at(4)] & (v[at(0)] | v[at(2)]))) >>> 0);
      v[at(6)] = d;
      v[at(14)] = e;
    }
  }
  for (i = 0; i < 8; i++) {
    c = 0;
    for (k = 1; k >= 0; k--) {
      c = carry(c) + state[2 * i + k] + v[2 * i + k];
      state[2 * i + k] = c;
    }
  }
}

/** Starts a hash with blocks of `size` bytes: 64 for SHA-256, 128 for SHA-512. Messages are shorter than 2^50 bytes. */
export function startSmall(size: number): HashState {
  var work = HAS_SHA512 && (!HAS_SHA256 || size > 64) ? compressSmall : compress;
  var state = newWords(16);
  var words = newWords(64);
  // bytes in `words`, and in all
  var filled = 0;
  var count = 0;

  function update(bytes: Bytes): void {
    var i: number;
    // a verification since the start may have dropped the constants
    deriveOnce();
    // the initial state: SHA-256 uses the first 8 words
    for (i = 0; i < 16 && !count; i++) {
      // 32 bits: an index
      state[i] = size > 64 ? (i & 1 ? LOW : HIGH)[80 + (i >> 1)] : HIGH[80 + i];
    }
    for (i = 0; i < bytes.length; i++) {
      // 32 bits: what was in the word before is shifted out
      words[filled >> 2] = (words[filled >> 2] << 8) | bytes[i];
      if (++filled === size) {
        filled = 0;
        work(state, words);
      }
    }
    count += bytes.length;
  }

  /** Words have 32 bits, and a typed array keeps the low 8 of what is stored in it. */
  function digest(): Bytes {
    var n = count;
    var out = newBytes(size / 2);
    var i: number;
    update([128]);
    while (filled !== size - size / 8) {
      update([0]);
    }
    // The length in bits (FIPS 180-4 §5.1). SHA-512 has two words before it, which SHA-256 computes again.
    words[28] = words[29] = 0;
    words[size / 4 - 2] = n / 536870912;
    words[size / 4 - 1] = n * 8;
    work(state, words);
    for (i = 0; i < size / 2; i++) {
      out[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
    }
    // an Ed25519 verification needs the RAM next
    if (HAS_SHA512 && size > 64) {
      forget();
    }
    return out;
  }

  return { update: update, digest: digest };
}
