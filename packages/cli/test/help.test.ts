// Help in all its forms, and wrong use.

import { expect, it } from "vitest";
import { expectFailure, standard, words } from "../../test-support/src/run.js";

it("--help and --version that cannot be written end in one line", async () => {
  const p = standard();
  for (const args of [["--help"], ["--version"], ["verify", "--help"], ["token", "--help"], ["help", "sign"]]) {
    const r = await p.run(args, { stdout: "/dev/full" });
    expect(expectFailure(r, 3)).toContain("stdout: the disk is full");
    expect(words(r)).toHaveLength(2);
  }
});
