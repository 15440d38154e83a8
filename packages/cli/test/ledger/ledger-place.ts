// Machines that share a ledger in a PostgreSQL server.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { expectExit, FACTS, type Place, type Result, type RunOptions, standard } from "../../../test-support/src/command-line/run.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";

export const startServer = async () => new Postgres(await closedPort());

/** Runs a command on a machine, which is a state folder of its own. */
export type On = (machine: string, args: string | readonly string[], o?: RunOptions) => Promise<Result>;

/** A new ledger in a server, and machines that use it. */
export function machines(server: Postgres, p: Place, name: string) {
  const place = `postgres://localhost/ledgers#example.com/${name}`;
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

/** A ledger, its machines, and the folder in which they sign. */
export interface AtLedger extends ReturnType<typeof machines> {
  readonly p: Place;
  readonly server: Postgres;
  /** The command line that signs with a key. `log`: with the ledger. */
  sign(key: string, seq: string, log?: boolean): string[];
  /** The copy of a machine. */
  copyOn(machine: string): string;
}

/** Tests with a server, and for each of them a new ledger. `here()` gives it. */
export function describeAtLedger(what: string, tests: (here: () => AtLedger) => void): void {
  describe.skipIf(whyNoPostgres !== "")(`${what}${whyNoPostgres}`, () => {
    let server: Postgres;
    let at: AtLedger;
    let n = 0;
    beforeAll(async () => {
      server = await startServer();
    });
    afterAll(() => server?.remove());
    beforeEach(async () => {
      const p = standard();
      p.keepsLogs = true;
      const m = machines(server, p, `l${n++}`);
      await m.init();
      const sign = (key: string, seq: string, log = true) => [
        ...["sign", "fw.bin", "--key", `${key}.pem`, ...FACTS, "--seq", seq, "--out", `${key}.suit`, "--replace"],
        ...(log ? ["--log", m.place] : []),
      ];
      const copyOn = (machine: string) => {
        const [name] = readdirSync(join(m.folder, machine)).filter((file) => /^ledger-.*\.log$/.test(file));
        return join(m.folder, machine, name as string);
      };
      at = { ...m, p, server, sign, copyOn };
    });
    tests(() => at);
  });
}
