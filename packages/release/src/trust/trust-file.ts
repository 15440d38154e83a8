// Trust files as the workflow of a rotation takes them: read, and signed by as many of their own roots as they want.

import { host } from "@firmseal/simulator";
import { embeddedTrust, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { believedAt } from "./trust-ref.js";

export interface TrustOnFile {
  /** As it was named. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
}

/** The list of a file of which as many of its own roots have signed as it wants. Throws the refusals of trustFileUnchecked(). */
export function signedTrust(bytes: Uint8Array): TrustStore {
  return trustFileUnchecked(bytes, embeddedTrust(bytes), host);
}

/** Reads a trust file. Throws a Failure with the refusal that a device would give. */
export function readTrustFile(path: string): TrustOnFile {
  return { path, ...believedAt(path) };
}
