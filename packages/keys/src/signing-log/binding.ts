// What a last-seen mark holds of a log: what binds its key although the log is lost, and what decides about the next
// signature, so that the log need not be read.

import { ApprovalEntries } from "./approvers.js";
import { bootVersionNumber } from "./boot-number.js";
import { ACCEPT, type Entry, JOIN, MOVE, WITHDRAW } from "./entry.js";
import { isOfBootImage } from "./family.js";
import { isOfTrustFile } from "./sequence.js";
import { isVersion, versionNumber } from "./version.js";

/** Keeps entries by name: the first one, the last one, or the one with the highest rank. */
class Kept {
  private readonly entries = new Map<string, { entry: Entry; rank: bigint }>();

  first(name: string, entry: Entry): void {
    if (!this.entries.has(name)) this.entries.set(name, { entry, rank: 0n });
  }

  last(name: string, entry: Entry): void {
    this.highest(name, entry, 0n);
  }

  /** Of two with the same rank, the later one stays. */
  highest(name: string, entry: Entry, rank: bigint): void {
    const known = this.entries.get(name);
    if (!known || known.rank <= rank) this.entries.set(name, { entry, rank });
  }

  all(): Entry[] {
    return [...this.entries.values()].map(({ entry }) => entry);
  }
}

/** The place of a version among those of its kind. Without a sequence number, only images have one that counts. */
function versionRank(e: Entry): bigint | undefined {
  if (isOfBootImage(e)) return bootVersionNumber(e.version);
  return e.sequence !== undefined && isVersion(e.version) ? versionNumber(e.version) : undefined;
}

/** Collects the entries that decidingEntries() returns, from a log of any length. */
export class Deciding {
  private readonly kept = new Kept();
  private readonly approvals = new ApprovalEntries();
  private readonly withdrawals: Entry[] = [];

  take(e: Entry): void {
    const { kept } = this;
    const { key = "", operation, sequence, leaf } = e;
    // a log without a number is not empty
    kept.last("last", e);
    // an approval of a trust file has no number
    for (const scope of e.scope ?? []) kept.last(`scope ${key} ${scope}`, e);
    if (sequence !== undefined)
      // older entries of trust files have no scope, and count for every line
      for (const scope of e.scope ?? [""]) {
        kept.highest(`number ${key} ${scope}`, e, BigInt(sequence));
        kept.last(`last ${key} ${scope}`, e);
      }
    const rank = versionRank(e);
    if (rank !== undefined) for (const scope of e.scope ?? [""]) kept.highest(`version ${key} ${scope}`, e, rank);
    if (isOfTrustFile(e)) kept.first(`trust ${key}`, e);
    if (leaf !== undefined) kept.highest(`leaf ${key}`, e, BigInt(leaf));
    if ([ACCEPT, JOIN].includes(operation)) kept.last(operation, e);
    if (operation === MOVE) kept.last(`${MOVE} ${key}`, e);
    if (operation === WITHDRAW) this.withdrawals.push(e);
    this.approvals.take(e);
  }

  /** The entries so far, in any order. */
  entries(): Set<Entry> {
    return new Set([...this.kept.all(), ...this.approvals.kept(), ...this.withdrawals]);
  }
}

/**
 * The entries that decide about the next signature of every key in a log, in their order. Of each key, for each kind of
 * device and each line of trust files: the last one, the last with a number, and those with the highest number and
 * version. Of each key: its first trust file, last move and highest leaf, and those that say who must approve. Of the
 * log: those that withdraw releases, the last ones that accept or join a log, and the last of all. Alone, they say what
 * all entries say about a number that decides() accepts.
 */
export function decidingEntries(entries: readonly Entry[]): Entry[] {
  const deciding = new Deciding();
  for (const e of entries) deciding.take(e);
  const all = deciding.entries();
  return entries.filter((e) => all.has(e));
}

/**
 * The entries of a log, and where a loss was accepted, those of a mark that it has lost. They come before the entry
 * that accepts the loss: a number after that one has been checked by a person.
 */
export function withLost(all: readonly Entry[], held: readonly Entry[]): readonly Entry[] {
  const at = all.findLastIndex((e) => e.operation === ACCEPT);
  if (at < 0) return all;
  const text = (e: Entry) => JSON.stringify(e);
  // by their text: a line that was edited may have kept its hash
  const here = new Set(all.map(text));
  const lost = held.filter((e) => !here.has(text(e)));
  // in their order: a removal that was lost must not come after a later entry that names the person again
  return lost.length === 0 ? all : [...[...all.slice(0, at), ...lost].sort((a, b) => a.n - b.n), ...all.slice(at)];
}
