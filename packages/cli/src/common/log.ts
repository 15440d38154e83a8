// A log that is a ledger, before a command begins.

import { existsSync } from "node:fs";
import { PRODUCT_FILE, productLog, withProductLog } from "@firmseal/release/internal";
import { onDemand } from "./release/on-demand.js";

/**
 * Brings the copy of a ledger up to date: a command reads that. Without the ledger, a command that signs must not
 * begin, as it would ask for a passphrase first. Does nothing for a log in a file.
 */
export async function fetchLog(log: string): Promise<void> {
  await productLog(undefined, log);
}

/**
 * Options of a command that names no product, with its log: where the product file in this folder names a ledger, keys
 * sign with it. Otherwise a key would have a log beside the ledger, and give a number that another machine gives too.
 *
 * @param o - The options. A log that was given stays.
 * @returns The options with the log that is meant.
 * @throws Failure if the product file cannot be read: it may name a ledger.
 */
export async function withLogHere<O extends { readonly log?: string }>(o: O): Promise<O> {
  if (o.log !== undefined || !existsSync(PRODUCT_FILE)) return o;
  return await withProductLog((await onDemand()).readProduct(PRODUCT_FILE), o);
}
