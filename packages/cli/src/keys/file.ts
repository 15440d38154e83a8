// Key files: PEM with PKCS#8 (plain or encrypted), SPKI or SEC1; JWK; COSE_Key; raw public keys; HSS/LMS by way of hss.ts. One key a file.

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { closeSync, fstatSync } from "node:fs";
import {
  fromCose,
  fromJwk,
  fromRaw,
  hssFromSpki,
  isPrivate,
  KeyError,
  type KeyErrorCode,
  keyAlgs,
  loadAlg,
  NotLoaded,
  type PrivateKey,
  type PublicKey,
  publicKey,
  publicOf,
  signer,
} from "@firmseal/signer";
import { openRegular, readAll } from "../io.js";
import { visible, warn } from "../ui.js";
import { KeyFileError } from "./error.js";
import type { Asking, HeldKey } from "./kind.js";
import { mlDsaFromPkcs8, mlDsaFromSpki } from "./mldsa-der.js";
import { isOneSequence, pemBlock } from "./pem.js";

export { KeyFileError };

/** Above this no file is a key; an image that was handed in by mistake is not searched for one. */
const LONGEST = 64 * 1024;

const FORMS = "a key is PEM, JWK, COSE_Key, or a raw public key; `firmseal keygen` makes one";

/** The key in a file; "-" is stdin. */
export async function open(path: string, ask: Asking): Promise<HeldKey> {
  const bytes = readAll(path, LONGEST);
  const text = Buffer.from(bytes).toString("latin1");
  if (text.startsWith("-----BEGIN FIRMSEAL HSS KEY-----")) return (await import("./hss.js")).openHss(path, text, ask);
  const key = await readKey(bytes, path, () => ask.secret(`Passphrase for ${visible(path)}: `));
  const own = path === "-" ? {} : { file: path };
  if (!isPrivate(key)) return { name: path, public: key, ...own };
  if (path !== "-") {
    const { fd } = openRegular(path);
    if (looseMode(fstatSync(fd))) warn(`${visible(path)} can be read by others; chmod 600 it`);
    closeSync(fd);
  }
  return { name: path, public: publicOf(key), private: key, signer: signer(key), ...own };
}

/**
 * Reads the one key of a file. `name` is how messages call the file; `passphrase` is asked for only if the PEM is encrypted.
 * Throws KeyFileError.
 */
export async function readKey(bytes: Uint8Array, name: string, passphrase: () => Promise<Uint8Array>): Promise<PublicKey | PrivateKey> {
  if (bytes.length === 0) throw new KeyFileError(`${name}: the file is empty`, FORMS, 2);
  if (bytes.length > LONGEST) throw new KeyFileError(`${name}: too long for a key (${bytes.length} bytes)`, FORMS, 2);
  try {
    // first, for it may begin with any byte; no PEM, JWK or COSE_Key is so short
    if (bytes.length === 32 || (bytes.length === 65 && bytes[0] === 4)) return fromRaw(bytes);
    // the number of levels, 1 to 8 in four bytes
    if ((bytes.length === 60 || bytes.length === 52) && bytes[0] === 0 && bytes[1] === 0) return fromRaw(bytes);
    const text = Buffer.from(bytes).toString("latin1");
    if (text.includes("-----BEGIN ") || text.includes("-----END ")) return await readPem(text, name, passphrase);
    // as long as text with a key can be, and no COSE_Key of a sensible kid
    if (MLDSA_RAW.includes(bytes.length) && !/^[\s!-~]*$/.test(text) && !text.includes('"kty"')) return fromRaw(bytes);
    if (/^(\xef\xbb\xbf)?\s*[{[]/.test(text)) {
      const jwk = parseJson(bytes, name);
      return await loading(() => fromJwk(jwk));
    }
    const first = bytes[0] as number;
    if (first >= 0xa0 && first <= 0xb7) return await loading(() => fromCose(bytes));
    if (first >= 0x80 && first <= 0x97) throw new KeyError("several", "a COSE_KeySet, not a single key");
    if (isOneSequence(bytes)) {
      throw new KeyFileError(
        `${name}: DER without PEM around it`,
        "convert it: openssl pkey -inform DER -in FILE -out FILE.pem (-pubin for a public key)",
        2,
      );
    }
  } catch (e) {
    if (e instanceof KeyError) throw new KeyFileError(`${name}: ${e.message}`, HINTS[e.code], 2);
    throw e;
  }
  throw new KeyFileError(`${name}: not a key in a form that is read here`, FORMS, 2);
}

/** Bytes of raw public keys of ML-DSA (FIPS 204 table 2). */
const MLDSA_RAW = [1312, 1952, 2592];

/** Reads a key, and again with what its algorithm needs where that had to be fetched. */
async function loading<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof NotLoaded)) throw e;
    for (const alg of keyAlgs) await loadAlg(alg);
    return read();
  }
}

/** Whether others than the owner may read or change a file: to be warned of when a private key is in it. */
export function looseMode(stat: { mode: number }): boolean {
  // Windows has no such bits, and Node reports them all as set
  return process.platform !== "win32" && (stat.mode & 0o077) !== 0;
}

