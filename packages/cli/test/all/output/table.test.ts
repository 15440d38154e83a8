// Tables at the width of a terminal: every line fits, no text is lost, and columns stay where they are.

import stringWidth from "fast-string-width";
import { describe, expect, it } from "vitest";
import { expectHarmless, signImage, standard } from "../../../../test-support/src/command-line/run.js";
import { cohortFacts, cohortWords } from "../../../src/common/release/cohorts.js";
import type { TableLine } from "../../../src/show/render.js";
import { tableText } from "../../../src/show/table.js";

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
    expect(shown.split("\n")).toHaveLength([...table.rows].length + 2);
    expect(letters(text)).toBe(letters(shown));
    expect(shown).toContain("Geräte-im-Außenlager-ohne-ein-einziges-Leerzeichen-im-Namen-dieser-Gruppe");
  });

  it("a column begins at the same place in every line", () => {
    const [head = ""] = lines;
    const at = stringWidth(head.slice(0, head.indexOf("verdict")));
    for (const verdict of ["moved", "stranded", "behind"]) {
      const line = lines.find((one) => one.includes(verdict)) as string;
      expect(stringWidth(line.slice(0, line.indexOf(verdict))), line).toBe(at);
    }
  });

  it("nothing controls the terminal", () => {
    expectHarmless(text);
  });
});

describe("a table with pictures", () => {
  const pictures: TableLine = {
    columns: [{ title: "board" }, { title: "of slot" }, { title: "uri" }],
    rows: [
      ["gateway", { share: 0.05, words: "  5%" }, "https://fw.example.com/a-rather-long-path/1.4.2/gateway.bin"],
      ["sensor", { share: 1, words: "100%" }, "#firmware"],
      ["\u001b[31m", { share: 0, words: "  0%" }, ""],
    ],
  };

  it("draws them if there is room, and narrows other columns for them", () => {
    const wide = tableText(pictures, 200);
    for (const bar of ["#.........   5%", "########## 100%", "..........   0%"]) expect(wide).toContain(bar);
    const narrow = tableText(pictures, 60);
    expect(narrow).toContain("#.........   5%");
    for (const line of narrow.split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expectHarmless(narrow);
  });

  it.each([
    ["a narrow terminal", 59],
    ["a pipe", Number.POSITIVE_INFINITY],
  ])("has words only on %s", (_, width) => {
    expect(tableText(pictures, width)).toMatch(/ 5%/);
    expect(tableText(pictures, width)).not.toContain("#...");
    expect(tableText({ ...pictures, isPicture: true }, width)).toBe("");
  });

  it("has words only if the other columns would need the room", () => {
    const many = {
      columns: Array.from({ length: 8 }, (_, i) => ({ title: `column ${i}` })),
      rows: [[...Array.from({ length: 7 }, () => "some text"), { share: 0.5, words: "50%" }]],
    };
    expect(tableText(many, 60)).not.toContain("#");
    expect(tableText(many, 100)).toContain("#####..... 50%");
  });
});

describe("the timeline of cohorts", () => {
  const step = (release: string, o: object = {}) => ({
    release,
    addressed: true,
    installed: true,
    refused: null,
    trust: null,
    trustRefused: null,
    left: LEFT,
    ...o,
  });
  const LEFT = { release: { left: 1, needed: 1, of: 1 }, root: null };
  const cohort = (name: string, verdict: string, releases: ReturnType<typeof step>[]) => ({
    name,
    rows: 1,
    names: [name],
    devices: 5,
    floor: { lowest: "1", highest: "1" },
    releases,
    trust: { before: null, after: null },
    verdict,
    why: null,
    next: null,
    left: LEFT,
    exposed: {},
  });
  const facts = {
    devices: { total: 10, moved: 5, stranded: 5 },
    cohorts: [
      cohort("new", "moved", [step("bridge.suit", { trust: "2" }), step("new.suit")]),
      cohort("old", "stranded", [
        step("bridge.suit", { addressed: false }),
        step("new.suit", { installed: false, refused: { code: 20, reason: "X", words: "x" } }),
      ]),
    ],
    allowedStranded: [],
  };
  const timeline = (n: number) => {
    const cohorts = facts.cohorts.map((one) => ({ ...one, releases: one.releases.slice(0, n) }));
    const lines = cohortWords({ ...facts, cohorts } as unknown as Parameters<typeof cohortWords>[0]);
    return lines.flatMap((line) =>
      typeof line === "object" && "table" in line && line.table.isPicture ? [tableText(line.table, 80)] : [],
    );
  };

  it("has a strip for each cohort, from the first step to the last, and says what its marks mean", () => {
    expect(timeline(2)).toEqual([
      [
        "cohort  2 steps, in order        verdict",
        "new     TTTTTTTTTTT ===========  moved",
        "old     ........... !!!!!!!!!!!  stranded",
        "= installed, T installed, with a new trust file, ! REFUSED, . not for it",
        "",
      ].join("\n"),
    ]);
  });

  it("is left out for a single step, which the table shows", () => expect(timeline(1)).toEqual([]));
});

it("a table in a pipe is as wide as its cells, and COLUMNS narrows it", async () => {
  const p = standard();
  p.keepsLogs = true;
  await signImage(p, 7, "fw.suit");
  const wide = (await p.ok(["audit", "A.pem"])).stdout.split("\n");
  expect(wide).toHaveLength(3);
  const narrow = (await p.ok(["audit", "A.pem"], { env: { COLUMNS: "60" } })).stdout;
  for (const line of narrow.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(letters(narrow)).toBe(letters(wide.join("\n")));
});

it("a table without rows has its heads, and one of 100,000 rows has all of them", () => {
  expect(cohortWords(cohortFacts([], []))[0]).toMatchObject({ table: { rows: [] } });
  expect(tableText({ ...table, rows: [] }, 80)).toBe("cohort  devices  bridge-2026-11-26.suit  verdict\n");
  const rows = Array.from({ length: 100_000 }, (_, i) => [`cohort ${i}`, String(i), "installed", "moved"]);
  expect(tableText({ ...table, rows }, 40).match(/moved/g)).toHaveLength(100_000);
});
