// Images of ESP32 chips: header, segments, checksum and hash as the boot loader of ESP-IDF checks them
// (esp_image_format.c), and the app descriptor (esp_app_desc.h). Numbers are little-endian.

import { createHash } from "node:crypto";
import { FormatRefusal, refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { CHIPS, type Chip } from "./chips.js";

const MAGIC = 0xe9;
export const HEADER = 24;
export const SEGMENT_HEADER = 8;
const MOST_SEGMENTS = 16;
/** The boot loader refuses a segment of 16 MiB. */
const SEGMENT_LIMIT = 2 ** 24;
const CHECKSUM_START = 0xef;
const CHECKSUM_BLOCK = 16;
const HASH = 32;
/** Signatures begin at the next multiple of it. */
const SECTOR = 4096;

/** The app descriptor is at the beginning of the first segment (ESP_APP_DESC_MAGIC_WORD). */
export const DESCRIPTOR_MAGIC = 0xabcd5432;
export const DESCRIPTOR_VERSION = { at: 16, length: 32 };
const DESCRIPTOR = 256;

/** The description that an app has of itself. */
export interface AppDescriptor {
  readonly secureVersion: number;
  readonly version: string;
  readonly project: string;
  readonly time: string;
  readonly date: string;
  readonly idf: string;
  /** SHA-256 of the ELF file, hex. */
  readonly elf: string;
}

/** What an image says. */
export interface AppImage {
  readonly chip: Chip;
  readonly segments: number;
  readonly entry: number;
  /** The chip revisions that start it: 100 times the major number, and the minor one. */
  readonly revisions: { readonly least: number; readonly most: number };
  readonly hashAppended: boolean;
  /** Undefined for boot loaders. */
  readonly descriptor: AppDescriptor | undefined;
  /** Length in bytes, with checksum and hash. */
  readonly length: number;
}

/**
 * Recognizes an image by its header.
 *
 * @param bytes - The file.
 * @returns Whether it begins like an image of a chip with Secure Boot v2. Images of ESP8266 do not.
 */
export function looksLikeImage(bytes: Uint8Array): boolean {
  const [magic, segments = 0] = bytes;
  if (bytes.length < HEADER || magic !== MAGIC || segments < 1 || segments > MOST_SEGMENTS) return false;
  return chipOf(viewOf(bytes)) !== undefined && (bytes[23] as number) <= 1;
}

const chipOf = (view: DataView): Chip | undefined => CHIPS[view.getUint16(12, true)];

/**
 * Reads the image at the beginning of a file, and checks its checksum and hash.
 *
 * @param bytes - The file. What follows the image is not read.
 * @returns What the image says.
 * @throws FormatRefusal ESP32_*.
 */
export function readImage(bytes: Uint8Array): AppImage {
  const view = viewOf(bytes);
  if (bytes.length < HEADER) return refuseFormat("ESP32_TRUNCATED", bytes.length, "the header has 24 bytes");
  if (bytes[0] !== MAGIC) return refuseFormat("ESP32_HEADER", 0, "it does not begin with e9");
  const segments = bytes[1] as number;
  if (segments < 1 || segments > MOST_SEGMENTS) return refuseFormat("ESP32_HEADER", 1, `${segments} segments, but 1 to 16 are possible`);
  const chip = chipOf(view) ?? refuseFormat("ESP32_HEADER", 12, `chip ${view.getUint16(12, true)} has no Secure Boot v2, or is not known`);
  const flag = bytes[23] as number;
  if (flag > 1) return refuseFormat("ESP32_HEADER", 23, `the flag of the appended hash is ${flag}`);

  const length = lengthOf(bytes, view, segments);
  if (flag === 1) {
    const hash = createHash("sha256")
      .update(bytes.subarray(0, length - HASH))
      .digest();
    if (!hash.equals(bytes.subarray(length - HASH, length))) return refuseFormat("ESP32_HASH", length - HASH);
  }
  return {
    chip,
    segments,
    entry: view.getUint32(4, true),
    revisions: { least: view.getUint16(15, true), most: view.getUint16(17, true) },
    hashAppended: flag === 1,
    descriptor: descriptorOf(bytes, view),
    length,
  };
}

/** Offset of the signatures behind an image of this length. */
export const signaturesAt = (image: number) => Math.ceil(image / SECTOR) * SECTOR;

/**
 * Says whether a boot loader with Secure Boot would look for signatures at the end of a file. It compares neither the
 * appended hash, nor what is between the image and its signatures.
 *
 * @param bytes - The file.
 * @returns Whether the file is an image with a right checksum, and what pads it to 4 KiB.
 */
export function isSecureBootContent(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER || bytes[0] !== MAGIC || (bytes[1] as number) > MOST_SEGMENTS) return false;
  try {
    return signaturesAt(lengthOf(bytes, viewOf(bytes), bytes[1] as number)) === bytes.length;
  } catch (e) {
    if (e instanceof FormatRefusal) return false;
    throw e;
  }
}

