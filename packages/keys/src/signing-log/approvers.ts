// Whose approval a key needs, by the entries of its log.

import { type Entry, isSigning } from "./entry.js";

/** The override of one signature without an approval. */
const OVERRIDE = "allow-no-approval";

/**
 * Whose approval a key needs, and the entry that first asked for it: everybody whom its log names, except those whom a
 * later entry removes. An entry can only remove whom its own log has named, so that in a joined log nobody disappears
 * whom one of the machines did not know. Thumbprints, hex.
 */
export function neededApprovers(entries: readonly Entry[], key: string): Map<string, Entry> {
  const out = new Map<string, Entry>();
  for (const e of entries) if (e.key === key) change(out, e);
  return out;
}

function change(needed: Map<string, Entry>, entry: Entry): void {
  for (const name of entry.removed ?? []) needed.delete(name);
  for (const name of entry.approvers ?? []) if (!needed.has(name)) needed.set(name, entry);
}

/** The entries that say whose approval a key needs. Alone, they say the same. */
export function approvalEntries(entries: readonly Entry[], key: string): Entry[] {
  const naming = new Set(neededApprovers(entries, key).values());
  return entries.filter((e) => naming.has(e) || (e.key === key && e.removed?.[0]));
}

/** A needed approver who is not among those who were asked, and the entry that requires it. Thumbprints, hex. */
export interface MissingApprover {
  approver: string;
  required: Entry;
}

/** The first needed approver who is not among `given`. */
export function missingApprover(needed: ReadonlyMap<string, Entry>, given: readonly string[]): MissingApprover | undefined {
  for (const [approver, required] of needed) if (!given.includes(approver)) return { approver, required };
  return undefined;
}

/** Entries of signatures that a needed approver has not approved, although nothing allowed it. */
export function withoutApprover(entries: readonly Entry[]): (MissingApprover & { entry: Entry })[] {
  const before = new Map<string, Map<string, Entry>>();
  const out: (MissingApprover & { entry: Entry })[] = [];
  for (const entry of entries) {
    const { key, approvers = [], overrides } = entry;
    if (key === undefined) continue;
    const needed = before.get(key) ?? new Map<string, Entry>();
    before.set(key, needed);
    // an entry counts for itself
    change(needed, entry);
    if (entry.digest === undefined || !isSigning(entry) || overrides?.includes(OVERRIDE)) continue;
    const missing = missingApprover(needed, approvers);
    if (missing) out.push({ ...missing, entry });
  }
  return out;
}
