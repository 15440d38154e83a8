// Images of ESP32 chips with signature blocks. The first octet of an input says which checksums are written again,
// those of the image and those of the blocks, and whether filler is to be put in: then follow the length of the image
// in two octets, the image, and the beginnings of the blocks. What verifies has been signed like this.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { makeBlock } from "../../packages/formats/src/esp32/block.js";
import { ESP32 } from "../../packages/formats/src/esp32/esp32.js";
import { formatKey } from "../../packages/formats/src/key/key.js";
import { rsaKey } from "../../packages/formats/src/key/parts.js";
import { espImage } from "../../packages/formats/test/esp32/compose.js";
import { SECRETS, signAndVerify, signedBy, TRUSTED, unlessRefused } from "../common/formats.js";
import { Finding, type Target } from "../common/verdict.js";

const [SECTOR, BLOCK] = [4096, 1216];
/** Octets of a block before its zeros, with a key on a curve. */
const BEGINNING = 256;
const [IMAGE, BLOCKS, FILLER] = [1, 2, 4];

const DRAFTS = [
  { secret: SECRETS.p256, image: espImage({ chip: 16 }) },
  { secret: SECRETS.p256, image: espImage({ chip: 12, more: [], hash: false }) },
  { secret: SECRETS.p384, image: espImage({ chip: 23, version: null }) },
].map(({ secret, image }) => ({ secret, draft: ESP32.read(image) }));

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const SIGNED = new Set(DRAFTS.map(({ draft, secret }) => hex(draft.toBeSigned(formatKey(secret)).message)));

export function seeds(): Uint8Array[] {
  const files = DRAFTS.map(({ draft, secret }) => ({ image: draft.bytes, signed: signedBy(draft, secret).bytes }));
  const modulus = rsaKey(Buffer.alloc(384, 0xff), Buffer.of(1, 0, 1));
  const content = filled([espImage()], SECTOR);
  const rsa = Buffer.concat([content, filled([makeBlock(modulus, content, new Uint8Array(384))], SECTOR)]);
  const whole = [rsa, ...files.flatMap(({ image, signed }) => [image, signed])];
  return [
    ...whole.map((file) => Buffer.concat([Buffer.of(0), file])),
    ...files.flatMap(({ image, signed }) =>
      [FILLER, FILLER | IMAGE | BLOCKS].map((first) =>
        Buffer.concat([Buffer.of(first, image.length >> 8, image.length & 255), image, signed.subarray(SECTOR, SECTOR + BEGINNING)]),
      ),
    ),
  ];
}

function filled(parts: readonly Uint8Array[], to: number, by = 0xff): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, Buffer.alloc(Math.ceil(bytes.length / to) * to - bytes.length, by)]);
}

function compose(input: Uint8Array): Buffer {
  const end = 2 + (input[0] as number) * 256 + (input[1] as number);
  const blocks: Buffer[] = [];
  for (let at = end; at < input.length && blocks.length < 4; at += BEGINNING)
    blocks.push(filled([input.subarray(at, at + BEGINNING)], BLOCK, 0));
  return Buffer.concat([filled([input.subarray(2, end)], SECTOR), filled(blocks, SECTOR)]);
}

/** Writes the checksum and the hash of the image again, as far as the file has it. */
function mendImage(bytes: Buffer): void {
  let [sum, at] = [0xef, 24];
  for (let i = 0; i < Math.min(bytes[1] ?? 0, 16) && at + 8 <= bytes.length; i++) {
    const begin = at + 8;
    at = begin + bytes.readUInt32LE(at + 4);
    for (const byte of bytes.subarray(begin, at)) sum ^= byte;
  }
  const end = at - (at % 16) + 16;
  if (end > bytes.length) return;
  bytes[end - 1] = sum;
  if (bytes[23] === 1 && end + 32 <= bytes.length) bytes.set(createHash("sha256").update(bytes.subarray(0, end)).digest(), end);
}

/** Writes digest and CRC of the blocks in the last sector again. */
function mendBlocks(bytes: Buffer): void {
  const sector = bytes.length - SECTOR;
  for (let i = 0; i < 3 && sector > 0; i++) {
    const block = bytes.subarray(sector + i * BLOCK, sector + (i + 1) * BLOCK);
    if (block[0] !== 0xe7) return;
    const hash = block[2] === 1 ? "sha384" : "sha256";
    block.set(createHash(hash).update(bytes.subarray(0, sector)).digest(), 4);
    block.writeUInt32LE(crc32(block.subarray(0, 1196)), 1196);
  }
}

const read = (bytes: Uint8Array) => ESP32.read(bytes);

export const fuzz: Target = (input) => {
  const first = input[0] ?? 0;
  const bytes = first & FILLER && input.length > 2 ? compose(input.subarray(1)) : Buffer.from(input.subarray(1));
  if (first & IMAGE) mendImage(bytes);
  if (first & BLOCKS) mendBlocks(bytes);
  const file = unlessRefused(() => read(bytes));
  if (!file) return;
  if (file.facts.bytes !== bytes.length) throw new Finding("facts of another length");
  if (unlessRefused(() => file.verify(TRUSTED)) && !SIGNED.has(hex(bytes.subarray(0, bytes.length - SECTOR))))
    throw new Finding("verified, and nobody signed it");
  for (const secret of [SECRETS.p256, SECRETS.p384]) signAndVerify(file, secret, read);
};
