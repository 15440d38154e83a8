// Whose approval a key needs, by the entries of its log.

import { type Entry, isSigning, JOIN } from "./entry.js";

/** The override of one signature without an approval. */
export const NO_APPROVAL = "allow-no-approval";

/** The needed approvers, and the entry that first asked for each. Thumbprints, hex. */
export type NeededApprovers = ReadonlyMap<string, Entry>;

/** An approver who is needed and was not asked, and the entry that requires it. */
export interface MissingApprover<One = Entry> {
  approver: string;
  required: One;
}

/** What the approval of an entry depends on. */
export type ApprovalFacts = Pick<Entry, "operation" | "key" | "approvers" | "removed" | "overrides" | "digest">;

/** Who is needed after some entries, and the one that first asked for each. */
class Needed<One extends ApprovalFacts> {
  private readonly ever = new Map<string, One>();
  private needed = new Map<string, One>();

  /** An entry of the key. */
  take(entry: One): ReadonlyMap<string, One> {
    for (const name of entry.removed ?? []) this.needed.delete(name);
    for (const name of entry.approvers ?? []) for (const known of [this.ever, this.needed]) if (!known.has(name)) known.set(name, entry);
    return this.needed;
  }

  /** Neither of two logs could remove whom the other one requires. */
  join(): void {
    this.needed = new Map(this.ever);
  }

  now(): ReadonlyMap<string, One> {
    return this.needed;
  }
}

/**
 * Whose approval a key needs: everybody whom its log names, and whom no later entry removes. Where two logs were
 * joined, everybody is needed whom one of them has ever named: neither could remove whom the other one requires.
 */
export function neededApprovers(entries: readonly Entry[], key: string): NeededApprovers {
  const needed = new Needed<Entry>();
  for (const entry of entries) {
    if (entry.operation === JOIN) needed.join();
    if (entry.key === key) needed.take(entry);
  }
  return needed.now();
}

/** Collects the entries that approvalEntries() returns. */
export class ApprovalEntries {
  private readonly people = new Map<string, { first?: Entry | undefined; removal?: Entry; again?: Entry | undefined }>();
  private joined: Entry | undefined;

  take(entry: Entry): void {
    const { people } = this;
    if (entry.operation === JOIN) this.joined = entry;
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

  kept(): Set<Entry> {
    const people = [...this.people.values()].flatMap(({ first, removal, again }) => [first, removal, again]);
    const kept = new Set(people.flatMap((e) => e ?? []));
    if (kept.size > 0 && this.joined) kept.add(this.joined);
    return kept;
  }
}

/**
 * The entries that say whose approval each key needs. For each person: the first that names them, the last that removes
 * them, and the first that names them from then on; and the last one that joins a log. Alone or among other entries of
 * the log, they say the same.
 */
export function approvalEntries(entries: readonly Entry[]): Entry[] {
  const all = new ApprovalEntries();
  for (const entry of entries) all.take(entry);
  const kept = all.kept();
  return entries.filter((e) => kept.has(e));
}

/** The first needed approver who is not among `given`. */
export function missingApprover<One>(needed: ReadonlyMap<string, One>, given: readonly string[]): MissingApprover<One> | undefined {
  for (const [approver, required] of needed) if (!given.includes(approver)) return { approver, required };
  return undefined;
}

/** A signature that a needed approver has not approved, although nothing allowed it. */
export interface Unapproved<One> extends MissingApprover<One> {
  /** The entry without the approval. */
  entry: One;
  /** The number of the key, in the order in which approvers are first asked for. */
  nth: number;
}

/** Finds the signatures that a needed approver has not approved, in their order, which counts. */
export function* withoutApprover<One extends ApprovalFacts>(entries: Iterable<One>): Generator<Unapproved<One>> {
  const keys = new Map<string, { needed: Needed<One>; nth: number }>();
  for (const entry of entries) {
    const { operation, key, digest, approvers = [], overrides } = entry;
    if (operation === JOIN) for (const { needed } of keys.values()) needed.join();
    if (key === undefined) continue;
    if (approvers[0] !== undefined && !keys.has(key)) keys.set(key, { needed: new Needed(), nth: keys.size });
    const state = keys.get(key);
    if (!state) continue;
    const needed = state.needed.take(entry);
    if (digest === undefined || !isSigning({ operation }) || overrides?.includes(NO_APPROVAL)) continue;
    const missing = missingApprover(needed, approvers);
    if (missing) yield { ...missing, entry, nth: state.nth };
  }
}
