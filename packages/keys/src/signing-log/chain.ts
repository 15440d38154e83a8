// The hash chain of a signing log: follows its lines, and says whether each continues the chain.

import { createHash, type Hash } from "node:crypto";
import { environment, type Failure, tooMuch } from "../errors/failure.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords } from "../words.js";
import { ACCEPT, type Entry, entryAfterTorn, hashOfLine, isBegun, JOIN, NO_PREVIOUS, parseEntry } from "./entry.js";
import { type LogLine, linesIn } from "./lines.js";
import { TextMap } from "./text-map.js";

/** A fault of a signing log. */
export interface LogFault {
  /** Line number. 0 if it concerns no existing line. */
  line: number;
  /** What is wrong, in words. */
  what: string;
}

/** Describes a fault of a log in words. */
export const logFaultWords = ({ line, what }: LogFault): string => (line > 0 ? `line ${line}: ${what}` : what);

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
  /** Whether all entries are kept. Otherwise both lists have those that decide: see readDeciding(). */
  isKept: boolean;
  entries: Entry[];
  /** The entries, and the late ones: everything that may have been signed, in the order of the lines. */
  all: Entry[];
  /** Faults of the hash chain. */
  faults: LogFault[];
  /** Faults that a later entry accepts. */
  accepted: LogFault[];
  /** Late entries. firmseal signs nothing with one, but what was appended from a log of another copy looks the same. */
  late: LateEntry[];
  /** The last entry in the chain, and how many there are. */
  last?: Entry;
  count: number;
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
  known?: TextMap;
  /** Bytes of the lines of late entries. */
  lateBytes: number;
  /** The faults at which entries of another log begin, each of which follows an entry that is here. */
  apart: Set<LogFault>;
}

/** What a line of a log says. */
export interface ReadLine {
  line: number;
  /** Its entry. undefined: it has none. */
  entry: Entry | undefined;
  /** What is wrong with it, before a later entry accepts it. */
  what: string | undefined;
  /** Whether its entry came too late, which is not a fault. */
  isLate: boolean;
  /** Whether an entry of another log begins here, which follows an entry that is here. */
  isApart: boolean;
  /** The entries that count from here on: its own, and late ones that it joins. */
  counted: readonly Entry[];
}

interface Reading extends ReadLine {
  counted: Entry[];
}

/** A log without lines, for a reader that follows it from another line. */
export const endOf = (path: string): SigningLog => ({
  path,
  isKept: true,
  entries: [],
  all: [],
  faults: [],
  accepted: [],
  late: [],
  count: 0,
  lines: 0,
  highest: 0,
  end: 0,
  torn: 0,
  lateBytes: 0,
  apart: new Set(),
});

/** A log without lines, for a reader that follows it from its first line. */
export const beginLog = (path: string, isKept = true): SigningLog => ({ ...endOf(path), isKept, before: createHash("sha256") });

/**
 * The chain of a log up to a place, for a reader that continues it with lines that the file does not have.
 *
 * @param path - The log.
 * @param end - The place, in bytes.
 */
export function checkedChain(path: string, end: number): SigningLog {
  const log = beginLog(path, false);
  log.known = new TextMap(0);
  log.known.set(NO_PREVIOUS, 0);
  followAll(log, linesUpTo(path, end));
  return log;
}

/** Like follow(), for the chain alone, and for lines that others may follow. */
export function followAll(log: SigningLog, lines: Iterable<LogLine>): void {
  for (const _ of follow(log, notLast(lines)));
}

/** Lines that others may follow. */
function* notLast(lines: Iterable<LogLine>): Generator<LogLine> {
  for (const line of lines) yield { ...line, isLast: false };
}

/**
 * Continues with the lines after those that count, and keeps no entry. Later lines never change whether an entry is in
 * the chain, so a process that finds its own entry there has that place for good.
 */
export function* follow(log: SigningLog, lines: Iterable<LogLine>): Generator<ReadLine> {
  log.torn = 0;
  for (const { bytes, begins, ends, isLast } of lines) {
    const isWhole = begins && ends;
    const content = contentOf(bytes);
    const whole = isWhole ? parseEntry(content) : undefined;
    // Truncated by a kill or a power cut: it was not durable yet, so nothing was signed with it. (If it had been, the
    // last-seen mark would know.) A file of another kind, named by mistake, does not count as that.
    if (isWhole && isLast && (content === bytes || !whole) && isBegun(content)) {
      log.torn = bytes.length;
      return;
    }
    if (begins) log.lines++;
    const line = whole ? content : isWhole ? entryAfterTorn(content) : undefined;
    const entry = whole ?? (line && parseEntry(line));
    const read: Reading = { line: log.lines, entry, what: undefined, isLate: false, isApart: false, counted: [] };
    if (entry) {
      takeEntry(log, entry, line as Buffer, read);
      if (read.isLate) keepLate(log, entry, bytes.length, read);
      const start = log.end + content.length - (line as Buffer).length;
      if (log.last === entry) log.place = { start, end: log.end + bytes.length };
      // the truncated entry stays, and the entry after it says so
    } else if (begins && !(isWhole && isBegun(content))) read.what = "not an entry";
    if (read.what !== undefined && !read.isLate) takeFault(log, read.line, read.what, read.isApart);
    log.before?.update(bytes);
    log.end += bytes.length;
    if (begins) yield read;
  }
}

/** The content of a line, without the line end: the same object if it has none. */
function contentOf(bytes: Buffer): Buffer {
  return bytes[bytes.length - 1] === 0x0a ? bytes.subarray(0, -1) : bytes;
}

