// SHA-256 (FIPS 180-4 §6.2) on 32-bit words.

import type { Hash } from "../base/types.js";
import { HIGH, makeHash } from "./block.js";

// Every sum below has at most five terms of 32 bits: under 2^35, exact in a double before `| 0` takes it modulo 2^32.
export function compress(state: number[], w: number[]): void {
  var round = HIGH;
  var a = state[0];
  var b = state[1];
  var c = state[2];
  var d = state[3];
  var e = state[4];
  var f = state[5];
  var g = state[6];
  var h = state[7];
  var i: number;
  var x: number;
  var y: number;
  var end: number[];
  for (i = 0; i < 64; i++) {
    if (i > 15) {
      x = w[i - 15];
      y = w[i - 2];
      w[i] =
        ((((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
          (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)) +
          w[i - 7] +
          w[i - 16]) |
        0;
    }
    x = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + round[i] + w[i]) | 0;
    y = (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = (d + x) | 0;
    d = c;
    c = b;
    b = a;
    a = (x + y) | 0;
  }
  end = [a, b, c, d, e, f, g, h];
  for (i = 0; i < 8; i++) {
    state[i] = (state[i] + end[i]) | 0;
  }
}

/**
 * Hashes a message that fits one block. The first 16 of `words` are the block, padded (§5.1.1), as signed 32-bit
 * numbers; they are not changed, and 48 more follow them. Writes the digest to the 8 words of `state`. Needs the round
 * constants: some hash must have been started before.
 */
export function hashOneBlock(state: number[], words: number[]): void {
  var i: number;
  for (i = 0; i < 8; i++) {
    state[i] = HIGH[i + 80];
  }
  compress(state, words);
}

/**
 * SHA-256 (FIPS 180-4 §6.2): a digest of 32 bytes. Input in pieces of any length, up to 2^53 bytes in total.
 * @example var h = sha256.create(); h.update(first); h.update(second); h.digest();
 */
export var sha256: Hash = /* @__PURE__ */ makeHash(compress, 80, 64, 32);
