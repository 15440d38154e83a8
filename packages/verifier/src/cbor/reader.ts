// A pull reader for the subset of CBOR that SUIT uses: definite lengths, shortest heads, unique map keys in ascending
// bytewise order (RFC 8949 §4.2.1), no floats, no simple values except false, true and null, and no tags that the
// caller did not ask for. It never allocates memory for a declared length before comparing the length with the
// remaining bytes. In all of this package, helpers are declared before their use, because Espruino does not hoist.
//
// The module has one cursor: `input`, `here`, `stop`. Every reading sets all of it first, with startReading(), seek()
// or enter(), so it never depends on what an earlier one left, even if that ended in a refusal (CVE-2025-68131).

import { equalConstantTime, newBytes, octetsOf, put, subBytes } from "../base/bytes.js";
import { HAS_TOOLS } from "../base/features.js";
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
} from "../spec/errors.generated.js";
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

/** Maximum number of open containers. */
export const MAX_DEPTH = 8;

/** Maximum length in bytes of a map key. A URI is the longest key in SUIT. */
const MAX_KEY = 1100;
const MAX_NUMBER = 9007199254740991;
const WINDOW = 64;
const DEFAULT_CHUNK = 1024;
/** Maximum number of bytes of one input in RAM, unless the host sets another limit. */
export const MAX_LOADED = 65536;

/** A range of the input: offset and length in bytes. */
export interface Slice {
  at: number;
  n: number;
}

/** Bytes of an input in RAM, from offset `at` to `end` (exclusive). Each was read once. */
export interface LoadedBytes {
  at: number;
  end: number;
  octets: Bytes;
}

/**
 * An input, as the range of all of it, with its source and the parts in RAM. `loaded`: what load() has read, which
 * stays; `window`: the range around the cursor. Other bytes are read from the source on demand. `ramLeft`: bytes that
 * load() may still read, `excessCode`: the refusal for more (default HEAD_LENGTH). `lenient`: see
 * manifest/code-points.ts.
 */
export interface Input extends Slice {
  lenient?: boolean;
  origin: Source;
  loaded: LoadedBytes[];
  window: LoadedBytes;
  ramLeft: number;
  excessCode?: number;
}

/** An empty window. */
var EMPTY_WINDOW: LoadedBytes = { at: 0, end: 0, octets: [] };

/** The current input, the next byte, and the end (exclusive) of what may be read. */
export var input = null as unknown as Input;
export var here = 0;
export var stop = 0;

/**
 * The last head: the major type; the argument, exact below 2^53; and the argument as two halves of 32 bits, always
 * exact.
 */
export var major = 0;
export var arg = 0;
export var high = 0;
export var low = 0;

/** The number that intKey() has read. */
export var keyRead = 0;

/** Sets the cursor to the bytes from `at` to `end` (exclusive) of an input. */
export function seek(src: Input, at: number, end: number): void {
  input = src;
  here = at;
  stop = end;
}

/** Sets the cursor to a range of an input. Returns the argument for leave(), if `src` is the current input. */
export function enter(src: Input, slice: Slice): number {
  var outer = stop;
  seek(src, slice.at, slice.at + slice.n);
  return outer;
}

/** A Source for bytes in RAM. */
function bytesSource(bytes: Bytes): Source {
  return {
    length: bytes.length,
    read: function (at: number, n: number) {
      // tools read megabytes, and their engine has views everywhere
      return HAS_TOOLS && (bytes as Uint8Array).subarray ? (bytes as Uint8Array).subarray(at, at + n) : subBytes(bytes, at, n);
    },
  };
}

/** An input for bytes in RAM or for a Source. */
export function inputOf(bytes: Bytes | Source): Input {
  var n = bytes ? bytes.length : -1;
  // no fraction, NaN or infinity
  if (!(n >= 0 && n % 1 === 0)) refuse(CBOR_TRUNCATED);
  return {
    origin: typeof (bytes as Source).read === "function" ? (bytes as Source) : bytesSource(bytes as Bytes),
    at: 0,
    n: n,
    loaded: [],
    window: EMPTY_WINDOW,
    ramLeft: MAX_LOADED,
  };
}

