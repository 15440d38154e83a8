// The trailer: the last bytes of a slot, which tell the boot loader what to do with it. No signature covers it. An
// image that is padded to the size of its slot has one.

import { equalBytes, fromHex } from "@firmseal/verifier/tools";
import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";

export interface ImageTrailer {
  /** Length of the file. */
  readonly slotSize: number;
  /** The value of erased flash, 0xff or 0. */
  readonly erased: number;
  /** What each field is aligned to: 8, 16 or 32. */
  readonly maxAlign: number;
  /** Whether image_ok is set: the boot loader keeps the image without a test. */
  readonly isConfirmed: boolean;
}

const MAGIC_8 = fromHex("77c295f360d2ef7f3552500f2cb67980");
const MAGIC_END = fromHex("2de15d29410b8d77679c110f1f8a");
const MAGIC_BYTES = 16;

export const alignUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** Where image_ok is. Below it are copy_done, swap_info and swap_size. */
const imageOkAt = (slotSize: number, maxAlign: number) => slotSize - alignUp(MAGIC_BYTES, maxAlign) - maxAlign;

/** Where the trailer of a file begins that has the fewest fields: magic, image_ok, copy_done. */
export const roomBefore = ({ slotSize, maxAlign }: ImageTrailer) => imageOkAt(slotSize, maxAlign) - maxAlign;

function maxAlignOf(magic: Uint8Array): number | undefined {
  if (equalBytes(magic, MAGIC_8)) return 8;
  const align = viewOf(magic).getUint16(0, true);
  return equalBytes(magic.subarray(2), MAGIC_END) && (align === 16 || align === 32) ? align : undefined;
}

/** Reads what follows the image, whose last TLV area ends at `end`. Undefined if nothing does. */
export function readTrailer(bytes: Uint8Array, end: number): ImageTrailer | undefined {
  const slotSize = bytes.length;
  if (slotSize === end) return undefined;
  if (slotSize - end < MAGIC_BYTES) return refuseFormat("MCUBOOT_TRAILER", end, `${slotSize - end} bytes`);
  const maxAlign = maxAlignOf(bytes.subarray(slotSize - MAGIC_BYTES));
  if (maxAlign === undefined) return refuseFormat("MCUBOOT_TRAILER", slotSize - MAGIC_BYTES, "the file does not end in the magic number");
  const okAt = imageOkAt(slotSize, maxAlign);
  if (okAt - maxAlign < end) refuseFormat("MCUBOOT_TRAILER", end, "the image reaches into it");
  // a byte of copy_done
  const erased = bytes[okAt - 1] as number;
  if (erased !== 0xff && erased !== 0) refuseFormat("MCUBOOT_TRAILER", okAt - 1, "copy_done is set");
  const ok = bytes[okAt] as number;
  if (ok !== erased && ok !== 1) refuseFormat("MCUBOOT_TRAILER", okAt, `image_ok is ${ok}`);
  const other = bytes.subarray(end, slotSize - MAGIC_BYTES).findIndex((byte, i) => byte !== erased && end + i !== okAt);
  if (other >= 0) refuseFormat("MCUBOOT_TRAILER", end + other, "the filler is not erased flash");
  return { slotSize, erased, maxAlign, isConfirmed: ok === 1 };
}

/** Writes the image and the trailer into a slot. The caller has checked that both fit. */
export function writeTrailer(image: Uint8Array, trailer: ImageTrailer): Uint8Array {
  const bytes = new Uint8Array(trailer.slotSize).fill(trailer.erased);
  bytes.set(image);
  const magic = bytes.subarray(trailer.slotSize - MAGIC_BYTES);
  magic.set(MAGIC_8);
  if (trailer.maxAlign !== 8) {
    viewOf(magic).setUint16(0, trailer.maxAlign, true);
    magic.set(MAGIC_END, 2);
  }
  if (trailer.isConfirmed) bytes[imageOkAt(trailer.slotSize, trailer.maxAlign)] = 1;
  return bytes;
}

/** How a boot loader uses a slot. */
export interface SlotRule {
  /** Smallest write, in bytes: 1, 2, 4, 8, 16 or 32. */
  readonly align: number;
  readonly maxAlign: number;
  /** The most sectors that a slot of this boot loader has. imgtool's default is 128. */
  readonly maxSectors: number;
  /** The boot loader copies instead of swapping, and needs no status. */
  readonly isOverwriteOnly: boolean;
}

/** Bytes that the boot loader needs at the end of the slot: 3 marks for each sector, the fields, the magic number. */
export function trailerSize({ align, maxAlign, maxSectors, isOverwriteOnly }: SlotRule): number {
  const magic = alignUp(MAGIC_BYTES, maxAlign);
  return isOverwriteOnly ? 2 * maxAlign + magic : maxSectors * 3 * align + 4 * maxAlign + magic;
}
