// A pull reader for the CBOR that SUIT uses, and nothing else: definite lengths, shortest heads, map keys in ascending bytewise order
// and each once (RFC 8949 §4.2.1), no floats, no simple values but false, true and null, no tag that the caller did not ask for.
// It allocates nothing for a declared length: a length is compared with the bytes that are there, then used.
// Helpers stand before their use in all of this package: Espruino has no hoisting.
//
// There is one cursor, of the module: `input`, `here`, `stop`. Whoever begins to read sets all of it, with startReading(), seek() or enter(), so nothing
// that an earlier reading left is ever looked at, also when that one ended in a refusal (CVE-2025-68131).

import { compare, equalConstantTime, newBytes, octetsOf, subBytes } from "../base/bytes.js";
import { isHalf } from "../base/number.js";
import { mark, markAt, refuse } from "../base/refuse.js";
import type { Bytes, Sequence, Source } from "../base/types.js";
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
  HEAD_LENGTH,
} from "../spec/errors.js";
import { TAG_CBOR_PEN } from "../spec/suit.js";

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
const MAX_KEY = 1100;
const MAX_NUMBER = 9007199254740991;
const WINDOW = 64;
const DEFAULT_CHUNK = 1024;
/** Octets of one input that may be held in RAM, where the host sets no other limit. */
const MAX_LOADED = 65536;

/** A stretch of the input: offset and length in bytes. */
export interface Slice {
  at: number;
  n: number;
}

/** Octets of an input that are in RAM, from the offset `at` up to `end`, as they were read: once. */
export interface LoadedBytes {
  at: number;
  end: number;
  octets: Bytes;
}

/**
 * An input, the stretch of all of it: where it comes from, and what of it is in RAM. `loaded`: what load() has read, which stays; `window`: the stretch around the cursor. What is in
 * neither is read from the source when it is asked for. `ramLeft`: octets that load() may still read, `excessCode`: the refusal of more. `lenient`: see manifest/code-points.ts.
 */
export interface Input extends Slice {
  lenient?: boolean;
  origin: Source;
  loaded: LoadedBytes[];
  window: LoadedBytes;
  ramLeft: number;
  excessCode: number;
}

/** A window on nothing. */
var EMPTY_WINDOW: LoadedBytes = { at: 0, end: 0, octets: [] };

/** What is read, the next byte, and the first byte that is not to be read. */
export var input = null as unknown as Input;
export var here = 0;
export var stop = 0;

/** Of the head that was read last: the major type; the argument, exact below 2^53; and the same in two halves of 32 bits, always exact. */
export var major = 0;
export var arg = 0;
export var high = 0;
export var low = 0;

/** The number that intKey() has read. */
export var keyRead = 0;

/** Sets the cursor to the bytes from `at` up to `end` of an input. */
export function seek(src: Input, at: number, end: number): void {
  input = src;
  here = at;
  stop = end;
}

/** Sets the cursor to a stretch of an input. Returns what leave() wants, where it is the input that is being read. */
export function enter(src: Input, slice: Slice): number {
  var outer = stop;
  seek(src, slice.at, slice.at + slice.n);
  return outer;
}

/** Octets in RAM as a Source. */
function bytesSource(bytes: Bytes): Source {
  return {
    length: bytes.length,
    read: function (at: number, n: number) {
      return subBytes(bytes, at, n);
    },
  };
}

/** Octets in RAM, or a Source. */
export function inputOf(bytes: Bytes | Source): Input {
  var n = bytes ? bytes.length : -1;
  // neither a fraction nor endless
  if (!(n >= 0 && n % 1 === 0)) refuse(CBOR_TRUNCATED);
  return {
    origin: typeof (bytes as Source).read === "function" ? (bytes as Source) : bytesSource(bytes as Bytes),
    at: 0,
    n: n,
    loaded: [],
    window: EMPTY_WINDOW,
    ramLeft: MAX_LOADED,
    excessCode: HEAD_LENGTH,
  };
}

