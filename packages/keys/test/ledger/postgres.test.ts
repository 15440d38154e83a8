// A ledger in PostgreSQL, on a real server.

import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { certificate, closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import type { LedgerOptions } from "../../src/ledger/ledger.js";
import { initLedger } from "../../src/ledger/open.js";
import { claim, describeLedger } from "./contract.js";

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

/** An address of this machine that is not local to it. */
const address = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

describe.skipIf(skip || address === undefined)(`a server on another machine${whyNoPostgres}`, () => {
  it("is believed only with a certificate that is trusted", async () => {
    const place = placeOf();
    await init(place);
    const remote = place.replace("postgres:///", `postgres://${address}/`);
    const refused = () =>
      claim(remote).then(
        () => "",
        (e) => e.message,
      );
    const folder = temporaryFolder("firmseal-tls-");
    const state = join(folder, "state");
    vi.stubEnv("FIRMSEAL_STATE", state);
    const { key, cert, path } = certificate(folder, address as string);
    server.sql("ALTER SYSTEM SET listen_addresses = '*'");
    server.stop();
    server.start();
    expect(await refused()).toContain("the server offers no TLS");
    server.serve({ key, cert });
    expect(await refused()).toContain("the certificate of the service is not trusted");
    vi.stubEnv("PGSSLROOTCERT", path);
    expect(await claim(remote)).toBe(1);
    server.sql("CREATE ROLE guarded LOGIN PASSWORD 'CANARY' IN ROLE signer");
    const guarded = remote.replace("://", "://guarded@");
    const refusedGuarded = () =>
      claim(guarded).then(
        () => "",
        (e) => e.message,
      );
    vi.stubEnv("PGPASSFILE", join(folder, "none"));
    expect(await refusedGuarded()).toContain("the server asks for a password");
    vi.stubEnv("PGPASSWORD", "CANARY-wrong");
    expect(await refusedGuarded()).toMatch(/the server does not accept the password$/);
    vi.stubEnv("PGPASSWORD", undefined);
    writeFileSync(join(folder, "pass"), "*:*:ledgers:guarded:CANARY\n", { mode: 0o600 });
    vi.stubEnv("PGPASSFILE", join(folder, "pass"));
    expect(await claim(guarded)).toBe(2);
    // nothing of PostgreSQL's own turns it off
    vi.stubEnv("PGSSLMODE", "disable");
    vi.stubEnv("PGSSLROOTCERT", certificate(folder, "198.51.100.1").path);
    expect(await refused()).toContain("the certificate of the service is not trusted");
    // of another machine, though somebody trusts it
    const other = certificate(folder, "198.51.100.2");
    server.serve(other);
    vi.stubEnv("PGSSLROOTCERT", other.path);
    expect(await refused()).toContain("the certificate of the service is not trusted");
    vi.unstubAllEnvs();
  });
});
