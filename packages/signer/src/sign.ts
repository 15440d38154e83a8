// Signatures on an envelope. Each is made over the digest that stands in the wrapper, after that digest has been checked against the
// manifest, and the result is opened with the public keys before it is returned.

import { type Alg, type Anchor, ed25519, es256, open } from "@firmseal/verifier";
import { concerns, structure } from "@firmseal/verifier/cose";
import { peek } from "@firmseal/verifier/peek";
import { ALG_ED25519, ALG_ESP256, HEADER_ALG, HEADER_KID, TAG_SIGN1 } from "@firmseal/verifier/spec";
import { encode as cbor, type Encodable, Tagged } from "./cbor.js";
import { readEnvelope, writeEnvelope } from "./envelope.js";
import type { Signer } from "./key.js";

/** One key, one signature. */
export class AlreadySigned extends Error {
  override readonly name = "AlreadySigned";
  constructor(readonly signer: Signer) {
    super("this key has signed the envelope already");
  }
}

function algOf(signer: Signer): Alg {
  if (signer.alg === ALG_ED25519) return ed25519;
  if (signer.alg === ALG_ESP256) return es256;
  throw new TypeError(`no verifier for COSE algorithm ${signer.alg}`);
}

function anchorOfSigner(signer: Signer): Anchor {
  return { alg: algOf(signer), key: signer.publicKey };
}

/** COSE_Sign1 with nil payload over `message` (RFC 9052 §4.2). The key identifier, where there is one, is protected. */
async function sign1(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const headers = new Map<Encodable, Encodable>([[HEADER_ALG, signer.alg]]);
  if (signer.kid) headers.set(HEADER_KID, signer.kid);
  const bucket = cbor(headers);
  const signature = await signer.sign(Uint8Array.from(structure("Signature1", [bucket, [], message])));
  return cbor(new Tagged(TAG_SIGN1, [bucket, new Map(), null, signature]));
}

/** The first of `signers` whose signature the envelope already holds. */
function present(envelope: Uint8Array, signers: readonly Signer[]): Signer | undefined {
  const { claims } = peek(envelope);
  return signers.find((s) =>
    claims.some((c) => concerns(c, anchorOfSigner(s)) && algOf(s).verify(s.publicKey, c.message, c.signature, {})),
  );
}

/**
 * Adds a signature of each signer to an envelope, signed or not. Other signatures, severed elements and payloads stay as they are.
 * Throws AlreadySigned where one has signed before (or is given twice), and the refusals of peek() and open().
 */
export async function sign(envelope: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  if (signers.length === 0) throw new TypeError("no signer");
  let out = envelope;
  for (const signer of signers) {
    if (present(out, [signer])) throw new AlreadySigned(signer);
    const parts = readEnvelope(out);
    parts.blocks.push(await sign1(signer, parts.digest));
    out = writeEnvelope(parts);
  }
  // never let out what nobody could install: wrong key, faulty signer, a manifest that no device runs
  open(out, { anchors: signers.map(anchorOfSigner), need: signers.length });
  return out;
}
