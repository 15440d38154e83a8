// A second person's consent to what a key will sign: a COSE_Sign1 (RFC 9052 §4.2) over the digest of a manifest or of a
// trust file. It is for the people who sign; no device reads it.

import { decodeItem, equalBytes, FirmsealError, type Item, sameKey, TAG_SIGN1 } from "@firmseal/verifier/tools";
import { encodeCbor as cbor, protectedHeader, Tagged } from "./cbor.js";
import type { PublicKey } from "./key/key.js";
import { anchorOfSigner, type Signer } from "./key/signer.js";
import { type Signable, type SignedWith, signedWith } from "./signable.js";

/**
 * external_aad of an approval: with it, no approval is ever a signature over a manifest, where it is empty, or over a
 * trust file.
 */
const CONTEXT = new TextEncoder().encode("firmseal.approval");

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

type Approved = Pick<Signable, "kind" | "digest">;

/** What is approved: the kind of file, and the digest of what it says. Signatures on the file do not change it. */
function payloadOf({ kind, digest }: Approved): Uint8Array {
  return cbor([kind, digest.alg, digest.bytes]);
}

/**
 * Makes the bytes that the approver's key signs.
 *
 * @param what - The file: a Signable, or its kind and digest.
 * @param key - The key of the approver.
 * @returns The bytes.
 */
export function approvalMessage(what: Approved, key: SignedWith): Uint8Array {
  return cbor(["Signature1", protectedHeader(key), CONTEXT, payloadOf(what)]);
}

/**
 * Approves a file: the same for an envelope with and without signatures.
 *
 * @param what - The file: a Signable, or its kind and digest.
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
export async function approve(what: Approved, signer: Signer): Promise<Uint8Array> {
  const signature = await signer.sign(approvalMessage(what, signer));
  return cbor(new Tagged(TAG_SIGN1, [protectedHeader(signer), new Map(), payloadOf(what), signature]));
}

/** The parts of an approval. Its form is the one that approve() writes, and no other. */
function partsOf(bytes: Uint8Array): { bucket: Uint8Array; payload: Uint8Array; signature: Uint8Array } {
  try {
    if (bytes[0] !== 0xc0 + TAG_SIGN1) throw new ApprovalError("form");
    const [message] = decodeItem(bytes).items as [Item];
    const [bucket, headers, payload, signature] = message.items as [Item, Item, Item, Item];
    if (message.value !== 4 || headers.kind !== "map" || headers.value !== 0) throw new ApprovalError("form");
    const content = (item: Item) => {
      if (item.kind !== "bytes") throw new ApprovalError("form");
      return Uint8Array.from(bytes.subarray(item.body, item.end));
    };
    return { bucket: content(bucket), payload: content(payload), signature: content(signature) };
  } catch {
    throw new ApprovalError("form");
  }
}

/**
 * Checks that a key has approved this file.
 *
 * @param bytes - The approval.
 * @param what - The file: a Signable, or its kind and digest.
 * @param key - The key of the approver.
 * @returns Resolves if it has.
 * @throws ApprovalError.
 */
export async function checkApproval(bytes: Uint8Array, what: Approved, key: PublicKey): Promise<void> {
  const { bucket, payload, signature } = partsOf(bytes);
  if (!equalBytes(payload, payloadOf(what))) throw new ApprovalError("other");
  // the approver may have named its key by an identifier, or not
  const forms = [signedWith(key), { alg: signedWith(key).alg, publicKey: key.key }];
  const { alg } = await anchorOfSigner(signedWith(key));
  const good = forms.some(
    (form) => equalBytes(bucket, protectedHeader(form)) && alg.verify(key.key, approvalMessage(what, form), signature, {}),
  );
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
