import type { Ledger } from "./ledger.js";
import type { LedgerPlace } from "./place.js";
export async function open(_: LedgerPlace): Promise<Ledger> {
  throw new Error("TODO");
}
export async function init(_: LedgerPlace): Promise<void> {
  throw new Error("TODO");
}
