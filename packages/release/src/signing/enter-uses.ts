// The entry that goes before a signature, and the facts in it.

import type { OpenedKey, Receipt, SigningFacts, SigningLogs } from "@firmseal/keys";
import { sha256Hex, warn } from "@firmseal/keys/internal";

/**
 * Enters the use of each key, all that was asked having been granted. A one-time key gives out its leaf before, so that
 * its log has the number: logs of copies show a leaf that was used twice. A leaf whose entry cannot be written then is
 * lost, and has signed nothing.
 */
export async function enterUses(
  signingLogs: SigningLogs,
  operation: string,
  keys: readonly OpenedKey[],
  messages: readonly Uint8Array[],
  facts: Omit<SigningFacts, "operation" | "tbs" | "leaf">,
): Promise<Receipt[]> {
  const leaves: (string | undefined)[] = [];
  for (const key of keys) leaves.push(await key.claim?.());
  return keys.map((key, i) => {
    const [tbs, leaf] = [sha256Hex(messages[i] as Uint8Array), leaves[i]];
    return signingLogs.record(key, { operation, tbs, ...(leaf !== undefined && { leaf }), ...facts });
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
  removed?: string[];
}

/** Says which refusals were overridden and who falls away, and has it entered. */
export function overridden(asked: Asked, overrides: string[]): Asked {
  for (const name of asked.removed ?? []) warn(`from now on, the approval of ${name.slice(0, 16)}… is not required`);
  for (const override of overrides) warn(`sequence number ${asked.sequence} is signed because of \`${override}\``);
  return overrides.length > 0 ? { ...asked, overrides } : asked;
}
