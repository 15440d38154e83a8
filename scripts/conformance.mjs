// Runs the vectors on every available engine: one script of a device bundle, the vectors and conformance/player.js. One
// line for each.
//
//   node scripts/conformance.mjs [--chunk N] [--write FOLDER] [ENGINE ...]
//
// `--chunk N` puts at most N vectors into one run, for engines with little memory. `--write FOLDER` leaves the scripts
// there and runs none. Needs a build.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { readMicroVectors, readVectors } from "../test-vectors/index.mjs";
import { minify } from "./build/minify.mjs";
import { checkEs5 } from "./checks/es5.mjs";
import { chromiumPath } from "./testing/chromium.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const KINDS = ["accepted", "refused", "effects"];
/** Of one run: the longest take ten on a machine that has nothing else to do. */
const SECONDS = 300;
const MOST_OUTPUT = 200_000;
const read = (path) => readFileSync(ROOT + path, "utf8");

/** A context that has the language and print(), and nothing of Node. */
const IN_NODE = `
const { readFileSync } = require("node:fs");
require("node:vm").runInNewContext(readFileSync(process.argv[1], "utf8"), { print: (line) => console.log(line) });`;

/**
 * `command` is looked for on PATH, `variable` names the binary of what is not packaged. `debian`: the package, which CI
 * has installed; `made`: the script that makes the binary, which CI has run.
 * `console`: it continues as a console when the script is over, and may fill the output with noise: a run is over, and
 * counts, once it has said its last line. `seconds`: the longest run, where it takes more than SECONDS. `chunk`:
 * vectors in one run, for small heaps. `page`: the script in a page. `bundle`: the bundle that it plays with, where it
 * is not the one that ships.
 */
export const ENGINES = [
  { name: "node", command: process.execPath, args: (file) => ["-e", IN_NODE, file] },
  { name: "duk", command: "duk", debian: "duktape" },
  { name: "qjs", command: "qjs", debian: "quickjs" },
  { name: "mujs", command: "mujs", debian: "mujs" },
  { name: "xs", variable: "XST", example: "xst", made: "scripts/xst.mjs" },
  { name: "jerry", variable: "JERRY", example: "jerry", chunk: 24 },
  { name: "espruino", variable: "ESPRUINO", example: "espruino", console: true, seconds: 1200, chunk: 6, bundle: () => espruinoModule() },
  {
    name: "chromium",
    command: chromiumPath || "chromium",
    debian: "chromium",
    page: true,
    args: (file) => [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--dump-dom",
      `--user-data-dir=${file}.profile`,
      pathToFileURL(file).href,
    ],
  },
];

const pairs = (object) => object && Object.entries(object);

/** A device as the player takes it: no object has a name from outside as a key. */
function plainDevice(device) {
  const current = pairs(device.current)?.map(([component, bytes]) => [Number(component), bytes]);
  const out = { ...device, payloads: pairs(device.payloads), chunks: pairs(device.chunks), current };
  for (const key of ["payloads", "chunks", "current"]) if (!out[key]) delete out[key];
  return out;
}

/** A vector as the player takes it: without its header, and sequence numbers are two halves. */
function plain({ group, kind, about, expected, source, strictness, features, ...v }) {
  const out = { ...v, expect: { ...v.expect } };
  if (v.device) out.device = plainDevice(v.device);
  if (v.expect.sequence !== undefined) {
    const n = BigInt(v.expect.sequence);
    out.expect.sequence = [Number(n >> 32n), Number(n & 0xffffffffn)];
  }
  return out;
}

/**
 * What most of `values` are, or an empty object: a script that says it once is shorter, which counts in a small heap.
 */
function usual(values) {
  const counts = new Map();
  for (const value of values.filter(Boolean).map((value) => JSON.stringify(value))) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most = "{}"] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  return JSON.parse(most);
}

/** [{ defaults, vectors }], one for each kind. */
export function vectorFiles() {
  return KINDS.map((kind) => {
    const vectors = readVectors(kind).map(plain);
    const defaults = { trust: usual(vectors.map((v) => v.trust)), device: usual(vectors.map((v) => v.device)) };
    for (const v of vectors)
      for (const key of ["trust", "device"]) if (JSON.stringify(v[key]) === JSON.stringify(defaults[key])) delete v[key];
    return { defaults, vectors };
  });
}

/** The vectors for micro verifiers, in the same form. */
export function microFiles() {
  return [{ defaults: { trust: {}, device: {} }, vectors: readMicroVectors().map(plain) }];
}

/** Splits `files` into pieces of at most `n` vectors. */
function chunks(files, n) {
  const out = [];
  for (const { defaults, vectors } of files)
    for (let i = 0; i < vectors.length; i += n) out.push([{ defaults, vectors: vectors.slice(i, i + n) }]);
  return out;
}

