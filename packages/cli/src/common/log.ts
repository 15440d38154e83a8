// A log that is a ledger, before a command begins.

import { productLog } from "@firmseal/release/internal";

/**
 * Brings the copy of a ledger up to date: a command reads that. Without the ledger, a command that signs must not
 * begin, as it would ask for a passphrase first. Does nothing for a log in a file.
 */
export async function fetchLog(log: string): Promise<void> {
  await productLog(undefined, log);
}
