// What a signed trust file proves beside the logs: which root has signed which list.

import { type Entry, keyName } from "@firmseal/keys";
import { trustSigners } from "@firmseal/signer";
import { keysOf } from "./facts.js";
import { readUnverifiedTrust } from "./read.js";
import { digestOfTrust, numberOfTrust } from "./trust-log.js";

/** A file as a log of one entry for each root that has signed it. The entries have no number: nothing was entered. */
export interface TrustEvidence {
  readonly path: string;
  readonly entries: Entry[];
}

/**
 * Reads trust files. Roots of each are looked for in all: an old root may have signed a list that no longer names it.
 */
export function trustEvidence(paths: readonly string[]): TrustEvidence[] {
  const files = paths.map((path) => ({ path, ...readUnverifiedTrust(path) }));
  const known = files.flatMap(({ store }) => keysOf(store));
  return files.map(({ path, bytes, store }) => ({
    path,
    entries: trustSigners(bytes, known).map((key): Entry => {
      const digest = digestOfTrust(store);
      return {
        v: 1,
        n: 0,
        time: "",
        user: "",
        host: "",
        operation: "trust file",
        key: keyName(key),
        digest,
        ...numberOfTrust(store),
        prev: "",
        // what makes an entry one: two copies of a file prove the same
        hash: `${keyName(key)} ${digest}`,
      };
    }),
  }));
}
