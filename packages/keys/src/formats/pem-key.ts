// A key in PEM: PKCS#8 (plain or encrypted), SPKI, SEC1 or OpenSSH. What OpenSSL would give only as text, or does not
// read, is read here.

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { fromJwk, KeyError, keyAlgOfLength, type PrivateKey, type PublicKey, privateKey, secretLength } from "@firmseal/signer";
import { algOfNode, algsWith, CUSTODY, hasExplicitCurve, SIGNING_KEYS, UNSUPPORTED } from "../algorithms.js";
import { KeyFileError, WrongPassphrase } from "../errors/key-file.js";
import { ownFromPkcs8, ownFromSpki } from "./der/own.js";
import { children, SEQUENCE, singleTlv, tlv } from "./der/strict.js";
import { refuseLong } from "./kdf-cost.js";
import { readOpenSshPrivate } from "./openssh.js";
import { decryptPkcs8, isPkcs8, PBES2, secondsOf } from "./pbes2.js";
import { pemBlock } from "./pem.js";

/**
 * Reads the only key in the text of a PEM file: PKCS#8, SPKI, SEC1 or OpenSSH. `passphrase` is called only if the key
 * is encrypted. Throws KeyFileError or KeyError.
 */
export async function readPem(text: string, name: string, passphrase: () => Promise<Uint8Array>): Promise<PublicKey | PrivateKey> {
  const { label, der } = pemBlock(text, name);
  if (label === "PUBLIC KEY") {
    return ownFromSpki(der) ?? fromKeyObject(loadKeyObject(der, "spki", () => damaged(name)));
  }
  try {
    if (label === "OPENSSH PRIVATE KEY") return await readOpenSshPrivate(der, name, passphrase);
    if (label === "ENCRYPTED PRIVATE KEY") {
      const seconds = secondsOf(der);
      if (Number.isNaN(seconds)) throw otherwise(name);
      refuseLong(name, seconds, ENCRYPT_AGAIN);
      return await decrypt(der, await passphrase(), name);
    }
    const type = label === "PRIVATE KEY" ? "pkcs8" : "sec1";
    if (type === "pkcs8") return await fromPkcs8(der, name, () => damaged(name));
    return fromKeyObject(loadKeyObject(der, type, () => damaged(name)));
  } finally {
    der.fill(0);
  }
}

/** The key in DER as OpenSSL reads it. Throws what `fault` returns if it does not. */
function loadKeyObject(key: Buffer, type: "pkcs8" | "sec1" | "spki", fault: () => Error): KeyObject {
  try {
    return type === "spki" ? createPublicKey({ key, format: "der", type }) : createPrivateKey({ key, format: "der", type });
  } catch {
    throw fault();
  }
}

const damaged = (name: string) => new KeyFileError(`${name}: the key in the PEM is damaged or of an unknown kind`, UNSUPPORTED, 2);

const ENCRYPT_AGAIN = "encrypt it again: openssl pkcs8 -topk8 -scrypt -in FILE -out FILE.pem";

function otherwise(name: string): KeyFileError {
  return new KeyFileError(`${name}: unsupported encryption`, ENCRYPT_AGAIN, 2);
}

async function decrypt(der: Buffer, passphrase: Uint8Array, name: string): Promise<PublicKey | PrivateKey> {
  try {
    const plain = await decryptPkcs8(der, passphrase);
    if (plain === undefined) return await decryptByOpenSsl(der, passphrase, name);
    if (plain === null) throw new WrongPassphrase(name);
    try {
      // wrong passphrases whose padding happens to be right must give the same message as others
      const fault = () => (isPkcs8(plain) ? damaged(name) : new WrongPassphrase(name));
      return await fromPkcs8(plain, name, fault);
    } finally {
      plain.fill(0);
    }
  } finally {
    passphrase.fill(0);
  }
}

