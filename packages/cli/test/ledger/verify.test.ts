// The whole of a ledger, checked.

import { expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger verify", (here) => {
  it("shows a checkpoint of the whole, and what its owner has changed", async () => {
    const { ok, on, p, place, server, sign } = here();
    await ok("one", sign("A", "1"));
    await ok("two", sign("B", "2"));
    const good = await ok("one", ["ledger", "verify", "--ledger", place]);
    expect(good.stdout).toMatch(/^checkpoint \d+ [0-9a-f]{64}\n$/);
    p.put("checkpoint", good.stdout);
    await ok("two", sign("B", "3"));
    await ok("three", ["ledger", "verify", "--ledger", place, "--checkpoint", "checkpoint"]);
    p.put("other", good.stdout.replace(/[0-9a-f]{64}/, "0".repeat(64)));
    const changed = await on("three", ["ledger", "verify", "--ledger", place, "--checkpoint", "other"]);
    expect([changed.exit, changed.stderr]).toEqual([1, expect.stringMatching(/: it differs from the checkpoint of [\d,]+ bytes\n/)]);
    expect(changed.stdout).not.toMatch(/^checkpoint/m);
    expect(expectFailure(await on("three", ["ledger", "verify", "--ledger", place, "--checkpoint", "A.pem"]), 2)).toContain(
      "A.pem: not a checkpoint",
    );
    // the owner of the database can change it
    server.sql('UPDATE firmseal.line SET line = replace(convert_from(line, \'UTF8\'), \'"sequence":"1"\', \'"sequence":"9"\')::bytea');
    const bad = await on("one", ["ledger", "verify", "--ledger", place]);
    expect(bad.exit).toBe(1);
    expect(bad.stderr).toMatch(/^firmseal: .*: line 1: .*was changed.*, and \d more faults?\nhint: restore the right ledger/m);
    expect(bad.stdout).not.toMatch(/^checkpoint/m);
    // the changed line is not the last one that this machine has seen, but the whole is compared
    await on("two", ["ledger", "status", "--ledger", place]);
    for (const machine of ["one", "two"])
      expect(expectFailure(await on(machine, ["audit", place]), 3), machine).toContain("differs from what this machine has seen");
    expect(expectFailure(await on("one", ["ledger", "export", "--ledger", place, "--out", "x.log"]), 1)).toContain("was changed");
  });

  it("continues no ledger that has changed, and says what to do", async () => {
    const { on, place } = here();
    const r = await on("one", ["audit", place, "--accept-restored"]);
    expect(expectFailure(r, 2)).toContain("--accept-restored is for a log in a file");
    expect(r.stderr).toContain("hint: bring what it lacks from the copy of a machine: firmseal ledger import COPY");
  });

  it("continues no copy of a ledger, and no log of a key that signs with one", async () => {
    const { copyOn, ok, on, p, place, sign } = here();
    await ok("one", sign("A", "7", false));
    await ok("one", ["ledger", "import", "A.pem.log", "--ledger", place, "--allow-people"]);
    await ok("one", sign("A", "8"));
    const copy = copyOn("one");
    const before = p.tree();
    for (const log of [copy, "A.pem.log.imported"]) {
      const r = await on("one", ["audit", log, "--accept-restored"]);
      expect(expectFailure(r, 2), log).toContain("the key signs with a ledger, so --accept-restored accepts nothing here");
    }
    expect(p.tree()).toEqual(before);
    await ok("one", sign("A", "9"));
  });
});
