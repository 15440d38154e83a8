// Instructions of what a device waits for, on the engines that valgrind runs: one open() of an envelope, whole and
// without the signature, one installation of 100,000 bytes, and one update of an application of 10,000 bytes with a
// micro verifier. By the difference of two runs, so that loading the bundle does not count. For open(), the mean of
// four calls, because a single one may or may not have a garbage collection; on Espruino, whose calls leave free memory
// in pieces, each call begins with a collection, as it does on a board that was idle. Engines as in
// scripts/conformance/engines.mjs. Needs a build.
//
//   node bench/open.mjs [--before FOLDER] [--only open,reader,install,open-micro,update] [--alg ALG,ALG]
//     [--write | --second] [ENGINE ...]
//
// Espruino uses its native SHA-256; the other engines use the hashes of the bundle.
//
// `--before`: another checkout of this project, with its build. Its bundles get the same envelopes, and the table says
// how this one compares. A checkout of an earlier state is made with `git worktree add FOLDER COMMIT`, its build with
// `npx -y pnpm@12.4.2 install` and `node scripts/build.mjs` in it.
//
// `--second` counts the second of two calls, with no collection of garbage before it: what a board pays that was not
// idle.
//
// `--write` keeps what was counted in bench/results/open.json, row by row, and puts the table of all that is kept into
// docs/explanation/benchmarks.md.

import * as crypto from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { asScript } from "../scripts/conformance/bundles.mjs";
import { ENGINES, locate } from "../scripts/conformance/engines.mjs";
import { canCount, instructions, UNHEX } from "./counting.mjs";
import { figure, inMarkers, integrated, lms, ROOT, signer, tableText, title, verifier } from "./lib.mjs";
import { keepResults } from "./plots.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    before: { type: "string" },
    only: { type: "string" },
    alg: { type: "string" },
    write: { type: "boolean" },
    second: { type: "boolean" },
  },
});

if (options.write && options.second) throw new Error("--write keeps the mean of calls: drop --second");

const DOC = `${ROOT}docs/explanation/benchmarks.md`;
const KEPT = `${ROOT}bench/results/open.json`;
/** What a million instructions take on a Cortex-M4 with 64 MHz, in seconds: an estimate, which may be off by half. */
const SECONDS_AT_64_MHZ = 0.02;

const {
  encode,
  foreignSigner,
  identityUuids,
  privateKey,
  publicKey,
  signEnvelopeWithoutLog,
  signer: signerOf,
  singleImage,
} = await signer();
const block = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const identity = identityUuids("example.com", "board-v2");

/**
 * LMS_SHA256_M32_H5 with LMOTS_SHA256_N32_W4, where the hash over a signature is the largest part. Key and signatures
 * are the same in every run, so that counts can be compared.
 */
async function hssSigner() {
  const { lmsSigner, stack } = await lms();
  const sign = (message) => stack([lmsSigner("open").tree({ lms: 5, ots: 3, q: 5 })], message);
  return foreignSigner(publicKey("hsslms", sign(block).key), async (message) => sign(message).signature);
}

/** Algorithm → a signer. */
const SIGNERS = {
  ed25519: signerOf(privateKey("ed25519", new Uint8Array(32).fill(7))),
  es256: signerOf(privateKey("es256", new Uint8Array(32).fill(7))),
  hsslms: await hssSigner(),
};

const OPEN = "if (firmseal.open(ENVELOPE, TRUST, HOST).signers.length !== 1) throw new Error('FAIL');";

/** An image of `bytes` bytes: one block, repeated. */
const installation = (bytes) => `
var progress = firmseal.install(ENVELOPE, TRUST, DEVICE, HOST), k;
progress.next();
for (k = 0; k < ${bytes / block.length}; k++) progress.next(BLOCK);
progress.next(true);
if (!progress.done) throw new Error("FAIL");`;

const outside = (bytes) => {
  const image = Buffer.concat(Array(bytes / block.length).fill(block));
  const { payload, ...facts } = integrated(image);
  return { ...facts, uri: "app.bin" };
};

/**
 * What is counted: the release, the code, how often it runs, and whether the verifier is a micro verifier. `reader`:
 * its algorithm accepts every signature, so that the rest of open() is left: what reads, hashes and rehearses.
 */
const WORK = {
  open: { label: "open()", facts: integrated(crypto.createHash("sha512").update("image").digest()), code: OPEN, calls: 4 },
  reader: {
    label: "open() without the signature",
    facts: integrated(crypto.createHash("sha512").update("image").digest()),
    code: OPEN,
    calls: 4,
    reader: true,
  },
  install: { label: "100,000 bytes installed", facts: outside(100_000), code: installation(100_000), calls: 1 },
  "open-micro": {
    label: "open(), micro verifier",
    facts: integrated(crypto.createHash("sha512").update("image").digest()),
    code: OPEN,
    calls: 4,
    micro: true,
  },
  update: {
    label: "10,000 bytes installed, micro verifier",
    facts: outside(10_000),
    code: installation(10_000),
    calls: 1,
    micro: true,
  },
};

const hex = (bytes) => `unhex("${Buffer.from(bytes).toString("hex")}")`;

