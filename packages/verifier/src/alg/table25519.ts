// Ed25519 with the table of a prepared anchor: precomputed multiples of the key and of the base point.

import { equalConstantTime, newBytes } from "../base/bytes.js";
import { HAS_TABLES } from "../base/features.js";
import type { Bytes, Host, Prepared } from "../base/types.js";
import { hashBytes } from "../hash/block.js";
import { floor } from "../hash/constants.js";
import { hashing } from "../hash/digest.js";
import { HASH_SHA_256 } from "../spec/cose.js";
import { canonical, entry, NUMBERS, odd, type Point, type Table, vanishes } from "./curve25519.js";
import { add, half, isZero25519, mul25519, parity, readElement, sub, unpack } from "./field25519.js";
import { windows } from "./scalar25519.js";

/** The table that was last compared with its digest, that digest, and the table to use: of numbers, our own copy. */
var lastTable: unknown;
var lastDigest: unknown;
var own: Table;

/**
 * The table of a key if it matches its digest in the code, otherwise null: SHA-256 over its text, also for an array of
 * numbers. Without this check, an attacker who can write to the table could choose the multiples of the key and forge
 * its signatures. Done once for each table, because a text cannot change, and numbers are copied, each read once. In
 * Espruino a text may be in flash, where it can change: there it is done at each verification. The time is that of
 * hashing as many bytes of an image.
 */
export function bound(key: Prepared, host: Host): Table | null {
  var table = key.table as string & number[];
  var digest = key.digest;
  var text = typeof table === "string";
  var n = text ? table.length : 7 * table.length;
  var hash = host.sha256;
  var good = n > 0 && n < 8065;
  var copy: number[] = [];
  var out: number[];
  var i: number;
  var j: number;
  var t: number;
  var u: number;
  // a module for Espruino has no tables of multiples
  if (table !== lastTable || digest !== lastDigest || (!HAS_TABLES && text)) {
    out = newBytes(good ? n : 0);
    for (i = 0; good && i < n; i++) {
      if (text) {
        // a byte from 0 to 255, or nothing of the array is used
        t = table.charCodeAt(i);
        good = t < 127;
        out[i] = t;
      } else {
        // Seven digits of a number, see `read`. Below 71^7 < 2^44 all of this is exact; a larger number leaves a
        // remainder.
        t = table[i / 7];
        good = t === floor(t);
        copy.push(t);
        for (j = i + 6; j >= i; j--) {
          u = floor((t + 35) / 71);
          t -= 71 * u;
          out[j] = t + (t < -11 ? 138 : 46);
          t = u;
        }
        good = good && t === 0;
        i += 6;
      }
    }
    if (!good || !digest || !equalConstantTime(hash && hash.once ? hash.once(out) : hashBytes(hashing(host, HASH_SHA_256), out), digest)) {
      return null;
    }
    lastTable = table;
    lastDigest = digest;
    own = text ? table : copy;
  }
  return own;
}

/**
 * [S]B = R + [k]A with a table: for A and then for B, 1, 2 or 4 odd multiples of each of 4 bases [2^64 i], or 4 of each
 * of 8 bases [2^32 i]. Each multiple is y - x, y + x, 2 d x y. The sizes hold for any content of the table (see `read`
 * and `join`). `bound` checks its digest. Its first entry must be the key, so that the table of one key cannot be used
 * for another. Small tables are read once: they take about as much RAM as the multiples without a table.
 */
export function prepared(raw: Bytes, table: Table, s: number[], k: number[], r: Point): boolean {
  var each = table.length / (typeof table === "string" ? 1008 : 144);
  var bases = each > 4 ? 8 : 4;
  var span = 256 / bases;
  var list: Point[] = [];
  var multiples: Point[] | Table = table;
  var n = each * 8;
  var i: number;
  var q: Point;
  if (each !== 1 && each !== 2 && each !== 4 && each !== 8) {
    return false;
  }
  q = entry(table, 0);
  add(q[2], q[1], q[0]);
  sub(q[1], q[1], q[0]);
  mul25519(q[1], q[1], half());
  mul25519(q[2], q[2], half());
  i = parity(q[1]);
  sub(q[2], q[2], unpack(raw));
  if (i !== raw[31] >> 7 || !isZero25519(q[2]) || !canonical(raw)) {
    return false;
  }
  for (i = 0; i < n && each < 3; i++) {
    list[i] = entry(table, i);
    multiples = list;
  }
  // Widths 2, 3, 4.
  i = each > 2 ? 4 : each + 1;
  each = each > 4 ? 4 : each;
  return vanishes([
    [windows(k, i), true, span, multiples, each],
    [windows(s, i), false, span, multiples, each, n / 2],
    [[1], true, 262, odd(r[0], r[1], readElement(NUMBERS, 0), true)],
  ]);
}
