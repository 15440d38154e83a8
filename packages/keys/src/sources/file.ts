// Key files: PEM with PKCS#8 (plain or encrypted), SPKI or SEC1; OpenSSH; minisign; JWK; COSE_Key, also in base64; raw
// public keys; HSS/LMS through hss.ts. One key per file.

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import {
  fromCose,
  fromJwk,
  fromMinisign,
  fromRaw,
  fromSshLine,
  isMinisignPublic,
  isPrivate,
  isSshLine,
  KeyError,
  type KeyErrorCode,
  keyAlgOfLength,
  keyAlgs,
  loadAlg,
  NotLoaded,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicOf,
  secretLength,
  signer,
  wipePrivateKey,
} from "@firmseal/signer";
import { algOfNode, algsWith, CUSTODY, SIGNING_KEYS, UNSUPPORTED } from "../custody.js";
import { KeyFileError, WrongPassphrase } from "../errors/key-file.js";
import { readAll } from "../files/read.js";
import { decodeBase64 } from "../formats/base64.js";
import { SEQUENCE, singleTlv } from "../formats/der-strict.js";
import { isMinisign, readMinisign } from "../formats/minisign.js";
import { readOpenSshPrivate } from "../formats/openssh.js";
import { notAKey, tooLongForKey } from "../formats/other-file.js";
import { ownFromPkcs8, ownFromSpki } from "../formats/own-der.js";
import { decryptPkcs8, isPkcs8, PBES2, secondsOf } from "../formats/pbes2.js";
import { pemBlock } from "../formats/pem.js";
import { refuseLong } from "../formats/work.js";
import { KEY_LIMITS } from "../limits.js";
import { readGuarded } from "../secrets/private-file.js";
import { visible } from "../words.js";
import { type Asking, type OpenedKey, withRetries } from "./source.js";

export { KeyFileError };

const KEY_FORMS_HINT =
  "a key is PEM, OpenSSH, minisign, JWK, COSE_Key, or a raw public key; firmseal keygen and firmseal pubkey write key files";

const HSS = "-----BEGIN FIRMSEAL HSS KEY-----";

/** Opens the key in a file. "-" is stdin. Throws KeyFileError or Failure. */
export async function openKeyFile(path: string, ask: Asking): Promise<OpenedKey> {
  // a secret in place of a path must not appear in the message, and no file has this name
  if (/-----BEGIN |untrusted comment:|"kty"/.test(path))
    throw new KeyFileError(
      "--key: the key itself is on the command line, where every user of the machine can read it",
      "make a new key, and give the name of its file, or env:NAME",
      2,
    );
  if (path === "-") {
    const { buffer, byteOffset, length } = readAll(path, KEY_LIMITS.keyFile);
    return holdKey(Buffer.from(buffer, byteOffset, length), path, ask);
  }
  // a function of its own: as a value, tooLongForKey would load its module at each start
  const { bytes, guard } = readGuarded(path, KEY_LIMITS.keyFile, undefined, (file, size) => tooLongForKey(file, size));
  if (bytes.indexOf(HSS) === 0) {
    if (!ask.publicOnly) guard();
    return (await import("../hss/hss.js")).openHss(path, bytes.toString("latin1"), ask);
  }
  return { ...(await holdKey(bytes, path, ask, guard)), file: path };
}

/**
 * Reads the key in `bytes`, which are overwritten with zeros. `guard` throws if a private key must not be here; it is
 * called before a passphrase is requested. Throws KeyFileError.
 */
export async function holdKey(bytes: Buffer, name: string, ask: Asking, guard = () => {}): Promise<OpenedKey> {
  try {
    const key = await withRetries(ask, () =>
      readKey(bytes, name, () => {
        guard();
        return ask.secret(`Passphrase for ${visible(name)}: `);
      }),
    );
    if (!isPrivate(key)) return { name, public: key };
    try {
      guard();
    } catch (e) {
      wipePrivateKey(key);
      throw e;
    }
    return { name, public: publicOf(key), private: key, signer: signer(key), close: async () => wipePrivateKey(key) };
  } finally {
    bytes.fill(0);
  }
}

/**
 * Reads the only key in a file. `name` is used in messages; `passphrase` is called only if the PEM is encrypted. Throws
 * KeyFileError.
 */
export async function readKey(bytes: Uint8Array, name: string, passphrase: () => Promise<Uint8Array>): Promise<PublicKey | PrivateKey> {
  if (bytes.length === 0) throw new KeyFileError(`${name}: the file is empty`, KEY_FORMS_HINT, 2);
  // do not search an image that was named by mistake
  if (bytes.length > KEY_LIMITS.keyFile)
    throw notAKey(bytes, name, new KeyFileError(`${name}: too long for a key (${bytes.length} bytes)`, KEY_FORMS_HINT, 2));
  try {
    const key = await keyIn(bytes, name, passphrase);
    if (key) return key;
  } catch (e) {
    const fault = e instanceof KeyError ? new KeyFileError(`${name}: ${e.message}`, HINTS[e.code], 2) : e;
    // a passphrase is only asked for by what is a key
    throw fault instanceof KeyFileError && fault.exit === 2 ? notAKey(bytes, name, fault) : fault;
  }
  throw notAKey(bytes, name, new KeyFileError(`${name}: not a key in a supported format`, KEY_FORMS_HINT, 2));
}

