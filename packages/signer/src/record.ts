// Signatures in the record of a release: a COSE_Sign1 over the digest of what the record says. The digest is not in the
// message.

import { FirmsealError, HASH_SHA_256 } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeCbor } from "./cbor.js";
import { encodeSign1, readSign1, sign1Message } from "./sign1.js";
import type { KnownSignature, SignedWith } from "./signable.js";

const CONTEXT = "firmseal.record";

/** A SUIT_Digest: a record may be longer than what tokens and services sign. */
const payloadOf = (statement: Uint8Array): Uint8Array => encodeCbor([HASH_SHA_256, sha256(statement)]);

/**
 * Makes the bytes that a key signs about a record.
 *
 * @param statement - What the record says: statementOf() of `@firmseal/behaviour`.
 * @param key - The key.
 * @returns The bytes: the Sig_structure (RFC 9052 §4.4), with external_aad `firmseal.record` and a SUIT_Digest
 *   (SHA-256) as its payload. 70 bytes for a key without an identifier.
 */
export const recordMessage = (statement: Uint8Array, key: SignedWith): Uint8Array => sign1Message(CONTEXT, payloadOf(statement), key);

/**
 * Encodes a signature over recordMessage(), which is not verified.
 *
 * @param key - The key that signed.
 * @param signature - The raw signature.
 * @returns A COSE_Sign1 with a detached payload.
 */
export const recordSignature = (key: SignedWith, signature: Uint8Array): Uint8Array => encodeSign1(null, key, signature);

/**
 * Reads a signature of a record, without verifying it.
 *
 * @param bytes - From recordSignature().
 * @param statement - What the record says.
 * @returns The algorithm and the key that it names, the signed bytes, and the signature.
 * @throws FirmsealError ERR_RECORD if it is not one.
 */
export function readRecordSignature(bytes: Uint8Array, statement: Uint8Array): KnownSignature {
  const found = readSign1(CONTEXT, bytes, payloadOf(statement));
  if (!found) throw new FirmsealError("ERR_RECORD", "not the signature of a record");
  return found;
}
