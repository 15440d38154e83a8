// Writes private keys as PKCS#8 in PEM. Encrypted: PBES2 (RFC 8018 §6.2) with scrypt (RFC 7914 §7.1) and AES-256-CBC, where Node's own
// export has 2,048 rounds of PBKDF2 and no choice. N = 2^14 with p = 5 is what the memory cap of OpenSSL lets every reader use.

import { createCipheriv, createPrivateKey, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { type PrivateKey, toPrivateJwk } from "@firmseal/signer";
import { isMlDsa, mlDsaPkcs8 } from "./mldsa-der.js";

const N = 16384;
const R = 8;
const P = 5;

const derive = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** PKCS#8 in PEM, encrypted under a passphrase (bytes, UTF-8 by custom). Salt of 16 bytes and IV are fresh each time. */
export async function encryptedPem(key: PrivateKey, passphrase: Uint8Array): Promise<string> {
  if (passphrase.length === 0) throw new RangeError("empty passphrase");
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const plain = pkcs8(key);
  // the work area is 128 · N · r bytes, 16 MiB; the default limit of Node is twice that less the blocks of p
  const wrapping = await derive(passphrase, salt, 32, { N, r: R, p: P, maxmem: 64 * 1024 * 1024 });
  try {
    const cipher = createCipheriv("aes-256-cbc", wrapping, iv);
    const content = Buffer.concat([cipher.update(plain), cipher.final()]);
    return pem("ENCRYPTED PRIVATE KEY", encryptedPrivateKeyInfo(salt, iv, content));
  } finally {
    plain.fill(0);
    wrapping.fill(0);
  }
}

/** Rounds of PBKDF2, and N · r · p of scrypt, that a file may ask for: a few seconds. OpenSSL cannot be stopped once it has begun. */
const MOST_ROUNDS = 10_000_000;
const MOST_SCRYPT = 2 ** 24;

/** Whether deriving the key of an EncryptedPrivateKeyInfo takes minutes or hours, as far as that can be seen: in doubt it does. */
export function takesTooLong(der: Buffer): boolean {
  const [rounds = Infinity] = numbersBehind(der, PBKDF2) ?? [0];
  const [n = Infinity, r = Infinity, p = Infinity] = numbersBehind(der, SCRYPT) ?? [0, 0, 0];
  return rounds > MOST_ROUNDS || n * r * p > MOST_SCRYPT;
}

/** The INTEGERs that stand behind the salt in the parameters of an algorithm; undefined where the algorithm is not there. */
function numbersBehind(der: Buffer, oid: Buffer): number[] | undefined {
  const found = der.indexOf(oid);
  if (found < 0) return undefined;
  // SEQUENCE { OCTET STRING, INTEGER … }, none of which is longer than 127 bytes: lengths have one byte
  const [parameters, salt] = [found + oid.length, found + oid.length + 2];
  const out: number[] = [];
  if (der[parameters] !== SEQUENCE || der[salt] !== OCTET_STRING) return out;
  for (let at = salt + 2 + (der[salt + 1] ?? 0); der[at] === INTEGER && out.length < 4; ) {
    const length = der[at + 1] ?? 0;
    if (length < 1 || length > 6 || at + 2 + length > der.length) return [];
    out.push(der.readUIntBE(at + 2, length));
    at += 2 + length;
  }
  return out;
}

/** PKCS#8 in PEM that everyone can read who can read the file. */
export function plainPem(key: PrivateKey): string {
  const der = pkcs8(key);
  try {
    return pem("PRIVATE KEY", der);
  } finally {
    der.fill(0);
  }
}

function pkcs8(key: PrivateKey): Buffer {
  if (isMlDsa(key)) return mlDsaPkcs8(key);
  return createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" }).export({ format: "der", type: "pkcs8" });
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;

// object identifiers, encoded: 1.2.840.113549.1.5.13, .12, 1.3.6.1.4.1.11591.4.11, 2.16.840.1.101.3.4.1.42
const PBES2 = Buffer.from("06092a864886f70d01050d", "hex");
const PBKDF2 = Buffer.from("06092a864886f70d01050c", "hex");
const SCRYPT = Buffer.from("06092b06010401da47040b", "hex");
const AES_256_CBC = Buffer.from("060960864801650304012a", "hex");

function encryptedPrivateKeyInfo(salt: Buffer, iv: Buffer, content: Buffer): Buffer {
  const kdf = tlv(SEQUENCE, SCRYPT, tlv(SEQUENCE, tlv(OCTET_STRING, salt), integer(N), integer(R), integer(P)));
  const cipher = tlv(SEQUENCE, AES_256_CBC, tlv(OCTET_STRING, iv));
  return tlv(SEQUENCE, tlv(SEQUENCE, PBES2, tlv(SEQUENCE, kdf, cipher)), tlv(OCTET_STRING, content));
}

function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const n = body.length;
  if (n > 0xffff) throw new RangeError("longer than any key");
  const head = n < 0x80 ? [tag, n] : n < 0x100 ? [tag, 0x81, n] : [tag, 0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

// non-negative, below 2^31; a leading zero where the top bit would make it negative
function integer(value: number): Buffer {
  const bytes = [value & 0xff];
  for (let rest = value >> 8; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  if ((bytes[0] as number) & 0x80) bytes.unshift(0);
  return tlv(INTEGER, Buffer.from(bytes));
}

/** PEM (RFC 7468 §2) with lines of `width` characters. */
export function pem(label: string, der: Buffer, width = 64): string {
  const lines = der.toString("base64").match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
