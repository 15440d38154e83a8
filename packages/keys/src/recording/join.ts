// Joins the log of a copy of a key with the log of the key: all entries in one file, which says that they are of two.

import { refusedInput, usage } from "../errors/failure.js";
import { readAll } from "../files/read.js";
import { writeWhole } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { logFaultWords, type SigningLog, wholeHash } from "../signing-log/chain.js";
import { type EntryFacts, entryAfterTorn, JOIN, lineOf, parseEntry } from "../signing-log/entry.js";
import { END_OF_TORN, parseLog } from "../signing-log/log-file.js";
import { type ClockOverride, refuseClock } from "./clock.js";
import { clockWarning, lastTime, now, withClock } from "./recording.js";
import { currentUser } from "./user.js";

const NOT_ONE = "compare the logs instead, without `mergeOut`";

/** A log without faults, and its bytes. */
export interface WholeLog {
  readonly log: SigningLog;
  readonly bytes: Buffer;
}

/** Reads a log that is to become a part of another one. Throws a Failure for a fault. */
export function readWhole(path: string): WholeLog {
  const bytes = Buffer.from(readAll(path, KEY_LIMITS.log));
  const log = parseLog(path, bytes);
  const [fault] = log.faults;
  if (fault) throw refusedInput("ERR_LOG", `${path}: ${logFaultWords(fault)}`, "restore the right log; a log with a fault is not joined");
  return { log, bytes };
}

/** The lines of a log with entries that are not known, each with its line end. */
function newLines(bytes: Buffer, known: ReadonlySet<string>): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at);
    if (newline < 0) break;
    const content = bytes.subarray(at, newline);
    const line = parseEntry(content) ? content : entryAfterTorn(content);
    const entry = line && parseEntry(line);
    if (entry && !known.has(entry.hash)) out.push(line, Buffer.from("\n"));
    at = newline + 1;
  }
  return out;
}

/**
 * Writes a new log with the entries of two: those of the first log, then those that only the second one has, as they
 * are, and an entry that says so.
 *
 * @param first - A log.
 * @param second - Another log of the same key.
 * @param out - The new file.
 * @param o - Whether a clock that is far off is allowed.
 * @throws Failure if one of them has a fault, if no key is in both, if the second one has nothing new, if the file
 *   exists, or if the clock is far off. Nothing is written then.
 */
export function joinLogs(first: string, second: string, out: string, o: ClockOverride = {}): void {
  refuseClock(undefined, o);
  const [one, other] = [readWhole(first), readWhole(second)];
  const keys = new Set(one.log.all.flatMap(({ key }) => key ?? []));
  if (!other.log.all.some(({ key }) => key !== undefined && keys.has(key)))
    throw usage(`${first} and ${second} have no key in common`, NOT_ONE);
  const added = joinedLines(one, other, o);
  if (!added) throw usage(`${second} has no entry that ${first} lacks`, "keep the first one; there is nothing to join");
  writeWhole(out, Buffer.concat([one.bytes, added]), { mode: 0o600, fresh: true });
}

/**
 * Returns what comes after the first of two logs, so that it has the entries of both: those that only the second one
 * has, and an entry that says so. Returns undefined if that is nothing. Throws a Failure if the second one cannot be
 * joined.
 */
export function joinedLines(one: WholeLog, other: WholeLog, o: ClockOverride, user = currentUser()): Buffer | undefined {
  const { path } = one.log;
  const lines = newLines(other.bytes, new Set(one.log.all.map(({ hash }) => hash)));
  if (lines.length === 0) return undefined;
  const added = [Buffer.from(one.log.torn > 0 ? END_OF_TORN : ""), ...lines];
  const both = parseLog(path, Buffer.concat([one.bytes, ...added]));
  const n = both.all.reduce((most, entry) => Math.max(most, entry.n), 0) + 1;
  const clock = refuseClock([one.log, other.log].flatMap(lastTime), o);
  clockWarning(clock)();
  const { text } = lineOf({
    ...{ v: 1, n, ...withClock<EntryFacts>(clock, { time: now(), ...user, operation: JOIN }) },
    prev: wholeHash(both).digest("hex"),
  });
  added.push(Buffer.from(text));
  const [fault] = parseLog(path, Buffer.concat([one.bytes, ...added])).faults;
  if (fault)
    throw refusedInput(
      "ERR_LOG",
      `${other.log.path} cannot be joined: ${fault.what}`,
      "if it was restored or joined itself, firmseal audit LOG OTHER --merge-out takes it as the first log",
    );
  return Buffer.concat(added);
}
