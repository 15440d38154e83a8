// What a person does with a ledger: enters a log that is in a file, checks the whole, and writes it to a file.

import { createHash } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure, refusedInput, systemFault, usage } from "../errors/failure.js";
import { sizeOf } from "../files/read.js";
import { writeWhole } from "../files/write.js";
import { allLines, type Ledger } from "../ledger/ledger.js";
import { endOfMirror } from "../ledger/mirror.js";
import { openLedger } from "../ledger/open.js";
import { mirrorOf } from "../ledger/place.js";
import { entriesOf, type LogFault, type SigningLog } from "../signing-log/chain.js";
import { Comparison, type Conflict, conflictFailure, conflicts } from "../signing-log/compare.js";
import { readDeciding } from "../signing-log/decided.js";
import type { Entry } from "../signing-log/entry.js";
import { stateFolder } from "../signing-log/last-seen.js";
import { linesIn } from "../signing-log/lines.js";
import { parseLog } from "../signing-log/log-file.js";
import type { ClockOverride } from "./clock.js";
import { joinedLines, readWhole, type WholeLog } from "./join.js";
import { refresh } from "./refresh.js";
import { currentUser, NOBODY } from "./user.js";

/** What a ledger has. */
export interface LedgerFacts {
  /** Its place. */
  readonly place: string;
  readonly entries: number;
  readonly bytes: number;
  /** Whether entries name the user, the host and the job. */
  readonly people: boolean;
  /** The copy on this machine. */
  readonly copy: string;
}

/** The result of verifyLedger(). */
export interface VerifiedLedger extends LedgerFacts {
  /** Faults of the hash chain, and what this machine has seen and the ledger lacks. */
  readonly faults: readonly LogFault[];
  readonly accepted: readonly LogFault[];
  /** Numbers and leaves that were used twice. */
  readonly conflicts: readonly Conflict[];
  /** SHA-256 of the whole, in hex: it shows later whether these entries were changed. */
  readonly checkpoint: string;
}

