// The header of an image: 32 bytes, little-endian, then filler up to the header size.

import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { type ImageVersionNumbers, readVersion, writeVersion } from "./image-version.js";
import { FLAGS, HEADER_BYTES, HEADER_MAGIC, HEADER_MAGIC_V1 } from "./numbers.js";

export interface ImageHeader {
  readonly loadAddress: number;
  readonly headerSize: number;
  /** Length of the protected area with its head; 0: there is none. */
  readonly protectedSize: number;
  readonly imageSize: number;
  readonly flags: number;
  readonly version: ImageVersionNumbers;
}

/** Whether a file begins with a magic number of MCUboot, in either byte order. */
export function hasMagic(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const [little, big] = [viewOf(bytes).getUint32(0, true), viewOf(bytes).getUint32(0, false)];
  return [HEADER_MAGIC, HEADER_MAGIC_V1].some((magic) => little === magic || big === magic);
}

export const hasFlag = (flags: number, name: keyof typeof FLAGS) => (flags & FLAGS[name]) !== 0;

/** The names of the flags that are set. */
export const flagNames = (flags: number) => (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).filter((name) => hasFlag(flags, name));

/** Those of which an image has at most one. RAM_LOAD and ROM_FIXED share the load address. */
const EXCLUSIVE = [
  ["aes-128", "aes-256"],
  ["ram-load", "rom-fixed"],
  ["lzma1", "lzma2"],
] as const;

function checkFlags(flags: number): void {
  const known = Object.values(FLAGS).reduce((all, one) => all | one, 0);
  if ((flags & ~known) !== 0) refuseFormat("MCUBOOT_FLAGS", 16, `0x${flags.toString(16)}`);
  const both = EXCLUSIVE.find(([a, b]) => hasFlag(flags, a) && hasFlag(flags, b));
  if (both) refuseFormat("MCUBOOT_FLAGS", 16, both.join(" and "));
}

/** Reads the header, strictly. */
export function readHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length < HEADER_BYTES) refuseFormat("MCUBOOT_TRUNCATED", 0, "the header has 32 bytes");
  const view = viewOf(bytes);
  const magic = view.getUint32(0, true);
  if (magic !== HEADER_MAGIC) {
    if (view.getUint32(0, false) === HEADER_MAGIC) refuseFormat("MCUBOOT_BIG_ENDIAN", 0);
    refuseFormat("MCUBOOT_MAGIC", 0, magic === HEADER_MAGIC_V1 ? "it is that of version 1" : undefined);
  }
  const header = {
    loadAddress: view.getUint32(4, true),
    headerSize: view.getUint16(8, true),
    protectedSize: view.getUint16(10, true),
    imageSize: view.getUint32(12, true),
    flags: view.getUint32(16, true),
    version: readVersion(view, 20),
  };
  if (header.headerSize < HEADER_BYTES) refuseFormat("MCUBOOT_HEADER", 8, `a header size of ${header.headerSize}`);
  if (header.imageSize === 0) refuseFormat("MCUBOOT_HEADER", 12, "an image of 0 bytes");
  if (view.getUint32(28, true) !== 0) refuseFormat("MCUBOOT_HEADER", 28, "the last 4 bytes are not 0");
  checkFlags(header.flags);
  if (header.loadAddress !== 0 && !hasFlag(header.flags, "ram-load") && !hasFlag(header.flags, "rom-fixed"))
    refuseFormat("MCUBOOT_HEADER", 4, "a load address, and no flag that says what it is for");
  return header;
}

/** Writes a header of `headerSize` bytes, with filler of the value of erased flash. */
export function writeHeader(header: ImageHeader, erased: number): Uint8Array {
  const bytes = new Uint8Array(header.headerSize).fill(erased);
  const view = viewOf(bytes);
  view.setUint32(0, HEADER_MAGIC, true);
  view.setUint32(4, header.loadAddress, true);
  view.setUint16(8, header.headerSize, true);
  view.setUint16(10, header.protectedSize, true);
  view.setUint32(12, header.imageSize, true);
  view.setUint32(16, header.flags, true);
  bytes.set(writeVersion(header.version), 20);
  view.setUint32(28, 0, true);
  return bytes;
}
