// Machines that share a ledger in a PostgreSQL server.

import { join } from "node:path";
import { expectExit, type Place, type Result, type RunOptions } from "../../../test-support/src/command-line/run.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres } from "../../../test-support/src/ledger/postgres.js";

export const startServer = async () => new Postgres(await closedPort());

/** Runs a command on a machine, which is a state folder of its own. */
export type On = (machine: string, args: string | readonly string[], o?: RunOptions) => Promise<Result>;

/** A new ledger in a server, and machines that use it. */
export function machines(server: Postgres, p: Place, name: string) {
  const place = `postgres:///ledgers#example.com/${name}`;
  const folder = temporaryFolder("firmseal-machines-");
  const on: On = (machine, args, o = {}) => {
    const env = { ...server.env, FIRMSEAL_STATE: join(folder, machine), ...o.env };
    return p.run(typeof args === "string" ? args.split(" ") : args, { ...o, env });
  };
  const ok: On = async (machine, args, o) => expectExit(await on(machine, args, o), 0);
  const init = (...more: string[]) =>
    ok("owner", ["ledger", "init", "--ledger", place, "--signers", "signer", ...more], { env: { PGUSER: "owner" } });
  return { place, folder, on, ok, init };
}
