// Everything that must hold, in one run. A failed step does not end it: one run shows every failure. The output of a step is printed
// when it fails. Arguments go to vitest: `pnpm test -- hash` runs the test files that have "hash" in their names.
// With CI set, tests do not leave themselves out for want of a Debian package: they fail; and what takes minutes is tried as well: files of
// 4 GiB and more, fleets of 10,000, kills by the dozen.
// With FIRMSEAL_ROOT_STEP=FILE set too, it runs twice (.ci/run): as an ordinary user everything, and what leaves itself out there is written to
// FILE; then as root, the test files of these alone, and the sums are those of both.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { conformAll, twoAtATime } from "./conformance.mjs";
import { GATES, runGate } from "./gates.mjs";
import { LIBRARIES, PACKAGES } from "./packages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const vitestArguments = process.argv.slice(2).filter((argument, i) => !(i === 0 && argument === "--"));

const effort = process.env.CI ? { FIRMSEAL_LONG: "1", ...process.env } : {};

const haveVectors = existsSync(process.env.FIRMSEAL_VECTORS ?? join(ROOT, "../shared/vectors"));

const total = { passed: 0, failed: 0 };
const skipped = [];

const handover = process.env.FIRMSEAL_ROOT_STEP;
const isRootStep = Boolean(handover) && process.getuid?.() === 0;
/** The test files that want root. */
const forRoot = new Set();

/** Runs a program and collects what it says. */
function run(command, args, { cwd = ROOT, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code, signal) => resolve({ ok: code === 0, output: signal ? `${output}\nended by ${signal}` : output }));
  });
}

const bin = (name, args, options) => run(`${ROOT}node_modules/.bin/${name}`, args, options);

function line(ok, name, seconds) {
  console.log(`${ok ? "pass" : "FAIL"}  ${name.padEnd(60)} ${seconds.toFixed(1).padStart(6)} s`);
}

/** Steps that do not need each other, [name, work]: two at a time, told in their order. `work` answers { ok, output }; one step is one test. */
async function steps(all) {
  const works = all.map(([name, work]) => async () => {
    const start = performance.now();
    const { ok, output } = await work();
    return { name, ok, output, seconds: (performance.now() - start) / 1000 };
  });
  for await (const { name, ok, output, seconds } of twoAtATime(works)) {
    line(ok, name, seconds);
    if (!ok) console.log(output.trimEnd().replace(/^/gm, "      "));
    total[ok ? "passed" : "failed"]++;
  }
}

