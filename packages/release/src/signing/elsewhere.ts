// Keys that sign manifests on another machine: the rules of sign, as far as this machine has their logs.

import { versionIn } from "@firmseal/behaviour";
import { checkSequence, type Entry, keyName, type SequenceOverrides, withSigningLogs } from "@firmseal/keys";
import { consultLog, isLedgerPlace, logsFor, refuseOtherFamily, usage, warn } from "@firmseal/keys/internal";
import type { EnvelopeDraft } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import type { TrustOnFile } from "../trust/read.js";
import { type Approvals, approvalsByLog, checkApprovals, type UsedApprovals } from "./approval.js";
import { type CoverOptions, type NamedKey, refuseMovedKeys, refuseRootKeys, refuseUncovered } from "./coverage.js";
import { logDigest, scopeOf } from "./scope.js";

/** Options of refuseKeys(). */
export interface ElsewhereOptions extends SequenceOverrides, CoverOptions {
  /** The log of the keys, if it is elsewhere. */
  log?: string;
}

/**
 * Refuses keys whose private part is elsewhere, as recordSigning() refuses others: by the trust files, the approvals,
 * and by the logs of the keys, if this machine has them. Enters nothing, except that it claims the number in a ledger.
 * `used`: for several envelopes, each of which has approvals of its own. Throws the refusals of the logs.
 */
export async function refuseKeys(
  draft: EnvelopeDraft,
  m: Manifest,
  keys: readonly NamedKey[],
  { lists, approvals, used }: { lists: readonly TrustOnFile[]; approvals: Approvals; used?: UsedApprovals | undefined },
  o: ElsewhereOptions,
): Promise<void> {
  refuseUncovered(m, keys, lists, o.role);
  if (approvals.removed.length > 0)
    throw usage(
      "`removeApprover`: nothing is entered here, so the log would go on requiring this person",
      "give it to a command that signs with the key, or allow this one: `allowNoApproval`",
    );
  const approvers = await checkApprovals(draft, keys, approvals, used);
  const version = versionIn(draft.outline);
  const asked = { sequence: draft.sequence, digest: logDigest(draft), scope: scopeOf(m), ...(version !== undefined && { version }) };
  const overridden = (logs: readonly (readonly Entry[])[]) => {
    const entries = logs.flat();
    refuseMovedKeys(keys, entries);
    // what signs enters the use, and is refused there
    for (const key of keys) refuseOtherFamily(entries, { key: keyName(key.public), scope: asked.scope });
    const overrides = [
      ...refuseRootKeys(keys, entries, o),
      ...approvalsByLog(entries, keys, approvals).overrides,
      ...checkSequence(logsFor(keys, { logs }), asked, o),
    ];
    for (const override of overrides) warn(`the log of the key speaks against it; it is accepted because of \`${override}\``);
    return overrides;
  };
  if (!isLedgerPlace(o.log)) return void overridden(keys.map((key) => consultLog(key, o.log)));
  // keys that sign without this network cannot enter it, and another machine may ask for the same number meanwhile
  await withSigningLogs(keys, o.log, async (logs) => {
    const overrides = overridden(logs.logs);
    for (const key of keys) {
      const use = {
        ...{ operation: CLAIM, ...asked, sequence: String(asked.sequence) },
        ...(approvers.length > 0 && { approvers }),
        ...(overrides.length > 0 && { overrides }),
      };
      if (!logs.entered(key, use)) logs.record(key, use);
    }
  });
}

/** The operation that takes a number for a key whose private part is elsewhere. */
const CLAIM = "tbs";
