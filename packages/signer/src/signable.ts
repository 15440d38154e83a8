// What signing needs of a file, whatever its format.

import type { Anchor } from "@firmseal/verifier";
import { type CoseSignature, matchesAnchor } from "@firmseal/verifier/tools";
import { coseAlg, type PublicKey, type Signer } from "./key/key.js";

/** Under which key a signature is, or is to be: the number of a COSE algorithm, the public key, its identifier where the signature names one. */
export type SignedWith = Pick<Signer, "alg" | "kid" | "publicKey">;

/**
 * A file that keys can sign, read once. It never changes: a signature makes a new one. EnvelopeDraft and TrustDraft are the two.
 *
 * ```ts
 * const draft = EnvelopeDraft.read(bytes);
 * const message = await draft.toBeSigned(signer);                  // to where the private key is
 * const signed = await draft.withSignature(signer, await signer.sign(message));
 * await signed.verify([signer]);
 * ```
 */
export interface Signable {
  /** What it is, as messages name it. */
  readonly kind: "envelope" | "trust file";
  /** Its sequence number, 64 bits. */
  readonly sequence: bigint;
  /** The digest of what it says, which no signature changes: a COSE hash algorithm, and the octets. */
  readonly digest: { readonly alg: number; readonly bytes: Uint8Array };
  /** The file, with the signatures that it has. Written once. */
  readonly bytes: Uint8Array;
  /** The bytes that this key signs. Other signatures do not change them. Throws AlreadySigned. */
  toBeSigned(key: SignedWith): Promise<Uint8Array>;
  /** The same with one more signature. Nobody has looked at the signature yet: verify() does. Throws AlreadySigned. */
  withSignature(key: SignedWith, signature: Uint8Array): Promise<Signable>;
  /** Has the verifier that devices run say that each of these keys has signed. Throws its refusals, or KeyError `fault`. */
  verify(keys: readonly SignedWith[]): Promise<unknown>;
}

/** A public key as a signature names it. */
export function signedWith(key: PublicKey): SignedWith {
  return { alg: coseAlg(key.alg), publicKey: key.key, ...(key.kid && { kid: key.kid }) };
}

/** One key, one signature. */
export class AlreadySigned extends Error {
  override readonly name = "AlreadySigned";
  constructor(
    readonly signer: SignedWith,
    what: Signable["kind"] = "envelope",
  ) {
    super(`this key has already signed the ${what}`);
  }
}

/** What is known of a signature, so that one key signs once. */
export type KnownSignature = Pick<CoseSignature, "alg" | "kid" | "message" | "signature">;

/** Whether one of the signatures is by this key. */
export function hasSigned(signatures: readonly KnownSignature[], anchor: Anchor): boolean {
  return signatures.some((s) => matchesAnchor(s, anchor) && anchor.alg.verify(anchor.key, s.message, s.signature, {}));
}

/** Each signer in turn signs what the one before has left. */
export async function signedBy<T extends Signable>(draft: T, signers: readonly Signer[]): Promise<T> {
  let out = draft;
  for (const signer of signers) out = (await out.withSignature(signer, await signer.sign(await out.toBeSigned(signer)))) as T;
  return out;
}
