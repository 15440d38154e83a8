// HSS/LMS verification (RFC 8554) with SHA-256 (n = 32) and SHA-256/192 (n = 24; SP 800-208 §4.2, RFC 9858 §2); in COSE
// RFC 8778.
//
// Nearly all the time goes into the chains of the one-time signature, whose input I, q, i, j, tmp of 55 or 47 octets
// fits one block of SHA-256. With our own SHA-256 a chain stays in words, and a step is one compression. With the
// host's, whose results come as octets, one buffer is hashed again and again, and the engine does the copying: an
// interpreter that runs source text takes more than ten times as long to move 32 octets one by one as to have them
// hashed.
//
// Stricter than RFC 8554: no octet may follow the signature, and one n holds for all levels.

import { areOctets, equalConstantTime, newBytes, rawKey, subBytes } from "../base/bytes.js";
import { HAS_GENERAL, HAS_ONCE, HAS_PLAIN, HAS_SHA256 } from "../base/features.js";
import type { Alg, Bytes, Hash, HashState, Host, Joined, Prepared } from "../base/types.js";
import { hashOneBlock, sha256 } from "../hash/sha256.js";
import { ALG_HSS_LMS } from "../spec/cose.js";
import { verifyJoined } from "./hsslms-joined.js";
import { CHECKS, copyOfValidKey, hashLength, INTR, LEAF, MESG, PBLC, u32 } from "./hsslms-types.js";

/** Copies `from`, at least `n` bytes long, to `at`: all of it if the engine copies, otherwise `n` bytes. */
function copyInto(to: number[], at: number, from: Bytes, n: number): void {
  var i: number;
  if (!HAS_PLAIN || (to as unknown as Uint8Array).set) (to as unknown as Uint8Array).set(from, at);
  else for (i = 0; i < n; i++) to[at + i] = from[i];
}

function hashOnce(hash: Hash, b: Bytes): Bytes {
  var s: HashState;
  if (!HAS_SHA256 || hash.once) return (hash.once as (bytes: Bytes) => Bytes)(b);
  s = hash.create();
  s.update(b);
  return s.digest();
}

/** An input of the hash: I, `number`, `d` twice, which are 22 bytes, then `a` and `c`. `key`: an LMS public key. */
function hashInput(key: Bytes, number: number, d: number, a: Bytes, c: Bytes): number[] {
  var b = newBytes(22 + a.length + c.length);
  copyInto(b, 0, subBytes(key, 8, 16), 16);
  // q and the numbers of nodes are below 2^26: 32 bits are enough, and the first byte is below 2^2.
  b[16] = number >> 24;
  b[17] = (number >> 16) & 255;
  b[18] = (number >> 8) & 255;
  b[19] = number & 255;
  b[20] = d;
  b[21] = d;
  copyInto(b, 22, a, a.length);
  copyInto(b, 22 + a.length, c, c.length);
  return b;
}

/** The first `n` bytes of the hash of `b`. Copied, because the result of a host's hash may not support views. */
function truncatedDigest(hash: Hash, b: Bytes, n: number): Bytes {
  var out = newBytes(32);
  copyInto(out, 0, hashOnce(hash, b), n);
  return subBytes(out, 0, n);
}

/** The first `n` bytes of the hash of I, `number`, `d` twice, `a` and `c`. */
function hashPieces(hash: Hash, key: Bytes, number: number, d: number, a: Bytes, c: Bytes, n: number): Bytes {
  return truncatedDigest(hash, hashInput(key, number, d, a, c), n);
}

/**
 * The digits of Q and of its checksum, of `w` bits each: coef(Q || Cksm(Q), i, w) (RFC 8554 §3.1.3); none crosses an
 * octet. The sum (§4.4) is at most 2^8 for w = 1, 2^9 for 2, 2^10 for 4, 2^13 for 8. It need not be shifted up by ls,
 * since the digits are counted from its other end: the last one has the lowest bits.
 */
function coefficients(code: Bytes, w: number, p: number, n: number): number[] {
  var i = 0;
  var j: number;
  var k: number;
  var out = newBytes(p);
  var top = (1 << w) - 1;
  var sum = 0;
  for (k = 0; k < n; k++) for (j = 8 - w; j >= 0; j -= w) sum += out[i++] = (code[k] >> j) & top;
  sum = i * top - sum;
  for (; i < p; i++) out[i] = (sum >> (((p - 1 - i) * w) & 31)) & top;
  return out;
}

// The following functions are small, and declare the variables of their inner loops first: interpreters of source text
// look up a variable by name, in declaration order. There are at most 265 chains, with 255 steps each.

/**
 * Computes the chains of `digits` with a host's hash. y begins at `at`; the ends of the chains go to `all`, from byte
 * 22 on. `b` holds I and q; `v` is a view of the input of a step in it. `j` may have any value. i is below 2^9.
 */
