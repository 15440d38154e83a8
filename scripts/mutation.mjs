// Mutation testing of the verifier: Stryker changes one thing at a time in packages/verifier/src, and the tests must notice.
//
//     pnpm mutation                 every file; hours
//     pnpm mutation cbor device     these files and folders
//     pnpm mutation --sample 60     about that many mutants in four files, chosen by chance; writes nothing, wants 80 of 100 killed
//     pnpm mutation --quick ...     without asking vitest again about what survives in this process (scripts/mutation/runner.mjs)
//     pnpm mutation --again ...     forgets what was found out before
//
// Scores go to docs/explanation/mutation.md, by file; what survived is listed in .mutation/survivors.txt. It exits 1 where a file is below its threshold.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";
import { sampled } from "./mutation/sample.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = "packages/verifier/src";
const CACHE = ".mutation";
const SAMPLED_FILES = 4;
const DOCS = "docs/explanation/mutation.md";

/** What of 100 mutants must be killed: of arithmetic, and of all that decides. Tables of names and numbers have none: other tests hold them. */
const ARITHMETIC = /^(alg|hash)\//;
const NAMES = /^(spec\/|base\/(features|types)|index|manifest\/manifest)/;
const threshold = (file) => (NAMES.test(file) ? 0 : ARITHMETIC.test(file) ? 85 : 90);

const args = process.argv.slice(2).filter((a) => a !== "--");
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? false : args.splice(at, 1).length > 0;
};
const argument = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};

/** The rows of the table in docs/explanation/mutation.md by their files. */
function rowsOf(text) {
  return new Map(
    text
      .split("\n")
      .map((line) => /^\| `([\w/-]+\.ts)` \|((?: [\d.]+(?: %)? \|){5})$/.exec(line))
      .filter(Boolean)
      .map(([, file, cells]) => [file, cells.split("|").map((cell) => Number.parseFloat(cell))]),
  );
}

const tableOf = (rows) =>
  ["| File | Mutants | Killed | Survived | Not reached | Score |", "| --- | --- | --- | --- | --- | --- |"]
    .concat(
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([file, [all, killed, survived, missed, score]]) =>
            `| \`${file}\` | ${all} | ${killed} | ${survived} | ${missed} | ${score.toFixed(1)} % |`,
        ),
    )
    .join("\n");

process.chdir(ROOT);
const sample = Number(argument("--sample") ?? 0);
const seed = argument("--seed") ?? String(Date.now());
if (option("--quick")) process.env.FIRMSEAL_MUTANTS_QUICK = "1";
if (option("--again")) rmSync(CACHE, { recursive: true, force: true });
mkdirSync(CACHE, { recursive: true });

const files = readdirSync(SOURCES, { recursive: true }).filter((f) => f.endsWith(".ts"));
let chosen =
  args.length === 0 ? files : files.filter((f) => args.some((a) => f === a || f === `${a}.ts` || f.startsWith(`${a.replace(/\/$/, "")}/`)));
if (chosen.length === 0) throw new Error(`no file of ${SOURCES}: ${args.join(" ")}`);

const known = existsSync(DOCS) ? rowsOf(readFileSync(DOCS, "utf8")) : new Map();
if (sample) {
  // a few files, so that the tests before the mutants need not count their way through all of them
  const rank = (f) => createHash("sha256").update(`${seed} ${f}`).digest("hex");
  chosen = chosen
    .filter((f) => known.has(f) && threshold(f) > 0)
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .slice(0, SAMPLED_FILES);
  const total = chosen.reduce((sum, f) => sum + known.get(f)[0], 0);
  process.env.FIRMSEAL_MUTANTS_SAMPLE = `${sample / total} ${seed}`;
  console.log(`about ${sample} of ${total} mutants in ${chosen.join(", ")}: --seed ${seed}`);
}

