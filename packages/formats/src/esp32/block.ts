// Signature blocks of Secure Boot v2: 1,216 bytes with the digest of the image, a public key and its signature
// (secure_boot.h and secure-boot-v2.rst of ESP-IDF). Numbers are little-endian.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { FormatKey } from "../key/key.js";
import { type Scheme, schemeLength, verifyScheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { type BlockKeyKind, encodeBlockKey, readBlockKey, reversed } from "./block-key.js";

/** Length of a block. */
export const BLOCK = 1216;

const MAGIC = 0xe7;
const DIGEST_AT = 4;
const CRC_AT = 1196;

/** Where a block has its parts. All that is between the signature and the CRC is zero. */
interface Layout {
  /** Bytes 1 and 2 of the block. */
  readonly version: number;
  readonly subversion: number;
  readonly hash: "sha256" | "sha384";
  readonly key: number;
  /** Length of the field of the signature: zeros follow r and s of P-192. */
  readonly signatureAt: number;
  readonly signature: number;
}

const RSA: Layout = { version: 2, subversion: 0, hash: "sha256", key: 36, signatureAt: 812, signature: 384 };
const P256: Layout = { version: 3, subversion: 0, hash: "sha256", key: 36, signatureAt: 101, signature: 64 };
const P384: Layout = { version: 3, subversion: 1, hash: "sha384", key: 52, signatureAt: 149, signature: 96 };
const LAYOUTS: { readonly [kind in BlockKeyKind]: Layout } = { rsa3072: RSA, p192: P256, p256: P256, p384: P384 };

/** A signature block. */
export interface Block {
  readonly key: FormatKey & { readonly kind: BlockKeyKind };
  readonly scheme: Scheme;
  /** SHA-256 of the encoded key: what the eFuses have. */
  readonly keyDigest: string;
  /** The digest that the block states. */
  readonly digest: Uint8Array;
  /** As verifyScheme() takes it. */
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

const schemeOf = (kind: BlockKeyKind): Scheme => ({ type: kind === "rsa3072" ? "rsa-pss" : "ecdsa", hash: LAYOUTS[kind].hash });

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

/**
 * Gives the digest of a key that is burned into the eFuses of a chip with Secure Boot v2: BLOCK2 of ESP32, a key block
 * with the purpose SECURE_BOOT_DIGEST0, 1 or 2 of other chips.
 *
 * @param key - RSA-3072, P-192, P-256 or P-384.
 * @returns SHA-256 of the key as a signature block has it, 32 bytes.
 * @throws FormatRefusal FORMAT_KEY if such a key cannot be in a block.
 */
export function espKeyDigest(key: FormatKey): Uint8Array {
  return new Uint8Array(createHash("sha256").update(encodeBlockKey(key)).digest());
}

/**
 * Reads a signature block. The signature is not verified.
 *
 * @param bytes - 1,216 bytes.
 * @param at - Their offset in the file, for refusals.
 * @returns The block.
 * @throws FormatRefusal ESP32_BLOCK, ESP32_BLOCK_CRC and ESP32_BLOCK_KEY.
 */
export function readBlock(bytes: Uint8Array, at: number): Block {
  const [magic, version, subversion, reserved] = bytes;
  if (magic !== MAGIC) return refuseFormat("ESP32_BLOCK", at, "it does not begin with e7");
  const layout = [RSA, P256, P384].find((one) => one.version === version && one.subversion === subversion);
  if (!layout || reserved !== 0) return refuseFormat("ESP32_BLOCK", at + 1, `its version is ${version}.${subversion}.${reserved}`);
  const crc = viewOf(bytes).getUint32(CRC_AT, true);
  if (crc !== crc32(bytes.subarray(0, CRC_AT))) return refuseFormat("ESP32_BLOCK_CRC", at + CRC_AT);
  const { hash, signatureAt } = layout;
  const key = readBlockKey(bytes.subarray(layout.key, signatureAt), at + layout.key);
  const length = schemeLength(key.kind);
  if (!isZero(bytes.subarray(signatureAt + length, CRC_AT)))
    return refuseFormat("ESP32_BLOCK", at + signatureAt + length, "bytes after the signature");
  if (!isZero(bytes.subarray(CRC_AT + 4))) return refuseFormat("ESP32_BLOCK", at + CRC_AT + 4, "bytes after the CRC");
  return {
    key,
    scheme: schemeOf(key.kind),
    keyDigest: Buffer.from(espKeyDigest(key)).toString("hex"),
    digest: bytes.subarray(DIGEST_AT, DIGEST_AT + (hash === "sha256" ? 32 : 48)),
    signature: swapped(key.kind, bytes.subarray(signatureAt, signatureAt + length)),
    bytes,
  };
}

/** Blocks have numbers little-endian. ECDSA has two of them. */
function swapped(kind: BlockKeyKind, signature: Uint8Array): Uint8Array {
  if (kind === "rsa3072") return reversed(signature);
  const half = signature.length / 2;
  return Buffer.concat([reversed(signature.subarray(0, half)), reversed(signature.subarray(half))]);
}

/**
 * Names the kind of key and the algorithm with which it signs for Secure Boot v2.
 *
 * @param key - RSA-3072, P-256 or P-384.
 * @returns The kind and the algorithm.
 * @throws FormatRefusal FORMAT_KEY, also for P-192, which is too weak to sign with.
 */
export function signingKind(key: FormatKey): { readonly kind: BlockKeyKind; readonly scheme: Scheme } {
  const { kind } = key;
  if (kind !== "rsa3072" && kind !== "p256" && kind !== "p384")
    return refuseFormat("FORMAT_KEY", -1, "Secure Boot v2 is signed with RSA-3072, P-256 or P-384");
  return { kind, scheme: schemeOf(kind) };
}

/**
 * Makes a signature block.
 *
 * @param key - RSA-3072, P-256 or P-384.
 * @param content - What was signed.
 * @param signature - RSA: big-endian. ECDSA: r and s.
 * @returns 1,216 bytes.
 * @throws FormatRefusal FORMAT_KEY and FORMAT_SIGNATURE_ENCODING.
 */
export function makeBlock(key: FormatKey, content: Uint8Array, signature: Uint8Array): Uint8Array {
  const { kind } = signingKind(key);
  const layout = LAYOUTS[kind];
  if (signature.length !== schemeLength(kind)) return refuseFormat("FORMAT_SIGNATURE_ENCODING", -1, `it has ${signature.length} bytes`);
  const out = new Uint8Array(BLOCK);
  out.set([MAGIC, layout.version, layout.subversion, 0]);
  out.set(createHash(layout.hash).update(content).digest(), DIGEST_AT);
  out.set(encodeBlockKey(key), layout.key);
  out.set(swapped(kind, signature), layout.signatureAt);
  viewOf(out).setUint32(CRC_AT, crc32(out.subarray(0, CRC_AT)), true);
  return out;
}

/**
 * Verifies a block as a chip does that trusts its key.
 *
 * @param block - The block.
 * @param content - All that is before the signature sector.
 * @param at - Offset of the block, for refusals.
 * @throws FormatRefusal ESP32_DIGEST and FORMAT_SIGNATURE.
 */
export function verifyBlock(block: Block, content: Uint8Array, at: number): void {
  const digest = createHash(LAYOUTS[block.key.kind].hash).update(content).digest();
  if (!digest.equals(block.digest)) refuseFormat("ESP32_DIGEST", at + DIGEST_AT);
  if (!verifyScheme(block.key, block.scheme, content, block.signature)) refuseFormat("FORMAT_SIGNATURE", at);
}
