// SHA-512 and SHA-384 (FIPS 180-4 §6.4, §6.5). A 64-bit word is two 32-bit halves, high first.

import type { Hash } from "../base/types.js";
import { makeHash } from "./block.js";
import { HIGH, LOW } from "./constants.js";

// Low halves are kept unsigned (0..2^32 - 1), so that a sum of at most five of them is below 2^35, exact in a double,
// and its carry is the quotient by 2^32. High halves are signed 32-bit; a sum of at most seven and a carry is exact
// before `| 0` takes it modulo 2^32.
function compress(state: number[], w: number[]): void {
  var high = HIGH;
  var low = LOW;
  var ah = state[0];
  var al = state[1];
  var bh = state[2];
  var bl = state[3];
  var ch = state[4];
  var cl = state[5];
  var dh = state[6];
  var dl = state[7];
  var eh = state[8];
  var el = state[9];
  var fh = state[10];
  var fl = state[11];
  var gh = state[12];
  var gl = state[13];
  var hh = state[14];
  var hl = state[15];
  var i: number;
  var j: number;
  var xh: number;
  var xl: number;
  var yh: number;
  var yl: number;
  var h: number;
  var l: number;
  var end: number[];
  for (i = 0; i < 80; i++) {
    // The schedule is a ring of 16 words: word i overwrites word i - 16.
    j = (i & 15) * 2;
    h = w[j];
    l = w[j + 1] >>> 0;
    if (i > 15) {
      xl = (j + 2) & 31;
      xh = w[xl];
      xl = w[xl + 1];
      yl = (j + 28) & 31;
      yh = w[yl];
      yl = w[yl + 1];
      l +=
        (w[((j + 18) & 31) + 1] >>> 0) +
        ((((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25))) >>> 0) +
        ((((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26))) >>> 0);
      h =
        (h +
          w[(j + 18) & 31] +
          (((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7)) +
          (((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6)) +
          ((l / 4294967296) | 0)) |
        0;
      w[j] = h;
      w[j + 1] = l | 0;
      l = l >>> 0;
    }
    xl =
      hl +
      l +
      low[i] +
      ((((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23))) >>> 0) +
      ((gl ^ (el & (fl ^ gl))) >>> 0);
    xh =
      (hh +
        h +
        high[i] +
        (((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23))) +
        (gh ^ (eh & (fh ^ gh))) +
        ((xl / 4294967296) | 0)) |
      0;
    xl = xl >>> 0;
    yl =
      xl +
      ((((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25))) >>> 0) +
      (((al & bl) | (cl & (al | bl))) >>> 0);
    yh =
      xh +
      (((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25))) +
      ((ah & bh) | (ch & (ah | bh))) +
      ((yl / 4294967296) | 0);
    hh = gh;
    hl = gl;
    gh = fh;
    gl = fl;
    fh = eh;
    fl = el;
    el = dl + xl;
    eh = (dh + xh + ((el / 4294967296) | 0)) | 0;
    el = el >>> 0;
    dh = ch;
    dl = cl;
    ch = bh;
    cl = bl;
    bh = ah;
    bl = al;
    ah = yh | 0;
    al = yl >>> 0;
  }
  end = [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl];
  for (i = 0; i < 16; i += 2) {
    l = state[i + 1] + end[i + 1];
    state[i] = (state[i] + end[i] + ((l / 4294967296) | 0)) | 0;
    state[i + 1] = l >>> 0;
  }
}

/** SHA-512 (FIPS 180-4 §6.4): a digest of 64 bytes. Input in pieces of any length, up to 2^53 bytes in total. */
export var sha512: Hash = /* @__PURE__ */ makeHash(compress, 80, 128, 64);

/** SHA-384 (FIPS 180-4 §6.5): a digest of 48 bytes, otherwise like SHA-512. */
export var sha384: Hash = /* @__PURE__ */ makeHash(compress, 88, 128, 48);
