// Keys as JWK (RFC 7517, 7518 §6.2, 8037, 9964 §3), as COSE_Key (RFC 9052 §7, 9053 §7, 9964 §3) and raw. Accepted are Ed25519, P-256 and
// ML-DSA, public or private, for signing; a private key whose public members do not belong to it is refused.

import {
  ALG_HSS_LMS,
  CRV_ED25519,
  CRV_P256,
  decodeItem,
  type Item,
  KEY_ALG,
  KEY_CRV,
  KEY_D,
  KEY_KID,
  KEY_KTY,
  KEY_PRIV,
  KEY_PUB,
  KEY_X,
  KEY_Y,
  KTY_AKP,
  KTY_EC2,
  KTY_HSS_LMS,
  KTY_OKP,
} from "@firmseal/verifier/tools";
import { p256 } from "@noble/curves/nist.js";
import { equalBytes } from "../bytes.js";
import { encodeCbor } from "../cbor.js";
import { decodeBase64url, encodeBase64url } from "./base64url.js";
import {
  coseAlg,
  type KeyAlg,
  KeyError,
  keyAlgOf,
  keyAlgOfLength,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicKey,
  requiredMembers,
} from "./key.js";

export interface Jwk {
  kty: "OKP" | "EC" | "AKP";
  crv?: "Ed25519" | "P-256";
  x?: string;
  y?: string;
  d?: string;
  /** RFC 9964 §3: of type AKP, for which the algorithm is part of the key. */
  pub?: string;
  /** The seed. */
  priv?: string;
  alg: "Ed25519" | "ES256" | "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87";
  kid?: string;
}

/** The public JWK of a key, a private one's too. `alg` is Ed25519 (RFC 9864), ES256, or ML-DSA-44, -65, -87. Throws KeyError `unsupported` for HSS/LMS. */
export function toJwk(key: PublicKey): Jwk {
  if (key.alg === "hsslms") throw new KeyError("unsupported", "there is no JWK for HSS/LMS");
  const kid = key.kid && jwkKid(key.kid);
  const common = key.alg === "ed25519" ? jwkOkp(key.key) : key.alg === "es256" ? jwkEc(key.key) : jwkAkp(key);
  return kid === undefined ? common : { ...common, kid };
}

/** The JWK of a private key, with `d`, or `priv` for ML-DSA. */
export function toPrivateJwk(key: PrivateKey): Jwk {
  const jwk = toJwk(key);
  const secret = encodeBase64url(key.secret);
  return jwk.kty === "AKP" ? { ...jwk, priv: secret } : { ...jwk, d: secret };
}

function jwkOkp(key: Uint8Array): Jwk {
  return { kty: "OKP", crv: "Ed25519", x: encodeBase64url(key), alg: "Ed25519" };
}

function jwkEc(key: Uint8Array): Jwk {
  return { kty: "EC", crv: "P-256", x: encodeBase64url(key.subarray(1, 33)), y: encodeBase64url(key.subarray(33)), alg: "ES256" };
}

function jwkAkp({ alg, key }: PublicKey): Jwk {
  const name = alg.toUpperCase();
  // JOSE has a type of key for no other
  if (!isMlDsaName(name)) throw new KeyError("unsupported", `there is no JWK for ${alg}`);
  return { kty: "AKP", alg: name, pub: encodeBase64url(key) };
}

/**
 * A key from a parsed JWK. A private one if `d` is there, or `priv` for ML-DSA. `alg`, `use` and `key_ops` must allow signatures when they are there;
 * other members are ignored (RFC 7517 §4).
 * Throws KeyError `format`, `several`, `unsupported`, `length`, `range`, `point`, `mismatch`; NotLoaded for a private key of ML-DSA before
 * loadAlg().
 */
export function fromJwk(jwk: unknown): PublicKey | PrivateKey {
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw new KeyError("format", "a JWK is a JSON object");
  const m = jwk as Record<string, unknown>;
  if ("keys" in m) throw new KeyError("several", "a JWK Set, not a single key");
  const akp = m.kty === "AKP";
  const alg = akp
    ? mlDsaOf(m.alg)
    : curveOf(m.kty, m.crv, [
        ["OKP", "Ed25519", "ed25519"],
        ["EC", "P-256", "es256"],
      ]);
  const allowed = alg === "ed25519" ? ["Ed25519", "EdDSA"] : ["ES256"];
  if (!akp && m.alg !== undefined && !allowed.includes(m.alg as string))
    throw new KeyError("unsupported", "the JWK names an algorithm that does not match its curve");
  const [publicName, secretName] = akp ? (["pub", "priv"] as const) : (["x", "d"] as const);
  const d = m[secretName] === undefined ? undefined : fromBase64url(m[secretName], secretName);
  const op = d ? "sign" : "verify";
  if (m.use !== undefined && m.use !== "sig") throw new KeyError("unsupported", 'the JWK is not for signatures ("use" is not "sig")');
  if (m.key_ops !== undefined && !(Array.isArray(m.key_ops) && m.key_ops.includes(op))) {
    throw new KeyError("unsupported", `the JWK is not for signatures ("key_ops" lacks "${op}")`);
  }
  if (m.kid !== undefined && typeof m.kid !== "string") throw new KeyError("format", 'the "kid" of the JWK is not a string');
  const x = m[publicName] === undefined ? undefined : fromBase64url(m[publicName], publicName);
  const y = akp || m.y === undefined ? undefined : fromBase64url(m.y, "y");
  // RFC 9964 §3 asks for it, in private keys too
  if (akp && !x) throw new KeyError("format", 'the JWK lacks "pub"');
  try {
    return fromParts(alg, x, y, d, m.kid === undefined ? undefined : kidOfJwk(m.kid));
  } finally {
    d?.fill(0);
  }
}

