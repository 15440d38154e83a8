// Runs the vectors on every available engine: one script of a device bundle, the vectors and conformance/player.js. One
// line for each. Needs a build.
//
//   node scripts/conformance.mjs [--seconds N] [--every N] [--chunk N] [ENGINE ...]
//   node scripts/conformance.mjs --record [--engine-version TEXT] [--seconds N] [--every N] [--chunk N] [ENGINE ...]
//   node scripts/conformance.mjs --table | --release | --write FOLDER [--chunk N]
//
// `--seconds N` ends a run after N seconds. `--every N` plays every nth vector. `--chunk N` puts at most N vectors into
// one run, for engines with little memory. `--record` also plays the bundles that ship, on engines that CI does not
// have, and writes conformance/by-hand.json and the table of conformance/README.md; `--every` then leaves sets of up to
// 150 vectors whole. TEXT is the version of an engine that does not tell it. `--table` writes the table alone.
// `--release` fails unless every bundle that ships was played by hand on ARM. `--write FOLDER` leaves the scripts there
// and runs none.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fullBundle } from "./conformance/bundles.mjs";
import { PLAYERS } from "./conformance/engines.mjs";
import { checkPlayer, conformAll, script } from "./conformance/play.mjs";
import { record, unrecorded, writeTable } from "./conformance/records.mjs";
import { chunks, vectorFiles } from "./conformance/vectors.mjs";

const OPTIONS = {
  seconds: { type: "string" },
  every: { type: "string" },
  chunk: { type: "string" },
  write: { type: "string" },
  record: { type: "boolean" },
  "engine-version": { type: "string" },
  table: { type: "boolean" },
  release: { type: "boolean" },
};

/** A number above 0 of an option, or undefined. */
function numberOf(values, name) {
  const n = values[name] === undefined ? undefined : Number(values[name]);
  if (n !== undefined && !(Number.isSafeInteger(n) && n > 0)) throw new Error(`--${name} takes a number above 0`);
  return n;
}

async function writeScripts(folder, chunk) {
  mkdirSync(folder, { recursive: true });
  const bundle = await fullBundle();
  const parts = chunk ? chunks(vectorFiles(), chunk) : [vectorFiles()];
  for (const [i, part] of parts.entries()) writeFileSync(join(folder, `player-${i + 1}.js`), script(bundle, part));
  console.error(`wrote ${parts.length} to ${folder}`);
}

function report({ ok, line, output, seconds }) {
  console.log(line);
  if (output) console.log(output.replace(/^/gm, "  "));
  if (seconds) console.error(`  ${seconds.toFixed(1)} s`);
  if (!ok) process.exitCode = 1;
}

/** The options as they were given, for a record. */
const givenOf = ({ every, chunk, ...values }) =>
  [...(values.record ? ["--record"] : []), ...Object.entries({ every, chunk }).flatMap(([name, n]) => (n ? [`--${name} ${n}`] : []))].join(
    " ",
  );

function checkRelease() {
  const names = unrecorded();
  for (const name of names) console.error(`${name} was not played by hand on ARM: see docs/explanation/releasing.md`);
  if (names.length) process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const [seconds, every, chunk] = ["seconds", "every", "chunk"].map((name) => numberOf(values, name));
  const unknown = positionals.filter((name) => !PLAYERS.some((engine) => engine.name === name));
  if (unknown.length) throw new Error(`no such engine: ${unknown}; there are ${PLAYERS.map(({ name }) => name).join(", ")}`);
  if (values.write !== undefined) return writeScripts(values.write, chunk);
  if (values.table) return writeTable();
  if (values.release) return checkRelease();
  const findings = checkPlayer();
  for (const finding of findings) console.log(finding);
  if (findings.length) process.exitCode = 1;
  const engines = PLAYERS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const options = { seconds, every, ...(chunk && { chunk }) };
  if (values.record) await record(report, engines, { options, version: values["engine-version"], given: givenOf(values) });
  else await conformAll(report, { engines, ...options });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
