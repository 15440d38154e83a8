// PBES2 (RFC 8018 §6.2) with scrypt or PBKDF2 and AES-CBC or Triple DES, as OpenSSL, Node and firmseal write it.
// Decrypts PKCS#8 without OpenSSL's reader, which leaves copies of the secret in memory and does not support every key.
// Also computes how long the key derivation takes, before OpenSSL is called.

import { createDecipheriv, pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { joinSecret } from "../secrets/join-secret.js";
import { children, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, singleTlv, type Tlv } from "./der/strict.js";
import { secondsFor, takesLong } from "./kdf-cost.js";

const oid = (text: string) => Buffer.from(text, "hex");
/** RFC 8018 appendix A.4, the only scheme in use. */
export const PBES2 = oid("06092a864886f70d01050d");
const PBKDF2 = oid("06092a864886f70d01050c");
export const SCRYPT_OID = oid("06092b06010401da47040b");
/**
 * HMAC with SHA-1, -224, -256, -384, -512 (RFC 8018 appendix B.1.2): 1.2.840.113549.2.7 to .11, with the output length
 * in bytes.
 */
const PRFS: readonly (readonly [Buffer, string, number])[] = [
  [oid("06082a864886f70d0207"), "sha1", 20],
  [oid("06082a864886f70d0208"), "sha224", 28],
  [oid("06082a864886f70d0209"), "sha256", 32],
  [oid("06082a864886f70d020a"), "sha384", 48],
  [oid("06082a864886f70d020b"), "sha512", 64],
];
export const AES_256_CBC = oid("060960864801650304012a");
/** 2.16.840.1.101.3.4.1.2, .22, .42, and 1.2.840.113549.3.7 (RFC 8018 appendix B.2), with the bytes of key and IV. */
const PBES2_CIPHERS: readonly (readonly [Buffer, string, number, number])[] = [
  [oid("0609608648016503040102"), "aes-128-cbc", 16, 16],
  [oid("0609608648016503040116"), "aes-192-cbc", 24, 16],
  [AES_256_CBC, "aes-256-cbc", 32, 16],
  [oid("06082a864886f70d0307"), "des-ede3-cbc", 24, 8],
];
/** The longest cipher key in OpenSSL, in bytes. */
const LONGEST_KEY = 32;
/** Maximum number of bytes for scrypt. */
const MAX_SCRYPT_MEMORY = 64 * 1024 * 1024;

const scryptOf = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);
const pbkdf2Of = promisify(pbkdf2);

/** A number below 2^39. NaN for others, and for a negative one or one that is not in the shortest form. */
function smallInteger(t: Tlv | undefined): number {
  const { length: n, 0: first = 0, 1: second = 0x80 } = t?.content ?? [];
  const isStrict = first < 0x80 && (first > 0 || second >= 0x80);
  return t?.tag === INTEGER && n >= 1 && n <= 5 && isStrict ? t.content.readUIntBE(0, n) : Number.NaN;
}

/** The items of a SEQUENCE, which has from `least` to `most` of them. Empty for another number, or if it is not a SEQUENCE. */
function fields(parent: Tlv | undefined, least: number, most = least): Tlv[] {
  const items = children(parent) ?? [];
  return items.length >= least && items.length <= most ? items : [];
}

/** Derives a key of `length` bytes. Returns undefined for another function, and for parameters that OpenSSL refuses. */
async function deriveCipherKey(kdf: Tlv | undefined, passphrase: Uint8Array, length: number): Promise<Buffer | undefined> {
  const [name, parameters] = fields(kdf, 2);
  const isScrypt = name?.whole.equals(SCRYPT_OID);
  const [salt, ...rest] = isScrypt ? fields(parameters, 4, 5) : fields(parameters, 2, 4);
  if (!name || salt?.tag !== OCTET_STRING) return undefined;
  // the key length is optional in both, and follows the other numbers
  const keyLength = rest[isScrypt ? 3 : 1];
  if (keyLength?.tag === INTEGER && smallInteger(keyLength) !== length) return undefined;
  if (isScrypt) {
    if (keyLength && keyLength.tag !== INTEGER) return undefined;
    const [N, r, p] = rest.map(smallInteger);
    if (!N || !r || !p || 128 * (N * r + r * p) > MAX_SCRYPT_MEMORY) return undefined;
    return scryptOf(passphrase, salt.content, length, { N, r, p, maxmem: 2 * MAX_SCRYPT_MEMORY });
  }
  const rounds = smallInteger(rest[0]);
  const prf = rest.length < 3 || keyLength?.tag === INTEGER ? prfOf(rest) : undefined;
  return name.whole.equals(PBKDF2) && rounds >= 1 && prf ? pbkdf2Of(passphrase, salt.content, rounds, length, prf[1]) : undefined;
}