/** Every `n`th vector: some of each group, because they are sorted by group. */
export const everyNth = (files, n) => files.map(({ defaults, vectors }) => ({ defaults, vectors: vectors.filter((_, i) => i % n === 0) }));

const count = (files) => files.reduce((n, { vectors }) => n + vectors.length, 0);

function literal(value) {
  const ascii = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, ascii);
}

/** Engines share their bundle: terser takes longer than most of them. */
const once = (make) => {
  let made;
  return () => (made ??= make());
};

/** The verifier that ships, with every algorithm, trust files and also the names of the refusals. */
export const fullBundle = once(async () => {
  const { BUNDLE_ALGS, DEFAULT_FEATURES, minifiedBundle } = await import("../packages/bundler/lib/index.js");
  return minifiedBundle(
    { algs: BUNDLE_ALGS, features: [...DEFAULT_FEATURES, "errors", "trust", "families"], form: "umd" },
    undefined,
    minify,
  );
});

/** A micro verifier with every algorithm. */
export const microBundle = once(async () => {
  const { BUNDLE_ALGS, minifiedBundle } = await import("../packages/bundler/lib/index.js");
  return minifiedBundle({ algs: BUNDLE_ALGS, features: ["errors"], form: "umd", micro: [] }, undefined, minify);
});

/** A module for Espruino with every algorithm, as a script. */
export const espruinoModule = once(async () => {
  const { BUNDLE_ALGS, BUNDLE_FEATURES, minifiedBundle } = await import("../packages/bundler/lib/index.js");
  const code = await minifiedBundle({ algs: BUNDLE_ALGS, features: BUNDLE_FEATURES, form: "espruino" }, undefined, minify);
  return `var firmseal = {};\n(function (exports) {\n${code}})(firmseal);\n`;
});

/** The whole script: it needs nothing but print() or console.log(). */
function script(bundle, files) {
  return `${bundle}\nvar VECTORS = ${literal(files)};\n${read("conformance/player.js")}`;
}

/**
 * What would keep the player from running everywhere. Names from outside precede it, or follow a `typeof`. It compares
 * its own vectors, no deeper than they are, and in no order.
 */
export function checkPlayer() {
  const outside = /global: (firmseal|VECTORS|print|console|JSON) |for-in: |recursion: same\(\) |optional: Uint8Array /;
  return checkEs5(read("conformance/player.js"), "conformance/player.js").filter((finding) => !outside.test(finding));
}

/** The script stays a file of its own: what the browser gives back is the page. */
const PAGE = `<!doctype html><meta charset="utf-8"><pre></pre>
<script>function print(line) { document.querySelector("pre").append(line + "\\n"); }</script>
<script src="player.js"></script>
`;

const decoded = (html) => html.replace(/&(lt|gt|amp);/g, (_, c) => ({ lt: "<", gt: ">", amp: "&" })[c]);

/** The last line of a run of the player, and the same when it has arrived to its end. */
const SUMMARY = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/;
const OVER = new RegExp(`${SUMMARY.source}\\r?\\n`);

/**
 * Runs a program until it ends, the time is up, it has said too much, or with `over` what that matches. Espruino leaves
 * its flash as a file in `cwd`.
 */
function run(command, args, cwd, seconds = SECONDS, over = undefined) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stopped = "";
    let finished = false;
    const stop = (why) => {
      stopped ||= why;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(stop, seconds * 1000, `ended after ${seconds} s`);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("latin1").on("data", (text) => {
        if (finished) return;
        if (output.length < MOST_OUTPUT) output += text;
        else stop("says too much");
        finished = Boolean(over?.test(output));
        if (finished) child.kill("SIGKILL");
      });
    child.on("error", (error) => {
      stopped ||= error.message;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done(finished ? { output, stopped: "", code: 0 } : { output, stopped: stopped || (signal ? `ended by ${signal}` : ""), code });
    });
  });
}

