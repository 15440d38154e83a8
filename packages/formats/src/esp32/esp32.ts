// Images with the signatures of Secure Boot v2: the image, ff up to the next 4 KiB, and one sector with one to three
// blocks. Stricter than espsecure, which uses the key that it is given and ignores the one in the block: a chip
// compares the digest of the key in the block with its eFuses. The boot loader finds the sector by the length of the
// image, so an image with more ff, up to 64 KiB for example, would never start.

import type { BootFormat, BootImage, FormatFacts, KeyMessage, VerifiedBy } from "../format.js";
import type { FormatKey } from "../key/key.js";
import { schemeName } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { type AppImage, looksLikeImage, readImage, signaturesAt } from "./app-image.js";
import { BLOCK, type Block, espKeyDigest, makeBlock, readBlock, signingKind, verifyBlock } from "./block.js";

const SECTOR = 4096;
/** Blocks that a sector has at most. */
const MOST_BLOCKS = 3;
/** The page of the MMU, unless the build says otherwise: --secure-pad-v2 of esptool elf2image ends apps there. */
const PAGE = 65_536;
const ERASED = 0xff;

/** Images of ESP32 chips with or without signatures of Secure Boot v2. */
export const ESP32: BootFormat = {
  name: "esp32",
  title: "ESP32 image (Secure Boot v2)",
  beside: false,
  looksLike: looksLikeImage,
  read,
};

function read(bytes: Uint8Array): BootImage {
  const image = readImage(bytes);
  const sector = signaturesAt(image.length);
  refuseOtherLengths(bytes, image.length, sector);
  refuseUnerased(bytes, image.length, Math.min(sector, bytes.length));
  return new Esp32File(bytes, image, sector);
}

/** A file is the image, or also what pads it, or also the sector. */
function refuseOtherLengths(bytes: Uint8Array, image: number, sector: number): void {
  const { length } = bytes;
  if (length === image || length === sector || length === sector + SECTOR) return;
  const next = length > sector ? bytes.subarray(sector, Math.min(length, sector + SECTOR)) : undefined;
  if (next?.every((byte) => byte === ERASED)) {
    const detail = `the image has ${image} bytes, so its signatures are at ${sector}, but there is ff up to ${firstOther(bytes, sector)}`;
    refuseFormat("ESP32_PADDED", sector, detail);
  }
  refuseFormat("ESP32_LENGTH", length, `the image has ${image} bytes, with signatures ${sector + SECTOR}, and the file ${length}`);
}

function firstOther(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === ERASED) at++;
  return at;
}

function refuseUnerased(bytes: Uint8Array, from: number, to: number): void {
  const at = firstOther(bytes, from);
  if (at < to) refuseFormat("ESP32_FILLER", at);
}

/** The blocks, one after another. Behind the last one all is ff. */
function readBlocks(bytes: Uint8Array, sector: number): Block[] {
  const blocks: Block[] = [];
  if (bytes.length <= sector) return blocks;
  for (let i = 0; i < MOST_BLOCKS; i++) {
    const at = sector + i * BLOCK;
    if (firstOther(bytes, at) >= at + BLOCK) break;
    blocks.push(readBlock(bytes.subarray(at, at + BLOCK), at));
  }
  if (blocks.length === 0) refuseFormat("ESP32_PADDED", sector, `the sector at ${sector} has no signature block`);
  refuseUnerased(bytes, sector + blocks.length * BLOCK, bytes.length);
  return blocks;
}

class Esp32File implements BootImage {
  readonly facts: FormatFacts;
  private readonly blocks: readonly Block[];

  constructor(
    readonly bytes: Uint8Array,
    private readonly image: AppImage,
    private readonly sector: number,
  ) {
    this.blocks = readBlocks(bytes, sector);
    this.facts = factsOf(bytes, image, sector, this.blocks);
  }

  /** What all blocks sign: the image, and what pads it. */
  get covered(): Uint8Array {
    const out = new Uint8Array(this.sector).fill(ERASED);
    out.set(this.bytes.subarray(0, this.sector));
    return out;
  }

