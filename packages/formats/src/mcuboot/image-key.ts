// What each kind of key means for an image: the type of its signature, its encoding, the hash, the message.

import { createHash } from "node:crypto";
import type { KeyMessage } from "../format.js";
import { type FormatKey, type FormatKeyKind, pkcs1 } from "../key/key.js";
import type { Scheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { ECDSA, ED25519, type ImageHash, RSA2048, RSA3072 } from "./numbers.js";
import type { ImageParts } from "./parts.js";

/** The type of the signature of a key, and the hashes of images that it signs; the first is the default. */
const KINDS: {
  readonly [kind in FormatKeyKind]?: { readonly type: number; readonly hashes: readonly ImageHash[]; readonly scheme: Scheme };
} = {
  ed25519: { type: ED25519, hashes: ["sha256", "sha512"], scheme: { type: "ed25519" } },
  p256: { type: ECDSA, hashes: ["sha256"], scheme: { type: "ecdsa", hash: "sha256" } },
  p384: { type: ECDSA, hashes: ["sha384"], scheme: { type: "ecdsa", hash: "sha384" } },
  rsa2048: { type: RSA2048, hashes: ["sha256"], scheme: { type: "rsa-pss", hash: "sha256" } },
  rsa3072: { type: RSA3072, hashes: ["sha256"], scheme: { type: "rsa-pss", hash: "sha256" } },
};

/** Whether boot loaders take signatures by keys of this kind. */
export const isImageKey = ({ kind }: FormatKey): boolean => KINDS[kind] !== undefined;

/** What such a key means. Throws FormatRefusal FORMAT_KEY for a kind of key that no boot loader takes. */
export function imageKey({ kind }: FormatKey) {
  return KINDS[kind] ?? refuseFormat("FORMAT_KEY", -1, kind);
}

/** What a boot loader hashes of a key: SubjectPublicKeyInfo, and for RSA only RSAPublicKey. */
export const encodedKey = (key: FormatKey) => (key.kind.startsWith("rsa") ? pkcs1(key) : key.spki);

/** The value of KEYHASH. */
export const hashedKey = (key: FormatKey, hash: ImageHash) => new Uint8Array(createHash(hash).update(encodedKey(key)).digest());

/**
 * The message of a signature. An Ed25519 key signs the hash as a message, or the region. The others hash the region
 * themselves.
 */
export function imageMessage(key: FormatKey, { region, hash, digest, isPure }: ImageParts): KeyMessage {
  const { scheme, hashes } = imageKey(key);
  if (!hashes.includes(hash)) refuseFormat("MCUBOOT_HASH_KIND", -1, `${hash} with a key ${key.kind}`);
  if (isPure && scheme.type !== "ed25519") refuseFormat("MCUBOOT_HASH_KIND", -1, `pure signatures with a key ${key.kind}`);
  return { message: scheme.type === "ed25519" && !isPure ? digest : region, scheme };
}
