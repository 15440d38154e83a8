// The file that a log is: one JSON object a line, each with the hash of the line before it. docs/guides/audit.md has the members.

import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { environment, type Failure, systemFault, tooMuch } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { openRegular, readAll } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { grouped } from "../words.js";

/** What `prev` says in the first entry. */
const NO_PREVIOUS = "0".repeat(64);

/** The operation that goes on after a log was restored, cut or edited. */
export const ACCEPT = "accept-restored";

/** The operation that consents to what somebody else is to sign. */
export const APPROVE = "approve";

/** What an entry tells. */
export interface EntryFacts {
  /** RFC 3339, in UTC. */
  time: string;
  user: string;
  host: string;
  /** The number of the job in a CI service, as `VARIABLE=value`. */
  job?: string;
  operation: string;
  /** Thumbprint of the key (RFC 9679), in hex. */
  key?: string;
  /** Digest of the manifest, or of the payload of a trust file: `sha-256:` and hex. */
  digest?: string;
  /** SHA-256 of the bytes that were signed. */
  tbs?: string;
  /** Sequence number of the manifest or trust file, decimal. */
  sequence?: string;
  /** Of a one-time key (HSS/LMS): the number of the leaf that signs, decimal. */
  leaf?: string;
  /** For which devices it is, or which line of trust files: see sequence.ts. */
  scope?: string[];
  /** The refusals that were overridden. */
  overrides?: string[];
  /** Thumbprints of the keys whose approval was asked for, and was there. */
  approvers?: string[];
  /** Bytes of an entry cut short that this one comes behind. In older logs they were taken away. */
  torn?: number;
}

export interface Entry extends EntryFacts {
  v: 1;
  n: number;
  /** Hash of the entry before; in one that accepts, SHA-256 of all lines before. */
  prev: string;
  hash: string;
}

export interface LogFault {
  /** 0: it concerns no line that is there. */
  line: number;
  what: string;
}

export interface SigningLog {
  path: string;
  entries: Entry[];
  /** Why the chain does not hold. */
  faults: LogFault[];
  /** Faults that a later entry accepts. */
  accepted: LogFault[];
  /** Entries that came too late: another one had their place, and nothing was signed with them. */
  late: LogFault[];
  /** Lines that count. */
  lines: number;
  /** The highest number in it. */
  highest: number;
  /** Bytes of the lines that count, and of an entry behind them that was cut short while it was written. */
  end: number;
  torn: number;
  /** SHA-256 over the lines that count, so far. */
  before: Hash;
  /** The number of each entry by its hash, once that was asked for. */
  known?: Map<string, number>;
}

