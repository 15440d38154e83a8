// Whose approval a key needs, by the entries of its log.

import { type Entry, isSigning } from "./entry.js";

const OVERRIDE = "allow-no-approval";

/**
 * The entries that say whose approval a key needs: that of everybody whom they name. A set of approvers shrinks only by
 * an entry with an override and a new set. An entry that names others adds them, so it cannot replace anybody.
 * `key`: thumbprint, hex.
 */
export function approvalEntries(entries: readonly Entry[], key: string): Entry[] {
  let out: Entry[] = [];
  for (const e of entries) {
    if (e.key !== key || !e.approvers?.[0]) continue;
    if (e.overrides?.includes(OVERRIDE)) out = [];
    if (e.approvers.some((name) => !namedBy(out, name))) out.push(e);
  }
  return out;
}

const namedBy = (entries: readonly Entry[], name: string) => entries.find((e) => e.approvers?.includes(name));

/** The first of the needed approvers who is not among `given`, and the entry that requires it: thumbprints, hex. */
export function missingApprover(
  entries: readonly Entry[],
  key: string,
  given: readonly string[],
): { approver: string; required: Entry } | undefined {
  for (const required of approvalEntries(entries, key))
    for (const approver of required.approvers ?? []) if (!given.includes(approver)) return { approver, required };
  return undefined;
}

/** Entries of signatures that a needed approver has not approved, although nothing allowed it. */
export function withoutApprover(entries: readonly Entry[]): { approver: string; required: Entry; entry: Entry }[] {
  const before = new Map<string, Entry[]>();
  const out: { approver: string; required: Entry; entry: Entry }[] = [];
  for (const entry of entries) {
    const { key, digest, approvers = [], overrides } = entry;
    if (key === undefined || digest === undefined) continue;
    const known = before.get(key) ?? [];
    if (isSigning(entry) && !overrides?.includes(OVERRIDE)) {
      const missing = missingApprover(known, key, approvers);
      if (missing) out.push({ ...missing, entry });
    }
    if (approvers[0]) before.set(key, approvalEntries([...known, entry], key));
  }
  return out;
}
