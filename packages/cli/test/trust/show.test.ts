// firmseal trust show: what is in a trust file.

import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectHarmless } from "../../../test-support/src/command-line/run.js";
import { board, place, ROOTS, refused } from "./trust-place.js";

describe("firmseal trust show", () => {
  it("shows a file that comes through a pipe; a name cannot control the terminal, here or in an export", async () => {
    const p = place({ ...board(), name: "b\u001b[2Jx\u202e" });
    const made = await p.ok(["trust", "create", "--from", "-", "--json"], { input: p.get("board.json") });
    const file = Buffer.from(made.json["data"] as string, "base64");
    p.put("piped.trust", file);
    const shown = await p.ok(["trust", "show", "-"], { input: file });
    expect(shown.stdout).toContain("b\\u{1b}[2Jx\\u{202e}");
    expectHarmless(shown.stdout.replaceAll("\n", ""));
    await p.ok(["trust", "sign", "piped.trust", "--key", "r1.pem", "--key", "r2.pem", "--out", "done.trust"]);
    expect(p.get("piped.trust")).toEqual(file);
    for (const format of ["js", "h"]) {
      const r = await p.ok(["trust", "export", "done.trust", ...ROOTS, "--format", format]);
      expect(r.stdout.split("\n")[0]).toMatch(/Trust file b\?\[2Jx\?|Trust file b\??\?2Jx\?/);
    }
  });

  it("refuses an image and a key", async () => {
    const p = place();
    await refused(p, ["trust", "show", "fw.bin"], errors.TRUST_NONE, /fw\.bin: not a trust file/);
    await refused(p, ["trust", "show", "r1.pem"], errors.TRUST_NONE, /r1\.pem: not a trust file/);
  });
});
