// Trust files in the rotation workflow: signed by the required number of their own roots.

import { nodeHost } from "@firmseal/simulator";
import { embeddedTrust, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { readItem } from "@firmseal/verifier/tools";
import { acceptedTrust } from "./trust-ref.js";

export interface TrustOnFile {
  /** The path, as given. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
}

/** Reads a trust file that enough of its own roots have signed. Throws the refusals of trustFileUnchecked(). */
export function signedTrust(bytes: Uint8Array): TrustStore {
  return trustFileUnchecked(bytes, embeddedTrust(bytes), nodeHost);
}

/**
 * The trust files of a chain: one, or several one behind the other, as a release brings them. Throws the refusals of
 * CBOR if an item is truncated.
 */
export function chainFiles(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { end } = readItem(bytes, at);
    out.push(bytes.slice(at, end));
    at = end;
  }
  return out;
}

/** The content of each file of a chain, each signed by its own roots. Throws the refusals of signedTrust(). */
export function signedChain(bytes: Uint8Array): TrustStore[] {
  return chainFiles(bytes).map(signedTrust);
}

/** Reads a trust file from a path. Throws a Failure with the refusal that a device would give. */
export function readTrustFile(path: string): TrustOnFile {
  return { path, ...acceptedTrust(path) };
}
