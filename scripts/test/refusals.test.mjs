import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as formats from "../../packages/formats/src/refusals/table.ts";
import * as errors from "../../packages/verifier/src/spec/errors.generated.ts";
import { REFUSAL_GROUPS, REFUSALS, refusalGroup } from "../../packages/verifier/src/tools/refusal-table.ts";
import { BUNDLES, MICRO_BUNDLES } from "../build/bundle.mjs";
import { constants, documented } from "../tables/refusals.mjs";

const root = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe("the table of refusals", () => {
  it("is what spec/errors.generated.ts and the tables of errors.md are made from", () => {
    expect(() => execFileSync(process.execPath, [root("scripts/tables/refusals.mjs"), "--check"], { encoding: "utf8" })).not.toThrow();
    expect(Object.fromEntries(REFUSALS.map(({ name, number }) => [name, number]))).toEqual({ ...errors });
  });

  it("has each number and each name once, in the order of the numbers, within a group", () => {
    const names = REFUSALS.map(({ name }) => name);
    const isLate = ({ number, name }, i) => (i > 0 && number <= REFUSALS[i - 1].number) || names.indexOf(name) !== i;
    expect(REFUSALS.filter(isLate).map(({ number, name }) => `${number} ${name}`)).toEqual([]);
    expect(REFUSALS.filter(({ number }) => !refusalGroup(number))).toEqual([]);
  });

  it("writes a number of an overflow range into its group", () => {
    const more = { number: 349, name: "LATER", meaning: "a later refusal", advice: "wait", source: "ours" };
    const table = { REFUSALS: [...REFUSALS, more], REFUSAL_GROUPS, refusalGroup };
    const between = (text, from, to) => text.slice(text.indexOf(from), text.indexOf(to));
    expect(between(constants(table), "// 20..49", "// 50..69")).toMatch(
      / = \d+;\n\/\*\* A later refusal\. \*\/\nexport const LATER = 349;\n/,
    );
    const page = documented(readFileSync(root("docs/reference/errors.md"), "utf8"), "docs/reference/errors.md", table, formats);
    expect(between(page, "## 20 to 49:", "## 50 to 69:")).toContain("\n| 349 | `LATER` | A later refusal. | Wait. | Ours |\n");
  });

  it.each(REFUSALS.map((row) => [row.name, row]))("%s: says in one line each what it means and what to do", (_, { meaning, advice }) => {
    for (const text of [meaning, advice]) {
      expect(text).toMatch(/^(?![A-Z][a-z])\S.*[^.\s]$/);
      expect(text.length).toBeLessThanOrEqual(120);
    }
  });

  it("sends nobody to a newer verifier for a private number, which none will know", () => {
    const unknown = REFUSALS.filter(({ meaning }) => /has an unknown (?:element|command|parameter)/.test(meaning));
    expect(unknown.length).toBeGreaterThan(4);
    for (const { name, advice } of unknown) expect(advice, name).toMatch(/^remove it; .*numbers below 0 are private$/);
  });

  it("advises nobody who verifies to sign", () => {
    for (const { name, advice } of REFUSALS) {
      // "sign" as an order, to who has only a file and a public key
      expect(advice, name).not.toMatch(/(?:^|[,;:] (?:or )?|\bthen )(?:sign|firmseal sign)\b/);
    }
  });

  it.each([...BUNDLES, ...MICRO_BUNDLES].map(({ name }) => name))("has no text in firmseal-%s.js", (name) => {
    const text = readFileSync(root(`packages/verifier/dist/firmseal-${name}.js`), "utf8");
    expect(REFUSALS.flatMap(({ meaning, advice }) => [meaning, advice]).filter((words) => text.includes(words))).toEqual([]);
  });
});
