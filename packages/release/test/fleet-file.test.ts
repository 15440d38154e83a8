// Fleet files that nobody wrote: whatever is in one, it is read, or refused in one line.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, KeyFileError } from "@firmseal/keys";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { key, trustFileOf } from "../../test-support/src/rotation-world.js";
import { readFleet } from "../src/rotation/fleet.js";

const folder = temporaryFolder("firmseal-fleet-");
beforeAll(async () => {
  writeFileSync(join(folder, "t.trust"), await trustFileOf(1, { releases: [key("A"), key("B")], roots: [key("R1"), key("R2")] }));
});

const MEMBERS = [
  "name",
  "devices",
  "trust",
  "vendor",
  "class",
  "floor",
  "floors",
  "keys",
  "features",
  "seen",
  "engine",
  "start",
  "__proto__",
  "toString",
];
/** What a cell or a member may hold: right values, and what is nearly right. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    "a",
    "t.trust",
    "example.com",
    "board-v2",
    1,
    0,
    -1,
    1.5,
    2 ** 53,
    "18446744073709551615",
    "18446744073709551616",
    "",
    null,
  ),
  fc.constantFrom<unknown>("\u0000", "\u001b[0m", "\ud800", "a|b", '"', "=1+1", "2999-01-01", ["a"], { debug: 1 }, [], {}, true, "ed25519"),
  fc.string({ maxLength: 12 }),
);
const record = fc.dictionary(fc.constantFrom(...MEMBERS), value, { minKeys: 3 });
const good = fc.record({
  name: fc.constantFrom("a", "b 1", "c"),
  trust: fc.constant("t.trust"),
  vendor: fc.constant("example.com"),
  class: fc.oneof(fc.constantFrom<unknown>("board-v2", ["board-v2", "board-v3"]), value),
  floor: fc.oneof(fc.constantFrom<unknown>(1, "2"), value),
});

async function judge(name: string, content: string | Uint8Array): Promise<number> {
  const path = join(folder, name);
  writeFileSync(path, content);
  try {
    return (await readFleet(path)).length;
  } catch (e) {
    if (!(e instanceof Failure || e instanceof KeyFileError)) throw e;
    expect(e.message.length).toBeLessThanOrEqual(2000);
    expect(e.hint).not.toBe("");
    return -1;
  }
}

const RUNS = { numRuns: 150 };

it("JSON and JSON Lines", async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(record, good), { minLength: 1, maxLength: 3 }), async (rows) => {
      const lines = await judge("f.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      expect(await judge("f.json", JSON.stringify({ cohorts: rows }))).toBe(lines);
      if (lines > 0) read++;
    }),
    RUNS,
  );
  expect(read).toBeGreaterThan(0);
});

it("CSV of any kind", async () => {
  const cell = value.map((v) => (typeof v === "object" ? JSON.stringify(v) : String(v)));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...MEMBERS), { minLength: 3 }),
      fc.array(fc.array(cell, { minLength: 1, maxLength: 14 }), { maxLength: 3 }),
      async (names, rows) => {
        await judge("f.csv", [names, ...rows].map((cells) => cells.join(",")).join("\n"));
      },
    ),
    RUNS,
  );
});

it("octets of any kind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      for (const name of ["o.csv", "o.jsonl", "o.json"]) await judge(name, bytes);
    }),
    RUNS,
  );
});
