// Adds signatures to an envelope, from bytes to bytes. To perform several steps without reading the envelope again, use
// EnvelopeDraft.

import type { PublicKey } from "../key/key.js";
import type { Signer } from "../key/signer.js";
import { signedWith, signedWithoutLog } from "../signable.js";
import { EnvelopeDraft } from "./draft.js";

/**
 * Makes the bytes that a key must sign for this envelope: the Sig_structure (RFC 9052 §4.4) over its digest, with the
 * algorithm and the identifier of the key. They do not depend on other signatures. Ed25519 signs them directly; ECDSA
 * on P-256 hashes them with SHA-256 first.
 *
 * @param envelope - The envelope, signed or not.
 * @param key - The public key.
 * @returns The bytes. With SHA-256 and without a key identifier, they are 55.
 * @throws AlreadySigned, and the refusals of decodeEnvelope().
 * @example
 * ```ts
 * import { attachSignature, envelopeToBeSigned, privateKey, publicOf, signer } from "@firmseal/signer";
 *
 * const key = privateKey("ed25519", seed);
 * const message = await envelopeToBeSigned(unsigned, publicOf(key)); // to the holder of the private key
 * const signed = await attachSignature(unsigned, publicOf(key), await signer(key).sign(message));
 * ```
 */
export function envelopeToBeSigned(envelope: Uint8Array, key: PublicKey): Promise<Uint8Array> {
  return EnvelopeDraft.read(envelope).toBeSigned(signedWith(key));
}

/**
 * Adds a signature over envelopeToBeSigned(envelope, key) that was made elsewhere. The result is opened with the key
 * before it is returned.
 *
 * @param envelope - The envelope.
 * @param key - The same as for envelopeToBeSigned(), including its identifier.
 * @param signature - Raw, as Signer.sign() returns it: 64 bytes R ‖ S (RFC 8032 §5.1.6) or r ‖ s (RFC 9053 §2.1), or an
 *   ML-DSA or HSS/LMS (RFC 8554 §6.2) signature.
 * @returns The signed envelope.
 * @throws SIGNATURE_INVALID for an invalid signature, AlreadySigned, and the refusals of decodeEnvelope() and open().
 */
export async function attachSignature(envelope: Uint8Array, key: PublicKey, signature: Uint8Array): Promise<Uint8Array> {
  const who = signedWith(key);
  const out = await EnvelopeDraft.read(envelope).withSignature(who, signature);
  // No other signature of this key verifies, or AlreadySigned would have been thrown. So the new signature is the one
  // that opens the envelope.
  await out.verify([who]);
  return out.bytes;
}

/**
 * Adds a signature of each signer to an envelope. Other signatures, severed elements and payloads do not change. No
 * signing log is asked, and none gets an entry: nothing keeps a key from signing a number twice, or a lower one. For
 * the keys of a release use signRelease() of `@firmseal/release`.
 *
 * @param envelope - The envelope, signed or not.
 * @param signers - The signers, from signer() or foreignSigner().
 * @returns The signed envelope. It was opened with these keys.
 * @throws AlreadySigned if a key has signed before or is given twice, and the refusals of decodeEnvelope() and open().
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { privateKey, signEnvelopeWithoutLog, signer } from "@firmseal/signer";
 *
 * writeFileSync("app.suit", await signEnvelopeWithoutLog(unsigned, [signer(privateKey("ed25519", seed))]));
 * ```
 */
export async function signEnvelopeWithoutLog(envelope: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  const out = await signedWithoutLog(EnvelopeDraft.read(envelope), signers);
  // never return an envelope that no device could install: wrong key, faulty signer, or a manifest that no device runs
  await out.verify(signers);
  return out.bytes;
}
