// firmseal trust diff: what a root sees before it signs.

import { spawnSync } from "node:child_process";
import { describeTrust, encodeTrust } from "@firmseal/signer";
import { embeddedTrust } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { bin, expectFailure, type Place, stateOf } from "../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason } from "../../../test-support/src/command-line/terminal.js";
import { ALGS, trustFileOf } from "../../../test-support/src/rotation-world.js";
import { K, place, T1 } from "./lists-place.js";
import { shortKey } from "./trust-place.js";

describe("trust diff", () => {
  async function weaker(p: Place): Promise<string> {
    const lowered = await trustFileOf(2, { releases: [K.A], threshold: 1, roots: [K.R1, K.R2, K.R4] }, T1);
    return p.put("weak.trust", lowered);
  }

  it("says who gains and loses what, what is left of each role, and warns of a lowered threshold", async () => {
    const p = place();
    const r = await p.ok(["trust", "diff", "t1.trust", await weaker(p)]);
    expect(r.stdout.trim().split("\n")).toEqual([
      "board: trust file 1 -> 2",
      `removes ${shortKey(K.R3)}: loses root`,
      `removes ${shortKey(K.B)}: loses release`,
      `adds ${shortKey(K.R4)}: gains root`,
      "role release: 1 of 1 needed, before 2 of 2: LOWERED, fewer stolen keys are enough",
      "sequence number 2, before 1",
      "role root: 2 of 3 keys needed, 1 may be lost",
      "role release: 1 of 1 key needed, none may be lost",
      "signed by 3 roots of weak.trust (needed: 2), and by 2 roots of t1.trust (needed: 2)",
    ]);
    expect(r.stderr.trim()).toBe("warning: role release: the threshold falls from 2 to 1: a thief needs fewer keys");
    const { json } = await p.ok(["trust", "diff", "t1.trust", "weak.trust", "--json"]);
    expect(json).toMatchObject({
      before: "1",
      after: "2",
      changes: [{ what: "removed" }, {}, { what: "added" }, { what: "threshold", role: "release", lowered: true }, { what: "sequence" }],
      roles: [
        { role: "root", margin: 1, before: 1 },
        { role: "release", margin: 0, before: 0 },
      ],
    });
    // the root that is to sign sees the same
    p.put("unsigned.trust", encodeTrust(describeTrust(embeddedTrust(ALGS, p.get("weak.trust")))));
    const signing = await p.ok(["trust", "sign", "unsigned.trust", "--previous-trust", "t1.trust", "--key", "R1.pem"]);
    expect(signing.stderr).toContain("change: role release: 1 of 1 needed, before 2 of 2: LOWERED, fewer stolen keys are enough\n");
    expect(signing.stderr).toContain("warning: role release: the threshold falls from 2 to 1");
  });

  it.skipIf(!hasTerminal)(`shows the lowered threshold in red on a terminal, unless NO_COLOR is set${terminalReason}`, async () => {
    const p = place();
    await weaker(p);
    const shown = (color: object) =>
      spawnSync("script", ["-qec", `'${process.execPath}' '${bin}' trust diff t1.trust weak.trust`, "/dev/null"], {
        cwd: p.path,
        env: { PATH: process.env["PATH"], TERM: "xterm", FIRMSEAL_STATE: stateOf(p.path), ...color },
        encoding: "utf8",
        timeout: 60_000,
      }).stdout;
    expect(shown({})).toContain("\u001b[31mrole release: 1 of 1 needed");
    expect(shown({ NO_COLOR: "1" })).not.toContain("\u001b[31m");
  });

  it("refuses another line, two lists with the same number, and what is not a list", async () => {
    const p = place();
    p.put("other.trust", await trustFileOf(9, { releases: [K.A, K.B], roots: [K.R1, K.R2] }, undefined, "another line"));
    p.put("fork.trust", await trustFileOf(2, { releases: [K.A, K.B], roots: [K.R1, K.R2] }, T1));
    expect(expectFailure(await p.run(["trust", "diff", "t1.trust", "other.trust"]), 1)).toContain('is for "another line"');
    expect(expectFailure(await p.run(["trust", "diff", "t2.trust", "fork.trust"]), 1)).toContain(
      "two different trust files have the sequence number 2",
    );
    expectFailure(await p.run(["trust", "diff", "t1.trust", "A.jwk"]), 1);
  });
});
