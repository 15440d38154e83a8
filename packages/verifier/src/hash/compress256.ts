// The compression of SHA-256 (FIPS 180-4 §6.2) on 32-bit words.

import { HIGH } from "./constants.js";

/** Works the block in the first 16 of `w` into `state`. 48 words more follow. */
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