/** Runs `work` with a ledger, and closes it. */
async function withLedger<T>(text: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = await openLedger(text);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/**
 * Runs `work` with all of a ledger in a file, which is removed afterwards. The copy of this machine stays as it is: it
 * may be what the ledger is compared with, and may have what the ledger lost.
 */
async function withWhole<T>(ledger: Ledger, work: (path: string) => T): Promise<T> {
  const folder = mkdtempSync(join(stateFolder(), "whole-"));
  const path = join(folder, "ledger.log");
  try {
    await pipeline(ledger.read(0), createWriteStream(path, { mode: 0o600 }));
    return work(path);
  } catch (e) {
    throw systemFault(e, path) ?? e;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const factsOf = ({ place, people }: Ledger, { count, late, end }: SigningLog): LedgerFacts => ({
  place: place.text,
  entries: count + late.length,
  bytes: end,
  people,
  copy: mirrorOf(place),
});

/** The SHA-256 of the first lines of a file. */
function hashOfLines(path: string, end: number): string {
  const hash = createHash("sha256");
  for (const { bytes } of linesIn(path, 0, end)) hash.update(bytes);
  return hash.digest("hex");
}

/** What this machine has seen and a ledger lacks. */
function lackedBy(path: string, copy: string): LogFault[] {
  const { size } = endOfMirror(copy);
  const isShort = sizeOf(path) < size;
  if (size === 0 || (!isShort && hashOfLines(path, size) === hashOfLines(copy, size))) return [];
  return [{ line: 0, what: `it ${isShort ? "ends before" : "differs from"} what this machine has seen, in ${copy}` }];
}

/**
 * Reads the whole of a ledger, and checks it: the hash chain, numbers and leaves that were used twice, and whether it
 * has everything that this machine has seen.
 *
 * @param text - Its place.
 * @returns What it has, and what is wrong.
 * @throws Failure (exit 3) if it cannot be reached.
 */
export async function verifyLedger(text: string): Promise<VerifiedLedger> {
  const check = (ledger: Ledger) => (path: string) => {
    const comparison = new Comparison(sizeOf(path));
    const log = readDeciding(path, [], ({ entry }) => entry && comparison.take(entry));
    const cut = { line: log.lines + 1, what: "it is cut" };
    return {
      ...factsOf(ledger, log),
      faults: [...log.faults, ...log.late, ...(log.torn > 0 ? [cut] : []), ...lackedBy(path, mirrorOf(ledger.place))],
      accepted: log.accepted,
      conflicts: comparison.conflicts([{ path: ledger.place.text, all: entriesOf(log) }]),
      checkpoint: hashOfLines(path, sizeOf(path)),
    };
  };
  return await withLedger(text, async (ledger) => await withWhole(ledger, check(ledger)));
}

/**
 * Writes the whole of a ledger to a new file, which is a signing log.
 *
 * @param text - Its place.
 * @param out - The file.
 * @returns What it has.
 * @throws Failure if the ledger cannot be reached, has a fault, or if the file exists.
 */
export async function exportLedger(text: string, out: string): Promise<LedgerFacts> {
  const write = (ledger: Ledger) => (path: string) => {
    const log = readDeciding(path, []);
    const [fault] = log.faults;
    if (fault)
      throw refusedInput("ERR_LOG", `${ledger.place.text}: line ${fault.line}: ${fault.what}`, "firmseal ledger verify shows all faults");
    writeWhole(out, readFileSync(path), { mode: 0o600, fresh: true });
    return factsOf(ledger, log);
  };
  return await withLedger(text, async (ledger) => await withWhole(ledger, write(ledger)));
}

/** The whole lines of bytes, each with its line end. */
function eachLine(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at) + 1;
    if (end === 0) break;
    lines.push(bytes.subarray(at, end));
    at = end;
  }
  return lines;
}

/** What a ledger lacks of a log: the rest of it, or its entries as those of another log. */
function addedBy(one: WholeLog, other: WholeLog, o: ClockOverride, people: boolean): Buffer {
  const whole = other.bytes.subarray(0, other.log.end);
  if (whole.subarray(0, one.bytes.length).equals(one.bytes)) return whole.subarray(one.bytes.length);
  return joinedLines(one, other, o, people ? currentUser() : NOBODY);
}

/** Options of importLog(). */
export interface ImportOptions extends ClockOverride {
  /** The entries of the log name users and hosts, and the ledger does not, but they are entered. */
  readonly allowPeople?: boolean;
}

/**
 * Enters a log in a ledger: that of a key which signed without it, or the copy of another machine after the ledger was
 * restored from an old backup. Its entries stay as they are.
 *
 * @param text - The place of the ledger.
 * @param path - The log.
 * @param o - What is overridden.
 * @returns What the ledger has afterwards, and how many lines were added.
 * @throws Failure if the log has a fault, if the two have a number or a leaf twice, if the log names people and the
 *   ledger does not, or if the ledger cannot be reached. Nothing is entered then.
 */
export async function importLog(text: string, path: string, o: ImportOptions = {}): Promise<LedgerFacts & { added: number }> {
  const other = readWhole(path);
  if (other.log.all.length === 0) throw usage(`${path}: the log has no entries`, "there is nothing to enter");
  return await withLedger(text, async (ledger) => {
    const turn = await ledger.turn({ wait: 60, isImport: true });
    let result: LedgerFacts & { added: number };
    try {
      // not the copy of this machine: it may be what the ledger lost
      const bytes = await allLines(ledger);
      const one = { log: parseLog(ledger.place.text, bytes), bytes };
      const added = addedBy(one, other, o, ledger.people);
      const both = parseLog(ledger.place.text, Buffer.concat([bytes, added]));
      const isNamed = ({ user, host, job }: Entry) => user !== "" || host !== "" || job !== undefined;
      // not those that the ledger has: somebody has allowed them
      if (!ledger.people && !o.allowPeople && both.all.slice(one.log.all.length).some(isNamed))
        throw refusedInput(
          "ERR_LOG",
          `${path}: its entries name users and hosts, which this ledger does not`,
          "make a ledger that names them, or enter them all the same: `allowPeople`",
        );
      const [fault] = both.faults;
      if (fault) throw new Failure(3, "ERR_LOG", `${both.path}: ${fault.what}`, "firmseal ledger verify shows all faults");
      const twice = conflicts([both]);
      if (twice.length > conflicts([one.log]).length) throw conflictFailure(twice);
      const lines = eachLine(added);
      if (lines.length > 0) await turn.append(bytes.length, lines);
      result = { ...factsOf(ledger, both), added: lines.length };
    } finally {
      await turn.end();
    }
    await refresh(ledger);
    return result;
  });
}

/**
 * Returns what a ledger has, and brings the copy of this machine up to date.
 *
 * @param text - Its place.
 * @returns What it has.
 * @throws Failure (exit 3) if it cannot be reached, or lacks what this machine has seen.
 */
export async function ledgerFacts(text: string): Promise<LedgerFacts> {
  return await withLedger(text, async (ledger) => {
    const copy = await refresh(ledger);
    return factsOf(ledger, readDeciding(copy, []));
  });
}
