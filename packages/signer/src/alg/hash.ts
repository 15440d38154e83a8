// The hash functions that a description can name: COSE number (RFC 9054), implementation, and digest length in bytes.
// Node computes them, if it is there, which what signs has loaded; otherwise a library does.

import { HASH_SHA_256, HASH_SHA_384, HASH_SHA_512 } from "@firmseal/verifier/tools";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { nodeHash } from "./openssl.js";

export const HASHES = {
  "sha-256": { id: HASH_SHA_256, hash: (bytes: Uint8Array) => nodeHash("sha256", bytes) ?? sha256(bytes), length: 32 },
  "sha-384": { id: HASH_SHA_384, hash: (bytes: Uint8Array) => nodeHash("sha384", bytes) ?? sha384(bytes), length: 48 },
  "sha-512": { id: HASH_SHA_512, hash: (bytes: Uint8Array) => nodeHash("sha512", bytes) ?? sha512(bytes), length: 64 },
} as const;
