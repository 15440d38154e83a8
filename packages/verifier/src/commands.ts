// The commands of a sequence, looked at before any of them runs: an unknown command or parameter makes the whole manifest invalid
// (M37 §6.1), and what this build cannot run is refused here, not half-way through an installation.

import {
  array,
  BSTR,
  bool,
  bstr,
  done,
  head,
  int,
  key,
  MAX_DEPTH,
  map,
  NULL,
  octets,
  peekType,
  type Reader,
  SIMPLE,
  type Slice,
  simple,
  skip,
  sub,
  TAG,
  TRUE,
  tag,
  take,
  tstr,
  UINT,
  uint,
} from "./cbor.js";
import { type Digest, digest } from "./digest.js";
import { HAS_COPY } from "./features.js";
import { refuse } from "./refuse.js";
import {
  CBOR_DEPTH,
  COMMAND_ARGUMENT,
  COMMAND_UNKNOWN,
  INDEX_RANGE,
  NOT_SUPPORTED,
  PARAMETER_UNKNOWN,
  PARAMETER_VALUE,
  SHARED_COMMAND,
  URI_CHARACTER,
  URI_LENGTH,
} from "./spec/errors.js";
import {
  DIR_COPY,
  DIR_COPY_PARAMS,
  DIR_OVERRIDE_MULTIPLE,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  TAG_CBOR_PEN,
} from "./spec/suit.js";
import type { Bytes } from "./types.js";

/** Every condition takes a reporting policy, as do the directives that act on a device (M37 §8.4.7): four bits. */
var MAX_POLICY = 15;
var MAX_URI = 1024;

/** What stands behind a command: a reporting policy, or an argument of its own. */
var POLICY = 1;
/** Code points of the family that this build does not run. */
export const FOREIGN = 4;
/** May stand in a shared sequence: no side effects (M37 §8.4.5). Conditions are the commands that are SHARED and have a POLICY. */
var SHARED = 8;

/**
 * By command code, 0 to 35, the sum of the above as the low bits of a character: A = 1, I = 8 + 1, J = 8 + 2, and so on.
 * One string lies in flash, a table of numbers in RAM. A test holds it against the specification's names; so it does with the next one.
 */
export var KINDS = "@IIIMIIMM@@EJ@IJ@@ANJAAAIMMMME@AJEFF";

/** What the value of a parameter is. */
var VENDOR = 1;
var UUID = 2;
var DIGEST = 3;
var NUMBER = 4;
var BOOL = 5;
var OCTETS = 6;
var URI = 7;
var COMPONENT = 8;
export var OTHER = 9;

/** By parameter, 0 to 30. */
export var VALUES = "@ABCID@@@@@@EED@@@FI@GHFBFIIIII";

/** The entry of a table for a number from outside: 0 where it has none. Not every engine asks for a character past 2^32 and finds none. */
export function kindOf(table: string, n: number): number {
  return n > 0 && n < table.length ? table.charCodeAt(n) & 15 : 0;
}

/** Whether a command is a condition, that is, one that can fail softly. */
export function isCondition(code: number): boolean {
  return (kindOf(KINDS, code) & (POLICY + SHARED)) === POLICY + SHARED;
}

/** Refuses a code point of the family that this build does not run. */
export function foreign(r: Reader, at: number): void {
  if (!r.window.lenient) refuse(NOT_SUPPORTED, at);
}

