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
   * Reads whole lines, from a byte offset at which one begins to the end of the ledger. Nothing if the ledger ends
   * there or before.
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

/**
 * Reads a ledger from a byte offset on.
 *
 * @param ledger - The ledger.
 * @param from - Where a line begins.
 * @returns Whole lines.
 * @throws Failure (exit 3) if the ledger cannot be reached; one (LIMIT) if it is longer than a log may be.
 */
export async function linesFrom(ledger: Ledger, from: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let end = from;
  for await (const part of ledger.read(from)) {
    parts.push(part);
    end += part.length;
    if (end > KEY_LIMITS.log) throw tooMuch(`${ledger.place.text}: the ledger is too long`, `the limit is ${byteWords(KEY_LIMITS.log)}`);
  }
  return Buffer.concat(parts);
}
