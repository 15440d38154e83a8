// The table of refusals: numbers, names, words.

import { OTHER_ERRORS, refusalGroup } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { FormatRefusal } from "../src/refusal.js";
import { FORMAT_REFUSALS } from "../src/refusals/numbers.js";
import { FORMAT_REFUSAL_GROUPS, FORMAT_REFUSAL_ROWS } from "../src/refusals/table.js";

describe("the table of refusals", () => {
  it("has each number once, in a group, and none of the verifier or of the command line", () => {
    const numbers = FORMAT_REFUSAL_ROWS.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(Object.values(FORMAT_REFUSALS))].sort((a, b) => a - b));
    for (const number of numbers) {
      expect(FORMAT_REFUSAL_GROUPS.filter(({ from, to }) => number >= from && number <= to)).toHaveLength(1);
      expect([refusalGroup(number), Object.values(OTHER_ERRORS).filter((one: number) => one === number)]).toEqual([undefined, []]);
    }
  });

  it.each(FORMAT_REFUSAL_ROWS.map((row) => [row.name, row] as const))("says in one line each what %s means and what to do", (name, row) => {
    for (const text of [row.meaning, row.advice]) {
      expect(text).toMatch(/^(?![A-Z][a-z])\S.*[^.\s]$/);
      expect(text.length).toBeLessThanOrEqual(120);
    }
    const e = new FormatRefusal(name, 5, "found");
    expect({ ...e, message: e.message }).toMatchObject({ code: `ERR_${name}`, number: row.number, at: 5, hint: row.advice });
    expect([e.message, new FormatRefusal(name, -1).message]).toEqual([`${row.meaning}: found`, row.meaning]);
  });
});
