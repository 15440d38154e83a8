// Opens and makes ledgers, each kind with its own module.

import type { Ledger, LedgerOptions } from "./ledger.js";
import { type LedgerPlace, ledgerPlace } from "./place.js";

/** A kind of place. */
interface Kind {
  open(place: LedgerPlace): Promise<Ledger>;
  init(place: LedgerPlace, options: LedgerOptions): Promise<void>;
}

const KINDS: { readonly [kind in LedgerPlace["kind"]]: () => Promise<Kind> } = {
  postgres: () => import("./postgres.js"),
  s3: () => import("./s3.js"),
};

/**
 * Opens a ledger.
 *
 * @param text - Its place: see ledgerPlace().
 * @returns The ledger, to be closed.
 * @throws Failure (exit 3) if it cannot be reached, does not exist, or is not safe to use.
 */
export async function openLedger(text: string): Promise<Ledger> {
  const place = ledgerPlace(text);
  return await (await KINDS[place.kind]()).open(place);
}

/**
 * Makes a new, empty ledger.
 *
 * @param text - Its place.
 * @param options - What it records of itself.
 * @throws Failure if there is one of that name, or if the place cannot hold a ledger.
 */
export async function initLedger(text: string, options: LedgerOptions = {}): Promise<void> {
  const place = ledgerPlace(text);
  await (await KINDS[place.kind]()).init(place, options);
}
