// Signature algorithms, done by node:crypto.

import { constants, type KeyObject, sign, verify } from "node:crypto";
import type { FormatKey, FormatKeyKind } from "./key.js";

/** A hash, as node:crypto names it. */
export type SchemeHash = "sha256" | "sha384" | "sha512";

/** A signature algorithm. The salt of RSA-PSS is as long as the hash, and MGF1 uses the same hash. */
export type Scheme =
  | { readonly type: "ed25519" }
  | { readonly type: "ecdsa"; readonly hash: SchemeHash }
  | { readonly type: "rsa-pss"; readonly hash: SchemeHash }
  | { readonly type: "rsa-pkcs1"; readonly hash: SchemeHash };

/** Bytes of a coordinate, for ECDSA; of the whole signature, for the others. */
const LENGTHS: { readonly [kind in FormatKeyKind]: number } = {
  ed25519: 64,
  p192: 24,
  p256: 32,
  p384: 48,
  rsa2048: 256,
  rsa3072: 384,
  rsa4096: 512,
};

/**
 * Gives the length of a signature.
 *
 * @param kind - The kind of the key.
 * @returns Its length in bytes; for ECDSA that of r and s.
 */
export function schemeLength(kind: FormatKeyKind): number {
  return kind.startsWith("p") ? 2 * LENGTHS[kind] : LENGTHS[kind];
}

/**
 * Names an algorithm with a kind of key.
 *
 * @param kind - The kind of the key.
 * @param scheme - The algorithm.
 * @returns "ed25519", "ecdsa-p256-sha256", "rsa3072-pss-sha256", "rsa2048-pkcs1-sha512".
 */
export function schemeName(kind: FormatKeyKind, scheme: Scheme): string {
  if (scheme.type === "ed25519") return scheme.type;
  if (scheme.type === "ecdsa") return `ecdsa-${kind}-${scheme.hash}`;
  return `${kind}-${scheme.type.slice(4)}-${scheme.hash}`;
}

function options(key: KeyObject, scheme: Scheme) {
  if (scheme.type === "ecdsa") return { key, dsaEncoding: "ieee-p1363" as const };
  if (scheme.type === "rsa-pkcs1") return { key, padding: constants.RSA_PKCS1_PADDING };
  if (scheme.type === "rsa-pss") return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { key };
}

const hashOf = (scheme: Scheme) => (scheme.type === "ed25519" ? null : scheme.hash);

const FAMILIES: { readonly [type in Scheme["type"]]: RegExp } = {
  ed25519: /^ed25519$/,
  ecdsa: /^p\d/,
  "rsa-pss": /^rsa/,
  "rsa-pkcs1": /^rsa/,
};

/**
 * Verifies a signature. ECDSA signatures are r and s, each of the curve's length.
 *
 * @param key - The public key.
 * @param scheme - The algorithm.
 * @param message - What was signed.
 * @param signature - The signature.
 * @returns Whether it is right. A wrong length or kind of key gives false.
 */
export function verifyScheme(key: FormatKey, scheme: Scheme, message: Uint8Array, signature: Uint8Array): boolean {
  if (!FAMILIES[scheme.type].test(key.kind) || signature.length !== schemeLength(key.kind)) return false;
  return verify(hashOf(scheme), message, options(key.key, scheme), signature);
}

/**
 * Signs with a private key of node:crypto.
 *
 * @param key - The private key.
 * @param scheme - The algorithm.
 * @param message - What to sign.
 * @returns The signature, as FormatFile.withSignature() takes it.
 */
export function signScheme(key: KeyObject, scheme: Scheme, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(hashOf(scheme), message, options(key, scheme)));
}
