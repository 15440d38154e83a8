// What a verification and an installation take of a small engine's memory. `JERRY_STATS=` names a build of JerryScript
// with --mem-stats and 64 KB of heap, `ESPRUINO=` one of Espruino with variables as small as a board's (13 bytes), and
// more of them than a board has, to measure the peak of what does not fit. An engine that is absent is "not measured".
// Needs a build.
//
//   node bench/memory.mjs [--write] [jerry] [espruino] [micro]
//
// `micro`: only the tables of micro verifiers.
//
// It fails if a whole installation takes more than its budget.
//
// `--write` puts the tables into docs/guides/keys/choosing-an-algorithm.md, and those of micro verifiers into
// docs/guides/micro.md; except those of an engine that is absent. With `micro`, `JERRY_STATS=` names a build with 32 KB
// of heap.
//
// One release throughout: an image of 100,000 bytes outside of its envelope, for one component, with vendor and class.

import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "acorn";
import { isFunction, within } from "../scripts/checks/syntax.mjs";
import { alone, deviceBundle, ed25519Key, es256Key, inMarkers, lms, ROOT, signer, tableText, verifier } from "./lib.mjs";
import { keepResults, rowsOf } from "./plots.mjs";

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const asked = (name) => positionals.filter((one) => ["jerry", "espruino"].includes(one)).length === 0 || positionals.includes(name);
const binary = (name, variable) => (asked(name) ? process.env[variable] : undefined);
const JERRY = binary("jerry", "JERRY_STATS");
const ESPRUINO = binary("espruino", "ESPRUINO");

const DOC = `${ROOT}docs/guides/keys/choosing-an-algorithm.md`;
const MICRO_DOC = `${ROOT}docs/guides/micro.md`;
const SIZE = 100_000;
/** Variables of Puck.js, for the plot. */
const PUCK = { value: 2630, label: "Puck.js has 2,630" };
const LABELS = { ed25519: "Ed25519", es256: "ES256", hsslms: "HSS/LMS H5/W4" };

/**
 * The most that a whole installation may take, by table and row: bytes of the heap, or variables. The checks of state,
 * 600 bytes of source, raised those of the general verifier on JerryScript by 1,500 bytes, and those of
 * `storageDevice()` with it on Espruino to 3,250 variables. The collector of JerryScript waits for 1/32 of the heap, so
 * with 64 KB the peak may move by 2,048 bytes although nothing has changed. Micro verifiers are measured with 32 KB.
 */
const BUDGETS = {
  "bench/memory jerry": { Ed25519: 60_600, ES256: 56_100, "HSS/LMS H5/W4": 56_900 },
  "bench/memory jerry micro": { Ed25519: 29_400, ES256: 29_400, "HSS/LMS H5/W4": 31_700 },
  "bench/memory espruino": {
    Ed25519: 2693,
    "Ed25519, table of 1k": 2706,
    "Ed25519, table of 2k": 2706,
    "Ed25519, table of 4k": 2706,
    "Ed25519, table of 8k": 2706,
    ES256: 2557,
    "HSS/LMS H5/W4": 2687,
    "Ed25519, `storageDevice()`": 3250,
    "HSS/LMS H5/W4, `storageDevice()`": 3250,
  },
  "bench/memory espruino micro": {
    "HSS/LMS H5/W4": 1114,
    Ed25519: 1415,
    "HSS/LMS H5/W4, `storageDevice()`": 1483,
    "Ed25519, `storageDevice()`": 1782,
  },
};

/** A line for each row of a table that takes more than its budget, or does not fit. */
const overBudget = (name, table) =>
  Object.entries(BUDGETS[name]).flatMap(([label, most]) => {
    const row = rowsOf(table).find(({ algorithm }) => algorithm === label);
    const taken = row?.most ?? row?.["verify and install"];
    return taken <= most ? [] : [`${name}, ${label}: ${taken ?? "does not fit"}, budget ${most}`];
  });

// The release.

/** Contents that a device can work out, so that neither the image nor its slot is in RAM. */
const image = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 8)) & 255));
const CONTENTS = "((a + i) * 7 + ((a + i) >> 8)) & 255";

const { ALG_ED25519, ALG_ESP256, ALG_HSS_LMS, HEADER_ALG, TAG_SIGN1 } = await verifier("spec/cose");

