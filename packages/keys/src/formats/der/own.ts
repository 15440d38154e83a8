// PKCS#8 and SPKI in DER, for keys that the OpenSSL in Node 20 does not support: those whose row in algorithms.ts has the
// identifier. For ML-DSA (RFC 9881), only the seed is written. The seed alone is read, or the seed with the expanded
// key if the two match; an expanded key alone is refused. For HSS/LMS (RFC 9708 §4, RFC 9802 §4), only public keys are
// supported. Public keys of Ed25519 and P-256, and private keys of Ed25519, are read here too if they have their usual
// form: OpenSSL takes longer to load, and gives a secret as text.

import { timingSafeEqual } from "node:crypto";
import {
  expandedKey,
  isStateful,
  type KeyAlg,
  KeyError,
  keyAlgOfLength,
  loadAlg,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicKey,
  secretLength,
} from "@firmseal/signer";
import { algsWith, CUSTODY } from "../../algorithms.js";
import { KeyFileError } from "../../errors/key-file.js";
import { bitString, children, derInteger, OCTET_STRING, octetString, SEQUENCE, singleTlv, type Tlv, tlv } from "./strict.js";

const SEED = 0x80;

/** The AlgorithmIdentifier of an algorithm. Returns undefined if OpenSSL writes its keys. */
function identifier(alg: KeyAlg): Buffer | undefined {
  const hex = CUSTODY[alg].identifier;
  return hex === undefined ? undefined : Buffer.from(hex, "hex");
}

/** SubjectPublicKeyInfo (RFC 9881 §4). Returns undefined if OpenSSL writes it. */
export function ownSpki(key: PublicKey): Buffer | undefined {
  const own = identifier(key.alg);
  return own && tlv(SEQUENCE, own, bitString(key.key));
}

/** OneAsymmetricKey with the seed (RFC 9881 §6), 54 bytes. Returns undefined if OpenSSL writes it. */
export function ownPkcs8(key: PrivateKey): Buffer | undefined {
  const own = identifier(key.alg);
  return own && tlv(SEQUENCE, derInteger(0), own, octetString(tlv(SEED, key.secret)));
}

/** The algorithm of an AlgorithmIdentifier. Returns undefined for others. */
function algOf(item: Tlv | undefined): KeyAlg | undefined {
  return item && algsWith("identifier").find((alg) => identifier(alg)?.equals(item.whole));
}

/** The public key in an SPKI of the usual form, which begins with the same bytes for every key of an algorithm. */
function usualSpki(der: Uint8Array): PublicKey | undefined {
  for (const alg of algsWith("spki")) {
    const head = Buffer.from(CUSTODY[alg].spki as string, "hex");
    const raw = der.subarray(head.length);
    // the head has the lengths of all that follows
    if (head.equals(der.subarray(0, head.length)) && keyAlgOfLength(raw.length) === alg) return publicKey(alg, raw);
  }
  return undefined;
}

/** Like usualSpki(), for a private key in PKCS#8. The secret is never converted to text. */
function usualPkcs8(der: Uint8Array): PrivateKey | undefined {
  for (const alg of algsWith("pkcs8")) {
    const head = Buffer.from(CUSTODY[alg].pkcs8 as string, "hex");
    const secret = der.subarray(head.length);
    if (head.equals(der.subarray(0, head.length)) && secret.length === secretLength(alg)) return privateKey(alg, secret);
  }
  return undefined;
}

/** The public key in an SPKI. Returns undefined for other algorithms. Throws KeyError. */
export function ownFromSpki(der: Uint8Array): PublicKey | undefined {
  const usual = usualSpki(der);
  if (usual) return usual;
  const parts = children(singleTlv(der, SEQUENCE));
  const alg = algOf(parts?.[0]);
  if (!parts || !alg) return undefined;
  const [, bits] = parts;
  if (parts.length !== 2 || bits?.tag !== 0x03 || bits.content[0] !== 0) throw new KeyError("format", `a damaged ${alg} public key`);
  return publicKey(alg, bits.content.subarray(1));
}

/**
 * The private key in the PKCS#8 structure of the file `name`. Returns undefined for other algorithms. Throws KeyError
 * and KeyFileError.
 */
export async function ownFromPkcs8(der: Uint8Array, name: string): Promise<PrivateKey | undefined> {
  const usual = usualPkcs8(der);
  if (usual) return usual;
  const parts = children(singleTlv(der, SEQUENCE));
  const alg = algOf(parts?.[1]);
  if (!parts || !alg || isStateful(alg)) return undefined;
  const [version, , octets] = parts;
  // version 2 adds the public key, which the seed determines; it is not written for ML-DSA (RFC 9881 §6)
  if (parts.length !== 3 || !version?.whole.equals(derInteger(0)) || octets?.tag !== OCTET_STRING)
    throw new KeyError("format", `a damaged ${alg} private key`);
  const choice = singleTlv(octets.content);
  const both = choice?.tag === SEQUENCE ? children(choice) : undefined;
  if (choice?.tag === OCTET_STRING)
    throw new KeyFileError(
      `${name}: the file has only the expanded form of the ${alg} private key`,
      "export it with its seed: openssl pkey -provparam ml-dsa.output_formats=seed-only; without one, make a new key",
      2,
    );
  const seed = choice?.tag === SEED ? choice : both?.length === 2 && both[0]?.tag === OCTET_STRING ? both[0] : undefined;
  if (seed?.content.length !== 32) throw new KeyError("format", `a damaged ${alg} private key`);
  await loadAlg(alg);
  const key = privateKey(alg, seed.content);
  // a reader of the seed and a reader of the expanded key must not sign with different keys (RFC 9881 §8.2)
  if (both && !isExpanded(key, both[1])) throw new KeyError("mismatch", "the expanded private key in the file does not match its seed");
  return key;
}

function isExpanded(key: PrivateKey, item: Tlv | undefined): boolean {
  const ours = expandedKey(key);
  try {
    return item?.tag === OCTET_STRING && item.content.length === ours.length && timingSafeEqual(item.content, ours);
  } finally {
    ours.fill(0);
  }
}
