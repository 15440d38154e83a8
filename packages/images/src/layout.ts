// From pieces of memory to one run of bytes. What every format has in common: order, overlaps, gaps.

import { IMAGE_LIMITS } from "./limits.js";

export type ImageFormat = "raw" | "ihex" | "uf2" | "elf";

/** What goes to flash. */
export interface Image {
  readonly format: ImageFormat;
  /** Load address of the first byte; undefined for raw. */
  readonly address: number | undefined;
  /** From the first byte that the file sets to the last one, gaps filled with 0xFF, the value of erased flash. */
  readonly bytes: Uint8Array;
  /** How many of the bytes are such filling. */
  readonly gaps: number;
}

/** A file that is not what its content or its name says. The message is one line, and so is the hint. */
export class ImageError extends Error {
  override readonly name = "ImageError";

  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

export interface AddressedBytes {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * Lays the pieces out in the order of their addresses and fills the gaps between them with 0xFF (erased flash).
 *
 * @throws ImageError when there is no byte, when two pieces overlap, or when the gaps add up to more than IMAGE_LIMITS.imageGaps
 * @example layOut("ihex", [{ address: 8, bytes: b }, { address: 0, bytes: a }])  // a, 0xFF…, b; address 0
 */
export function layOut(format: ImageFormat, pieces: readonly AddressedBytes[]): Image {
  const sorted = pieces.filter((p) => p.bytes.length > 0).sort((a, b) => a.address - b.address);
  const address = sorted[0]?.address;
  if (address === undefined) throw new ImageError("the file holds no byte to flash", "Is it the output of the linker?");

  let end = address;
  let gaps = 0;
  for (const piece of sorted) {
    // Which of two values a loader keeps depends on the loader; equal values are refused too, as the sign of a bad merge.
    if (piece.address < end) {
      throw new ImageError(`two parts of the file set the byte at ${formatHex(piece.address)}`, "Were two files joined? Sign one image.");
    }
    gaps += piece.address - end;
    // Larger holes lie between two memories, not inside of one: EEPROM of an AVR (8 MiB up), configuration words of a PIC18 (2 MiB up), RAM,
    // option bytes. And a file of 40 bytes must not ask for 4 GiB.
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
  return { format, address, bytes, gaps };
}

/** Refuses one stretch of memory more than any image has. */
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
