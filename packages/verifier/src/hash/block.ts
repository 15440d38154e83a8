// Common parts of SHA-256 and SHA-512: splitting the input into blocks, padding (FIPS 180-4 §5.1).

import { newBytes, newWords } from "../base/bytes.js";
import { HAS_TOOLS } from "../base/features.js";
import type { Bytes, Hash, HashState } from "../base/types.js";
import { deriveOnce, floor, HIGH, LOW } from "./constants.js";

/** Works the block in the first 16 or 32 of `words`, as 32-bit numbers, into `state`. */
export type Compress = (state: number[], words: number[]) => void;

/**
 * Ends a block of `size` bytes, from byte `at` on, with the message length in bits, big-endian, for a message of
 * `count` bytes (FIPS 180-4 §5.1). Exact for every count up to 2^53: the number of bits is then a multiple of 8 below
 * 2^56. No bit operations, which would drop everything above 2^32.
 */
export function writeLength(block: number[], at: number, size: number, count: number): void {
  count *= 8;
  while (size > at) {
    block[--size] = count % 256;
    count = floor(count / 256);
  }
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
    var n = count;
    var i: number;
    update([128]);
    while (filled !== size - size / 8) {
      update([0]);
    }
    writeLength(block, filled, size, n);
    take(block, 0);
    for (i = 0; i < length; i++) {
      out[i] = (state[i >> 2] >>> (24 - 8 * (i & 3))) & 255;
    }
    return out;
  }

  deriveOnce();
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

/** A hash function with the parameters of `startHash`. Bundles call only `create`. */
export function makeHash(compress: Compress, from: number, size: number, length: number): Hash {
  function create(): HashState {
    return startHash(compress, from, size, length);
  }
  function once(bytes: Bytes): Bytes {
    return hashBytes(create(), bytes);
  }
  return HAS_TOOLS ? { create: create, once: once } : { create: create };
}
