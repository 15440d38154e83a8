// A signature that was made elsewhere, over an envelope that is here.

import { wrongSignature } from "@firmseal/keys/internal";
import { coseAlg, coseAlgs, type EnvelopeDraft, type PublicKey, signedWith } from "@firmseal/signer";
import { errors, type Manifest } from "@firmseal/verifier";
import { isRefusal } from "../verify/refusals.js";
import { type ReviewOptions, reviewSigned } from "./draft.js";

/**
 * Adds a signature, under the COSE algorithm that it was made for: tbs may have named either of two, and the signature
 * covers the name. `name`: what the signature is called in messages. Throws a Failure for a signature of another key or
 * another content, AlreadySigned, and as reviewSigned() does.
 */
export async function withSignatureOf(
  unsigned: EnvelopeDraft,
  key: PublicKey,
  signature: Uint8Array,
  name: string,
  o: ReviewOptions,
): Promise<{ draft: EnvelopeDraft; manifest: Manifest }> {
  const usual = coseAlg(key.alg);
  for (const alg of [usual, ...coseAlgs(key.alg).filter((one) => one !== usual)]) {
    const who = signedWith(key, alg);
    const draft = await unsigned.withSignature(who, signature);
    try {
      // an earlier signature of this key that verifies would have been refused: what opens the envelope is this one
      return { draft, manifest: await reviewSigned(draft, [who], o) };
    } catch (e) {
      if (!isRefusal(e) || e.code !== errors.SIGNATURE_INVALID) throw e;
    }
  }
  throw wrongSignature(
    `refused: ${name} is not the signature of this key over this envelope`,
    "sign what firmseal tbs writes for this envelope, and give the key in the same form, with or without its identifier",
  );
}
