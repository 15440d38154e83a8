// A second person's consent to what a key will sign: a COSE_Sign1 (RFC 9052 §4.2) over the digest of a manifest, of a
// trust file, or of a release of several boards. It is for the people who sign; no device reads it.

import { equalBytes, FirmsealError, sameKey } from "@firmseal/verifier/tools";
import { encodeCbor as cbor } from "./cbor.js";
import type { PublicKey } from "./key/key.js";
import { anchorOfSigner, type Signer } from "./key/signer.js";
import { encodeSign1, readSign1, sign1Message } from "./sign1.js";
import { type Signable, type SignedWith, signedWith } from "./signable.js";

const CONTEXT = "firmseal.approval";

/** `form`: not an approval. `other`: of something else. `signature`: not by this key. */
export type ApprovalFault = "form" | "other" | "signature";

const FAULTS: Record<ApprovalFault, string> = {
  form: "is not one",
  other: "is of something else",
  signature: "is not signed by this key",
};

/** An approval that is refused. `fault` says why. */
export class ApprovalError extends FirmsealError {
  override readonly name = "ApprovalError";
  constructor(readonly fault: ApprovalFault) {
    super("ERR_APPROVAL", `the approval ${FAULTS[fault]}`);
  }
}

/** What can be approved: its kind, and the digest of what it says. Signatures on it do not change the digest. */
export interface Approvable {
  /** The kind of a file, or a release: a folder with several of them. */
  readonly kind: Signable["kind"] | "release";
  /** A COSE hash algorithm and the bytes. */
  readonly digest: Signable["digest"];
}

function payloadOf({ kind, digest }: Approvable): Uint8Array {
  return cbor([kind, digest.alg, digest.bytes]);
}

/**
 * Makes the bytes that the approver's key signs.
 *
 * @param what - A Signable, or a kind and a digest.
 * @param key - The key of the approver.
 * @returns The bytes.
 */
export function approvalMessage(what: Approvable, key: SignedWith): Uint8Array {
  return sign1Message(CONTEXT, payloadOf(what), key);
}

/**
 * Approves a file: the same for an envelope with and without signatures.
 *
 * @param what - A Signable, or a kind and a digest.
 * @param signer - The approver.
 * @returns The approval, for checkApproval().
 * @example
 * ```ts
 * import { approve, checkApproval, EnvelopeDraft, privateKey, publicOf, signer } from "@firmseal/signer";
 *
 * const key = privateKey("ed25519", seed);
 * const draft = EnvelopeDraft.read(envelope);
 * await checkApproval(await approve(draft, signer(key)), draft, publicOf(key));
 * ```
 */
export async function approve(what: Approvable, signer: Signer): Promise<Uint8Array> {
  return encodeSign1(payloadOf(what), signer, await signer.sign(approvalMessage(what, signer)));
}

/**
 * Checks that a key has approved this file.
 *
 * @param bytes - The approval.
 * @param what - A Signable, or a kind and a digest.
 * @param key - The key of the approver.
 * @returns Resolves if it has.
 * @throws ApprovalError.
 */
export async function checkApproval(bytes: Uint8Array, what: Approvable, key: PublicKey): Promise<void> {
  const found = readSign1(CONTEXT, bytes);
  if (!found?.payload) throw new ApprovalError("form");
  const { payload, message, signature } = found;
  if (!equalBytes(payload, payloadOf(what))) throw new ApprovalError("other");
  // the approver may have named its key by an identifier, or not
  const forms = [signedWith(key), { alg: signedWith(key).alg, publicKey: key.key }];
  const { alg } = await anchorOfSigner(signedWith(key));
  const good = forms.some((form) => equalBytes(message, approvalMessage(what, form))) && alg.verify(key.key, message, signature, {});
  if (!good) throw new ApprovalError("signature");
}

/**
 * Tells whether one person would approve what it signs itself.
 *
 * @param a - A key.
 * @param b - Another key.
 * @returns true if both keys have one secret.
 */
export function isSamePerson(a: PublicKey, b: PublicKey): boolean {
  return equalBytes(a.key, b.key) || sameKey(a.key, b.key);
}
