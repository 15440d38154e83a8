// An image in its parts: what is hashed, the unprotected TLVs, the trailer. Reading checks each rule that needs no key.

import { createHash } from "node:crypto";
import { ecdsaFromDer } from "../key/der.js";
import { schemeLength } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { hasFlag, type ImageHeader, readHeader } from "./header.js";
import {
  DEPENDENCY,
  ECDSA,
  ED25519,
  HASH_BYTES,
  IMAGE_HASHES,
  type ImageHash,
  KEYHASH,
  PROTECTED,
  type TlvRow,
  UNPROTECTED,
} from "./numbers.js";
import { type ImageTlv, isProtectedArea, readArea, rowOfTlv, writeArea } from "./tlv.js";
import { type ImageTrailer, readTrailer, writeTrailer } from "./trailer.js";

/** A key, as a TLV names it, and its signature. */
export interface ImageSignature {
  readonly key: ImageTlv;
  readonly signature: ImageTlv;
  /** As verifyScheme() takes it: ECDSA without its DER. */
  readonly raw: Uint8Array;
}

export interface ImageParts {
  readonly header: ImageHeader;
  /** What hash and signatures cover: header, payload and protected area. */
  readonly region: Uint8Array;
  readonly facts: readonly ImageTlv[];
  readonly hash: ImageHash;
  /** What the hash should be. */
  readonly digest: Uint8Array;
  /** Whether signatures are over the region itself, and not over its hash. */
  readonly isPure: boolean;
  readonly signatures: readonly ImageSignature[];
  readonly encryption: ImageTlv | undefined;
  readonly trailer: ImageTrailer | undefined;
  /** Offset behind the last TLV. */
  readonly end: number;
}

/** Reads an image. */
export function readParts(bytes: Uint8Array): ImageParts {
  const header = readHeader(bytes);
  const imageEnd = header.headerSize + header.imageSize;
  if (imageEnd > bytes.length) refuseFormat("MCUBOOT_TRUNCATED", 12, `the image ends at ${imageEnd}, the file at ${bytes.length}`);
  const inside = isProtectedArea(bytes, imageEnd) ? readArea(bytes, imageEnd, PROTECTED) : { tlvs: [], end: imageEnd };
  if (inside.end - imageEnd !== header.protectedSize)
    refuseFormat("MCUBOOT_PROTECTED_SIZE", 10, `${header.protectedSize} in the header, ${inside.end - imageEnd} in the file`);
  const outside = readArea(bytes, inside.end, UNPROTECTED);
  checkDependencies(inside.tlvs);
  const parts = {
    header,
    region: bytes.subarray(0, inside.end),
    facts: inside.tlvs,
    ...readSignatures(outside.tlvs, outside.end),
    trailer: readTrailer(bytes, outside.end),
    end: outside.end,
  };
  checkEncryption(parts);
  checkCompression(parts);
  return parts;
}

function checkDependencies(tlvs: readonly ImageTlv[]): void {
  for (const { type, value, at } of tlvs)
    if (type === DEPENDENCY && value.subarray(1, 4).some((byte) => byte !== 0)) refuseFormat("MCUBOOT_TLV_VALUE", at, "dependency");
}

/** Hash, mark of pure signatures, then each key with its signature; the wrapped key of an encrypted image anywhere. */
function readSignatures(tlvs: readonly ImageTlv[], end: number) {
  const rows = tlvs.map((tlv) => ({ tlv, what: (rowOfTlv(tlv.type) as TlvRow).what }));
  const encryptions = rows.filter(({ what }) => what === "encryption").map(({ tlv }) => tlv);
  if (encryptions[1]) refuseFormat("MCUBOOT_TLV_DUPLICATE", encryptions[1].at, "two wrapped keys");
  const [first, ...others] = rows.filter(({ what }) => what !== "encryption");
  if (first?.what !== "hash") return refuseFormat("MCUBOOT_TLV_ORDER", first?.tlv.at ?? end, "the first TLV is not a hash");
  const hash = IMAGE_HASHES[first.tlv.type as keyof typeof IMAGE_HASHES];
  const isPure = others[0]?.what === "pure";
  if (isPure && others[0]?.tlv.value[0] !== 1) refuseFormat("MCUBOOT_TLV_VALUE", others[0]?.tlv.at, "the mark of pure signatures is not 1");
  const pairs = others.slice(isPure ? 1 : 0);
  const signatures: ImageSignature[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const [key, signature] = [pairs[i], pairs[i + 1]];
    if (key?.what !== "key") return refuseFormat("MCUBOOT_TLV_ORDER", key?.tlv.at, "a key is due");
    if (signature?.what !== "signature") return refuseFormat("MCUBOOT_TLV_ORDER", signature?.tlv.at ?? end, "a signature is due");
    checkKinds(signature.tlv, hash, isPure);
    // boot loaders compare only as many bytes as there are: a short hash would fit several keys
    if (key.tlv.type === KEYHASH && key.tlv.value.length !== HASH_BYTES[hash])
      refuseFormat("MCUBOOT_TLV_LENGTH", key.tlv.at, `a key hash of ${key.tlv.value.length} bytes in an image with ${hash}`);
    signatures.push({ key: key.tlv, signature: signature.tlv, raw: rawSignature(signature.tlv, hash) });
  }
  if (isPure && hash !== "sha512") refuseFormat("MCUBOOT_HASH_KIND", first.tlv.at, `${hash} with pure signatures`);
  return { hash, digest: first.tlv.value, isPure, signatures, encryption: encryptions[0] };
}

