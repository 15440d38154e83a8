// The report of bench/engines.mjs: its tables, and the document around them. What bench/size.mjs says about a change.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { countedTables, DOC, timedTables, withTables } from "../../bench/engines-report.mjs";
import { ROOT } from "../../bench/lib.mjs";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { shipped } from "../conformance/bundles.mjs";

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

it.each([
  ["what a bundle has gained", { minified: -5, "gzip -9": 7 }, ", minified / gzip -9: firmseal-es256.js +5 / −7\n"],
  ["that nothing has changed", { minified: 0, "gzip -9": 0 }, ", minified / gzip -9: none\n"],
  ["nothing without an earlier record", undefined, ""],
])("size.mjs --change prints %s", (_, against, expected) => {
  const folder = temporaryFolder("firmseal-sizes-");
  const git = (...args) =>
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: folder, encoding: "utf8" });
  const own = JSON.parse(readFileSync(join(ROOT, "bench/results/sizes.json"), "utf8")).shipped;
  // a bundle may have changed since the record
  const now = Object.fromEntries(
    shipped().map(({ name, text }) => [name, { minified: text.length, "gzip -9": gzipSync(text, { level: 9 }).length }]),
  );
  expect(Object.keys(own)).toEqual(Object.keys(now));
  for (const [kind, n] of Object.entries(against ?? {})) now["firmseal-es256.js"][kind] += n;
  mkdirSync(join(folder, "bench/results"), { recursive: true });
  writeFileSync(join(folder, "bench/results/sizes.json"), JSON.stringify({ ...(against && { shipped: now }), rows: [] }));
  for (const args of [
    ["init", "--quiet"],
    ["add", "."],
    ["commit", "--quiet", "-m", "sizes"],
  ])
    expect(git(...args).status).toBe(0);
  const { status, stdout } = spawnSync(process.execPath, ["bench/size.mjs", "--change"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, GIT_DIR: join(folder, ".git") },
  });
  expect([status, stdout.replace(/^.* of the last commit/, "")]).toEqual([0, expected]);
});