/** Text that can be a URI reference: printable ASCII without space (RFC 3986 §2). Keeps control characters from every log and path. */
export function uri(r: Reader): string {
  var s = tstr(r),
    text = "",
    bytes,
    i;
  if (s.n > MAX_URI) refuse(URI_LENGTH, s.at);
  bytes = take(r, s.at, s.n);
  for (i = 0; i < s.n; i++) {
    if (bytes[i] < 33 || bytes[i] > 126) refuse(URI_CHARACTER, s.at + i);
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

/** The value of the parameter `name`. */
export function value(r: Reader, name: number): Bytes | Digest | number | boolean | string {
  var at = r.at,
    kind = kindOf(VALUES, name),
    bytes,
    inner,
    d;
  if (kind === NUMBER || kind === COMPONENT) return uint(r);
  if (kind === BOOL) return bool(r);
  if (kind === URI) return uri(r);
  if (kind === DIGEST) {
    inner = sub(r, bstr(r));
    d = digest(inner);
    done(inner);
    return d;
  }
  // a vendor is a UUID, or a private enterprise number: #6.112(bstr), which is compared with its tag
  if (kind === VENDOR && peekType(r) === TAG) {
    tag(r, TAG_CBOR_PEN, PARAMETER_VALUE);
    bstr(r);
    return take(r, at, r.at - at);
  }
  bytes = octets(r);
  if (kind <= UUID && bytes.length !== 16) refuse(PARAMETER_VALUE, at);
  return bytes;
}

function parameters(r: Reader, components: number, uris: string[]): void {
  var start = r.at,
    n = map(r),
    at,
    name,
    kind,
    v;
  if (n === 0) refuse(COMMAND_ARGUMENT, start);
  for (; n > 0; n--) {
    at = r.at;
    name = key(r);
    kind = kindOf(VALUES, name);
    if (!kind) refuse(PARAMETER_UNKNOWN, at);
    if (kind === OTHER) {
      foreign(r, at);
      skip(r);
    } else if (kind === OCTETS) bstr(r);
    else {
      v = value(r, name);
      if (kind === URI) uris.push(v as string);
      if (kind === COMPONENT && (v as number) >= components && !r.window.lenient) refuse(INDEX_RANGE, at);
    }
  }
}

function index(r: Reader, components: number): void {
  var at = r.at,
    type = peekType(r),
    seen: number[] = [],
    n = 1,
    i;
  if (type === SIMPLE) {
    if (simple(r) !== TRUE) refuse(COMMAND_ARGUMENT, at);
    return;
  }
  if (type !== UINT) {
    n = array(r);
    if (n === 0) refuse(COMMAND_ARGUMENT, at);
  }
  for (; n > 0; n--) {
    at = r.at;
    i = uint(r);
    if (i >= components && !r.window.lenient) refuse(INDEX_RANGE, at);
    // each once: the list is then no longer than the components
    if (seen.indexOf(i) >= 0) refuse(COMMAND_ARGUMENT, at);
    seen.push(i);
  }
}

/** A sequence under way, or the alternatives of a try-each (`each`), which stand in the reader of the sequence around them. */
interface Level {
  r: Reader;
  /** Items that are left. */
  left: number;
  each: boolean;
  /** Items there are in all. */
  all: number;
  /** Sequences that are open, this one included. */
  depth: number;
}

function open(levels: Level[], r: Reader, each: boolean): void {
  var at = r.at,
    n = array(r),
    depth = (levels.length ? levels[levels.length - 1].depth : 0) + (each ? 0 : 1);
  if (each ? n < 2 : n === 0 || n % 2) refuse(COMMAND_ARGUMENT, at);
  if (depth > MAX_DEPTH) refuse(CBOR_DEPTH, at);
  levels.push({ r: r, left: n, each: each, all: n, depth: depth });
}

/**
 * Looks at every command of a sequence and of the sequences inside it, at most MAX_DEPTH deep, and notes in `uris` those that they name.
 * `components`: how many there are. Refuses what is unknown, what this build does not run, and in a shared sequence what has side effects.
 */
export function sequence(r0: Reader, slice: Slice, shared: boolean, components: number, uris: string[]): void {
  // one level is open for each sequence and each try-each around the byte that is read: bytes are read in order, each once
  var levels: Level[] = [],
    level: Level,
    r: Reader,
    at,
    code,
    kind;
  open(levels, sub(r0, slice), false);
  while (levels.length) {
    level = levels[levels.length - 1];
    r = level.r;
    at = r.at;
    if (level.left === 0) {
      if (!level.each) done(r);
      levels.pop();
    } else if (level.each) {
      level.left--;
      // [2* bstr, ? nil]: two at least, and only the last may be nil
      if (peekType(r) === BSTR) open(levels, sub(r, bstr(r)), false);
      else if (head(r) !== SIMPLE || r.n !== NULL || level.left > 0 || level.all < 3) refuse(COMMAND_ARGUMENT, at);
    } else {
      level.left -= 2;
      code = int(r);
      kind = kindOf(KINDS, code);
      if (!kind) refuse(COMMAND_UNKNOWN, at);
      if (kind & FOREIGN || (!HAS_COPY && (code === DIR_COPY || code === DIR_SWAP))) foreign(r, at);
      if (shared && !(kind & SHARED)) refuse(SHARED_COMMAND, at);
      at = r.at;
      if (kind & POLICY) {
        if (uint(r) > MAX_POLICY) refuse(COMMAND_ARGUMENT, at);
      } else if (code === DIR_SET_COMPONENT_INDEX) index(r, components);
      else if (code === DIR_RUN_SEQUENCE) open(levels, sub(r, bstr(r)), false);
      else if (code === DIR_TRY_EACH) open(levels, r, true);
      else if (code === DIR_OVERRIDE_MULTIPLE || code === DIR_COPY_PARAMS) skip(r);
      else parameters(r, components, uris);
    }
  }
}