const step = (name, work) => steps([[name, work]]);

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-test-"));
  const file = join(folder, "report.json");
  const start = performance.now();
  try {
    const args = ["run", "--reporter=default", "--reporter=./scripts/vitest-report.mjs", ...vitestArguments];
    const { ok, output } = await bin("vitest", args, { env: { ...effort, FIRMSEAL_REPORT: file } });
    let report = { passed: 0, failed: 0, skipped: [] };
    try {
      report = JSON.parse(readFileSync(file, "utf8"));
    } catch {
      // it ended before it could report: that is the failure below
    }
    // where everything is at hand, nothing has a reason to leave itself out
    if (process.env.CI && haveVectors) {
      // but engines that are in no package
      const [named, others] = [true, false].map((x) => report.skipped.filter(({ name }) => name.includes("(skipped: set ") === x));
      const isLeft = handover && !isRootStep;
      if (!isLeft) report.failed += others.length;
      for (const { file, name } of others) {
        if (isLeft) forRoot.add(file);
        console.log(`      ${isLeft ? "left to the step as root" : "left out with CI set"}: ${file}: ${name}`);
      }
      report.skipped = named;
    }
    if (!ok && report.failed === 0) report.failed = 1;
    const counts = `${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`;
    line(report.failed === 0, `vitest: ${counts}`, (performance.now() - start) / 1000);
    if (report.failed > 0) console.log(output.trimEnd().replace(/^/gm, "      "));
    total.passed += report.passed;
    total.failed += report.failed;
    const known = new Set(skipped.map(({ file, name }) => `${file} ${name}`));
    skipped.push(...report.skipped.filter(({ file, name }) => !known.has(`${file} ${name}`)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function tell() {
  if (skipped.length > 0) console.log("\nskipped:");
  for (const { file, name, note } of skipped) console.log(`  ${file}: ${name}${note ? ` (${note})` : ""}`);
  console.log("");
  console.log(`${total.passed} passed, ${total.failed} failed${skipped.length ? `, ${skipped.length} skipped` : ""}`);
  if (total.failed > 0) process.exitCode = 1;
}

/** As root, after the run as an ordinary user: what was left out there. */
async function rootStep() {
  const before = JSON.parse(readFileSync(handover, "utf8"));
  total.passed += before.passed;
  total.failed += before.failed;
  skipped.push(...before.skipped);
  vitestArguments.splice(0, vitestArguments.length, ...before.files);
  if (before.files.length > 0) await vitest();
  tell();
  process.exit();
}

if (isRootStep) await rootStep();

await step("build", () => run(process.execPath, ["scripts/build.mjs"]));
await steps([
  ["types of the tests", () => bin("tsc", ["-p", "tsconfig.test.json"])],
  ["biome", () => bin("biome", ["check", ".", "--diagnostic-level=warn", "--max-diagnostics=20"])],
  ["knip", () => bin("knip", ["--no-progress"])],
  ["packages import in one direction", () => bin("depcruise", ["--config", ".dependency-cruiser.mjs", "packages"])],
  // in package.json: minified, and after gzip -9; a budget follows its bundle down
  ["bundles keep to their sizes", () => bin("size-limit", [])],
  ["documents: form and links", () => bin("markdownlint-cli2", [])],
  ["documents: spelling", () => bin("cspell", ["lint", "--no-progress", "--no-summary"])],
  ["documents: site", () => bin("vitepress", ["build", "docs"])],
  ...PACKAGES.flatMap((name) => {
    const cwd = `${ROOT}packages/${name}`;
    return [
      [`publint: ${name}`, () => bin("publint", ["run", "--strict", "--pack", "npm"], { cwd })],
      // the command line is no library: it exports nothing that could have types
      ...(!LIBRARIES.includes(name) ? [] : [[`attw: ${name}`, () => bin("attw", ["--pack", ".", "--profile", "esm-only"], { cwd })]]),
    ];
  }),
  ...GATES.map((gate) => [
    gate.name,
    async () => {
      const findings = await runGate(gate);
      return { ok: findings.length === 0, output: findings.join("\n") };
    },
  ]),
]);
await conformAll(({ ok, line: says, output, seconds, skipped: note }) => {
  if (note) return void skipped.push({ file: "conformance", name: says.split(":")[0], note });
  line(ok, `conformance: ${says}`, seconds);
  if (output) console.log(output.replace(/^/gm, "      "));
  total[ok ? "passed" : "failed"]++;
});
await vitest();
// each target for some seconds; the corpus was played with the tests
if (process.env.CI) {
  if (existsSync(`${ROOT}node_modules/@jazzer.js/core`)) await step("fuzz", () => run(process.execPath, ["fuzz/run.mjs", "5"]));
  else skipped.push({ file: "fuzz", name: "every target", note: "skipped: @jazzer.js/core is not installed" });
}
// some mutants of the verifier, others each time; the seed chooses the same again
if (process.env.CI) {
  const seed = String(Date.now());
  const sample = ["--quick", "--sample", "60", "--seconds", "80", "--seed", seed];
  await step(`mutants: --sample 60 --seed ${seed}`, () => run(process.execPath, ["scripts/mutation.mjs", ...sample]));
}
await step("demo", () => run(process.execPath, ["scripts/demo.mjs"]));

if (handover) writeFileSync(handover, JSON.stringify({ ...total, skipped, files: [...forRoot] }));
tell();
