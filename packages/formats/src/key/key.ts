// Public keys of the formats: node:crypto reads and uses them. They are not keys of devices with the SUIT verifier.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { KeyError, publicKey } from "@firmseal/signer";
import { refuseFormat } from "../refusal.js";

/** The kinds of keys. p192 is only for verification of old files. */
export type FormatKeyKind = "ed25519" | "p192" | "p256" | "p384" | "rsa2048" | "rsa3072" | "rsa4096";

/** A public key. */
export interface FormatKey {
  readonly kind: FormatKeyKind;
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki`, hex: how messages and logs name the key. */
  readonly id: string;
  /** The number that minisign or signify gave the key, 8 bytes in hex as files have it; undefined: not known. */
  readonly number?: string;
}

const CURVES: { readonly [curve: string]: FormatKeyKind } = {
  prime192v1: "p192",
  prime256v1: "p256",
  secp384r1: "p384",
};

const ED25519_BYTES = 32;

/** Bytes of SubjectPublicKeyInfo with the name of the curve and x and y: OpenSSL keeps every other encoding. */
const POINTS: { readonly [kind in FormatKeyKind]?: number } = { p192: 75, p256: 91, p384: 120 };

function kindOf(key: KeyObject): FormatKeyKind | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519") return type;
  if (type === "ec") return CURVES[details?.namedCurve ?? ""];
  // an exponent of 1 makes every message its own signature, and an even one is not an RSA key
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  if (type === "rsa" && publicExponent >= 3n && publicExponent % 2n === 1n)
    if (modulusLength === 2048 || modulusLength === 3072 || modulusLength === 4096) return `rsa${modulusLength}`;
  return undefined;
}

/**
 * Describes a key for the formats.
 *
 * @param from - A key of node:crypto; its public half is taken. Or PEM, or SubjectPublicKeyInfo as DER.
 * @returns The public key.
 * @throws FormatRefusal FORMAT_KEY if it is not a key, or of another kind.
 */
export function formatKey(from: KeyObject | string | Uint8Array): FormatKey {
  const key = publicKeyOf(from);
  const kind = key && kindOf(key);
  if (!kind) return refuseFormat("FORMAT_KEY", -1, key ? "it is not Ed25519, P-256, P-384 or RSA" : "it is not a public key");
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  // in two encodings a key would have two names, and parameters instead of a name may be those of another curve
  if (spki.length !== (POINTS[kind] ?? spki.length))
    return refuseFormat(
      "FORMAT_KEY",
      -1,
      "its point is compressed, or its curve has no name: openssl ec -conv_form uncompressed -param_enc named_curve -pubout writes it",
    );
  if (kind === "ed25519") refuseWeakPoint(spki.subarray(-ED25519_BYTES));
  return { kind, key, spki, id: createHash("sha256").update(spki).digest("hex") };
}

/** OpenSSL takes any 32 bytes. Under a point of small order, one signature is right for many messages. */
function refuseWeakPoint(raw: Uint8Array): void {
  try {
    publicKey("ed25519", raw);
  } catch (e) {
    if (!(e instanceof KeyError)) throw e;
    refuseFormat("FORMAT_KEY", -1, e.message);
  }
}

function publicKeyOf(from: KeyObject | string | Uint8Array): KeyObject | undefined {
  try {
    if (typeof from === "string") return createPublicKey(from);
    if (from instanceof Uint8Array) return createPublicKey({ key: Buffer.from(from), format: "der", type: "spki" });
    return from.type === "private" ? createPublicKey(from) : from;
  } catch {
    return undefined;
  }
}

/**
 * Encodes an RSA key as RSAPublicKey (PKCS #1, DER).
 *
 * @param key - An RSA key.
 * @returns The encoding.
 */
export function pkcs1(key: FormatKey): Uint8Array {
  return new Uint8Array(key.key.export({ type: "pkcs1", format: "der" }));
}
