// Runs that people started by hand, on engines that CI does not have: conformance/by-hand.json. The table of
// conformance/README.md is made from it, and a release needs one of each bundle that ships.

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, everything, microEverything, shipped, shippedSets } from "./bundles.mjs";
import { locate, PLAYERS, processorOf } from "./engines.mjs";
import { conform, probe } from "./play.mjs";
import { ask } from "./run.mjs";
import { count, microFiles, vectorFiles } from "./vectors.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RECORDS = `${ROOT}conformance/by-hand.json`;
const README = `${ROOT}conformance/README.md`;

/** Why the player leaves vectors out. */
const NO_BUNDLE = "decodeEnvelope() alone reads it, which no bundle has";

/** A set of up to this many vectors is played whole, whatever --every says: that of a micro verifier is. */
const WHOLE = 150;

/** Engines that CI has; every other is run by hand. */
const inCi = ({ variable, made }) => !variable || Boolean(made);

export const readRecords = () => JSON.parse(readFileSync(RECORDS, "utf8")).runs;

/** The version that an engine says it has. */
async function versionOf(engine, command, given) {
  const { version } = engine;
  if (!version) {
    if (given === undefined) throw new Error(`${engine.name} does not say its version: --engine-version TEXT`);
    return given;
  }
  const asked = version.script === undefined ? { ...engine, args: () => version.args } : engine;
  const { output } = await ask({ ...asked, console: false }, command, version.script ?? "", 60);
  const [, found] = output.match(version.pattern) ?? [];
  if (!found) throw new Error(`${engine.name} has said no version: ${output.slice(0, 200)}`);
  return found;
}

/** What conform() has counted with one bundle, as it is recorded. */
function rowOf({ name, bundle, sha256 = digestOf(bundle), files }, { sum }, every) {
  const out = count(files) - sum.passed - sum.failed - sum.skipped;
  const skipped = [
    ...(sum.skipped ? [{ vectors: sum.skipped, why: NO_BUNDLE }] : []),
    ...(out ? [{ vectors: out, why: `one vector in ${every} was played` }] : []),
  ];
  return { name, sha256, passed: sum.passed, failed: sum.failed, skipped };
}

/** What the host lacks, so that a bundle that is made for it cannot be played. */
function lacking(engine, { native = [], files }) {
  const missing = native.filter((hash) => !engine.native?.includes(hash));
  return missing.length ? [{ vectors: count(files), why: `the engine has no ${missing.join(" and no ")}` }] : [];
}

/** Plays everything and each bundle that ships on engines that CI does not have, and writes what was counted. */
export async function record(report, engines, { given, version, options }) {
  for (const engine of engines.filter((one) => !inCi(one))) {
    const { command, skipped } = locate(engine);
    if (skipped) {
      report({ ok: true, line: `${engine.name}: skipped (${skipped})`, output: "" });
      continue;
    }
    const probed = await probe(engine);
    report(probed);
    const run = {
      engine: engine.title,
      version: await versionOf(engine, command, version),
      processor: processorOf(engine, command),
      date: new Date().toISOString().slice(0, 10),
      command: `${engine.variable}=${basename(command)} pnpm conformance ${given} ${engine.name}`,
      differs: probed.differs,
      bundles: [],
    };
    let late = false;
    for (const set of [await everything(engine), await microEverything(), ...(await shippedSets())]) {
      const without = lacking(engine, set);
      if (without.length) {
        run.bundles.push({ name: set.name, sha256: set.sha256, passed: 0, failed: 0, skipped: without });
        continue;
      }
      const every = count(set.files) > WHOLE ? options.every : 1;
      const result = await conform(engine, { ...options, ...set, every });
      report(result);
      late ||= result.sum.unplayed > 0;
      run.bundles.push(rowOf(set, result, every));
    }
    if (late) report({ ok: false, line: `${engine.name}: not recorded, it was out of time`, output: "" });
    else writeRecords([...readRecords().filter((one) => one.engine !== run.engine || one.processor !== run.processor), run]);
  }
  writeTable();
}

export const writeTable = () => writeFileSync(README, withTable(readFileSync(README, "utf8")));

