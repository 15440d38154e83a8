// Reads Ed25519 keys of minisign: a comment line and a line of base64. Reads public keys, and secret keys in clear or
// encrypted with scrypt. Writes none, because minisign signs only with key files of its own. The manual of minisign
// describes the layout ("Key formats").

import { scrypt } from "node:crypto";
import { promisify } from "node:util";
import { fromMinisign, KeyError, type PrivateKey, type PublicKey, privateKey } from "@firmseal/signer";
import { KeyFileError, WrongPassphrase } from "../errors/key-file.js";
import { decodeBase64 } from "./base64.js";
import { refuseLong, secondsFor } from "./kdf-cost.js";
import { equalFields } from "./ssh-wire.js";

// "Ed" ‖ "Sc" or 0 ‖ "B2" ‖ salt (32) ‖ opslimit (8) ‖ memlimit (8) ‖ [ key number (8) ‖ seed (32) ‖ public key (32) ‖
// checksum (32) ]
const SECRET_LENGTH = 158;
const SALT_AT = 6;
const LIMITS_AT = 38;
const SEALED = 54;
const SEALED_LENGTH = 104;
/** The memory that minisign uses by default. A file must not exhaust a machine with less. */
const MAX_MEMORY = 2 ** 30;

const ENCRYPT_WITH_DEFAULTS = "encrypt it again with the default limits of the current minisign: minisign -C -s FILE";

const COMMENT_PREFIX = "untrusted comment:";

const scryptStream = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** Whether a text is, or begins like, a minisign file. */
export function isMinisign(text: string): boolean {
  return text.startsWith(COMMENT_PREFIX);
}

function damagedMinisign(): KeyError {
  return new KeyError("format", "the minisign key is cut short or damaged");
}

/** Reads the key in a minisign file. Throws KeyError, and KeyFileError for a wrong passphrase or excessive limits. */
export async function readMinisign(text: string, name: string, passphrase: () => Promise<Uint8Array>): Promise<PublicKey | PrivateKey> {
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  const [, base64 = "", ...rest] = lines;
  if (rest.some((line) => line.startsWith(COMMENT_PREFIX))) throw new KeyError("several", "more than one minisign key");
  if (rest.some((line) => line.startsWith("trusted comment:"))) throw new KeyError("format", "a minisign signature, not a key");
  if (rest.length > 0) throw new KeyError("format", "text after the minisign key");
  const bytes = decodeBase64(base64.trim());
  if (!bytes) throw damagedMinisign();
  try {
    return fromMinisign(bytes) ?? (await readSecret(bytes, name, passphrase));
  } finally {
    bytes.fill(0);
  }
}

function algorithmTag(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at, at + 2);
}

async function readSecret(bytes: Buffer, name: string, passphrase: () => Promise<Uint8Array>): Promise<PrivateKey> {
  if (bytes.length !== SECRET_LENGTH || algorithmTag(bytes, 0) !== "Ed" || algorithmTag(bytes, 4) !== "B2") throw damagedMinisign();
  const kdf = algorithmTag(bytes, 2);
  const sealed = bytes.subarray(SEALED);
  if (kdf === "\0\0") return await secretKey(sealed, "none");
  if (kdf !== "Sc") throw new KeyFileError(`${name}: unsupported encryption`, "make a key for signing: firmseal keygen --out KEY.pem", 2);
  const { N, r, p } = scryptParameters(bytes.readBigUInt64LE(LIMITS_AT), bytes.readBigUInt64LE(LIMITS_AT + 8));
  const memory = 128 * N * r;
  if (memory > MAX_MEMORY)
    throw new KeyFileError(`${name}: its encryption needs more than ${MAX_MEMORY / 2 ** 20} MiB of memory`, ENCRYPT_WITH_DEFAULTS, 2);
  // the default limits of minisign fill the memory once, which takes 5 seconds here; we cannot speed this up
  if (p > 1) refuseLong(name, secondsFor("scrypt", N * r * p), ENCRYPT_WITH_DEFAULTS);
  // with overcommitted memory, the kernel would end this program or another
  if (process.availableMemory() < memory) throw tooLittleMemory(name, memory);
  const secret = await passphrase();
  const plain = Buffer.alloc(SEALED_LENGTH);
  let stream: Buffer | undefined;
  try {
    stream = await scryptStream(secret, bytes.subarray(SALT_AT, LIMITS_AT), SEALED_LENGTH, {
      N,
      r,
      p,
      maxmem: memory + 128 * r * (p + 2) + 2 ** 20,
    });
    for (let i = 0; i < SEALED_LENGTH; i++) plain[i] = (sealed[i] as number) ^ (stream[i] as number);
    return await secretKey(plain, "encrypted");
  } catch (e) {
    if (e instanceof WrongChecksum) throw new WrongPassphrase(name);
    throw e instanceof KeyError ? e : tooLittleMemory(name, memory);
  } finally {
    secret.fill(0);
    plain.fill(0);
    stream?.fill(0);
  }
}

function tooLittleMemory(name: string, memory: number): KeyFileError {
  return new KeyFileError(
    `${name}: its encryption needs ${Math.ceil(memory / 2 ** 20)} MiB of memory, which is not available`,
    "convert it on a machine with more memory: firmseal convert FILE --format pkcs8 --out KEY.pem",
    3,
  );
}

class WrongChecksum extends Error {}

async function secretKey(plain: Buffer, how: "none" | "encrypted"): Promise<PrivateKey> {
  const { blake2b } = await import("@noble/hashes/blake2.js");
  const [seed, pub, checksum] = [plain.subarray(8, 40), plain.subarray(40, 72), plain.subarray(72)];
  const right = equalFields(blake2b.create({ dkLen: 32 }).update(Buffer.from("Ed")).update(plain.subarray(0, 72)).digest(), checksum);
  if (how === "encrypted" && !right) throw new WrongChecksum();
  // minisign -W leaves the checksum empty; other programs set it
  if (!right && checksum.some((byte) => byte !== 0)) throw damagedMinisign();
  const key = privateKey("ed25519", seed);
  if (!equalFields(key.key, pub)) throw new KeyError("mismatch", "the public key in the file does not match its private key");
  return key;
}

/**
 * The scrypt parameters N, r and p for these limits, as libsodium chooses them (crypto_pwhash_scryptsalsa208sha256).
 */
function scryptParameters(opslimit: bigint, memlimit: bigint): { N: number; r: number; p: number } {
  const r = 8;
  const ops = Math.max(Number(opslimit), 32768);
  const mem = Number(memlimit);
  const cpuBound = ops < mem / 32;
  const most = cpuBound ? ops / (r * 4) : mem / (r * 128);
  let log = 1;
  while (log < 63 && 2 ** log <= Math.floor(Math.floor(most) / 2)) log++;
  const N = 2 ** log;
  const p = cpuBound ? 1 : Math.max(1, Math.floor(Math.min(ops / 4 / N, 0x3fffffff) / r));
  return { N, r, p };
}
