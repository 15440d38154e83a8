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
import type { Bytes, Sequence, Source } from "./types.js";

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
var MAX_NUMBER = 9007199254740991;
var WINDOW = 64;
var CHUNK = 1024;

/** A stretch of the envelope: offset and length in bytes. */
export interface Slice {
  at: number;
  n: number;
}

/**
 * What is at hand of the input: all of it, or the last stretch that was read from a Source. Shared by all readers of one input.
 * `lenient`: whether code points of the family that this build does not run are read all the same, as peek() does.
 */
interface Window {
  source: Source | null;
  bytes: Bytes;
  base: number;
  limit: number;
  lenient: boolean;
}

/**
 * `at` is the next byte, `end` the first byte that is not to be read. After head(): `type` the major type, `n` its argument, exact below
 * 2^53, and the same in two halves of 32 bits, `hi` and `lo`. `last`: the key before, of the map that is read.
 */
export interface Reader {
  window: Window;
  at: number;
  end: number;
  type: number;
  n: number;
  hi: number;
  lo: number;
  last: Bytes | null;
}

/** A second reader over the same bytes, from one byte up to another. */
export function between(r: Reader, at: number, end: number): Reader {
  return { window: r.window, at: at, end: end, type: 0, n: 0, hi: 0, lo: 0, last: null };
}

/** A second reader over the same bytes, set to a stretch of them. */
export function sub(r: Reader, slice: Slice): Reader {
  return between(r, slice.at, slice.at + slice.n);
}

/** A reader over the whole of `input`: octets in RAM, or a Source that is read through a window of 64 bytes. */
export function reader(input: Bytes | Source): Reader {
  var source = input && typeof (input as Source).read === "function" ? (input as Source) : null;
  if (!input || !(input.length >= 0)) refuse(CBOR_TRUNCATED, -1);
  return between(
    {
      window: { source: source, bytes: source ? [] : (input as Bytes), base: 0, limit: source ? 0 : input.length, lenient: false },
    } as Reader,
    0,
    input.length,
  );
}

/** Octets from a Source, as many as were asked for. */
function fetch(source: Source, at: number, n: number): Bytes {
  var bytes = source.read(at, n);
  if (bytes.length !== n) refuse(CBOR_TRUNCATED, at);
  return bytes;
}

function byteAt(r: Reader, at: number): number {
  var w = r.window,
    n;
  if (at < w.base || at >= w.limit) {
    // only a Source gets here: octets in RAM are one window
    n = r.end - at < WINDOW ? r.end - at : WINDOW;
    w.bytes = fetch(w.source as Source, at, n);
    w.base = at;
    w.limit = at + n;
  }
  return w.bytes[at - w.base] & 255;
}

/** A copy of a stretch. The stretch must lie inside the input. */
export function take(r: Reader, at: number, n: number): Bytes {
  var source = r.window.source,
    out,
    i;
  if (source) return fetch(source, at, n);
  out = room(n);
  for (i = 0; i < n; i++) out[i] = byteAt(r, at + i);
  return out;
}

/** Bytes of a reader's input that are moved at a time. */
export function chunkOf(r: Reader): number {
  return (r.window.source && r.window.source.chunk) || CHUNK;
}

/** Hands a stretch to `use`, a chunk at a time. */
export function feed(r: Reader, slice: Slice, use: (bytes: Bytes) => void): void {
  var at = slice.at,
    end = at + slice.n,
    n;
  for (; at < end; at += n) {
    n = chunkOf(r);
    if (n > end - at) n = end - at;
    use(take(r, at, n));
  }
}

/** Refuses what would take more bytes than there are. */
function within(r: Reader, n: number, at: number): void {
  if (n > r.end - r.at) refuse(CBOR_TRUNCATED, at);
}

