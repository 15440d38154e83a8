// Reads a log from the last entry that its last-seen marks know, or whole if that does not suffice.

import { resolve } from "node:path";
import { isFile, sizeOf } from "../files/read.js";
import { KEY_LIMITS } from "../limits.js";
import { decidingEntries, withLost } from "./binding.js";
import { ACCEPT, type Entry, JOIN } from "./entry.js";
import type { SeenState } from "./last-seen.js";
import { type LogFault, readLog, readLogFrom, type SigningLog } from "./log-file.js";

/** Bytes of a log that is always read whole: that costs milliseconds, and shows an edit in its middle at once. */
const SHORT = 256 * 1024;

/**
 * Reads the end of a long log, if that and its marks suffice, or else all of it. `seen`: the mark of each of its keys.
 */
export function endOfLog(path: string, seen: readonly (SeenState | undefined)[]): SigningLog {
  const size = isFile(path) ? sizeOf(path) : 0;
  // a log that cannot be read whole could not be audited either
  const isTooLong = size > KEY_LIMITS.log || seen.some((one) => one && one.count > KEY_LIMITS.logLines);
  if (size <= SHORT || isTooLong) return readLog(path);
  const marks = seen.flatMap((one) =>
    one?.place && one.binds && one.hash !== undefined ? [{ ...one.place, n: Number(one.count), hash: one.hash }] : [],
  );
  const [first] = marks.toSorted((a, b) => a.start - b.start);
  const log = first && marks.length === seen.length ? readLogFrom(path, first) : undefined;
  return log && seen.every((one) => missingFromLog(log, one).length === 0) ? log : readLog(path);
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
  const last = log.entries.reduce((most, e) => Math.max(most, e.n), 0);
  const elsewhere = seen.path !== undefined && seen.path !== resolve(log.path) ? ` (in ${seen.path})` : "";
  return [
    last < count
      ? {
          line,
          what: `the log ends at entry ${last}, but entry ${count} was seen${elsewhere}: it was cut, restored from a copy, or is another log`,
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
