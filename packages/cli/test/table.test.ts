// Tables at the width of a terminal: every line fits, no text is lost, and columns stay where they are.

import stringWidth from "fast-string-width";
import { describe, expect, it } from "vitest";
import { expectHarmless, signImage, standard } from "../../test-support/src/run.js";
import { cohortFacts, cohortWords } from "../src/common/cohorts.js";
import type { TableLine } from "../src/show/render.js";
import { tableText } from "../src/show/table.js";

const table: TableLine = {
  columns: [{ title: "cohort" }, { title: "devices", right: true }, { title: "bridge-2026-11-26.suit" }, { title: "verdict" }],
  rows: [
    ["old", "4,000", "installed, trust 3", "moved"],
    ["日本語の名前を持つ装置の群れ、とても長い", "12", "refused: SIGNATURE_THRESHOLD", "stranded"],
    [
      "Geräte-im-Außenlager-ohne-ein-einziges-Leerzeichen-im-Namen-dieser-Gruppe",
      "1,000,000",
      "installed, trust kept: TRUST_PREVIOUS",
      "behind",
    ],
    ["e\u0301te\u0301", "", "", "\u001b[31mred\u202e"],
  ],
};
const letters = (text: string) => [...text.normalize("NFC").replace(/\s/g, "")].sort().join("");

describe.each([60, 80, 200])("at %i columns", (width) => {
  const text = tableText(table, width);
  const lines = text.split("\n").slice(0, -1);

  it("no line is wider, and every character is there", () => {
    for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(width);
    const shown = tableText(table, Number.POSITIVE_INFINITY);
    expect(shown.split("\n")).toHaveLength(table.rows.length + 2);
    expect(letters(text)).toBe(letters(shown));
    expect(shown).toContain("Geräte-im-Außenlager-ohne-ein-einziges-Leerzeichen-im-Namen-dieser-Gruppe");
  });

  it("a column begins in the same place in every line", () => {
    const [head = ""] = lines;
    const at = stringWidth(head.slice(0, head.indexOf("verdict")));
    for (const verdict of ["moved", "stranded", "behind"]) {
      const line = lines.find((one) => one.includes(verdict)) as string;
      expect(stringWidth(line.slice(0, line.indexOf(verdict))), line).toBe(at);
    }
  });

  it("nothing drives the terminal", () => {
    expectHarmless(text);
  });
});

it("a table in a pipe is as wide as its cells, and COLUMNS makes it narrow", async () => {
  const p = standard();
  p.keepsLogs = true;
  await signImage(p, 7, "fw.suit");
  const wide = (await p.ok(["audit", "A.pem"])).stdout.split("\n");
  expect(wide).toHaveLength(3);
  const narrow = (await p.ok(["audit", "A.pem"], { env: { COLUMNS: "60" } })).stdout;
  for (const line of narrow.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(letters(narrow)).toBe(letters(wide.join("\n")));
});

it("a table without rows has its heads, and one of 100,000 rows is made in a moment", () => {
  expect(cohortWords(cohortFacts([], []))[0]).toMatchObject({ table: { rows: [] } });
  expect(tableText({ ...table, rows: [] }, 80)).toBe("cohort  devices  bridge-2026-11-26.suit  verdict\n");
  const begun = performance.now();
  tableText({ ...table, rows: Array.from({ length: 100_000 }, (_, i) => [`cohort ${i}`, String(i), "installed", "moved"]) }, 40);
  expect(performance.now() - begun).toBeLessThan(10_000);
});
