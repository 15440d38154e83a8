// A ledger in PostgreSQL, on a real server.

import { afterAll, beforeAll, vi } from "vitest";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { initLedger, type LedgerOptions } from "../../src/ledger/ledger.js";
import { describeLedger } from "./contract.js";

const skip = whyNoPostgres !== "";
let server: Postgres;
beforeAll(async () => {
  if (skip) return;
  server = new Postgres(await closedPort());
});
afterAll(() => server?.remove());

const as = (user: string) => {
  for (const [name, value] of Object.entries({ ...server.env, PGUSER: user })) vi.stubEnv(name, value);
};
let ledgers = 0;
const placeOf = () => {
  as("signer");
  return `postgres:///ledgers#example.com/p${ledgers++}`;
};
async function init(place: string, options?: LedgerOptions): Promise<void> {
  as("owner");
  try {
    await initLedger(place, options);
    await initLedger(place, { signers: "signer" });
  } finally {
    as("signer");
  }
}
describeLedger(`PostgreSQL${whyNoPostgres}`, { placeOf, init }, skip);
