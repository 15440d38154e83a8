// OpenSSH keys: private keys in the format openssh-key-v1 (PROTOCOL.key of OpenSSH), in clear or encrypted with
// bcrypt_pbkdf, and public keys in one line (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4). One key per file; certificates
// and security keys are refused.

import { createCipheriv, createDecipheriv, randomBytes, randomInt } from "node:crypto";
import {
  fromSsh,
  type KeyAlg,
  KeyError,
  keyAlgs,
  type PrivateKey,
  type PublicKey,
  privateKey,
  secretBytes,
  secretLength,
  sshAlg,
  sshType,
} from "@firmseal/signer";
import { KeyFileError, WrongPassphrase } from "../errors/key-file.js";
import { joinSecret } from "../secrets/join-secret.js";
import { byteWords, grouped } from "../words.js";
import { refuseLong, secondsFor } from "./kdf-cost.js";
import { pem } from "./pem.js";
import { equalFields, WireReader, wire, wireNumber } from "./ssh-wire.js";

const AUTH_MAGIC = Buffer.from("openssh-key-v1\0", "latin1");
/** Default bcrypt_pbkdf rounds of ssh-keygen: about half a second in JavaScript. */
const ROUNDS = 24;
const SALT_LENGTH = 16;

/** Ciphers by their names in the file: the name in Node, and the bytes of key, IV and padding block. */
const OPENSSH_CIPHERS: { readonly [name: string]: readonly [string, number, number, number] } = {
  none: ["", 0, 0, 8],
  "aes128-ctr": ["aes-128-ctr", 16, 16, 16],
  "aes192-ctr": ["aes-192-ctr", 24, 16, 16],
  "aes256-ctr": ["aes-256-ctr", 32, 16, 16],
  "aes128-cbc": ["aes-128-cbc", 16, 16, 16],
  "aes192-cbc": ["aes-192-cbc", 24, 16, 16],
  "aes256-cbc": ["aes-256-cbc", 32, 16, 16],
};

interface KeyType {
  readonly alg: KeyAlg;
  /** The type name in the file. */
  readonly name: string;
  /** Encodes the part between the type name and the private part. Public keys have the same after the type name. */
  writePublic(key: PublicKey): Buffer;
  readPublic(from: WireReader): Uint8Array;
  writePrivate(key: PrivateKey): Buffer;
  /** Reads the bytes of the secret. */
  readPrivate(from: WireReader, pub: Uint8Array): Uint8Array;
}

/** Ed25519: the public key is stored raw, and follows the private key in its field (RFC 8709 §4). */
function ofString(alg: KeyAlg, name: string, length: number): KeyType {
  return {
    alg,
    name,
    writePublic: (key) => wire(key.key),
    readPublic: (from) => from.string(),
    writePrivate(key) {
      const both = Buffer.concat([key.secret, key.key]);
      const field = wire(both);
      both.fill(0);
      return field;
    },
    readPrivate(from, pub) {
      const both = from.string();
      if (both.length !== 2 * length)
        throw new KeyError("length", `the private key in the file has ${byteWords(both.length)}, not ${grouped(2 * length)}`);
      // the field repeats the public key: signing with a foreign public key would reveal the seed (RUSTSEC-2022-0093)
      if (!equalFields(both.subarray(length), pub)) throw mixed();
      return both.subarray(0, length);
    },
  };
}

/** ECDSA: the curve name, the point, and the scalar as an integer (RFC 5656 §3.1). */
function ofCurve(alg: KeyAlg, name: string, curve: string, length: number): KeyType {
  return {
    alg,
    name,
    writePublic: (key) => Buffer.concat([wire(curve), wire(key.key)]),
    readPublic(from) {
      if (from.string().toString("latin1") !== curve) throw new KeyError("format", "the curve of the key does not match its type");
      return from.string();
    },
    writePrivate: (key) => wireNumber(key.secret),
    readPrivate: (from) => from.number(length),
  };
}