/**
 * The only key in a file that is not too long for one. Returns undefined if it has no key. Throws KeyError and KeyFileError.
 */
export async function keyIn(
  bytes: Uint8Array,
  name: string,
  passphrase: () => Promise<Uint8Array>,
): Promise<PublicKey | PrivateKey | undefined> {
  // first, because it may begin with any byte; PEM, JWK and COSE_Key are never so short
  if (bytes.length <= SHORT && isRaw(bytes) && !isCut(bytes)) return fromRaw(bytes);
  // a view, because nobody would erase a copy
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "");
  if (/^(\xff\xfe|\xfe\xff)/.test(text))
    throw new KeyFileError(`${name}: text in UTF-16`, "save it as UTF-8, or without a byte-order mark", 2);
  if (text.includes("-----BEGIN ") || text.includes("-----END ")) return await readPem(text, name, passphrase);
  if (isMinisign(text)) return await readMinisign(text, name, passphrase);
  if (isSshLine(text)) return fromSshLine(text);
  // as long as text with a key can be, and no COSE_Key with a reasonable kid
  if (isRaw(bytes) && bytes.length > SHORT && !/^[\s!-~]*$/.test(text) && !text.includes('"kty"')) return fromRaw(bytes);
  if (/^\s*[{[]/.test(text)) {
    const jwk = parseJson(bytes, name);
    return await loading(() => fromJwk(jwk));
  }
  const decoded = fromBase64(text.trim());
  if (decoded) return fromMinisign(decoded) ?? (await readKey(decoded, name, never));
  const first = bytes[0] as number;
  if (first >= 0xa0 && first <= 0xb7) return await loading(() => fromCose(bytes));
  if (first >= 0x80 && first <= 0x97) throw new KeyError("several", "a COSE_KeySet, not a single key");
  if (singleTlv(bytes, SEQUENCE)) {
    throw new KeyFileError(
      `${name}: DER without PEM around it`,
      "convert it: openssl pkey -inform DER -in FILE -out FILE.pem (-pubin for a public key)",
      2,
    );
  }
  return undefined;
}

/** Longer raw public keys are considered only if the bytes are not text, because text with a key may be as long. */
const SHORT = 256;

/** Whether bytes have the length and the beginning of a raw public key. */
function isRaw(bytes: Uint8Array): boolean {
  const alg = keyAlgOfLength(bytes.length);
  return alg !== undefined && (CUSTODY[alg].begins ?? []).every((byte, i) => bytes[i] === byte);
}

/** Reads a key. If its algorithm must be loaded first, loads it and tries again. */
async function loading<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof NotLoaded)) throw e;
    for (const alg of keyAlgs) await loadAlg(alg);
    return read();
  }
}

/**
 * Whether 32 bytes are the beginning of something else: text, or the head of a COSE_Key (kty first) or of DER. One key
 * in 10^6 begins like these by chance, and must be given in another format.
 */
function isCut(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  return bytes.every((b) => b === 9 || b === 10 || b === 13 || (b >= 0x20 && b < 0x7f)) || /^(a[3-8]010[1257]|30..0201)/.test(head);
}

/** Decodes base64 or base64url of a COSE_Key or a minisign public key, in canonical form only. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = decodeBase64(text) ?? decodeBase64(text, "base64url");
  if (!bytes || bytes.length === 32) return undefined;
  const first = bytes[0] ?? 0;
  return (first >= 0xa1 && first <= 0xb7) || isMinisignPublic(bytes) ? bytes : undefined;
}

const never = () => Promise.reject(new Error("no COSE_Key has a passphrase"));

const HINTS: Record<KeyErrorCode, string> = {
  format: KEY_FORMS_HINT,
  length: KEY_FORMS_HINT,
  range: "the file is damaged or forged: use another key",
  point: "the file is damaged or forged: use another key",
  mismatch: "the file mixes two keys: export it again from its source",
  unsupported: UNSUPPORTED,
  several: "put each key into a file of its own",
  fault: "sign on another machine",
};

// also for a JWK Set in an array, which fromJwk refuses
function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new KeyFileError(`${name}: looks like a JWK but is not JSON`, "the file is cut short or damaged: export the key again", 2);
  }
}

async function readPem(text: string, name: string, passphrase: () => Promise<Uint8Array>): Promise<PublicKey | PrivateKey> {
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
    const own = type === "pkcs8" ? await ownFromPlain(der, name) : undefined;
    return own ?? fromKeyObject(loadKeyObject(der, type, () => damaged(name)));
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

const damaged = (name: string) => new KeyFileError(`${name}: the key in the PEM is damaged or of an unknown kind`, HINTS.unsupported, 2);

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
      return (await ownFromPlain(plain, name)) ?? fromKeyObject(loadKeyObject(plain, "pkcs8", fault));
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
    const curve = asymmetricKeyDetails?.namedCurve ?? "of explicit parameters";
    throw new KeyError("unsupported", `a key for ${kind === "ec" ? `the curve ${curve}` : kind?.toUpperCase()}, not for ${SIGNING_KEYS}`);
  }
  // OpenSSL does not check the public key in a file; fromJwk derives it from d and compares
  return fromJwk(key.export({ format: "jwk" }));
}
