// HSS/LMS verification (RFC 8554) with SHA-256 (n = 32) and SHA-256/192 (n = 24; SP 800-208 §4.2, RFC 9858 §2); in COSE RFC 8778.
//
// Nearly all the time goes into the chains of the one-time signature, whose input I, q, i, j, tmp of 55 or 47 octets fits one block of
// SHA-256. With our own SHA-256 a chain stays in words, and a step is one compression; with the host's, one buffer is used again and again.
//
// Stricter than the RFC: no octet may follow the signature, and one n holds for all levels.

import { room, same } from "../cbor.js";
import { sha256, single } from "../hash/sha256.js";
import { ALG_HSS_LMS } from "../spec/cose.js";
import type { Alg, Bytes, Hash, HashState, Host, Prepared } from "../types.js";

/** Chains of the checksum for the LM-OTS types 1 to 8: `p` less 8n/w (RFC 8554 §4.1, appendix B; RFC 9858 §3.1). */
var CHECKS = [9, 5, 3, 2, 8, 5, 3, 2];

// D_PBLC, D_MESG, D_LEAF, D_INTR (RFC 8554 §7.1) are 0x8080 to 0x8383: one octet twice.
var PBLC = 128;
var MESG = 129;
var LEAF = 130;
var INTR = 131;

/** u32str backwards (RFC 8554 §3.1.2): exact, unlike a shift, which makes what is above 2^31 negative. Not a number past the end. */
function u32(b: Bytes, at: number): number {
  return b[at] * 16777216 + b[at + 1] * 65536 + b[at + 2] * 256 + b[at + 3];
}

/** `n` octets of `from`, from `begin` on, go to `at`. The engine's own copying is used where it takes just them. */
function put(to: number[], at: number, from: Bytes, begin: number, n: number): void {
  var i: number;
  if (from.length === n && (to as unknown as Uint8Array).set) (to as unknown as Uint8Array).set(from, at);
  else for (i = 0; i < n; i++) to[at + i] = from[begin + i];
}

function cut(from: Bytes, at: number, n: number): number[] {
  var out = room(n);
  put(out, 0, from, at, n);
  return out;
}

/** Room for 22 octets and `n` more. The 22 are I, `number` and `d` twice: what every input begins with. `key`: an LMS public key. */
function input(key: Bytes, number: number, d: number, n: number): number[] {
  var b = room(22 + n);
  var i: number;
  for (i = 0; i < 16; i++) b[i] = key[8 + i];
  // q and the numbers of nodes are below 2^26: 32 bits are enough.
  for (i = 0; i < 4; i++) b[16 + i] = (number >> (24 - 8 * i)) & 255;
  b[20] = b[21] = d;
  return b;
}

function once(hash: Hash, b: Bytes): Bytes {
  var s: HashState;
  if (hash.once) return hash.once(b);
  s = hash.create();
  s.update(b);
  return s.digest();
}

/** The first `n` octets of the hash of I, `number`, `d` twice, `a` and `b`. */
function digest(hash: Hash, key: Bytes, number: number, d: number, a: Bytes, b: Bytes, n: number): number[] {
  var c = input(key, number, d, a.length + b.length);
  put(c, 22, a, 0, a.length);
  put(c, 22 + a.length, b, 0, b.length);
  return cut(once(hash, c), 0, n);
}

/**
 * K of the one-time signature whose C is at `at` and whose y follows it, if it is one on `message` (RFC 8554 §4.6, algorithm 4b).
 * `key`: the LMS public key; `p` chains of `w` bits.
 */
function candidate(
  hash: Hash,
  key: Bytes,
  q: number,
  message: Bytes,
  signature: Bytes,
  at: number,
  w: number,
  p: number,
  n: number,
): number[] {
  var code = digest(hash, key, q, MESG, cut(signature, at, n), message, n);
  var all = input(key, q, PBLC, p * n);
  var b = input(key, q, 0, 1 + n);
  var top = (1 << w) - 1;
  var length = n >> 2;
  var words: number[] = [];
  var state: number[] = [];
  var sum = 0;
  var i: number;
  var j: number;
  var k: number;
  var y: Bytes;
  for (k = 0; k < 15; k++) words[k] = k < 5 ? (b[4 * k] << 24) | (b[4 * k + 1] << 16) | (b[4 * k + 2] << 8) | b[4 * k + 3] : 0;
  words[15] = 8 * (23 + n);
  for (i = 0; i < p; i++) {
    at += n;
    // coef(Q || Cksm(Q), i, w) (§3.1.3). No digit crosses an octet. Where those of Q end, sum becomes the checksum (§4.4) in 16 bits: it is at
    // most 2^8 for w = 1, 2^9 for 2, 2^10 for 4 and 2^13 for 8, and its digits are the highest.
    k = i * w;
    if (k < 8 * n) {
      j = (code[k >> 3] >> (8 - w - (k & 7))) & top;
      sum += top - j;
    } else {
      if (k === 8 * n) sum <<= 16 - (p - i) * w;
      j = (sum >> (16 - w - k + 8 * n)) & top;
    }
    if (hash === sha256) {
      // Octet 23 of the block is in the lowest 8 bits of word 5, so tmp stands one octet past the borders of words.
      for (k = 0; k < length; k++) state[k] = u32(signature, at + 4 * k) | 0;
      for (; j < top; j++) {
        words[5] = (i << 16) | (j << 8) | (state[0] >>> 24);
        for (k = 1; k < length; k++) words[5 + k] = (state[k - 1] << 8) | (state[k] >>> 24);
        words[5 + k] = (state[k - 1] << 8) | 128;
        single(state, words);
      }
      for (k = 0; k < n; k++) all[22 + i * n + k] = (state[k >> 2] >>> (24 - 8 * (k & 3))) & 255;
    } else {
      b[20] = i >> 8;
      b[21] = i & 255;
      y = cut(signature, at, n);
      for (; j < top; j++) {
        b[22] = j;
        put(b, 23, y, 0, n);
        y = once(hash, b);
      }
      put(all, 22 + i * n, y, 0, n);
    }
  }
  return cut(once(hash, all), 0, n);
}

