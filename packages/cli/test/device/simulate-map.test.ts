// The map of power cuts on a terminal.

import { describe, expect, it } from "vitest";
import { signImage, standard } from "../../../test-support/src/command-line/run.js";
import { type MapLine, mapText } from "../../src/show/map.js";

const cells = (marks: string) => [...marks].map((mark) => ({ mark, bad: mark === "!" }));
const map = (marks: string): MapLine => ({
  of: "cut",
  cells: cells(marks),
  legend: [
    [".", "old"],
    ["+", "new"],
    ["!", "NOTHING"],
  ],
});

describe("a map", () => {
  it("has one character for each cut, and says only what it shows", () => {
    expect(mapText(map(`${".".repeat(70)}++`), 60)).toBe(`${".".repeat(60)}\n..........++\none character for each cut: . old, + new\n`);
  });

  it("shows many cuts as one character, and never hides a bad one", () => {
    const many = `${".".repeat(100_000)}!${"+".repeat(50_000)}`;
    const text = mapText(map(many), 80);
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(17);
    expect(lines.slice(0, -1).join("").match(/!/g)).toHaveLength(1);
    expect(lines.at(-1)).toBe("one character for 118 cuts, the worst of them: . old, + new, ! NOTHING");
  });

  it.each([
    ["a narrow terminal", 59],
    ["a pipe", Number.POSITIVE_INFINITY],
  ])("is left out on %s", (_, width) => expect(mapText(map("..."), width)).toBe(""));

  it("is in the output of simulate on a terminal, and not in JSON", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    const args = ["simulate", "fw.suit", "--device", "memory", "--key", "A.jwk"];
    expect((await p.ok(args, { columns: 80 })).stdout).toMatch(/^\.+\+*\none character for each cut: \. the old release starts/m);
    expect((await p.ok(args)).stdout).not.toContain("one character");
    expect((await p.ok([...args, "--json"], { columns: 80 })).stdout).not.toContain("one character");
  });
});
