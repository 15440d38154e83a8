// Reads a log from the last entry that its last-seen marks know, or whole if that does not suffice.

import { resolve } from "node:path";
import { isFile, sizeOf } from "../files/read.js";
import { KEY_LIMITS } from "../limits.js";
import { decidingEntries, withLost } from "./binding.js";
import type { LogFault, SigningLog } from "./chain.js";
import { readDeciding } from "./decided.js";
import { ACCEPT, type Entry, JOIN } from "./entry.js";
import type { SeenState } from "./last-seen.js";
import { readLog, readLogFrom } from "./log-file.js";

/**
 * Reads the end of a long log, if that and its marks suffice, or else all of it, of which it keeps what decides.
 * `seen`: the mark of each of its keys.
 */
export function endOfLog(path: string, seen: readonly (SeenState | undefined)[]): SigningLog {
  if (!isFile(path) || sizeOf(path) <= KEY_LIMITS.logReadWhole) return readLog(path);
  const marks = seen.flatMap((one) =>
    one?.place && one.binds && one.hash !== undefined ? [{ ...one.place, n: Number(one.count), hash: one.hash }] : [],
  );
  const [first] = marks.toSorted((a, b) => a.start - b.start);
  const log = first && marks.length === seen.length ? readLogFrom(path, first) : undefined;
  return log && seen.every((one) => missingFromLog(log, one).length === 0) ? log : readDeciding(path, seen);
}

/** What a mark has of a log: what binds its key, and what decides about the next signature of every key. */
export function heldBy(binds: readonly Entry[], seen: SeenState | undefined): Entry[] {
  const held = new Map([...binds, ...(seen?.decides ?? [])].map((e) => [JSON.stringify(e), e]));
  return [...held.values()].sort((a, b) => a.n - b.n);
}

/** The entries of a log, read whole or from its end, that decide about the next signature. */
export function entriesBy(log: SigningLog, seen: SeenState | undefined, binds: readonly Entry[]): readonly Entry[] {
  if (log.before) return decidingEntries(withLost(log.all, heldBy(binds, seen)));
  return [...(seen?.decides ?? []), ...log.all.filter(({ n }) => n > Number(seen?.count ?? 0n))];
}

/** Returns what a log lacks, compared with its last-seen mark. */
export function missingFromLog(log: SigningLog, seen: SeenState | undefined): LogFault[] {
  if (!seen) return [];
  const count = Number(seen.count);
  // an entry that only comes too late now has lost its place in the chain
  const counted = log.entries.find((e) => e.n === count && e.hash === seen.hash);
  const at = counted ? log.all.indexOf(counted) : -1;
  const line = 0;
  if (at >= 0)
    return log.before && differs(log, at, seen.decides)
      ? [{ line, what: `up to entry ${count}, it differs from what was seen: one of the two was changed` }]
      : [];
  const elsewhere = seen.path !== undefined && seen.path !== resolve(log.path) ? ` (in ${seen.path})` : "";
  return [
    log.highest < count
      ? {
          line,
          what: `the log ends at entry ${log.highest}, but entry ${count} was seen${elsewhere}: it was cut, restored from a copy, or is another log`,
        }
      : { line, what: `entry ${count} differs from the one that was seen${elsewhere}` },
  ];
}

/** Whether a log, up to the entry at an index, decides otherwise than the entries of a mark. */
function differs({ all }: SigningLog, at: number, decides: readonly Entry[] | undefined): boolean {
  if (!decides) return false;
  const text = (e: Entry | undefined) => JSON.stringify(e);
  const inMark = new Set(decides.map(text));
  // where a loss was accepted, the mark may have entries that the log has lost
  const isLossy = all.some(({ operation }) => operation === ACCEPT);
  const inLog = new Map(all.map((e) => [e.hash, e]));
  if (!isLossy && decides.some((e) => text(e) !== text(inLog.get(e.hash)))) return true;
  // entries of a log that was joined later may be before the entry of the mark, and the mark adds what a loss has taken
  if (all.findLastIndex(({ operation }) => [ACCEPT, JOIN].includes(operation)) > at) return false;
  return decidingEntries(withLost(all.slice(0, at + 1), decides)).some((e) => !inMark.has(text(e)));
}
