// Proof that the holder of a public key has its private half. A token, a service or a program only claims it: anybody
// who can write to a token can replace the public key under the name of a release key, and no PIN is needed for it
// (SoftHSM).

import { randomBytes } from "node:crypto";
import { isStateful, keyAlgOf, type Signer } from "@firmseal/signer";

/**
 * Precedes the random bytes. A Sig_structure is a CBOR array that begins with 0x84 or 0x85 (RFC 9052 §4.4), while this
 * is text: so the signature is never valid in an envelope or a trust file.
 */
const PROOF_PREFIX = Buffer.from("firmseal proof of possession, not a signature of anything\n\0");

/**
 * Makes an external key sign the prefix and 32 random bytes. The signer verifies the signature with the claimed public
 * key and discards it. The log of the key, which lists what the key has approved, gets no entry. Throws KeyFileError.
 */
export async function provePossession(signer: Signer): Promise<void> {
  // do not spend a leaf of a one-time key: such keys are in files, whose public half is bound to the secret there
  const alg = keyAlgOf(signer.alg);
  if (alg && isStateful(alg)) throw new RangeError("a one-time key signs releases only");
  await signer.sign(Buffer.concat([PROOF_PREFIX, randomBytes(32)]));
}