function keyOf(name, { lmsSigner, stack }) {
  if (name === "hsslms") {
    const tree = lmsSigner("bench").tree({ lms: 5, ots: 3, q: 5 });
    return { key: stack([tree], Buffer.alloc(0)).key, cose: ALG_HSS_LMS, sign: (m) => stack([tree], m).signature };
  }
  return name === "ed25519" ? { ...ed25519Key(), cose: ALG_ED25519 } : { ...es256Key(), cose: ALG_ESP256 };
}

const { encode, identityUuids, splitEnvelope, singleImage } = await signer();
const { encodeCbor: cbor, Tagged } = await signer("cbor");
const { writeEnvelope } = await signer("envelope/envelope");
const { sigStructure: structure } = await verifier("cose/message");

const digest = crypto.createHash("sha256").update(image).digest();
const identity = identityUuids("example.com", "board-v2");
const unsigned = encode(
  singleImage({
    sequence: 1,
    vendor: "example.com",
    class: "board-v2",
    digest: digest.toString("hex"),
    size: SIZE,
    uri: "app.bin",
  }),
);

/**
 * { name, key, message, signature, envelope } of one algorithm. The signer of this project does not sign with HSS/LMS.
 */
async function release(name) {
  const { key, cose, sign } = keyOf(name, await lms());
  const parts = splitEnvelope(unsigned);
  const bucket = cbor(new Map([[HEADER_ALG, cose]]));
  const message = Buffer.from(structure("Signature1", [bucket, [], parts.digest]));
  const signature = Uint8Array.from(sign(message));
  parts.blocks.push(cbor(new Tagged(TAG_SIGN1, [bucket, new Map(), null, signature])));
  return { name, key, message, signature, envelope: writeEnvelope(parts) };
}

/** Octets as a literal that every engine takes, one character each. */
function text(bytes) {
  const char = (c) => (c >= 32 && c < 127 && c !== 34 && c !== 92 ? String.fromCharCode(c) : `\\x${c.toString(16).padStart(2, "0")}`);
  return `"${Array.from(bytes, char).join("")}"`;
}

const folder = mkdtempSync(join(tmpdir(), "firmseal-memory-"));

// JerryScript: the peak of the heap, from --mem-stats.

const OCTETS = `
function octets(text, at, n) {
  var out = new Uint8Array(n), i;
  for (i = 0; i < n; i++) out[i] = text.charCodeAt(at + i);
  return out;
}
`;

/**
 * The envelope's text stands for flash: octets come out of it through a window. It is counted, and a device's flash is
 * not.
 */
const jerryTrust = (r) => `${OCTETS}
var ENVELOPE = ${text(r.envelope)};
var source = { length: ENVELOPE.length, chunk: 512, read: function (at, n) { return octets(ENVELOPE, at, n); } };
var trust = { anchors: [firmseal.anchor("${r.name}", octets(${text(r.key)}, 0, ${r.key.length}))] };
`;

const JERRY_INSTALL = `
var device = {
  identity: { vendor: [octets(${text(identity.vendor)}, 0, 16)], "class": [octets(${text(identity.class)}, 0, 16)] },
  n: 0,
  chunk: 512,
  floor: function () { return [0, 0]; },
  begin: function () {},
  capacity: function () { return 131072; },
  slot: function () { return 1; },
  erase: function () {},
  write: function (id, at, bytes) { this.n = at + bytes.length; },
  size: function () { return this.n; },
  read: function (id, a, n) { var out = new Uint8Array(n), i; for (i = 0; i < n; i++) out[i] = ${CONTENTS}; return out; },
  invoke: function () { return true; },
  keep: function (envelope) { return envelope; },
  persist: function (commit) { this.sequence = commit.sequence[1]; },
  discard: function () {}
};
var progress = firmseal.install(source, trust, device), at = 0;
progress.next();
for (at = 0; at < ${SIZE}; at += 512) progress.next(device.read(0, at, ${SIZE} - at < 512 ? ${SIZE} - at : 512));
progress.next(true);
if (progress.done && device.sequence === 1) print("DONE");
`;

/** What JerryScript ends with if its heap is full. It then prints no figures. */
const OUT_OF_MEMORY = 10;

/** { peak, heap }, in bytes; undefined if the heap was full. */
function jerry(script) {
  const file = join(folder, "one.js");
  writeFileSync(file, script);
  const { stdout, stderr, status } = spawnSync(JERRY, ["--mem-stats", file], { encoding: "utf8" });
  if (status === OUT_OF_MEMORY) return {};
  const stat = (label) => Number(`${stdout}${stderr}`.match(new RegExp(`${label}\\D*(\\d+)`, "i"))?.[1]);
  if (!/DONE/.test(stdout) || !stat("Heap size")) throw new Error(`JERRY_STATS: ${stdout}${stderr}`.slice(0, 400));
  return { peak: stat("Peak allocated"), heap: stat("Heap size") };
}

