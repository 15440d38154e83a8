// Encodes keys for other programs: public keys in files for tools (pem, openssh, jwk, cose, raw) and as literals to
// embed in a device (js, h), and private keys (pkcs8, openssh, jwk, cose).

import { createPublicKey } from "node:crypto";
import {
  algWords,
  coseAlg,
  deviceKeyAlgs,
  isDeviceAlg,
  type PrivateKey,
  type PublicKey,
  publicOf,
  thumbprint,
  toCose,
  toJwk,
  toPrivateCose,
  toPrivateJwk,
} from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";
import { ownSpki } from "./der/own.js";
import { openSshPrivate, openSshPublic } from "./openssh.js";
import { pem } from "./pem.js";
import { encryptedPem, plainPem } from "./pkcs8.js";

/**
 * The formats of formatPublic(): SPKI in PEM, OpenSSH, JWK (RFC 7517), COSE_Key (RFC 9052 §7), a JavaScript literal, a
 * header for C, and raw bytes.
 */
export const publicFormats = ["pem", "openssh", "jwk", "cose", "js", "h", "raw"] as const;

/** A format of public keys: see publicFormats. */
export type PublicFormat = (typeof publicFormats)[number];

/** The formats of formatPrivate(): PKCS#8 in PEM, OpenSSH, JWK (RFC 7517) and COSE_Key (RFC 9052 §7). */
export const privateFormats = ["pkcs8", "openssh", "jwk", "cose"] as const;

/** A format of private keys: see privateFormats. */
export type PrivateFormat = (typeof privateFormats)[number];

/** Returns whether a private key in this format can be encrypted. No program reads an encrypted JWK or COSE_Key. */
export function canEncrypt(format: PrivateFormat): boolean {
  return format === "pkcs8" || format === "openssh";
}

/** Returns whether a format can hold the key identifier. */
export function keepsKid(format: PrivateFormat | PublicFormat): boolean {
  return format === "jwk" || format === "cose" || format === "js" || format === "h";
}

/**
 * Encodes a private key as a file, encrypted if a passphrase is given.
 *
 * @param key - The private key.
 * @param format - One of privateFormats.
 * @param passphrase - The passphrase, in UTF-8.
 * @returns The content of the file.
 * @throws KeyError or KeyFileError if the format does not support the key, and RangeError for a passphrase if the
 *   format has no encryption.
 */
export async function formatPrivate(key: PrivateKey, format: PrivateFormat, passphrase?: Uint8Array): Promise<Buffer> {
  if (passphrase && !canEncrypt(format)) throw new RangeError(`${format} is not encrypted`);
  const content = await privateWriters[format](key, passphrase);
  return typeof content === "string" ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.length);
}

const privateWriters: Record<PrivateFormat, (key: PrivateKey, passphrase?: Uint8Array) => Promise<string> | string | Uint8Array> = {
  pkcs8: (key, passphrase) => (passphrase ? encryptedPem(key, passphrase) : plainPem(key)),
  openssh: (key, passphrase) => openSshPrivate(key, passphrase),
  jwk: (key) => `${JSON.stringify(toPrivateJwk(key), null, 2)}\n`,
  cose: toPrivateCose,
};

/**
 * Encodes the public part of a key as a file.
 *
 * @param key - The key, public or private.
 * @param format - One of publicFormats.
 * @returns The content of the file. Text ends with a newline.
 */
export function formatPublic(key: PublicKey, format: PublicFormat): Uint8Array {
  const bytes = writers[format](publicOf(key));
  return typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
}

const writers: Record<PublicFormat, (key: PublicKey) => string | Uint8Array> = {
  pem(key) {
    const der = ownSpki(key);
    if (der) return pem("PUBLIC KEY", der);
    return createPublicKey({ key: { ...toJwk(key) }, format: "jwk" }).export({ format: "pem", type: "spki" }) as string;
  },
  openssh: openSshPublic,
  jwk: (key) => `${JSON.stringify(toJwk(key), null, 2)}\n`,
  cose: toCose,
  raw: (key) => Uint8Array.from(key.key),
  js: (key) => jsLiteral(key),
  h,
};

function keyComment(key: PublicKey): string {
  return `Public key for firmware signatures, ${key.alg}. COSE Key Thumbprint (RFC 9679, SHA-256): ${Buffer.from(thumbprint(key)).toString("hex")}`;
}

/**
 * Returns JavaScript source (ES5) with the key as a literal, to embed in a device. It uses no `module`, because the
 * target engines have none. With a table, the literal is a Prepared. Pass either form to anchor(). Throws KeyFileError
 * for an algorithm that no device bundle verifies.
 */
export function jsLiteral(key: PublicKey, more?: { table: string | readonly number[]; digest: Uint8Array }): string {
  // no bundle could use such an anchor, because none has the algorithm
  if (!isDeviceAlg(key.alg))
    throw new KeyFileError(`no device bundle verifies ${key.alg}`, `embed the ${algWords(deviceKeyAlgs)} key that signs with it`, 2);
  const raw = `[${key.key.join(", ")}]`;
  const kid = key.kid ? `, kid: [${key.kid.join(", ")}]` : "";
  return `// ${keyComment(key)}\nvar firmsealKey = { alg: "${key.alg}", key: ${more ? `{ key: ${raw}, digest: [${more.digest.join(", ")}], table: ${JSON.stringify(more.table)} }` : raw}${kid} };\n`;
}

function h(key: PublicKey): string {
  const lines = [
    `/* ${keyComment(key)} */`,
    "#ifndef FIRMSEAL_KEY_H",
    "#define FIRMSEAL_KEY_H",
    "",
    `#define FIRMSEAL_KEY_ALG "${key.alg}"`,
    `#define FIRMSEAL_KEY_COSE_ALG (${coseAlg(key.alg)})`,
    `#define FIRMSEAL_KEY_LENGTH ${key.key.length}`,
    "",
    `static const unsigned char firmseal_key[${key.key.length}] = {`,
    ...rowsOfEight(key.key),
    "};",
  ];
  if (key.kid && key.kid.length > 0) {
    lines.push(
      "",
      `#define FIRMSEAL_KEY_KID_LENGTH ${key.kid.length}`,
      "",
      `static const unsigned char firmseal_key_kid[${key.kid.length}] = {`,
    );
    lines.push(...rowsOfEight(key.kid), "};");
  }
  return [...lines, "", "#endif", ""].join("\n");
}

function rowsOfEight(bytes: Uint8Array): string[] {
  const rows: string[] = [];
  for (let i = 0; i < bytes.length; i += 8) {
    rows.push(`    ${[...bytes.subarray(i, i + 8)].map((b) => `0x${b.toString(16).padStart(2, "0")}`).join(", ")},`);
  }
  return rows;
}
