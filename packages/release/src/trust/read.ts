// Trust files in the rotation workflow: signed by the required number of their own roots.

import { nodeHost } from "@firmseal/simulator";
import { embeddedTrust, errors, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { MAX_CHAIN, readItem, throwRefusal } from "@firmseal/verifier/tools";
import { acceptedTrust } from "./trusted-keys.js";

/** A trust file, with the path that it was read from. */
export interface TrustOnFile {
  /** The path, as given. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
}

/** The trust files of a chain, as devices read it. One file alone is a chain too. */
export function filesIn(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (out.length === MAX_CHAIN) throwRefusal(errors.TRUST_LIMIT, at);
    const { end } = readItem(bytes, at);
    out.push(bytes.subarray(at, end));
    at = end;
  }
  return out;
}

/**
 * Reads a trust file that enough of its own roots have signed, or a chain, each of which follows the previous one.
 * Throws the refusals of trustFileUnchecked().
 */
export function signedTrust(bytes: Uint8Array): TrustStore {
  return trustFileUnchecked(bytes, embeddedTrust(filesIn(bytes)[0] ?? bytes), nodeHost);
}

/** Reads a trust file from a path. Throws a Failure with the refusal that a device would give. */
export function readTrustFile(path: string): TrustOnFile {
  return { path, ...acceptedTrust(path) };
}
