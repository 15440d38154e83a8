// The boot record: what the boot loader hands on for attestation (CBOR, as imgtool's boot_record.py writes it).

import type { ImageVersionNumbers } from "./image-version.js";
import { HASH_BYTES, type ImageHash } from "./numbers.js";

const LONGEST_TYPE = 12;

const head = (major: number, length: number) => (length < 24 ? [major + length] : [major + 24, length]);
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value);
  return [...head(0x60, bytes.length), ...bytes];
};
const byteString = (bytes: Uint8Array) => [...head(0x40, bytes.length), ...bytes];

/**
 * A map of 5 members: type of the software, version, hash of the key, name of the hash, and last the digest, which the
 * boot loader fills in. Throws RangeError for a type of more than 12 bytes.
 */
export function bootRecord(type: string, version: ImageVersionNumbers, hash: ImageHash, key?: Uint8Array): Uint8Array {
  if (new TextEncoder().encode(type).length > LONGEST_TYPE) throw new RangeError("the type of a boot record has at most 12 bytes");
  const zeros = new Uint8Array(HASH_BYTES[hash]);
  return Uint8Array.from([
    ...[0xa5, 1, ...text(type)],
    ...[4, ...text(`${version.major}.${version.minor}.${version.revision}`)],
    ...[5, ...byteString(key ?? zeros)],
    ...[6, ...text(hash.toUpperCase())],
    ...[2, ...byteString(zeros)],
  ]);
}