function takeEntry(log: SigningLog, entry: Entry, line: Buffer, read: Reading): void {
  const { last } = log;
  const isGood = hashOfLine(line) === entry.hash;
  if (isGood && entry.prev === (last?.hash ?? NO_PREVIOUS) && entry.n === (last?.n ?? 0) + 1) addEntry(log, entry, read);
  else takeOther(log, entry, isGood, read);
}

/** No loss is larger: an entry that skips more would leave no numbers for those after it. */
const MOST_LOST = 2 ** 32;

/** An entry that does not follow the last one. A late one is set apart. */
function takeOther(log: SigningLog, entry: Entry, isGood: boolean, read: Reading): void {
  const { operation, n, prev, hash } = entry;
  const { last } = log;
  const isNext = n > log.highest && n <= log.highest + MOST_LOST;
  if (!isGood) read.what = `entry ${n} was changed: its hash does not match`;
  else if (operation === ACCEPT && prev === allBefore(log) && isNext) acceptFaults(log);
  else if (operation === JOIN && prev === allBefore(log) && isNext) joinEntries(log, read);
  else {
    const before = placeBefore(log, entry);
    read.isLate = before === n - 1;
    if (read.isLate) {
      read.what = `entry ${n} came too late: another one has its place`;
      log.known?.set(hash, -n);
      return;
    }
    read.what = `entry ${n} ${last ? `does not follow entry ${last.n}` : "is not the first entry"}`;
    read.isApart = before === 1 - n;
  }
  addEntry(log, entry, read);
}

function addEntry(log: SigningLog, entry: Entry, { counted }: Reading): void {
  counted.push(entry);
  log.last = entry;
  log.count++;
  log.known?.set(entry.hash, entry.n);
  log.highest = Math.max(log.highest, entry.n);
}

/** Late entries are kept, for the entry that joins their log adds them: their number is limited by their bytes. */
function keepLate(log: SigningLog, entry: Entry, bytes: number, { line, what }: ReadLine): void {
  log.lateBytes += bytes;
  if (log.lateBytes > KEY_LIMITS.log)
    throw tooMuch(`${log.path}: more than ${byteWords(KEY_LIMITS.log)} of entries came too late`, ANOTHER_LOG);
  log.late.push({ line, what: what as string, entry });
}

/** What to do with a log that cannot be read. */
export const ANOTHER_LOG = "keep it elsewhere, and accept a new one: firmseal audit KEY --accept-restored";

function acceptFaults(log: SigningLog): void {
  for (const fault of log.faults.splice(0)) addFault(log.accepted, fault);
}

/** What comes before is another log of the key, as far as each of its parts follows an entry that is here. */
function joinEntries(log: SigningLog, read: Reading): void {
  for (const fault of log.faults.splice(0)) {
    const isApart = log.apart.has(fault);
    addFault(isApart ? log.accepted : log.faults, isApart ? { ...fault, what: `${fault.what}: another log was joined` } : fault);
  }
  for (const { line, what, entry } of log.late.splice(0)) {
    addFault(log.accepted, { line, what: `${what}: another log was joined` });
    addEntry(log, entry, read);
  }
  log.lateBytes = 0;
}

/**
 * The number of the entry that an entry follows, which is not the last one: another entry was added meanwhile. Negative
 * if it follows a late one. undefined if that entry is not here, or for a duplicate of an existing entry.
 */
function placeBefore(log: SigningLog, { prev, hash }: Entry): number | undefined {
  log.known ??= knownIn(log);
  return log.known.get(hash) === undefined ? log.known.get(prev) : undefined;
}

/** Until an entry does not follow the last one, every entry counts. */
function knownIn(log: SigningLog): TextMap {
  const known = new TextMap(log.isKept ? log.entries.length : log.lines);
  known.set(NO_PREVIOUS, 0);
  for (const { hash, n } of log.isKept ? log.entries : entriesAgain(log)) known.set(hash, n);
  return known;
}

/**
 * Reads the entries of a log again, also the late ones, as far as its lines count. Throws a Failure (exit 3) at the end
 * if it has changed in the meantime.
 */
export function* entriesAgain({ path, end, before }: SigningLog): Generator<Entry> {
  const hash = createHash("sha256");
  for (const { bytes, begins, ends } of linesUpTo(path, end)) {
    hash.update(bytes);
    if (!begins || !ends) continue;
    const content = contentOf(bytes);
    const entry = parseEntry(content) ?? parseEntry(entryAfterTorn(content) ?? NOTHING);
    if (entry) yield entry;
  }
  if (before && hash.digest("hex") !== before.copy().digest("hex")) throw changedMeanwhile(path);
}

const NOTHING = Buffer.alloc(0);

/** The lines of a log that count, up to a place behind which others may be. A log without lines may have no file. */
function* linesUpTo(path: string, end: number): Generator<LogLine> {
  if (end > 0) yield* notLast(linesIn(path, 0, end));
}

/** The entries of a log, read again each time that somebody asks. */
export const entriesOf = (log: SigningLog): Iterable<Entry> => ({ [Symbol.iterator]: () => entriesAgain(log) });

/** Like entriesAgain(), but each line, with what the chain says about it. */
export function* linesAgain({ path, end, before }: SigningLog): Generator<ReadLine> {
  const again = beginLog(path, false);
  yield* follow(again, linesUpTo(path, end));
  if (again.end !== end || allBefore(again) !== before?.copy().digest("hex")) throw changedMeanwhile(path);
}

export function changedMeanwhile(path: string): Failure {
  return environment(`${path}: another program changed it in the meantime`, "run the command again; nothing was signed");
}

function takeFault(log: SigningLog, line: number, what: string, isApart: boolean): void {
  const fault = { line, what };
  addFault(log.faults, fault);
  if (isApart && log.faults.at(-1) === fault) log.apart.add(fault);
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
