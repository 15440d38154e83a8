// A ledger: one signing log that several machines share. It holds the lines of a log, and has one winner for what comes
// next. Everything else (the hash chain, numbers, approvals, last-seen marks) is that of a log in a file: each machine
// has a copy of the ledger (mirror.ts), and reads that.

import { environment, Failure, tooMuch } from "../errors/failure.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords, shellWord } from "../words.js";
import type { LedgerPlace } from "./place.js";

/** The turn of one machine. The others wait until it ends, or until the ledger ends it. */
export interface Turn {
  /** The clock of the ledger when the turn began. In milliseconds since 1970. */
  readonly time: number;
  /**
   * Enters lines at the end, all of them or none. They are durable on return.
   *
   * @param at - The length of the ledger in bytes, as the caller knows it.
   * @param lines - Entries of a signing log, each with its line end.
   * @throws Failure (exit 3) if the ledger has another length, or if it is not known whether the lines were entered.
   *   Nobody may sign then.
   */
  append(at: number, lines: readonly Buffer[]): Promise<void>;
  /** Ends the turn. Whatever was not appended is forgotten. Does not throw. */
  end(): Promise<void>;
}

/** How a turn is waited for. */
export interface TurnOptions {
  /** Seconds. */
  readonly wait: number;
  readonly signal?: AbortSignal | undefined;
  /** A whole log is entered, not a signature: the owner of the ledger may do that. */
  readonly isImport?: boolean;
}

/** A ledger in a database or an object store. */
export interface Ledger {
  readonly place: LedgerPlace;
  /** Whether entries name the user, the host and the job. */
  readonly people: boolean;
  /**
   * Reads from a byte offset to the end of the ledger. Nothing if it ends there or before. If it differs from what the
   * caller has seen, no line need begin at the offset.
   */
  read(from: number): AsyncIterable<Buffer>;
  /** Waits for a turn. Throws a Failure (exit 3) if it does not come. */
  turn(options: TurnOptions): Promise<Turn>;
  close(): Promise<void>;
}

/** What a new ledger records of itself. */
export interface LedgerOptions {
  /** Entries name the user, the host and the job. Without it, nobody learns from the ledger who signed where. */
  readonly people?: boolean;
  /** PostgreSQL: the role of signers, which may append and read. */
  readonly signers?: string;
}

/** Another machine has entered something: what was granted by the old end does not hold. */
export function ledgerMoved({ text }: LedgerPlace): Failure {
  return environment(`${text}: another machine used the ledger in the meantime`, "run the command again; nothing was signed");
}

/** What a ledger has is not a log. `what`: why. */
export function brokenLedger({ text }: LedgerPlace, what = "its lines do not follow each other"): Failure {
  return new Failure(
    3,
    "ERR_LOG",
    `${text}: the ledger is broken: ${what}`,
    `firmseal ledger verify --ledger ${shellWord(text)} says more; its owner restores it, or the copy of a machine does: firmseal ledger import COPY`,
  );
}

/** So much of a ledger would be held in memory. */
export const tooLong = ({ place }: Ledger, limit: number = KEY_LIMITS.log): Failure =>
  tooMuch(`${place.text}: the ledger is too long for this`, `the limit is ${byteWords(limit)}`);

/**
 * Reads a ledger from a byte offset on, part by part.
 *
 * @param ledger - The ledger.
 * @param from - Where a line begins.
 * @returns Parts of one or more whole lines.
 * @throws Failure (exit 3) if the ledger cannot be reached, or if a line is cut or longer than an entry can be; one
 *   (LIMIT) above 8 GiB.
 */
export async function* wholeLines(ledger: Ledger, from: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let length = from;
  for await (const part of ledger.read(from)) {
    length += part.length;
    if (length > KEY_LIMITS.ledger) throw tooLong(ledger, KEY_LIMITS.ledger);
    const bytes = Buffer.concat([rest, part]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end > 0) yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
    // a truncated entry may come before one
    if (rest.length > 2 * KEY_LIMITS.logEntry) throw brokenLedger(ledger.place, "a line is longer than an entry");
  }
  if (rest.length > 0) throw brokenLedger(ledger.place, "its last line is cut");
}

/**
 * Reads the whole of a ledger into memory.
 *
 * @param ledger - The ledger.
 * @returns Its lines.
 * @throws Failure (exit 3) if the ledger cannot be reached; one (LIMIT) if it has more than 512 MiB.
 */
export async function allLines(ledger: Ledger): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of ledger.read(0)) {
    parts.push(part);
    length += part.length;
    if (length > KEY_LIMITS.log) throw tooLong(ledger);
  }
  return Buffer.concat(parts);
}
