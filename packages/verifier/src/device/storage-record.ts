// The records of the device in Espruino's Storage: which files are current, in which release, and whether it was started and confirmed. Of two
// files the newer one that is whole rules. And what the device stands on.

import { refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { DEVICE_FAULT } from "../spec/errors.js";
import { isLater } from "./generation.js";

/** What is used of require("Storage"). Strings have one octet to the character. `read` with `n` of 0 gives the whole file. */
export interface EspruinoStorage {
  read(name: string, offset?: number, n?: number): string | undefined;
  /** With `offset` 0 a file of `size` bytes takes the place of the one of that name; else bytes are added to a file that is there. */
  write(name: string, data: string | Bytes, offset?: number, size?: number): boolean;
  erase(name: string): void;
  /** Bytes at the end that no file has had yet, headers included. */
  getFree(): number;
}

/** What is used of Espruino's E. */
export interface EspruinoE {
  toUint8Array(text: string): Bytes;
  toString(bytes: Bytes): string;
}

/**
 * What a device stands on. `sha256` hashes a text, best where it lies: `new Uint8Array(require("crypto").SHA256(text))`. `page`: bytes in a
 * page of the flash below, 4,096 where it is left out.
 */
export interface StorageIo {
  page?: number;
  storage: EspruinoStorage;
  E: EspruinoE;
  sha256(text: string): Bytes;
}

/** The record that rules, and what follows from its marks. */
export interface Kept {
  name: string;
  text: string;
  /** Bytes in front of the check value, and parts in it: the envelope and the components. */
  body: number;
  parts: number;
  generation: number;
  tries: number;
  starts: number;
  confirmed: boolean;
  /** Not confirmed, and not out of tries yet. */
  pending: boolean;
  /** Out of tries: what was current before is current again. */
  back: boolean;
}

// A record: "f1", tries, parts; generation, floor (high, low), 4 octets each; for each part (the envelope, then the components) the slot
// that is new and the one before, 4 octets each, then for each slot the size (4) and SHA-256 of what lies there; the first 8 octets of
// SHA-256 over all of that. In place of SHA-256 of a new envelope stands what counters() gives, and COUNTED is added to its slot: versions that did not know
// that look at neither. Behind it, of 8 octets each so that no word of flash is written twice, come the marks: confirmed, one for each start, and one for going
// back. Whatever is not 255 throughout is a mark. One octet more makes the size odd.
export var HEAD = 16;
export var PART = 80;
export var COUNTED = 2;
var UNMARKED = "\xff\xff\xff\xff\xff\xff\xff\xff";
export var ZEROS = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
export var ONES = UNMARKED + UNMARKED + UNMARKED + UNMARKED;

/**
 * The name of a slot. Identifiers come from a manifest, and are no part of it. The first 4 characters of all names are the same: Storage
 * removes a file by clearing those, and where the power fails in the middle of that, the file must not get the name of another one.
 */
export function fileOf(part: number, slot: number): string {
  return "firmseal." + part + (slot ? "b" : "a");
}

export function u32(text: string, at: number): number {
  var n = 0,
    i;
  for (i = at; i < at + 4; i++) n = n * 256 + text.charCodeAt(i);
  return n;
}

export function digestText(io: StorageIo, text: string): string {
  return io.E.toString(io.sha256(text));
}

/** `n` bytes of a file, or a fault: there are no less. */
export function textOf(io: StorageIo, name: string, offset: number, n: number): string {
  var text = n ? io.storage.read(name, offset, n) : "";
  if (text === undefined || text.length !== n) refuse(DEVICE_FAULT);
  return text as string;
}

/** Whether the record has its mark `i`: 0 is the confirmation. */
function marked(k: Kept, i: number): boolean {
  var at = k.body + 8 + 8 * i;
  return k.text.substring(at, at + 8) !== UNMARKED;
}

function readRecord(io: StorageIo, name: string): Kept | null {
  var text = io.storage.read(name) || "",
    parts = text.charCodeAt(3),
    body = HEAD + PART * parts,
    tries = text.charCodeAt(2),
    k: Kept;
  if (text.substring(0, 2) !== "f1" || text.length !== body + 25 + 8 * tries) return null;
  if (digestText(io, text.substring(0, body)).substring(0, 8) !== text.substring(body, body + 8)) return null;
  k = {
    name: name,
    text: text,
    body: body,
    parts: parts,
    generation: u32(text, 4),
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

/** The record that rules. Nothing is written: what a cut has left behind is passed over. */
export function newest(io: StorageIo): Kept | null {
  var a = readRecord(io, "firmseal.r0"),
    b = readRecord(io, "firmseal.r1");
  return a && b ? (isLater(a.generation, b.generation) ? a : b) : a || b;
}

/** The slot of a part that is current; before there is anything it is b, so that a is written first. */
export function slotOf(k: Kept | null, part: number): number {
  // one bit: whatever else a record could hold, there are two
  return k && part < k.parts ? u32(k.text, HEAD + PART * part + (k.back ? 4 : 0)) & 1 : 1;
}

export function sizeOf(k: Kept | null, part: number): number {
  return k && part < k.parts ? u32(k.text, HEAD + PART * part + 8 + 36 * slotOf(k, part)) : 0;
}

/** What the commit of a record has handed in; null where a version wrote it that did not know it. It goes with the floor, also after the way back. */
export function countersOf(io: StorageIo, k: Kept): Bytes | null {
  var slot = u32(k.text, HEAD),
    at = HEAD + 12 + 36 * (slot & 1);
  // 32 bits
  return slot & COUNTED ? io.E.toUint8Array(k.text.substring(at, at + 32)) : null;
}

/**
 * Counts a start of what is not confirmed, where the one after the last is the way back; or notes that what was started is `well`. An app
 * says nothing about a release that was installed while it ran, and not started yet. Where a start cannot be counted, since its mark does not take, the
 * release before is current: what starts without being counted could fail for ever.
 */
export function note(io: StorageIo, well: boolean): Kept | null {
  var k = newest(io),
    after;
  if (!k || !k.pending || (well && !k.starts)) return k;
  io.storage.write(k.name, ZEROS.substring(0, 8), k.body + 8 + (well ? 0 : 8 * k.starts + 8));
  after = newest(io);
  if (!well && after && after.starts === k.starts) {
    after.pending = false;
    after.back = true;
  }
  return after;
}