/** Reads one head. Returns the major type; the argument is in `n`, and in `hi` and `lo`. */
export function head(r: Reader): number {
  var start = r.at,
    size = 0,
    first;
  within(r, 1, start);
  first = byteAt(r, r.at++);
  r.type = first >> 5;
  r.hi = 0;
  r.lo = first & 31;
  if (r.lo > 23) {
    if (r.lo === 31) refuse(CBOR_INDEFINITE, start);
    if (r.lo > 27) refuse(CBOR_RESERVED, start);
    // before the length check: a float or a two-byte simple value is refused for what it is
    if (r.type === SIMPLE) refuse(CBOR_SIMPLE, start);
    // 1, 2, 4 or 8 bytes
    size = 1 << (r.lo - 24);
    within(r, size, start);
    r.lo = 0;
    // each half stays below 2^32: at most four bytes go into it
    for (first = size; first > 0; first--) {
      if (first > 4) r.hi = r.hi * 256 + byteAt(r, r.at++);
      else r.lo = r.lo * 256 + byteAt(r, r.at++);
    }
  }
  // at or above 2^53 the sum is rounded, to 2^53 at least
  r.n = r.hi * 4294967296 + r.lo;
  if (size && r.n < (size < 2 ? 24 : size < 4 ? 256 : size < 8 ? 65536 : 4294967296)) refuse(CBOR_NOT_SHORTEST, start);
  if (r.type === SIMPLE && (r.n < FALSE || r.n > NULL)) refuse(CBOR_SIMPLE, start);
  return r.type;
}

/** The argument of an item that must be of this major type: refused from 2^53 on. */
function item(r: Reader, type: number): number {
  var at = r.at;
  if (head(r) !== type) refuse(CBOR_TYPE, at);
  if (r.n > MAX_NUMBER) refuse(CBOR_RANGE, at);
  return r.n;
}

/** The major type of the item that comes next; SIMPLE at the end of the input, where the next read refuses. */
export function peekType(r: Reader): number {
  return r.at < r.end ? byteAt(r, r.at) >> 5 : SIMPLE;
}

/** An unsigned number below 2^53. */
export function uint(r: Reader): number {
  return item(r, UINT);
}

/** An unsigned number of up to 64 bits, exact. */
export function uint64(r: Reader): Sequence {
  var at = r.at;
  if (head(r) !== UINT) refuse(CBOR_TYPE, at);
  return [r.hi, r.lo];
}

/** A signed number, above -2^53 and below 2^53. */
export function int(r: Reader): number {
  return peekType(r) === NINT ? -1 - item(r, NINT) : item(r, UINT);
}

/** false, true or null: FALSE, TRUE, NULL. */
export function simple(r: Reader): number {
  return item(r, SIMPLE);
}

export function bool(r: Reader): boolean {
  var at = r.at,
    v = item(r, SIMPLE);
  if (v === NULL) refuse(CBOR_TYPE, at);
  return v === TRUE;
}

/** Well-formed UTF-8 without surrogates or overlong forms (RFC 3629 §4). */
function utf8(r: Reader, at: number, end: number): void {
  var b, more, low, high;
  while (at < end) {
    b = byteAt(r, at++);
    if (b > 127) {
      more = b > 239 ? 3 : b > 223 ? 2 : 1;
      if (b < 194 || b > 244 || end - at < more) refuse(CBOR_UTF8, at - 1);
      low = b === 224 ? 160 : b === 240 ? 144 : 128;
      high = b === 237 ? 159 : b === 244 ? 143 : 191;
      for (; more > 0; more--) {
        b = byteAt(r, at++);
        if (b < low || b > high) refuse(CBOR_UTF8, at - 1);
        low = 128;
        high = 191;
      }
    }
  }
}

/** Where the content of a string lies whose head has been read. The reader stands behind it. */
function stretch(r: Reader, start: number): Slice {
  var at = r.at,
    n = r.n;
  if (n > MAX_NUMBER) refuse(CBOR_RANGE, start);
  within(r, n, start);
  r.at += n;
  if (r.type === TSTR) utf8(r, at, r.at);
  return { at: at, n: n };
}

