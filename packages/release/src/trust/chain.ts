// Several trust files in sequence: those of --previous-trust, and chains, which a release brings to devices that missed
// some of them.

import { Failure } from "@firmseal/keys";
import { refusedInput } from "@firmseal/keys/internal";
import { acceptTrust, decodeTrust, trustName } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { compareSequence, embeddedTrust, errors, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { equalBytes, formatSequence, MAX_CHAIN, readItem, throwRefusal } from "@firmseal/verifier/tools";
import { bigSequence } from "../input/sequence.js";
import { refusalHint, withFileName } from "../verify/refusals.js";
import { readTrustBytes, readTrustFile, refuseUnsigned, type TrustOnFile } from "./read.js";

/** The trust files of a chain, as devices read it. One file alone is a chain too. */
export function trustFilesIn(bytes: Uint8Array): Uint8Array[] {
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
export function selfSignedTrust(bytes: Uint8Array): TrustStore {
  return trustFileUnchecked(bytes, embeddedTrust(trustFilesIn(bytes)[0] ?? bytes), nodeHost);
}

/**
 * The content of each file of a chain, or of one file, each signed by its own roots. Throws the refusals of
 * selfSignedTrust() and of CBOR.
 */
export function selfSignedFiles(bytes: Uint8Array): TrustStore[] {
  return trustFilesIn(bytes).map((one) => selfSignedTrust(one));
}

/** Throws a Failure if a trust file is for another product line than the previous one. */
export function refuseOtherLine(path: string, store: TrustStore, previous: TrustOnFile): void {
  if (equalBytes(previous.store.name, store.name)) return;
  throw new Failure(
    1,
    "ERR_TRUST_NAME",
    `${path} is for ${JSON.stringify(trustName(store))}, and ${previous.path} for ${JSON.stringify(trustName(previous.store))}`,
    refusalHint(errors.TRUST_NAME),
  );
}

/**
 * Reads the files of --previous-trust, the newest first. Each must be signed by its own roots, and be of the line of
 * `store`. Throws a Failure, SEQUENCE, for a fork: with two different files of one number, it is not known which one
 * devices have.
 */
export function readPreviousTrust(paths: readonly string[], path: string, store: TrustStore): TrustOnFile[] {
  const chain = paths.map(readTrustFile).sort((a, b) => compareSequence(b.store.sequence, a.store.sequence));
  for (const [i, one] of chain.entries()) {
    refuseOtherLine(path, store, one);
    const fork = chain[i + 1];
    if (fork && compareSequence(fork.store.sequence, one.store.sequence) === 0 && !equalBytes(fork.store.payload, one.store.payload))
      throw refusedInput(
        "ERR_SEQUENCE",
        `${fork.path} and ${one.path}: two different trust files have the sequence number ${formatSequence(one.store.sequence)}`,
        "find out which of them devices have; the next trust file needs a number above both, and signatures of the roots of both",
      );
  }
  return chain;
}

/**
 * Reads a chain of trust files from a path, or one file. Each must be signed by its own roots, and by those of the file
 * before it. `store` is the content of the last one. Throws a Failure with the refusal that a device would give.
 */
export function readTrustChain(path: string): TrustOnFile {
  const bytes = readTrustBytes(path);
  try {
    const file = decodeTrust(trustFilesIn(bytes)[0] as Uint8Array);
    refuseUnsigned(path, file);
    return { path, bytes, store: selfSignedTrust(bytes) };
  } catch (e) {
    throw e instanceof Failure ? e : withFileName(path, e);
  }
}

/**
 * Makes the chain of some trust files, in the order of their numbers. It moves devices that have one of them, or the
 * one before the first. Throws a Failure if a file is missing or is there twice, if the roots of one have not signed
 * the next, or if there are more than 16.
 */
export function chainOf(paths: readonly string[]): { bytes: Uint8Array; files: TrustOnFile[] } {
  const files = paths.map(readTrustFile).sort((a, b) => compareSequence(a.store.sequence, b.store.sequence));
  const [first] = files as [TrustOnFile];
  for (const [i, next] of files.entries()) {
    const before = files[i - 1];
    if (!before) continue;
    refuseOtherLine(next.path, next.store, before);
    if (bigSequence(next.store.sequence) !== bigSequence(before.store.sequence) + 1n)
      throw new Failure(
        1,
        "ERR_TRUST_CHAIN",
        `${next.path} has the sequence number ${formatSequence(next.store.sequence)}, and ${before.path} ${formatSequence(before.store.sequence)}`,
        "give each trust file between the first and the last, once",
      );
    try {
      acceptTrust(next.bytes, before.store, nodeHost);
    } catch (e) {
      throw withFileName(next.path, e);
    }
  }
  const bytes = Uint8Array.from(files.flatMap((file) => [...file.bytes]));
  try {
    acceptTrust(bytes, first.store, nodeHost);
  } catch (e) {
    // more of them, or of their bytes, than a device takes
    throw withFileName(files.at(-1)?.path as string, e);
  }
  return { bytes, files };
}
