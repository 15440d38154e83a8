// A pull reader for the CBOR that SUIT uses, and nothing else: definite lengths, shortest heads, map keys in ascending bytewise order
// and each once (RFC 8949 §4.2.1), no floats, no simple values but false, true and null, no tag that the caller did not ask for.
// It allocates nothing for a declared length: a length is compared with the bytes that are there, then used.
// Helpers stand before their use in all of this package: Espruino has no hoisting.

import { compare, room } from "./bytes.js";
import { refuse } from "./refuse.js";
import {
  CBOR_DEPTH,
  CBOR_INDEFINITE,
  CBOR_KEY_DUPLICATE,
  CBOR_KEY_LENGTH,
  CBOR_KEY_ORDER,
  CBOR_NOT_SHORTEST,
  CBOR_RANGE,
  CBOR_RESERVED,
  CBOR_SIMPLE,
  CBOR_TRAILING,
  CBOR_TRUNCATED,
  CBOR_TYPE,
  CBOR_UTF8,
} from "./spec/errors.js";
import { TAG_CBOR_PEN } from "./spec/suit.js";
import type { Bytes, HashState, Sequence, Source } from "./types.js";

/** Major types (RFC 8949 §3.1). */
export const UINT = 0;
export const NINT = 1;
export const BSTR = 2;
export const TSTR = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;
export const SIMPLE = 7;

export const FALSE = 20;
export const TRUE = 21;
export const NULL = 22;

/** Containers that may be open at once. */
export const MAX_DEPTH = 8;

/** Bytes of a map key: a URI is the longest that SUIT has. */
var MAX_KEY = 1100;
var WINDOW = 64;
var CHUNK = 1024;

/** A stretch of the envelope: offset and length in bytes. */
export interface Slice {
  at: number;
  n: number;
}

/** What is at hand of the input: all of it, or the last stretch that was read from a Source. Shared by all readers of one input. */
interface Window {
  bytes: Bytes;
  base: number;
  limit: number;
}

/** `at` is the next byte, `end` the first byte that is not to be read. After head(): `type` the major type, `hi`/`lo` its argument. */
export interface Reader {
  source: Source | null;
  window: Window;
  at: number;
  end: number;
  type: number;
  hi: number;
  lo: number;
}

/** A reader over the whole of `input`: octets in RAM, or a Source that is read through a window of 64 bytes. */
export function reader(input: Bytes | Source): Reader {
  var source = input && typeof (input as Source).read === "function" ? (input as Source) : null;
  if (!input || !(input.length >= 0)) refuse(CBOR_TRUNCATED, -1);
  return {
    source: source,
    window: { bytes: source ? [] : (input as Bytes), base: 0, limit: source ? 0 : input.length },
    at: 0,
    end: input.length,
    type: 0,
    hi: 0,
    lo: 0,
  };
}

/** A second reader over the same bytes, set to a stretch of them. */
export function sub(r: Reader, slice: Slice): Reader {
  return { source: r.source, window: r.window, at: slice.at, end: slice.at + slice.n, type: 0, hi: 0, lo: 0 };
}

function byteAt(r: Reader, at: number): number {
  var w = r.window,
    n;
  if (at < w.base || at >= w.limit) {
    // only a Source gets here: octets in RAM are one window
    n = r.end - at < WINDOW ? r.end - at : WINDOW;
    w.bytes = (r.source as Source).read(at, n);
    if (w.bytes.length !== n) refuse(CBOR_TRUNCATED, at);
    w.base = at;
    w.limit = at + n;
  }
  return w.bytes[at - w.base] & 255;
}

/** A copy of a stretch. The stretch must lie inside the input. */
export function take(r: Reader, at: number, n: number): Bytes {
  var out, i;
  if (r.source) {
    out = r.source.read(at, n);
    if (out.length !== n) refuse(CBOR_TRUNCATED, at);
    return out;
  }
  out = room(n);
  for (i = 0; i < n; i++) out[i] = byteAt(r, at + i);
  return out;
}

/** Bytes of a reader's input that are moved at a time. */
export function chunkOf(r: Reader): number {
  return (r.source && r.source.chunk) || CHUNK;
}

