// Opens and makes ledgers, each kind with its own module.

import type { Ledger, LedgerOptions } from "./ledger.js";
import { type LedgerPlace, ledgerPlace } from "./place.js";

/** A kind of place. */
interface Kind {
  open(place: LedgerPlace): Promise<Ledger>;
  init(place: LedgerPlace, options: LedgerOptions): Promise<void>;
}

const KINDS: { readonly [kind in LedgerPlace["kind"]]: () => Promise<Kind> } = {
  postgres: async () => {
    const { openPostgres, initPostgres } = await import("./postgres.js");
    return { open: openPostgres, init: initPostgres };
  },
  s3: async () => {
    const { openS3, initS3 } = await import("./s3.js");
    return { open: openS3, init: initS3 };
  },
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
