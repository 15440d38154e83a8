// The guide to ledgers, typed on a real PostgreSQL server, and the compose file beside it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { closedPort } from "../packages/test-support/src/keys/kms-servers.js";
import { Postgres, whyNoPostgres } from "../packages/test-support/src/ledger/postgres.js";
import { blocksOf, only, ROOT, read, runPage } from "./pages.js";

const PAGE = "docs/guides/ledger.md";

describe.skipIf(whyNoPostgres !== "")(`a server for ledgers${whyNoPostgres}`, () => {
  let server: Postgres;
  let folder = "";
  beforeAll(async () => {
    server = new Postgres(await closedPort());
    folder = mkdtempSync(join(tmpdir(), "firmseal-ledger-"));
  });
  afterAll(() => {
    server?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`${PAGE} moves a laptop's log to two machines, and comes back from an old backup`, { timeout: 300_000 }, async () => {
    const first = `export PGHOST="${server.env.PGHOST}" PGPORT="${server.env.PGPORT}"\n`;
    const { stdout, stderr } = await runPage(PAGE, folder, { first });
    expect(stdout.match(/^exit code 3$/gm)).toHaveLength(1);
    expect(stderr).toContain(only(blocksOf(PAGE), "text restored").trim());
    const [, bytes, sum] = /^checkpoint (\d+) ([0-9a-f]{64})\n$/.exec(readFileSync(join(folder, "lock/monday.txt"), "latin1")) ?? [];
    expect(stdout).toContain(`${sum}  -`);
    expect(stderr).toContain(`postgres://localhost/firmseal#example.com/lock: 7 entries, ${Number(bytes).toLocaleString("en")} bytes`);
    const logs = readdirSync(join(folder, "lock")).filter((name) => /\.log/.test(name));
    expect(logs.sort()).toEqual(["ledger.log", "release.pem.log.imported"]);
    // only the log of the laptop names somebody
    const entries = readFileSync(join(folder, "lock/ledger.log"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(new Set(entries.map(({ user, version }) => `${version}: ${user === "" ? "nobody" : "somebody"}`))).toEqual(
      new Set(["1.0.0: somebody", "1.1.0: nobody", "1.2.0: nobody"]),
    );
    expect(readdirSync(join(folder, "lock/dist")).sort()).toEqual(["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]);
  });

  it("examples/ledger/signers.sh makes the role that its owner lets sign", () => {
    const secret = join(folder, "signer-password");
    writeFileSync(secret, "it's secret\n");
    server.sql("DROP ROLE signer");
    const script = read("examples/ledger/signers.sh").replace("/run/secrets/signer-password", secret);
    const env = { ...process.env, ...server.env, POSTGRES_USER: "owner", POSTGRES_DB: "ledgers" };
    const ran = spawnSync("sh", ["-s"], { input: script, env, encoding: "utf8" });
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: "" });
    const rights = "rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolpassword LIKE 'SCRAM-SHA-256$%'";
    expect(server.sql(`SELECT ${rights} FROM pg_authid WHERE rolname = 'signer'`)).toBe("t|f|f|f|f|t");
  });
});

describe("examples/ledger/compose.yaml", () => {
  const text = read("examples/ledger/compose.yaml");
  const compose = parse(text) as {
    services: {
      ledger: { [name: string]: unknown; command: string[]; environment: { [name: string]: string }; volumes: string[]; secrets: string[] };
    };
    volumes: object;
    secrets: { [name: string]: { file: string } };
  };
  const { ledger } = compose.services;
  const settings = new Map(
    ledger.command.flatMap((word, i) => (ledger.command[i - 1] === "-c" ? [word.split("=") as [string, string]] : [])),
  );

  it("has only members that a compose file has", () => {
    expect(Object.keys(compose)).toEqual(["services", "volumes", "secrets"]);
    const known = "image restart command environment ports volumes secrets healthcheck".split(" ");
    expect(Object.keys(ledger)).toEqual(known);
    expect(ledger["image"]).toMatch(/^postgres:\d+$/);
    expect(ledger.secrets).toEqual(Object.keys(compose.secrets));
    for (const volume of ledger.volumes) {
      const [from = ""] = volume.split(":");
      if (from.startsWith("./")) expect(existsSync(join(ROOT, "examples/ledger", from)), from).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(from);
    }
  });

  it("has no password in it, and takes nobody without TLS", () => {
    for (const [name, value] of Object.entries(ledger.environment)) if (/PASSWORD/.test(name)) expect(value).toMatch(/^\/run\/secrets\//);
    for (const { file } of Object.values(compose.secrets)) expect(file).toMatch(/^\.\/secrets\//);
    const named = [...text.matchAll(/\/run\/secrets\/([\w.-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !ledger.secrets.includes(name as string))).toEqual([]);
    expect(Object.fromEntries(settings)).toMatchObject({ ssl: "on", fsync: "on", synchronous_commit: "on" });
    const rules = read("examples/ledger/pg_hba.conf")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(rules.length).toBeGreaterThan(1);
    for (const rule of rules) expect(rule).toMatch(/^(local|hostssl) .* scram-sha-256$/);
  });

  it.skipIf(whyNoPostgres !== "")(`has settings that the server knows${whyNoPostgres}`, async () => {
    const server = new Postgres(await closedPort());
    try {
      const known = new Set(server.sql("SELECT name FROM pg_settings").split("\n"));
      expect([...settings.keys()].filter((name) => !known.has(name))).toEqual([]);
    } finally {
      server.remove();
    }
  });
});
