// The file of an HSS/LMS key: text similar to PEM, with the public part in clear and SEED encrypted with a passphrase.
// docs/guides/keys/hss.md describes the format. The state is in separate files (state.ts), because it changes with
// every signature while this file never changes.

import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { formatHss, type HssParams, KeyError, type PublicKey, parseHss, publicKey, secretCopy } from "@firmseal/signer";
import { KeyFileError, WrongPassphrase } from "../errors/key-file.js";
import { decodeBase64 } from "../formats/base64.js";

const LABEL = "FIRMSEAL HSS KEY";
const ARMOR_BEGIN = `-----BEGIN ${LABEL}-----`;
const ARMOR_END = `-----END ${LABEL}-----`;

// scrypt uses 128 · N · r bytes, 64 MiB. The parameters are fixed, so that no file can ask for more
const LOG_N = 16;
const SCRYPT_COST = { N: 2 ** LOG_N, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };
const TAG_LENGTH = 16;

const scryptSeedKey = promisify<Uint8Array, Uint8Array, number, typeof SCRYPT_COST, Buffer>(scrypt);

/** A parsed key file. SEED is still encrypted. */
export interface HssFile {
  readonly params: HssParams;
  readonly public: PublicKey;
  readonly encrypted: boolean;
  /** The header up to and including the empty line, which the encryption authenticates along with SEED. */
  readonly head: string;
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly content: Buffer;
}

function headOf(params: HssParams, key: Uint8Array, cipher: string): string {
  return `${ARMOR_BEGIN}\nVersion: 1\nParameters: ${formatHss(params)}\nPublic-Key: ${Buffer.from(key).toString("hex")}\nCipher: ${cipher}\n\n`;
}

function cipherText(salt: Buffer, nonce: Buffer): string {
  return `scrypt ${LOG_N} ${SCRYPT_COST.r} ${SCRYPT_COST.p} ${salt.toString("hex")} aes-256-gcm ${nonce.toString("hex")}`;
}

// not for secrecy, which an unencrypted file lacks: a damaged SEED is detected before it costs a leaf
function checkOf(head: string, seed: Uint8Array): Buffer {
  return createHash("sha256").update(head).update(seed).digest().subarray(0, TAG_LENGTH);
}

/** Encodes a key file. It is not encrypted if `passphrase` is undefined. */
export async function writeHssFile(
  params: HssParams,
  key: Uint8Array,
  seed: Uint8Array,
  passphrase: Uint8Array | undefined,
): Promise<string> {
  let head: string;
  let content: Buffer;
  if (passphrase === undefined) {
    head = headOf(params, key, "none");
    content = Buffer.concat([seed, checkOf(head, seed)]);
  } else {
    const [salt, nonce] = [randomBytes(16), randomBytes(12)];
    head = headOf(params, key, cipherText(salt, nonce));
    const wrapping = await scryptSeedKey(passphrase, salt, 32, SCRYPT_COST);
    const cipher = createCipheriv("aes-256-gcm", wrapping, nonce).setAAD(Buffer.from(head));
    content = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
    wrapping.fill(0);
  }
  const text = `${head}${content.toString("base64")}\n${ARMOR_END}\n`;
  content.fill(0);
  return text;
}

const DAMAGED_HINT = "the file is cut short or damaged: restore it from a backup, but not the state files of that time";

const ARMOR = new RegExp(
  `^(${ARMOR_BEGIN}\nVersion: 1\nParameters: (n(?:24|32):[0-9/,]{3,40})\nPublic-Key: ((?:[0-9a-f]{2}){52,60})\n` +
    `Cipher: (?:none|scrypt ${LOG_N} ${SCRYPT_COST.r} ${SCRYPT_COST.p} ([0-9a-f]{32}) aes-256-gcm ([0-9a-f]{24}))\n\n)([A-Za-z0-9+/=]{4,80})\n${ARMOR_END}\n$`,
);

/**
 * Reads a key file of HSS/LMS, but not its secret.
 *
 * @param text - The content of the file.
 * @param name - Its name, for messages.
 * @returns What the file says.
 * @throws KeyFileError (exit 2) if it is incomplete or of another version.
 */
export function readHssFile(text: string, name: string): HssFile {
  // editors and git on Windows end lines with CR LF
  const found = ARMOR.exec(text.replaceAll("\r\n", "\n"));
  if (!text.startsWith("-----BEGIN FIRMSEAL HSS"))
    throw new KeyFileError(`${name}: not an HSS/LMS private key`, "give the file that firmseal keygen --alg hsslms wrote", 2);
  if (!found) throw new KeyFileError(`${name}: a damaged HSS/LMS key, or one of a later version`, DAMAGED_HINT, 2);
  const [, head = "", parameters = "", hex = "", salt = "", nonce = "", base64 = ""] = found;
  const { params, key } = parseParameters(parameters, Buffer.from(hex, "hex"), name);
  const content = decodeBase64(base64);
  // values derived from the parameters are also in the public key (RFC 8554 §6.1)
  const types = Buffer.from(key.key).readUInt32BE(4) - (params.n === 32 ? 4 : 9);
  if (
    key.key[3] !== params.levels.length ||
    key.key.length !== 28 + params.n ||
    types * 5 !== params.levels[0]?.height ||
    content?.length !== params.n + TAG_LENGTH
  )
    throw new KeyFileError(`${name}: the parts of the HSS/LMS key do not match`, DAMAGED_HINT, 2);
  return {
    params,
    public: key,
    encrypted: salt !== "",
    head,
    salt: Buffer.from(salt, "hex"),
    nonce: Buffer.from(nonce, "hex"),
    content,
  };
}

function parseParameters(parameters: string, key: Uint8Array, name: string): { params: HssParams; key: PublicKey } {
  try {
    return { params: parseHss(parameters), key: publicKey("hsslms", key) };
  } catch (e) {
    if (e instanceof KeyError) throw new KeyFileError(`${name}: a damaged HSS/LMS key: ${e.message}`, DAMAGED_HINT, 2);
    throw e;
  }
}

/** Decrypts SEED, n bytes. Throws KeyFileError for a wrong passphrase (exit 3) or a damaged file. */
export async function unlockHss(file: HssFile, name: string, passphrase: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const { n } = file.params;
  const [body, tag] = [file.content.subarray(0, n), file.content.subarray(n)];
  if (!file.encrypted) {
    if (!checkOf(file.head, body).equals(tag)) throw new KeyFileError(`${name}: the HSS/LMS key is damaged`, DAMAGED_HINT, 2);
    return secretCopy(body);
  }
  const secret = await passphrase();
  const wrapping = await scryptSeedKey(secret, file.salt, 32, SCRYPT_COST).finally(() => secret.fill(0));
  const decipher = createDecipheriv("aes-256-gcm", wrapping, file.nonce, { authTagLength: TAG_LENGTH }).setAAD(Buffer.from(file.head));
  decipher.setAuthTag(tag);
  const seed = decipher.update(body);
  try {
    decipher.final();
    return secretCopy(seed);
  } catch {
    throw new WrongPassphrase(name);
  } finally {
    wrapping.fill(0);
    seed.fill(0);
  }
}
