// Mutation testing of the verifier: Stryker changes one thing at a time in packages/verifier/src, and the tests must notice.
//
//     pnpm mutation                 every file; hours
//     pnpm mutation cbor device     these files and folders
//     pnpm mutation --sample 60     about that many mutants in four files that decide, chosen by chance; writes nothing; fails where fewer than 80 of
//                                   100 are killed, and a sample of that size does not explain it
//     pnpm mutation --seconds 120 .. begins no other mutant after that time: with --sample
//     pnpm mutation --share 20 alg  that many of 100 mutants of these files, chosen by chance; --seed N chooses the same again
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
/** Of 100 mutants of a sample, so many are killed. */
const WANTED = 80;
const DOCS = "docs/explanation/mutation.md";

/** What of 100 mutants must be killed: of arithmetic, and of all that decides. Tables of names and numbers have none: other tests hold them. */
const ARITHMETIC = /^(alg|hash)\//;
const ARITHMETIC_TESTS = /\/(ed25519[\w-]*|es256|field\w*|hash[\w-]*|hmac|hsslms[\w-]*|rivals)\.test\.ts$/;
const NAMES = /^spec\/|^manifest\/manifest\.ts$|(^|\/)(features|index|types)\.ts$/;
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

/** The rows of the table in docs/explanation/mutation.md by their files. `all`: the mutants of the file; `tried`: fewer, where they were chosen by chance. */
function rowsOf(text) {
  return new Map(
    text
      .split("\n")
      .map((line) => /^\| `([\w/-]+\.ts)` \| (\d+)(?: of (\d+))? \| (\d+) \| (\d+) \| (\d+) \| \d/.exec(line))
      .filter(Boolean)
      .map(([, file, tried, all, killed, survived, missed]) => [
        file,
        { tried: Number(tried), all: Number(all ?? tried), killed: Number(killed), survived: Number(survived), missed: Number(missed) },
      ]),
  );
}

const scoreOf = ({ tried, killed }) => (100 * killed) / tried;

/** The score of all is in this range for 95 of 100 such samples (Wilson's interval). */
function range(killed, tried) {
  if (tried === 0) return { lower: 0, upper: 100 };
  const [z, p] = [1.96, killed / tried];
  const middle = p + z ** 2 / (2 * tried);
  const reach = z * Math.sqrt((p * (1 - p)) / tried + (z / (2 * tried)) ** 2);
  const [lower, upper] = [middle - reach, middle + reach].map((x) => (100 * x) / (1 + z ** 2 / tried));
  return { lower, upper };
}

function interval({ tried, all, killed }) {
  if (tried === all) return "";
  const { lower, upper } = range(killed, tried);
  return ` (${lower.toFixed(1)} to ${upper.toFixed(1)})`;
}

const tableOf = (rows) =>
  ["| File | Mutants | Killed | Survived | Not reached | Score |", "| --- | --- | --- | --- | --- | --- |"]
    .concat(
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([file, row]) => {
          const { tried, all, killed, survived, missed } = row;
          const mutants = tried === all ? all : `${tried} of ${all}`;
          return `| \`${file}\` | ${mutants} | ${killed} | ${survived} | ${missed} | ${scoreOf(row).toFixed(1)} %${interval(row)} |`;
        }),
    )
    .join("\n");

process.chdir(ROOT);
const sample = Number(argument("--sample") ?? 0);
const share = Number(argument("--share") ?? 0) / 100;
const seconds = argument("--seconds");
if (seconds) process.env.FIRMSEAL_MUTANTS_UNTIL = String(Date.now() + 1000 * Number(seconds));
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
    .filter((f) => threshold(f) > 0 && !ARITHMETIC.test(f))
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .slice(0, SAMPLED_FILES);
  // a file that has not been measured has about as many mutants as lines
  const count = (f) => known.get(f)?.all ?? readFileSync(join(SOURCES, f), "utf8").split("\n").length;
  const total = chosen.reduce((sum, f) => sum + count(f), 0);
  process.env.FIRMSEAL_MUTANTS_SAMPLE = `${sample / total} ${seed}`;
  console.log(`about ${sample} of ${total} mutants in ${chosen.join(", ")}: --seed ${seed}`);
} else if (share) {
  process.env.FIRMSEAL_MUTANTS_SAMPLE = `${share} ${seed}`;
  console.log(`${100 * share} of 100 mutants in ${chosen.join(", ")}: --seed ${seed}`);
}

