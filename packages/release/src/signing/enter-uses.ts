// The entry that goes before a signature, and the facts in it.

import { keyName, type OpenedKey, type Receipt, type SigningFacts, type SigningLogs } from "@firmseal/keys";
import { sha256Hex, warn } from "@firmseal/keys/internal";
import type { ApprovalsByLog } from "./approval.js";

/**
 * Enters the use of each key, all that was asked having been granted. A one-time key gives out its leaf before, so that
 * its log has the number: logs of copies show a leaf that was used twice. A leaf whose entry cannot be written then is
 * lost, and has signed nothing. `removed`: whom the log of each key no longer requires as an approver.
 */
export async function enterUses(
  signingLogs: Pick<SigningLogs, "record" | "refuseOther">,
  operation: string,
  keys: readonly OpenedKey[],
  messages: readonly Uint8Array[],
  facts: Omit<SigningFacts, "operation" | "tbs" | "leaf">,
  removed: ApprovalsByLog["removed"] = new Map(),
): Promise<Receipt[]> {
  for (const name of new Set([...removed.values()].flat())) warn(`from now on, the approval of ${name.slice(0, 16)}… is not required`);
  // before a leaf is claimed, and before the first entry
  signingLogs.refuseOther(keys, { operation, ...facts });
  const leaves: (string | undefined)[] = [];
  for (const key of keys) leaves.push(await key.claim?.());
  return keys.map((key, i) => {
    const [tbs, leaf] = [sha256Hex(messages[i] as Uint8Array), leaves[i]];
    const gone = removed.get(keyName(key.public));
    const end = gone && { removed: [...gone], overrides: [...(facts.overrides ?? []), "remove-approver"] };
    return signingLogs.record(key, { operation, tbs, ...(leaf !== undefined && { leaf }), ...facts, ...end });
  });
}

/** The facts of what keys are asked to sign. */
export interface Asked {
  digest: string;
  sequence: string;
  version?: string;
  scope: string[];
  overrides?: string[];
  approvers?: string[];
}

/** Says which refusals were overridden, and has it entered. */
export function overridden(asked: Asked, overrides: string[]): Asked {
  for (const override of overrides) warn(`sequence number ${asked.sequence} is signed because of \`${override}\``);
  return overrides.length > 0 ? { ...asked, overrides } : asked;
}
