// The file of a signing log: one JSON object per line, each with the hash of the line before it. docs/guides/audit.md
// lists the members.

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { environment, systemFault, tooMuch } from "../errors/failure.js";
import { ifThere, openRegular, sizeOf, tooLarge } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords, grouped } from "../words.js";
import { ANOTHER_LOG, beginLog, changedMeanwhile, type EntryPlace, endOf, follow, type SigningLog, wholeHash } from "./chain.js";
import { ACCEPT, type Entry, type EntryFacts, hashOfLine, lineOf, NO_PREVIOUS, parseEntry } from "./entry.js";
import { type LogLine, linesIn, linesOf } from "./lines.js";

export { changedMeanwhile, type SigningLog } from "./chain.js";

/**
 * Reads a signing log and checks its hash chain.
 *
 * @param path - The log. A missing file counts as an empty log.
 * @returns The entries, and the faults of the chain.
 * @throws Failure if the file cannot be read.
 * @example
 * ```ts
 * import { readLog } from "@firmseal/keys";
 *
 * const { entries, faults } = readLog("release.pem.log");
 * console.log(`${entries.length} entries, ${faults.length} faults`);
 * ```
 */
export function readLog(path: string): SigningLog {
  return readLogIfThere(path) ?? beginLog(path);
}

/** Like readLog(), but returns undefined for a missing file. */
export function readLogIfThere(path: string): SigningLog | undefined {
  return ifThere(() => {
    const size = sizeOf(path);
    if (size > KEY_LIMITS.log) throw tooLarge(path, byteWords(size), KEY_LIMITS.log);
    return keep(beginLog(path), linesIn(path, 0, size), KEY_LIMITS.logLines);
  });
}

/** Like readLog(), for the bytes of a log. */
export function parseLog(path: string, bytes: Buffer): SigningLog {
  return keep(beginLog(path), linesOf(path, bytes), KEY_LIMITS.logLines);
}

/** Adds the entries of lines to a log. Throws a Failure (LIMIT) for more than `most` lines. */
function keep(log: SigningLog, lines: Iterable<LogLine>, most = Number.POSITIVE_INFINITY): SigningLog {
  for (const { entry, counted } of follow(log, lines)) {
    if (entry) log.all.push(entry);
    for (const one of counted) log.entries.push(one);
    if (log.lines > most) throw tooMuch(`${log.path}: the log has more than ${grouped(most)} lines`, ANOTHER_LOG);
  }
  return log;
}

/**
 * Reads the end of a log: from an entry that was seen, whose place is known. Returns undefined if that entry is not
 * there, or if a later one does not follow the one before it: then the whole log says why.
 */
export function readLogFrom(path: string, { n, hash, start, end }: EntryPlace & Pick<Entry, "n" | "hash">): SigningLog | undefined {
  const lines = linesIn(path, start);
  try {
    const seen = lines.next().value?.bytes;
    const line = seen?.subarray(0, -1);
    const entry = line && seen?.length === end - start && seen.at(-1) === 0x0a ? parseEntry(line) : undefined;
    if (!entry || entry.n !== n || entry.hash !== hash || hashOfLine(line as Buffer) !== hash) return undefined;
    const log = from(path, entry, { start, end });
    keep(log, lines);
    return isFaultless(log) ? log : undefined;
  } finally {
    lines.return(undefined);
  }
}

/** A log that is read from this entry on. */
function from(path: string, entry: Entry, place: EntryPlace): SigningLog {
  return { ...endOf(path), all: [entry], entries: [entry], last: entry, count: 1, highest: entry.n, end: place.end, place };
}

const isFaultless = ({ faults, late, accepted }: SigningLog) => faults.length + late.length + accepted.length === 0;

/** Whether lines follow the last line of a log, so that all of them count. Not for those that accept or join a log. */
export function follows(path: string, last: Buffer, lines: Buffer): boolean {
  const entry = parseEntry(last.subarray(0, -1));
  if (last.length > 0 && !entry) return false;
  const log = keep(entry ? from(path, entry, { start: 0, end: 0 }) : endOf(path), linesOf(path, lines));
  return log.torn === 0 && isFaultless(log);
}

/**
 * The number and link of the next entry. An entry that accepts a log skips the numbers up to `above`, which are lost.
 */
