// What a person does with a ledger: enters a log that is in a file, checks the whole, and writes it to a file.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, refusedInput, usage } from "../errors/failure.js";
import { sizeOf } from "../files/read.js";
import { writeWhole } from "../files/write.js";
import { allLines, type Ledger } from "../ledger/ledger.js";
import { endOfMirror, saveAs } from "../ledger/mirror.js";
import { openLedger } from "../ledger/open.js";
import { mirrorOf } from "../ledger/place.js";
import { warn } from "../notices.js";
import { entriesOf, type LogFault, logFaultWords, type SigningLog, wholeHash } from "../signing-log/chain.js";
import { Comparison, type Conflict, conflictFailure, conflicts } from "../signing-log/compare.js";
import { readDeciding } from "../signing-log/decided.js";
import type { Entry } from "../signing-log/entry.js";
import { hashUpTo } from "../signing-log/lines.js";
import { parseLog } from "../signing-log/log-file.js";
import { grouped } from "../words.js";
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
  /** What shows later whether these entries were changed. */
  readonly checkpoint: LedgerCheckpoint;
}

/** The length of a ledger in bytes, and the SHA-256 of that much of it, in hex. */
export interface LedgerCheckpoint {
  readonly bytes: number;
  readonly sha256: string;
}

/** Options of verifyLedger(). */
export interface VerifyLedgerOptions {
  /** An earlier result, which a witness has kept. */
  readonly checkpoint?: LedgerCheckpoint | undefined;
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
  // not in the state folder: a command that is stopped leaves it
  const folder = mkdtempSync(join(tmpdir(), "firmseal-ledger-"));
  const path = join(folder, "ledger.log");
  try {
    await saveAs(ledger.read(0), path);
    return work(path);
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

/** What this machine has seen and a ledger lacks. */
function lackedBy(path: string, copy: string): LogFault[] {
  const { size } = endOfMirror(copy);
  const isShort = sizeOf(path) < size;
  if (size === 0 || (!isShort && hashUpTo(path, size) === hashUpTo(copy, size))) return [];
  return [{ line: 0, what: `it ${isShort ? "ends before" : "differs from"} what this machine has seen, in ${copy}` }];
}

/** What is wrong with all of a ledger. */
function faultsIn(log: SigningLog, copy: string): LogFault[] {
  const cut = log.torn > 0 ? [{ line: log.lines + 1, what: "it is cut" }] : [];
  return [...log.faults, ...log.late, ...cut, ...lackedBy(log.path, copy)];
}

/** What a ledger has of an earlier checkpoint. */
function changedSince(path: string, checkpoint: LedgerCheckpoint | undefined): LogFault[] {
  if (!checkpoint) return [];
  const { bytes, sha256 } = checkpoint;
  const isShort = sizeOf(path) < bytes;
  if (!isShort && hashUpTo(path, bytes) === sha256) return [];
  return [{ line: 0, what: `it ${isShort ? "ends before" : "differs from"} the checkpoint of ${grouped(bytes)} bytes` }];
}

/**
 * Reads the whole of a ledger, and checks it: the hash chain, numbers and leaves that were used twice, and whether it
 * has everything that this machine has seen.
 *
 * @param text - Its place.
 * @param o - What else it must have.
 * @returns What it has, and what is wrong.
 * @throws Failure (exit 3) if it cannot be reached.
 */
export async function verifyLedger(text: string, o: VerifyLedgerOptions = {}): Promise<VerifiedLedger> {
  const check = (ledger: Ledger) => (path: string) => {
    const comparison = new Comparison(sizeOf(path));
    const log = readDeciding(path, [], ({ entry }) => entry && comparison.take(entry));
    return {
      ...factsOf(ledger, log),
      faults: [...faultsIn(log, mirrorOf(ledger.place)), ...changedSince(path, o.checkpoint)],
      accepted: log.accepted,
      conflicts: comparison.conflicts([{ path: ledger.place.text, all: entriesOf(log) }]),
      checkpoint: { bytes: log.end, sha256: wholeHash(log).digest("hex") },
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
 * @throws Failure if the ledger cannot be reached, has a fault or lacks what this machine has seen, or if the file
 *   exists.
 */
export async function exportLedger(text: string, out: string): Promise<LedgerFacts> {
  const write = (ledger: Ledger) => (path: string) => {
    const log = readDeciding(path, []);
    const [fault] = faultsIn(log, mirrorOf(ledger.place));
    if (fault) throw refusedInput("ERR_LOG", `${ledger.place.text}: ${logFaultWords(fault)}`, "firmseal ledger verify shows all faults");
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
  return joinedLines(one, other, o, people ? currentUser() : NOBODY) ?? Buffer.alloc(0);
}

/** Options of importLog(). */
export interface ImportOptions extends ClockOverride {
  /** The entries of the log name users and hosts, and the ledger does not, but they are entered. */
  readonly allowPeople?: boolean;
  /**
   * The log and the ledger have a number twice, but it is entered: after a ledger was restored from an old backup,
   * another machine may have given a number again. Every audit shows it from then on.
   */
  readonly allowSequenceReuse?: boolean;
}

function conflicting(twice: readonly Conflict[]): Failure {
  const e = conflictFailure(twice);
  return e.with({
    hint: `${e.hint}; if the ledger was restored, and another machine has used it since, its owner enters both: \`allowSequenceReuse\``,
  });
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
      const before = new Set(conflicts([one.log]).map((one) => JSON.stringify(one)));
      const twice = conflicts([both]).filter(
        (one) => !before.has(JSON.stringify(one)) && !(o.allowSequenceReuse && (one.what === "sequence" || one.what === "version")),
      );
      if (twice.length > 0) throw conflicting(twice);
      const lines = eachLine(added);
      if (lines.length > 0) await turn.append(bytes.length, lines);
      result = { ...factsOf(ledger, both), added: lines.length };
    } finally {
      await turn.end();
    }
    // the lines are in the ledger, whatever happens to the copy
    await refresh(ledger).catch((e) => {
      if (!(e instanceof Failure)) throw e;
      warn(`everything was entered, but the copy of this machine cannot be brought up to date: ${e.message}`);
    });
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
