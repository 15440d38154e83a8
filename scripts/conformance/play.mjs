// Plays the vectors on engines: one script of a device bundle, the vectors and conformance/player.js.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkEs5 } from "../checks/es5.mjs";
import { everything, microEverything } from "./bundles.mjs";
import { locate, PLAYERS } from "./engines.mjs";
import { ask, SUMMARY } from "./run.mjs";
import { chunks, count, everyNth, vectorFiles } from "./vectors.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The last line of the probe. */
const PROBED = /(\d+) probed, (\d+) differ\r?\n/;
const read = (path) => readFileSync(ROOT + path, "utf8");

function literal(value) {
  const ascii = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, ascii);
}

/** The whole script: it needs nothing but print() or console.log(). `before`: text that precedes the bundle. */
export function script(bundle, files, before = "") {
  return `${before}${bundle}\nvar VECTORS = ${literal(files)};\n${read("conformance/player.js")}`;
}

/**
 * What would keep the player from running everywhere. Names from outside precede it, or follow a `typeof`. It compares
 * its own vectors, no deeper than they are, and in no order.
 */
export function checkPlayer() {
  const outside = /global: (firmseal|VECTORS|ERRORS|OPTIONS|print|console|JSON) |for-in: |recursion: same\(\) |optional: Uint8Array /;
  return checkEs5(read("conformance/player.js"), "conformance/player.js").filter((finding) => !outside.test(finding));
}

/** One run's { passed, failed, skipped, unplayed, says }, where `says` is what people should see. */
async function playOnce(engine, command, text, expected, seconds) {
  const result = await ask(engine, command, text, seconds);
  const { output } = result;
  const says = output.match(/^.*\bFAIL .*$/gm) ?? [];
  const [, passed, failed, skipped] = output.match(SUMMARY) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0), unplayed: 0, says };
  const missing = expected - counts.passed - counts.failed - counts.skipped;
  // a run that is ended has not said what it counted: no vector of it has passed or failed
  if (result.timeUp) return { ...counts, unplayed: missing, timeUp: result.stopped };
  // an engine that ended early has passed nothing that it did not count
  if (missing !== 0 || result.stopped || result.code !== 0) {
    counts.failed += Math.max(missing, 1);
    says.push(
      `${result.stopped || `exit code ${result.code}`}, after:`,
      output
        .replace(/[^\n\x20-\x7e]/g, "")
        .trim()
        .slice(-600),
    );
  }
  return counts;
}

/**
 * { ok, line, output, seconds, sum, skipped? } of one engine. `output` is empty if everything passed. `every`: engines
 * except Node run every nth vector; they interpret, and take ten times as long. `sum` counts vectors; those after a run
 * that was ended for its time are not played.
 */
export async function conform(
  engine,
  { chunk = engine.chunk, files: given, every = 1, bundle: own, before = "", label = "", seconds: limit } = {},
) {
  const { command, skipped, failed } = locate(engine);
  if (failed) return { ok: false, line: `${engine.name}${label}: failed (${skipped})`, output: "", seconds: 0 };
  if (skipped) return { ok: true, line: `${engine.name}${label}: skipped (${skipped})`, output: "", seconds: 0, skipped };
  const start = performance.now();
  const all = given ?? vectorFiles();
  const files = every === 1 || engine.name === "node" ? all : everyNth(all, every);
  const bundle = own ?? (await everything(engine)).bundle;
  const sum = { passed: 0, failed: 0, skipped: 0, unplayed: 0 };
  const says = [];
  let timeUp = "";
  for (const part of chunk ? chunks(files, chunk) : [files]) {
    const counts = timeUp
      ? { passed: 0, failed: 0, skipped: 0, unplayed: count(part), says: [] }
      : await playOnce(engine, command, script(bundle, part, before), count(part), limit);
    timeUp ||= counts.timeUp ?? "";
    for (const key of Object.keys(sum)) sum[key] += counts[key];
    says.push(...counts.says);
  }
  const part = files === all ? "" : ` (one vector in ${every})`;
  const counted = `${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ""}`;
  const late = timeUp ? `, ${sum.unplayed} not played: out of time, ${timeUp} (--seconds N gives a run more)` : "";
  const more = says.length > 20 ? [`... and ${says.length - 20} lines more`] : [];
  const seconds = (performance.now() - start) / 1000;
  return {
    ok: sum.failed === 0 && sum.passed > 0 && !timeUp,
    line: `${engine.name}${label}: ${counted}${late}${part}`,
    output: [...says.slice(0, 20), ...more].join("\n"),
    seconds,
    sum,
  };
}

/**
 * { ok, line, output, seconds, differs, asked } of conformance/probe.js: how an engine differs from ECMA-262. A
 * difference is not a failure: docs/reference/engine-differences.md says why each is harmless. Undefined without the
 * engine.
 */
export async function probe(engine) {
  const { command } = locate(engine);
  if (!command) return undefined;
  const start = performance.now();
  const { output, stopped, code } = await ask(engine, command, read("conformance/probe.js"), undefined, PROBED);
  const seconds = (performance.now() - start) / 1000;
  const differs = [...output.matchAll(/\bprobe (\S+) differs/g)].map(([, name]) => name);
  const [said, , differ] = output.match(PROBED) ?? [];
  if (Number(differ) !== differs.length)
    return {
      ok: false,
      line: `${engine.name}: the probe did not end (${stopped || `exit code ${code}`})`,
      output: output.slice(-600),
      seconds,
      differs,
    };
  return {
    ok: true,
    line: `${engine.name}: ${said.trim()}${differs.length ? `: ${differs.join(", ")}` : ""}`,
    output: "",
    seconds,
    differs,
    asked: output.match(/\bprobe \S+ \w/g)?.length ?? 0,
  };
}

/** Begins each of `works` when fewer than `most` are under way. Gives their results in the order of `works`. */
export async function* inOrder(works, most) {
  const running = new Set();
  const results = [];
  for (const work of works) {
    while (running.size >= most) await Promise.race(running);
    const result = work();
    running.add(result);
    const gone = () => running.delete(result);
    result.then(gone, gone);
    results.push(result);
  }
  yield* results;
}

/**
 * Every engine: the probe, everything, and then the micro verifier, `most` at a time. `report` gets the results in that
 * order.
 */
export async function conformAll(report, { engines = PLAYERS, most = 2, ...options } = {}) {
  const micro = await microEverything();
  const works = [
    ...engines.map((engine) => () => probe(engine)),
    ...[{}, micro].flatMap((set) => engines.map((engine) => () => conform(engine, { ...options, ...set }))),
  ];
  for await (const result of inOrder(works, most)) if (result) report(result);
}
