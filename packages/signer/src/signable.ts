// What signing needs from a file of any format.

import type { Anchor } from "@firmseal/verifier";
import { type CoseSignature, FirmsealError, matchesAnchor } from "@firmseal/verifier/tools";
import { coseAlg } from "./alg/algorithms.js";
import type { PublicKey } from "./key/key.js";
import type { Signer } from "./key/signer.js";

/** The key of a signature: COSE algorithm number, public key, and key identifier if the signature names one. */
export type SignedWith = Pick<Signer, "alg" | "kid" | "publicKey">;

/**
 * A file that can be signed. It is read once and never changes: adding a signature returns a new one. EnvelopeDraft and
 * TrustDraft implement it.
 *
 * @example
 * ```ts
 * import { EnvelopeDraft, privateKey, signer } from "@firmseal/signer";
 *
 * const by = signer(privateKey("ed25519", seed));
 * const draft = EnvelopeDraft.read(unsigned);
 * const message = await draft.toBeSigned(by); // to the holder of the private key
 * const signed = await draft.withSignature(by, await by.sign(message));
 * await signed.verify([by]);
 * ```
 */
export interface Signable {
  /** The kind of file, as messages name it. */
  readonly kind: "envelope" | "trust file";
  /** Sequence number, 64 bits. */
  readonly sequence: bigint;
  /** The digest of the signed content: a COSE hash algorithm and the bytes. Signatures do not change it. */
  readonly digest: { readonly alg: number; readonly bytes: Uint8Array };
  /** The encoded file with its signatures. Encoded once. */
  readonly bytes: Uint8Array;
  /** The bytes that this key must sign. They do not depend on other signatures. Throws AlreadySigned. */
  toBeSigned(key: SignedWith): Promise<Uint8Array>;
  /** Returns a copy with one more signature, which is not verified: call verify(). Throws AlreadySigned. */
  withSignature(key: SignedWith, signature: Uint8Array): Promise<Signable>;
  /**
   * Checks with the verifier of the devices that each of these keys has signed. Throws its refusals, or KeyError
   * `signature`.
   */
  verify(keys: readonly SignedWith[]): Promise<unknown>;
}

/**
 * Describes a public key as a signature identifies it.
 *
 * @param key - The key.
 * @param alg - One of coseAlgs(). Default: coseAlg().
 * @returns The description.
 */
export function signedWith(key: PublicKey, alg = coseAlg(key.alg)): SignedWith {
  return { alg, publicKey: key.key, ...(key.kid && { kid: key.kid }) };
}

/** The key has already signed this file. A key signs only once. */
export class AlreadySigned extends FirmsealError {
  override readonly name = "AlreadySigned";
  constructor(
    readonly signer: SignedWith,
    what: Signable["kind"] = "envelope",
  ) {
    super("ERR_ALREADY_SIGNED", `this key has already signed the ${what}`);
  }
}

/** The parts of a signature that show which key made it. */
export type KnownSignature = Pick<CoseSignature, "alg" | "kid" | "message" | "signature">;

/** Whether one of the signatures is by this key. */
export function hasSigned(signatures: readonly KnownSignature[], anchor: Anchor): boolean {
  return signatures.some((s) => matchesAnchor(s, anchor) && anchor.alg.verify(anchor.key, s.message, s.signature, {}));
}

/**
 * Adds the signature of each signer in turn, and enters them in no signing log. For the keys of a release use
 * signRelease() of `@firmseal/release`.
 *
 * @param draft - The file. It does not change.
 * @param signers - The signers.
 * @param messages - The bytes that each signs, if toBeSigned() has given them before.
 * @returns The signed file.
 * @throws AlreadySigned, and the refusals of verify().
 */
export async function signedWithoutLog<T extends Signable>(
  draft: T,
  signers: readonly Signer[],
  messages?: readonly Uint8Array[],
): Promise<T> {
  let out = draft;
  for (const [i, signer] of signers.entries()) {
    const message = messages ? (messages[i] as Uint8Array) : await out.toBeSigned(signer);
    out = (await out.withSignature(signer, await signer.sign(message))) as T;
  }
  return out;
}