function string(r: Reader, type: number): Slice {
  var at = r.at;
  item(r, type);
  return stretch(r, at);
}

/** A byte string: where its content lies. The reader stands behind it. */
export function bstr(r: Reader): Slice {
  return string(r, BSTR);
}

/** The content of a byte string. */
export function octets(r: Reader): Bytes {
  var s = string(r, BSTR);
  return take(r, s.at, s.n);
}

/** A text string, its UTF-8 checked: where its content lies. */
export function tstr(r: Reader): Slice {
  return string(r, TSTR);
}

/** The number of elements of an array. */
export function array(r: Reader): number {
  var at = r.at,
    n = item(r, ARRAY);
  // every element takes a byte at least
  within(r, n, at);
  return n;
}

/** The number of pairs of a map. Each key is handed to ascending(), or read by key(); a reader reads one such map at a time. */
export function map(r: Reader): number {
  var at = r.at,
    n = item(r, MAP);
  within(r, 2 * n, at);
  r.last = null;
  return n;
}

/** A tag that must be `wanted`. */
export function tag(r: Reader, wanted: number, code: number): void {
  var at = r.at;
  if (head(r) !== TAG || r.n !== wanted) refuse(code, at);
}

/** Refuses bytes behind the last item. */
export function done(r: Reader): void {
  if (r.at !== r.end) refuse(CBOR_TRAILING, r.at);
}

/** Map keys in ascending bytewise order of their encoding, none twice (RFC 8949 §4.2.1). `at` is where the key just read begins. */
export function ascending(r: Reader, at: number): void {
  var key, order;
  // a key is copied, before anybody has vouched for it
  if (r.at - at > MAX_KEY) refuse(CBOR_KEY_LENGTH, at);
  key = take(r, at, r.at - at);
  order = r.last ? compare(key, r.last) : 1;
  if (order <= 0) refuse(order ? CBOR_KEY_ORDER : CBOR_KEY_DUPLICATE, at);
  r.last = key;
}

/** A map key that must be a number. */
export function key(r: Reader): number {
  var at = r.at,
    n = int(r);
  ascending(r, at);
  return n;
}

/** An array or map that is passed over: items left in it (a pair is two), and the last key of the map around it. */
interface Level {
  left: number;
  pairs: boolean;
  last: Bytes | null;
}

/**
 * Passes over one item of any kind, as strictly as if it were read. The one tag that may stand inside is a vendor's #6.112. A container as
 * a map's key is refused: SUIT has none where this is used.
 */
export function skip(r: Reader): void {
  var levels: Level[] = [],
    level: Level | undefined,
    at,
    type,
    pairs,
    isKey;
  do {
    at = r.at;
    type = head(r);
    isKey = level && level.pairs && level.left % 2 === 0;
    if (type === TAG) {
      if (r.n !== TAG_CBOR_PEN || head(r) === TAG) refuse(CBOR_TYPE, at);
      type = r.type;
    }
    pairs = type === MAP;
    if (type === BSTR || type === TSTR) stretch(r, at);
    if (type === ARRAY || pairs) {
      if (isKey) refuse(CBOR_TYPE, at);
      within(r, pairs ? 2 * r.n : r.n, at);
      if (r.n > 0) {
        if (levels.length === MAX_DEPTH) refuse(CBOR_DEPTH, at);
        level = { left: pairs ? 2 * r.n : r.n, pairs: pairs, last: r.last };
        levels.push(level);
        r.last = null;
        continue;
      }
    }
    if (isKey) ascending(r, at);
    while (level && --level.left === 0) {
      r.last = level.last;
      levels.pop();
      level = levels[levels.length - 1];
    }
  } while (level);
}

/** Refuses anything but one deterministic item of the kinds that SUIT uses, and nothing behind it. */
export function check(input: Bytes | Source): void {
  var r = reader(input);
  skip(r);
  done(r);
}
