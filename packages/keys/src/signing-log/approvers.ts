// Whose approval a key needs, by the entries of its log.

import { type Entry, isSigning, JOIN } from "./entry.js";

/** The override of one signature without an approval. */
const OVERRIDE = "allow-no-approval";

/** The needed approvers, and the entry that first asked for each. Thumbprints, hex. */
export type NeededApprovers = ReadonlyMap<string, Entry>;

/** An approver who is needed and was not asked, and the entry that requires it. */
export interface MissingApprover {
  approver: string;
  required: Entry;
}

/**
 * Whose approval a key needs: everybody whom its log names, and whom no later entry removes. Where two logs were
 * joined, everybody is needed whom one of them has ever named: neither could remove whom the other one requires.
 * `each`: an entry of the key, and what is needed with it.
 */
export function neededApprovers(
  entries: readonly Entry[],
  key: string,
  each?: (entry: Entry, needed: NeededApprovers) => void,
): NeededApprovers {
  const ever = new Map<string, Entry>();
  let needed = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.operation === JOIN) needed = new Map(ever);
    if (entry.key !== key) continue;
    for (const name of entry.removed ?? []) needed.delete(name);
    for (const name of entry.approvers ?? []) for (const known of [ever, needed]) if (!known.has(name)) known.set(name, entry);
    each?.(entry, needed);
  }
  return needed;
}

/**
 * The entries that say whose approval each key needs. For each person: the first that names them, the last that removes
 * them, and the first that names them from then on; and the last one that joins a log. Alone or among other entries of
 * the log, they say the same.
 */
export function approvalEntries(entries: readonly Entry[]): Entry[] {
  const people = new Map<string, { first?: Entry | undefined; removal?: Entry; again?: Entry | undefined }>();
  let joined: Entry | undefined;
  for (const entry of entries) {
    if (entry.operation === JOIN) joined = entry;
    for (const name of entry.removed ?? []) {
      const id = `${entry.key} ${name}`;
      people.set(id, { first: people.get(id)?.first, removal: entry });
    }
    for (const name of entry.approvers ?? []) {
      const id = `${entry.key} ${name}`;
      const known = people.get(id);
      if (!known?.again) people.set(id, { ...known, first: known?.first ?? entry, again: entry });
    }
  }
  const kept = new Set([...people.values()].flatMap(({ first, removal, again }) => [first, removal, again]));
  if (kept.size > 0) kept.add(joined);
  return entries.filter((e) => kept.has(e));
}

/** The first needed approver who is not among `given`. */
export function missingApprover(needed: NeededApprovers, given: readonly string[]): MissingApprover | undefined {
  for (const [approver, required] of needed) if (!given.includes(approver)) return { approver, required };
  return undefined;
}

/** Entries of signatures that a needed approver has not approved, although nothing allowed it. */
export function withoutApprover(entries: readonly Entry[]): (MissingApprover & { entry: Entry })[] {
  const out: (MissingApprover & { entry: Entry })[] = [];
  for (const key of new Set(entries.flatMap((e) => (e.approvers?.[0] === undefined ? [] : (e.key ?? [])))))
    neededApprovers(entries, key, (entry, needed) => {
      if (entry.digest === undefined || !isSigning(entry) || entry.overrides?.includes(OVERRIDE)) return;
      const missing = missingApprover(needed, entry.approvers ?? []);
      if (missing) out.push({ ...missing, entry });
    });
  return out;
}
