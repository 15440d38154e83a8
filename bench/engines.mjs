// Signatures and hashes on every available engine, ours against others, all in one run. Engines as in
// scripts/conformance.mjs: those on PATH, and `XST=`, `JERRY=`, `ESPRUINO=`. What is absent is "not measured". Needs a
// build.
//
//   node bench/engines.mjs [--counted [--libraries]] [--timed] [--write] [ENGINE ...]
//
// `--timed`: milliseconds, medians of 5. `--counted`: instructions of one verification under valgrind, by the
// difference of two runs, if valgrind runs the engine, and times if it does not (Node and browsers make their code
// while they run). Counts are kept in bench/results/counted.json, engine by engine; those of other libraries are
// counted again only with `--libraries`, because that takes minutes. Default: both. `--write` puts the tables between
// their markers of docs/guides/keys/choosing-an-algorithm.md, and draws the plot; the times of all engines must come
// from one run.

import * as crypto from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { ENGINES, locate } from "../scripts/conformance/engines.mjs";
import { ask } from "../scripts/conformance/run.mjs";
import { canCount, instructions, UNHEX } from "./counting.mjs";
import { countedTables, DOC, timedTables, withTables } from "./engines-report.mjs";
import { bundlePath, deviceBundle, ed25519Key, es256Key, lms, ROOT, signer, title, verifier } from "./lib.mjs";
import { keepResults, rowsOf } from "./plots.mjs";

const require = createRequire(import.meta.url);
/** What was counted, by engine. */
const KEPT = `${ROOT}bench/results/counted.json`;
const ROUNDS = 5;
const LEAST = 100;
/** One script: load, 7 samples of what may take 20 s each. */
const SECONDS = 400;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: "boolean" },
    counted: { type: "boolean" },
    libraries: { type: "boolean" },
    timed: { type: "boolean" },
  },
});
const both = !options.counted && !options.timed;

// What is verified: messages of a Sig_structure's size. The work differs by some percent from signature to signature,
// so that each call takes the next one; keys and signatures are the same in every run, so that counts of two versions
// can be compared.

const MESSAGES = Array.from({ length: 5 }, (_, i) => crypto.createHash("sha512").update(`message ${i}`).digest().subarray(0, 60));
const [message] = MESSAGES;
const hexOf = (b) => Buffer.from(b).toString("hex");

/** Key, and a signature of each message. */
async function signaturesOf(alg) {
  const { privateKey, signer: signerOf } = await signer();
  const one = signerOf(privateKey(alg, new Uint8Array(32).fill(7)));
  const signatures = [];
  for (const m of MESSAGES) signatures.push(await one.sign(m));
  return { key: one.publicKey, signatures };
}

/** Key, signature, and how many times SHA-256 runs over one block to verify it. */
async function lmsCase(ots) {
  const { lmsSigner, stack } = await lms();
  const { key, signature } = stack([lmsSigner(`bench ${ots}`).tree({ lms: 5, ots, q: 5 })], message);
  const { anchor } = require(bundlePath("hsslms"));
  let blocks = 0;
  const once = (b) => {
    blocks += Math.ceil((b.length + 9) / 64);
    return crypto.createHash("sha256").update(b).digest();
  };
  const a = anchor("hsslms", key);
  if (!a.alg.verify(key, message, signature, { sha256: { once } })) throw new Error("HSS/LMS does not verify");
  return { key, signatures: [signature], blocks };
}

// Scripts: what precedes bench/engines.js.

/**
 * For libraries that need typed arrays, on engines without them: arrays that are long enough. A part is a copy, so a
 * library may only read it.
 */
const POLYFILL = `
var self = {}, module = { exports: {} };
if (typeof Uint8Array === "undefined") {
  var typed = function (n) {
    var a = [], i, m = typeof n === "number" ? n : n.length;
    for (i = 0; i < m; i++) a[i] = typeof n === "number" ? 0 : n[i];
    return a;
  };
  Array.prototype.subarray = function (from, to) { return this.slice(from, to); };
  Array.prototype.set = function (from, at) { for (var i = 0; i < from.length; i++) this[(at || 0) + i] = from[i]; };
  Array.prototype.fill = function (v) { for (var i = 0; i < this.length; i++) this[i] = v; return this; };
  var Uint8Array = function (n) { return typed(n); };
  var Float64Array = Uint8Array, Int32Array = Uint8Array, Uint32Array = Uint8Array, Uint16Array = Uint8Array;
}
`;