/** Begins to read all of `bytes`. */
export function startReading(bytes: Bytes | Source): Input {
  var src;
  markAt(-1);
  src = inputOf(bytes);
  enter(src, src);
  return src;
}

/** Refuses bytes behind the last item. */
export function checkEnd(): void {
  markAt(here);
  if (here !== stop) refuse(CBOR_TRAILING);
}

/** Goes on behind a string that was entered and has been read to its end. */
export function leave(outer: number): void {
  checkEnd();
  stop = outer;
}

/** Octets from the source, as many as were asked for. A source that made something else be read meanwhile has moved the cursor. */
function fetch(src: Input, at: number, n: number): Bytes {
  var before = input,
    next = here,
    end = stop,
    bytes = octetsOf(src.origin.read(at, n), n);
  if (input !== before || here !== next || stop !== end) refuse(CBOR_TRUNCATED);
  return bytes;
}

/** The stretch in RAM that has the octet at `at`, if there is one. */
function findLoaded(src: Input, at: number): LoadedBytes | undefined {
  var i = src.loaded.length,
    h: LoadedBytes | undefined = src.window;
  while (h && (at < h.at || at >= h.end)) h = i ? src.loaded[--i] : undefined;
  return h;
}

/** Bytes of an input that are moved at a time. */
export function chunkOf(src: Input): number {
  var n = src.origin.chunk;
  return isHalf(n) && n ? n : DEFAULT_CHUNK;
}

/** A copy of a stretch, which must lie inside the input: what is in RAM from there, so that what was read once is not read again. */
export function copyBytes(src: Input, at: number, n: number): Bytes {
  var out: number[],
    done = 0,
    h = findLoaded(src, at),
    k,
    bytes: Bytes,
    from;
  if (!h && n <= chunkOf(src)) return fetch(src, at, n);
  out = newBytes(n);
  while (done < n) {
    h = findLoaded(src, at);
    k = h ? h.end - at : chunkOf(src);
    if (k > n - done) k = n - done;
    from = h ? at - h.at : 0;
    bytes = h ? h.octets : fetch(src, at, k);
    at += k;
    while (k--) out[done++] = bytes[from++];
  }
  return out;
}

/** A copy of the stretch `s`. */
export function copySlice(src: Input, s: Slice): Bytes {
  return copyBytes(src, s.at, s.n);
}

/** A copy of a stretch of the input that is being read; refused where it has more than `most` bytes: nobody has vouched for it yet. */
export function boundedCopy(s: Slice, most: number, code: number): Bytes {
  if (s.n > most) refuse(code);
  return copySlice(input, s);
}

/** Moves the window to what has the octet at `at`. */
function moveWindow(at: number): LoadedBytes {
  var h = findLoaded(input, at),
    w = input.window,
    from = at,
    end;
  if (!h) {
    // the window goes on from the item that is being read, so that a key is compared as it was read; what is longer than a key is passed over
    if (at === w.end && mark >= w.at && at - mark <= MAX_KEY) from = mark;
    end = at + WINDOW + at - from;
    if (end > stop) end = stop;
    h = { at: from, end: end, octets: copyBytes(input, from, end - from) };
  }
  input.window = h;
  return h;
}

function byteAt(at: number): number {
  var w = input.window;
  if (at < w.at || at >= w.end) w = moveWindow(at);
  return w.octets[at - w.at];
}

/**
 * Reads a stretch into RAM, to stay: from then on it is read, hashed and executed from there, and what its source gives the next time does not
 * matter. Refused where more would be held than there is room for.
 */
export function load(src: Input, s: Slice): void {
  src.ramLeft -= s.n;
  if (src.ramLeft < 0) refuse(src.excessCode);
  src.loaded.push({ at: s.at, end: s.at + s.n, octets: copySlice(src, s) });
}

/** Gives back the RAM of what is held around `s`, but for `bytes`, which are those of `s`. */
export function shrink(src: Input, s: Slice, bytes: Bytes): void {
  var h;
  src.window = EMPTY_WINDOW;
  h = findLoaded(src, s.at);
  if (h) {
    h.at = s.at;
    h.end = s.at + s.n;
    h.octets = bytes;
  }
}

