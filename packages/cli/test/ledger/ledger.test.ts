// The commands about a ledger, on a real PostgreSQL server.

import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectFailure, FACTS, type Place, standard } from "../../../test-support/src/command-line/run.js";
import { type Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { COMMANDS } from "../../src/commands.generated.js";
import { SUCCESS } from "../../src/common/shapes.js";
import { differences, unseen } from "../all/shape.js";
import { machines, startServer } from "./ledger-place.js";

describe.skipIf(whyNoPostgres !== "")(`firmseal ledger${whyNoPostgres}`, () => {
  let server: Postgres;
  let p: Place;
  let m: ReturnType<typeof machines>;
  let n = 0;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());
  beforeEach(async () => {
    p = standard();
    p.keepsLogs = true;
    m = machines(server, p, `l${n++}`);
    await m.init();
  });
  const sign = (key: string, seq: string, log = true) => [
    ...["sign", "fw.bin", "--key", `${key}.pem`, ...FACTS, "--seq", seq, "--out", `${key}.suit`, "--replace"],
    ...(log ? ["--log", m.place] : ["--first"].slice(0, seq === "next" ? 1 : 0)),
  ];
  const copyOn = (machine: string) => {
    const [name] = readdirSync(join(m.folder, machine)).filter((file) => /^ledger-.*\.log$/.test(file));
    return join(m.folder, machine, name as string);
  };

  it("has the JSON that each command declares", async () => {
    const shaped = async (name: string, args: string[]) => {
      const listed = COMMANDS.find((one) => one.name === name) as (typeof COMMANDS)[number];
      const { default: command } = await listed.load();
      const { json } = await m.ok("one", [...name.split(" "), ...args, "--ledger", m.place, "--json"], {
        env: { PGUSER: name === "ledger init" ? "owner" : "signer" },
      });
      expect(differences({ ...SUCCESS, ...command.json }, json)).toEqual([]);
      return unseen(command.json, [json]);
    };
    expect(await shaped("ledger init", ["--signers", "signer"])).toEqual([]);
    await m.ok("one", sign("A", "1", false));
    expect(await shaped("ledger import", ["A.pem.log", "--allow-people"])).toEqual([]);
    expect(await shaped("ledger status", [])).toEqual([]);
    expect(await shaped("ledger export", ["--out", "x.log"])).toEqual([]);
    const left = await shaped("ledger verify", []);
    expect(left.filter((path) => !/^(faults|accepted|conflicts)\[\]/.test(path))).toEqual([]);
  });

  it("gives two machines and two keys one row of numbers, and names nobody", async () => {
    await m.ok("one", [...sign("A", "next"), "--first"]);
    expect((await m.ok("two", sign("B", "next"))).stderr).toContain(`${m.place}: entry 2`);
    expect((await m.ok("one", sign("A", "next"))).stderr).toContain("sequence number 3");
    const status = await m.ok("two", `ledger status --ledger ${m.place}`);
    expect(status.stderr).toMatch(/: 3 entries, .*; names no users and no hosts\n.*: the copy of this machine\n/);
    const audit = await m.ok("two", ["audit", m.place, "--json"]);
    expect(audit.json["logs"]).toMatchObject([{ ok: true, entries: [{ user: "", sequence: "1" }, { sequence: "2" }, { sequence: "3" }] }]);
    expect((await m.ok("two", ["audit", m.place])).stdout).not.toMatch(/@/);
  });

  it("enters the log of a key, which is renamed, and the copy of a machine, which is not", async () => {
    await m.ok("one", sign("A", "7", false));
    const refused = await m.on("one", sign("A", "next"));
    expect(expectFailure(refused, 3)).toContain("A.pem.log: this log of the key is not in the ledger");
    expect(refused.stderr).toContain(`firmseal ledger import ${p.at("A.pem.log")} --ledger '${m.place}'`);
    expect(expectFailure(await m.on("one", ["ledger", "import", "A.pem.log", "--ledger", m.place]), 1)).toContain("name users and hosts");
    expect(p.has("A.pem.log")).toBe(true);
    const done = await m.ok("one", ["ledger", "import", "A.pem.log", "--ledger", m.place, "--allow-people"]);
    expect(done.stderr).toContain("A.pem.log: 1 entry entered");
    expect(done.stderr).toMatch(/A\.pem\.log is A\.pem\.log\.imported in .* now: the key goes on in the ledger/);
    expect([p.has("A.pem.log"), p.has("A.pem.log.imported")]).toEqual([false, true]);
    expect((await m.ok("one", sign("A", "next"))).stderr).toContain("sequence number 8");
    // what another program has left there stays
    p.put("A.pem.log", p.get("A.pem.log.imported"));
    expect(expectFailure(await m.on("one", ["ledger", "import", "A.pem.log", "--ledger", m.place, "--allow-people"]), 2)).toContain(
      "A.pem.log.imported exists",
    );
    rmSync(p.at("A.pem.log"));
    copyFileSync(copyOn("one"), p.at("copy.log"));
    const again = await m.ok("one", ["ledger", "import", "copy.log", "--ledger", m.place, "--json"]);
    expect(again.json).toMatchObject({ added: 0, entries: 2, renamed: null });
    expect(p.has("copy.log")).toBe(true);
  });

  it("verifies the whole, with a checkpoint, and writes it to a file", async () => {
    await m.ok("one", sign("A", "1"));
    await m.ok("two", sign("B", "2"));
    const good = await m.ok("one", ["ledger", "verify", "--ledger", m.place]);
    expect(good.stdout).toMatch(/^checkpoint 2 [0-9a-f]{64}\n$/);
    await m.ok("one", ["ledger", "export", "--ledger", m.place, "--out", "all.log"]);
    expect((await m.ok("one", "audit all.log")).stderr).toContain("all.log: good, 2 entries");
    for (const out of ["all.log", "A.pem", "-"])
      expect(expectFailure(await m.on("one", ["ledger", "export", "--ledger", m.place, "--out", out]), 2)).toContain(out);
    // the owner of the database can change it
    server.sql('UPDATE firmseal.line SET line = replace(convert_from(line, \'UTF8\'), \'"sequence":"1"\', \'"sequence":"9"\')::bytea');
    const bad = await m.on("one", ["ledger", "verify", "--ledger", m.place]);
    expect(bad.exit).toBe(1);
    expect(bad.stderr).toMatch(/^firmseal: .*: line 1: .*was changed.*, and \d more faults?\nhint: restore the right ledger/m);
    expect(bad.stdout).not.toContain(good.stdout);
    expect(expectFailure(await m.on("one", sign("A", "3")), 3)).toContain("differs from what this machine has seen");
    expect((await m.on("one", ["audit", m.place])).exit).toBe(3);
  });

  it("continues no ledger that has changed, and says what to do", async () => {
    const r = await m.on("one", ["audit", m.place, "--accept-restored"]);
    expect(expectFailure(r, 2)).toContain("--accept-restored is for a log in a file");
    expect(r.stderr).toContain("hint: bring what it lacks from the copy of a machine: firmseal ledger import COPY");
  });

  it.each([
    ["neither a place nor a product file", "ledger status", "--ledger is missing, and there is no product file here"],
    ["a product file without a ledger", "ledger status --product plain.toml", "plain.toml names no ledger"],
    ["two places", "ledger status --product plain.toml --ledger postgres://h/d#n", "both given"],
    ["a path", "ledger status --ledger fw.bin", "not the place of a ledger"],
    ["a password", "ledger status --ledger postgres://u:secret@h/d#n", "has a password in it"],
    ["a log that is missing", "ledger import gone.log --ledger postgres://h/d#n", "gone.log"],
    ["a ledger as the log", "ledger import postgres://h/d#n --ledger postgres://h/d#n", "not the file of a log"],
    ["a password in --log", "audit postgres://u:secret@h/d#n", "has a password in it"],
  ])("refuses %s", async (_, line, why) => {
    p.put("plain.toml", 'name = "x"\nvendor = "example.com"\n[boards.b]\nimage = "fw.bin"\n');
    const r = await m.on("one", line);
    expect(r.exit).toBeGreaterThan(1);
    expect(r.stderr).toContain(why);
    expect(r.stderr.trim().split("\n")).toHaveLength(2);
    expect(r.stderr).not.toContain("secret@");
  });

  it("asks for no passphrase before the ledger is reached", async () => {
    const line = ["sign", "fw.bin", "--key", "enc.pem", ...FACTS, "--seq", "1", "--log", "postgres://127.0.0.1:1/ledgers#x"];
    const r = await m.on("one", line);
    expect(expectFailure(r, 3)).toContain("cannot be reached");
    expect(r.stderr).toContain("firmseal tbs");
    expect(p.has("fw.suit")).toBe(false);
  });

  it("claims the number of what is signed elsewhere", async () => {
    const tbs = (key: string, seq: string) => [
      ...["tbs", "fw.bin", "--key", `${key}.jwk`, ...FACTS, "--seq", seq, "--envelope-out", `${key}.suit`, "--out", `${key}.tbs`],
      ...["--replace", "--log", m.place],
    ];
    await m.ok("one", tbs("A", "1"));
    // the same again is one claim
    await m.ok("two", tbs("A", "1"));
    p.put("fw.bin", Buffer.concat([p.get("fw.bin"), Buffer.from("x")]));
    const other = await m.on("two", tbs("B", "1"));
    expect(expectFailure(other, 1)).toContain("number 1");
    expect((await m.ok("two", sign("B", "next"))).stderr).toContain("sequence number 2");
    const { entries } = ((await m.ok("one", ["audit", m.place, "--json"])).json["logs"] as { entries: object[] }[])[0] as {
      entries: object[];
    };
    expect(entries).toMatchObject([
      { operation: "tbs", sequence: "1" },
      { operation: "sign", sequence: "2" },
    ]);
  });

  it("is the log of every command that takes one", async () => {
    const log = ["--log", m.place];
    await m.ok("one", sign("A", "5"));
    await m.ok("one", ["keys", "move", "A.pem", "B.pem", ...log]);
    expect(expectFailure(await m.on("two", sign("A", "6")), 1)).toContain("continues its numbers");
    expect((await m.ok("two", sign("B", "next"))).stderr).toContain("sequence number 6");
    await m.ok("two", ["approve", "B.suit", "--key", "C.pem", "--out", "c.approval", ...log]);
    // no option takes the place for a file
    expect(readdirSync(p.path).filter((name) => /postgres/.test(name))).toEqual([]);
    expect(readFileSync(copyOn("two"), "utf8").trim().split("\n").length).toBe(5);
  });
});