const EMPTY = 'print("DONE");';

/** The heap of the engine, and the peak that a script needs of it, as text. */
function jerryHeap() {
  const heap = JERRY && jerry(EMPTY).heap;
  const figure = (script) => {
    if (!heap) return "not measured";
    const { peak } = jerry(script);
    return peak ? peak.toLocaleString("en") : "does not fit";
  };
  return { heap, figure };
}

async function jerryTable(releases) {
  const { heap, figure } = jerryHeap();
  const rows = [];
  for (const r of releases) {
    const check = `${await alone(r.name)}${OCTETS}
if (firmseal.open.verify(octets(${text(r.key)}, 0, ${r.key.length}), octets(${text(r.message)}, 0, ${r.message.length}), octets(${text(r.signature)}, 0, ${r.signature.length}), {})) ${EMPTY}`;
    const bundle = await deviceBundle([r.name], ["install"], "script");
    rows.push([
      LABELS[r.name],
      figure(check),
      figure(bundle + EMPTY),
      figure(`${bundle}${jerryTrust(r)}if (firmseal.open(source, trust).sequence[1] === 1) ${EMPTY}`),
      figure(bundle + jerryTrust(r) + JERRY_INSTALL),
    ]);
  }
  return [
    `JerryScript, peak of the heap in bytes${heap ? `, of ${heap.toLocaleString("en")}` : ""}. "Signature alone": a script with the algorithm and its hashes, which checks one signature. The others: a bundle of the format \`script\` with the feature \`install\`, loaded; with \`open()\`; with the whole installation of an image of 100,000 bytes in chunks of 512, hashed by the bundle from storage. Scripts are parsed on the device, and the envelope is in the heap as well.\n`,
    tableText(["algorithm", "signature alone", "bundle loaded", "open()", "verify and install"], rows),
  ].join("\n");
}

/** A micro verifier with the hashes of the bundle. Keys and envelope are texts in the script. */
async function jerryMicroTable(releases) {
  const { heap, figure } = jerryHeap();
  const rows = [];
  for (const r of releases) {
    const bundle = await deviceBundle([r.name], [], "script", []);
    rows.push([
      LABELS[r.name],
      bundle.length.toLocaleString("en"),
      figure(bundle + EMPTY),
      figure(`${bundle}${jerryTrust(r)}if (firmseal.open(source, trust).sequence[1] === 1) ${EMPTY}`),
      figure(bundle + jerryTrust(r) + JERRY_INSTALL),
    ]);
  }
  return [
    `JerryScript, peak of the heap in bytes${heap ? `, of ${heap.toLocaleString("en")}` : ""}: a micro verifier of the format \`script\` with its own hashes, parsed on the device; with \`open()\`; with the whole installation of an image of 100,000 bytes in chunks of 512, hashed from storage. The envelope is in the heap as well.\n`,
    tableText(["algorithm", "bytes of source", "bundle loaded", "open()", "verify and install"], rows),
  ].join("\n");
}

// Espruino: variables in use. The engine has no counter for the peak, so each function of the module begins with a call
// that samples: process.memory() collects what nothing refers to, and counts the rest.

/** The module with LOOK() at the head of each function. The text is in flash, and takes no variables. */
function sampled(module) {
  const heads = [];
  for (const [node] of within(parse(module, { ecmaVersion: 5 }))) if (isFunction(node)) heads.push(node.body.start + 1);
  heads.sort((a, b) => b - a);
  return heads.reduce((code, at) => `${code.slice(0, at)}LOOK();${code.slice(at)}`, module);
}

/** What looks, and in front of it what there is without it. */
const SAMPLER = `print("FIGURE", "base", process.memory().usage);
var TOP = 0;
function LOOK() { TOP = Math.max(TOP, process.memory().usage); }
LOOK();
print("FIGURE", "sampler", TOP, process.memory().total, process.memory().blocksize);
TOP = 0;
`;

/** What is in use here, and the peak since the previous such line. */
const used = (name) => `TOP = 0;\n${peak(name)}`;
const peak = (name) => `LOOK(); print("FIGURE", "${name}", TOP); TOP = 0;\n`;

