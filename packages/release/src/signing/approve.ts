// A person approves what others will sign: it is compared with what the log of the person has, entered, and signed.

import { type ClockOverride, type Receipt, type SigningKey, withSigningLogs } from "@firmseal/keys";
import { APPROVE, warn } from "@firmseal/keys/internal";
import { type Approvable, approvalMessage, approve, signedWith, TrustDraft } from "@firmseal/signer";
import type { PreviousTrust } from "../trust/change.js";
import { type ComparisonOptions, numberOfTrust, uncompared } from "../trust/trust-log.js";
import { enterUses } from "./enter-uses.js";
import { logDigest } from "./scope.js";

/** Options of approveWith(). */
export interface ApprovingOptions extends ComparisonOptions, ClockOverride {
  /** The log of the approver, if it is elsewhere. */
  log?: string;
}

/** An approval, and its entry in the log. */
export interface Approval {
  readonly bytes: Uint8Array;
  readonly receipt: Receipt;
}

/**
 * Approves a file or a release with a key, and enters that in the key's log. `previous`: of a trust file, the previous
 * ones that were shown. Throws a Failure, SEQUENCE, if the file that the log has last is not among them.
 */
export async function approveWith(
  what: Approvable,
  key: SigningKey,
  previous: readonly PreviousTrust[],
  o: ApprovingOptions,
): Promise<Approval> {
  const message = approvalMessage(what, signedWith(key.public));
  const list = what instanceof TrustDraft ? what.store : undefined;
  const [receipt] = await withSigningLogs(
    [key],
    o.log,
    (logs) => {
      const overrides = list ? uncompared(logs.logs, list, previous, o) : [];
      for (const override of overrides) warn(`approved because of \`${override}\``);
      // without a number: an approval takes none, and an approver of a list is not a root because of it
      return enterUses(logs, APPROVE, [key], [message], {
        digest: logDigest(what),
        ...(list && { scope: numberOfTrust(list).scope }),
        ...(overrides.length > 0 && { overrides }),
      });
    },
    o,
  );
  return { bytes: await approve(what, key.signer), receipt: receipt as Receipt };
}
