// Kills and faults on a real PostgreSQL server: signers and the server are killed under load, the network is cut. The
// same for a log in a file. FIRMSEAL_CASES: how many claims; 1,000 with FIRMSEAL_LONG=1, else 60.

import { createServer, type Server, type Socket, connect as toServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { initLedger } from "../../src/ledger/open.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { verifyLedger } from "../../src/recording/shared.js";
import { readLog } from "../../src/signing-log/log-file.js";
import { expectSound, load, stateOf } from "./load.js";

const isLong = process.env["FIRMSEAL_LONG"] === "1";
const CLAIMS = Number(process.env["FIRMSEAL_CASES"] ?? (isLong ? 1000 : 60));
const pause = (ms: number) => new Promise((next) => setTimeout(next, ms));

/** What is between signers and server: it can cut every connection. */
class Network {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  constructor(
    readonly port: number,
    to: string,
  ) {
    this.server = createServer((socket) => {
      const other = toServer(to);
      for (const [one, two] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          this.sockets.delete(one);
          two.destroy();
        });
        one.pipe(two);
      }
    }).listen(port, "127.0.0.1");
  }
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }
  close(): void {
    this.cut();
    this.server.close();
  }
}

describe.skipIf(whyNoPostgres !== "")(`signers that share a ledger${whyNoPostgres}`, () => {
  let server: Postgres;
  let folder = "";
  beforeAll(async () => {
    folder = temporaryFolder("firmseal-load-");
    server = new Postgres(await closedPort());
    vi.stubEnv("FIRMSEAL_STATE", join(folder, "state"));
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server?.remove();
  });

  it(`give ${CLAIMS} numbers and leaves once, while signers and the server are killed and the network is cut`, {
    timeout: 1800_000,
  }, async () => {
    const place = "postgres:///ledgers#load";
    vi.stubEnv("PGUSER", "owner");
    await initLedger(place, { signers: "signer" });
    vi.stubEnv("PGUSER", "signer");
    const network = new Network(await closedPort(), join(server.folder, `.s.PGSQL.${server.port}`));
    let [cuts, crashes] = [0, 0];
    const trouble = async () => {
      await pause(CLAIMS > 200 ? 5000 : 1000);
      network.cut();
      cuts++;
      await pause(CLAIMS > 200 ? 5000 : 1000);
      server.kill();
      crashes++;
      server.start();
    };
    const env = { ...server.env, PGHOST: "127.0.0.1", PGPORT: String(network.port) };
    const result = await load({ place, env, state: stateOf(folder), claims: CLAIMS, trouble });
    network.close();
    const { faults, conflicts } = await verifyLedger(place);
    expect({ faults, conflicts }).toEqual({ faults: [], conflicts: [] });
    const { entries } = readLog((await refreshLog(place)) as string);
    expectSound(result, entries);
    expect(result.kills).toBeGreaterThan(0);
    expect(crashes).toBeGreaterThan(0);
    console.log(
      `${entries.length} entries, ${result.acknowledged.length} acknowledged, ${result.kills} kills, ${crashes} crashes, ${cuts} cuts`,
    );
    for (const [what, n] of result.failures) console.log(`${n} x ${what}`);
  });
});

it(`signers that share a log in a file give ${CLAIMS / 2} numbers once, while some are killed`, { timeout: 1800_000 }, async () => {
  const folder = temporaryFolder("firmseal-load-file-");
  const log = join(folder, "a.log");
  const result = await load({ place: log, env: {}, state: () => join(folder, "state"), claims: CLAIMS / 2 });
  const { entries, faults, late } = readLog(log);
  expect({ faults, late }).toEqual({ faults: [], late: [] });
  expectSound(result, entries);
});
