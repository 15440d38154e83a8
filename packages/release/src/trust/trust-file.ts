// Trust files as the workflow of a rotation takes them: read, and signed by as many of their own roots as they want.

import { nodeHost } from "@firmseal/simulator";
import { embeddedTrust, type TrustStore, trustFile } from "@firmseal/verifier";
import { acceptedTrust } from "./trust-ref.js";

export interface TrustOnFile {
  /** As it was named. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
}

/** The list of a file of which as many of its own roots have signed as it wants. Throws the refusals of trustFile(). */
export function signedTrust(bytes: Uint8Array): TrustStore {
  return trustFile(bytes, embeddedTrust(bytes), nodeHost);
}

/** Reads a trust file. Throws a Failure with the refusal that a device would give. */
export function readTrustFile(path: string): TrustOnFile {
  return { path, ...acceptedTrust(path) };
}
