// Signatures on an envelope, from bytes to bytes. EnvelopeDraft is the same for who goes on with it.

import type { PublicKey, Signer } from "../key/key.js";
import { signedBy, signedWith } from "../signable.js";
import { EnvelopeDraft } from "./draft.js";

/**
 * The bytes that `key` signs on this envelope: the Sig_structure over its digest, for the algorithm and the identifier of the key. With
 * SHA-256 and no identifier they are 55 bytes (Ed25519: the message itself; P-256: what is hashed with SHA-256 and then signed).
 * Other signatures do not change them. Throws AlreadySigned, and the refusals of decodeEnvelope().
 *
 * ```ts
 * const message = await tbs(envelope, key);                        // to where the private key is
 * const signed = await attach(envelope, key, await ceremony(message));
 * ```
 */
export function envelopeToBeSigned(envelope: Uint8Array, key: PublicKey): Promise<Uint8Array> {
  return EnvelopeDraft.read(envelope).toBeSigned(signedWith(key));
}

/**
 * Adds a signature that was made somewhere else over tbs(envelope, key): raw, as Signer.sign() gives it, 64 bytes R ‖ S (RFC 8032 §5.1.6) or
 * r ‖ s (RFC 9053 §2.1), those of ML-DSA, or that of RFC 8554 §6.2.
 * The key must be the same, its identifier too. The result has been opened with the key: a signature that is not its own is refused
 * with SIGNATURE_INVALID. Throws AlreadySigned, and the refusals of decodeEnvelope() and open().
 */
export async function attachSignature(envelope: Uint8Array, key: PublicKey, signature: Uint8Array): Promise<Uint8Array> {
  const who = signedWith(key);
  const out = await EnvelopeDraft.read(envelope).withSignature(who, signature);
  // no other signature of this key verifies, or it would have been present: what is opened here is opened by the new one
  await out.verify([who]);
  return out.bytes;
}

/**
 * Adds a signature of each signer to an envelope, signed or not. Other signatures, severed elements and payloads stay as they are.
 * Throws AlreadySigned where one has signed before (or is given twice), and the refusals of decodeEnvelope() and open().
 */
export async function signEnvelope(envelope: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  const out = await signedBy(EnvelopeDraft.read(envelope), signers);
  // never let out what nobody could install: wrong key, faulty signer, a manifest that no device runs
  await out.verify(signers);
  return out.bytes;
}