/** Which hashes an image with this type of signature may have. */
function checkKinds({ type, at }: ImageTlv, hash: ImageHash, isPure: boolean): void {
  const hashes = type === ED25519 ? ["sha256", "sha512"] : type === ECDSA ? ["sha256", "sha384"] : ["sha256"];
  if (!hashes.includes(hash) || (isPure && type !== ED25519))
    refuseFormat("MCUBOOT_HASH_KIND", at, `${hash} with ${rowOfTlv(type)?.name}${isPure ? ", pure" : ""}`);
}

/** The longest ECDSA signature by P-256. Old boot loaders want signatures that are padded to it (`--pad-sig`). */
const PADDED_BYTES = 72;

function rawSignature({ type, value, at }: ImageTlv, hash: ImageHash): Uint8Array {
  if (type !== ECDSA) return value;
  if (hash === "sha384") return ecdsaFromDer(value, schemeLength("p384"), at);
  const length = 2 + (value[1] as number);
  const isPadded = value.length === PADDED_BYTES && value.subarray(length).every((byte) => byte === 0);
  return ecdsaFromDer(isPadded ? value.subarray(0, length) : value, schemeLength("p256"), at);
}

/** An encrypted image has one flag and one wrapped key, of its length. */
function checkEncryption({ header: { flags }, encryption }: Pick<ImageParts, "header" | "encryption">): void {
  const [is128, is256] = [hasFlag(flags, "aes-128"), hasFlag(flags, "aes-256")];
  if ((is128 || is256) !== (encryption !== undefined)) refuseFormat("MCUBOOT_ENCRYPTION", encryption?.at ?? 16);
  if (encryption && rowOfTlv(encryption.type)?.lengths[is256 ? 1 : 0] !== encryption.value.length)
    refuseFormat("MCUBOOT_TLV_LENGTH", encryption.at, `a wrapped key of ${encryption.value.length} bytes`);
}

function checkCompression({ header: { flags }, facts }: Pick<ImageParts, "header" | "facts">): void {
  const isCompressed = hasFlag(flags, "lzma1") || hasFlag(flags, "lzma2");
  const tlv = facts.find(({ type }) => rowOfTlv(type)?.what === "compression");
  if (!isCompressed && (tlv || hasFlag(flags, "arm-thumb")))
    refuseFormat("MCUBOOT_FLAGS", tlv?.at ?? 16, "parts of a compressed image in one that is not");
}

/** Whether the payload is compressed. */
export const isCompressed = ({ header: { flags } }: ImageParts) => hasFlag(flags, "lzma1") || hasFlag(flags, "lzma2");

/** Whether the region has the hash that the image says. */
export const hashFits = ({ region, hash, digest }: ImageParts) => createHash(hash).update(region).digest().equals(digest);

/** The whole file. */
export function writeImageParts({ region, hash, digest, isPure, signatures, encryption, trailer }: Omit<ImageParts, "end">): Uint8Array {
  const type = Number(Object.entries(IMAGE_HASHES).find(([, name]) => name === hash)?.[0]);
  const area = writeArea(UNPROTECTED, [
    { type, value: digest },
    ...(isPure ? [{ type: 0x25, value: Uint8Array.of(1) }] : []),
    ...signatures.flatMap(({ key, signature }) => [key, signature]),
    ...(encryption ? [encryption] : []),
  ]);
  const image = new Uint8Array(region.length + area.length);
  image.set(region);
  image.set(area, region.length);
  return trailer ? writeTrailer(image, trailer) : image;
}

/** A number of a fact, or undefined. */
export function factNumber(facts: readonly ImageTlv[], type: number): number | undefined {
  const tlv = facts.find((one) => one.type === type);
  return tlv && viewOf(tlv.value).getUint32(0, true);
}