const TYPES: readonly KeyType[] = keyAlgs.flatMap((alg) => {
  const openssh = sshType(alg);
  const length = secretLength(alg);
  if (!openssh || length === undefined) return [];
  return openssh.curve === undefined ? ofString(alg, openssh.type, length) : ofCurve(alg, openssh.type, openssh.curve, length);
});

function mixed(): KeyError {
  return new KeyError("mismatch", "the public key in the file does not match its private key");
}

function typeOf(alg: KeyAlg): KeyType {
  const type = TYPES.find((t) => t.alg === alg);
  if (!type) throw new KeyFileError(`OpenSSH has no format for ${alg} keys`, "choose another `format`", 2);
  return type;
}

/**
 * The public key in one line, with a newline and without a comment. Throws KeyFileError if OpenSSH does not support the
 * key.
 */
export function openSshPublic(key: PublicKey): string {
  const type = typeOf(key.alg);
  return `${type.name} ${publicBlob(type, key).toString("base64")}\n`;
}

function publicBlob(type: KeyType, key: PublicKey): Buffer {
  return Buffer.concat([wire(type.name), type.writePublic(key)]);
}

function damagedOpenSsh(): KeyError {
  return new KeyError("format", "the content of the OpenSSH key is cut short or damaged");
}

/**
 * Reads the content of an OPENSSH PRIVATE KEY block. Calls `passphrase` only if it is encrypted. Throws KeyError, and
 * KeyFileError for a wrong passphrase or an unsupported cipher.
 */
export async function readOpenSshPrivate(content: Buffer, name: string, passphrase: () => Promise<Uint8Array>): Promise<PrivateKey> {
  if (!content.subarray(0, AUTH_MAGIC.length).equals(AUTH_MAGIC)) throw damagedOpenSsh();
  const from = new WireReader(content.subarray(AUTH_MAGIC.length), damagedOpenSsh);
  const cipherName = from.string().toString("latin1");
  const kdf = from.string().toString("latin1");
  const options = from.string();
  if (from.uint32() !== 1) throw new KeyError("several", "more than one OpenSSH key");
  const outer = fromSsh(from.string());
  const sealed = from.string();
  const cipher = Object.hasOwn(OPENSSH_CIPHERS, cipherName) ? OPENSSH_CIPHERS[cipherName] : undefined;
  if (!cipher || (kdf !== "bcrypt" && kdf !== "none"))
    throw new KeyFileError(`${name}: unsupported encryption`, "encrypt it again, in place: ssh-keygen -p -Z aes256-ctr -f FILE", 2);
  from.end();
  const encrypted = cipherName !== "none";
  const block = cipher[3];
  if (encrypted !== (kdf === "bcrypt") || sealed.length === 0 || sealed.length % block !== 0) throw damagedOpenSsh();
  const plain = encrypted ? await unseal(sealed, cipher, options, name, passphrase) : Buffer.from(sealed);
  try {
    return inner(plain, outer, block);
  } finally {
    plain.fill(0);
  }
}

async function unseal(
  sealed: Buffer,
  [cipher, keyLength, ivLength]: (typeof OPENSSH_CIPHERS)[string],
  options: Buffer,
  name: string,
  passphrase: () => Promise<Uint8Array>,
): Promise<Buffer> {
  const from = new WireReader(options, damagedOpenSsh);
  const salt = from.string();
  const rounds = from.uint32();
  from.end();
  if (salt.length === 0 || rounds === 0) throw damagedOpenSsh();
  refuseLong(name, secondsFor("bcrypt", rounds), `encrypt it again, in place: ssh-keygen -p -a ${ROUNDS} -f FILE`);
  const secret = await passphrase();
  const key = await bcryptPbkdf(secret, salt, keyLength + ivLength, rounds);
  try {
    const decipher = createDecipheriv(cipher, key.subarray(0, keyLength), key.subarray(keyLength)).setAutoPadding(false);
    const plain = joinSecret([decipher.update(sealed), decipher.final()]);
    // two equal random numbers; a wrong passphrase yields different ones
    if (plain.readUInt32BE(0) === plain.readUInt32BE(4)) return plain;
    plain.fill(0);
    throw new WrongPassphrase(name);
  } finally {
    key.fill(0);
    secret.fill(0);
  }
}

