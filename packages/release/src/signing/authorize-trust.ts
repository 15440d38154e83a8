// Authorizes one use of roots on a trust file, as authorize.ts does for envelopes.

import {
  type ClockOverride,
  checkSequence,
  keyName,
  type OpenedKey,
  type Receipt,
  type SequenceOverrides,
  withSigningLogs,
} from "@firmseal/keys";
import { isOfTrustFile, logsFor, refusedInput, TRUST_FILES, visible, warn } from "@firmseal/keys/internal";
import { type PrecedingTrust, signedWith, TrustDraft } from "@firmseal/signer";
import type { PreviousTrust } from "../trust/change.js";
import { type ComparisonOptions, digestOfTrust, knownTrust, numberOfTrust, uncompared } from "../trust/trust-log.js";
import { type Approvals, approvalsByLog, checkApprovals, NO_APPROVALS } from "./approval.js";
import { refuseMovedKeys } from "./coverage.js";
import { type Asked, enterUses, overridden } from "./enter-uses.js";

/** Options of recordTrustSigning(). */
export interface TrustSigningOptions extends SequenceOverrides, ClockOverride, ComparisonOptions {
  /** The log of the keys, if it is elsewhere. */
  log?: string;
  /** Who must have approved it. */
  approvals?: Approvals;
}

/** Refuses the last sequence number: no trust file could follow, so its keys would be trusted forever. */
export function refuseLastNumber(sequence: bigint): void {
  if (sequence < LAST) return;
  throw refusedInput(
    "ERR_SEQUENCE",
    `sequence number ${sequence} is the last one: no trust file could ever replace this one`,
    "give a lower number: the next one is one above the previous file's",
  );
}

const LAST = 2n ** 64n - 1n;

/**
 * Like recordSigning(), for a trust file: checks its number by the same rule, and records that each key is to sign it,
 * or has signed it elsewhere. `before`: for each key, the trust files whose roots may sign as well; `previous`: the
 * previous files. Its numbers are those of its product line, not those of manifests. Throws NotRoot, the refusals of
 * the logs, and Failures if a log cannot be written.
 */
export async function recordTrustSigning(
  operation: string,
  keys: readonly OpenedKey[],
  o: TrustSigningOptions,
  bytes: Uint8Array,
  before: readonly PrecedingTrust[],
  previous: readonly PreviousTrust[],
): Promise<Receipt[]> {
  const draft = TrustDraft.read(bytes);
  const messages = keys.map((key, i) => draft.after(before[i]).message(signedWith(key.public)));
  refuseLastNumber(draft.sequence);
  const approvals = o.approvals ?? NO_APPROVALS;
  const approvers = await checkApprovals(draft, keys, approvals);
  const asked: Asked = {
    digest: digestOfTrust(draft.store),
    ...numberOfTrust(draft.store),
    ...(approvers.length > 0 && { approvers }),
  };
  return await withSigningLogs(
    keys,
    o.log,
    async (signingLogs) => {
      const entries = signingLogs.logs.flat();
      refuseMovedKeys(keys, entries);
      // trust files that were given count as a log: devices have them
      const logs = [...logsFor(keys, signingLogs), { entries: previous.map(knownTrust) }];
      const numbers = checkSequence(logs, { ...asked, sequence: BigInt(asked.sequence) }, o, TRUST_FILES);
      const byLog = approvalsByLog(entries, keys, approvals);
      const overrides = [...numbers, ...uncompared(signingLogs.logs, draft.store, previous, o), ...byLog.overrides];
      for (const { name, public: key } of keys) {
        const release = entries.find((e) => e.key === keyName(key) && e.sequence !== undefined && !isOfTrustFile(e));
        if (release) warn(`${visible(name)} has signed a release (entry ${release.n} of its log), but a root signs only trust files`);
      }
      return await enterUses(signingLogs, operation, keys, messages, overridden(asked, overrides), byLog.removed);
    },
    o,
  );
}
