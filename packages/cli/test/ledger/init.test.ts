// What every command about a ledger refuses, and the JSON of all of them.

import { expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { COMMANDS } from "../../src/commands.generated.js";
import { SUCCESS } from "../../src/common/shapes.js";
import { differences, unseen } from "../all/shape.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger init", (here) => {
  it("has the JSON that each command declares", async () => {
    const { ok, place, sign } = here();
    const shaped = async (name: string, args: string[]) => {
      const listed = COMMANDS.find((one) => one.name === name) as (typeof COMMANDS)[number];
      const { default: command } = await listed.load();
      const { json } = await ok("one", [...name.split(" "), ...args, "--ledger", place, "--json"], {
        env: { PGUSER: name === "ledger init" ? "owner" : "signer" },
      });
      expect(differences({ ...SUCCESS, ...command.json }, json)).toEqual([]);
      return unseen(command.json, [json]);
    };
    expect(await shaped("ledger init", ["--signers", "signer"])).toEqual([]);
    await ok("one", sign("A", "1", false));
    expect(await shaped("ledger import", ["A.pem.log", "--allow-people"])).toEqual([]);
    expect(await shaped("ledger status", [])).toEqual([]);
    expect(await shaped("ledger export", ["--out", "x.log"])).toEqual([]);
    const left = await shaped("ledger verify", []);
    expect(left.filter((path) => !/^(faults|accepted|conflicts)\[\]/.test(path))).toEqual([]);
  });

  it("makes each ledger once, and lets a role use one that exists", async () => {
    const { on, place, init } = here();
    const again = await on("owner", ["ledger", "init", "--ledger", place], { env: { PGUSER: "owner" } });
    expect(expectFailure(again, 2)).toContain("there is a ledger of this name");
    expect(again.stderr).toContain("--signers ROLE");
    expect((await init()).stderr).toContain("the role signer may append and read");
    expect(expectFailure(await on("one", ["ledger", "init", "--ledger", `${place}x`]), 3)).toContain("the role may not use the ledger");
  });

  it.each([
    ["neither a place nor a product file", "ledger status", "--ledger is missing, and this folder has no product file"],
    ["a product file without a ledger", "ledger status --product plain.toml", "plain.toml names no ledger"],
    ["two places", "ledger status --product plain.toml --ledger postgres://h/d#n", "both given"],
    ["a path", "ledger status --ledger fw.bin", "not the place of a ledger"],
    ["a password", "ledger status --ledger postgres://u:secret@h/d#n", "has a password in it"],
    ["a log that is missing", "ledger import gone.log --ledger postgres://h/d#n", "gone.log"],
    ["a ledger as the log", "ledger import postgres://h/d#n --ledger postgres://h/d#n", "not the file of a log"],
    ["a password in --log", "audit postgres://u:secret@h/d#n", "has a password in it"],
  ])("refuses %s", async (_, line, why) => {
    const { on, p } = here();
    p.put("plain.toml", 'name = "x"\nvendor = "example.com"\n[boards.b]\nimage = "fw.bin"\n');
    const r = await on("one", line);
    expect(r.exit).toBeGreaterThan(1);
    expect(r.stderr).toContain(why);
    expect(r.stderr.trim().split("\n")).toHaveLength(2);
    expect(r.stderr).not.toContain("secret@");
  });
});
