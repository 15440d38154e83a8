// A ledger as the log of commands on several machines.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { expectFailure, FACTS } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger status", (here) => {
  it("gives two machines and two keys one row of numbers, and names nobody", async () => {
    const { ok, place, sign } = here();
    expect((await ok("one", ["audit", place])).stderr).toMatch(/: good, 0 entries\n$/);
    await ok("one", [...sign("A", "next"), "--first"]);
    expect((await ok("two", sign("B", "next"))).stderr).toContain(`${place}: entry 2`);
    expect((await ok("one", sign("A", "next"))).stderr).toContain("sequence number 3");
    const status = await ok("two", `ledger status --ledger ${place}`);
    expect(status.stderr).toMatch(/: 3 entries, .*; new entries name no users and no hosts\n.*: the copy of this machine\n/);
    const audit = await ok("two", ["audit", place, "--json"]);
    expect(audit.json["logs"]).toMatchObject([{ ok: true, entries: [{ user: "", sequence: "1" }, { sequence: "2" }, { sequence: "3" }] }]);
    expect((await ok("two", ["audit", place])).stdout).not.toMatch(/@/);
  });

  it("is the log of every command that takes one", async () => {
    const { copyOn, ok, on, p, place, sign } = here();
    const log = ["--log", place];
    await ok("one", sign("A", "5"));
    await ok("one", ["keys", "move", "A.pem", "B.pem", ...log]);
    expect(expectFailure(await on("two", sign("A", "6")), 1)).toContain("continues its numbers");
    expect((await ok("two", sign("B", "next"))).stderr).toContain("sequence number 6");
    await ok("two", ["approve", "B.suit", "--key", "C.pem", "--out", "c.approval", ...log]);
    // no option takes the place for a file
    expect(readdirSync(p.path).filter((name) => /postgres/.test(name))).toEqual([]);
    expect(readFileSync(copyOn("two"), "utf8").trim().split("\n").length).toBe(5);
  });

  it("claims the number of what is signed elsewhere", async () => {
    const { ok, on, p, place, sign } = here();
    const tbs = (key: string, seq: string) => [
      ...["tbs", "fw.bin", "--key", `${key}.jwk`, ...FACTS, "--seq", seq, "--envelope-out", `${key}.suit`, "--out", `${key}.tbs`],
      ...["--replace", "--log", place],
    ];
    await ok("one", tbs("A", "1"));
    // the same again is one claim
    await ok("two", tbs("A", "1"));
    p.put("fw.bin", Buffer.concat([p.get("fw.bin"), Buffer.from("x")]));
    const other = await on("two", tbs("B", "1"));
    expect(expectFailure(other, 1)).toContain("number 1");
    expect((await ok("two", sign("B", "next"))).stderr).toContain("sequence number 2");
    const { entries } = ((await ok("one", ["audit", place, "--json"])).json["logs"] as { entries: object[] }[])[0] as {
      entries: object[];
    };
    expect(entries).toMatchObject([
      { operation: "tbs", sequence: "1" },
      { operation: "sign", sequence: "2" },
    ]);
  });

  it("asks for no passphrase before the ledger is reached", async () => {
    const { on, p } = here();
    const line = ["sign", "fw.bin", "--key", "enc.pem", ...FACTS, "--seq", "1", "--log", "postgres://127.0.0.2:1/ledgers#x"];
    const r = await on("one", line);
    expect(expectFailure(r, 3)).toContain("cannot be reached");
    expect(r.stderr).toContain("firmseal tbs");
    expect(p.has("fw.suit")).toBe(false);
  });
});
