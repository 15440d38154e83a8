// Logs that are entered in a ledger.

import { copyFileSync } from "node:fs";
import { expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger import", (here) => {
  it("enters the log of a key, which is renamed, and the copy of a machine, which is not", async () => {
    const { copyOn, ok, on, p, place, sign } = here();
    await ok("one", sign("A", "7", false));
    const refused = await on("one", sign("A", "next"));
    expect(expectFailure(refused, 3)).toContain("A.pem.log: this log of the key is not in the ledger");
    expect(refused.stderr).toContain(`firmseal ledger import ${p.at("A.pem.log")} --ledger '${place}'`);
    expect(expectFailure(await on("one", ["ledger", "import", "A.pem.log", "--ledger", place]), 1)).toContain("name users and hosts");
    expect(p.has("A.pem.log")).toBe(true);
    const done = await ok("one", ["ledger", "import", "A.pem.log", "--ledger", place, "--allow-people"]);
    expect(done.stderr).toContain("A.pem.log: 1 entry entered");
    expect(done.stderr).toMatch(/A\.pem\.log is A\.pem\.log\.imported in .* now: the key continues in the ledger/);
    expect([p.has("A.pem.log"), p.has("A.pem.log.imported")]).toEqual([false, true]);
    expect((await ok("one", sign("A", "next"))).stderr).toContain("sequence number 8");
    expect((await ok("one", "audit A.pem")).stderr).toMatch(/ledger-[0-9a-f]+\.log: good, 2 entries\n$/);
    // what another program has left there stays
    p.put("A.pem.log", p.get("A.pem.log.imported"));
    const twice = await ok("one", ["ledger", "import", "A.pem.log", "--ledger", place, "--allow-people"]);
    expect(twice.stderr).toContain("A.pem.log: 0 entries entered");
    expect([p.has("A.pem.log"), p.has("A.pem.log.imported"), p.has("A.pem.log.imported-2")]).toEqual([false, true, true]);
    copyFileSync(copyOn("one"), p.at("copy.log"));
    const again = await ok("one", ["ledger", "import", "copy.log", "--ledger", place, "--json"]);
    expect(again.json).toMatchObject({ added: 0, entries: 2, renamed: null });
    expect(p.has("copy.log")).toBe(true);
  });
});
