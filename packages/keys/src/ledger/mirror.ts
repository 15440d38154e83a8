// The copy of a ledger on this machine. It is a signing log like any other, and only grows: what a machine has seen, it
// keeps. So a ledger that was restored from an old copy, or changed, differs from what its users have.

import { createHash } from "node:crypto";
import { closeSync, constants, createWriteStream, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure, systemFault } from "../errors/failure.js";
import { isFile, sizeOf } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { warn } from "../notices.js";
import { beginLog, checkedChain, follow, followAll, type SigningLog } from "../signing-log/chain.js";
import type { Entry } from "../signing-log/entry.js";
import { hashUpTo, linesIn, linesOf } from "../signing-log/lines.js";
import { follows, makeDurable, readFrom } from "../signing-log/log-file.js";
import { fingerprint, NumberSet } from "../signing-log/text-map.js";
import { shellWord } from "../words.js";
import { brokenLedger, type Ledger, tooLong, wholeLines } from "./ledger.js";
import type { LedgerPlace } from "./place.js";

const NEWLINE = 0x0a;

/** The whole lines of a copy: how many bytes they have, and the last one. */
interface MirrorEnd {
  readonly size: number;
  readonly last: Buffer;
}

/** Reads the end of a copy. */
export function endOfMirror(path: string): MirrorEnd {
  const none = { size: 0, last: Buffer.alloc(0) };
  if (!isFile(path)) return none;
  const size = sizeOf(path);
  // most lines have a few hundred bytes
  for (let room = 16 * 1024; ; room *= 16) {
    const from = Math.max(0, size - room);
    const bytes = readFrom(path, from);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const before = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2);
    if (before >= 0 && end > 1) return { size: from + end, last: bytes.subarray(before + 1, end) };
    if (from === 0) return end === 0 ? none : { size: end, last: bytes.subarray(0, end) };
  }
}

/** Appends to a copy. Durable on return. What follows its last whole line is the rest of a write that was cut. */
export function appendToMirror(path: string, at: number, bytes: Uint8Array): void {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      ftruncateSync(fd, at);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    fsyncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

function differs({ text }: LedgerPlace, path: string, what: string): Failure {
  return new Failure(
    3,
    "ERR_LOG",
    `${text}: ${what}, which is in ${path}`,
    `its owner restored an old copy, or changed it: restore the right one, or bring back what is lost: firmseal ledger import ${shellWord(path)} --ledger ${shellWord(text)}`,
  );
}

/**
 * Brings the copy of a ledger up to date, part by part. The caller has its lock.
 *
 * @param path - The copy.
 * @param ledger - The ledger.
 * @returns The length of both, in bytes.
 * @throws Failure (exit 3) if the ledger lacks what the copy has, or if what it adds is not a log. Then the copy has at
 *   most the lines before the fault.
 */
export async function fetchInto(path: string, ledger: Ledger): Promise<number> {
  const { size, last } = endOfMirror(path);
  const added = new Added(path, size, last);
  let seen = last;
  for await (const part of wholeLines(ledger, size - last.length)) {
    if (!part.subarray(0, seen.length).equals(seen.subarray(0, part.length))) return await replaced(path, ledger);
    if (part.length < seen.length) break;
    if (part.length > seen.length && !added.take(part.subarray(seen.length))) throw tooLong(ledger);
    seen = Buffer.alloc(0);
  }
  if (seen.length > 0) throw differs(ledger.place, path, "the ledger ends before what this machine has seen");
  const end = added.end();
  // what others have entered must be a log, or this machine could never use its copy again
  if (end === undefined) throw brokenLedger(ledger.place);
  return end;
}

/** Writes what a ledger answers to a file. */
export async function saveAs(parts: AsyncIterable<Buffer>, path: string): Promise<void> {
  try {
    await pipeline(parts, createWriteStream(path, { mode: 0o600 }));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

/**
 * Takes all of a ledger as the copy, if it has every entry of the copy: they were entered again, behind those of other
 * machines. Nothing that this machine has seen is lost then.
 */
async function replaced(path: string, ledger: Ledger): Promise<number> {
  const fresh = `${path}.fetched`;
  try {
    await saveAs(wholeLines(ledger, 0), fresh);
    const log = beginLog(fresh, false);
    const there = new NumberSet();
    // by their text: a line that was edited may have kept its hash
    const id = (entry: Entry) => fingerprint(JSON.stringify(entry));
    for (const { entry } of follow(log, linesIn(fresh))) if (entry) there.add(id(entry));
    let isWhole = log.faults.length + log.late.length + log.torn === 0;
    for (const { entry } of follow(beginLog(path, false), linesIn(path))) if (entry) isWhole &&= there.has(id(entry));
    if (!isWhole) throw differs(ledger.place, path, "the ledger differs from what this machine has seen");
    makeDurable(fresh);
    renameSync(fresh, path);
    fsyncFolder(dirname(path));
    warn(`${ledger.place.text}: what this machine has seen was entered again, behind entries of other machines: firmseal audit shows them`);
    return log.end;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/**
 * Compares all of a ledger with the copy: fetchInto() compares the last line that both have. The caller has the lock.
 *
 * @param path - The copy, which was just brought up to date.
 * @param ledger - The ledger.
 * @throws Failure (exit 3) if they differ.
 */
export async function compareWhole(path: string, ledger: Ledger): Promise<void> {
  const { size } = endOfMirror(path);
  if (size === 0) return;
  const hash = createHash("sha256");
  let at = 0;
  for await (const part of wholeLines(ledger, 0)) {
    hash.update(part.subarray(0, Math.max(0, size - at)));
    at += part.length;
  }
  if (hash.digest("hex") !== hashUpTo(path, size)) throw differs(ledger.place, path, "the ledger differs from what this machine has seen");
}

/** The lines that a ledger adds to a copy. They are written as soon as they are known to be part of a log. */
class Added {
  /** The chain from the first line on, if an entry does not follow the last one: after a join or an accepted loss. */
  private whole: SigningLog | undefined;
  /** Lines that are a part of a log only together with later ones. */
  private held: Buffer[] = [];

  constructor(
    private readonly path: string,
    private at: number,
    private last: Buffer,
  ) {}

  /** Returns false if too many lines are held. */
  take(lines: Buffer): boolean {
    if (!this.whole && follows(this.path, this.last, lines)) {
      this.write(lines);
      this.last = lines.subarray(lines.lastIndexOf(NEWLINE, -2) + 1);
      return true;
    }
    this.whole ??= checkedChain(this.path, this.at);
    followAll(this.whole, linesOf(this.path, lines));
    this.held.push(lines);
    if (this.isLog()) this.writeHeld();
    return this.held.reduce((sum, { length }) => sum + length, 0) <= KEY_LIMITS.log;
  }

  /** Returns the length of the copy; undefined if what is held is not a part of a log. */
  end(): number | undefined {
    if (!this.isLog()) return undefined;
    this.writeHeld();
    return this.at;
  }

  private isLog(): boolean {
    if (!this.whole) return true;
    const { faults, late, place, end } = this.whole;
    // nothing follows an entry that came too late, or a truncated one
    return faults.length + late.length === 0 && (place?.end ?? 0) === end;
  }

  private writeHeld(): void {
    const lines = Buffer.concat(this.held);
    if (lines.length > 0) this.write(lines);
    this.held = [];
  }

  private write(lines: Buffer): void {
    appendToMirror(this.path, this.at, lines);
    this.at += lines.length;
  }
}
