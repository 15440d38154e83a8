// Signatures on an envelope. Each is made over the digest that stands in the wrapper, after that digest has been checked against the
// manifest, and the result is opened with the public keys before it is returned.

import { type Anchor, open } from "@firmseal/verifier";
import { concerns } from "@firmseal/verifier/cose";
import { peek } from "@firmseal/verifier/peek";
import { HEADER_ALG, HEADER_KID, TAG_SIGN1 } from "@firmseal/verifier/spec";
import { encode as cbor, type Encodable, Tagged } from "../cbor.js";
import { anchorOfSigner, coseAlg, type PublicKey, type Signer } from "../key/key.js";
import { type Parts, readEnvelope, writeEnvelope } from "./envelope.js";

/** Under which key a signature is, or is to be. */
type Who = Pick<Signer, "alg" | "kid" | "publicKey">;

/** One key, one signature. */
export class AlreadySigned extends Error {
  override readonly name = "AlreadySigned";
  constructor(
    readonly signer: Who,
    what = "envelope",
  ) {
    super(`this key has signed the ${what} already`);
  }
}

function whoOf(key: PublicKey): Who {
  return { alg: coseAlg(key.alg), publicKey: key.key, ...(key.kid && { kid: key.kid }) };
}

/** The protected bucket. The key identifier, where there is one, is in it. */
function bucket(signer: Who): Uint8Array {
  const headers = new Map<Encodable, Encodable>([[HEADER_ALG, signer.alg]]);
  if (signer.kid) headers.set(HEADER_KID, signer.kid);
  return cbor(headers);
}

/** Sig_structure (RFC 9052 §4.4) of a COSE_Sign1 over the digest, with no external data. */
function sigStructure({ digest }: Parts, signer: Who): Uint8Array {
  return cbor(["Signature1", bucket(signer), new Uint8Array(), digest]);
}

/** The envelope taken apart, for one more signature. Throws AlreadySigned where it holds one of this key. */
function unsignedBy(envelope: Uint8Array, signer: Who, { alg, key }: Anchor): Parts {
  const isOwn = peek(envelope).claims.some((c) => concerns(c, { alg, key }) && alg.verify(key, c.message, c.signature, {}));
  if (isOwn) throw new AlreadySigned(signer);
  return readEnvelope(envelope);
}

/** The envelope with one more COSE_Sign1 with nil payload (RFC 9052 §4.2). Nobody has looked at the signature yet. */
function withSignature(parts: Parts, signer: Who, signature: Uint8Array): Uint8Array {
  const block = cbor(new Tagged(TAG_SIGN1, [bucket(signer), new Map(), null, signature]));
  return writeEnvelope({ ...parts, blocks: [...parts.blocks, block] });
}

/**
 * The bytes that `key` signs on this envelope: the Sig_structure over its digest, for the algorithm and the identifier of the key. With
 * SHA-256 and no identifier they are 55 bytes (Ed25519: the message itself; P-256: what is hashed with SHA-256 and then signed).
 * Other signatures do not change them. Throws AlreadySigned, and the refusals of peek().
 *
 * ```ts
 * const message = await tbs(envelope, key);                        // to where the private key is
 * const signed = await attach(envelope, key, await ceremony(message));
 * ```
 */
export async function tbs(envelope: Uint8Array, key: PublicKey): Promise<Uint8Array> {
  const who = whoOf(key);
  return sigStructure(unsignedBy(envelope, who, await anchorOfSigner(who)), who);
}

/**
 * Adds a signature that was made somewhere else over tbs(envelope, key): raw, as Signer.sign() gives it, 64 bytes R ‖ S (RFC 8032 §5.1.6) or
 * r ‖ s (RFC 9053 §2.1), those of ML-DSA, or that of RFC 8554 §6.2.
 * The key must be the same, its identifier too. The result has been opened with the key: a signature that is not its own is refused
 * with SIGNATURE_INVALID. Throws AlreadySigned, and the refusals of peek() and open().
 */
export async function attach(envelope: Uint8Array, key: PublicKey, signature: Uint8Array): Promise<Uint8Array> {
  const who = whoOf(key);
  const anchor = await anchorOfSigner(who);
  const out = withSignature(unsignedBy(envelope, who, anchor), who, signature);
  // no other signature of this key verifies, or it would have been present: what is opened here is opened by the new one
  open(out, { anchors: [anchor] }, {}, true);
  return out;
}

/**
 * Adds a signature of each signer to an envelope, signed or not. Other signatures, severed elements and payloads stay as they are.
 * Throws AlreadySigned where one has signed before (or is given twice), and the refusals of peek() and open().
 */
export async function sign(envelope: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  const anchors: Anchor[] = [];
  let out = envelope;
  for (const signer of signers) {
    const anchor = await anchorOfSigner(signer);
    anchors.push(anchor);
    const parts = unsignedBy(out, signer, anchor);
    out = withSignature(parts, signer, await signer.sign(sigStructure(parts, signer)));
  }
  // never let out what nobody could install: wrong key, faulty signer, a manifest that no device runs
  open(out, { anchors, need: signers.length }, {}, true);
  return out;
}