const DEVICE = `
var BLOCK = ${hex(block)};
var DEVICE = {
  identity: { vendor: [${hex(identity.vendor)}], "class": [${hex(identity.class)}] },
  n: 0,
  chunk: ${block.length},
  floor: function () { return [0, 0]; },
  begin: function () {},
  capacity: function () { return 131072; },
  slot: function () { return 1; },
  erase: function () {},
  write: function (id, at, bytes) { this.n = at + bytes.length; },
  size: function () { return this.n; },
  read: function (id, at, n) { if (at % ${block.length} || n !== ${block.length}) throw new Error("FAIL"); return BLOCK; },
  invoke: function () { return true; },
  keep: function (envelope) { return envelope; },
  persist: function () {},
  discard: function () {}
};
`;

/** The hash of Espruino, which also hashes what is in storage in one call. */
const ESPRUINO = `
function native(data) { return new Uint8Array(require("crypto").SHA256(data)); }
var HOST = { sha256: { once: native, joined: native } };
DEVICE.digest = function () {
  var all = [], i;
  for (i = 0; i < this.n; i += ${block.length}) all.push(BLOCK);
  return native(all);
};
`;

/** Parts of a bundle in which an algorithm accepts every signature. */
async function withoutSignature(folder, alg) {
  const all = JSON.parse(readFileSync(`${folder}/packages/bundler/dist/parts.json`, "utf8"));
  const { algorithms } = await verifier();
  const yes = "function () { return true; }";
  const own = `{ ids: ${JSON.stringify(algorithms[alg].ids)}, valid: ${yes}, verify: ${yes} }`;
  return { ...all, names: { ...all.names, [alg]: own } };
}

/** The bundle of a checkout for an engine, as a script that sets `firmseal`. */
async function bundleOf(folder, engine, alg, { micro, reader }) {
  const { minifiedBundle } = await import(`${folder}/packages/bundler/lib/index.js`);
  const isEspruino = engine.name === "espruino";
  const parts = { algs: [alg], features: micro ? [] : ["install"], ...(micro && { micro: isEspruino ? ["sha256"] : [] }) };
  const format = isEspruino ? "espruino" : "umd";
  // until December 2026, a format was called form
  const options = { ...parts, format, form: format };
  const code = await (reader ? minifiedBundle(options, await withoutSignature(folder, alg)) : minifiedBundle(options));
  return isEspruino ? asScript(code) : code;
}

/** To a tenth of a million: the rest is chance. */
const tenths = (million) => Math.round(million * 10) / 10;

/** Instructions of one call, in millions. */
async function cost(folder, engine, command, alg, envelope, work) {
  const { code } = work;
  const [from, to] = options.second ? [1, 2] : [0, work.calls];
  const isEspruino = engine.name === "espruino";
  const bundle = await bundleOf(folder, engine, alg, work);
  const script = (n) => `${bundle}${UNHEX}${DEVICE}${isEspruino ? ESPRUINO : "var HOST = {};"}
var ENVELOPE = ${hex(envelope)}, TRUST = { anchors: [firmseal.anchor("${alg}", ${hex(SIGNERS[alg].publicKey)})] }, i;
${isEspruino ? "" : `function work() {${code}}`}
for (i = 0; i < ${n}; i++) { ${isEspruino ? `${options.second ? "" : "process.memory();"}${code}` : "work();"} }
typeof print === "function" ? print("DONE") : console.log("DONE");
`;
  const least = await instructions(engine, command, script(from));
  const most = await instructions(engine, command, script(to));
  return least && most && (most - least) / (to - from) / 1e6;
}

const unknown = positionals.filter((name) => !ENGINES.some((engine) => engine.name === name && canCount(engine)));
if (unknown.length) throw new Error(`cannot count the instructions of ${unknown}`);

const LABELS = { ed25519: "Ed25519", es256: "ES256", hsslms: "HSS/LMS" };
const rows = [];
for (const engine of ENGINES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const { command } = locate(engine);
  if (!command || !canCount(engine)) continue;
  for (const alg of options.alg?.split(",") ?? Object.keys(SIGNERS))
    for (const [name, work] of Object.entries(WORK)) {
      if (options.only && !options.only.split(",").includes(name)) continue;
      const envelope = await signEnvelopeWithoutLog(encode(singleImage(work.facts)), [SIGNERS[alg]]);
      const now = await cost(ROOT, engine, command, alg, envelope, work);
      if (now === undefined) continue;
      const before = options.before && (await cost(resolve(options.before), engine, command, alg, envelope, work));
      rows.push({
        engine: engine.name,
        algorithm: LABELS[alg],
        work: work.label,
        million: tenths(now),
        ...(before && { before: tenths(before) }),
      });
    }
}

/** The boards of these engines have some 64 MHz. */
const SMALL = ["jerry", "espruino"];
const tableOf = (all) =>
  tableText(
    ["engine", "algorithm", "work", "million instructions", "before", "against before", "s at 64 MHz, estimate"],
    all.map(({ engine, algorithm, work, million, before }) => [
      engine,
      algorithm,
      work,
      figure(million),
      before ? figure(before) : "",
      before ? (million / before).toFixed(2) : "",
      SMALL.includes(engine) ? figure(million * SECONDS_AT_64_MHZ) : "",
    ]),
  );

title("What a device waits for");
console.log(tableOf(rows));
if (options.write) {
  const kept = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, "utf8")).rows : [];
  const key = (row) => [row.engine, row.algorithm, row.work].join();
  const order = ENGINES.map(({ name }) => name);
  const all = [...kept.filter((old) => !rows.some((row) => key(row) === key(old))), ...rows];
  all.sort((a, b) => order.indexOf(a.engine) - order.indexOf(b.engine));
  keepResults("open", { rows: all });
  writeFileSync(DOC, inMarkers(readFileSync(DOC, "utf8"), "bench/open", tableOf(all)));
}