  toBeSigned(key: FormatKey): KeyMessage {
    const { kind, scheme } = signingKind(key);
    const { chip } = this.image;
    if (!chip.keys.includes(kind)) return refuseFormat("ESP32_CHIP_KEY", 12, `${kind} on ${chip.name}`);
    const digest = Buffer.from(espKeyDigest(key)).toString("hex");
    if (this.blocks.some((block) => block.keyDigest === digest)) return refuseFormat("FORMAT_ALREADY_SIGNED", this.sector);
    const [first] = this.blocks;
    if (first && first.key.kind !== kind)
      return refuseFormat("ESP32_BLOCKS", this.sector, `the first block is by ${first.key.kind}, and this key is ${kind}`);
    if (this.blocks.length >= chip.blocks)
      return refuseFormat("ESP32_BLOCKS", this.sector, `${chip.name} reads ${chip.blocks}, and ${this.blocks.length} are there`);
    return { message: this.covered, scheme };
  }

  withSignature(key: FormatKey, signature: Uint8Array): BootImage {
    const { message } = this.toBeSigned(key);
    const out = new Uint8Array(this.sector + SECTOR).fill(ERASED);
    out.set(message);
    out.set(this.bytes.subarray(this.sector), this.sector);
    out.set(makeBlock(key, message, signature), this.sector + this.blocks.length * BLOCK);
    return new Esp32File(out, this.image, this.sector);
  }

  /** Every block must be right by the key in it, also those whose key is not one of `keys`. */
  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    if (this.blocks.length === 0) return refuseFormat("FORMAT_NOT_SIGNED", this.bytes.length);
    this.refuseForChip();
    const content = this.covered;
    this.blocks.forEach((block, i) => {
      verifyBlock(block, content, this.sector + i * BLOCK);
    });
    const twice = this.blocks.findIndex(({ keyDigest }, i) => this.blocks.findIndex((one) => one.keyDigest === keyDigest) < i);
    if (twice >= 0) return refuseFormat("ESP32_BLOCKS", this.sector + twice * BLOCK, "a key has signed twice");
    const found = this.blocks.flatMap((block, signature) => {
      const key = keys.find((one) => one.id === block.key.id);
      return key ? [{ key, signature }] : [];
    });
    return found.length > 0 ? found : refuseFormat("FORMAT_NO_KEY", this.sector);
  }

  /** What a chip would skip, or not start. */
  private refuseForChip(): void {
    const { chip } = this.image;
    if (this.blocks.length > chip.blocks)
      refuseFormat(
        "ESP32_BLOCKS",
        this.sector + chip.blocks * BLOCK,
        `${chip.name} reads ${chip.blocks}, and ${this.blocks.length} are there`,
      );
    for (const [i, { key }] of this.blocks.entries()) {
      const at = this.sector + i * BLOCK;
      if (!chip.keys.includes(key.kind)) refuseFormat("ESP32_CHIP_KEY", at, `${key.kind} on ${chip.name}`);
      if (key.kind !== this.blocks[0]?.key.kind) refuseFormat("ESP32_BLOCKS", at, "a boot loader verifies one kind of keys");
    }
  }
}

function factsOf(bytes: Uint8Array, image: AppImage, sector: number, blocks: readonly Block[]): FormatFacts {
  const { chip, descriptor, revisions } = image;
  const warnings: string[] = [];
  if (descriptor && image.length % PAGE !== 0)
    warnings.push("the image does not end on 64 KiB: unless the pages are smaller, build it with the secure padding of ESP-IDF");
  if (!image.hashAppended) warnings.push("the image has no SHA-256 of its own, so only the signature protects it");
  return {
    format: ESP32.name,
    bytes: bytes.length,
    version: descriptor?.version ?? null,
    counter: descriptor?.secureVersion ?? null,
    sizes: { image: image.length, filler: Math.min(bytes.length, sector) - image.length, signatures: Math.max(0, bytes.length - sector) },
    signatures: blocks.map(({ key, scheme, keyDigest }) => ({ algorithm: schemeName(key.kind, scheme), key: keyDigest })),
    encrypted: false,
    details: [
      { name: "chip", value: chip.name },
      { name: "chip-revision-least", value: revisions.least },
      { name: "chip-revision-most", value: revisions.most },
      { name: "segments", value: image.segments },
      { name: "entry", value: image.entry },
      { name: "hash-appended", value: image.hashAppended },
      ...(descriptor
        ? [
            { name: "project", value: descriptor.project },
            { name: "built", value: `${descriptor.date} ${descriptor.time}` },
            { name: "idf-version", value: descriptor.idf },
            { name: "elf-sha256", value: descriptor.elf },
          ]
        : []),
    ],
    warnings,
  };
}