/** Hands a stretch to `use`, a chunk at a time. */
export function feed(src: Input, slice: Slice, use: (bytes: Bytes) => void): void {
  var at = slice.at,
    end = at + slice.n,
    n;
  for (; at < end; at += n) {
    n = chunkOf(src);
    if (n > end - at) n = end - at;
    use(copyBytes(src, at, n));
  }
}

/** Whether two inputs have the same octets. */
export function sameBytes(a: Input, b: Input): boolean {
  var at = 0,
    good = a.n === b.n;
  if (good)
    feed(a, a, function (bytes) {
      good = good && equalConstantTime(bytes, copyBytes(b, at, bytes.length));
      at += bytes.length;
    });
  return good;
}

/** Refuses what would take more bytes than there are. */
function requireBytes(n: number): void {
  if (n > stop - here) refuse(CBOR_TRUNCATED);
}

/** Reads one head: its major type, which is returned, and its argument, `arg`. */
export function head(): number {
  var size = 0,
    i;
  markAt(here);
  requireBytes(1);
  i = byteAt(here++);
  major = i >> 5;
  low = i & 31;
  high = 0;
  if (low > 23) {
    if (low > 30) refuse(CBOR_INDEFINITE);
    if (low > 27) refuse(CBOR_RESERVED);
    // before the length check: a float or a two-byte simple value is refused for what it is
    if (major === SIMPLE) refuse(CBOR_SIMPLE);
    // 1, 2, 4 or 8 bytes: up to 2^3
    size = 1 << (low - 24);
    requireBytes(size);
    for (low = i = 0; i < size; i++) {
      if (i === 4) {
        high = low;
        low = 0;
      }
      low = low * 256 + byteAt(here++);
    }
  }
  // at or above 2^53 the sum is rounded, to 2^53 at least
  arg = high * 4294967296 + low;
  if (size && arg < (size < 2 ? 24 : size < 4 ? 256 : size < 8 ? 65536 : 4294967296)) refuse(CBOR_NOT_SHORTEST);
  if (major === SIMPLE && (arg < FALSE || arg > NULL)) refuse(CBOR_SIMPLE);
  return major;
}

/** The argument of an item that must be of this major type: refused from 2^53 on. */
function argOfType(type: number): number {
  if (head() !== type) refuse(CBOR_TYPE);
  if (arg > MAX_NUMBER) refuse(CBOR_RANGE);
  return arg;
}

/** The major type of the item that comes next; SIMPLE at the end of the input, where the next read refuses. */
export function peekType(): number {
  return here < stop ? byteAt(here) >> 5 : SIMPLE;
}

/** An unsigned number below 2^53. */
export function uint(): number {
  return argOfType(UINT);
}

/** An unsigned number of up to 64 bits, exact. */
export function uint64(): Sequence {
  if (head() !== UINT) refuse(CBOR_TYPE);
  return [high, low];
}

/** A signed number, above -2^53 and below 2^53. */
export function int(): number {
  return peekType() === NINT ? -1 - argOfType(NINT) : argOfType(UINT);
}

/** false, true or null: FALSE, TRUE, NULL. */
export function simple(): number {
  return argOfType(SIMPLE);
}

export function bool(): boolean {
  if (simple() === NULL) refuse(CBOR_TYPE);
  return arg === TRUE;
}

/** Well-formed UTF-8 without surrogates or overlong forms (RFC 3629 §4). */
function checkUtf8(at: number, end: number): void {
  var more = 0,
    least = 0,
    most = 0,
    b;
  while (at < end) {
    b = byteAt(at++);
    if (more) {
      if (b < least || b > most) refuse(CBOR_UTF8);
      least = 128;
      most = 191;
      more--;
    } else if (b > 127) {
      more = b > 239 ? 3 : b > 223 ? 2 : 1;
      if (b < 194 || b > 244 || end - at < more) refuse(CBOR_UTF8);
      least = b === 224 ? 160 : b === 240 ? 144 : 128;
      most = b === 237 ? 159 : b === 244 ? 143 : 191;
    }
  }
}