const HINTS: Record<KeyErrorCode, string> = {
  format: FORMS,
  length: FORMS,
  range: "the file is damaged or made up: use another key",
  point: "the file is damaged or made up: use another key",
  mismatch: "the file was put together from two keys: export it again from where it was made",
  unsupported: "keys for signing are Ed25519, P-256 or ML-DSA; `firmseal keygen` makes one",
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
    const hss = hssFromSpki(der);
    if (hss) return publicKey("hsslms", hss);
    return mlDsaFromSpki(der) ?? fromKeyObject(load(name, () => createPublicKey({ key: der, format: "der", type: "spki" })));
  }
  try {
    if (label === "ENCRYPTED PRIVATE KEY") return await decrypt(der, await passphrase(), name);
    const two = label === "PRIVATE KEY" ? (ed25519WithPublic(der) ?? (await mlDsaFromPkcs8(der, name))) : undefined;
    if (two) return two;
    const type = label === "PRIVATE KEY" ? "pkcs8" : "sec1";
    return fromKeyObject(load(name, () => createPrivateKey({ key: der, format: "der", type })));
  } finally {
    der.fill(0);
  }
}

function load(name: string, f: () => KeyObject): KeyObject {
  try {
    return f();
  } catch {
    throw new KeyFileError(`${name}: the key in the PEM is damaged or of an unknown kind`, HINTS.unsupported, 2);
  }
}

// PBES2 (RFC 8018 appendix A.4), the one scheme that is in use
const PBES2 = Buffer.from("06092a864886f70d01050d", "hex");

async function decrypt(der: Buffer, passphrase: Uint8Array, name: string): Promise<PublicKey | PrivateKey> {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: der, format: "der", type: "pkcs8", passphrase: Buffer.from(passphrase) });
  } catch (e) {
    const code = String((e as NodeJS.ErrnoException).code);
    const unknown = code === "ERR_OSSL_UNSUPPORTED" ? await decryptMlDsa(der, passphrase, name) : undefined;
    if (unknown) return unknown;
    if (!der.includes(PBES2) || /^ERR_OSSL_EVP_(MEMORY_LIMIT|ILLEGAL|UNSUPPORTED)/.test(code)) {
      throw new KeyFileError(
        `${name}: encrypted in a way that cannot be read here`,
        "encrypt it anew: openssl pkcs8 -topk8 -scrypt -in FILE -out FILE.pem",
        2,
      );
    }
    // One wrong passphrase in 256 passes the padding and fails in what it yields; it must not be told apart.
    throw new KeyFileError(`${name}: wrong passphrase`, "try again; if it is surely right, the file is damaged", 3);
  }
  // a Node whose OpenSSL has ML-DSA
  if (key.asymmetricKeyType?.startsWith("ml-dsa")) {
    const known = await mlDsaFromPkcs8(key.export({ format: "der", type: "pkcs8" }), name);
    if (known) return known;
  }
  return fromKeyObject(key);
}

/** OpenSSL has decrypted the file, and does not know the key in it: in Node 20 it may be one of ML-DSA. */
async function decryptMlDsa(der: Buffer, passphrase: Uint8Array, name: string): Promise<PrivateKey | undefined> {
  const { decryptPkcs8 } = await import("./pbes2.js");
  const plain = await decryptPkcs8(der, passphrase);
  try {
    return plain && (await mlDsaFromPkcs8(plain, name));
  } finally {
    plain?.fill(0);
  }
}

// PKCS#8 version 2 (RFC 8410 §7) with the public key behind the private one, which the OpenSSL in Node cannot read and Rust tools write.
const V2_HEAD = Buffer.from("3051020101300506032b657004220420", "hex");
const V2_MID = Buffer.from("812100", "hex");

function ed25519WithPublic(der: Buffer): PublicKey | PrivateKey | undefined {
  const seed = V2_HEAD.length;
  const pub = seed + 32 + V2_MID.length;
  if (der.length !== pub + 32 || !der.subarray(0, seed).equals(V2_HEAD) || !der.subarray(seed + 32, pub).equals(V2_MID)) return undefined;
  const b64 = (from: number) => der.subarray(from, from + 32).toString("base64url");
  return fromJwk({ kty: "OKP", crv: "Ed25519", x: b64(pub), d: b64(seed) });
}

function fromKeyObject(key: KeyObject): PublicKey | PrivateKey {
  const kind = key.asymmetricKeyType;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (kind !== "ed25519" && !(kind === "ec" && curve === "prime256v1")) {
    throw new KeyError(
      "unsupported",
      `a key for ${kind === "ec" ? `the curve ${curve ?? "of explicit parameters"}` : kind?.toUpperCase()}, not for Ed25519, P-256 or ML-DSA`,
    );
  }
  // OpenSSL takes the public key of a file as it stands; fromJwk derives it from d and compares
  return fromJwk(key.export({ format: "jwk" }));
}
