// The files of a chain: several trust files in sequence, as a release brings them to devices that missed some of them.

import type { TrustStore } from "@firmseal/verifier";
import { filesIn, signedTrust } from "./read.js";

/**
 * The content of each file of a chain, or of one file, each signed by its own roots. Throws the refusals of
 * signedTrust() and of CBOR.
 */
export function signedChain(bytes: Uint8Array): TrustStore[] {
  return filesIn(bytes).map((one) => signedTrust(one));
}
