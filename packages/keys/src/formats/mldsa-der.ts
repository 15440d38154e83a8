// Keys of ML-DSA as PKCS#8 and SPKI in DER (RFC 9881), which the OpenSSL in Node 20 has not. Written is the seed alone. Read is the seed, and
// the seed with the expanded key behind it, where the two belong together; an expanded key alone is no key here.

import { timingSafeEqual } from "node:crypto";
import { expandedKey, type KeyAlg, KeyError, loadAlg, type PrivateKey, type PublicKey, privateKey, publicKey } from "@firmseal/signer";
import { KeyFileError } from "../errors/key-file.js";
import { bitString, children, derInteger, OCTET_STRING, octetString, SEQUENCE, singleTlv, type Tlv, tlv } from "./der-strict.js";

// AlgorithmIdentifier: SEQUENCE { 2.16.840.1.101.3.4.3.17, .18, .19 }, and no parameters (RFC 9881 §2)
const ARC = "300b060960864801650304";
const IDENTIFIERS: readonly (readonly [KeyAlg, Buffer])[] = [
  ["ml-dsa-44", Buffer.from(`${ARC}0311`, "hex")],
  ["ml-dsa-65", Buffer.from(`${ARC}0312`, "hex")],
  ["ml-dsa-87", Buffer.from(`${ARC}0313`, "hex")],
];

const SEED = 0x80;

/** Whether a key is one of ML-DSA. */
export function isMlDsaKey(key: PublicKey): boolean {
  return IDENTIFIERS.some(([alg]) => alg === key.alg);
}

function identifier(key: PublicKey): Buffer {
  const found = IDENTIFIERS.find(([alg]) => alg === key.alg);
  if (!found) throw new RangeError(`${key.alg} is not ML-DSA`);
  return found[1];
}

/** SubjectPublicKeyInfo (RFC 9881 §4). */
export function mlDsaSpki(key: PublicKey): Buffer {
  return tlv(SEQUENCE, identifier(key), bitString(key.key));
}

/** OneAsymmetricKey with the seed (RFC 9881 §6): 54 bytes. */
export function mlDsaPkcs8(key: PrivateKey): Buffer {
  return tlv(SEQUENCE, derInteger(0), identifier(key), octetString(tlv(SEED, key.secret)));
}

/** The algorithm by the identifier, undefined where it is none of ML-DSA. */
function algOfIdentifier(item: Tlv | undefined): KeyAlg | undefined {
  return item && IDENTIFIERS.find(([, id]) => id.equals(item.whole))?.[0];
}

/** The public key of an SPKI; undefined where it is of another algorithm. Throws KeyError. */
export function mlDsaFromSpki(der: Uint8Array): PublicKey | undefined {
  const parts = children(singleTlv(der, SEQUENCE));
  const alg = algOfIdentifier(parts?.[0]);
  if (!parts || !alg) return undefined;
  const [, bits] = parts;
  if (parts.length !== 2 || bits?.tag !== 0x03 || bits.content[0] !== 0) throw new KeyError("format", `a damaged ${alg} public key`);
  return publicKey(alg, bits.content.subarray(1));
}

/** The private key of a PKCS#8 structure in the file `name`; undefined where it is of another algorithm. Throws KeyError, KeyFileError. */
export async function mlDsaFromPkcs8(der: Uint8Array, name: string): Promise<PrivateKey | undefined> {
  const parts = children(singleTlv(der, SEQUENCE));
  const alg = algOfIdentifier(parts?.[1]);
  if (!parts || !alg) return undefined;
  const [version, , octets] = parts;
  // version 2 has the public key behind it, which nobody needs: the seed has it. Neither is written for ML-DSA (RFC 9881 §6).
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
  // Whoever reads the seed and whoever reads the rest must not sign with two different keys (RFC 9881 §8.2)
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
