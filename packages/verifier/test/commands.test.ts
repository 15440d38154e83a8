// The tables of commands and parameters for numbers that they do not have.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMAND_KINDS, FOREIGN, isCondition, OWN_ARGUMENT, POLICY, SHARED, tableEntry } from "../src/manifest/code-points.js";
import { COND_IMAGE_MATCH, COND_VENDOR_IDENTIFIER, DIR_FETCH, DIR_INVOKE, DIR_SET_COMPONENT_INDEX } from "../src/spec/suit.js";
import { COMMAND_NAMES } from "../src/tools/names.js";

describe("a number from outside", () => {
  it.each([0, -1, COMMAND_KINDS.length, COMMAND_KINDS.length + 1, 255, 2 ** 32 + 3, 2 ** 53 - 1, Number.NaN])("%d has no entry", (n) => {
    expect([tableEntry(COMMAND_KINDS, n), isCondition(n)]).toEqual([0, false]);
  });
  it("has one from 1 to the end of the table", () => {
    expect([0, 1, 2, 3].map((n) => tableEntry("ABC", n))).toEqual([0, 2, 3, 0]);
  });
  it("is a condition if it is SHARED and has a POLICY", () => {
    expect([COND_VENDOR_IDENTIFIER, COND_IMAGE_MATCH].map(isCondition)).toEqual([true, true]);
    expect([DIR_FETCH, DIR_INVOKE, DIR_SET_COMPONENT_INDEX].map(isCondition)).toEqual([false, false, false]);
  });
});

describe("the table of commands", () => {
  it("gives each command either a POLICY or an OWN_ARGUMENT", () => {
    for (const code of Object.keys(COMMAND_NAMES)) {
      const kind = tableEntry(COMMAND_KINDS, Number(code));
      expect([POLICY, OWN_ARGUMENT], COMMAND_NAMES[Number(code)]).toContain(kind & (POLICY | OWN_ARGUMENT));
    }
  });
  it("is what its comment says", () => {
    const flags: { [name: string]: number } = { POLICY, OWN_ARGUMENT, FOREIGN, SHARED };
    const source = readFileSync(new URL("../src/manifest/code-points.ts", import.meta.url), "utf8");
    const told = new Array(COMMAND_KINDS.length).fill("@");
    let letter = "@";
    for (const [, first, sum, commands] of source.matchAll(/^ \* \| ([^|]*)\| ([^|]*)\| ([^|]*)\|$/gm) as Iterable<string[]>) {
      letter = first?.match(/`(.)`/)?.[1] ?? letter;
      const names = sum?.trim().split(" + ") ?? [];
      if (names.every((name) => name in flags))
        expect(letter.charCodeAt(0) & 15).toBe(names.reduce((n, name) => n + (flags[name] ?? 0), 0));
      for (const [, code, name] of commands?.matchAll(/(\d+) ([a-z-]+)/g) ?? []) {
        told[Number(code)] = letter;
        expect(COMMAND_NAMES[Number(code)]?.replace(/^(condition|directive)-/, "")).toBe(name);
      }
    }
    expect(told.join("")).toBe(COMMAND_KINDS);
  });
});