function hostChains(
  b: Uint8Array,
  j: number,
  once: (b: Bytes) => Bytes,
  v: Bytes,
  top: number,
  i: number,
  y: Uint8Array,
  at: number,
  n: number,
  digits: number[],
  all: Uint8Array,
): void {
  var tmp = subBytes(b, 23, n);
  for (; i < digits.length; i++) {
    b[20] = i >> 8;
    b[21] = i;
    copyInto(b as unknown as number[], 23, subBytes(y, at + i * n, n), n);
    j = digits[i];
    while (j < top) {
      b[22] = j++;
      b.set(once(v), 23);
    }
    all.set(tmp, 22 + i * n);
  }
}

/**
 * Like hostChains(), for n = 32 and a hash that takes its input in pieces, of which `v` is the first 22 bytes: only the
 * ends are copied. i is below 2^9.
 */
function joinedChains(
  j: number,
  tmp: Bytes,
  hash: Joined,
  v: Bytes,
  top: number,
  i: number,
  b: Uint8Array,
  y: Bytes,
  at: number,
  digits: number[],
  all: Uint8Array,
): void {
  for (; i < digits.length; i++) {
    b[20] = i >> 8;
    b[21] = i;
    tmp = subBytes(y, at + 32 * i, 32);
    j = digits[i];
    while (j < top) tmp = hash([v, j++, tmp]);
    all.set(tmp, 22 + 32 * i);
  }
}

/** Like hostChains(), without a one-shot hash or without typed arrays. */
function genericChains(b: number[], hash: Hash, digits: number[], top: number, all: number[], y: Bytes, at: number, n: number): void {
  var i: number;
  var j: number;
  for (i = 0; i < digits.length; i++) {
    b[20] = i >> 8;
    b[21] = i & 255;
    copyInto(b, 23, subBytes(y, at + i * n, n), n);
    for (j = digits[i]; j < top; j++) {
      b[22] = j;
      copyInto(b, 23, hashOnce(hash, subBytes(b, 0, 23 + n)), n);
    }
    copyInto(all, 22 + i * n, subBytes(b, 23, n), n);
  }
}

/**
 * Like hostChains(), with our own hash. The first 5 of `words` hold I and q, those that tmp does not reach hold the
 * padding; tmp is the first `n` / 4 words of `state`. j is at byte 22 of the block, so tmp is not aligned to words,
 * which have 32 bits.
 */
function wordChains(words: number[], digits: number[], top: number, all: number[], y: Bytes, at: number, n: number): void {
  var state: number[] = [];
  var i: number;
  var j: number;
  var k: number;
  for (i = 0; i < digits.length; i++) {
    for (k = 0; k < n; k += 4) state[k >> 2] = u32(y, at + k) | 0;
    for (j = digits[i]; j < top; j++) {
      words[5] = (i << 16) | (j << 8) | (state[0] >>> 24);
      for (k = 1; k < n >> 2; k++) words[5 + k] = (state[k - 1] << 8) | (state[k] >>> 24);
      words[5 + k] = (state[k - 1] << 8) | 128;
      hashOneBlock(state, words);
    }
    at += n;
    for (k = 0; k < n; k++) all[22 + i * n + k] = (state[k >> 2] >>> (24 - 8 * (k & 3))) & 255;
  }
}

/**
 * The candidate public key Kc for `message` (RFC 8554 §4.6, algorithm 4b) from the one-time signature whose C is at
 * `at`, followed by y. `key`: the LMS public key; `p` chains of `w` bits, 1 to 8. Words have 32 bits.
 */
function candidateKey(
  hash: Hash,
  key: Bytes,
  q: number,
  message: Bytes,
  signature: Bytes,
  at: number,
  w: number,
  p: number,
  n: number,
): Bytes {
  var digits = coefficients(hashPieces(hash, key, q, MESG, subBytes(signature, at, n), message, n), w, p, n);
  var all = hashInput(key, q, PBLC, newBytes(p * n), []);
  // i, j and tmp: room for a whole hash, whose last bytes are ignored if n is 24
  var b = hashInput(key, q, 0, newBytes(33), []);
  var to = b as unknown as Uint8Array;
  var top = (1 << w) - 1;
  var words: number[] = [];
  var k: number;
  at += n;
  if (HAS_SHA256 && hash === sha256) {
    for (k = 0; k < 15; k++) words[k] = k < 5 ? u32(b, 4 * k) | 0 : 0;
    words[15] = 8 * (23 + n);
    wordChains(words, digits, top, all, signature, at, n);
  } else if (hash.joined && n > 24 && typeof Uint8Array !== "undefined")
    joinedChains(0, b, hash.joined, subBytes(b, 0, 22), top, 0, to, signature, at, digits, all as unknown as Uint8Array);
  else if (!HAS_SHA256 || (hash.once && (!HAS_PLAIN || typeof Uint8Array !== "undefined")))
    hostChains(
      to,
      0,
      hash.once as (bytes: Bytes) => Bytes,
      subBytes(b, 0, 23 + n),
      top,
      0,
      signature as Uint8Array,
      at,
      n,
      digits,
      all as unknown as Uint8Array,
    );
  else genericChains(b, hash, digits, top, all, signature, at, n);
  return truncatedDigest(hash, all, n);
}

