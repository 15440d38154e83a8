// HSS/LMS verification like that of hsslms.ts, in few bytes, for micro verifiers whose engine hashes several pieces in
// one call.

import { equalConstantTime, newBytes, subBytes } from "../base/bytes.js";
import type { Bytes, Hash, Host, Joined, Prepared } from "../base/types.js";
import { CHECKS, copyOfValidKey, hashLength, INTR, LEAF, MESG, PBLC, u32 } from "./hsslms-types.js";

/** verify() of hsslms.ts. `host.sha256.joined` is required. */
export function verifyJoined(key: Bytes | Prepared, message: Bytes, signature: Bytes, host: Host): boolean {
  var raw = copyOfValidKey(key as Bytes);
  var join = (host.sha256 as Hash).joined as Joined;
  var j: number;
  var tmp: Bytes;
  var id: Bytes;
  var i: number;
  var top: number;
  var at = 4;
  var levels: number;
  var n: number;
  var lms: Bytes;
  var w: number;
  var p: number;
  var h: number;
  var q: number;
  var path: number;
  var end: number;
  var signed: Bytes;
  var node: Bytes;
  var all: number[];
  var sum: number;
  var step: (number | Bytes)[];

  /**
   * The first n bytes of the hash of I, q, `d` twice, `a` and `c`. q is below 2^26, and `join` takes the low 8 bits.
   */
  function hash(d: number, a: Bytes, c: Bytes): Bytes {
    return subBytes(join([id, q >> 24, q >> 16, q >> 8, q, d, d, a, c]), 0, n);
  }

  if (!raw || u32(signature, 0) !== raw[3] - 1) return false;
  levels = raw[3];
  n = hashLength(raw, 4);
  lms = subBytes(raw, 4, 24 + n);
  // RFC 8554 §6.3: each level signs the public key of the next one; the last level signs the message.
  while (levels--) {
    j = lms[7] - 1;
    w = 1 << (j & 3);
    top = (1 << w) - 1;
    p = (8 * n) / w + +CHECKS[j];
    h = 5 * (((lms[3] & 15) % 5) + 1);
    path = at + 12 + n + p * n;
    end = path + h * n;
    id = subBytes(lms, 8, 16);
    q = u32(signature, at);
    // Algorithm 6a step 2 (§5.4.2), and SP 800-208 §4: one n for all levels. u32() is NaN past the end. Espruino makes
    // views past the end, and its native hash must not get one.
    if (
      (levels ? signature.length < end + 24 + n || hashLength(signature, end) !== n : signature.length !== end) ||
      u32(signature, at + 4) !== lms[7] ||
      u32(signature, path - 4) !== lms[3] ||
      q >= 1 << h
    )
      return false;
    signed = levels ? subBytes(signature, end, 24 + n) : message;
    // what a step of a chain hashes: one array for all of them, which Espruino need not make again
    step = [id, subBytes(signature, at, 4), 0, 0, 0, id];
    at += 8;
    node = hash(MESG, subBytes(signature, at, n), signed);
    all = newBytes(p * n);
    sum = 0;
    // Algorithm 4b (§4.6); i is below 2^9. The checksum (§4.4) need not be shifted up by ls: its digits are counted
    // from the other end. A digit of Q has 8 - w - i w (modulo 8) bits below it in its byte.
    for (i = 0; i < p; i++) {
      at += n;
      if (i * w < 8 * n) {
        j = (node[(i * w) >> 3] >> ((-w * (i + 1)) & 7)) & top;
        sum += top - j;
      } else j = (sum >> (((p - 1 - i) * w) & 31)) & top;
      step[2] = i >> 8;
      step[3] = i;
      tmp = subBytes(signature, at, n);
      while (j < top) {
        step[4] = j++;
        step[5] = tmp;
        tmp = join(step);
        if (n < 32) tmp = subBytes(tmp, 0, n);
      }
      (all as unknown as Uint8Array).set(tmp, i * n);
    }
    node = hash(PBLC, all, []);
    q += 1 << h;
    node = hash(LEAF, node, []);
    // Algorithm 6a: from the leaf to the root
    while (q > 1) {
      tmp = subBytes(signature, path, n);
      path += n;
      j = q & 1;
      q >>= 1;
      node = hash(INTR, j ? tmp : node, j ? node : tmp);
    }
    if (!equalConstantTime(node, subBytes(lms, 24, n))) return false;
    lms = signed;
    at = end + 24 + n;
  }
  return true;
}
