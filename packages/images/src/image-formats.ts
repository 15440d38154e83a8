// Reads a firmware file as the bytes that go to flash: raw binary, Intel HEX, UF2 or ELF. The content decides the
// format.

import { extname } from "node:path";
import { isElf, parseElf } from "./elf.js";
import { parseHex } from "./ihex.js";
import { ImageError, type Layout } from "./layout.js";
import { parseUf2 } from "./uf2.js";

export { ImageError } from "./layout.js";

/** A format of image files: raw bytes, Intel HEX, UF2, or ELF. */
export type ImageFormat = "raw" | "ihex" | "uf2" | "elf";

/** The bytes that go to flash. */
export interface Image {
  readonly format: ImageFormat;
  /** Load address of the first byte; undefined for raw images. */
  readonly address: number | undefined;
  /**
   * The bytes from the first address that the file sets to the last. Gaps are filled with 0xFF, the value of erased
   * flash.
   */
  readonly bytes: Uint8Array;
  /** How many of the bytes fill gaps. */
  readonly gaps: number;
}

/** Bytes that detectFormat() examines. */
export const DETECT_BYTES = 4096;

/**
 * Detects the format of a file. So a raw image of any size can be streamed.
 *
 * The content decides: an ELF identification, the two magic numbers of UF2, or a complete first line with an Intel HEX
 * record. A file without any of these is raw, unless its extension names a format. parseImage() then refuses it,
 * because the text of a damaged HEX file must not be signed as if it were the firmware.
 *
 * @param head - The first 4,096 bytes of the file, or all of a shorter one.
 * @param name - The name of the file, for its extension.
 * @returns The format.
 * @throws ImageError for Motorola S-records, which are not supported.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { DETECT_BYTES, detectFormat } from "@firmseal/images";
 *
 * detectFormat(readFileSync("app.bin").subarray(0, DETECT_BYTES), "app.bin"); // "raw"
 * ```
 */
export function detectFormat(head: Uint8Array, name: string): ImageFormat {
  const [found] = PARSED.find(([, row]) => row.detects(head)) ?? [];
  if (found) return found;
  if (isSRecord(textOf(head))) {
    throw new ImageError("Motorola S-records are not read", "Convert the file: `objcopy -I srec -O ihex IN OUT.hex`.");
  }
  const extension = extname(name).toLowerCase();
  return PARSED.find(([, row]) => row.extensions.includes(extension))?.[0] ?? "raw";
}

/**
 * Reads a whole file as the bytes that go to flash. Gaps are filled with 0xFF (erased flash), at most 1 MiB in total.
 *
 * @param bytes - The file.
 * @param format - Its format, from detectFormat().
 * @returns The bytes, their address, and how many of them fill gaps.
 * @throws ImageError, with one line and one hint, and no other error, for any input.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { parseImage } from "@firmseal/images";
 *
 * const { bytes, gaps } = parseImage(readFileSync("app.hex"), "ihex");
 * console.log(`${bytes.length} bytes, ${gaps} of them in gaps`);
 * ```
 */
export function parseImage(bytes: Uint8Array, format: Exclude<ImageFormat, "raw">): Image {
  return { format, ...FORMATS[format].parse(bytes) };
}

/** A format that is not raw. */
interface FormatRow {
  /** What people call it. */
  words: string;
  extensions: readonly string[];
  /** Whether a file that begins with `head` has the format. */
  detects(head: Uint8Array): boolean;
  parse(bytes: Uint8Array): Layout;
}

/** No file is detected as two of them. */
const FORMATS: { readonly [format in Exclude<ImageFormat, "raw">]: FormatRow } = {
  ihex: {
    words: "Intel HEX",
    extensions: [".hex", ".ihex", ".ihx", ".mcs"],
    detects: (head) => HEX_RECORD.test(textOf(head)),
    parse: (bytes) => parseHex(bytes),
  },
  uf2: {
    words: "UF2",
    extensions: [".uf2"],
    detects: (head) => UF2_MAGIC.every((byte, i) => head[i] === byte),
    parse: (bytes) => parseUf2(bytes),
  },
  elf: { words: "ELF", extensions: [".elf", ".axf"], detects: (head) => isElf(head), parse: (bytes) => parseElf(bytes) },
};

const PARSED = Object.entries(FORMATS) as [Exclude<ImageFormat, "raw">, FormatRow][];

/** The formats of images, as people call them. */
export const IMAGE_FORMATS: readonly string[] = ["raw", ...PARSED.map(([, { words }]) => words)];

function textOf(head: Uint8Array): string {
  return Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, DETECT_BYTES)).toString("latin1");
}

/** "UF2\n" and the second magic number, in little-endian order. */
const UF2_MAGIC = [0x55, 0x46, 0x32, 0x0a, 0x57, 0x51, 0x5d, 0x9e];

/**
 * A line that consists of one record of 5 to 260 bytes. The reader checks its checksum, because a damaged HEX file is
 * still not a raw image. A byte order mark and empty lines before the record are accepted for the same reason.
 */
const HEX_RECORD = /^(?:\xef\xbb\xbf)?\s*:[0-9a-f]{10,520}[ \t]*(?:[\r\n]|$)/i;

const S_RECORD = /^\s*S[0-35-9]([0-9a-f]{2})((?:[0-9a-f]{2}){3,255})[ \t]*(?:[\r\n]|$)/i;

function isSRecord(text: string): boolean {
  const match = S_RECORD.exec(text);
  return match !== null && Number.parseInt(match[1] as string, 16) === (match[2] as string).length / 2;
}
