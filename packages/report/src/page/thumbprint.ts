// COSE Key Thumbprints (RFC 9679 §3) of the keys in the page: what people compare is worked out from what verifies.

import { sha256 } from "@noble/hashes/sha2.js";

/** The key as a COSE_Key in deterministic encoding. A map of small integers, so its heads are constants. */
const COSE_KEYS: { readonly [alg: string]: (key: Uint8Array) => number[] } = {
  // 1: kty OKP, -1: Ed25519, -2: x
  ed25519: (key) => [0xa3, 1, 1, 0x20, 6, 0x21, 0x58, key.length, ...key],
  // 1: kty EC2, -1: P-256, -2: x, -3: y; the key begins with 4
  es256: (key) => [0xa4, 1, 2, 0x20, 1, 0x21, 0x58, 32, ...key.subarray(1, 33), 0x22, 0x58, 32, ...key.subarray(33)],
  // 1: kty HSS-LMS, -1: pub
  hsslms: (key) => [0xa2, 1, 5, 0x20, 0x58, key.length, ...key],
};

/** The thumbprint with SHA-256, 32 bytes. Throws TypeError for another algorithm. */
export function thumbprintOf(alg: string, key: Uint8Array): Uint8Array {
  const encode = Object.hasOwn(COSE_KEYS, alg) ? COSE_KEYS[alg] : undefined;
  if (!encode) throw new TypeError(`keys of the algorithm ${alg} have no thumbprint here`);
  return sha256(Uint8Array.from(encode(key)));
}