process.env.FIRMSEAL_MUTANTS = "1";
process.env.FIRMSEAL_VECTORS ??= join(ROOT, "../shared/vectors");
// Tests that stay in one process: no programs, no random cases by the thousand. Those of arithmetic take long, and have nothing to say about the rest.
const own = readdirSync("packages/verifier/test")
  .filter((f) => f.endsWith(".test.ts"))
  .map((f) => `packages/verifier/test/${f}`);
const [arithmetic, deciding] = [true, false].map((x) => own.filter((f) => ARITHMETIC_TESTS.test(f) === x));
process.env.FIRMSEAL_MUTANTS_FILES ??= JSON.stringify([
  ...(chosen.some((f) => ARITHMETIC.test(f)) ? [...arithmetic, "packages/signer/test/prepare.test.ts"] : []),
  ...(chosen.every((f) => ARITHMETIC.test(f))
    ? []
    : ["test-vectors/test/play.test.ts", "test-vectors/test/micro.test.ts", ...deciding, "packages/simulator/test/storage-device.test.ts"]),
]);

const left = join(ROOT, CACHE, "left.txt");
writeFileSync(left, "");
process.env.FIRMSEAL_MUTANTS_LEFT = left;

const report = join(CACHE, "report.json");
const incrementalFile = join(CACHE, "incremental.json");
if (existsSync(incrementalFile)) {
  // Stryker has no list of tests for what runs while a module is loaded, and would keep what survived there when there are more tests
  const earlier = JSON.parse(readFileSync(incrementalFile, "utf8"));
  for (const file of Object.values(earlier.files)) file.mutants = file.mutants.filter((m) => !(m.static && m.status === "Survived"));
  writeFileSync(incrementalFile, JSON.stringify(earlier));
}
await new Stryker({
  testRunner: "firmseal",
  plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation/runner.mjs"],
  mutate: chosen.map((f) => `${SOURCES}/${f}`),
  coverageAnalysis: "perTest",
  concurrency: 1,
  dryRunTimeoutMinutes: 30,
  timeoutMS: 15_000,
  timeoutFactor: 2,
  incremental: !sample && !share,
  incrementalFile,
  tempDirName: join(CACHE, "sandbox"),
  // Stryker would rewrite the tsconfig files, with a TypeScript that has the interface of old
  tsconfigFile: "none.json",
  disableTypeChecks: false,
  ignorePatterns: ["packages/*/lib", "packages/*/dist", "bench", "docs/*", "!docs/reference", "examples", "/test", ".mutation"],
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
  const tried = killed + survived + missed;
  // one that was not chosen is "in error"
  const all = every.filter((m) => !["Ignored", "CompileError"].includes(m.status)).length;
  if (tried > 0) rows.set(file, { tried, all: sample || share ? all : tried, killed, survived, missed });
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
for (const test of readFileSync(left, "utf8").split("\n").filter(Boolean)) console.log(`only in vitest: ${test}`);
writeFileSync(join(CACHE, "survivors.txt"), survivors.map((s) => `${s}\n`).join(""));
for (const s of survivors) console.log(s);
console.log(tableOf(rows));

if (sample) {
  const [tried, killed] = ["tried", "killed"].map((x) => [...rows.values()].reduce((sum, row) => sum + row[x], 0));
  const { upper } = range(killed, tried);
  console.log(`${killed} of ${tried} killed: at most ${upper.toFixed(1)} of 100`);
  // of a few, too many may survive by chance: the sample fails where chance does not explain it
  if (upper < WANTED) process.exitCode = 1;
} else {
  const text = existsSync(DOCS) ? readFileSync(DOCS, "utf8") : "| File |\n";
  const merged = new Map([...known, ...rows].filter(([file]) => files.includes(file)));
  writeFileSync(DOCS, text.replace(/^\| File \|.*\n(\|.*\n)*/m, `${tableOf(merged)}\n`));
  for (const [file, row] of rows)
    if (scoreOf(row) < threshold(file)) {
      console.log(`${file}: ${scoreOf(row).toFixed(1)} % is below ${threshold(file)} %`);
      process.exitCode = 1;
    }
}
