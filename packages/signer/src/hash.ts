// The hash functions that a description can name: COSE number (RFC 9054), implementation, and digest length in bytes.

import { HASH_SHA_256, HASH_SHA_384, HASH_SHA_512 } from "@firmseal/verifier/tools";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";

export const HASHES = {
  "sha-256": { id: HASH_SHA_256, hash: sha256, length: 32 },
  "sha-384": { id: HASH_SHA_384, hash: sha384, length: 48 },
  "sha-512": { id: HASH_SHA_512, hash: sha512, length: 64 },
} as const;