/** Feeds a stretch to a hash, a chunk at a time. */
export function feed(r: Reader, slice: Slice, hash: HashState): void {
  var at = slice.at,
    end = slice.at + slice.n,
    chunk = chunkOf(r),
    n;
  for (; at < end; at += n) {
    n = end - at < chunk ? end - at : chunk;
    hash.update(take(r, at, n));
  }
}

/** Reads one head. Returns the major type; the argument is in `hi`, `lo` (32 bits each). */
export function head(r: Reader): number {
  var at = r.at,
    first,
    info,
    size,
    i,
    hi = 0,
    lo = 0;
  if (at >= r.end) refuse(CBOR_TRUNCATED, at);
  first = byteAt(r, at++);
  info = first & 31;
  r.type = first >> 5;
  if (info < 24) lo = info;
  else if (info === 31) refuse(CBOR_INDEFINITE, r.at);
  else if (info > 27) refuse(CBOR_RESERVED, r.at);
  else {
    size = 1 << (info - 24);
    // before the length check: a float or a two-byte simple value is refused for what it is
    if (r.type === SIMPLE) refuse(CBOR_SIMPLE, r.at);
    if (r.end - at < size) refuse(CBOR_TRUNCATED, r.at);
    // each half stays below 2^32: at most four bytes go into it
    for (i = 0; i < size; i++) {
      if (size - i > 4) hi = hi * 256 + byteAt(r, at++);
      else lo = lo * 256 + byteAt(r, at++);
    }
    if (size === 8 ? hi === 0 : lo < (size === 1 ? 24 : size === 2 ? 256 : 65536)) refuse(CBOR_NOT_SHORTEST, r.at);
  }
  if (r.type === SIMPLE && (lo < FALSE || lo > NULL)) refuse(CBOR_SIMPLE, r.at);
  r.at = at;
  r.hi = hi;
  r.lo = lo;
  return r.type;
}

function expect(r: Reader, type: number): void {
  var at = r.at;
  if (head(r) !== type) refuse(CBOR_TYPE, at);
}

/** The argument of the last head as a number, exact: refused from 2^53 on. */
function small(r: Reader, at: number): number {
  // 2^53 = 2^21 · 2^32, so below it hi < 2^21 and the sum is exact
  if (r.hi > 2097151) refuse(CBOR_RANGE, at);
  return r.hi * 4294967296 + r.lo;
}

/** An unsigned number below 2^53. */
export function uint(r: Reader): number {
  var at = r.at;
  expect(r, UINT);
  return small(r, at);
}

/** An unsigned number of up to 64 bits, exact. */
export function uint64(r: Reader): Sequence {
  expect(r, UINT);
  return [r.hi, r.lo];
}

/** A signed number, above -2^53 and below 2^53. */
export function int(r: Reader): number {
  var at = r.at,
    type = head(r);
  if (type > NINT) refuse(CBOR_TYPE, at);
  return type === UINT ? small(r, at) : -1 - small(r, at);
}

/** false, true or null: FALSE, TRUE, NULL. */
export function simple(r: Reader): number {
  expect(r, SIMPLE);
  return r.lo;
}

export function bool(r: Reader): boolean {
  var at = r.at,
    v = simple(r);
  if (v === NULL) refuse(CBOR_TYPE, at);
  return v === TRUE;
}

function stretch(r: Reader, start: number): Slice {
  var n = small(r, start),
    at = r.at;
  if (n > r.end - at) refuse(CBOR_TRUNCATED, start);
  r.at = at + n;
  return { at: at, n: n };
}

/** Well-formed UTF-8 without surrogates or overlong forms (RFC 3629 §4). */
function utf8(r: Reader, s: Slice): void {
  var at = s.at,
    end = s.at + s.n,
    b,
    more,
    low,
    high;
  while (at < end) {
    b = byteAt(r, at++);
    if (b >= 128) {
      low = 128;
      high = 191;
      more = b >= 240 ? 3 : b >= 224 ? 2 : 1;
      if (b < 194 || b > 244 || end - at < more) refuse(CBOR_UTF8, at - 1);
      if (b === 224) low = 160;
      else if (b === 237) high = 159;
      else if (b === 240) low = 144;
      else if (b === 244) high = 143;
      for (; more > 0; more--) {
        b = byteAt(r, at++);
        if (b < low || b > high) refuse(CBOR_UTF8, at - 1);
        low = 128;
        high = 191;
      }
    }
  }
}