function writeRecords(runs) {
  const order = ({ engine }) => PLAYERS.findIndex(({ title }) => title === engine);
  const sorted = runs.sort((a, b) => order(a) - order(b) || (a.processor < b.processor ? -1 : 1));
  writeFileSync(RECORDS, `${JSON.stringify({ runs: sorted }, null, 2)}\n`);
}

/** A bundle counts as played by one vector in this many. */
const SAMPLE = 64;

/** Whether a row shows that the engine runs the bundle. */
function isPlayed({ passed, failed, skipped }) {
  const all = passed + skipped.reduce((n, { vectors }) => n + vectors, 0);
  return failed === 0 && passed > 0 && passed * SAMPLE >= all;
}

/** The bundles that ship and that no Espruino for ARM has played: it shifts as the processor does, which x86 hides. */
export function unrecorded(bundles = shipped(), runs = readRecords()) {
  const good = runs
    .filter(({ engine, processor }) => engine === "Espruino" && processor === "ARM")
    .flatMap((run) => run.bundles.filter(isPlayed).map(({ sha256 }) => sha256));
  return bundles.filter(({ text }) => !good.includes(digestOf(text))).map(({ name }) => name);
}

const PROCESSORS = ["x86-64", "x86-32", "ARM", "WebAssembly"];
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const cell = (passed, failed, skipped, how) => `${thousands(passed)} passed, ${failed} failed, ${thousands(skipped)} skipped; ${how}`;

/** The cells of what CI plays: all that the player does not leave out, because anything else fails there. */
function ciCell() {
  const vectors = [...vectorFiles(), ...microFiles()].flatMap((file) => file.vectors);
  const skipped = vectors.filter(({ action }) => action === "decode" || action === "start").length;
  return cell(vectors.length - skipped, 0, skipped, "CI");
}

/** General and micro vectors of one run. */
function recordedCell({ date, bundles }) {
  const rows = bundles.filter(({ name }) => name.startsWith("everything"));
  const sum = (of) => rows.reduce((n, row) => n + of(row), 0);
  const skipped = sum((row) => row.skipped.reduce((n, { vectors }) => n + vectors, 0));
  return cell(
    sum((row) => row.passed),
    sum((row) => row.failed),
    skipped,
    `by hand ${date}`,
  );
}

/** The table of vectors by engine and processor, in Markdown, and what was skipped by hand. */
export function table(runs = readRecords()) {
  const titles = [...new Set(PLAYERS.map(({ title }) => title))];
  const cellOf = (title, processor) => {
    const own = PLAYERS.filter((engine) => engine.title === title);
    if (own.some((engine) => inCi(engine) && (engine.processor ?? "x86-64") === processor)) return ciCell();
    const run = runs.find((one) => one.processor === processor && one.engine === title);
    return run ? recordedCell(run) : "not run";
  };
  const lines = [
    ["engine", ...PROCESSORS],
    ["---", ...PROCESSORS.map(() => "---")],
  ];
  for (const title of titles) lines.push([title, ...PROCESSORS.map((processor) => cellOf(title, processor))]);
  return [...lines.map((cells) => `| ${cells.join(" | ")} |`), "", `Skipped everywhere: ${NO_BUNDLE}.`, ...partsOf(runs)].join("\n");
}

/** What runs by hand have also skipped. */
function partsOf(runs) {
  const lines = runs.flatMap(({ engine, version, processor, bundles }) => {
    const whys = new Set(bundles.flatMap(({ name, skipped }) => (name.startsWith("everything") ? skipped.map(({ why }) => why) : [])));
    return [...whys].filter((why) => why !== NO_BUNDLE).map((why) => `- ${engine} ${version}, ${processor}: ${why}.`);
  });
  return lines.length ? ["", ...lines] : [];
}

const MARKS = ["<!-- vectors by engine -->\n\n", "\n\n<!-- end -->"];

/** The text of conformance/README.md with the table between its marks. */
export function withTable(text, runs = readRecords()) {
  const [from, to] = [text.indexOf(MARKS[0]) + MARKS[0].length, text.indexOf(MARKS[1])];
  return `${text.slice(0, from)}${table(runs)}${text.slice(to)}`;
}