/** Starts reading `bytes` from the beginning. */
export function startReading(bytes: Bytes | Source): Input {
  var src;
  markAt(-1);
  src = inputOf(bytes);
  enter(src, src);
  return src;
}

/** Refuses trailing bytes. */
export function checkEnd(): void {
  markAt(here);
  if (here !== stop) refuse(CBOR_TRAILING);
}

/** Continues after a string that was entered and has been read to its end. */
export function leave(outer: number): void {
  checkEnd();
  stop = outer;
}

/**
 * Reads exactly `n` bytes from the source. The source may itself have used the reader and moved the cursor: this is an
 * error.
 */
function fetch(src: Input, at: number, n: number): Bytes {
  var before = input,
    next = here,
    end = stop,
    bytes = octetsOf(src.origin.read(at, n), n);
  if (input !== before || here !== next || stop !== end) refuse(CBOR_TRUNCATED);
  return bytes;
}

/** The part in RAM that contains the byte at `at`, if any. */
function findLoaded(src: Input, at: number): LoadedBytes | undefined {
  var i = src.loaded.length,
    h: LoadedBytes | undefined = src.window;
  while (h && (at < h.at || at >= h.end)) h = i ? src.loaded[--i] : undefined;
  return h;
}

/** How many bytes of an input are copied at a time. */
export function chunkOf(src: Input): number {
  var n = src.origin.chunk;
  return isHalf(n) && n ? n : DEFAULT_CHUNK;
}

/** A copy of a range, which must be inside the input. Uses the parts in RAM, so that nothing is read twice. */
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
    done = put(out, done, subBytes(bytes, from, k));
  }
  return out;
}

/** A copy of the range `s`. */
export function copySlice(src: Input, s: Slice): Bytes {
  return copyBytes(src, s.at, s.n);
}

/** A copy of a range of the current input. Refuses more than `most` bytes, because they are not verified yet. */
export function boundedCopy(s: Slice, most: number, code: number): Bytes {
  if (s.n > most) refuse(code);
  return copySlice(input, s);
}

/** Moves the window so that it contains the byte at `at`. */
function moveWindow(at: number): LoadedBytes {
  var h = findLoaded(input, at),
    w = input.window,
    from = at,
    end;
  if (!h) {
    // keep the current item in the window, so that a key is compared as it was read; skip items longer than a key
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
 * Reads a range into RAM for good. From then on, it is parsed, hashed and executed from there, so later answers of its
 * source do not matter. Refuses more bytes than there is room for.
 */
export function load(src: Input, s: Slice): void {
  src.ramLeft -= s.n;
  if (src.ramLeft < 0) refuse(src.excessCode || HEAD_LENGTH);
  src.loaded.push({ at: s.at, end: s.at + s.n, octets: copySlice(src, s) });
}

/** Frees the RAM of all loaded bytes around `s`, except `bytes`, which are those of `s`. */
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

/** Passes a range to `use`, one chunk at a time. */
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

/** Whether two inputs have the same bytes. */
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

/** Refuses a length that exceeds the remaining bytes. */
function requireBytes(n: number): void {
  if (n > stop - here) refuse(CBOR_TRUNCATED);
}

/** Reads one head. Returns its major type and sets `arg` to its argument. */
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
    // before the length check, so that a float or a two-byte simple value is refused as such
    if (major === SIMPLE) refuse(CBOR_SIMPLE);
    // 1, 2, 4 or 8 bytes, up to 2^3, for 24 to 27
    size = 1 << (low & 3);
    requireBytes(size);
    for (low = i = 0; i < size; i++) {
      if (i === 4) {
        high = low;
        low = 0;
      }
      low = low * 256 + byteAt(here++);
    }
  }
  // from 2^53 on, the sum is rounded, to at least 2^53
  arg = high * 4294967296 + low;
  if (size && arg < (size < 2 ? 24 : size < 4 ? 256 : size < 8 ? 65536 : 4294967296)) refuse(CBOR_NOT_SHORTEST);
  if (major === SIMPLE && (arg < FALSE || arg > NULL)) refuse(CBOR_SIMPLE);
  return major;
}

