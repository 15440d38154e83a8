// The trust files before one that is to be signed: the one that it follows, and older ones that devices in the field still have.

import { Failure, refusedInput } from "@firmseal/keys";
import { equalBytes, trustName } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { refusalHint } from "../refusals.js";
import { big } from "../rotation/quorum.js";
import { readTrustFile, type TrustOnFile } from "./trust-file.js";

/** Throws a Failure where a list is for another line of products. */
export function checkLine(path: string, store: TrustStore, previous: TrustOnFile): void {
  if (equalBytes(previous.store.name, store.name)) return;
  throw new Failure(
    1,
    "TRUST_NAME",
    errors.TRUST_NAME,
    `${path}: is for ${JSON.stringify(trustName(store))}, and ${previous.path} for ${JSON.stringify(trustName(previous.store))}`,
    refusalHint(errors.TRUST_NAME),
  );
}

/**
 * Reads the files of --previous-trust, the newest first. Each must be signed by its own roots, and be of the line of `store`. Two different ones
 * with one number are a fork: which of them devices have is not known.
 */
export function readChain(paths: readonly string[], path: string, store: TrustStore): TrustOnFile[] {
  const chain = paths.map(readTrustFile).sort((a, b) => (big(a.store.sequence) < big(b.store.sequence) ? 1 : -1));
  for (const [i, one] of chain.entries()) {
    checkLine(path, store, one);
    const fork = chain[i + 1];
    if (fork && big(fork.store.sequence) === big(one.store.sequence) && !equalBytes(fork.store.payload, one.store.payload))
      throw refusedInput(
        "SEQUENCE",
        `${one.path} and ${fork.path}: two different trust files have the sequence number ${formatSequence(one.store.sequence)}`,
        "find out which of them devices have; the next list needs a number above both, and signatures of the roots of both",
      );
  }
  return chain;
}