/** The public COSE_Key of a key, a private one's too, in deterministic CBOR: kty, kid if there is one, alg, and crv, x, y or pub. */
export function toCose(key: PublicKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/** The COSE_Key of a private key, with d, or priv for ML-DSA. */
export function toPrivateCose(key: PrivateKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  members.set(members.get(KEY_KTY) === KTY_AKP ? KEY_PRIV : KEY_D, key.secret);
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/**
 * A key from the bytes of a COSE_Key. Heads must be shortest and no label may come twice, but the labels may be in any order:
 * RFC 9052 asks for none, and its own examples have none. Throws KeyError as coseKeyFromMap() does.
 */
export function fromCose(bytes: Uint8Array): PublicKey | PrivateKey {
  const members = readCoseKey(bytes);
  try {
    return coseKeyFromMap(members);
  } finally {
    // copies, the secret among them
    for (const member of members.values()) if (member instanceof Uint8Array) member.fill(0);
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
  // a copy, which slice() of a Buffer is not: it is wiped
  if (item.kind === "bytes") return Uint8Array.from(bytes.subarray(item.body, item.end));
  if (item.kind === "text") return new TextDecoder().decode(bytes.subarray(item.body, item.end));
  // false and true are the sign of y in a compressed point; nothing else that this file reads is of another type
  return item.kind === "simple" && item.value < 22 ? item.value === 21 : null;
}

/**
 * A key from the members of a COSE_Key. A private one if d is there; y may be the sign bit of a compressed point (RFC 9053 §7.1.1).
 * `alg` must allow signatures on its curve when it is there; labels not named in §7 are ignored.
 * Throws KeyError `format`, `unsupported`, `length`, `range`, `point`, `mismatch`; NotLoaded as fromJwk() does.
 */
export function coseKeyFromMap(members: ReadonlyMap<unknown, unknown>): PublicKey | PrivateKey {
  if (members.get(KEY_KTY) === KTY_HSS_LMS) return hssFromCose(members);
  if (members.get(KEY_KTY) === KTY_AKP) {
    const pub = bytesMember(members, KEY_PUB, "pub");
    // RFC 9964 §3 asks for alg and pub, in private keys too
    if (!pub) throw new KeyError("format", "the COSE_Key lacks pub");
    const stated = members.get(KEY_ALG);
    const alg = mlDsaOf(stated === undefined ? stated : (keyAlgOf(stated as number)?.toUpperCase() ?? null));
    return fromParts(alg, pub, undefined, bytesMember(members, KEY_PRIV, "priv"), bytesMember(members, KEY_KID, "kid"));
  }
  const alg = curveOf(members.get(KEY_KTY), members.get(KEY_CRV), [
    [KTY_OKP, CRV_ED25519, "ed25519"],
    [KTY_EC2, CRV_P256, "es256"],
  ]);
  const stated = members.get(KEY_ALG);
  if (stated !== undefined && keyAlgOf(stated as number) !== alg) {
    throw new KeyError("unsupported", "the COSE_Key names an algorithm that does not match its curve");
  }
  const x = bytesMember(members, KEY_X, "x");
  const sign = members.get(KEY_Y);
  const y = typeof sign === "boolean" ? decompress(x, sign) : bytesMember(members, KEY_Y, "y");
  return fromParts(alg, x, y, bytesMember(members, KEY_D, "d"), bytesMember(members, KEY_KID, "kid"));
}

function bytesMember(members: ReadonlyMap<unknown, unknown>, label: number, name: string): Uint8Array | undefined {
  const value = members.get(label);
  if (value !== undefined && !(value instanceof Uint8Array))
    throw new KeyError("format", `the ${name} of the COSE_Key is not a byte string`);
  return value;
}

function decompress(x: Uint8Array | undefined, odd: boolean): Uint8Array {
  if (x?.length !== 32) throw new KeyError("length", "the x of a key on P-256 has 32 bytes");
  try {
    return p256.Point.fromBytes(Uint8Array.of(odd ? 3 : 2, ...x))
      .toBytes(false)
      .subarray(33);
  } catch {
    throw new KeyError("point", "the public key is not a point of P-256");
  }
}

// RFC 8778 §3
function hssFromCose(members: ReadonlyMap<unknown, unknown>): PublicKey {
  const stated = members.get(KEY_ALG);
  if (stated !== undefined && stated !== ALG_HSS_LMS)
    throw new KeyError("unsupported", "the COSE_Key names an algorithm other than HSS/LMS");
  const pub = bytesMember(members, KEY_PUB, "pub");
  if (!pub) throw new KeyError("format", "the COSE_Key of HSS/LMS has no pub");
  return publicKey("hsslms", pub, bytesMember(members, KEY_KID, "kid"));
}

/**
 * A public key from its raw form: 32 bytes are Ed25519, 65 bytes 04 ‖ x ‖ y are P-256, 52 and 60 HSS/LMS, 1,312, 1,952 and 2,592 bytes ML-DSA-44, -65 and -87.
 * Throws KeyError `length` or `point`.
 */
export function fromRaw(bytes: Uint8Array): PublicKey {
  const alg = keyAlgOfLength(bytes.length);
  if (!alg) throw new KeyError("length", `a raw public key has 32, 52, 60, 65, 1,312, 1,952 or 2,592 bytes, not ${bytes.length}`);
  return publicKey(alg, bytes);
}

const ML_DSA = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const;
const isMlDsaName = (name: unknown): name is (typeof ML_DSA)[number] => ML_DSA.includes(name as never);

// The algorithm is part of a key of type AKP: without it, it is none (RFC 9964 §3).
function mlDsaOf(name: unknown): KeyAlg {
  if (isMlDsaName(name)) return name.toLowerCase() as KeyAlg;
  throw new KeyError(name === undefined ? "format" : "unsupported", "a key of type AKP that names no ML-DSA algorithm");
}

type Curve = readonly [kty: unknown, crv: unknown, alg: KeyAlg];

function curveOf(kty: unknown, crv: unknown, known: readonly Curve[]): KeyAlg {
  if (kty === undefined) throw new KeyError("format", "no key type (kty): not a key");
  const row = known.find((c) => c[0] === kty && c[1] === crv);
  if (!row) throw new KeyError("unsupported", "not an Ed25519, P-256 or ML-DSA key");
  return row[2];
}

function fromParts(alg: KeyAlg, x?: Uint8Array, y?: Uint8Array, d?: Uint8Array, kid?: Uint8Array): PublicKey | PrivateKey {
  const isEc = alg === "es256";
  for (const part of isEc ? [x, y, d] : alg === "ed25519" ? [x, d] : [d]) {
    // RFC 7518 §6.2.1.2, RFC 9053 §7.1.1: the whole field element, leading zeros too
    if (part && part.length !== 32) throw new KeyError("length", `a member of the key has ${part.length} bytes, not 32`);
  }
  if (!isEc && y) throw new KeyError("format", "a key on Ed25519 has no y");
  if (isEc && !x !== !y) throw new KeyError("format", "only one of the coordinates x and y is present");
  const pub = x && (isEc ? Uint8Array.of(4, ...x, ...(y as Uint8Array)) : x);
  if (!d) {
    if (!pub) throw new KeyError("format", "neither a public nor a private key is present");
    return publicKey(alg, pub, kid);
  }
  const key = privateKey(alg, d, kid);
  // A foreign public key beside d is a mistake at best, and the oracle of RUSTSEC-2022-0093 at worst.
  if (pub && !equalBytes(pub, key.key)) throw new KeyError("mismatch", "the public key in the file does not match its private key");
  return key;
}

const fatalUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// A kid of COSE is bytes, of JWK text. 32 bytes are taken for a thumbprint and are base64url as in RFC 7638; others are UTF-8.
function kidOfJwk(text: string): Uint8Array {
  const bytes = /^[\w-]{43}$/.test(text) ? decodeBase64url(text) : undefined;
  return bytes ?? new TextEncoder().encode(text);
}

function jwkKid(kid: Uint8Array): string | undefined {
  if (kid.length === 32) return encodeBase64url(kid);
  try {
    const text = fatalUtf8.decode(kid);
    // one that would be read back as another is left out: a kid is only a hint
    return equalBytes(kidOfJwk(text), kid) ? text : undefined;
  } catch {
    return undefined;
  }
}

function fromBase64url(value: unknown, name: string): Uint8Array {
  const bytes = typeof value === "string" ? decodeBase64url(value) : undefined;
  if (!bytes) throw new KeyError("format", `the member "${name}" of the JWK is not base64url`);
  return bytes;
}
