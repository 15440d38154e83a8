// A sample of mutants: which files it chooses, and when it passes. Neither chance nor a loaded machine decides.

import { readFileSync } from "node:fs";
import { parseExpressionAt } from "acorn";
import { describe, expect, it } from "vitest";
import { checkBoardMutants, checkMutants } from "../checks/mutants.mjs";
import { BOARDS, featuresWithout, isDead, piecesOf } from "../mutation/features.mjs";
import { boardTable, sampleOf, verdict, verifierFiles } from "../mutation/scores.mjs";

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

describe("code that never runs in the sources", () => {
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
  ])("%s: %s: %j", (text, key, dead) => {
    expect(isDead(parseExpressionAt(text, 0, { ecmaVersion: 2023 }), key, [])).toBe(dead);
  });

  it.each([
    ["HAS_A ? 1 : b", ["A"], ["b"]],
    ["HAS_A ? 1 : b", ["B"], []],
    ["HAS_A ? 1 : HAS_B ? b : c", ["A"], ["HAS_B ? b : c"]],
    ["HAS_A || HAS_B ? 1 : b", ["A"], []],
    ["HAS_A || HAS_B ? 1 : b", ["A", "B"], ["b"]],
    ["HAS_A && b", ["A"], []],
    ["HAS_A || b", ["A"], ["b"]],
    ["b", ["A"], []],
  ])("%s, on a board without %j: %j", (text, off, pieces) => {
    expect(piecesOf(text, off).map(({ start, end }) => text.slice(start, end))).toEqual(pieces);
  });

  it("may be behind a variable that the constants decide", () => {
    const text = "function f(a: number) { var own = HAS_A || HAS_B, other = HAS_A || a; if (!own) b(); if (!other) c(); }";
    expect(piecesOf(text, ["A", "B"]).map(({ start, end }) => text.slice(start, end))).toEqual(["a", "b();", "c();"]);
  });
});

describe("boards", () => {
  const features = readFileSync(new URL("../../packages/verifier/src/base/features.ts", import.meta.url), "utf8");

  it("run all code that never runs in the sources", () => {
    const missing = verifierFiles().flatMap(({ path, text }) => {
      const starts = Object.values(BOARDS).flatMap((off) => piecesOf(text, off).map(({ start }) => start));
      return piecesOf(text)
        .filter(({ start }) => !starts.includes(start))
        .map(({ start, end }) => `${path}: ${text.slice(start, end)}`);
    });
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(BOARDS))("%s: its constants are false, and no others", (_, off) => {
    const constants = (text) => [...text.matchAll(/^export const HAS_([A-Z0-9]+) = false;$/gm)].map(([, name]) => name);
    expect(constants(features)).toEqual([]);
    expect(constants(featuresWithout(features, off)).sort()).toEqual([...off].sort());
  });

  it("have a row for each file with such code, and enough of all mutants are killed", () => {
    const files = [
      { path: "a.ts", text: "HAS_A ? 1 : b;" },
      { path: "b.ts", text: "b;" },
    ];
    const page = (tried, killed) => boardTable(new Map([["a.ts", { tried, killed, survived: tried - killed, missed: 0 }]]));
    expect(checkBoardMutants(files, page(10, 9))).toEqual([]);
    expect(checkBoardMutants(files, page(10, 8))).toEqual(["only on boards: 80.0 % is below 90 %"]);
    expect(checkBoardMutants(files, page(10, 9).replace("a.ts", "b.ts"))).toHaveLength(2);
  });
});
