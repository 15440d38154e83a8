// A sample of mutants: which files it chooses, and when it passes. Neither chance nor a loaded machine decides.

import { parseExpressionAt } from "acorn";
import { describe, expect, it } from "vitest";
import { checkMutants } from "../checks/mutants.mjs";
import { strykerPlugins } from "../mutation/features.mjs";
import { sampleOf, verdict, verifierFiles } from "../mutation/scores.mjs";

describe("the files of a sample", () => {
  const files = Array.from({ length: 8 }, (_, i) => ({ path: `install/${i}.ts`, text: "export var a = 1;" }));

  it("are those that need a row, and no others", () => {
    const all = verifierFiles();
    const { chosen } = sampleOf(all, "seed", Number.POSITIVE_INFINITY, () => 1);
    expect(chosen).toContain("install/session.ts");
    for (const path of ["install/device.ts", "alg/es256.ts", "spec/errors.generated.ts"]) expect(chosen).not.toContain(path);
    expect(checkMutants(all, "").map((finding) => finding.split(" ")[0])).toEqual(
      all.map(({ path }) => path).filter((f) => chosen.includes(f)),
    );
  });

  it("are four, or more where these are small, and the same for the same seed", () => {
    const sample = (seed, mutants) => sampleOf(files, seed, 60, () => mutants);
    expect(sample("1", 200)).toEqual({ chosen: sample("1", 300).chosen, total: 800 });
    expect(sample("1", 200).chosen).toHaveLength(4);
    expect(sample("1", 10).chosen).toHaveLength(6);
    expect(sample("2", 200).chosen).not.toEqual(sample("1", 200).chosen);
    const often = Array.from({ length: 30 }, (_, i) => sample(String(i), 200).chosen).flat();
    expect(new Set(often).size).toBe(files.length);
  });
});

describe("a sample passes", () => {
  it.each([
    ["all killed", [60, 0, 0], 0, true],
    ["a few survivors", [50, 10, 0], 0, true],
    ["many survivors", [40, 20, 0], 0, false],
    ["many that no test reaches", [40, 0, 20], 0, false],
    ["none that a test reaches", [0, 0, 60], 0, false],
    ["none at all", [0, 0, 0], 0, false],
    ["too few", [9, 0, 0], 0, false],
    ["just enough", [10, 0, 0], 0, true],
    // 3 of the 15 belong to the fifth that had its turn
    ["the time over early, and few that no test reaches", [25, 0, 15], 100, true],
    ["the time over early, and many that no test reaches", [25, 0, 75], 100, false],
    ["the time over early, and many survivors", [15, 15, 0], 100, false],
  ])("or not: %s", (_, [killed, survived, missed], late, passes) => {
    const none = { killed: 0, survived: 0, missed: 0 };
    expect(verdict([none, { killed, survived, missed }], late).passes).toBe(passes);
  });
});

describe("mutants of what only bundles run are not made", () => {
  const { shouldIgnore } = strykerPlugins[0].value;
  it.each([
    ["HAS_A ? 1 : 2", "alternate", true],
    ["HAS_A ? 1 : 2", "consequent", false],
    ["HAS_A ? 1 : 2", "test", false],
    ["!HAS_A ? 1 : 2", "consequent", true],
    ["!HAS_A ? 1 : 2", "alternate", false],
    ["HAS_A && HAS_B ? 1 : 2", "alternate", true],
    ["HAS_A && b ? 1 : 2", "alternate", false],
    ["HAS_A || b ? 1 : 2", "alternate", true],
    ["b && !HAS_A ? 1 : 2", "consequent", true],
    ["!HAS_A && b", "right", true],
    ["!HAS_A || b", "right", false],
    ["HAS_A && b", "right", false],
    ["HAS_A || b", "right", true],
    ["b && HAS_A", "right", false],
    ["b ? 1 : 2", "alternate", false],
    ["MAX_A ? 1 : 2", "alternate", false],
    ["HAS_A + b", "right", false],
  ])("%s: %s: %j", (text, key, ignored) => {
    const parent = parseExpressionAt(text, 0, { ecmaVersion: 2023 });
    expect(shouldIgnore({ parent, key }) !== undefined).toBe(ignored);
  });

  it("but of a whole file", () => {
    expect(shouldIgnore({ parent: null, key: "program" })).toBeUndefined();
  });
});
