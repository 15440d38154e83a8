// Everything that must hold, in one run. A failed step does not end it: one run shows every failure. The output of a
// step is printed when it fails. Arguments go to vitest: `pnpm test -- hash` runs the test files that have "hash" in
// their names. With CI set, tests do not skip themselves because a Debian package is missing: they fail. Tests that
// take minutes run too: files of 4 GiB and more, fleets of 10,000, dozens of kills. It is our own runner, because no
// common one gives one count over checks, engines and tests with the reasons of skipped tests. With
// FIRMSEAL_ROOT_STEP=FILE set too, it runs twice (.ci/run): as an ordinary user everything, and what is skipped there
// is written to FILE; then as root, the test files of these alone, and the sums are those of both.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { conformAll, inOrder } from "./conformance/play.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const vitestArguments = process.argv.slice(2).filter((argument, i) => !(i === 0 && argument === "--"));

const effort = process.env.CI ? { FIRMSEAL_LONG: "1", ...process.env } : {};

const haveVectors = existsSync(process.env.FIRMSEAL_VECTORS ?? join(ROOT, "../shared/vectors"));

const total = { passed: 0, failed: 0 };
/** { file, name, note }: printed at the end, where a reader of a long log looks first. */
const skipped = [];
const failed = [];

const handover = process.env.FIRMSEAL_ROOT_STEP;
const isRootStep = Boolean(handover) && process.getuid?.() === 0;
/** The test files that want root. */
const forRoot = new Set();

/** The scripts that `pnpm run "/^check:/"` runs: [name, command]. */
const CHECKS = Object.entries(JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")).scripts).filter(([name]) =>
  name.startsWith("check:"),
);
const BIN_PATH = `${ROOT}node_modules/.bin${delimiter}${process.env.PATH}`;

/** Runs a program and collects what it says. `limit`: milliseconds until it is killed. `shell`: `command` is a line. */
function run(command, args, { cwd = ROOT, env = {}, limit = 0, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      timeout: limit,
      killSignal: "SIGKILL",
      shell,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code, signal) => resolve({ ok: code === 0, output: signal ? `${output}\nended by ${signal}` : output }));
  });
}

/** The time limit of the tests: the process of a test cannot end a call in it that never returns. */
const TESTS_LIMIT = 60 * 60_000;

function line(ok, name, seconds) {
  console.log(`${ok ? "pass" : "FAIL"}  ${name.padEnd(60)} ${seconds.toFixed(1).padStart(6)} s`);
}

/**
 * Steps that do not need each other, [name, work]: `most` at a time, printed in their order. `work` answers { ok,
 * output }. One step is one test, or as many as it has lines "ok NAME" and "fail NAME".
 */
async function steps(all, most) {
  const works = all.map(([name, work]) => async () => {
    const start = performance.now();
    const { ok, output } = await work();
    return { name, ok, output, seconds: (performance.now() - start) / 1000 };
  });
  for await (const { name, ok, output, seconds } of inOrder(works, most)) {
    line(ok, name, seconds);
    if (!ok) console.log(output.trimEnd().replace(/^/gm, "      "));
    const parts = ["ok  ", "fail"].map((word) => output.match(new RegExp(`^${word}  `, "gm"))?.length ?? 0);
    total.passed += Math.max(parts[0], ok ? 1 : 0);
    total.failed += Math.max(parts[1], ok ? 0 : 1);
    if (!ok) failed.push({ file: "step", name, note: parts[1] > 0 ? `${parts[1]} failed` : "" });
  }
}

const step = (name, work) => steps([[name, work]], 1);

