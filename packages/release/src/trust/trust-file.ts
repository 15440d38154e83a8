// Trust files in the rotation workflow: signed by the required number of their own roots.

import { nodeHost } from "@firmseal/simulator";
import { embeddedTrust, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
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

/** Reads a trust file from a path. Throws a Failure with the refusal that a device would give. */
export function readTrustFile(path: string): TrustOnFile {
  return { path, ...acceptedTrust(path) };
}