const verifyTask = (name, c, host = "{}", alg = name) =>
  `TASKS.push(["${name}", (function (a, signed, h) { var n = 0, one; return function () { one = signed[n]; n = (n + 1) % signed.length; return a.alg.verify(a.key, one[0], one[1], h); }; })(firmseal.anchor("${alg}", ${c.prepared ?? `unhex("${hexOf(c.key)}")`}), [${c.signatures.map((signature, i) => `[unhex("${hexOf(MESSAGES[i])}"), unhex("${hexOf(signature)}")]`).join()}], ${host}), 1]);`;

const withTasks = (bundle, tasks) => `${bundle}${UNHEX}var TASKS = [];\n${tasks.join("\n")}`;
const ours = (bundle, tasks) => withTasks(readFileSync(bundlePath(bundle), "utf8"), tasks);

/** A library as one script in ES5, or as it is if `modern`. */
async function library(contents, modern) {
  const result = await build({
    stdin: { contents, resolveDir: ROOT, loader: "js" },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "library",
    target: "es2020",
    platform: "browser",
    external: ["crypto", "node:crypto"],
    logLevel: "error",
  });
  const { text } = result.outputFiles[0];
  if (modern) return text;
  const ts = require("typescript-es5");
  return ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES5, module: ts.ModuleKind.None, downlevelIteration: true },
  }).outputText;
}

/** Hides `require`, which some shells have, and which finds nothing there. */
const apart = (code) => `(function (require) {\n${code}\n})();\n`;

const nacl = (file, c) =>
  `${POLYFILL}${apart(readFileSync(require.resolve(`tweetnacl/${file}`), "utf8"))}${UNHEX}
var nacl = module.exports, TASKS = [], M = unhex("${hexOf(message)}"), S = unhex("${hexOf(c.signatures[0])}"), K = unhex("${hexOf(c.key)}");
TASKS.push(["${file}", function () { var r = nacl.lowlevel.crypto_sign_open, sm = new Uint8Array(64 + M.length), m = new Uint8Array(64 + M.length); sm.set(S, 0); sm.set(M, 64); return r(m, sm, sm.length, K) >= 0; }, 1]);`;

const other = (name, code, c, call) =>
  `${POLYFILL}var library;\n${apart(code.replace(/^var library =/m, "library ="))}${UNHEX}
var TASKS = [], M = unhex("${hexOf(message)}"), S = unhex("${hexOf(c.signatures[0])}"), K = unhex("${hexOf(c.key)}");
TASKS.push(["${name}", function () { return ${call}; }, 1]);`;

/** The compressions alone, and blocks of both hashes. */
async function hashes(w4, w8) {
  const contents = `
    import { sha256, hashOneBlock } from "./packages/verifier/lib/hash/sha256.js";
    import { sha512 } from "./packages/verifier/lib/hash/sha512.js";
    export { sha256, sha512, hashOneBlock };`;
  const code = await library(contents);
  const blocks = (n) =>
    `(function (n) { var s = [], w = [], i; for (i = 0; i < 16; i++) w[i] = i * 123456789 | 0; return function () { for (var i = 0; i < n; i++) library.hashOneBlock(s, w); }; })(${n})`;
  return `${code}${UNHEX}
var TASKS = [], B = [];
for (var i = 0; i < 2048; i++) B[i] = i & 255;
library.sha256.once([1]);
TASKS.push(["compressions-w4", ${blocks(w4.blocks)}, 1]);
TASKS.push(["compressions-w8", ${blocks(w8.blocks)}, 1]);
TASKS.push(["sha256", function () { library.sha256.once(B); }, 33]);
TASKS.push(["sha512", function () { library.sha512.once(B); }, 17]);`;
}

const NATIVE = 'require("crypto").SHA256';

/** Espruino's own SHA-256. */
const native = (w4, w8) =>
  ours("hsslms", [
    verifyTask("hsslms-w4-native", w4, `{ sha256: { once: ${NATIVE}, joined: ${NATIVE} } }`, "hsslms"),
    verifyTask("hsslms-w8-native", w8, `{ sha256: { once: ${NATIVE}, joined: ${NATIVE} } }`, "hsslms"),
    ...[w4, w8].map(
      (c, i) =>
        `TASKS.push(["compressions-w${4 + 4 * i}-native", (function (f, b, n) { return function () { for (var i = 0; i < n; i++) f(b); }; })(${NATIVE}, new Uint8Array(55), ${c.blocks}), 1]);`,
    ),
  ]);

