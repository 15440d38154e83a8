// Fetches what other machines have entered in a ledger, for commands that only read.

import { openLedger } from "../ledger/ledger.js";
import { fetchInto } from "../ledger/mirror.js";
import { isLedgerPlace, ledgerPlace, mirrorOf } from "../ledger/place.js";
import { lockLog } from "./recording.js";

/**
 * Brings the copy of a ledger on this machine up to date.
 *
 * @param log - The place of the ledger. Whatever else names a log is left as it is.
 * @returns The path of the copy, which is a signing log; that of any other log.
 * @throws Failure (exit 3) if the ledger cannot be reached, or lacks what the copy has.
 */
export async function refreshLog(log: string | undefined): Promise<string | undefined> {
  if (!isLedgerPlace(log)) return log;
  const path = mirrorOf(ledgerPlace(log));
  const ledger = await openLedger(log);
  try {
    const lock = await lockLog(path);
    try {
      await fetchInto(path, ledger);
    } finally {
      lock.release();
    }
  } finally {
    await ledger.close();
  }
  return path;
}
