// Proof that whoever shows a public key has its private half. A token, a service or a program only claims that: anybody who can write to a
// token can put another public key under the name of a release key, and no PIN is asked for it (SoftHSM).

import { randomBytes } from "node:crypto";
import { isStateful, keyAlgOf, type Signer } from "@firmseal/signer";

/**
 * What goes before the random bytes. A Sig_structure is a CBOR array and begins with 0x84 or 0x85 (RFC 9052 §4.4), and this is text: the
 * signature can never stand in an envelope or a trust file.
 */
const PROOF_PREFIX = Buffer.from("firmseal proof of possession, not a signature of anything\n\0");

/**
 * Has a key that is kept elsewhere sign 32 random bytes behind the prefix. The signer verifies the signature under the public key that was
 * shown, and it goes nowhere: the log of the key, which lists what the key has approved, has no entry for it. Throws KeyFileError.
 */
export async function provePossession(signer: Signer): Promise<void> {
  // a leaf of a one-time key is not spent for this: such keys are in files, whose public half is bound to the secret there
  const alg = keyAlgOf(signer.alg);
  if (alg && isStateful(alg)) throw new RangeError("a one-time key signs releases only");
  await signer.sign(Buffer.concat([PROOF_PREFIX, randomBytes(32)]));
}