/** Reads a head of the given major type and returns its argument. Refuses values from 2^53 on. */
function argOfType(type: number): number {
  if (head() !== type) refuse(CBOR_TYPE);
  if (arg > MAX_NUMBER) refuse(CBOR_RANGE);
  return arg;
}

/** The major type of the next item, or SIMPLE at the end of the input, where the next read refuses. */
export function peekType(): number {
  return here < stop ? byteAt(here) >> 5 : SIMPLE;
}

/** Reads an unsigned integer below 2^53. */
export function uint(): number {
  return argOfType(UINT);
}

/** Reads an unsigned integer of up to 64 bits, exactly. */
export function uint64(): Sequence {
  if (head() !== UINT) refuse(CBOR_TYPE);
  return [high, low];
}

/** Reads a signed integer with a magnitude below 2^53. */
export function int(): number {
  return peekType() === NINT ? -1 - argOfType(NINT) : argOfType(UINT);
}

/** Reads false, true or null: FALSE, TRUE, NULL. */
export function simple(): number {
  return argOfType(SIMPLE);
}

export function bool(): boolean {
  if (simple() === NULL) refuse(CBOR_TYPE);
  return arg === TRUE;
}

/** Refuses text that is not well-formed UTF-8: no surrogates, no overlong forms (RFC 3629 §4). */
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

/** The range of the content of the string whose head was read last. Moves the cursor past it. */
function stringSlice(): Slice {
  var s = { at: here, n: arg };
  requireBytes(arg);
  here += arg;
  if (major === TSTR) checkUtf8(s.at, here);
  return s;
}

/** Reads a byte string and returns the range of its content. */
export function bstr(): Slice {
  argOfType(BSTR);
  return stringSlice();
}

/** Reads a byte string and returns its content. */
export function bstrBytes(): Bytes {
  return copySlice(input, bstr());
}

/** Reads a text string, checks its UTF-8, and returns the range of its content. */
export function tstr(): Slice {
  argOfType(TSTR);
  return stringSlice();
}

/** Starts reading the content of a byte string. Returns the argument for leave(). */
export function enterBstr(): number {
  return enter(input, bstr());
}

/** Reads the head of an array and returns the number of its elements. */
export function array(): number {
  // every element takes at least one byte
  requireBytes(argOfType(ARRAY));
  return arg;
}

/**
 * Reads the head of a map and returns the number of its pairs. Pass keys to checkKeyOrder(), or read them with
 * intKey().
 */
export function map(): number {
  requireBytes(2 * argOfType(MAP));
  return arg;
}

/** Reads a tag, which must be `wanted`. */
export function tag(wanted: number, code: number): void {
  if (head() !== TAG || arg !== wanted) refuse(code);
}

/**
 * Checks the map key that begins at `mark` and has just been read against the one before it, `last` (null for the
 * first): ascending bytewise order of the encodings, no duplicates (RFC 8949 §4.2.1). Returns the key, for the next
 * call.
 */
export function checkKeyOrder(last: Bytes | null): Bytes {
  var n = here - mark,
    i = 0,
    key;
  // keys are copied before anything is verified
  if (n > MAX_KEY) refuse(CBOR_KEY_LENGTH);
  key = copyBytes(input, mark, n);
  if (last) {
    // no encoded item is a prefix of another, so they differ before either ends
    while (i < n && key[i] === last[i]) i++;
    if (i === n) refuse(CBOR_KEY_DUPLICATE);
    if (!(key[i] > last[i])) refuse(CBOR_KEY_ORDER);
  }
  return key;
}

/** Reads a map key that must be an integer and sets `keyRead`. Returns what checkKeyOrder() returns. */
export function intKey(last: Bytes | null): Bytes {
  keyRead = int();
  return checkKeyOrder(last);
}

/**
 * Skips one item of any kind, with the same checks as when it is read. The only permitted tag is #6.112 of a vendor.
 * Refuses containers and tags as map keys: SUIT has none where this is used.
 */
export function skip(): void {
  // for each open container around the current one: its remaining items (a pair counts as two), whether they are pairs,
  // its last key
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

/** Refuses anything but one deterministic item of the kinds that SUIT uses, without trailing bytes. */
export function checkItem(bytes: Bytes | Source): void {
  startReading(bytes);
  skip();
  checkEnd();
}
