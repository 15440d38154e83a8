// The log that a command uses: the one that it was given, or the ledger of the product file.

import { Failure, refreshLog } from "@firmseal/keys";
import { isLedgerPlace, ledgerPlace, warn } from "@firmseal/keys/internal";
import type { Product } from "./file/product.js";

/**
 * Returns the log of a product. If it is a ledger, brings the copy on this machine up to date first, so that what only
 * reads it knows what other machines have entered.
 *
 * @param product - From readProduct(), whose ledger is used if no log was given. undefined: none.
 * @param log - The log that was given.
 * @returns `log`, or the place of the ledger. undefined: each key has its own log.
 * @throws Failure (exit 3) if the ledger cannot be reached, or lacks what this machine has seen.
 */
export async function productLog(product: Product | undefined, log: string | undefined): Promise<string | undefined> {
  const ledger = product?.sequence.ledger;
  const meant = log ?? ledger;
  if (ledger !== undefined && log !== undefined && (!isLedgerPlace(log) || ledgerPlace(log).text !== ledger))
    warn(`${log} is used instead of the ledger of the product file, so other machines do not learn of it: ${ledger}`);
  if (!isLedgerPlace(meant)) return meant;
  try {
    await refreshLog(meant);
  } catch (e) {
    throw e instanceof Failure && e.reason === "ENVIRONMENT" ? e.with({ hint: `${e.hint}; ${OFFLINE}` }) : e;
  }
  return meant;
}

const OFFLINE = "nothing was signed: where the ledger cannot be reached, sign what firmseal tbs has written where it can";

/** Options with the log of a product: see productLog(). */
export async function withProductLog<O extends { readonly log?: string }>(product: Product, o: O): Promise<O> {
  const log = await productLog(product, o.log);
  return log === undefined ? o : { ...o, log };
}

/**
 * Like productLog(), for a command that signs nothing: if nobody gave a log and the ledger of the product file cannot
 * be reached, what this machine has fetched before must do.
 */
export async function knownLog(product: Product, log: string | undefined): Promise<void> {
  try {
    await productLog(product, log);
  } catch (e) {
    if (log !== undefined || !(e instanceof Failure) || e.reason !== "ENVIRONMENT") throw e;
    warn(`${e.message}: what other machines have withdrawn since this one last reached it is not known`);
  }
}
