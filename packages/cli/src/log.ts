// The file that a log is: one JSON object a line, each with the hash of the line before it. docs/audit.md has the members.

import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { sha256Hex } from "./digest.js";
import { environment, systemFault, tooMuch } from "./failure.js";
import { readAll, syncFolder } from "./io.js";
import { grouped, LIMITS } from "./limits.js";

/** What `prev` says in the first entry. */
const NOTHING = "0".repeat(64);

/** The operation that goes on after a log was restored, cut or edited. */
export const ACCEPT = "accept-restored";

/** What an entry tells. */
export interface Told {
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
  /** For which devices it is: vendor and class, see sequence.ts. */
  scope?: string[];
  /** The refusals that were overridden. */
  overrides?: string[];
  /** Bytes of an entry cut short, which were taken away before this one. */
  torn?: number;
}

export interface Entry extends Told {
  v: 1;
  n: number;
  /** Hash of the entry before; in one that accepts, SHA-256 of all lines before. */
  prev: string;
  hash: string;
}

export interface Fault {
  /** 0: it concerns no line that is there. */
  line: number;
  what: string;
}

export interface Log {
  path: string;
  entries: Entry[];
  /** Why the chain does not hold. */
  faults: Fault[];
  /** Faults that a later entry accepts. */
  accepted: Fault[];
  /** Bytes of the lines that count, and of an entry behind them that was cut short while it was written. */
  end: number;
  torn: number;
  /** SHA-256 over the lines that count, so far. */
  before: Hash;
}