function linkOf(log: SigningLog, operation: string, above: number, torn: Buffer): { n: number; prev: string } {
  if (operation === ACCEPT) return { n: Math.max(log.highest, above) + 1, prev: wholeHash(log).update(torn).digest("hex") };
  const { last } = log;
  return { n: (last?.n ?? 0) + 1, prev: last?.hash ?? NO_PREVIOUS };
}

/** Ends the line of a truncated entry, and keeps it from becoming valid if only the line end was missing. */
export const END_OF_TORN = "\0\n";

/**
 * Appends an entry to a log that was read. Durable on return. A new file has mode 0600. Nothing is ever overwritten or
 * removed: if another process has appended meanwhile, this entry comes after that one and does not count. Then, and if
 * the file cannot be written, throws a Failure (exit 3). Throws one (LIMIT) for an entry that would be too long.
 */
export function appendEntry(log: SigningLog, facts: EntryFacts, above = 0): Entry {
  const { torn } = log;
  const rest = torn > 0 ? Buffer.concat([tornPart(log), Buffer.from(END_OF_TORN)]) : Buffer.alloc(0);
  const { text, hash } = newLine(log, { ...linkOf(log, facts.operation, above, rest), facts, ...(torn > 0 && { torn }) });
  write(log, Buffer.from(torn > 0 ? END_OF_TORN + text : text));
  keep(log, linesIn(log.path, log.end));
  const entry = log.entries.findLast((e) => e.hash === hash);
  if (!entry) throw changedMeanwhile(log.path);
  return entry;
}

/** Adds lines to a log that was read, without writing them. */
export function addLines(log: SigningLog, lines: readonly Buffer[]): void {
  keep(log, linesOf(log.path, Buffer.concat(lines)));
}

/**
 * Like appendEntry(), but only adds the line to the log that was read, and to `lines`. Nothing is written. Throws a
 * Failure (exit 3) if a reader would not take the line for the next entry: nobody may sign with one that is not there.
 */
export function draftEntry(log: SigningLog, facts: EntryFacts, lines: Buffer[]): Entry {
  const { text, hash } = newLine(log, { ...linkOf(log, facts.operation, 0, Buffer.alloc(0)), facts });
  const line = Buffer.from(text);
  addLines(log, [line]);
  const entry = log.entries.at(-1);
  if (entry?.hash !== hash) throw environment(`${log.path}: the entry would not be valid`, "nothing was signed; have the log checked");
  lines.push(line);
  return entry;
}

function newLine({ path }: SigningLog, { n, prev, facts, torn }: { n: number; prev: string; facts: EntryFacts; torn?: number }) {
  const line = lineOf({ v: 1, n, ...facts, ...(torn !== undefined && { torn }), prev });
  if (Buffer.byteLength(line.text) > KEY_LIMITS.logEntry)
    throw tooMuch(`${path}: the entry would be too long`, `the limit is ${byteWords(KEY_LIMITS.logEntry)}`);
  return line;
}

/** Makes what a log has durable. Throws a Failure (exit 3) if that cannot be done. */
export function makeDurable(path: string): void {
  try {
    const fd = openSync(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    fsyncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

/** The bytes of a log from an offset on, at most as many as a log may have. */
export function readFrom(path: string, offset: number): Buffer {
  const { fd, size } = openRegular(path);
  try {
    const bytes = Buffer.alloc(Math.max(0, Math.min(size - offset, KEY_LIMITS.log)));
    let have = 0;
    while (have < bytes.length) {
      const got = readSync(fd, bytes, have, bytes.length - have, offset + have);
      if (got === 0) break;
      have += got;
    }
    return bytes.subarray(0, have);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a truncated entry after the lines that count, which are few. */
function tornPart({ path, end, torn }: SigningLog): Buffer {
  const parts: Buffer[] = [];
  for (const { bytes } of linesIn(path, end, end + torn)) parts.push(Buffer.from(bytes));
  return Buffer.concat(parts);
}

function write({ path, end, torn }: SigningLog, line: Buffer): void {
  try {
    // a link could lead to a file that somebody else has chosen
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size !== end + torn) throw changedMeanwhile(path);
      for (let at = 0; at < line.length; ) at += writeSync(fd, line, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    // even if another process has created the file, which may not have done this yet
    fsyncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}