/** Name of a script → its text. Each runs in a process of its own, for small heaps. */
async function scripts() {
  const ed = await signaturesOf("ed25519");
  const [w4, w8] = [await lmsCase(3), await lmsCase(4)];
  const { prepareKey: prepare, tableNumbers } = await signer();
  const { table, digest } = prepare(ed.key, "8k");
  const prepared = `{ key: unhex("${hexOf(ed.key)}"), digest: unhex("${hexOf(digest)}"), table: ${JSON.stringify(tableNumbers(table))} }`;
  const nobleCode = `import * as ed from "@noble/ed25519"; import { sha512 } from "./packages/signer/node_modules/@noble/hashes/sha2.js";
    ed.hashes.sha512 = sha512; export var verify = ed.verify;`;
  const stable = await library('export { verify } from "@stablelib/ed25519";');
  return {
    ed25519: ours("ed25519", [verifyTask("ed25519", ed)]),
    "ed25519-8k": withTasks(await deviceBundle(["ed25519"], ["prepared"], "script"), [
      verifyTask("ed25519-8k", { ...ed, prepared }, "{}", "ed25519"),
    ]),
    "nacl.js": nacl("nacl.js", ed),
    "nacl-fast.js": nacl("nacl-fast.js", ed),
    "@stablelib/ed25519": other("@stablelib/ed25519", stable, ed, "library.verify(K, M, S)"),
    "@noble/ed25519": other("@noble/ed25519", await library(nobleCode, true), ed, "library.verify(S, M, K)"),
    es256: ours("es256", [verifyTask("es256", await signaturesOf("es256"))]),
    hsslms: ours("hsslms", [verifyTask("hsslms-w4", w4, "{}", "hsslms"), verifyTask("hsslms-w8", w8, "{}", "hsslms")]),
    hashes: await hashes(w4, w8),
    native: native(w4, w8),
  };
}

const HARNESS = readFileSync(new URL("./engines.js", import.meta.url), "utf8");
const whole = (text, rounds = ROUNDS, least = LEAST) => `${text}\nvar ROUNDS = ${rounds}, LEAST = ${least};\n${HARNESS}`;

/**
 * In Node by processor time, and without a separate context, in which every name of the language is looked up slowly.
 */
const IN_NODE = `
const { readFileSync } = require("node:fs");
const { runInThisContext } = require("node:vm");
globalThis.print = (line) => console.log(line);
// what else the machine does is not measured
Date.now = () => process.cpuUsage().user / 1000;
delete globalThis.module;
delete globalThis.exports;
delete globalThis.require;
runInThisContext(readFileSync(process.argv[1], "utf8"));`;

/** name of a task → milliseconds, or why there is no figure. */
async function measure(from, command, name, text) {
  const engine = from.name === "node" ? { ...from, args: (file) => ["-e", IN_NODE, file] } : from;
  const { output, stopped } = await ask(engine, command, whole(text), SECONDS);
  const times = Object.fromEntries([...output.matchAll(/^.*?TIME (\S+) ([\d.e+-]+)/gm)].map(([, task, ms]) => [task, Number(ms)]));
  if (!Object.keys(times).length)
    process.stderr.write(`${engine.name} ${name}: ${stopped || output.trim().split("\n").slice(-2).join(" ").slice(0, 160)}\n`);
  return times;
}

/** What is counted: each is a script of its own with one task. */
const LIBRARIES = ["nacl.js", "nacl-fast.js"];
const OURS = ["ed25519", "ed25519-8k", "es256"];
/** The instructions of a whole run with so many calls of the only task. */
const withCalls = (engine, command, text, calls) =>
  instructions(engine, command, whole(text, 0, 0).replace(/\nvar ROUNDS = 0/, `\nvar CALLS = ${calls}, ROUNDS = 0`));

/**
 * Task → instructions of one call, by the difference of two runs: what loads the script and prepares the engine does
 * not count.
 */