/** Members before "hash", as they are hashed; then the line. A reader takes the line apart by its bytes and never writes it again. */
function lineOf(entry: Omit<Entry, "hash">): { text: string; hash: string } {
  const body = JSON.stringify(entry);
  const hash = sha256Hex(Buffer.from(body));
  return { text: `${body.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/** `,"hash":"` with 64 digits and `"}`. */
const TAIL = 75;

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(bytes: Buffer): Entry | undefined {
  // to find out by an exception takes ten times as long
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const entry = JSON.parse(utf8.decode(bytes));
    const text = (...values: unknown[]) => values.every((value) => typeof value === "string");
    const texts = (list: unknown) => list === undefined || (Array.isArray(list) && text(...list));
    const { v, n, time, user, host, operation, prev, hash, sequence, scope, overrides, key, digest, tbs, job } = entry;
    if (v !== 1 || !Number.isSafeInteger(n) || n < 1 || !text(time, user, host, operation, prev, hash)) return undefined;
    if (!texts(scope) || !texts(overrides) || ![key, digest, tbs, job].every((value) => value === undefined || text(value)))
      return undefined;
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
  if (bytes.length === 0 || bytes.length >= LONGEST_TORN || !BEGIN.startsWith(text.slice(0, BEGIN.length))) return false;
  const whole = text.search(/,"hash":"[0-9a-f]{64}"}/);
  return whole < 0 || (whole === text.length - TAIL && parse(bytes.subarray(0, end)) !== undefined) || text.includes(HOLE);
}

/** A part of a block that is missing, with the rest behind it. */
const HOLE = "\0".repeat(16);
const LONGEST_TORN = 64 * 1024;
const BEGIN = '{"v":1,"n":';

function hashOf(line: Buffer): string {
  return createHash("sha256").update(line.subarray(0, -TAIL)).update("}").digest("hex");
}

/** Whether a file begins as logs do. */
export function looksLikeLog(head: Uint8Array): boolean {
  return Buffer.from(head).toString("latin1").startsWith(BEGIN);
}

/** Reads a log and follows its chain. One that is not there is empty. Throws a Failure where the file cannot be read. */
export function readLog(path: string): Log {
  const there = statSync(path, { throwIfNoEntry: false });
  return parseLog(path, there ? Buffer.from(readAll(path, LIMITS.log)) : Buffer.alloc(0));
}

function parseLog(path: string, bytes: Buffer): Log {
  const log: Log = { path, entries: [], faults: [], accepted: [], end: 0, torn: 0, before: createHash("sha256") };
  let highest = 0;
  for (let line = 1, at = 0; at < bytes.length; line++) {
    if (line > LIMITS.logLines)
      throw tooMuch(
        `${path}: the log has more than ${grouped(LIMITS.logLines)} lines`,
        "keep it elsewhere, and accept a new one: firmseal audit KEY --accept-restored",
      );
    const newline = bytes.indexOf(0x0a, at);
    const next = newline < 0 ? bytes.length : newline + 1;
    const content = bytes.subarray(at, newline < 0 ? next : newline);
    const entry = parse(content);
    // Cut short by a kill or a power cut: it was not durable yet, so nothing was signed that it speaks of. An entry that was is known to
    // the witness. A file of another kind, named by mistake, is not taken for that.
    if (next === bytes.length && (newline < 0 || !entry) && isBegun(content)) {
      log.torn = next - at;
      break;
    }
    const last = log.entries.at(-1);
    const fault = (what: string) => note(log.faults, { line, what });
    if (!entry) fault("is no entry");
    else if (hashOf(content) !== entry.hash) fault(`entry ${entry.n} was changed: its hash is that of something else`);
    else if (entry.operation === ACCEPT && entry.prev === allBefore(log) && entry.n > highest) acceptFaults(log);
    else if (entry.prev !== (last?.hash ?? NOTHING) || entry.n !== (last?.n ?? 0) + 1)
      fault(`entry ${entry.n} does not follow ${last ? `entry ${last.n}` : "on nothing"}`);
    if (entry) {
      log.entries.push(entry);
      highest = Math.max(highest, entry.n);
    }
    log.before.update(bytes.subarray(at, next));
    at = next;
    log.end = at;
  }
  return log;
}

/** Keeps a fault, as long as there are not too many: a file that is no log has one in each line. */
function note(faults: Fault[], fault: Fault): void {
  if (faults.length < LIMITS.logFaults) faults.push(fault);
  else if (faults.length === LIMITS.logFaults) faults.push({ line: fault.line, what: "from here on faults are not listed" });
}

function acceptFaults(log: Log): void {
  for (const fault of log.faults.splice(0)) note(log.accepted, fault);
}

const allBefore = (log: Log) => log.before.copy().digest("hex");

/** The number and the link of the next entry; one that accepts leaves out those up to `above`, which are lost. */
function linkOf(log: Log, operation: string, above: number): { n: number; prev: string } {
  const highest = log.entries.reduce((most, e) => Math.max(most, e.n), above);
  if (operation === ACCEPT) return { n: highest + 1, prev: allBefore(log) };
  const last = log.entries.at(-1);
  return { n: (last?.n ?? 0) + 1, prev: last?.hash ?? NOTHING };
}

/**
 * Appends an entry to a log that was read under its lock; durable when it returns. A new file has mode 0600. Throws a Failure (exit 3)
 * where it cannot be written, and then leaves the log as it was.
 */
export function append(log: Log, told: Told, above = 0): Entry {
  const { n, prev } = linkOf(log, told.operation, above);
  const entry = { v: 1, n, ...told, ...(log.torn > 0 && { torn: log.torn }), prev } as const;
  const { text, hash } = lineOf(entry);
  const line = Buffer.from(text);
  write(log, line);
  const whole: Entry = { ...entry, hash };
  log.entries.push(whole);
  log.before.update(line);
  log.end += line.length;
  log.torn = 0;
  if (told.operation === ACCEPT) acceptFaults(log);
  return whole;
}

function write({ path, end, torn }: Log, line: Buffer): void {
  try {
    const isNew = !statSync(path, { throwIfNoEntry: false });
    // a link could lead to a file of somebody else's choice
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size !== end + torn)
        throw environment(`${path}: was changed by something else meanwhile`, "run the command again");
      try {
        ftruncateSync(fd, end);
        for (let at = 0; at < line.length; ) at += writeSync(fd, line, at, line.length - at, end + at);
        fsyncSync(fd);
      } catch (e) {
        ftruncateSync(fd, end);
        throw e;
      }
    } finally {
      closeSync(fd);
    }
    if (isNew) syncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}
