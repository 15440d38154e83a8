// A log that is a ledger, before a command begins.

import { existsSync } from "node:fs";
import { PRODUCT_FILE, productLog } from "@firmseal/release/internal";
import { onDemand } from "./release/on-demand.js";

/**
 * Brings the copy of a ledger up to date: a command reads that. Without the ledger, a command that signs must not
 * begin, as it would ask for a passphrase first. Does nothing for a log in a file.
 */
export async function fetchLog(log: string): Promise<void> {
  await productLog(undefined, log);
}

/**
 * The log of a command that names no product: where the product file in this folder names a ledger, keys sign with it.
 * Otherwise a key would have a log beside the ledger, and give a number that another machine gives too.
 *
 * @param log - The log that was given.
 * @returns The log that is meant. undefined: each key has its own.
 * @throws Failure if the product file cannot be read: it may name a ledger.
 */
export async function logHere(log: string | undefined): Promise<string | undefined> {
  if (log !== undefined || !existsSync(PRODUCT_FILE)) return log;
  return await productLog((await onDemand()).readProduct(PRODUCT_FILE), undefined);
}
