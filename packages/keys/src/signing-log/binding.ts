// What a last-seen mark holds of a log: what binds its key although the log is lost, and what decides about the next
// signature, so that the log need not be read.

import { approvalEntries } from "./approvers.js";
import { ACCEPT, type Entry, JOIN, MOVE, WITHDRAW } from "./entry.js";
import { isOfTrustFile } from "./sequence.js";
import { isVersion, versionNumber } from "./version.js";

/**
 * The entries that bind a key, in their order: for each kind of device and each line of trust files the highest number
 * and the last one, those that name approvers who are needed, those that withdraw releases, and the last move.
 */
export function bindingEntries(entries: readonly Entry[]): Entry[] {
  const last = new Map<string, Entry>();
  for (const e of entries) {
    // older entries of trust files have no scope, and count for every line
    for (const scope of e.scope ?? (e.sequence === undefined ? [] : [""])) {
      const highest = last.get(scope)?.sequence;
      if (e.sequence !== undefined && BigInt(highest ?? 0) <= BigInt(e.sequence)) last.set(scope, e);
      last.set(`last ${scope}`, e);
    }
    if (e.operation === MOVE) last.set(MOVE, e);
  }
  const kept = new Set([...last.values(), ...approvalEntries(entries)]);
  return entries.filter((e) => kept.has(e) || e.operation === WITHDRAW);
}

/** Keeps entries by name: the first one, the last one, or the one with the highest number. */
class Kept {
  private readonly entries = new Map<string, { entry: Entry; rank: bigint }>();

  first(name: string, entry: Entry): void {
    if (!this.entries.has(name)) this.entries.set(name, { entry, rank: 0n });
  }

  /** Of two with the same rank, the later one stays. */
  highest(name: string, entry: Entry, rank = 0n): void {
    const known = this.entries.get(name);
    if (!known || known.rank <= rank) this.entries.set(name, { entry, rank });
  }

  all(): Entry[] {
    return [...this.entries.values()].map(({ entry }) => entry);
  }
}

/**
 * The entries that decide about the next signature of every key in a log, in their order. Of each key, for each kind of
 * device and each line of trust files: the last one with a number, and those with the highest number and version. Of
 * each key: its first trust file, last move and highest leaf, and those that say who must approve. Of the log: those
 * that withdraw releases, the last ones that accept or join a log, and the last of all. Alone, they say what all
 * entries say about a number that decides() accepts.
 */
export function decidingEntries(entries: readonly Entry[]): Entry[] {
  const kept = new Kept();
  for (const e of entries) {
    const { key = "", operation, sequence, version, leaf } = e;
    // a log without a number is not empty
    kept.highest("last", e);
    if (sequence !== undefined)
      // older entries of trust files have no scope, and count for every line
      for (const scope of e.scope ?? [""]) {
        kept.highest(`number ${key} ${scope}`, e, BigInt(sequence));
        kept.highest(`last ${key} ${scope}`, e);
        if (isVersion(version)) kept.highest(`version ${key} ${scope}`, e, versionNumber(version));
      }
    if (isOfTrustFile(e)) kept.first(`trust ${key}`, e);
    if (leaf !== undefined) kept.highest(`leaf ${key}`, e, BigInt(leaf));
    if ([ACCEPT, JOIN].includes(operation)) kept.highest(operation, e);
    if (operation === MOVE) kept.highest(`${MOVE} ${key}`, e);
  }
  const all = new Set([...kept.all(), ...approvalEntries(entries)]);
  return entries.filter((e) => all.has(e) || e.operation === WITHDRAW);
}

/**
 * The entries of a log in which a loss was accepted, with those of `binding` that it has lost. They come before the
 * entry that accepts the loss: a number after that one has been checked by a person.
 */
export function withLost(all: readonly Entry[], binding: readonly Entry[]): readonly Entry[] {
  const here = new Set(all.map(({ hash }) => hash));
  const at = all.findLastIndex((e) => e.operation === ACCEPT);
  return [...all.slice(0, at), ...binding.filter(({ hash }) => !here.has(hash)), ...all.slice(at)];
}
