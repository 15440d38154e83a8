// Signatures that roots have made on copies of one trust file, combined, and entered in the logs of the roots that this
// machine keeps.

import { keyFacts, keyName, type OpenedKey, type Receipt } from "@firmseal/keys";
import { isSigning, keyWords, knownEntries, refusedInput } from "@firmseal/keys/internal";
import { DifferentContent, type MergedTrust, mergeTrust, type PublicKey } from "@firmseal/signer";
import type { TrustOnFile } from "../trust/read.js";
import { digestOfTrust } from "../trust/trust-log.js";
import { warnOfNoEntry } from "./approval.js";
import { recordTrustSigning, type TrustSigningOptions } from "./authorize-trust.js";

/** A trust file with the signatures of several files. */
export interface TrustMerge extends MergedTrust {
  /** The entries in the signing logs, one for each signature that was made here. */
  readonly receipts: Receipt[];
}

/** A key whose private part is elsewhere. */
const elsewhere = (key: PublicKey): OpenedKey => ({ name: keyWords(keyFacts(key)), public: key });

/**
 * Merges the signatures of `files`, which must say the same. Signatures that the log of their root does not know yet
 * are entered there, by the rule for every signature of a root: a second list of one number, or a lower one, is
 * refused. Nothing is written before.
 */
export async function mergeSignatures(
  files: readonly TrustOnFile[],
  chain: readonly TrustOnFile[],
  o: TrustSigningOptions,
): Promise<TrustMerge> {
  const [first] = files as [TrustOnFile];
  let merged: MergedTrust;
  const before = chain.map(({ store }) => store);
  try {
    merged = mergeTrust(
      files.map(({ bytes }) => bytes),
      before,
    );
  } catch (e) {
    if (!(e instanceof DifferentContent)) throw e;
    throw refusedInput(
      "ERR_SEQUENCE",
      `${files[e.index]?.path} has different content from ${first.path}, so its signatures do not count there`,
      "firmseal trust diff shows the difference; merge copies of one file only",
    );
  }
  const digest = digestOfTrust(first.store);
  const keys = merged.kept
    .flatMap(({ key }) => key ?? [])
    .map(elsewhere)
    .filter((key) => !knownEntries(key).some((e) => isSigning(e) && e.key === keyName(key.public) && e.digest === digest));
  const befores = keys.map(() => before);
  if (keys.length === 0) warnOfNoEntry(o.approvals);
  const receipts = keys.length > 0 ? await recordTrustSigning("trust merge", keys, o, first.bytes, befores, chain) : [];
  return { ...merged, receipts };
}