/** A device of a few lines, with an image that is in Storage and is hashed there. */
const OWN_DEVICE = `var device = {
  identity: identity,
  n: 0,
  chunk: 256,
  floor: function () { return [0, 0]; },
  begin: function () {},
  capacity: function () { return 131072; },
  slot: function () { return 1; },
  erase: function () { S.erase("image"); },
  write: function (id, at, bytes) { S.write("image", bytes, at, ${SIZE}); this.n = at + bytes.length; },
  size: function () { return this.n; },
  read: function (id, at, n) { return E.toUint8Array(S.read("image", at, n)); },
  digest: function () { return sha256(S.read("image")); },
  invoke: function () { return true; },
  keep: function (envelope) { return envelope; },
  persist: function (commit) { LOOK(); this.sequence = commit.sequence[1]; },
  discard: function () {}
};
`;

const OWN_HOST = `function sha256(data) { return new Uint8Array(require("crypto").SHA256(data)); }
var host = { sha256: { once: sha256, joined: sha256 } };
`;

/**
 * An app as a product has it: the module, the anchor, a device, the envelope in Storage. `prepared`: its anchor has a
 * table, of that name in Storage.
 */
const espruinoApp = (r, { prepared, storage }) => `${SAMPLER}var firmseal = require("firmseal");
${used("module")}var S = require("Storage");
var key = E.toUint8Array(${text(r.key)});
var trust = { anchors: [firmseal.anchor("${r.name}", ${prepared ? `{ key: key, digest: E.toUint8Array(${text(prepared.digest)}), table: S.read("table") }` : "key"})] };
${used("anchor")}var identity = { vendor: [E.toUint8Array(${text(identity.vendor)})], "class": [E.toUint8Array(${text(identity.class)})] };
${
  storage
    ? `var io = firmseal.espruinoIo(S, E, require("crypto"));
var host = io.host;
var device = firmseal.storageDevice(io, identity, [[[0]]], 110000, 3);
var source = firmseal.storageSource(io, "envelope", ${r.envelope.length});
`
    : `${OWN_HOST}${OWN_DEVICE}var source = { length: ${r.envelope.length}, chunk: 256, read: function (at, n) { return E.toUint8Array(S.read("envelope", at, n)); } };
`
}${used("device")}var progress = firmseal.install(source, trust, device, host);
${peak("open")}progress.next();
for (var a = 0; a < ${SIZE}; a += 256) {
  var n = Math.min(256, ${SIZE} - a), chunk = new Uint8Array(n);
  for (var i = 0; i < n; i++) chunk[i] = ${CONTENTS};
  progress.next(chunk);
}
chunk = undefined;
progress.next(true);
${peak("install")}if (progress.done) print("DONE");
`;

function espruino(...args) {
  const { stdout } = spawnSync(ESPRUINO, args, { cwd: folder, encoding: "latin1", input: "", timeout: 600_000 });
  return stdout;
}

/** Puts files into a new Storage, in scripts that are small themselves. */
function store(files) {
  const STEP = 512;
  rmSync(join(folder, "espruino.flash"), { force: true });
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content, "latin1");
    for (let from = 0; from < bytes.length; from += 8 * STEP) {
      const lines = [];
      for (let at = from; at < Math.min(bytes.length, from + 8 * STEP); at += STEP)
        lines.push(
          `require("Storage").write("${name}",atob("${bytes.subarray(at, at + STEP).toString("base64")}"),${at},${bytes.length});`,
        );
      writeFileSync(join(folder, "store.js"), `${lines.join("\n")}\nprint("STORED");`);
      if (!/STORED/.test(espruino("store.js"))) throw new Error(`ESPRUINO: ${name} does not go into Storage`);
    }
  }
}

/** Variables at each step; undefined if none were left. */
async function variables(r, { size, storage, micro }) {
  const { prepareKey: prepare } = await signer();
  const features = [...(micro ? [] : ["install"]), ...(size ? ["prepared"] : []), ...(storage ? ["storage"] : [])];
  const module = await deviceBundle([r.name], features, "espruino", micro);
  const prepared = size && prepare(r.key, size);
  const app = espruinoApp(r, { prepared, storage });
  const envelope = Buffer.from(r.envelope).toString("latin1");
  store({ firmseal: sampled(module), app, envelope, ...(prepared && { table: prepared.table }) });
  const output = espruino("-e", 'eval(require("Storage").read("app"))');
  const seen = Object.fromEntries([...output.matchAll(/FIGURE (\w+) (\d+)/g)].map(([, name, n]) => [name, Number(n)]));
  const [, total, block] = output.match(/FIGURE sampler \d+ (\d+) (\d+)/) ?? [];
  if (!/DONE/.test(output)) process.stderr.write(`espruino ${r.name}: ${output.trim().split("\n").slice(-4).join(" ").slice(0, 300)}\n`);
  // the sampler is not a part of what is measured
  const own = seen.sampler - seen.base;
  for (const name of Object.keys(seen)) if (name !== "base") seen[name] -= own;
  return { ...seen, bytes: module.length, total: Number(total), block: Number(block), done: /DONE/.test(output) };
}

