// Writes private keys as PKCS#8 in PEM. Encryption: PBES2 (RFC 8018 §6.2) with scrypt (RFC 7914 §7.1) and AES-256-CBC;
// Node's own export always uses 2,048 rounds of PBKDF2. N = 2^14 with p = 5 stays within the memory limit of OpenSSL,
// so that every program can read it.

import { createCipheriv, createPrivateKey, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { type PrivateKey, toPrivateJwk } from "@firmseal/signer";
import { ownPkcs8 } from "./der/own.js";
import { derInteger, octetString, SEQUENCE, tlv } from "./der/strict.js";
import { AES_256_CBC, PBES2, SCRYPT_OID } from "./pbes2.js";
import { pem } from "./pem.js";

const SCRYPT_N = 16384;
const SCRYPT_R = 8;
const SCRYPT_P = 5;

const scryptKey = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/**
 * Encrypted PKCS#8 in PEM. The passphrase is bytes (UTF-8 by convention). The 16-byte salt and the IV are fresh each
 * time. A smaller `p`, which is less work, is for tests.
 */
export async function encryptedPem(key: PrivateKey, passphrase: Uint8Array, p = SCRYPT_P): Promise<string> {
  if (passphrase.length === 0) throw new RangeError("empty passphrase");
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const plain = pkcs8(key);
  // scrypt uses 128 · N · r bytes, 16 MiB; Node's default limit is twice that, less the blocks of p
  const wrapping = await scryptKey(passphrase, salt, 32, { N: SCRYPT_N, r: SCRYPT_R, p, maxmem: 64 * 1024 * 1024 });
  try {
    const cipher = createCipheriv("aes-256-cbc", wrapping, iv);
    const content = Buffer.concat([cipher.update(plain), cipher.final()]);
    return pem("ENCRYPTED PRIVATE KEY", encryptedPrivateKeyInfo(salt, iv, content, p));
  } finally {
    plain.fill(0);
    wrapping.fill(0);
  }
}

/** Unencrypted PKCS#8 in PEM. */
export function plainPem(key: PrivateKey): string {
  const der = pkcs8(key);
  try {
    return pem("PRIVATE KEY", der);
  } finally {
    der.fill(0);
  }
}

function pkcs8(key: PrivateKey): Buffer {
  return ownPkcs8(key) ?? createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" }).export({ format: "der", type: "pkcs8" });
}

function encryptedPrivateKeyInfo(salt: Buffer, iv: Buffer, content: Buffer, p: number): Buffer {
  const kdf = tlv(SEQUENCE, SCRYPT_OID, tlv(SEQUENCE, octetString(salt), derInteger(SCRYPT_N), derInteger(SCRYPT_R), derInteger(p)));
  const cipher = tlv(SEQUENCE, AES_256_CBC, octetString(iv));
  return tlv(SEQUENCE, tlv(SEQUENCE, PBES2, tlv(SEQUENCE, kdf, cipher)), octetString(content));
}