/**
 * n where LMS type and LM-OTS type at `at` are known and have the same, otherwise 0.
 * LMS 5 to 9 and LM-OTS 1 to 4 have 32 (RFC 8554 §5.1, §4.1), LMS 10 to 14 and LM-OTS 5 to 8 have 24 (RFC 9858 §3).
 */
function sizeOf(b: Bytes, at: number): number {
  var tree = u32(b, at);
  var ots = u32(b, at + 4);
  var n = tree < 10 ? 32 : 24;
  return tree > 4 && tree < 15 && ots > 0 && ots < 9 && n === (ots < 5 ? 32 : 24) ? n : 0;
}

function valid(key: Bytes): boolean {
  var levels = u32(key, 0);
  var n = sizeOf(key, 4);
  return n > 0 && levels > 0 && levels < 9 && key.length === 28 + n;
}

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = (key as Prepared).key || (key as Bytes);
  var hash = host.sha256 || sha256;
  var at = 4;
  var n: number;
  var levels: number;
  var w: number;
  var p: number;
  var h: number;
  var q: number;
  var path: number;
  var end: number;
  var lms: number[];
  var signed: Bytes;
  var node: Bytes;
  var side: Bytes;
  if (!valid(raw) || u32(signature, 0) !== raw[3] - 1) return false;
  n = sizeOf(raw, 4);
  lms = cut(raw, 4, 24 + n);
  // Algorithm 6 (RFC 8554 §6.3): each level signs the public key of the next one, the last the message.
  for (levels = raw[3]; levels > 0; levels--) {
    // Types are octets here: sizeOf has seen to that. 8n/w is an integer.
    w = 1 << ((lms[7] - 1) & 3);
    p = (8 * n) / w + CHECKS[lms[7] - 1];
    h = 5 * ((lms[3] % 5) + 1);
    path = at + 12 + n + p * n;
    end = path + h * n;
    if (levels > 1 ? signature.length < end + 24 + n : signature.length !== end) return false;
    q = u32(signature, at);
    // Algorithms 6a and 4a: the types are those of the key; a q past the leaves would be a second name of one of them.
    if (u32(signature, at + 4) !== lms[7] || u32(signature, path - 4) !== lms[3] || q >= 1 << h) return false;
    signed = message;
    if (levels > 1) {
      signed = cut(signature, end, 24 + n);
      // SP 800-208 §4: every level has the hash function of level 0. A shorter one would weaken what the key promises.
      if (sizeOf(signed, 0) !== n) return false;
    }
    // Algorithm 6a: from the leaf to the root. Numbers of nodes are below 2^26.
    node = candidate(hash, lms, q, signed, signature, at + 8, w, p, n);
    q += 1 << h;
    node = digest(hash, lms, q, LEAF, node, [], n);
    for (; q > 1; path += n) {
      side = cut(signature, path, n);
      node = q & 1 ? digest(hash, lms, q >> 1, INTR, side, node, n) : digest(hash, lms, q >> 1, INTR, node, side, n);
      q >>= 1;
    }
    if (!same(node, cut(lms, 24, n))) return false;
    lms = signed as number[];
    at = end + 24 + n;
  }
  return true;
}

/**
 * HSS/LMS with SHA-256. Key (RFC 8778 §2, RFC 8554 §6.1), 28 + n octets: the number of levels, 1 to 8, LMS type and LM-OTS type, 4 octets
 * each and most significant first, I of 16, T[1] of n; n is 32 or 24. Types: LMS 5 to 9 with LM-OTS 1 to 4, LMS 10 to 14 with LM-OTS 5 to 8;
 * levels may differ in height and width, but not in n. Signature (RFC 8554 §6.2): 16 + n (1 + p + h) octets for one level, with h the height
 * and p the number of chains: 2,352 for LMS type 5 and LM-OTS type 3 (h = 5, w = 4). COSE algorithm -46 (RFC 8778 §3).
 * @example hsslms.verify(key, message, signature, {})
 */
export var hsslms: Alg = { ids: [ALG_HSS_LMS], valid: valid, verify: verify };
