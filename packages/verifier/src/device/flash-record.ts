// The records of the device on raw flash: which slots are current, in which release, and whether it was started and
// confirmed. Of two pages, the newer complete one applies.
//
// A record, in little-endian words of 4 bytes: magic, generation, floor (high, low), tries, number of areas, number of
// bytes of counters(); for each area, the current and the previous slot; these bytes, filled up to a whole word; CRC-32
// of all that. The journal follows: one word for each start, and one for the confirmation or for going back.

import { newBytes, octetsOf, subBytes } from "../base/bytes.js";
import type { Bytes, Sequence } from "../base/types.js";
import type { Flash } from "./flash.js";
import { isLater } from "./generation.js";

/**
 * `now` and `before`: for each area (0 is the envelope), the slot and the number of bytes in it, as size * 2 + slot.
 */
export interface FlashRecord {
  page: number;
  generation: number;
  floor: Sequence;
  tries: number;
  now: number[];
  before: number[];
  /** The offset of the next word of the journal, and the meaning of its words. */
  next: number;
  starts: number;
  confirmed: boolean;
  /** The result of counters(). */
  counters: Bytes;
}

export var MAGIC = 1179865650; // "FSR2"
export var ERASED = 4294967295;
/** Words of the journal after a record. A confirmation needs all its bits; any other word is a start. */
export var CONFIRMED = 0;
export var STARTED = 65535;
/** Number of words before the areas: magic, generation, floor (high, low), tries, and the two numbers. */
var HEAD = 7;

function word(bytes: Bytes, index: number): number {
  var at = index * 4;
  return bytes[at] + bytes[at + 1] * 256 + bytes[at + 2] * 65536 + bytes[at + 3] * 16777216;
}

/** Encodes 32-bit numbers as little-endian bytes. */
export function octets(words: number[]): Bytes {
  var out = newBytes(words.length * 4),
    i;
  for (i = 0; i < words.length * 4; i++) out[i] = (words[i >> 2] >>> (8 * (i & 3))) & 255;
  return out;
}

/**
 * CRC-32 (IEEE 802.3) of the first `n` bytes, in 32 bits. It detects cut writes; it does not stop an attacker who can
 * write to the flash.
 */
function crc32(bytes: Bytes, n: number): number {
  var crc = -1,
    i,
    bit;
  for (i = 0; i < n; i++) {
    crc ^= bytes[i];
    for (bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ -306674912 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The last word of a record, after `body`. Writing it makes the record apply. */
export function sealOf(body: Bytes): Bytes {
  return octets([crc32(body, body.length)]);
}

/** Number of bytes of counters(): of a device with one floor, and the maximum. */
export var COUNTED = 32;
export var MOST = 128;

/** The length in bytes of a record without its journal. `counted`: the number of bytes of counters(). */
export function recordSize(areas: number, counted: number): number {
  // at most 128, so 32 bits are enough
  return (HEAD + 2 * areas + ((counted + 3) >> 2) + 1) * 4;
}

/** The only place where bytes of a record enter. Refuses values that are not octets. */
export function octetsAt(flash: Flash, at: number, n: number): Bytes {
  return octetsOf(flash.read(at, n), n);
}

/** Reads the record of a page. Returns null if there is no complete one. */
function readRecord(flash: Flash, pages: number[], page: number): FlashRecord | null {
  var at = pages[page],
    bytes = octetsAt(flash, at, HEAD * 4),
    tries = word(bytes, 4),
    areas = word(bytes, 5),
    counted = word(bytes, 6),
    size,
    record: FlashRecord,
    i,
    w;
  if (word(bytes, 0) !== MAGIC || counted > MOST) return null;
  size = recordSize(areas, counted);
  if (size + tries * 4 + 4 > flash.pageSize) return null;
  bytes = octetsAt(flash, at, size);
  // the numbers that were used to read it are among those that the CRC-32 covers
  if (
    crc32(bytes, size - 4) !== word(bytes, size / 4 - 1) ||
    word(bytes, 4) !== tries ||
    word(bytes, 5) !== areas ||
    word(bytes, 6) !== counted
  )
    return null;
  record = {
    page: page,
    generation: word(bytes, 1),
    floor: [word(bytes, 2), word(bytes, 3)],
    tries: tries,
    now: [],
    before: [],
    next: at + size,
    starts: 0,
    confirmed: tries === 0,
    counters: subBytes(bytes, (HEAD + 2 * areas) * 4, counted),
  };
  for (i = 0; i < areas; i++) {
    record.now.push(word(bytes, HEAD + 2 * i));
    record.before.push(word(bytes, HEAD + 2 * i + 1));
  }
  bytes = octetsAt(flash, at + size, tries * 4 + 4);
  for (i = 0; i <= tries; i++) {
    w = word(bytes, i);
    // start() never leaves an erased word before one that is not: it counts as used, because the next word to write
    // must be erased
    if (w !== ERASED) {
      record.next = at + size + 4 * i + 4;
      if (w === CONFIRMED) record.confirmed = true;
      else record.starts = i + 1;
    }
  }
  return record;
}

/** Finds the record that applies. Writes nothing: the remains of a cut are skipped. */
export function newestFlashRecord(flash: Flash, pages: number[]): FlashRecord | null {
  var a = readRecord(flash, pages, 0),
    b = readRecord(flash, pages, 1);
  return a && b ? (isLater(a.generation, b.generation) ? a : b) : a || b;
}