const CASES = [
  ["ed25519", "Ed25519", {}],
  ["ed25519", "Ed25519, table of 1k", { size: "1k" }],
  ["ed25519", "Ed25519, table of 2k", { size: "2k" }],
  ["ed25519", "Ed25519, table of 4k", { size: "4k" }],
  ["ed25519", "Ed25519, table of 8k", { size: "8k" }],
  ["es256", "ES256", {}],
  ["hsslms", "HSS/LMS H5/W4", {}],
  ["ed25519", "Ed25519, `storageDevice()`", { storage: true }],
  ["hsslms", "HSS/LMS H5/W4, `storageDevice()`", { storage: true }],
];

const MICRO_CASES = [
  ["hsslms", "HSS/LMS H5/W4", { micro: ["sha256"] }],
  ["ed25519", "Ed25519", { micro: ["sha256"] }],
  ["hsslms", "HSS/LMS H5/W4, `storageDevice()`", { micro: ["sha256"], storage: true }],
  ["ed25519", "Ed25519, `storageDevice()`", { micro: ["sha256"], storage: true }],
];

async function espruinoTable(releases, cases, what) {
  const STEPS = ["base", "module", "anchor", "device", "open", "install"];
  let unit = "";
  const rows = [];
  for (const [name, label, how] of cases) {
    if (!ESPRUINO) {
      rows.push([label, ...STEPS.map(() => "not measured"), "not measured"]);
      continue;
    }
    process.stderr.write(`espruino: ${label}\n`);
    const r = releases.find((one) => one.name === name);
    const seen = await variables(r, how);
    unit = ` of ${seen.block} bytes, ${seen.total.toLocaleString("en")} in this build`;
    const cell = (n) => (n === undefined ? "does not fit" : n.toLocaleString("en"));
    const most = seen.done ? Math.max(...STEPS.map((step) => seen[step])) : undefined;
    rows.push([label, ...STEPS.map((step) => cell(seen[step])), cell(most)]);
  }
  return [
    `Espruino, JsVars in use${unit}, in total: the engine alone; with ${what} in Storage, loaded; with the anchor, whose table stays in Storage; with the device and the rest of the app; the peak while \`open()\` runs in \`install()\`; the peak of the rest, with an image of 100,000 bytes in chunks of 256, which goes to Storage and is hashed there. The app runs from Storage, and passes in the native SHA-256.\n`,
    tableText(["algorithm", "engine", "module", "anchor", "device", "open()", "install()", "most"], rows),
  ].join("\n");
}

try {
  const releases = [];
  for (const name of Object.keys(LABELS)) releases.push(await release(name));
  const general = !positionals.includes("micro");
  const module = "the module of the form `espruino` with the feature `install`";
  const tables = [
    ...(general
      ? [
          ["bench/memory jerry", JERRY, await jerryTable(releases), DOC],
          ["bench/memory espruino", ESPRUINO, await espruinoTable(releases, CASES, module), DOC],
        ]
      : []),
    ["bench/memory jerry micro", JERRY, await jerryMicroTable(releases), MICRO_DOC],
    [
      "bench/memory espruino micro",
      ESPRUINO,
      await espruinoTable(releases, MICRO_CASES, "a micro verifier of the form `espruino`"),
      MICRO_DOC,
    ],
  ];
  console.log(`## Memory\n\n${tables.map(([, , table]) => table).join("\n")}`);
  for (const [name, present, table] of tables)
    if (present)
      for (const line of overBudget(name, table)) {
        console.error(line);
        process.exitCode = 1;
      }
  if (options.write)
    for (const [name, present, table, doc] of tables) if (present) writeFileSync(doc, inMarkers(readFileSync(doc, "utf8"), name, table));
  const [, present, table] = tables.find(([name]) => name === "bench/memory espruino") ?? [];
  if (options.write && present) keepResults("memory", { limit: PUCK, rows: rowsOf(table) });
} finally {
  rmSync(folder, { recursive: true });
}