/**
 * The hash of PBKDF2, from the fields after the salt: rounds, an optional key length, and the hash unless it is SHA-1.
 */
function prfOf(rest: readonly Tlv[]): (typeof PRFS)[number] | undefined {
  const prf = rest[rest[1]?.tag === INTEGER ? 2 : 1];
  return prf ? PRFS.find(([id]) => fields(prf, 1, 2)[0]?.whole.equals(id)) : PRFS[0];
}

/**
 * Decrypts an EncryptedPrivateKeyInfo to a PrivateKeyInfo. Returns null for a wrong passphrase, and undefined for another
 * scheme or for parameters that are impossible or take too long. One wrong passphrase in 256 gives other bytes. The
 * caller erases the result.
 */
export async function decryptPkcs8(der: Uint8Array, passphrase: Uint8Array): Promise<Buffer | null | undefined> {
  const [scheme, sealed] = fields(singleTlv(der, SEQUENCE), 2);
  const [name, parameters] = fields(scheme, 2);
  const [kdf, encryption] = fields(parameters, 2);
  const [cipherName, iv] = fields(encryption, 2);
  const [, cipher, keyLength, ivLength] = PBES2_CIPHERS.find(([id]) => cipherName?.whole.equals(id)) ?? [];
  if (!name?.whole.equals(PBES2) || !cipher || !keyLength) return undefined;
  if (iv?.tag !== OCTET_STRING || iv.content.length !== ivLength || sealed?.tag !== OCTET_STRING) return undefined;
  if (takesLong(secondsOf(der))) return undefined;
  // impossible parameters are refused by the derivation
  const key = await deriveCipherKey(kdf, passphrase, keyLength).catch(() => undefined);
  if (!key) return undefined;
  const parts: Buffer[] = [];
  try {
    const decipher = createDecipheriv(cipher, key, iv.content);
    parts.push(decipher.update(sealed.content), decipher.final());
    return joinSecret(parts);
  } catch {
    // the padding is wrong
    return null;
  } finally {
    for (const part of [key, ...parts]) part.fill(0);
  }
}

/** Whether bytes are a PrivateKeyInfo (RFC 5958 §2) of any algorithm, which bytes of a wrong passphrase never are. */
export function isPkcs8(der: Uint8Array): boolean {
  const [version, algorithm, key] = children(singleTlv(der, SEQUENCE)) ?? [];
  return version?.tag === INTEGER && children(algorithm)?.[0]?.tag === OBJECT_IDENTIFIER && key?.tag === OCTET_STRING;
}

/**
 * How many seconds the key derivation of an EncryptedPrivateKeyInfo takes. NaN if unknown. Parses strict DER only,
 * because OpenSSL also accepts other encodings of an object identifier or a length.
 */
export function secondsOf(der: Uint8Array): number {
  const [scheme] = children(singleTlv(der, SEQUENCE)) ?? [];
  const [name, parameters] = children(scheme) ?? [];
  const inside = children(parameters);
  if (!name || !inside) return Number.NaN;
  // the schemes before PBES2 (RFC 8018 appendix A.3, RFC 7292 appendix B): salt, and up to 2^31 rounds for each of key,
  // second half of the key, and IV
  if (!name.whole.equals(PBES2)) return secondsFor("hash", 3 * smallInteger(inside[1]));
  const [kdf, limits] = children(inside[0]) ?? [];
  const [, ...rest] = children(limits) ?? [];
  if (kdf?.whole.equals(SCRYPT_OID))
    return secondsFor(
      "scrypt",
      rest
        .slice(0, 3)
        .map(smallInteger)
        .reduce((a, b) => a * b, rest.length < 3 ? Number.NaN : 1),
    );
  const prf = prfOf(rest);
  return kdf?.whole.equals(PBKDF2) && prf ? secondsFor("hash", smallInteger(rest[0]) * Math.ceil(LONGEST_KEY / prf[2])) : Number.NaN;
}
