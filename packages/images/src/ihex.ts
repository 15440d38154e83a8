// Intel HEX ("Hexadecimal Object File Format Specification", revision A, 1988): record types 00 to 05, digits in upper
// or lower case, lines that end in LF, CR LF or CR, empty lines, and blanks at the end of a line. There must be exactly
// one end-of-file record, as the last record.
//
// Why we have our own reader: nrf-intel-hex 1.4.0 computes the linear base with `<< 16`, so it refuses every address
// from 2 GiB on (external flash of STM32, PIC32, RISC-V). It also treats a short extended address record as base 0,
// which would sign the bytes for another place. intel-hex 0.2.0 keeps the last of two overlapping records and allocates
// whatever an address requires.

import { checkPieces, formatHex, ImageError, type Layout, layOut } from "./layout.js";

const DATA = 0;
const END_OF_FILE = 1;
const EXTENDED_SEGMENT_ADDRESS = 2;
const EXTENDED_LINEAR_ADDRESS = 4;

/**
 * Data length in bytes by record type. Start addresses (types 3 and 5) are checked and ignored, because they are not
 * part of the flash.
 */
const DATA_LENGTHS = [undefined, 0, 2, 4, 2, 4];

const LONGEST_RECORD = 255 + 5;
const COLON = 0x3a;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads a whole Intel HEX file. Throws ImageError, with the line number, for everything outside the subset described at
 * the top of this file.
 */
export function parseHex(text: Uint8Array): Layout {
  const data = new Uint8Array(text.length >> 1);
  const runs: { address: number; from: number; to: number }[] = [];
  const record = new Uint8Array(LONGEST_RECORD);
  let used = 0;
  let base = 0;
  let linear = false;
  let ended = false;
  let line = 0;

  for (let at = 0; at < text.length; ) {
    line++;
    const start = at;
    while (at < text.length && text[at] !== LF && text[at] !== CR) at++;
    const end = trimmed(text, start, at);
    if (text[at] === CR && text[at + 1] === LF) at++;
    at++;

    if (start === end) continue;
    if (ended) throw damagedHex(line, "text after the end-of-file record");
    const count = decodeRecord(text, start, end, record, line);
    const offset = pair(record, 1);
    const type = record[3] as number;

    if (type === DATA) {
      const address = base + offset;
      checkWrap(linear, offset, address, count, line);
      data.set(record.subarray(4, 4 + count), used);
      const last = runs.at(-1);
      if (last && last.address + (last.to - last.from) === address) last.to += count;
      else checkPieces(runs.push({ address, from: used, to: used + count }));
      used += count;
      continue;
    }

    if (type >= DATA_LENGTHS.length) throw unknownType(line, type);
    if (count !== DATA_LENGTHS[type]) throw damagedHex(line, `a record of type 0${type} with ${count} bytes of data`);
    if (offset !== 0) throw damagedHex(line, `a record of type 0${type} with an offset, which must be 0000`);
    if (type === END_OF_FILE) ended = true;
    if (type === EXTENDED_SEGMENT_ADDRESS || type === EXTENDED_LINEAR_ADDRESS) {
      linear = type === EXTENDED_LINEAR_ADDRESS;
      base = pair(record, 4) * (linear ? 0x10000 : 0x10);
    }
  }

  // Truncation: without this record, a missing rest of the file would go unnoticed.
  if (!ended) throw damagedHex(line, "the file stops without an end-of-file record (:00000001FF)");
  return layOut(runs.map((run) => ({ address: run.address, bytes: data.subarray(run.from, run.to) })));
}

/** Decodes one line into `record` and returns the number of its data bytes. */
function decodeRecord(text: Uint8Array, start: number, end: number, record: Uint8Array, line: number): number {
  if (text[start] !== COLON) throw damagedHex(line, "not a record: it does not begin with a colon");
  const digits = end - start - 1;
  if (digits % 2 !== 0 || digits < 10 || digits > 2 * LONGEST_RECORD) throw damagedHex(line, `a record of ${digits} digits`);

  let sum = 0;
  for (let i = 0; i < digits / 2; i++) {
    const high = digit(text[start + 1 + 2 * i] as number);
    const low = digit(text[start + 2 + 2 * i] as number);
    if (high < 0 || low < 0) throw damagedHex(line, "a character that is not a hexadecimal digit");
    const byte = high * 16 + low;
    record[i] = byte;
    sum += byte;
  }
  const count = record[0] as number;
  if (count + 5 !== digits / 2) throw damagedHex(line, `the record says ${count} bytes of data and holds ${digits / 2 - 5}`);
  if (sum % 256 !== 0) throw damagedHex(line, "wrong checksum");
  return count;
}

/**
 * Section 3 wraps addresses at 4 GiB after a linear base and at 64 KiB otherwise. Wrapping is refused: some loaders
 * carry into the next 64 KiB and some do not, so the bytes on the device could differ from those signed.
 */
function checkWrap(linear: boolean, offset: number, address: number, count: number, line: number): void {
  if (linear ? address + count > 2 ** 32 : offset + count > 0x10000) {
    throw damagedHex(line, `the data at ${formatHex(address)} runs past the end of its ${linear ? "4 GiB" : "64 KiB segment"}`);
  }
}

function trimmed(text: Uint8Array, start: number, end: number): number {
  let to = end;
  while (to > start && (text[to - 1] === 0x20 || text[to - 1] === 0x09)) to--;
  return to;
}

function digit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function pair(record: Uint8Array, at: number): number {
  return (record[at] as number) * 256 + (record[at + 1] as number);
}

function damagedHex(line: number, what: string): ImageError {
  return new ImageError(`Intel HEX, line ${line}: ${what}`, "Build or download it again; a raw binary must not be named .hex.");
}

function unknownType(line: number, type: number): ImageError {
  return new ImageError(
    `Intel HEX, line ${line}: record type 0x${type.toString(16).padStart(2, "0")} is not one of 00 to 05`,
    "A universal HEX of the micro:bit holds an image for each board: extract one and sign that.",
  );
}