/** Members before "hash", as they are hashed; then the line. A reader takes the line apart by its bytes and never writes it again. */
function lineOf(entry: Omit<Entry, "hash">): { text: string; hash: string } {
  const body = JSON.stringify(entry);
  const hash = sha256Hex(Buffer.from(body));
  return { text: `${body.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/** `,"hash":"` with 64 digits and `"}`. */
const TAIL = 75;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

function parseEntry(bytes: Buffer): Entry | undefined {
  // to find out by an exception takes ten times as long
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const entry = JSON.parse(strictUtf8.decode(bytes));
    const text = (...values: unknown[]) => values.every((value) => typeof value === "string");
    const texts = (list: unknown) => list === undefined || (Array.isArray(list) && text(...list));
    const { v, n, time, user, host, operation, prev, hash, sequence, scope, overrides, approvers, key, digest, tbs, job } = entry;
    if (v !== 1 || !Number.isSafeInteger(n) || n < 1 || !text(time, user, host, operation, prev, hash)) return undefined;
    if (
      !texts(scope) ||
      !texts(overrides) ||
      !texts(approvers) ||
      ![key, digest, tbs, job].every((value) => value === undefined || text(value))
    )
      return undefined;
    const { leaf } = entry;
    if (leaf !== undefined && !(text(leaf) && /^[0-9]{1,61}$/.test(leaf))) return undefined;
    return sequence === undefined || /^[0-9]{1,20}$/.test(sequence) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/**
 * An entry as far as it got, then the NULs that a file system gives back for bytes that did not get there. One that got to its end was not
 * cut short: it was changed, or what parts it from the next.
 */
function isBegun(bytes: Buffer): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = bytes.subarray(0, end).toString("latin1");
  if (bytes.length === 0 || bytes.length >= LONGEST_TORN || !ENTRY_BEGIN.startsWith(text.slice(0, ENTRY_BEGIN.length))) return false;
  const whole = text.search(/,"hash":"[0-9a-f]{64}"}/);
  return whole < 0 || (whole === text.length - TAIL && parseEntry(bytes.subarray(0, end)) !== undefined) || text.includes(HOLE);
}

/** A part of a block that is missing, with the rest behind it. */
const HOLE = "\0".repeat(16);
const LONGEST_TORN = 64 * 1024;
const ENTRY_BEGIN = '{"v":1,"n":';

function hashOfLine(line: Buffer): string {
  return createHash("sha256").update(line.subarray(0, -TAIL)).update("}").digest("hex");
}

/** Whether a file begins as logs do. */
export function looksLikeLog(head: Uint8Array): boolean {
  return Buffer.from(head).toString("latin1").startsWith(ENTRY_BEGIN);
}

/** Reads a log and follows its chain. One that is not there is empty. Throws a Failure where the file cannot be read. */
export function readLog(path: string): SigningLog {
  const there = statSync(path, { throwIfNoEntry: false });
  return parseLog(path, there ? Buffer.from(readAll(path, KEY_LIMITS.log)) : Buffer.alloc(0));
}

function parseLog(path: string, bytes: Buffer): SigningLog {
  const before = createHash("sha256");
  const log: SigningLog = { path, entries: [], faults: [], accepted: [], late: [], lines: 0, highest: 0, end: 0, torn: 0, before };
  follow(log, bytes);
  return log;
}

/**
 * Goes on with the bytes behind the lines that count. Whether an entry is in the chain depends on nothing that comes after it, so whoever finds his
 * own there has its place for good.
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
    // Cut short by a kill or a power cut: it was not durable yet, so nothing was signed that it speaks of. An entry that was is known to
    // the last-seen mark. A file of another kind, named by mistake, is not taken for that.
    if (next === bytes.length && (newline < 0 || !whole) && isBegun(content)) {
      log.torn = next - at;
      return;
    }
    log.lines++;
    const line = whole ? content : behindTorn(content);
    const entry = whole ?? (line && parseEntry(line));
    if (entry) takeEntry(log, entry, line as Buffer);
    // what was cut short stays where it is, and the entry behind it says so
    else if (!isBegun(content)) addFault(log.faults, { line: log.lines, what: "not an entry" });
    log.before.update(bytes.subarray(at, next));
    log.end += next - at;
    at = next;
  }
}

/** An entry in the line of one that was cut short: its writer had not seen that one. */
function behindTorn(content: Buffer): Buffer | undefined {
  const at = content.lastIndexOf(ENTRY_BEGIN);
  return at > 0 && isBegun(content.subarray(0, at)) ? content.subarray(at) : undefined;
}

function takeEntry(log: SigningLog, entry: Entry, line: Buffer): void {
  const last = log.entries.at(-1);
  const fault = (what: string) => addFault(log.faults, { line: log.lines, what });
  const isGood = hashOfLine(line) === entry.hash;
  if (!isGood) fault(`entry ${entry.n} was changed: its hash does not match`);
  else if (entry.operation === ACCEPT && entry.prev === allBefore(log) && entry.n > log.highest) acceptFaults(log);
  else if (entry.prev !== (last?.hash ?? NO_PREVIOUS) || entry.n !== (last?.n ?? 0) + 1) {
    if (isLate(log, entry)) {
      log.late.push({ line: log.lines, what: `entry ${entry.n} came too late: nothing was signed with it` });
      log.known?.set(entry.hash, Number.NaN);
      return;
    }
    fault(`entry ${entry.n} ${last ? `does not follow entry ${last.n}` : "is not the first entry"}`);
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

/** Its writer was held up: it follows on an entry before the last one, which another has followed on meanwhile. One that is there twice is no such. */
function isLate(log: SigningLog, { n, prev, hash }: Entry): boolean {
  log.known ??= new Map([[NO_PREVIOUS, 0], ...log.entries.map((e) => [e.hash, e.n] as const)]);
  return log.known.get(prev) === n - 1 && !log.known.has(hash);
}

/** Keeps a fault, as long as there are not too many: a file that is no log has one in each line. */
function addFault(faults: LogFault[], fault: LogFault): void {
  if (faults.length < KEY_LIMITS.logFaults) faults.push(fault);
  else if (faults.length === KEY_LIMITS.logFaults) faults.push({ line: fault.line, what: "further faults are not listed" });
}

const allBefore = (log: SigningLog) => log.before.copy().digest("hex");

/** The number and the link of the next entry; one that accepts leaves out those up to `above`, which are lost. */
function linkOf(log: SigningLog, operation: string, above: number, torn: Buffer): { n: number; prev: string } {
  if (operation === ACCEPT) return { n: Math.max(log.highest, above) + 1, prev: log.before.copy().update(torn).digest("hex") };
  const last = log.entries.at(-1);
  return { n: (last?.n ?? 0) + 1, prev: last?.hash ?? NO_PREVIOUS };
}

/** Ends the line of what was cut short, and keeps it from being an entry where only the end of the line was missing. */
const END_OF_TORN = "\0\n";

/**
 * Appends an entry to a log as it was read; durable when it returns. A new file has mode 0600. Nothing is ever written over or taken away: where
 * another one has appended meanwhile, the entry is found behind that one, and does not count. Throws a Failure (exit 3) then, and where it
 * cannot be written.
 */
export function append(log: SigningLog, facts: EntryFacts, above = 0): Entry {
  const { torn } = log;
  const rest = torn > 0 ? Buffer.concat([readFrom(log.path, log.end), Buffer.from(END_OF_TORN)]) : Buffer.alloc(0);
  const { n, prev } = linkOf(log, facts.operation, above, rest);
  const { text, hash } = lineOf({ v: 1, n, ...facts, ...(torn > 0 && { torn }), prev });
  write(log, Buffer.from(torn > 0 ? END_OF_TORN + text : text));
  follow(log, readFrom(log.path, log.end));
  const entry = log.entries.findLast((e) => e.hash === hash);
  if (!entry) throw changedMeanwhile(log.path);
  return entry;
}

function changedMeanwhile(path: string): Failure {
  return environment(`${path}: another program changed it in the meantime`, "run the command again; nothing was signed");
}

function readFrom(path: string, offset: number): Buffer {
  const { fd, size } = openRegular(path);
  try {
    const bytes = Buffer.alloc(Math.max(0, Math.min(size, KEY_LIMITS.log) - offset));
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
    // a link could lead to a file of somebody else's choice
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size !== end + torn) throw changedMeanwhile(path);
      for (let at = 0; at < line.length; ) at += writeSync(fd, line, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    // also where another one has made the file: that one may be held up before it does this
    fsyncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}
