// The whole of a ledger, checked.

import { expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger verify", (here) => {
  it("shows a checkpoint of the whole, and what its owner has changed", async () => {
    const { ok, on, place, server, sign } = here();
    await ok("one", sign("A", "1"));
    await ok("two", sign("B", "2"));
    const good = await ok("one", ["ledger", "verify", "--ledger", place]);
    expect(good.stdout).toMatch(/^checkpoint 2 [0-9a-f]{64}\n$/);
    // the owner of the database can change it
    server.sql('UPDATE firmseal.line SET line = replace(convert_from(line, \'UTF8\'), \'"sequence":"1"\', \'"sequence":"9"\')::bytea');
    const bad = await on("one", ["ledger", "verify", "--ledger", place]);
    expect(bad.exit).toBe(1);
    expect(bad.stderr).toMatch(/^firmseal: .*: line 1: .*was changed.*, and \d more faults?\nhint: restore the right ledger/m);
    expect(bad.stdout).not.toContain(good.stdout);
    expect(expectFailure(await on("one", sign("A", "3")), 3)).toContain("differs from what this machine has seen");
    expect((await on("one", ["audit", place])).exit).toBe(3);
  });

  it("continues no ledger that has changed, and says what to do", async () => {
    const { on, place } = here();
    const r = await on("one", ["audit", place, "--accept-restored"]);
    expect(expectFailure(r, 2)).toContain("--accept-restored is for a log in a file");
    expect(r.stderr).toContain("hint: bring what it lacks from the copy of a machine: firmseal ledger import COPY");
  });
});
