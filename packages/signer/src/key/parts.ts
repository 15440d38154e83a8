// Keys from their parts, and raw. Ed25519, P-256 and ML-DSA keys for signing are accepted, public or private. A private
// key whose public members do not match it is refused.

import { equalBytes } from "@firmseal/verifier/tools";
import {
  algWords,
  coseFormOf,
  inWords,
  jwkFormOf,
  type KeyAlg,
  keyAlgOfLength,
  keyAlgs,
  publicLengths,
  secretLength,
} from "../alg/algorithms.js";
import { KeyError } from "../key-error.js";
import { type PrivateKey, type PublicKey, privateKey, publicKey } from "./key.js";

/**
 * Reads a public key from its raw form. The length decides: 32 bytes are Ed25519, 65 bytes 04 ‖ x ‖ y are P-256, 52 and
 * 60 bytes are HSS/LMS, and 1,312, 1,952 and 2,592 bytes are ML-DSA-44, -65 and -87.
 *
 * @param bytes - The raw key.
 * @returns The key.
 * @throws KeyError `length` or `point`.
 */
export function fromRaw(bytes: Uint8Array): PublicKey {
  const alg = keyAlgOfLength(bytes.length);
  if (!alg) {
    const lengths = inWords(publicLengths().map((n) => n.toLocaleString("en")));
    throw new KeyError("length", `a raw public key has ${lengths} bytes, not ${bytes.length}`);
  }
  return publicKey(alg, bytes);
}

/** The only algorithm with this key type. */
export function onlyOne(
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

export function fromParts(alg: KeyAlg, x?: Uint8Array, y?: Uint8Array, d?: Uint8Array, kid?: Uint8Array): PublicKey | PrivateKey {
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