async function count(engine, command, all) {
  const counts = {};
  if (!canCount(engine)) return counts;
  for (const name of [...OURS, ...(options.libraries ? LIBRARIES : [])]) {
    process.stderr.write(`${engine.name}: counts ${name}\n`);
    // the first call does what our code does once for a key
    const [from, to] = LIBRARIES.includes(name) ? [0, 1] : [1, MESSAGES.length];
    const [less, more] = [await withCalls(engine, command, all[name], from), await withCalls(engine, command, all[name], to)];
    if (less === undefined || more === undefined) return {};
    counts[name] = (more - less) / (to - from);
  }
  return counts;
}

/** Microseconds of processor time that a call takes at least: on a busy machine its clock says little. */
function leastTimes(tasks, { rounds = 15, calls = 300 } = {}) {
  const least = {};
  for (const run of Object.values(tasks)) for (let i = 0; i < calls; i++) if (run() !== true) throw new Error("does not verify");
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(tasks)) {
      const start = process.cpuUsage();
      for (let i = 0; i < calls; i++) run();
      least[name] = Math.min(least[name] ?? Number.POSITIVE_INFINITY, process.cpuUsage(start).user / calls);
    }
  return least;
}

/** The part of OpenSSL's verifications that this process makes in the same processor time. */
async function againstOpenssl() {
  const { ed25519, es256 } = await verifier();
  const [ed, es] = [ed25519Key(), es256Key()];
  const [edSignature, esSignature] = [ed.sign(message), es.sign(message)];
  const least = leastTimes({
    ed25519: () => ed25519.verify(ed.key, message, edSignature, {}),
    openssl: () => crypto.verify(null, message, ed.publicKey, edSignature),
    es256: () => es256.verify(es.key, message, esSignature, {}),
    "openssl es256": () => crypto.verify("sha256", message, { key: es.publicKey, dsaEncoding: "ieee-p1363" }, esSignature),
  });
  return { ed25519: least.openssl / least.ed25519, es256: least["openssl es256"] / least.es256 };
}

/** Milliseconds of each task. */
async function time(engine, command, all, result) {
  const names = both || options.timed ? Object.keys(all) : [...LIBRARIES, ...OURS];
  for (const name of names) {
    if (name === "native" && engine.name !== "espruino") continue;
    process.stderr.write(`${engine.name}: ${name}\n`);
    Object.assign(result.times, await measure(engine, command, name, all[name]));
  }
}

/** The results with what earlier runs counted, kept with `--write`; and the part of OpenSSL's throughput. */
async function kept(results) {
  const before = JSON.parse(readFileSync(KEPT, "utf8"));
  const of = (name) => results.find(({ engine }) => engine.name === name);
  const merged = ENGINES.map((engine) => {
    const { counts = {}, times = {} } = before.engines[engine.name] ?? {};
    const now = of(engine.name);
    const all = { counts: { ...counts, ...now?.counts }, times: { ...times, ...now?.times } };
    return { engine, ...all, absent: Object.keys({ ...all.counts, ...all.times }).length === 0 };
  });
  // a time, which a run that only counts leaves as it was
  const against = of("node") || !before.against ? await againstOpenssl() : before.against;
  const timed = ({ times }) => Object.fromEntries([...LIBRARIES, ...OURS].map((name) => [name, times[name]]));
  const engines = Object.fromEntries(
    merged
      .filter(({ absent }) => !absent)
      .map((r) => [r.engine.name, Object.keys(r.counts).length ? { counts: r.counts } : { times: timed(r) }]),
  );
  if (options.write) writeFileSync(KEPT, `${JSON.stringify({ engines, against }, null, 2)}\n`);
  return [merged, against];
}

async function main() {
  const all = await scripts();
  const wanted = ENGINES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results = [];
  for (const engine of wanted) {
    const { command, skipped } = locate(engine);
    const result = { engine, times: {}, counts: {}, absent: Boolean(skipped) };
    results.push(result);
    if (skipped) continue;
    if (both || options.counted) result.counts = await count(engine, command, all);
    if (both || options.timed || Object.keys(result.counts).length === 0) await time(engine, command, all, result);
  }
  const tables = {
    ...((both || options.counted) && { "bench/engines counted": countedTables(...(await kept(results))) }),
    ...((both || options.timed) && { "bench/engines": timedTables(results) }),
  };
  title("Engines");
  console.log(Object.values(tables).flat().join("\n"));
  if (!options.write) return;
  writeFileSync(DOC, withTables(readFileSync(DOC, "utf8"), tables));
  // the table of one verification of each algorithm
  if (tables["bench/engines"]) keepResults("engines", { rows: rowsOf(tables["bench/engines"][3]) });
}

await main();
