// Combines pieces of memory into one run of bytes. Every format shares this: order, overlaps, gaps.

import { FirmsealError } from "@firmseal/verifier/tools";
import { IMAGE_LIMITS } from "./limits.js";

/** A run of bytes and its place in flash. */
export interface Layout {
  /** Of the first byte. */
  readonly address: number;
  /** Gaps are filled with 0xFF, the value of erased flash. */
  readonly bytes: Uint8Array;
  /** How many of the bytes fill gaps. */
  readonly gaps: number;
}

/**
 * The file is invalid, or is not in the format that its content or name promises. Message and hint are one line each.
 */
export class ImageError extends FirmsealError {
  override readonly name = "ImageError";

  constructor(
    message: string,
    readonly hint: string,
  ) {
    super("ERR_IMAGE", message);
  }
}

export interface AddressedBytes {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * Sorts the pieces by address and fills the gaps between them with 0xFF (erased flash). Throws ImageError if there are
 * no bytes, if two pieces overlap, or if the gaps exceed IMAGE_LIMITS.imageGaps in total.
 */
export function layOut(pieces: readonly AddressedBytes[]): Layout {
  const sorted = pieces.filter((p) => p.bytes.length > 0).sort((a, b) => a.address - b.address);
  const address = sorted[0]?.address;
  if (address === undefined) throw new ImageError("the file holds no byte to flash", "Is it the output of the linker?");

  let end = address;
  let gaps = 0;
  for (const piece of sorted) {
    // Loaders differ in which of two values they keep. Equal values are refused too, as the sign of a bad merge.
    if (piece.address < end) {
      throw new ImageError(`two parts of the file set the byte at ${formatHex(piece.address)}`, "Were two files joined? Sign one image.");
    }
    gaps += piece.address - end;
    // Larger gaps are between two memories: EEPROM of an AVR (8 MiB up), configuration words of a PIC18 (2 MiB up),
    // RAM, option bytes. Also, a file of 40 bytes must not require 4 GiB.
    if (gaps > IMAGE_LIMITS.imageGaps) {
      throw new ImageError(
        `nothing between ${formatHex(end)} and ${formatHex(piece.address)}: the image would hold more than 1 MiB of filling`,
        "Leave out the data for other memories (EEPROM, option bytes, RAM), or make a raw binary with `objcopy -O binary --gap-fill 0xff`.",
      );
    }
    end = piece.address + piece.bytes.length;
  }

  const bytes = new Uint8Array(end - address).fill(0xff);
  for (const piece of sorted) bytes.set(piece.bytes, piece.address - address);
  return { address, bytes, gaps };
}

/** Throws if an image has too many pieces. */
export function checkPieces(n: number): void {
  if (n > IMAGE_LIMITS.imagePieces)
    throw new ImageError(
      `the file sets more than ${IMAGE_LIMITS.imagePieces.toLocaleString("en-US")} ranges of memory`,
      "Make a raw binary with `objcopy -O binary --gap-fill 0xff`.",
    );
}

export function formatHex(n: number): string {
  return `0x${n.toString(16).padStart(8, "0")}`;
}
