// Instructions of a whole process under valgrind: a figure that hardly depends on what else the machine does.

import { spawnSync } from "node:child_process";
import { ask } from "../scripts/conformance/run.mjs";

/** These engines make machine code while they run, and valgrind counts that work too. */
const COMPILES = ["node", "chromium"];
const hasValgrind = spawnSync("valgrind", ["--version"]).status === 0;
/** A run under valgrind takes about twenty times as long. */
const SECONDS = 1200;

const CACHEGRIND = ["--tool=cachegrind", "--trace-children=yes", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
/** The most of one process: it may start others. */
function mostIn(output) {
  const refs = [...output.matchAll(/I\s+refs:\s+([\d,]+)/g)].map(([, n]) => Number(n.replaceAll(",", "")));
  return refs.length ? Math.max(...refs) : undefined;
}

/**
 * The instructions of a program, with those of the machine code that it makes while it runs. Undefined without
 * valgrind, or if the program fails.
 */
export function processInstructions(command, args, options) {
  if (!hasValgrind) return undefined;
  const { status, stderr } = spawnSync("valgrind", [...CACHEGRIND, command, ...args], { ...options, stdio: ["ignore", "ignore", "pipe"] });
  return status === 0 ? mostIn(stderr.toString()) : undefined;
}

/** Whether the instructions of an engine, one of ENGINES, say what a script costs on it. */
export const canCount = (engine) => hasValgrind && !COMPILES.includes(engine.name);

/**
 * The instructions of a whole run of a script, which must print DONE and no FAIL. Otherwise undefined, for example if
 * valgrind cannot run the engine.
 */
export async function instructions(engine, command, text) {
  // the shell of XS is a script that starts the engine
  const tool = [...CACHEGRIND, command];
  const under = { ...engine, args: (file) => [...tool, ...(engine.args ? engine.args(file) : [file])] };
  const { output } = await ask(under, "valgrind", text, SECONDS);
  return /DONE/.test(output) && !/FAIL/.test(output) ? mostIn(output) : undefined;
}

/** For scripts in ES5: the bytes of a text in hexadecimal. */
export const UNHEX = `
function unhex(text) {
  var n = text.length >> 1, out = typeof Uint8Array === "undefined" ? [] : new Uint8Array(n), i;
  for (i = 0; i < n; i++) out[i] = "0123456789abcdef".indexOf(text.charAt(2 * i)) * 16 + "0123456789abcdef".indexOf(text.charAt(2 * i + 1));
  return out;
}
`;