/** Length of the image, whose checksum is checked: segments, checksum, hash. */
function lengthOf(bytes: Uint8Array, view: DataView, segments: number): number {
  const end = endOfSegments(bytes, view, segments);
  const checksumAt = end - (end % CHECKSUM_BLOCK) + CHECKSUM_BLOCK - 1;
  const length = checksumAt + 1 + (bytes[23] === 0 ? 0 : HASH);
  if (length > bytes.length) return refuseFormat("ESP32_TRUNCATED", bytes.length, `the image has ${length} bytes`);
  if (checksumOf(bytes, view, segments) !== bytes[checksumAt]) return refuseFormat("ESP32_CHECKSUM", checksumAt);
  return length;
}

/** Each segment: load address, length, data. */
function endOfSegments(bytes: Uint8Array, view: DataView, segments: number): number {
  let at = HEADER;
  for (let i = 0; i < segments; i++) {
    if (at + SEGMENT_HEADER > bytes.length) return refuseFormat("ESP32_TRUNCATED", bytes.length, `segment ${i} begins at ${at}`);
    const length = view.getUint32(at + 4, true);
    if (length % 4 !== 0 || length >= SEGMENT_LIMIT) return refuseFormat("ESP32_SEGMENT", at + 4, `segment ${i} has ${length} bytes`);
    at += SEGMENT_HEADER + length;
    if (at > bytes.length) return refuseFormat("ESP32_TRUNCATED", bytes.length, `segment ${i} ends at ${at}`);
  }
  return at;
}

/** XOR of the data of all segments, whose bounds are right. */
function checksumOf(bytes: Uint8Array, view: DataView, segments: number): number {
  let sum = CHECKSUM_START;
  let at = HEADER;
  for (let i = 0; i < segments; i++) {
    const begin = at + SEGMENT_HEADER;
    at = begin + view.getUint32(at + 4, true);
    for (let j = begin; j < at; j++) sum ^= bytes[j] as number;
  }
  return sum;
}

function descriptorOf(bytes: Uint8Array, view: DataView): AppDescriptor | undefined {
  const at = HEADER + SEGMENT_HEADER;
  if (view.getUint32(HEADER + 4, true) < DESCRIPTOR || view.getUint32(at, true) !== DESCRIPTOR_MAGIC) return undefined;
  const text = (offset: number, length: number) => {
    const field = Buffer.from(bytes.subarray(at + offset, at + offset + length)).toString("latin1");
    const [value] = field.split("\0", 1);
    if (!/^[\x20-\x7e]*$/.test(value as string) || value?.length === length) return refuseFormat("ESP32_DESCRIPTOR", at + offset);
    return value as string;
  };
  return {
    secureVersion: view.getUint32(at + 4, true),
    version: text(DESCRIPTOR_VERSION.at, DESCRIPTOR_VERSION.length),
    project: text(48, 32),
    time: text(80, 16),
    date: text(96, 16),
    idf: text(112, 32),
    elf: Buffer.from(bytes.subarray(at + 144, at + 176)).toString("hex"),
  };
}
