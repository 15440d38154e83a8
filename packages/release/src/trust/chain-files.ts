// The files of a chain: several trust files one behind the other, as a release brings them to devices that were away.

import type { TrustStore } from "@firmseal/verifier";
import { readItem } from "@firmseal/verifier/tools";
import { signedTrust } from "./trust-file.js";

/**
 * The content of each file of a chain, or of one file, each signed by its own roots. Throws the refusals of signedTrust()
 * and of CBOR.
 */
export function signedChain(bytes: Uint8Array): TrustStore[] {
  const out: TrustStore[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { end } = readItem(bytes, at);
    out.push(signedTrust(bytes.slice(at, end)));
    at = end;
  }
  return out;
}