function valid(key: Bytes): boolean {
  return !!copyOfValidKey(key);
}

/** For micro verifiers, which ask whether the result is true. */
var validMicro = copyOfValidKey as (key: Bytes) => boolean;

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = copyOfValidKey(HAS_GENERAL ? rawKey(key) : (key as Bytes));
  var given = (HAS_GENERAL ? host || {} : host).sha256;
  var hash = (HAS_SHA256 && !(given && (given.once || given.create)) ? sha256 : given) as Hash;
  var levels: number;
  var n: number;
  var at = 4;
  var lms: Bytes;
  var w: number;
  var p: number;
  var h: number;
  var q: number;
  var path: number;
  var end: number;
  var signed: Bytes;
  var node: Bytes;
  var side: Bytes;
  if (!raw || (HAS_GENERAL && !(message && message.length >= 0 && signature))) return false;
  levels = u32(raw, 0);
  n = hashLength(raw, 4);
  // Only bytes are accepted: a hash would use the low 8 bits of other numbers.
  if (!areOctets(signature) || u32(signature, 0) !== levels - 1) return false;
  lms = subBytes(raw, 4, 24 + n);
  // RFC 8554 §6.3: each level signs the public key of the next one; the last level signs the message.
  for (; levels > 0; levels--) {
    // sizeOf has checked that types are bytes. 8n/w is an integer.
    w = 1 << ((lms[7] - 1) & 3);
    p = (8 * n) / w + +CHECKS[lms[7] - 1];
    h = 5 * (((lms[3] & 15) % 5) + 1);
    path = at + 12 + n + p * n;
    end = path + h * n;
    if (levels > 1 ? signature.length < end + 24 + n : signature.length !== end) return false;
    // Algorithm 6a step 2 (§5.4.2): the types must be those of the key, and leaf numbers are below 2^h.
    q = u32(signature, at);
    if (u32(signature, at + 4) !== lms[7] || u32(signature, path - 4) !== lms[3] || q >= 1 << h) return false;
    signed = levels > 1 ? subBytes(signature, end, 24 + n) : message;
    // SP 800-208 §4: all levels use the hash function of level 0. A shorter n would be weaker than the key promises.
    if (levels > 1 && hashLength(signed, 0) !== n) return false;
    node = candidateKey(hash, lms, q, signed, signature, at + 8, w, p, n);
    // Algorithm 6a: from the leaf to the root. Node numbers are below 2^26.
    q += 1 << h;
    node = hashPieces(hash, lms, q, LEAF, node, [], n);
    for (; q > 1; q >>= 1) {
      side = subBytes(signature, path, n);
      node = hashPieces(hash, lms, q >> 1, INTR, q & 1 ? side : node, q & 1 ? node : side, n);
      path += n;
    }
    if (!equalConstantTime(node, subBytes(lms, 24, n))) return false;
    lms = signed;
    at = end + 24 + n;
  }
  return true;
}

/**
 * HSS/LMS with SHA-256 (RFC 8554, RFC 8778, RFC 9858). Key (RFC 8554 §6.1), 28 + n bytes: number of levels (1 to 8),
 * LMS type and LM-OTS type, each 4 bytes in big-endian order, I (16 bytes) and T[1] (n bytes); n is 32 or 24. Types:
 * LMS 5 to 9 with LM-OTS 1 to 4, or LMS 10 to 14 with LM-OTS 5 to 8. Levels may differ in height and width, but not in
 * n. Signature (RFC 8554 §6.2): 16 + n (1 + p + h) bytes for one level, with height h and p chains; for example 2,352
 * bytes for LMS type 5 and LM-OTS type 3 (h = 5, w = 4). COSE algorithm -46 (RFC 8778 §3). `host.sha256.once` must
 * accept views as well as whole arrays; `once` and `joined` are called as plain functions, not as methods.
 *
 * @example
 * ```ts
 * import { hsslms } from "@firmseal/verifier";
 *
 * hsslms.verify(publicKey, message, signature, {}); // true or false
 * ```
 */
export var hsslms: Alg = { ids: [ALG_HSS_LMS], valid: HAS_GENERAL ? valid : validMicro, verify: HAS_ONCE ? verify : verifyJoined };
