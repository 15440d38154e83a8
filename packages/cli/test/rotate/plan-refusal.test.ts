// On which cohorts a plan fails if they have different verdicts, and which of them its refusal names.

import { describe, expect, it } from "vitest";
import type { CohortResult } from "../../../release/src/rotation/plan/plan.js";
import { FAULTS, type Fault, planRefusal } from "../../src/common/release/cohorts.js";

const margin = { left: 1, of: 1, threshold: 1, enough: true };

const cohort = (name: string, verdict: CohortResult["verdict"], devices: number, assumes: string | null = null): CohortResult =>
  ({
    name,
    names: [name],
    devices,
    floor: { lowest: "1", highest: "1" },
    steps: [],
    trust: { before: "1", after: "1" },
    verdict,
    why: `why ${name}`,
    next: null,
    assumes,
    left: { release: margin, root: margin, debug: null, recovery: null },
    exposed: { release: false, debug: false, recovery: false, root: false },
  }) as unknown as CohortResult;

/** One of each, and the one without a fault first. */
const MIXED = [
  cohort("m", "moved", 1),
  cohort("u", "unaffected", 2, "nobody knows what it runs"),
  cohort("a", "ahead", 4),
  cohort("b", "behind", 8),
  cohort("e", "exposed", 16),
  cohort("r", "roots-lost", 32),
  cohort("s", "stranded", 64),
];

/** The message of the refusal up to its first reason. */
const saidOf = (failOn: readonly Fault[] | undefined, allowed: readonly string[] = [], results = MIXED) =>
  planRefusal(results, allowed, failOn)?.message.replace(/; .*/, "");

describe("a plan with mixed verdicts", () => {
  it.each<[readonly Fault[] | undefined, string | undefined]>([
    [undefined, "96 devices would be left behind: r, s"],
    [[], undefined],
    [["moved"], "1 devices would be moved: m"],
    [["ahead"], "4 devices would be ahead: a"],
    [["behind"], "8 devices would be behind: b"],
    [["exposed"], "16 devices would be exposed: e"],
    [["roots-lost"], "32 devices would be left behind: r"],
    [["stranded"], "64 devices would be left behind: s"],
    [["assumed"], "the verdict on 2 devices is assumed: u"],
    // the first of the fleet, unless one is left behind
    [["exposed", "behind"], "8 devices would be behind: b"],
    [["assumed", "exposed"], "the verdict on 2 devices is assumed: u"],
    [["assumed", "exposed", "stranded"], "64 devices would be left behind: s"],
    // its verdict, not what that assumes
    [["unaffected", "assumed"], "2 devices would be unaffected: u"],
    [FAULTS, "96 devices would be left behind: r, s"],
  ])("that fails on %j: %s", (failOn, said) => expect(saidOf(failOn)).toBe(said));

  it("does not fail on what is allowed, and still on all others", () => {
    expect(saidOf(undefined, ["r", "s"])).toBeUndefined();
    expect(saidOf(undefined, ["s"])).toBe("32 devices would be left behind: r");
    expect(saidOf(["stranded", "exposed"], ["s"])).toBe("16 devices would be exposed: e");
    expect(saidOf(["stranded", "assumed"], ["r", "s"])).toBe("the verdict on 2 devices is assumed: u");
  });

  it("allows nobody who is not left behind, whatever it fails on", () => {
    for (const failOn of [undefined, [], ["exposed"]] as const)
      for (const name of ["e", "b", "m"])
        expect(() => saidOf(failOn, [name])).toThrow(`--allow-stranded ${name}: this cohort is not left behind`);
    expect(() => saidOf(undefined, ["x"])).toThrow("the fleet has no such cohort");
  });

  it("names rows of one state that are not allowed", () => {
    const rows = { ...cohort("s1", "stranded", 5), names: ["s1", "s2"] };
    expect(saidOf(undefined, ["s1"], [rows])).toBe("5 devices would be left behind: s2");
    expect(saidOf(undefined, ["s1", "s2"], [rows])).toBeUndefined();
  });
});