/** What one script says on an engine: { output, stopped, code }. `command` as locate() gives it. */
export async function ask(engine, command, text, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-engine-"));
  try {
    return await runScript(engine, command, text, folder, seconds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runScript(engine, command, text, folder, seconds = engine.seconds) {
  const file = join(folder, "player.js");
  const html = join(folder, "player.html");
  writeFileSync(file, text);
  if (engine.page) writeFileSync(html, PAGE);
  const main = engine.page ? html : file;
  const result = await run(command, engine.args ? engine.args(main) : [main], folder, seconds, engine.console ? OVER : undefined);
  return engine.page ? { ...result, output: decoded(result.output) } : result;
}

const started = new Map();

/** Whether a program can be started. It is tried once: each start of Node or of a browser takes a tenth of a second. */
function isThere(command) {
  const start = () => spawnSync(command, ["--version"], { stdio: "ignore", timeout: 20_000, input: "" }).error?.code !== "ENOENT";
  if (!started.has(command)) started.set(command, start());
  return started.get(command);
}

/** { command }, or { skipped, failed }: why it cannot be run, and whether that is a failure. */
export function locate(engine) {
  if (engine.variable) {
    const command = process.env[engine.variable];
    if (command) return { command: resolve(command) };
    const made = engine.made ? `: node ${engine.made} makes one` : "";
    return { skipped: `set ${engine.variable}=/path/to/${engine.example}${made}`, failed: Boolean(engine.made && process.env.CI) };
  }
  if (isThere(engine.command)) return { command: engine.command };
  const skipped = engine.debian ? `not installed: apt-get install ${engine.debian}` : `no ${engine.command} on PATH`;
  return { skipped, failed: Boolean(engine.debian && process.env.CI) };
}

/** One run's { passed, failed, skipped, says }, where `says` is what people should see. */
async function playOnce(engine, command, text, expected, folder) {
  const result = await runScript(engine, command, text, folder);
  const { output } = result;
  const says = output.match(/^.*\bFAIL .*$/gm) ?? [];
  const [, passed, failed, skipped] = output.match(SUMMARY) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0), says };
  // an engine that ended early has passed nothing that it did not count
  const missing = expected - counts.passed - counts.failed - counts.skipped;
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
 * { ok, line, output, seconds, skipped? } of one engine. `output` is empty where everything passed. `every`: engines
 * except Node run every nth vector; they interpret, and take ten times as long.
 */
export async function conform(engine, { chunk = engine.chunk, files: all = vectorFiles(), every = 1, bundle, label = "" } = {}) {
  const files = every === 1 || engine.command === process.execPath ? all : everyNth(all, every);
  const { command, skipped, failed } = locate(engine);
  if (failed) return { ok: false, line: `${engine.name}${label}: failed (${skipped})`, output: "", seconds: 0 };
  if (skipped) return { ok: true, line: `${engine.name}${label}: skipped (${skipped})`, output: "", seconds: 0, skipped };
  const start = performance.now();
  const verifier = bundle ?? (await (engine.bundle ?? fullBundle)());
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const says = [];
  const folder = mkdtempSync(join(tmpdir(), "firmseal-conformance-"));
  try {
    for (const part of chunk ? chunks(files, chunk) : [files]) {
      const counts = await playOnce(engine, command, script(verifier, part), count(part), folder);
      for (const key of Object.keys(sum)) sum[key] += counts[key];
      says.push(...counts.says);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const part = files === all ? "" : ` (every ${every}th vector)`;
  const line = `${engine.name}${label}: ${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ""}${part}`;
  const more = says.length > 20 ? [`... and ${says.length - 20} lines more`] : [];
  const seconds = (performance.now() - start) / 1000;
  return { ok: sum.failed === 0 && sum.passed > 0, line, output: [...says.slice(0, 20), ...more].join("\n"), seconds };
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

/** What is added to conform() for the micro verifier. */
export const microOptions = async () => ({ files: microFiles(), bundle: await microBundle(), label: ", micro verifier" });

/** Every engine, `most` at a time; `report` gets the results in the order of ENGINES. */
export async function conformAll(report, { engines = ENGINES, most = 2, ...options } = {}) {
  for await (const result of inOrder(
    engines.map((engine) => () => conform(engine, options)),
    most,
  ))
    report(result);
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { chunk: { type: "string" }, write: { type: "string" } } });
  const chunk = values.chunk === undefined ? undefined : Number(values.chunk);
  if (chunk !== undefined && !(Number.isSafeInteger(chunk) && chunk > 0)) throw new Error("--chunk takes a number of vectors");
  const unknown = positionals.filter((name) => !ENGINES.some((engine) => engine.name === name));
  if (unknown.length) throw new Error(`no such engine: ${unknown}; there are ${ENGINES.map(({ name }) => name).join(", ")}`);
  if (values.write !== undefined) {
    mkdirSync(values.write, { recursive: true });
    const bundle = await fullBundle();
    const parts = chunk ? chunks(vectorFiles(), chunk) : [vectorFiles()];
    for (const [i, part] of parts.entries()) writeFileSync(join(values.write, `player-${i + 1}.js`), script(bundle, part));
    console.error(`wrote ${parts.length} to ${values.write}`);
    return;
  }
  const findings = checkPlayer();
  for (const finding of findings) console.log(finding);
  if (findings.length) process.exitCode = 1;
  const report = ({ ok, line, output, seconds }) => {
    console.log(line);
    if (output) console.log(output.replace(/^/gm, "  "));
    if (seconds) console.error(`  ${seconds.toFixed(1)} s`);
    if (!ok) process.exitCode = 1;
  };
  const wanted = ENGINES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  await conformAll(report, { engines: wanted, ...(chunk && { chunk }) });
  await conformAll(report, { engines: wanted, ...(chunk && { chunk }), ...(await microOptions()) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
