// The file of a signing log: one JSON object per line, each with the hash of the line before it. docs/guides/audit.md
// lists the members.

import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { environment, type Failure, systemFault, tooMuch } from "../errors/failure.js";
import { openRegular, readIfThere } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords, grouped } from "../words.js";
import {
  ACCEPT,
  type Entry,
  type EntryFacts,
  entryAfterTorn,
  hashOfLine,
  isBegun,
  JOIN,
  lineOf,
  NO_PREVIOUS,
  parseEntry,
} from "./entry.js";

/** A fault of a signing log. */
export interface LogFault {
  /** Line number. 0 if it concerns no existing line. */
  line: number;
  /** What is wrong, in words. */
  what: string;
}

/** An entry that does not count, because another one had taken its place. */
export interface LateEntry extends LogFault {
  readonly entry: Entry;
}

/** Where the line of an entry is in the file of its log, in bytes: from the brace to behind the line end. */
export interface EntryPlace {
  readonly start: number;
  readonly end: number;
}

/** A signing log as it was read, with the result of the check of its hash chain. */
export interface SigningLog {
  path: string;
  entries: Entry[];
  /** The entries, and the late ones: everything that may have been signed, in the order of the lines. */
  all: Entry[];
  /** Faults of the hash chain. */
  faults: LogFault[];
  /** Faults that a later entry accepts. */
  accepted: LogFault[];
  /** Late entries. firmseal signs nothing with one, but what was appended from a log of another copy looks the same. */
  late: LateEntry[];
  /** The number of lines that count. */
  lines: number;
  /** The highest entry number. */
  highest: number;
  /** The length in bytes of the lines that count, and of a truncated entry after them. */
  end: number;
  torn: number;
  /** SHA-256 of the lines that count, so far. Undefined if only the end of the log was read: others ask it for that. */
  before?: Hash;
  /** Where the last entry is in the file. */
  place?: EntryPlace;
  /** The number of each entry by its hash, computed on demand. Negative: of a late one. */
  known?: Map<string, number>;
  /** The faults at which entries of another log begin, each of which follows an entry that is here. */
  apart: Set<LogFault>;
}

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
  return readLogIfThere(path) ?? parseLog(path, Buffer.alloc(0));
}