/** Where the content of the string lies whose head was read last. The cursor goes behind it. */
function stringSlice(): Slice {
  var s = { at: here, n: arg };
  requireBytes(arg);
  here += arg;
  if (major === TSTR) checkUtf8(s.at, here);
  return s;
}

/** A byte string: where its content lies. The cursor stands behind it. */
export function bstr(): Slice {
  argOfType(BSTR);
  return stringSlice();
}

/** The content of a byte string. */
export function bstrBytes(): Bytes {
  return copySlice(input, bstr());
}

/** A text string, its UTF-8 checked: where its content lies. */
export function tstr(): Slice {
  argOfType(TSTR);
  return stringSlice();
}

/** Begins to read what a byte string holds. Returns what leave() wants. */
export function enterBstr(): number {
  return enter(input, bstr());
}

/** The number of elements of an array. */
export function array(): number {
  // every element takes a byte at least
  requireBytes(argOfType(ARRAY));
  return arg;
}

/** The number of pairs of a map. Keys are handed to checkKeyOrder(), or read by intKey(). */
export function map(): number {
  requireBytes(2 * argOfType(MAP));
  return arg;
}

/** A tag that must be `wanted`. */
export function tag(wanted: number, code: number): void {
  if (head() !== TAG || arg !== wanted) refuse(code);
}

/**
 * The key of a map that begins at `mark` and has just been read, against the one before it, `last` (null: it is the first): in ascending
 * bytewise order of their encoding, none twice (RFC 8949 §4.2.1). Returns it, for the next one.
 */
export function checkKeyOrder(last: Bytes | null): Bytes {
  var key, n;
  // a key is copied, before anybody has vouched for it
  if (here - mark > MAX_KEY) refuse(CBOR_KEY_LENGTH);
  key = copyBytes(input, mark, here - mark);
  n = last ? compare(key, last) : 1;
  if (n <= 0) refuse(n ? CBOR_KEY_ORDER : CBOR_KEY_DUPLICATE);
  return key;
}

/** A map key that must be a number; it is then `keyRead`. Returns what checkKeyOrder() returns. */
export function intKey(last: Bytes | null): Bytes {
  keyRead = int();
  return checkKeyOrder(last);
}

/**
 * Passes over one item of any kind, as strictly as if it were read. The one tag that may stand inside is a vendor's #6.112. A container or
 * tag as a map's key is refused: SUIT has none where this is used.
 */
export function skip(): void {
  // by container that is open around the one that is read: its items left (a pair is two), whether they are pairs, its last key
  var outer: unknown[] = [],
    left = 1,
    pairs = false,
    last: Bytes | null = null,
    type;
  while (left) {
    type = head();
    if (pairs && left % 2 === 0) {
      if (type > TSTR) refuse(CBOR_TYPE);
      if (type > NINT) stringSlice();
      last = checkKeyOrder(last);
    } else {
      if (type === TAG) {
        if (arg !== TAG_CBOR_PEN || head() === TAG) refuse(CBOR_TYPE);
        type = major;
      }
      if (type === BSTR || type === TSTR) stringSlice();
    }
    left--;
    if (type === ARRAY || type === MAP) {
      if (outer.length === 3 * MAX_DEPTH) refuse(CBOR_DEPTH);
      outer.push(left, pairs, last);
      pairs = type === MAP;
      left = pairs ? 2 * arg : arg;
      requireBytes(left);
      last = null;
    }
    while (!left && outer.length) {
      last = outer.pop() as Bytes | null;
      pairs = outer.pop() as boolean;
      left = outer.pop() as number;
    }
  }
}

/** Refuses anything but one deterministic item of the kinds that SUIT uses, and nothing behind it. */
export function checkItem(bytes: Bytes | Source): void {
  startReading(bytes);
  skip();
  checkEnd();
}
