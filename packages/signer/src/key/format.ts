// Keys as JWK (RFC 7517, 7518 §6.2, 8037, 9964 §3), as COSE_Key (RFC 9052 §7, 9053 §7, 9964 §3) and raw. Ed25519, P-256
// and ML-DSA keys for signing are accepted, public or private. A private key whose public members do not match it is
// refused.

import { decodeItem, type Item, KEY_ALG, KEY_CRV, KEY_KID, KEY_KTY, KEY_PUB, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import {
  algWords,
  coseAlg,
  coseFormOf,
  inWords,
  jwkFormOf,
  type KeyAlg,
  keyAlgOf,
  keyAlgOfLength,
  keyAlgs,
  publicLengths,
  secretLabel,
  secretLength,
} from "../alg/algorithms.js";
import { equalBytes } from "../bytes.js";
import { encodeCbor } from "../cbor.js";
import { decodeBase64url, encodeBase64url } from "./base64url.js";
import { KeyError } from "./error.js";
import { coordinatesOf, decompress, type PrivateKey, type PublicKey, privateKey, publicKey, requiredMembers } from "./key.js";

export interface Jwk {
  kty: string;
  crv?: string;
  x?: string;
  y?: string;
  d?: string;
  /** For keys of type AKP, which include the algorithm (RFC 9964 §3). */
  pub?: string;
  /** The seed, base64url. */
  priv?: string;
  alg: string;
  kid?: string;
}

/**
 * The public JWK of a key, public or private. `alg` is Ed25519 (RFC 9864), ES256, ML-DSA-44, ML-DSA-65 or ML-DSA-87.
 * Throws KeyError `unsupported` for HSS/LMS.
 */
export function toJwk(key: PublicKey): Jwk {
  const jwk = jwkFormOf(key.alg);
  if (!jwk) throw new KeyError("unsupported", `there is no JWK for ${algWords([key.alg])}`);
  const { kty, crv, alg } = jwk;
  const [x, y] = coordinatesOf(key).map((part) => part && encodeBase64url(part)) as [string, string?];
  const kid = key.kid && jwkKid(key.kid);
  const parts = crv === undefined ? { kty, alg, pub: x } : { kty, crv, x, ...(y !== undefined && { y }), alg };
  return kid === undefined ? parts : { ...parts, kid };
}

/** The private JWK of a key, with `d` (for ML-DSA: `priv`). */
export function toPrivateJwk(key: PrivateKey): Jwk {
  return { ...toJwk(key), [secretName(key.alg)]: encodeBase64url(key.secret) };
}

const secretName = (alg: KeyAlg) => (coseFormOf(alg).crv === undefined ? "priv" : "d");

/**
 * Reads a key from a parsed JWK. The result is a private key if the JWK has `d` (for ML-DSA: `priv`). If present,
 * `alg`, `use` and `key_ops` must permit signatures. Other members are ignored (RFC 7517 §4). Throws KeyError `format`,
 * `several`, `unsupported`, `length`, `range`, `point` or `mismatch`, and NotLoaded for a private ML-DSA key before
 * loadAlg().
 */
export function fromJwk(jwk: unknown): PublicKey | PrivateKey {
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw new KeyError("format", "a JWK is a JSON object");
  const m = jwk as Record<string, unknown>;
  if ("keys" in m) throw new KeyError("several", "a JWK Set, not a single key");
  const alg = algOfJwk(m);
  const named = jwkFormOf(alg);
  if (m.alg !== undefined && m.alg !== named?.alg && !named?.also?.includes(m.alg as string))
    throw new KeyError("unsupported", "the JWK names an algorithm that does not match its curve");
  const pub = coseFormOf(alg).crv === undefined ? "pub" : "x";
  const secret = secretName(alg);
  const d = m[secret] === undefined ? undefined : fromBase64url(m[secret], secret);
  const op = d ? "sign" : "verify";
  if (m.use !== undefined && m.use !== "sig") throw new KeyError("unsupported", 'the JWK is not for signatures ("use" is not "sig")');
  if (m.key_ops !== undefined && !(Array.isArray(m.key_ops) && m.key_ops.includes(op))) {
    throw new KeyError("unsupported", `the JWK is not for signatures ("key_ops" lacks "${op}")`);
  }
  if (m.kid !== undefined && typeof m.kid !== "string") throw new KeyError("format", 'the "kid" of the JWK is not a string');
  const x = m[pub] === undefined ? undefined : fromBase64url(m[pub], pub);
  const y = pub === "pub" || m.y === undefined ? undefined : fromBase64url(m.y, "y");
  // RFC 9964 §3 requires it, also in private keys
  if (pub === "pub" && !x) throw new KeyError("format", 'the JWK lacks "pub"');
  try {
    return fromParts(alg, x, y, d, m.kid === undefined ? undefined : kidOfJwk(m.kid));
  } finally {
    d?.fill(0);
  }
}

/**
 * The public COSE_Key of a key, public or private, in deterministic CBOR: kty, kid (if any), alg, and crv, x, y or pub.
 */
export function toCose(key: PublicKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/** The private COSE_Key of a key, with d (for ML-DSA: priv). */
export function toPrivateCose(key: PrivateKey): Uint8Array {
  const members = requiredMembers(key).set(KEY_ALG, coseAlg(key.alg));
  members.set(secretLabel(coseFormOf(key.alg)), key.secret);
  if (key.kid) members.set(KEY_KID, key.kid);
  return encodeCbor(members);
}

/**
 * Reads a key from the bytes of a COSE_Key. Heads must be shortest, and labels must be unique. Labels may be in any
 * order: RFC 9052 requires none, and its own examples are unordered. Throws KeyError as coseKeyFromMap() does.
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
  if (item.kind === "bytes") return Uint8Array.from(bytes.subarray(item.body, item.end));
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

/**
 * Reads a public key from its raw form. The length decides: 32 bytes are Ed25519, 65 bytes 04 ‖ x ‖ y are P-256, 52 and
 * 60 bytes are HSS/LMS, and 1,312, 1,952 and 2,592 bytes are ML-DSA-44, -65 and -87. Throws KeyError `length` or
 * `point`.
 */
export function fromRaw(bytes: Uint8Array): PublicKey {
  const alg = keyAlgOfLength(bytes.length);
  if (!alg) {
    const lengths = inWords(publicLengths().map((n) => n.toLocaleString("en")));
    throw new KeyError("length", `a raw public key has ${lengths} bytes, not ${bytes.length}`);
  }
  return publicKey(alg, bytes);
}

/** The algorithm of a JWK: by type and curve, or by `alg` for keys without a curve. */
function algOfJwk({ kty, crv, alg }: Record<string, unknown>): KeyAlg {
  return onlyOne(
    kty,
    keyAlgs.filter((one) => jwkFormOf(one)?.kty === kty),
    (one) => jwkFormOf(one)?.crv === crv,
    alg,
    (one) => jwkFormOf(one)?.alg === alg,
  );
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

/** The only algorithm with this key type. */
function onlyOne(
  kty: unknown,
  ofType: readonly KeyAlg[],
  hasCurve: (alg: KeyAlg) => boolean,
  named: unknown,
  hasName: (alg: KeyAlg) => boolean,
): KeyAlg {
  if (kty === undefined) throw new KeyError("format", "no key type (kty): not a key");
  const found = ofType.find((alg) => (coseFormOf(alg).bound ? hasName(alg) : coseFormOf(alg).crv === undefined || hasCurve(alg)));
  if (found) return found;
  const [first] = ofType;
  // the algorithm is a required part of such a key (RFC 9964 §3)
  if (first && coseFormOf(first).bound)
    throw new KeyError(
      named === undefined ? "format" : "unsupported",
      `a key of type ${jwkFormOf(first)?.kty} that names no ${algWords(ofType)} algorithm`,
    );
  throw new KeyError("unsupported", `not an ${algWords(keyAlgs.filter((alg) => jwkFormOf(alg)))} key`);
}

function fromParts(alg: KeyAlg, x?: Uint8Array, y?: Uint8Array, d?: Uint8Array, kid?: Uint8Array): PublicKey | PrivateKey {
  const { crv, coordinate } = coseFormOf(alg);
  const isPoint = coordinate !== undefined;
  const size = coordinate ?? secretLength(alg);
  for (const part of crv === undefined ? [d] : [x, y, d]) {
    // RFC 7518 §6.2.1.2, RFC 9053 §7.1.1: full length, including leading zeros
    if (part && part.length !== size) throw new KeyError("length", `a member of the key has ${part.length} bytes, not ${size}`);
  }
  if (!isPoint && y) throw new KeyError("format", `a key on ${algWords([alg])} has no y`);
  if (isPoint && !x !== !y) throw new KeyError("format", "only one of the coordinates x and y is present");
  const pub = x && (isPoint ? Uint8Array.of(4, ...x, ...(y as Uint8Array)) : x);
  if (!d) {
    if (!pub) throw new KeyError("format", "neither a public nor a private key is present");
    return publicKey(alg, pub, kid);
  }
  const key = privateKey(alg, d, kid);
  // A public key that does not belong to d is a mistake at best, and the signing oracle of RUSTSEC-2022-0093 at worst.
  if (pub && !equalBytes(pub, key.key)) throw new KeyError("mismatch", "the public key in the file does not match its private key");
  return key;
}

const fatalUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// In COSE, a kid is bytes; in JWK, text. 32 bytes are treated as a thumbprint and written in base64url as in RFC 7638;
// others are UTF-8.
function kidOfJwk(text: string): Uint8Array {
  const bytes = /^[\w-]{43}$/.test(text) ? decodeBase64url(text) : undefined;
  return bytes ?? new TextEncoder().encode(text);
}

function jwkKid(kid: Uint8Array): string | undefined {
  if (kid.length === 32) return encodeBase64url(kid);
  try {
    const text = fatalUtf8.decode(kid);
    // omit a kid that would be read back as another one: a kid is only a hint
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
