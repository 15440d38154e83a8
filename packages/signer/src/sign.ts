// Signatures on an envelope. Each is made over the digest that stands in the wrapper, after that digest has been checked against the
// manifest, and the result is opened with the public keys before it is returned.

import { type Anchor, open } from "@firmseal/verifier";
import { concerns, structure } from "@firmseal/verifier/cose";
import { peek } from "@firmseal/verifier/peek";
import { HEADER_ALG, HEADER_KID, TAG_SIGN1 } from "@firmseal/verifier/spec";
import { encode as cbor, type Encodable, Tagged } from "./cbor.js";
import { readEnvelope, writeEnvelope } from "./envelope.js";
import { anchorOfSigner, type Signer } from "./key.js";

/** One key, one signature. */
export class AlreadySigned extends Error {
  override readonly name = "AlreadySigned";
  constructor(readonly signer: Signer) {
    super("this key has signed the envelope already");
  }
}

/** COSE_Sign1 with nil payload over `message` (RFC 9052 §4.2). The key identifier, where there is one, is protected. */
async function sign1(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const headers = new Map<Encodable, Encodable>([[HEADER_ALG, signer.alg]]);
  if (signer.kid) headers.set(HEADER_KID, signer.kid);
  const bucket = cbor(headers);
  const signature = await signer.sign(Uint8Array.from(structure("Signature1", [bucket, [], message])));
  return cbor(new Tagged(TAG_SIGN1, [bucket, new Map(), null, signature]));
}

/** Whether the envelope holds a signature by this key already. */
function present(envelope: Uint8Array, { alg, key }: Anchor): boolean {
  return peek(envelope).claims.some((c) => concerns(c, { alg, key }) && alg.verify(key, c.message, c.signature, {}));
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
    if (present(out, anchor)) throw new AlreadySigned(signer);
    const parts = readEnvelope(out);
    parts.blocks.push(await sign1(signer, parts.digest));
    out = writeEnvelope(parts);
  }
  // never let out what nobody could install: wrong key, faulty signer, a manifest that no device runs
  open(out, { anchors, need: signers.length });
  return out;
}
