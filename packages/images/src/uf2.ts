// UF2, https://github.com/microsoft/uf2: blocks of 512 bytes for one board family, numbered 0, 1, 2 … in file order.
// The package that the specification names decodes the blocks (magic numbers, payload size); this file checks the rest.
// File containers are not supported. Checksums (MD5) and extension tags are for the flashing tool and are ignored.

import { blockSize, decodeBlock, familyMap, maxPayloadSize, type UF2BlockData, UF2DecodeError, UF2Flags } from "uf2";
import { type AddressedBytes, formatHex, ImageError, type Layout, layOut } from "./layout.js";

/** Names in one message. */
const MOST_NAMED = 8;

/** Section "MD5 checksum": start, length and checksum take the last 24 bytes of the data. */
const MD5_SIZE = 24;

/**
 * Reads a whole UF2 file. Blocks with the flag "not main flash" are counted and left out. Throws ImageError with the
 * number of the block.
 */
export function parseUf2(file: Uint8Array): Layout {
  if (file.length === 0 || file.length % blockSize !== 0) {
    throw damagedUf2(`the file has ${file.length} bytes, not a multiple of ${blockSize}`);
  }
  const skip = isErratumBlock(file) ? 1 : 0;
  const total = file.length / blockSize - skip;
  const blocks: UF2BlockData[] = [];
  for (let i = 0; i < total; i++) blocks.push(decodeBlockAt(file, i + skip));

  const flashed = blocks.filter((b) => !hasFlag(b, UF2Flags.notMainFlash));
  oneFamily(flashed);
  blocks.forEach((block, i) => {
    checkBlock(block, i, total);
  });
  return layOut(flashed.map(piece));
}

/**
 * A board skips the blocks of other families (section "Family ID"), so each family would hold an image other than the
 * signed one.
 */
function oneFamily(blocks: readonly UF2BlockData[]): void {
  const families = new Set(blocks.map((b) => (hasFlag(b, UF2Flags.familyIDPresent) ? b.boardFamily : undefined)));
  if (families.size < 2) return;
  const names = [...families].map((id) => (id === undefined ? "none" : (familyMap.get(id) ?? formatHex(id))));
  throw new ImageError(
    `UF2: blocks for ${families.size} board families: ${names.slice(0, MOST_NAMED).join(", ")}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ""}`,
    "A signed image is for one board family: build, or cut out, the UF2 of one family and sign that.",
  );
}

/** Lost, repeated or moved blocks and truncated files show in the block numbers. */
function checkBlock(block: UF2BlockData, i: number, total: number): void {
  if (block.totalBlocks !== total) throw damagedUf2(`block ${i} says that the file has ${block.totalBlocks} blocks, but it has ${total}`);
  if (block.blockNumber !== i) throw damagedUf2(`block ${block.blockNumber} is in place of block ${i}`);
  if (hasFlag(block, UF2Flags.fileContainer)) {
    throw new ImageError(`UF2: block ${i} is part of a file container, not of a flash image`, "Sign the files that it holds.");
  }
  const room = hasFlag(block, UF2Flags.md5ChecksumPresent) ? maxPayloadSize - MD5_SIZE : maxPayloadSize;
  if (block.payload.length > room) throw damagedUf2(`block ${i} has ${block.payload.length} bytes of data, and room for ${room}`);
  if (block.flashAddress + block.payload.length > 2 ** 32) {
    throw damagedUf2(`the data of block ${i} at ${formatHex(block.flashAddress)} runs past the end of its 4 GiB`);
  }
}

function decodeBlockAt(file: Uint8Array, i: number): UF2BlockData {
  try {
    return decodeBlock(file.subarray(i * blockSize, (i + 1) * blockSize));
  } catch (error) {
    if (!(error instanceof UF2DecodeError)) throw error;
    throw damagedUf2(`block ${i}: ${lowerFirst(error.message).replace(/\.$/, "")}`);
  }
}

const RP2_ABSOLUTE = 0xe48bff57;
const RP2_IGNORE_BLOCK = [0x04, 0xe3, 0x57, 0x99];

/**
 * Erratum RP2350-E10: build tools put one block of family "absolute" before the image, which the boot ROM counts but
 * does not store: number 0 of 2, 256 bytes of 0xEF, with or without the extension tag "ignore this block". Exactly this
 * block is skipped. Anything else of that family counts as a second family.
 */
function isErratumBlock(file: Uint8Array): boolean {
  const block = decodeBlockAt(file, 0);
  const { flags, payload } = block;
  const tagged = hasFlag(block, UF2Flags.extensionTagsPresent);
  return (
    flags === UF2Flags.familyIDPresent + (tagged ? UF2Flags.extensionTagsPresent : 0) &&
    block.boardFamily === RP2_ABSOLUTE &&
    block.blockNumber === 0 &&
    block.totalBlocks === 2 &&
    payload.length === 256 &&
    payload.every((byte) => byte === 0xef) &&
    (!tagged || RP2_IGNORE_BLOCK.every((byte, i) => file[32 + 256 + i] === byte))
  );
}

function piece(block: UF2BlockData): AddressedBytes {
  return { address: block.flashAddress, bytes: block.payload };
}

function hasFlag(block: UF2BlockData, flag: number): boolean {
  return (block.flags & flag) !== 0;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function damagedUf2(what: string): ImageError {
  return new ImageError(`UF2: ${what}`, "Build or download it again; a raw binary must not be named .uf2.");
}
