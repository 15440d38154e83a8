// Fetches what other machines have entered in a ledger, for commands that only read.

import type { Ledger } from "../ledger/ledger.js";
import { compareWhole, fetchInto } from "../ledger/mirror.js";
import { openLedger } from "../ledger/open.js";
import { isLedgerPlace, mirrorOf } from "../ledger/place.js";
import { stateFolder } from "../signing-log/last-seen.js";
import { lockLog } from "./places.js";

/** How a copy is brought up to date. */
export interface RefreshOptions {
  /** Compares all of the ledger with what the copy had. Otherwise, that is its last line. */
  readonly whole?: boolean;
}

/** Brings the copy of an open ledger up to date, and returns its path. */
export async function refresh(ledger: Ledger, { whole = false }: RefreshOptions = {}): Promise<string> {
  stateFolder();
  const path = mirrorOf(ledger.place);
  const lock = await lockLog(path);
  try {
    await fetchInto(path, ledger);
    if (whole) await compareWhole(path, ledger);
  } finally {
    lock.release();
  }
  return path;
}

/**
 * Brings the copy of a ledger on this machine up to date.
 *
 * @param log - The place of the ledger. Whatever else names a log is left as it is.
 * @param o - How.
 * @returns The path of the copy, which is a signing log; that of any other log.
 * @throws Failure (exit 3) if the ledger cannot be reached, or lacks what the copy has.
 */
export async function refreshLog(log: string | undefined, o: RefreshOptions = {}): Promise<string | undefined> {
  if (!isLedgerPlace(log)) return log;
  const ledger = await openLedger(log);
  try {
    return await refresh(ledger, o);
  } finally {
    await ledger.close();
  }
}
