// Mutation testing: which tests each file of the verifier is tried with, and the code that runs only on boards.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseExpressionAt } from "acorn";
import { describe, expect, it } from "vitest";
import { checkBoardMutants } from "../checks/mutants.mjs";
import { BOARDS, featuresWithout, isDead, piecesOf } from "../mutation/features.mjs";
import { boardTests, GROUPS, ROOT } from "../mutation/groups.mjs";
import { boardTable, hasMutants, rowsOf, tableOf, verifierFiles } from "../mutation/scores.mjs";

describe("each file with mutants", () => {
  it("is in one group, whose tests exist", () => {
    const wanted = verifierFiles().filter(hasMutants);
    const files = GROUPS.flatMap((group) => group.files);
    expect(files.toSorted()).toEqual(wanted.map(({ path }) => path).toSorted());
    const boards = Object.keys(BOARDS).flatMap(boardTests);
    expect([...GROUPS.flatMap(({ tests }) => tests), ...boards].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("keeps its row when another file is measured", () => {
    const row = { tried: 49, of: " of 201", killed: 45, survived: 4, missed: 0, day: "2026-11-27" };
    const rows = new Map([["alg/a.ts", row]]);
    expect(rowsOf(tableOf(rows))).toEqual(rows);
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