/** Runs the tests; returns a function that prints the results. */
async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-test-"));
  const gone = () => rmSync(folder, { recursive: true, force: true });
  const stopped = (signal) => {
    gone();
    process.kill(process.pid, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stopped);
  const file = join(folder, "report.json");
  const start = performance.now();
  try {
    const args = ["run", "--reporter=default", "--reporter=./scripts/testing/vitest-report.mjs", ...vitestArguments];
    const { ok, output } = await run(`${ROOT}node_modules/.bin/vitest`, args, {
      limit: TESTS_LIMIT,
      env: { ...effort, FIRMSEAL_REPORT: file, TMPDIR: folder },
    });
    let report = { passed: 0, failed: [], skipped: [] };
    try {
      report = JSON.parse(readFileSync(file, "utf8"));
    } catch {
      // it ended before it could report: that is the failure below
    }
    // if everything is installed, no test has a reason to skip itself
    if (process.env.CI && haveVectors) {
      // but engines that are in no package
      const [named, others] = [true, false].map((x) => report.skipped.filter(({ name }) => name.includes("(skipped: set ") === x));
      const isLeft = handover && !isRootStep;
      if (!isLeft) report.failed.push(...others.map((test) => ({ ...test, note: "left out with CI set" })));
      for (const { file, name } of others) {
        if (isLeft) forRoot.add(file);
        console.log(`      ${isLeft ? "left to the step as root" : "left out with CI set"}: ${file}: ${name}`);
      }
      report.skipped = named;
    }
    if (!ok && report.failed.length === 0) report.failed.push({ file: "vitest", name: "did not end as it should", note: "" });
    return () => tellTests(report, output, (performance.now() - start) / 1000);
  } finally {
    gone();
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stopped);
  }
}

function tellTests(report, output, seconds) {
  const counts = `${report.passed} passed, ${report.failed.length} failed, ${report.skipped.length} skipped`;
  line(report.failed.length === 0, `vitest: ${counts}`, seconds);
  if (report.failed.length > 0) console.log(output.trimEnd().replace(/^/gm, "      "));
  total.passed += report.passed;
  total.failed += report.failed.length;
  failed.push(...report.failed);
  const known = new Set(skipped.map(({ file, name }) => `${file} ${name}`));
  skipped.push(...report.skipped.filter(({ file, name }) => !known.has(`${file} ${name}`)));
}

function tell() {
  for (const [title, list] of Object.entries({ skipped, failed })) {
    if (list.length > 0) console.log(`\n${title}:`);
    for (const { file, name, note } of list) console.log(`  ${file}: ${name}${note ? ` (${note})` : ""}`);
  }
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
  failed.push(...before.named);
  vitestArguments.splice(0, vitestArguments.length, ...before.files);
  if (before.files.length > 0) (await vitest())();
  tell();
  process.exit();
}

if (isRootStep) await rootStep();

// what is packed changes seldom
const wanted = CHECKS.filter(([name]) => process.env.CI || name !== "check:packages");
const checks = wanted.map(([name, command]) => [name, () => run(command, [], { shell: true, env: { PATH: BIN_PATH } })]);
/** They read nothing that the build makes: they run beside it, for much of it takes one processor. */
const OF_SOURCES = ["check:biome", "check:documents", "check:spelling"];
const [ofSources, ofBuild] = [true, false].map((x) => checks.filter(([name]) => OF_SOURCES.includes(name) === x));
const early = steps(ofSources, 1);
await step("build", () => run(process.execPath, ["scripts/build.mjs"]));
// the tests take longest: they begin first, and everything else runs beside them, one after the other, so that no
// processor waits
const tests = vitest();
await early;
const script = (name, ...args) => [name, () => run(process.execPath, args)];
// the last: keys, signatures and files, on a newer Node too
const inCi = [
  script("demo", "scripts/demo.mjs"),
  script("site", "scripts/site.mjs", "--build"),
  script("tests on Node 24", "scripts/on-node.mjs", "24"),
];
await steps([...ofBuild, ...(process.env.CI ? inCi : [])], 1);
const engines = ({ ok, line: says, output, seconds, skipped: note }) => {
  if (note) return void skipped.push({ file: "conformance", name: says.split(":")[0], note });
  line(ok, `conformance: ${says}`, seconds);
  if (output) console.log(output.replace(/^/gm, "      "));
  total[ok ? "passed" : "failed"]++;
  if (!ok) failed.push({ file: "conformance", name: says, note: "" });
};
// by default, engines that interpret play a part of the vectors: `pnpm conformance` plays all
const every = process.env.CI ? 1 : 8;
await conformAll(engines, { most: 1, every });
// each target for some seconds; the corpus is played with the tests
if (process.env.CI) {
  if (existsSync(`${ROOT}node_modules/@jazzer.js/core`)) await steps([script("fuzz", "fuzz/run.mjs", "7")], 1);
  else skipped.push({ file: "fuzz", name: "every target", note: "skipped: @jazzer.js/core is not installed" });
}
(await tests)();

if (handover) writeFileSync(handover, JSON.stringify({ ...total, skipped, named: failed, files: [...forRoot] }));
tell();
