// The report of bench/engines.mjs: its tables, and the document around them.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { countedTables, DOC, timedTables, withTables } from "../../bench/engines-report.mjs";

const engine = (name, more) => ({
  engine: { name },
  times: {},
  vars: {},
  peak: {},
  counts: {},
  vectors: "not played",
  absent: false,
  ...more,
});
const times = { "nacl.js": 14, "nacl-fast.js": 4, ed25519: 0.14, "ed25519-8k": 0.07, es256: 0.3, sha256: 0.0018, sha512: 0.001 };
const counts = { "nacl.js": 8e9, "nacl-fast.js": 2e9, ed25519: 2e8, "ed25519-8k": 1e8, es256: 3e8 };
const RESULTS = [engine("node", { times }), engine("jerry", { counts, times: { ...times, ed25519: 1 } }), engine("xs", { absent: true })];

const document = readFileSync(DOC, "utf8");
const NAMES = ["bench/engines counted", "bench/engines"];
/** What is outside of the tables of this benchmark. */
const outside = (text) =>
  NAMES.reduce((rest, name) => rest.replace(new RegExp(`<!-- ${name} -->\\n[\\s\\S]*?<!-- end -->\\n`), `[${name}]\n`), text);

it("changes its own tables in the document, and nothing else", () => {
  const tables = { [NAMES[0]]: countedTables(RESULTS, { ed25519: 0.6, es256: 0.25 }), [NAMES[1]]: timedTables(RESULTS) };
  const written = withTables(document, tables);
  expect(outside(written)).toBe(outside(document));
  for (const name of [...NAMES, "bench/memory jerry", "bench/memory espruino"]) expect(written).toContain(`<!-- ${name} -->\n`);
  expect(written).toMatch(/^## Memory$/m);
  expect(withTables(written, tables)).toBe(written);
  // one of the two alone leaves the other as it was
  const [counted] = Object.entries(tables);
  expect(withTables(written, Object.fromEntries([counted]))).toBe(written);
});

it("fails if the document has no place for a table", () => {
  expect(() => withTables("# A page\n", { "bench/engines": ["| a |"] })).toThrow("there are no markers bench/engines");
  expect(() => withTables("<!-- bench/engines -->\n| a |\n", { "bench/engines": ["| a |"] })).toThrow("there are no markers");
});

it("gives instructions if they were counted, otherwise milliseconds, and ratios of one kind", () => {
  const cells = (name) =>
    countedTables(RESULTS, { ed25519: 0.6, es256: 0.25 })[1]
      .split("\n")
      .find((line) => line.startsWith(`| ${name} `))
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1);
  expect(cells("jerry")).toEqual(["jerry", "million", "8,000", "2,000", "200", "100", "40.0 ×", "80.0 ×", "40 ×", "300"]);
  expect(cells("node")).toEqual(["node", "ms", "14.0", "4.00", "0.140", "0.070", "100 ×", "200 ×", "–", "0.300"]);
  expect(new Set(cells("xs").slice(1))).toEqual(new Set(["not measured"]));
});
