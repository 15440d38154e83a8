// Mutation testing of the verifier: Stryker changes one thing at a time in packages/verifier/src, and the tests must
// notice.
//
//     pnpm mutation                 every file; hours
//     pnpm mutation cbor device     these files and folders
//     pnpm mutation --sample 60     about that many mutants in a few files that decide, chosen by chance; writes nothing; fails where fewer than 80 of
//                                   100 are killed, and a sample of that size does not explain it
//     pnpm mutation --seconds 120 .. begins no other mutant after that time, except the first 25: with --sample
//     pnpm mutation --share 20 alg  that many of 100 mutants of these files, chosen by chance; --seed N chooses the same again
//     pnpm mutation --quick ...     without asking vitest again about what survives in this process (scripts/mutation/runner.mjs)
//     pnpm mutation --again ...     forgets what was found out before
//
// Scores go to docs/explanation/mutation.md, by file; what survived is listed in .mutation/survivors.txt. It exits 1
// where a file is below its threshold.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NO_TIME, sampled } from "./mutation/sample.mjs";
import {
  belowThreshold,
  isArithmetic,
  PAGE,
  range,
  rowsOf,
  SOURCES,
  sampleOf,
  scoreOf,
  verdict,
  verifierFiles,
} from "./mutation/scores.mjs";
import { CACHE, lineOf, mutantsOf } from "./mutation/stryker.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ARITHMETIC_TESTS = /\/(ed25519[\w-]*|es256|field\w*|hash[\w-]*|hmac|hsslms[\w-]*|rivals)\.test\.ts$/;

const args = process.argv.slice(2).filter((a) => a !== "--");
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? false : args.splice(at, 1).length > 0;
};
const argument = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};

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

const sources = verifierFiles();
const files = sources.map(({ path }) => path);
let chosen =
  args.length === 0 ? files : files.filter((f) => args.some((a) => f === a || f === `${a}.ts` || f.startsWith(`${a.replace(/\/$/, "")}/`)));
if (chosen.length === 0) throw new Error(`no file of ${SOURCES}: ${args.join(" ")}`);

const known = existsSync(PAGE) ? rowsOf(readFileSync(PAGE, "utf8")) : new Map();
if (sample) {
  // a file that has not been measured has about as many mutants as lines
  const count = ({ path, text }) => known.get(path)?.all ?? text.split("\n").length;
  const among = sources.filter(({ path }) => chosen.includes(path));
  let total;
  ({ chosen, total } = sampleOf(among, seed, sample, count));
  process.env.FIRMSEAL_MUTANTS_SAMPLE = `${sample / total} ${seed}`;
  console.log(`about ${sample} of ${total} mutants in ${chosen.join(", ")}: --seed ${seed}`);
} else if (share) {
  process.env.FIRMSEAL_MUTANTS_SAMPLE = `${share} ${seed}`;
  console.log(`${100 * share} of 100 mutants in ${chosen.join(", ")}: --seed ${seed}`);
}

// Tests that stay in one process: no programs, no random cases by the thousand. Those of arithmetic take long, and have
// nothing to say about the rest.
const own = readdirSync("packages/verifier/test")
  .filter((f) => f.endsWith(".test.ts"))
  .map((f) => `packages/verifier/test/${f}`);
const [arithmetic, deciding] = [true, false].map((x) => own.filter((f) => ARITHMETIC_TESTS.test(f) === x));
process.env.FIRMSEAL_MUTANTS_FILES ??= JSON.stringify([
  ...(chosen.some((f) => isArithmetic(f)) ? [...arithmetic, "packages/signer/test/prepare.test.ts"] : []),
  ...(chosen.every((f) => isArithmetic(f))
    ? []
    : ["test-vectors/test/play.test.ts", "test-vectors/test/micro.test.ts", ...deciding, "packages/simulator/test/storage-device.test.ts"]),
]);

const incrementalFile = join(CACHE, "incremental.json");
if (existsSync(incrementalFile)) {
  // Stryker has no list of tests for what runs while a module is loaded, and would keep what survived there when there
  // are more tests
  const earlier = JSON.parse(readFileSync(incrementalFile, "utf8"));
  for (const file of Object.values(earlier.files)) file.mutants = file.mutants.filter((m) => !(m.static && m.status === "Survived"));
  writeFileSync(incrementalFile, JSON.stringify(earlier));
}
const result = await mutantsOf(
  chosen.map((f) => `${SOURCES}/${f}`),
  sample || share ? undefined : incrementalFile,
);
const survivors = [];
const rows = new Map();
/** Mutants of a sample that were not begun, because the time was over. */
let late = 0;
for (const [path, { source, mutants: every }] of Object.entries(result.files)) {
  // those that no test reaches never come to the runner
  const mutants = every.filter(({ id }) => sampled(id));
  const file = path.slice(SOURCES.length + 1);
  if (!chosen.includes(file)) continue;
  const count = (...status) => mutants.filter((m) => status.includes(m.status)).length;
  const [killed, survived, missed] = [count("Killed", "Timeout"), count("Survived"), count("NoCoverage")];
  const tried = killed + survived + missed;
  late += mutants.filter(({ statusReason }) => statusReason === NO_TIME).length;
  // one that was not chosen is "in error"
  const all = every.filter((m) => !["Ignored", "CompileError"].includes(m.status)).length;
  if (tried > 0) rows.set(file, { tried, all: sample || share ? all : tried, killed, survived, missed });
  for (const mutant of mutants) if (["Survived", "NoCoverage"].includes(mutant.status)) survivors.push(lineOf(file, source, mutant));
}
for (const test of result.left) console.log(`only in vitest: ${test}`);
writeFileSync(join(CACHE, "survivors.txt"), survivors.map((s) => `${s}\n`).join(""));
for (const s of survivors) console.log(s);
console.log(tableOf(rows));

if (sample) {
  const { says, passes } = verdict([...rows.values()], late);
  console.log(says);
  if (!passes) process.exitCode = 1;
} else {
  const text = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "| File |\n";
  const merged = new Map([...known, ...rows].filter(([file]) => files.includes(file)));
  writeFileSync(PAGE, text.replace(/^\| File \|.*\n(\|.*\n)*/m, `${tableOf(merged)}\n`));
  for (const finding of [...rows].flatMap(([file, row]) => belowThreshold(file, row))) {
    console.log(finding);
    process.exitCode = 1;
  }
}
