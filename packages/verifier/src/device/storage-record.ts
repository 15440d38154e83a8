// The records of the device in Espruino's Storage: which files are current, in which release, and whether it was
// started and confirmed. Of two files, the newer complete one applies. Also the objects that the device needs.

import { HAS_GENERAL } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { DEVICE_FAULT } from "../spec/errors.generated.js";
import { isLater } from "./generation.js";

/**
 * The part of require("Storage") that is used here. Strings have one byte per character. `read` with `n` = 0 returns
 * the whole file.
 */
export interface EspruinoStorage {
  read(name: string, offset?: number, n?: number): string | undefined;
  /**
   * With `offset` 0, a file of `size` bytes replaces the one with that name. Otherwise, bytes are added to an existing
   * file.
   */
  write(name: string, data: string | Bytes, offset?: number, size?: number): boolean;
  erase(name: string): void;
  /** The number of bytes at the end that no file has used yet, including headers. */
  getFree(): number;
}

/** The part of Espruino's E that is used here. */
export interface EspruinoE {
  toUint8Array(text: string): Bytes;
  toString(bytes: Bytes): string;
}

/**
 * What a device needs. `sha256` hashes a text, preferably in place: `new Uint8Array(require("crypto").SHA256(text))`.
 * `page`: bytes in a page of the underlying flash (default 4,096).
 */
export interface StorageIo {
  page?: number;
  storage: EspruinoStorage;
  E: EspruinoE;
  sha256(text: string): Bytes;
}

/** The record that applies, and the meaning of its marks. */
export interface Kept {
  name: string;
  text: string;
  /** Bytes before the check value, and number of parts: the envelope and the components. */
  body: number;
  parts: number;
  generation: number;
  tries: number;
  starts: number;
  confirmed: boolean;
  /** Not confirmed, and with tries left. */
  pending: boolean;
  /** Out of tries: the previous release is current again. */
  back: boolean;
}

// A record: "f2", tries, parts; generation, floor (high, low), 4 bytes each; for each part (the envelope, then the
// components) the new slot and the previous one, 4 bytes each, then for each slot the size (4) and SHA-256 of its
// content. In place of SHA-256 of an envelope, it holds the first 32 bytes of counters(). Then comes an odd number, and
// as many bytes: the others of counters(), filled up with a 0; the first 8 bytes of SHA-256 over all of that. Then come
// the marks, 8 bytes each, so that no word of flash is written twice: confirmed, one for each start, and one for going
// back. Anything but all 255 is a mark. One more byte makes the size odd.
export var HEAD = 16;
export var PART = 80;
var UNMARKED = "\xff\xff\xff\xff\xff\xff\xff\xff";
var MARK = "\0\0\0\0\0\0\0\0";
export var ZEROS = MARK + MARK + MARK + "\0\0\0\0";
export var ONES = UNMARKED + UNMARKED + UNMARKED + UNMARKED;

/**
 * The file name of a slot. It does not include the identifier, which is untrusted. All names begin with the same 4
 * characters: Storage removes a file by clearing those, and if the power fails during that, the file must not get the
 * name of another one.
 */
export function fileOf(part: number, slot: number): string {
  return "firmseal." + part + (slot ? "b" : "a");
}

export function u32InText(text: string, at: number): number {
  var n = 0,
    i;
  for (i = at; i < at + 4; i++) n = n * 256 + text.charCodeAt(i);
  return n;
}

export function digestText(io: StorageIo, text: string): string {
  return io.E.toString(io.sha256(text));
}

/** Reads exactly `n` bytes of a file. Refuses if there are fewer. */
export function textOf(io: StorageIo, name: string, offset: number, n: number): string {
  var text = n ? io.storage.read(name, offset, n) : "";
  if (text === undefined || text.length !== n) refuse(DEVICE_FAULT);
  return text as string;
}

/** Whether the record has mark `i`. Mark 0 is the confirmation. */
function marked(k: Kept, i: number): boolean {
  var at = k.body + 8 + 8 * i;
  return k.text.substring(at, at + 8) !== UNMARKED;
}

function readRecord(io: StorageIo, name: string): Kept | null {
  var text = io.storage.read(name) || "",
    parts = text.charCodeAt(3),
    last = HEAD + PART * parts,
    body = last + 1 + text.charCodeAt(last),
    tries = text.charCodeAt(2),
    k: Kept;
  if (
    text.substring(0, 2) !== "f2" ||
    text.length !== body + 25 + 8 * tries ||
    digestText(io, text.substring(0, body)).substring(0, 8) !== text.substring(body, body + 8)
  )
    return null;
  k = {
    name: name,
    text: text,
    body: body,
    parts: parts,
    generation: u32InText(text, 4),
    tries: tries,
    starts: 0,
    confirmed: !tries,
    pending: false,
    back: false,
  };
  if (marked(k, 0)) k.confirmed = true;
  while (k.starts <= tries && marked(k, k.starts + 1)) k.starts++;
  k.pending = !k.confirmed && k.starts <= tries;
  k.back = !k.confirmed && !k.pending;
  return k;
}

/** Finds the record that applies. Writes nothing: the remains of a cut are skipped. */
export function newestKept(io: StorageIo): Kept | null {
  var a = readRecord(io, "firmseal.r0"),
    b = readRecord(io, "firmseal.r1");
  return a && b ? (isLater(a.generation, b.generation) ? a : b) : a || b;
}

/** The current slot of a part. Without a record, it is b, so that a is written first. */
export function slotOf(k: Kept | null, part: number): number {
  // one bit: there are only two slots, whatever the record contains
  return k && (!HAS_GENERAL || part < k.parts) ? u32InText(k.text, HEAD + PART * part + (k.back ? 4 : 0)) & 1 : 1;
}

export function keptSize(k: Kept | null, part: number): number {
  return k && (!HAS_GENERAL || part < k.parts) ? u32InText(k.text, HEAD + PART * part + 8 + 36 * slotOf(k, part)) : 0;
}

/** The counters of the last commit, filled up to at least 33 bytes. They belong to the floor, even after going back. */
export function keptCounters(io: StorageIo, k: Kept): Bytes {
  // one bit: there are only two slots
  var at = HEAD + 12 + 36 * (u32InText(k.text, HEAD) & 1);
  return io.E.toUint8Array(k.text.substring(at, at + 32) + k.text.substring(HEAD + PART * k.parts + 1, k.body));
}

/**
 * Counts a start of an unconfirmed release (after the last try, goes back), or with `well` confirms the started one. An
 * app cannot confirm a release that was installed while it ran and has not started yet. If the mark cannot be written,
 * the previous release is current: an uncounted start could fail forever.
 */
export function note(io: StorageIo, well: boolean): Kept | null {
  var k = newestKept(io),
    after;
  if (!k || !k.pending || (well && !k.starts)) return k;
  io.storage.write(k.name, MARK, k.body + 8 + (well ? 0 : 8 * k.starts + 8));
  after = newestKept(io);
  if (!well && after && after.starts === k.starts) {
    after.pending = false;
    after.back = true;
  }
  return after;
}
