// A ledger that is written to a file.

import { expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { describeAtLedger } from "./ledger-place.js";

describeAtLedger("firmseal ledger export", (here) => {
  it("writes the whole to a new file, which is a log", async () => {
    const { ok, on, place, sign } = here();
    await ok("one", sign("A", "1"));
    await ok("two", sign("B", "2"));
    await ok("one", ["ledger", "export", "--ledger", place, "--out", "all.log"]);
    expect((await ok("one", "audit all.log")).stderr).toContain("all.log: good, 2 entries");
    for (const out of ["all.log", "A.pem", "-"])
      expect(expectFailure(await on("one", ["ledger", "export", "--ledger", place, "--out", out]), 2)).toContain(out);
  });
});