function inner(plain: Buffer, outer: PublicKey, block: number): PrivateKey {
  const from = new WireReader(plain, damagedOpenSsh);
  const [one, other] = [from.uint32(), from.uint32()];
  if (one !== other) throw damagedOpenSsh();
  const type = typeOf(sshAlg(from.string().toString("latin1")));
  const pub = type.readPublic(from);
  if (type.alg !== outer.alg || !equalFields(pub, outer.key)) throw mixed();
  const secret = type.readPrivate(from, pub);
  const key = privateKey(type.alg, secret);
  secret.fill(0);
  if (!equalFields(key.key, pub)) throw mixed();
  // the comment, then padding 1, 2, 3 … to the end of the block
  from.string();
  const padding = from.rest();
  if (padding.length >= block || padding.some((byte, i) => byte !== i + 1)) throw damagedOpenSsh();
  return key;
}

interface Bcrypt {
  pbkdf(
    pass: Uint8Array,
    passLength: number,
    salt: Uint8Array,
    saltLength: number,
    key: Uint8Array,
    keyLength: number,
    rounds: number,
  ): number;
}

async function bcryptPbkdf(passphrase: Uint8Array, salt: Uint8Array, length: number, rounds: number): Promise<Buffer> {
  // @ts-expect-error the package has no types
  const { default: bcrypt } = (await import("bcrypt-pbkdf")) as { default: Bcrypt };
  const out = Buffer.from(secretBytes(length).buffer);
  if (bcrypt.pbkdf(passphrase, passphrase.length, salt, salt.length, out, length, rounds) !== 0) throw damagedOpenSsh();
  return out;
}

/**
 * Encodes a private key as `ssh-keygen` does, without a comment: encrypted with aes256-ctr and bcrypt_pbkdf, or in
 * clear without a passphrase. Fewer rounds are for tests. Throws KeyFileError if OpenSSH does not support the key.
 */
export async function openSshPrivate(key: PrivateKey, passphrase?: Uint8Array, rounds = ROUNDS): Promise<string> {
  const type = typeOf(key.alg);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(randomInt(2 ** 32));
  const cipherName = passphrase ? "aes256-ctr" : "none";
  const [cipher, keyLength, ivLength, block] = OPENSSH_CIPHERS[cipherName] as (typeof OPENSSH_CIPHERS)[string];
  const body = joinSecret([check, check, wire(type.name), type.writePublic(key), type.writePrivate(key), wire("")]);
  const padding = Buffer.from(Array.from({ length: -body.length & (block - 1) }, (_, i) => i + 1));
  const plain = joinSecret([body, padding]);
  const salt = randomBytes(SALT_LENGTH);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(rounds);
  const wrapping = passphrase ? await bcryptPbkdf(passphrase, salt, keyLength + ivLength, rounds) : undefined;
  try {
    const sealed = wrapping
      ? createCipheriv(cipher, wrapping.subarray(0, keyLength), wrapping.subarray(keyLength)).update(plain)
      : Buffer.from(plain);
    const content = Buffer.concat([
      AUTH_MAGIC,
      wire(cipherName),
      wire(wrapping ? "bcrypt" : "none"),
      wire(wrapping ? Buffer.concat([wire(salt), count]) : ""),
      Buffer.from([0, 0, 0, 1]),
      wire(publicBlob(type, key)),
      wire(sealed),
    ]);
    const text = pem("OPENSSH PRIVATE KEY", content, 70);
    sealed.fill(0);
    content.fill(0);
    return text;
  } finally {
    plain.fill(0);
    wrapping?.fill(0);
  }
}