process.env.FIRMSEAL_MUTANTS = "1";
process.env.FIRMSEAL_VECTORS ??= join(ROOT, "../shared/vectors");
// tests that stay in one process: no programs, no random cases by the thousand
process.env.FIRMSEAL_MUTANTS_FILES ??= JSON.stringify([
  "test-vectors/play.test.ts",
  ...readdirSync("packages/verifier/test")
    .filter((f) => f.endsWith(".test.ts"))
    .map((f) => `packages/verifier/test/${f}`),
  "packages/simulator/test/storage-device.test.ts",
]);

const report = join(CACHE, "report.json");
await new Stryker({
  testRunner: "firmseal",
  plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation/runner.mjs"],
  mutate: chosen.map((f) => `${SOURCES}/${f}`),
  coverageAnalysis: "perTest",
  concurrency: 1,
  dryRunTimeoutMinutes: 30,
  timeoutMS: 15_000,
  timeoutFactor: 2,
  incremental: !sample,
  incrementalFile: join(CACHE, "incremental.json"),
  tempDirName: join(CACHE, "sandbox"),
  // Stryker would rewrite the tsconfig files, with a TypeScript that has the interface of old
  tsconfigFile: "none.json",
  disableTypeChecks: false,
  ignorePatterns: ["packages/*/lib", "packages/*/dist", "bench", "docs", "examples", "/test", ".mutation"],
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  reporters: process.stdout.isTTY ? ["progress", "json"] : ["json"],
  jsonReporter: { fileName: report },
  logLevel: "warn",
}).runMutationTest();

const result = JSON.parse(readFileSync(report, "utf8"));
const survivors = [];
const rows = new Map();
for (const [path, { source, mutants: every }] of Object.entries(result.files)) {
  // those that no test reaches never come to the runner
  const mutants = every.filter(({ id }) => sampled(id));
  const file = path.slice(SOURCES.length + 1);
  if (!chosen.includes(file)) continue;
  const lines = source.split("\n");
  const count = (...status) => mutants.filter((m) => status.includes(m.status)).length;
  const [killed, survived, missed] = [count("Killed", "Timeout"), count("Survived"), count("NoCoverage")];
  const all = killed + survived + missed;
  if (all > 0) rows.set(file, [all, killed, survived, missed, (100 * killed) / all]);
  for (const { status, location, replacement, mutatorName } of mutants) {
    if (status !== "Survived" && status !== "NoCoverage") continue;
    const { start, end } = location;
    const text = lines.slice(start.line - 1, end.line).join("\n");
    const last = text.length - (lines[end.line - 1].length - (end.column - 1));
    const was = text.slice(start.column - 1, last).replace(/\s+/g, " ");
    const cut = (s) => (s.length > 90 ? `${s.slice(0, 87)}...` : s);
    const mark = status === "NoCoverage" ? "not reached" : "survived";
    survivors.push(
      `${file}:${start.line}:${start.column}: ${mark}: ${mutatorName}: ${cut(was)} -> ${cut((replacement ?? "").replace(/\s+/g, " "))}`,
    );
  }
}
writeFileSync(join(CACHE, "survivors.txt"), survivors.map((s) => `${s}\n`).join(""));
for (const s of survivors) console.log(s);
console.log(tableOf(rows));

if (sample) {
  const [all, killed] = [...rows.values()].reduce(([a, k], [all, killed]) => [a + all, k + killed], [0, 0]);
  console.log(`${killed} of ${all} killed`);
  if (killed < 0.8 * all) process.exitCode = 1;
} else {
  const text = existsSync(DOCS) ? readFileSync(DOCS, "utf8") : "| File |\n";
  const merged = new Map([...known, ...rows].filter(([file]) => files.includes(file)));
  writeFileSync(DOCS, text.replace(/^\| File \|.*\n(\|.*\n)*/m, `${tableOf(merged)}\n`));
  for (const [file, [, , , , score]] of rows)
    if (score < threshold(file)) {
      console.log(`${file}: ${score.toFixed(1)} % is below ${threshold(file)} %`);
      process.exitCode = 1;
    }
}
