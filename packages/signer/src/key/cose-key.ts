// Keys as COSE_Key (RFC 9052 §7, 9053 §7, 9964 §3).

import {
  decodeItem,
  type Item,
  KEY_ALG,
  KEY_CRV,
  KEY_D,
  KEY_K,
  KEY_KID,
  KEY_KTY,
  KEY_PRIV,
  KEY_PUB,
  KEY_X,
  KEY_Y,
  KTY_AKP,
  KTY_SYMMETRIC,
} from "@firmseal/verifier/tools";
import { algWords, coseAlg, coseFormOf, type KeyAlg, keyAlgOf, keyAlgs, secretLabel, secretLength } from "../alg/algorithms.js";
import { secretCopy } from "../bytes.js";
import { encodeCbor } from "../cbor.js";
import { KeyError } from "../key-error.js";
import { decompress, type PrivateKey, type PublicKey, requiredMembers } from "./key.js";
import { fromParts, onlyOne } from "./parts.js";

/**
 * Encodes the public part of a key as a COSE_Key.
 *
 * @param key - The key, public or private.
 * @returns Deterministic CBOR: kty, kid (if any), alg, and crv, x, y or pub.
 */
export function toCose(key: PublicKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/**
 * Encodes a private key as a COSE_Key.
 *
 * @param key - The private key.
 * @returns Deterministic CBOR, with d (for ML-DSA: priv).
 */
export function toPrivateCose(key: PrivateKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  members.set(secretLabel(coseFormOf(key.alg)), key.secret);
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/**
 * Reads a key from the bytes of a COSE_Key. Heads must be shortest, and labels must be unique. Labels may be in any
 * order: RFC 9052 requires none, and its own examples are unordered.
 *
 * @param bytes - The COSE_Key.
 * @returns A private key if it has the private part.
 * @throws KeyError with the codes of fromJwk(), and NotLoaded for a private ML-DSA key before loadAlg().
 */
export function fromCose(bytes: Uint8Array): PublicKey | PrivateKey {
  const members = readCoseKey(bytes);
  try {
    return coseKeyFromMap(members);
  } finally {
    // wipe the copies: the secret is among them
    for (const member of members.values()) if (member instanceof Uint8Array) member.fill(0);
  }
}

/**
 * Recognizes a COSE_Key that holds a secret: of any algorithm, also of one that this package does not support, and of a
 * symmetric key. Loads no algorithm, and copies no secret that it does not overwrite.
 *
 * @param bytes - The bytes.
 * @returns Whether it is one.
 */
export function isSecretCose(bytes: Uint8Array): boolean {
  try {
    const members = readCoseKey(bytes);
    for (const member of members.values()) if (member instanceof Uint8Array) member.fill(0);
    const kty = members.get(KEY_KTY);
    // RFC 9053 §7 for curves and symmetric keys, RFC 9964 §3
    const label = kty === KTY_SYMMETRIC ? KEY_K : kty === KTY_AKP ? KEY_PRIV : KEY_D;
    return typeof kty === "number" && members.get(label) instanceof Uint8Array;
  } catch {
    return false;
  }
}

type Member = number | string | boolean | null | Uint8Array;

function readCoseKey(bytes: Uint8Array): Map<number, Member> {
  const item = readMap(bytes);
  const members = new Map<number, Member>();
  for (let i = 0; i < item.items.length; i += 2) {
    const [label, value] = item.items.slice(i, i + 2) as [Item, Item];
    if (label.kind === "text") continue;
    if (!isNumber(label)) throw notCose();
    if (members.has(label.value)) throw new KeyError("format", `the COSE_Key has label ${label.value} twice`);
    members.set(label.value, memberValue(bytes, value));
  }
  return members;
}

const notCose = () => new KeyError("format", "not a COSE_Key in well-formed CBOR");

function readMap(bytes: Uint8Array): Item {
  try {
    const item = decodeItem(bytes);
    if (item.kind === "map") return item;
  } catch {
    // a refusal
  }
  throw notCose();
}

const isNumber = ({ kind, value }: Item) => (kind === "unsigned" || kind === "negative") && Number.isSafeInteger(value);

function memberValue(bytes: Uint8Array, item: Item): Member {
  if (isNumber(item)) return item.value;
  // a copy, because it will be wiped; slice() of a Buffer does not copy
  if (item.kind === "bytes") return secretCopy(bytes.subarray(item.body, item.end));
  if (item.kind === "text") return new TextDecoder().decode(bytes.subarray(item.body, item.end));
  // false and true give the sign of y in a compressed point; this file reads no other types
  return item.kind === "simple" && item.value < 22 ? item.value === 21 : null;
}

/**
 * Reads a key from the members of a COSE_Key. The result is a private key if d is present. y may be the sign bit of a
 * compressed point (RFC 9053 §7.1.1). If present, `alg` must permit signatures on the curve. Labels that §7 does not
 * define are ignored. Throws KeyError `format`, `unsupported`, `length`, `range`, `point` or `mismatch`, and NotLoaded
 * as fromJwk() does.
 */
export function coseKeyFromMap(members: ReadonlyMap<unknown, unknown>): PublicKey | PrivateKey {
  const alg = algOfCose(members);
  const form = coseFormOf(alg);
  const stated = members.get(KEY_ALG);
  if (stated !== undefined && keyAlgOf(stated as number) !== alg)
    throw new KeyError(
      "unsupported",
      `the COSE_Key names an algorithm ${form.crv === undefined ? `other than ${algWords([alg])}` : "that does not match its curve"}`,
    );
  const kid = bytesMember(members, KEY_KID, "kid");
  if (form.crv === undefined) {
    const pub = bytesMember(members, KEY_PUB, "pub");
    // RFC 8778 §3 and RFC 9964 §3 require it, also in private keys
    if (!pub) throw new KeyError("format", "the COSE_Key lacks pub");
    // private keys with state have no COSE_Key form here
    return fromParts(
      alg,
      pub,
      undefined,
      secretLength(alg) === undefined ? undefined : bytesMember(members, secretLabel(form), "priv"),
      kid,
    );
  }
  const x = bytesMember(members, KEY_X, "x");
  const sign = members.get(KEY_Y);
  const y = typeof sign === "boolean" ? decompress(alg, x, sign) : bytesMember(members, KEY_Y, "y");
  return fromParts(alg, x, y, bytesMember(members, secretLabel(form), "d"), kid);
}

function bytesMember(members: ReadonlyMap<unknown, unknown>, label: number, name: string): Uint8Array | undefined {
  const value = members.get(label);
  if (value !== undefined && !(value instanceof Uint8Array))
    throw new KeyError("format", `the ${name} of the COSE_Key is not a byte string`);
  return value;
}

function algOfCose(members: ReadonlyMap<unknown, unknown>): KeyAlg {
  const kty = members.get(KEY_KTY);
  const alg = members.get(KEY_ALG);
  return onlyOne(
    kty,
    keyAlgs.filter((one) => coseFormOf(one).kty === kty),
    (one) => coseFormOf(one).crv === members.get(KEY_CRV),
    alg,
    (one) => coseAlg(one) === alg,
  );
}
