// Reads a log of any length, and keeps only the entries that decide about the next signature.

import { ifThere } from "../files/read.js";
import { Deciding } from "./binding.js";
import { beginLog, follow, type ReadLine, type SigningLog } from "./chain.js";
import { ACCEPT, type Entry } from "./entry.js";
import type { SeenState } from "./last-seen.js";
import { linesIn } from "./lines.js";
import { readLog } from "./log-file.js";

/** Entries that may pile up before those that do not decide are dropped. */
const PILE = 50;
/** Lines with the number and the hash of a mark that are looked for: one that came too late, and one that counts. */
const MOST_MATCHES = 2;

/** Collects what is asked of a log: what decides at its end, and what its marks are compared with. */
class Collected {
  private readonly deciding = new Deciding();
  /** Entries that are compared with a mark, whatever follows. */
  private readonly compared = new Set<Entry>();
  /** Entries in the order of the lines, with some that have not been dropped yet. */
  private pile = new Set<Entry>();
  private most = PILE;
  /** What marks have, and the hashes of that. An entry with one of them may have another text. */
  private readonly held: readonly Entry[];
  private readonly hashes: ReadonlySet<string>;
  /** Removals in marks: the log may have lost them, and then who is named next counts. */
  private readonly removals: { entry: Entry; name: string; isNamed: boolean }[];
  private readonly marks: { count: number; hash: string | undefined; matches: number }[];
  private readonly lastOfKey = new Map<string | undefined, Entry>();
  private last = 0;
  private isSorted = true;
  /** Whether withLost() may have to sort entries that are not here. */
  private isLossUnsorted = false;

  constructor(seen: readonly SeenState[]) {
    this.held = seen.flatMap(({ binds = [], decides = [] }) => [...binds, ...decides]);
    this.hashes = new Set(this.held.map(({ hash }) => hash));
    this.removals = this.held.flatMap((entry) => (entry.removed ?? []).map((name) => ({ entry, name, isNamed: false })));
    this.marks = seen.map(({ count, hash }) => ({ count: Number(count), hash, matches: 0 }));
  }

  take(entry: Entry): void {
    this.isSorted &&= entry.n >= this.last;
    this.last = entry.n;
    if (entry.operation === ACCEPT) this.isLossUnsorted = !this.isSorted;
    this.pile.add(entry);
    this.deciding.take(entry);
    this.lastOfKey.set(entry.key, entry);
    if (this.hashes.has(entry.hash)) this.compared.add(entry);
    for (const one of this.removals) {
      if (one.isNamed || entry.n <= one.entry.n || entry.key !== one.entry.key || !entry.approvers?.includes(one.name)) continue;
      one.isNamed = true;
      this.compared.add(entry);
    }
    for (const mark of this.marks) {
      if (entry.n !== mark.count || entry.hash !== mark.hash || mark.matches === MOST_MATCHES) continue;
      mark.matches++;
      for (const one of [entry, ...this.deciding.entries()]) this.compared.add(one);
    }
    if (this.pile.size > this.most) this.drop();
  }

  private drop(): void {
    this.pile = new Set(this.entries());
    this.most = 2 * this.pile.size + PILE;
  }

  /** The entries that count for something, in the order of the lines. */
  entries(): Entry[] {
    const kept = new Set([...this.deciding.entries(), ...this.lastOfKey.values(), ...this.compared]);
    return [...this.pile].filter((e) => kept.has(e));
  }

  /** Whether the entries say all. Where a loss was accepted, what was lost comes among entries that may not be here. */
  get isEnough(): boolean {
    const here = new Set([...this.compared].map((e) => JSON.stringify(e)));
    return !this.isLossUnsorted || this.held.every((e) => here.has(JSON.stringify(e)));
  }
}

/** The key of the first entry of a log that counts and names one, among its first lines: by default all. */
export function firstKey(path: string, lines = Number.POSITIVE_INFINITY): string | undefined {
  return ifThere(() => {
    for (const { line, counted } of follow(beginLog(path, false), linesIn(path))) {
      for (const { key } of counted) if (key !== undefined) return key;
      if (line >= lines) break;
    }
    return undefined;
  });
}

/** Whether a log has the entry with a hash. */
export function hasEntry(path: string, hash: string): boolean {
  for (const { entry } of follow(beginLog(path, false), linesIn(path))) if (entry?.hash === hash) return true;
  return false;
}

/**
 * Reads a log of any length. It has the entries that decide about the next signature, also those that decided when each
 * of the marks was made: by them, missingFromLog() and decidingEntries() say what they say by all entries. `each` gets
 * every line.
 *
 * Where a loss was accepted after entries of another log, that takes the whole log, which must not be too long then.
 */
export function readDeciding(path: string, seen: readonly (SeenState | undefined)[], each?: (line: ReadLine) => void): SigningLog {
  const log = beginLog(path, false);
  const collected = new Collected(seen.flatMap((one) => one ?? []));
  ifThere(() => {
    for (const line of follow(log, linesIn(path))) {
      if (line.entry) collected.take(line.entry);
      each?.(line);
    }
  });
  if (!collected.isEnough) return readLog(path);
  const late = new Set(log.late.map(({ entry }) => entry));
  log.all = collected.entries();
  log.entries = log.all.filter((e) => !late.has(e));
  return log;
}