/** Like readLog(), but returns undefined for a missing file. */
export function readLogIfThere(path: string): SigningLog | undefined {
  const bytes = readIfThere(path, KEY_LIMITS.log);
  return bytes && parseLog(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** Like readLog(), for the bytes of a log. */
export function parseLog(path: string, bytes: Buffer): SigningLog {
  const log: SigningLog = { ...emptyLog(path), before: createHash("sha256") };
  follow(log, bytes);
  return log;
}

const emptyLog = (path: string): SigningLog => ({
  path,
  entries: [],
  all: [],
  faults: [],
  accepted: [],
  late: [],
  lines: 0,
  highest: 0,
  end: 0,
  torn: 0,
  apart: new Set(),
});

/**
 * Reads the end of a log: from an entry that was seen, whose place is known. Returns undefined if that entry is not
 * there, or if a later one does not follow the one before it: then the whole log says why.
 */
export function readLogFrom(path: string, { n, hash, start, end }: EntryPlace & Pick<Entry, "n" | "hash">): SigningLog | undefined {
  const bytes = readFrom(path, start);
  const newline = bytes.indexOf(0x0a);
  const line = bytes.subarray(0, newline);
  const entry = newline === end - start - 1 ? parseEntry(line) : undefined;
  if (!entry || entry.n !== n || entry.hash !== hash || hashOfLine(line) !== hash) return undefined;
  const log = emptyLog(path);
  log.end = end;
  log.place = { start, end };
  log.all.push(entry);
  addEntry(log, entry);
  follow(log, bytes.subarray(newline + 1));
  return log.faults.length + log.late.length + log.accepted.length > 0 ? undefined : log;
}

/**
 * Continues with the bytes after the lines that count. Later bytes never change whether an entry is in the chain, so a
 * process that finds its own entry there has that place for good.
 */
function follow(log: SigningLog, bytes: Buffer): void {
  log.torn = 0;
  for (let at = 0; at < bytes.length; ) {
    if (log.lines >= KEY_LIMITS.logLines)
      throw tooMuch(
        `${log.path}: the log has more than ${grouped(KEY_LIMITS.logLines)} lines`,
        "keep it elsewhere, and accept a new one: firmseal audit KEY --accept-restored",
      );
    const newline = bytes.indexOf(0x0a, at);
    const next = newline < 0 ? bytes.length : newline + 1;
    const content = bytes.subarray(at, newline < 0 ? next : newline);
    const whole = parseEntry(content);
    // Truncated by a kill or a power cut: it was not durable yet, so nothing was signed with it. (If it had been, the
    // last-seen mark would know.) A file of another kind, named by mistake, does not count as that.
    if (next === bytes.length && (newline < 0 || !whole) && isBegun(content)) {
      log.torn = next - at;
      return;
    }
    log.lines++;
    const line = whole ? content : entryAfterTorn(content);
    const entry = whole ?? (line && parseEntry(line));
    if (entry) {
      takeEntry(log, entry, line as Buffer);
      const start = log.end + content.length - (line as Buffer).length;
      if (log.entries.at(-1) === entry) log.place = { start, end: log.end + next - at };
      // the truncated entry stays, and the entry after it says so
    } else if (!isBegun(content)) addFault(log.faults, { line: log.lines, what: "not an entry" });
    log.before?.update(bytes.subarray(at, next));
    log.end += next - at;
    at = next;
  }
}

function takeEntry(log: SigningLog, entry: Entry, line: Buffer): void {
  const last = log.entries.at(-1);
  const isGood = hashOfLine(line) === entry.hash;
  log.all.push(entry);
  if (isGood && entry.prev === (last?.hash ?? NO_PREVIOUS) && entry.n === (last?.n ?? 0) + 1) addEntry(log, entry);
  else takeOther(log, entry, isGood, last);
}

/** No loss is larger: an entry that skips more would leave no numbers for those after it. */
const MOST_LOST = 2 ** 32;

/** An entry that does not follow the last one. A late one is set apart. */
function takeOther(log: SigningLog, entry: Entry, isGood: boolean, last: Entry | undefined): void {
  const { operation, n, prev, hash } = entry;
  const line = log.lines;
  const isNext = n > log.highest && n <= log.highest + MOST_LOST;
  if (!isGood) addFault(log.faults, { line, what: `entry ${n} was changed: its hash does not match` });
  else if (operation === ACCEPT && prev === allBefore(log) && isNext) acceptFaults(log);
  else if (operation === JOIN && prev === allBefore(log) && isNext) joinEntries(log);
  else {
    const before = placeBefore(log, entry);
    if (before === n - 1) {
      log.late.push({ line, what: `entry ${n} came too late: another one has its place`, entry });
      log.known?.set(hash, -n);
      return;
    }
    const fault = { line, what: `entry ${n} ${last ? `does not follow entry ${last.n}` : "is not the first entry"}` };
    if (before === 1 - n) log.apart.add(fault);
    addFault(log.faults, fault);
  }
  addEntry(log, entry);
}

function addEntry(log: SigningLog, entry: Entry): void {
  log.entries.push(entry);
  log.known?.set(entry.hash, entry.n);
  log.highest = Math.max(log.highest, entry.n);
}

function acceptFaults(log: SigningLog): void {
  for (const fault of log.faults.splice(0)) addFault(log.accepted, fault);
}

/** What comes before is another log of the key, as far as each of its parts follows an entry that is here. */
function joinEntries(log: SigningLog): void {
  for (const fault of log.faults.splice(0)) {
    const isApart = log.apart.has(fault);
    addFault(isApart ? log.accepted : log.faults, isApart ? { ...fault, what: `${fault.what}: another log was joined` } : fault);
  }
  for (const { line, what, entry } of log.late.splice(0)) {
    addFault(log.accepted, { line, what: `${what}: another log was joined` });
    addEntry(log, entry);
  }
}

/**
 * The number of the entry that an entry follows, which is not the last one: another entry was added meanwhile. Negative
 * if it follows a late one. undefined if that entry is not here, or for a duplicate of an existing entry.
 */
function placeBefore(log: SigningLog, { prev, hash }: Entry): number | undefined {
  log.known ??= new Map([[NO_PREVIOUS, 0], ...log.entries.map((e) => [e.hash, e.n] as const)]);
  return log.known.has(hash) ? undefined : log.known.get(prev);
}

/** Stores a fault, unless there are too many: a file that is not a log has one in each line. */
function addFault(faults: LogFault[], fault: LogFault): void {
  if (faults.length < KEY_LIMITS.logFaults) faults.push(fault);
  else if (faults.length === KEY_LIMITS.logFaults) faults.push({ line: fault.line, what: "further faults are not listed" });
}

/** A copy of the hash of all lines that count. */
export function wholeHash({ path, before }: SigningLog): Hash {
  if (!before) throw new Error(`${path}: only its end was read`);
  return before.copy();
}

const allBefore = (log: SigningLog) => log.before?.copy().digest("hex");

/**
 * The number and link of the next entry. An entry that accepts a log skips the numbers up to `above`, which are lost.
 */
function linkOf(log: SigningLog, operation: string, above: number, torn: Buffer): { n: number; prev: string } {
  if (operation === ACCEPT) return { n: Math.max(log.highest, above) + 1, prev: wholeHash(log).update(torn).digest("hex") };
  const last = log.entries.at(-1);
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
  const rest = torn > 0 ? Buffer.concat([readFrom(log.path, log.end), Buffer.from(END_OF_TORN)]) : Buffer.alloc(0);
  const { text, hash } = newLine(log, { ...linkOf(log, facts.operation, above, rest), facts, ...(torn > 0 && { torn }) });
  write(log, Buffer.from(torn > 0 ? END_OF_TORN + text : text));
  follow(log, readFrom(log.path, log.end));
  const entry = log.entries.findLast((e) => e.hash === hash);
  if (!entry) throw changedMeanwhile(log.path);
  return entry;
}

/** Adds lines to a log that was read, without writing them. */
export function addLines(log: SigningLog, lines: readonly Buffer[]): void {
  follow(log, Buffer.concat(lines));
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

/** Whether lines follow the last line of a log, so that all of them count. Not for those that accept or join a log. */
export function follows(path: string, last: Buffer, lines: Buffer): boolean {
  const log = emptyLog(path);
  const entry = last.length > 0 ? parseEntry(last.subarray(0, -1)) : undefined;
  if (last.length > 0 && !entry) return false;
  if (entry) {
    log.all.push(entry);
    addEntry(log, entry);
  }
  follow(log, lines);
  return log.torn === 0 && log.faults.length + log.late.length + log.accepted.length === 0;
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

export function changedMeanwhile(path: string): Failure {
  return environment(`${path}: another program changed it in the meantime`, "run the command again; nothing was signed");
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