/** A byte string: where its content lies. The reader stands behind it. */
export function bstr(r: Reader): Slice {
  var at = r.at;
  expect(r, BSTR);
  return stretch(r, at);
}

/** A text string, its UTF-8 checked: where its content lies. */
export function tstr(r: Reader): Slice {
  var at = r.at,
    s;
  expect(r, TSTR);
  s = stretch(r, at);
  utf8(r, s);
  return s;
}

function count(r: Reader, at: number, each: number): number {
  var n = small(r, at);
  // every element takes a byte at least
  if (n > (r.end - r.at) / each) refuse(CBOR_TRUNCATED, at);
  return n;
}

/** The number of elements of an array. */
export function array(r: Reader): number {
  var at = r.at;
  expect(r, ARRAY);
  return count(r, at, 1);
}

/** The number of pairs of a map. Hand each key's stretch to ascending(). */
export function map(r: Reader): number {
  var at = r.at;
  expect(r, MAP);
  return count(r, at, 2);
}

/** A tag that must be `wanted`. */
export function tag(r: Reader, wanted: number, code: number): void {
  var at = r.at;
  if (head(r) !== TAG || r.hi !== 0 || r.lo !== wanted) refuse(code, at);
}

/** The major type of the item that comes next; SIMPLE at the end of the input, where the next read refuses. */
export function peekType(r: Reader): number {
  return r.at < r.end ? byteAt(r, r.at) >> 5 : SIMPLE;
}

/** Refuses bytes behind the last item. */
export function done(r: Reader): void {
  if (r.at !== r.end) refuse(CBOR_TRAILING, r.at);
}

/**
 * Map keys in ascending bytewise order of their encoding, none twice (RFC 8949 §4.2.1). `at` is where the key just read begins;
 * returns its bytes, to be handed in as `last` with the next one.
 */
export function ascending(r: Reader, at: number, last: Bytes | null): Bytes {
  var key, order;
  // a key is copied, before anybody has vouched for it
  if (r.at - at > MAX_KEY) refuse(CBOR_KEY_LENGTH, at);
  key = take(r, at, r.at - at);
  order = last ? compare(key, last) : 1;
  if (order === 0) refuse(CBOR_KEY_DUPLICATE, at);
  if (order < 0) refuse(CBOR_KEY_ORDER, at);
  return key;
}

/**
 * Passes over one item of any kind, as strictly as if it were read. The one tag that may stand inside is a vendor's #6.112. A map inside
 * of a key is refused: SUIT has none, and its keys would be compared over and over.
 */
export function skip(r: Reader): void {
  var left: number[] = [],
    isMap: boolean[] = [],
    last: (Bytes | null)[] = [],
    depth = 0,
    // the map whose key is being read (its depth), and where that key begins
    keyOf = 0,
    keyAt = 0,
    at,
    type,
    n;
  do {
    at = r.at;
    // an even number of items left in a map: this one is a key
    if (!keyOf && depth && isMap[depth - 1] && left[depth - 1] % 2 === 0) {
      keyOf = depth;
      keyAt = at;
    }
    type = head(r);
    if (type === TAG) {
      if (r.hi !== 0 || r.lo !== TAG_CBOR_PEN || head(r) === TAG) refuse(CBOR_TYPE, at);
      type = r.type;
    }
    if (type === BSTR) stretch(r, at);
    else if (type === TSTR) utf8(r, stretch(r, at));
    else if (type === ARRAY || type === MAP) {
      if (type === MAP && keyOf) refuse(CBOR_TYPE, at);
      n = count(r, at, type - 3) * (type - 3);
      if (n > 0) {
        if (depth === MAX_DEPTH) refuse(CBOR_DEPTH, at);
        left[depth] = n;
        isMap[depth] = type === MAP;
        last[depth] = null;
        depth++;
        continue;
      }
    }
    while (depth) {
      if (keyOf === depth) {
        last[depth - 1] = ascending(r, keyAt, last[depth - 1]);
        keyOf = 0;
      }
      if (--left[depth - 1] > 0) break;
      depth--;
    }
  } while (depth);
}

/** Refuses anything but one deterministic item of the kinds that SUIT uses, and nothing behind it. */
export function check(input: Bytes | Source): void {
  var r = reader(input);
  skip(r);
  done(r);
}
