// Key files: PEM with PKCS#8 (plain or encrypted), SPKI or SEC1; OpenSSH; minisign; JWK; COSE_Key, also in base64; raw
// public keys; HSS/LMS through hss.ts. One key per file.

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
  type KeyFault,
  keyAlgOfLength,
  keyAlgs,
  loadAlg,
  NotLoaded,
  type PrivateKey,
  type PublicKey,
  publicOf,
  signer,
  wipePrivateKey,
} from "@firmseal/signer";
import { CUSTODY, UNSUPPORTED } from "../algorithms.js";
import { KeyFileError } from "../errors/key-file.js";
import { readAll, STDIO } from "../files/read.js";
import { decodeBase64 } from "../formats/base64.js";
import { SEQUENCE, singleTlv } from "../formats/der/strict.js";
import { isMinisign, readMinisign } from "../formats/minisign.js";
import { notAKey, tooLongForKey } from "../formats/other-file.js";
import { readPem } from "../formats/pem-key.js";
import { KEY_LIMITS } from "../limits.js";
import { readGuarded } from "../secrets/private-file.js";
import { type Asking, type OpenedKey, withRetries } from "../source.js";
import { byteWords, visible } from "../words.js";

export { KeyFileError };

const KEY_FORMS_HINT =
  "a key is PEM, OpenSSH, minisign, JWK, COSE_Key, or a raw public key; firmseal keygen and firmseal pubkey write key files";

const HSS = "-----BEGIN FIRMSEAL HSS KEY-----";

/** Opens the key in a file. "-" is stdin. Throws KeyFileError or Failure. */
export async function openKeyFile(path: string, ask: Asking): Promise<OpenedKey> {
  // a secret in place of a path must not appear in the message, and no file has this name
  if (/-----BEGIN |untrusted comment:|"kty"/.test(path))
    throw new KeyFileError(
      "`key`: the key itself is on the command line, where every user of the machine can read it",
      "make a new key, and give the name of its file, or env:NAME",
      2,
    );
  if (path === STDIO) {
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
    return { name, public: publicOf(key), private: key, signer: signer(key), [Symbol.asyncDispose]: async () => wipePrivateKey(key) };
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
    throw notAKey(bytes, name, new KeyFileError(`${name}: too long for a key (${byteWords(bytes.length)})`, KEY_FORMS_HINT, 2));
  try {
    const key = await keyIn(bytes, name, passphrase);
    if (key) return key;
  } catch (e) {
    const fault = e instanceof KeyError ? new KeyFileError(`${name}: ${e.message}`, HINTS[e.fault], 2) : e;
    // a passphrase is only asked for by what is a key
    throw fault instanceof KeyFileError && fault.exit === 2 ? notAKey(bytes, name, fault) : fault;
  }
  throw notAKey(bytes, name, new KeyFileError(`${name}: not a key in a supported format`, KEY_FORMS_HINT, 2));
}

/**
 * The only key in a file that is not too long for one. Returns undefined if it has no key. Throws KeyError and
 * KeyFileError.
 */
export async function keyIn(
  bytes: Uint8Array,
  name: string,
  passphrase: () => Promise<Uint8Array>,
): Promise<PublicKey | PrivateKey | undefined> {
  // first, because it may begin with any byte; PEM, JWK and COSE_Key are never so short
  if (bytes.length <= SHORT && isRaw(bytes) && !isCut(bytes)) return fromRaw(bytes);
  // a view, because nobody would erase a copy
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Binary formats first: they hold the secret as it is, and a string with it could not be erased.
  const first = view[0] as number;
  if (first >= 0x80 && first <= 0xb7 && !view.includes("-----BEGIN ")) {
    if (isRaw(view) && view.length > SHORT) return fromRaw(view);
    if (first >= 0xa0) return await loading(() => fromCose(view));
    if (first <= 0x97) throw new KeyError("several", "a COSE_KeySet, not a single key");
  }
  if (singleTlv(view, SEQUENCE)) {
    throw new KeyFileError(
      `${name}: DER without PEM around it`,
      "convert it: openssl pkey -inform DER -in FILE -out FILE.pem (-pubin for a public key)",
      2,
    );
  }
  const text = view.toString("latin1").replace(/^\xef\xbb\xbf/, "");
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
  return decoded && (fromMinisign(decoded) ?? (await readKey(decoded, name, never)));
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

const HINTS: Record<KeyFault, string> = {
  format: KEY_FORMS_HINT,
  length: KEY_FORMS_HINT,
  range: "the file is damaged or forged: use another key",
  point: "the file is damaged or forged: use another key",
  mismatch: "the file mixes two keys: export it again from its source",
  unsupported: UNSUPPORTED,
  several: "put each key into a file of its own",
  signature: "sign on another machine",
};

// also for a JWK Set in an array, which fromJwk refuses
function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new KeyFileError(`${name}: looks like a JWK but is not JSON`, "the file is cut short or damaged: export the key again", 2);
  }
}