/** For the schemes before PBES2, and ciphers that only OpenSSL reads. */
async function decryptByOpenSsl(der: Buffer, passphrase: Uint8Array, name: string): Promise<PublicKey | PrivateKey> {
  let key: KeyObject;
  try {
    const { buffer, byteOffset, length } = passphrase;
    key = createPrivateKey({ key: der, format: "der", type: "pkcs8", passphrase: Buffer.from(buffer, byteOffset, length) });
  } catch (e) {
    const code = String((e as NodeJS.ErrnoException).code);
    throw !der.includes(PBES2) || /^ERR_OSSL_EVP_(MEMORY_LIMIT|ILLEGAL|UNSUPPORTED)/.test(code)
      ? otherwise(name)
      : new WrongPassphrase(name);
  }
  if (algOfNode(key)) return fromKeyObject(key);
  // an OpenSSL that supports keys which Node 20 does not, such as ML-DSA
  const plain = key.export({ format: "der", type: "pkcs8" });
  try {
    return (await ownFromPlain(plain, name)) ?? fromKeyObject(key);
  } finally {
    plain.fill(0);
  }
}

async function fromPkcs8(der: Buffer, name: string, fault: () => Error): Promise<PublicKey | PrivateKey> {
  const plain = withoutAttributes(der);
  try {
    return (await ownFromPlain(plain, name)) ?? fromKeyObject(loadKeyObject(plain, "pkcs8", fault));
  } finally {
    plain.fill(0);
  }
}

/** The tag of the attributes in PKCS#8, [0], which follow the key (RFC 5958 §2). */
const ATTRIBUTES = 0xa0;

/**
 * PKCS#8 without its attributes, which say nothing about the key, but which no reader below knows in version 2. The
 * same bytes if it has none.
 */
function withoutAttributes(der: Buffer): Buffer {
  const parts = children(singleTlv(der, SEQUENCE)) ?? [];
  const at = parts.findIndex(({ tag }) => tag === ATTRIBUTES);
  if (at !== 3) return der;
  return tlv(SEQUENCE, ...parts.filter((_, i) => i !== at).map(({ whole }) => whole));
}

/** The key in PKCS#8 if it has a form that we read ourselves: OpenSSL gives a secret only as text. */
async function ownFromPlain(der: Buffer, name: string): Promise<PublicKey | PrivateKey | undefined> {
  return withPublic(der) ?? (await ownFromPkcs8(der, name));
}

/** Reads PKCS#8 version 2 with the public key after the private one, which the OpenSSL in Node cannot read. */
function withPublic(der: Buffer): PublicKey | PrivateKey | undefined {
  for (const alg of algsWith("pkcs8v2")) {
    const { head = "", middle = "" } = CUSTODY[alg].pkcs8v2 ?? {};
    const at = head.length / 2;
    const length = secretLength(alg) ?? 0;
    const pub = der.subarray(at + length + middle.length / 2);
    // in this order, so that the secret is never converted to text
    if (keyAlgOfLength(pub.length) !== alg || der.toString("hex", 0, at) !== head) continue;
    if (der.toString("hex", at + length, der.length - pub.length) !== middle) continue;
    const key = privateKey(alg, der.subarray(at, at + length));
    if (pub.equals(key.key)) return key;
    key.secret.fill(0);
    throw new KeyError("mismatch", "the public key in the file does not match its private key");
  }
  return undefined;
}

function fromKeyObject(key: KeyObject): PublicKey | PrivateKey {
  if (!algOfNode(key)) {
    const { asymmetricKeyType: kind, asymmetricKeyDetails } = key;
    if (hasExplicitCurve(key))
      throw new KeyError("unsupported", "a key with the parameters of its curve in place of the name (RFC 5480 §2.1.1)");
    const curve = asymmetricKeyDetails?.namedCurve ?? "of explicit parameters";
    throw new KeyError("unsupported", `a key for ${kind === "ec" ? `the curve ${curve}` : kind?.toUpperCase()}, not for ${SIGNING_KEYS}`);
  }
  // OpenSSL does not check the public key in a file; fromJwk derives it from d and compares
  return fromJwk(key.export({ format: "jwk" }));
}
