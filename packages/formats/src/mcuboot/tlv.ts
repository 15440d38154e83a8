// TLV areas: a magic number, the length of the area, then entries of type, length and value. Two checks of bounds, the
// area in the file and the entry in the area, come before each slice.

import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { AREA_HEAD, CUSTOM_FIRST, CUSTOM_LAST, PROTECTED, TLV_HEAD, TLV_ROWS, type TlvRow, type UNPROTECTED } from "./numbers.js";

export interface ImageTlv {
  /** 16 bits. */
  readonly type: number;
  readonly value: Uint8Array;
  /** Offset in the file. */
  readonly at: number;
}

export interface TlvArea {
  readonly tlvs: readonly ImageTlv[];
  /** Offset behind the area. */
  readonly end: number;
}

const CUSTOM: TlvRow = { name: "custom", isProtected: true, lengths: [], what: "fact", repeats: false };

/** What is known of a type, also of custom ones. Undefined for an unknown type. */
export const rowOfTlv = (type: number) => TLV_ROWS.get(type) ?? (type >= CUSTOM_FIRST && type <= CUSTOM_LAST ? CUSTOM : undefined);

/** How messages name a type. */
export const nameOfTlv = (type: number) => `0x${type.toString(16).padStart(2, "0")}`;

/** Whether the protected area begins here. */
export const isProtectedArea = (bytes: Uint8Array, at: number) => at + 2 <= bytes.length && viewOf(bytes).getUint16(at, true) === PROTECTED;

/** Reads one area, with every rule that its entries have alone. */
export function readArea(bytes: Uint8Array, at: number, magic: typeof PROTECTED | typeof UNPROTECTED): TlvArea {
  if (at + AREA_HEAD > bytes.length) refuseFormat("MCUBOOT_TRUNCATED", at, "there is no TLV area");
  const view = viewOf(bytes);
  if (view.getUint16(at, true) !== magic) refuseFormat("MCUBOOT_TLV_MAGIC", at);
  const total = view.getUint16(at + 2, true);
  const end = at + total;
  if (total < AREA_HEAD) refuseFormat("MCUBOOT_TLV_BOUNDS", at, `an area of ${total} bytes`);
  if (end > bytes.length) refuseFormat("MCUBOOT_TRUNCATED", at, `a TLV area of ${total} bytes`);
  const tlvs: ImageTlv[] = [];
  const seen = new Set<number>();
  for (let next = at + AREA_HEAD; next < end; ) {
    if (next + TLV_HEAD > end) refuseFormat("MCUBOOT_TLV_BOUNDS", next);
    const type = view.getUint16(next, true);
    const length = view.getUint16(next + 2, true);
    const after = next + TLV_HEAD + length;
    if (after > end) refuseFormat("MCUBOOT_TLV_BOUNDS", next, `${nameOfTlv(type)} has ${length} bytes`);
    const tlv = { type, value: bytes.subarray(next + TLV_HEAD, after), at: next };
    checkAlone(tlv, magic === PROTECTED, seen);
    seen.add(type);
    tlvs.push(tlv);
    next = after;
  }
  return { tlvs, end };
}

function checkAlone({ type, value, at }: ImageTlv, isProtected: boolean, seen: ReadonlySet<number>): void {
  const row = rowOfTlv(type);
  // a vendor's type outside is a fact that nobody signed, too
  if (!row) refuseFormat("MCUBOOT_TLV_TYPE", at, nameOfTlv(type));
  if (row.isProtected !== isProtected) refuseFormat("MCUBOOT_TLV_AREA", at, `${nameOfTlv(type)}, ${row.name}`);
  if (seen.has(type) && !row.repeats) refuseFormat("MCUBOOT_TLV_DUPLICATE", at, `${nameOfTlv(type)}, ${row.name}`);
  if (row.lengths.length > 0 && !row.lengths.includes(value.length))
    refuseFormat("MCUBOOT_TLV_LENGTH", at, `${row.name} has ${value.length} bytes`);
}

/** Writes an area. Throws FormatRefusal MCUBOOT_TLV_BOUNDS if its entries are longer than its 16 bits say. */
export function writeArea(magic: number, tlvs: readonly Omit<ImageTlv, "at">[]): Uint8Array {
  const total = tlvs.reduce((sum, { value }) => sum + TLV_HEAD + value.length, AREA_HEAD);
  if (total > 0xffff) refuseFormat("MCUBOOT_TLV_BOUNDS", -1, `${total} bytes, and an area has at most 65,535`);
  const bytes = new Uint8Array(total);
  const view = viewOf(bytes);
  view.setUint16(0, magic, true);
  view.setUint16(2, total, true);
  let next = AREA_HEAD;
  for (const { type, value } of tlvs) {
    view.setUint16(next, type, true);
    view.setUint16(next + 2, value.length, true);
    bytes.set(value, next + TLV_HEAD);
    next += TLV_HEAD + value.length;
  }
  return bytes;
}
