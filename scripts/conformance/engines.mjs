// The engines that scripts run on, and where they are.

import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromiumPath } from "../testing/chromium.mjs";
import { espruinoModule } from "./bundles.mjs";

/** A context that has the language and print(), and nothing of Node. */
const IN_NODE = `
const { readFileSync } = require("node:fs");
require("node:vm").runInNewContext(readFileSync(process.argv[1], "utf8"), { print: (line) => console.log(line) });`;

const IN_WASM = fileURLToPath(new URL("quickjs-ng.mjs", import.meta.url));

/** It continues as a console when the script is over. */
const ESPRUINO = {
  title: "Espruino",
  example: "espruino",
  console: true,
  seconds: 3600,
  chunk: 6,
  bundle: () => espruinoModule(),
  native: ["sha256"],
  version: { script: "print(process.version)", pattern: /^(\dv\S+)/m },
};

const JERRY = { title: "JerryScript", example: "jerry", chunk: 24, version: { args: ["--version"], pattern: /Version: (\S+)/ } };

/**
 * `title`: the row of the table in conformance/README.md. `command` is looked for on PATH, `variable` names the binary
 * of what is not packaged. `debian`: the package, which CI has installed; `made`: the script that makes the binary,
 * which CI has run. `console`: it continues as a console when the script is over, and may fill the output with noise: a
 * run is over, and counts, once it has said its last line. `seconds`: the longest run, if it takes more than the
 * others. `chunk`: vectors in one run, for small heaps. `page`: the script in a page. `bundle`: the bundle that it
 * plays with, if it is not the one that ships. `processor`: that of a binary that is not ELF, or which Node has.
 * `version`: arguments that make it print its version, or a script that does. `native`: the hashes that its builds
 * have.
 */
export const ENGINES = [
  { name: "node", title: "Node", command: process.execPath, args: (file) => ["-e", IN_NODE, file] },
  { name: "duk", title: "Duktape", command: "duk", debian: "duktape" },
  { name: "qjs", title: "QuickJS", command: "qjs", debian: "quickjs" },
  { name: "mujs", title: "MuJS", command: "mujs", debian: "mujs" },
  { name: "xs", title: "Moddable XS", variable: "XST", example: "xst", made: "scripts/xst.mjs" },
  { name: "jerry", variable: "JERRY", ...JERRY },
  { name: "espruino", variable: "ESPRUINO", ...ESPRUINO },
  {
    name: "chromium",
    title: "Chromium",
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

/** Engines that play the vectors: benchmarks measure only the others. */
export const PLAYERS = [
  ...ENGINES,
  { name: "xs-arm", title: "Moddable XS", variable: "XST_ARM", example: "xst", made: "scripts/xst.mjs --arm", processor: "ARM" },
  { name: "qjs-ng-wasm", title: "QuickJS-ng", command: process.execPath, args: (file) => [IN_WASM, file], processor: "WebAssembly" },
  { name: "qjs-ng", title: "QuickJS-ng", variable: "QJSNG", example: "qjs", version: { args: ["--help"], pattern: /version (\S+)/ } },
  { name: "mqjs", title: "MicroQuickJS", variable: "MQJS", example: "mqjs" },
  {
    name: "hermes",
    title: "Hermes",
    variable: "HERMES",
    example: "hermes",
    version: { args: ["--version"], pattern: /release version: (\S+)/ },
  },
  { name: "jerry-arm", variable: "JERRY_ARM", ...JERRY },
  { name: "espruino-arm", variable: "ESPRUINO_ARM", ...ESPRUINO },
];

/** Processors by the machine that the header of an ELF file names. */
const MACHINES = { 3: "x86-32", 40: "ARM", 62: "x86-64", 183: "ARM-64" };
const HOST = { x64: "x86-64", ia32: "x86-32", arm: "ARM", arm64: "ARM-64" }[process.arch] ?? process.arch;

/** The processor that a program is for, as its file says; undefined for a script, and for a name on PATH. */
function machineOf(path) {
  if (!existsSync(path)) return undefined;
  const head = Buffer.alloc(20);
  const file = openSync(path, "r");
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  return head.readUInt32BE(0) === 0x7f454c46 ? (MACHINES[head.readUInt16LE(18)] ?? "unknown") : undefined;
}

/** The processor on which an engine runs. `command` as locate() gives it. */
export const processorOf = (engine, command) => engine.processor ?? (engine.variable && machineOf(command)) ?? HOST;

/** A program and its first arguments, which run an engine: one for ARM runs under qemu elsewhere. */
export function starterOf(engine, command) {
  const foreign = engine.variable && machineOf(command) === "ARM" && HOST !== "ARM";
  return foreign ? ["qemu-arm", "-L", "/usr/arm-linux-gnueabihf", command] : [command];
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
