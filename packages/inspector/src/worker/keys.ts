// Public keys in the forms that people have. Private keys are recognized, and not kept.

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
  type PublicKey,
} from "@firmseal/signer";
import { fromHex } from "@firmseal/verifier/tools";
import { TEXTS } from "../texts.js";
import { Sentence } from "./sentence.js";

/** SubjectPublicKeyInfo up to the raw key (RFC 8410 §4, 5480 §2, 9708 §4, 9881 §4): each has one form in DER. */
const SPKI_HEADS: readonly string[] = [
  // Ed25519, P-256
  "302a300506032b6570032100",
  "3059301306072a8648ce3d020106082a8648ce3d030107034200",
  // HSS/LMS with SHA-256 and SHA-256/192
  "304e300d060b2a864886f70d0109100311033d00",
  "3046300d060b2a864886f70d0109100311033500",
  // ML-DSA, the three sets
  "30820532300b06096086480165030403110382052100",
  "308207b2300b0609608648016503040312038207a100",
  "30820a32300b060960864801650304031303820a2100",
];

/** The longest file that can be a key: ML-DSA-87 in JWK or PEM. */
export const MOST_KEY_BYTES = 16_384;

const startsWith = (bytes: Uint8Array, head: Uint8Array) => head.every((byte, i) => bytes[i] === byte);

/** The length of a structure whose head these bytes are. */
const lengthIn = ([, first = 0, high = 0, low = 0]: Uint8Array) => (first === 0x82 ? 4 + high * 256 + low : 2 + first);

function fromSpki(der: Uint8Array, name: string): PublicKey {
  const head = SPKI_HEADS.map(fromHex).find((one) => startsWith(der, one));
  // the length in the head and that of the key say the same
  if (head && der.length === lengthIn(head)) return fromRaw(der.subarray(head.length));
  throw new Sentence(TEXTS.otherKey(name, TEXTS.algorithms));
}

function fromBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined;
  try {
    return Uint8Array.from(atob(compact), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

const ARMOUR = /^-----BEGIN ([A-Z0-9 ]{1,40})-----([\s\S]*)-----END \1-----$/;

function fromPem(text: string, name: string): PublicKey {
  const [, label, body] = ARMOUR.exec(text.trim()) ?? [];
  if (/PRIVATE|SECRET|FIRMSEAL HSS KEY/.test(text.slice(0, 200))) throw new Sentence(TEXTS.privateKey(name));
  const der = label === "PUBLIC KEY" && body !== undefined ? fromBase64(body) : undefined;
  if (!der)
    throw new Sentence(label === undefined || label === "PUBLIC KEY" ? TEXTS.unknown(name) : TEXTS.otherKey(name, TEXTS.algorithms));
  return fromSpki(der, name);
}

/** Only public parts are kept. */
function publicOnly(key: PublicKey, name: string): PublicKey {
  if (!isPrivate(key)) return key;
  key.secret.fill(0);
  throw new Sentence(TEXTS.privateKey(name));
}

function readKey(name: string, read: () => PublicKey): PublicKey {
  try {
    return publicOnly(read(), name);
  } catch (e) {
    if (!(e instanceof KeyError)) throw e;
    throw new Sentence(e.fault === "unsupported" ? TEXTS.otherKey(name, e.message) : TEXTS.badKey(name, e.message));
  }
}

/** The key in a parsed JWK. `d` and `priv` mark a private key, which is not read at all. */
export function keyFromJwk(jwk: object, name: string): PublicKey {
  if ("d" in jwk || "priv" in jwk || "k" in jwk) throw new Sentence(TEXTS.privateKey(name));
  return readKey(name, () => fromJwk(jwk));
}

/** The key in a PEM. Undefined: not a PEM. */
export const keyOfPem = (text: string, name: string): PublicKey | undefined =>
  text.trimStart().startsWith("-----BEGIN ") ? readKey(name, () => fromPem(text, name)) : undefined;

/** The key in a COSE_Key or an SPKI. Undefined: neither. */
export function keyOfBytes(bytes: Uint8Array, name: string): PublicKey | undefined {
  if (bytes.length > MOST_KEY_BYTES) return undefined;
  // a map whose first label is kty, 1, with a small number: an envelope has byte strings
  if ((bytes[0] ?? 0) >> 5 === 5 && bytes[1] === 1 && (bytes[2] ?? 255) < 24) return readKey(name, () => fromCose(bytes));
  const isDer = bytes[0] === 0x30 && (bytes[1] === bytes.length - 2 || (bytes[1] === 0x82 && bytes.length > 256));
  return isDer ? readKey(name, () => fromSpki(bytes, name)) : undefined;
}

const RAW_LENGTHS: readonly number[] = [32, 65, 52, 60, 1312, 1952, 2592];

/** 04 ‖ x ‖ y. The hex of a key of 32 bytes has the same length, with the end of its line. */
const isPoint = (bytes: Uint8Array) => bytes.length !== 65 || bytes[0] === 4;

/** The key in raw form. Undefined: a file of this length is not one. */
export const keyOfRaw = (bytes: Uint8Array, name: string): PublicKey | undefined =>
  RAW_LENGTHS.includes(bytes.length) && isPoint(bytes) ? readKey(name, () => fromRaw(bytes)) : undefined;

const MINISIGN_COMMENT = "untrusted comment:";
/** Bytes of the decoded line of a secret key of minisign. */
const MINISIGN_SECRET = 158;

/** The key in a file of minisign: a comment, and a line of base64. */
function keyOfMinisign(text: string, name: string): PublicKey {
  const [, line = "", ...rest] = text.trimEnd().split(/\r\n|\n|\r/);
  const bytes = rest.length === 0 ? fromBase64(line) : undefined;
  if (bytes?.length === MINISIGN_SECRET) throw new Sentence(TEXTS.privateKey(name));
  const key = bytes && readKey(name, () => fromMinisign(bytes) ?? raise(name));
  return key ?? raise(name);
}

function raise(name: string): never {
  throw new Sentence(TEXTS.unknown(name));
}

/** The key in a text: PEM, OpenSSH, minisign, or any binary form in hex or base64. Undefined: none. */
export function keyOfText(text: string, name: string): PublicKey | undefined {
  const pem = keyOfPem(text, name);
  if (pem) return pem;
  if (isSshLine(text)) return readKey(name, () => fromSshLine(text));
  if (text.startsWith(MINISIGN_COMMENT)) return keyOfMinisign(text, name);
  const compact = text.replace(/\s/g, "");
  const bytes = /^([0-9a-f]{2})+$/i.test(compact) ? fromHex(compact) : fromBase64(compact);
  if (bytes && isMinisignPublic(bytes)) return readKey(name, () => fromMinisign(bytes) ?? raise(name));
  return bytes && (keyOfBytes(bytes, name) ?? keyOfRaw(bytes, name));
}
