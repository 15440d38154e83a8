// firmseal status ask: a nonce for each device of a fleet file.

import { describe, expect, it } from "vitest";
import { expectFailure, Place } from "../../../test-support/src/command-line/run.js";
import { keysOf, trustFileOf } from "../../../test-support/src/rotation-world.js";

const { A, R1, R2 } = keysOf("A", "R1", "R2");
const ASK = ["status", "ask", "--fleet", "fleet.jsonl", "--out", "asked.jsonl"];

async function place(...rows: object[]): Promise<Place> {
  const p = new Place();
  p.put("t1.trust", await trustFileOf(1, { releases: [A], threshold: 1, roots: [R1, R2] }));
  const row = { vendor: "example.com", class: "board-v2", trust: "t1.trust", floor: 10 };
  p.put("fleet.jsonl", rows.map((one) => `${JSON.stringify({ ...row, ...one })}\n`).join(""));
  return p;
}

describe("firmseal status ask", () => {
  it("asks each device that has a row, with a nonce of its own", async () => {
    const p = await place({ name: "serial-1" }, { name: "serial-2" }, { name: "field", devices: 500 });
    await p.ok(ASK);
    const asked = p
      .get("asked.jsonl")
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(asked.map(({ device }) => device)).toEqual(["serial-1", "serial-2"]);
    expect(new Set(asked.map(({ nonce }) => nonce)).size).toBe(2);
    for (const { nonce } of asked) expect(nonce).toMatch(/^[0-9a-f]{32,}$/);
  });

  it("refuses a fleet file in which no row is one device", async () => {
    const p = await place({ name: "field", devices: 2 });
    expect(expectFailure(await p.run(ASK), 2)).toContain("no row is one device");
  });

  it("replaces no file", async () => {
    const p = await place({ name: "serial-1" });
    p.put("asked.jsonl", "nonces of before\n");
    const before = p.tree();
    expectFailure(await p.run(ASK), 2);
    expect(p.tree()).toEqual(before);
  });
});
