// Decrypts PKCS#8 under a passphrase where the OpenSSL in Node could, but then does not know the key in it: PBES2 (RFC 8018 §6.2) with scrypt
// or PBKDF2 and AES in CBC mode, which is what OpenSSL, Node and firmseal write.

import { createDecipheriv, pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { children, SEQUENCE, type Tlv, whole } from "./der-strict.js";

const oid = (text: string) => Buffer.from(text, "hex");
const PBES2 = oid("06092a864886f70d01050d");
const PBKDF2 = oid("06092a864886f70d01050c");
const SCRYPT = oid("06092b06010401da47040b");
/** HMAC with SHA-1, -256, -384, -512 (RFC 8018 appendix B.1.2): 1.2.840.113549.2.7, .9, .10, .11. */
const PRFS: readonly (readonly [Buffer, string])[] = [
  [oid("06082a864886f70d0207"), "sha1"],
  [oid("06082a864886f70d0209"), "sha256"],
  [oid("06082a864886f70d020a"), "sha384"],
  [oid("06082a864886f70d020b"), "sha512"],
];
/** 2.16.840.1.101.3.4.1.2, .22, .42. */
const CIPHERS: readonly (readonly [Buffer, string, number])[] = [
  [oid("0609608648016503040102"), "aes-128-cbc", 16],
  [oid("0609608648016503040116"), "aes-192-cbc", 24],
  [oid("060960864801650304012a"), "aes-256-cbc", 32],
];
/** Work that a file may ask for: rounds, and bytes of memory. A file must not keep a machine busy for hours. */
const MOST_ROUNDS = 10_000_000;
const MOST_MEMORY = 64 * 1024 * 1024;

const scryptOf = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);
const pbkdf2Of = promisify(pbkdf2);

function value(t: Tlv | undefined): number {
  const n = t?.content.length ?? 0;
  return t?.tag === 0x02 && n >= 1 && n <= 5 ? t.content.readUIntBE(0, n) : Number.NaN;
}

async function derive(kdf: Tlv[] | undefined, passphrase: Uint8Array, length: number): Promise<Buffer | undefined> {
  const [name, parameters] = kdf ?? [];
  const [salt, ...rest] = children(parameters) ?? [];
  if (!name || salt?.tag !== 0x04) return undefined;
  if (name.whole.equals(SCRYPT)) {
    const [N, r, p] = rest.map(value);
    if (!N || !r || !p || 128 * N * r > MOST_MEMORY || p > 64) return undefined;
    return scryptOf(passphrase, salt.content, length, { N, r, p, maxmem: 2 * MOST_MEMORY });
  }
  const rounds = value(rest[0]);
  if (!name.whole.equals(PBKDF2) || !(rounds >= 1 && rounds <= MOST_ROUNDS)) return undefined;
  // the length of the key may stand between; the default of prf is SHA-1
  const prf = rest[rest[1]?.tag === 0x02 ? 2 : 1];
  const hash = prf ? PRFS.find(([id]) => children(prf)?.[0]?.whole.equals(id))?.[1] : "sha1";
  return hash === undefined ? undefined : pbkdf2Of(passphrase, salt.content, rounds, length, hash);
}

/** The PrivateKeyInfo in an EncryptedPrivateKeyInfo; undefined where the passphrase is wrong or the scheme is another. */
export async function decryptPkcs8(der: Uint8Array, passphrase: Uint8Array): Promise<Buffer | undefined> {
  const [scheme, sealed] = children(whole(der, SEQUENCE)) ?? [];
  const [name, parameters] = children(scheme) ?? [];
  const [kdf, encryption] = children(parameters) ?? [];
  const [cipherName, iv] = children(encryption) ?? [];
  const cipher = CIPHERS.find(([id]) => cipherName?.whole.equals(id));
  if (!name?.whole.equals(PBES2) || !cipher || iv?.tag !== 0x04 || iv.content.length !== 16 || sealed?.tag !== 0x04) return undefined;
  let key: Buffer | undefined;
  try {
    key = await derive(children(kdf), passphrase, cipher[2]);
    if (!key) return undefined;
    const decipher = createDecipheriv(cipher[1], key, iv.content);
    return Buffer.concat([decipher.update(sealed.content), decipher.final()]);
  } catch {
    // a wrong passphrase, or parameters that there cannot be
    return undefined;
  } finally {
    key?.fill(0);
  }
}
