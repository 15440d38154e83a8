// Writes to stdout and stderr. Data goes to stdout, words go to stderr; --json writes one object to stdout, also on
// failure.

import { writeSync } from "node:fs";
import { styleText } from "node:util";
import { type Failure, listen } from "@firmseal/keys";
import { systemFault, tooMuch, visible } from "@firmseal/keys/internal";
import { barText } from "./bar.js";
import { jsonParts, visibleJson } from "./json.js";

const isPlain = Boolean(process.env["NO_COLOR"]);

function styled(style: "red" | "yellow" | "dim", text: string): string {
  return !isPlain && process.stderr.isTTY === true ? styleText(style, text) : text;
}

/** Red on a terminal, for stdout. */
export function danger(text: string): string {
  return process.stdout.isTTY === true && !isPlain ? styleText("red", text, { validateStream: false }) : text;
}

/**
 * Writes everything to a descriptor. A pipe that nobody reads any more is not an error, unless the output is `needed`.
 */
function writeAll(fd: number, bytes: Uint8Array, needed = false): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      if (code === "EPIPE" && !needed) return;
      // a full pipe: wait a moment
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else throw e;
    }
  }
}

export function writeStdout(bytes: Uint8Array | string): void {
  try {
    writeAll(1, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  } catch (e) {
    throw systemFault(e, "stdout") ?? e;
  }
}

/** Writes what a command is for. It is an error if nobody reads it. */
export function writeProduct(bytes: Uint8Array): void {
  writeAll(1, bytes, true);
}

/** Characters that are written at once. */
const BATCH = 64 * 1024;

/** Writes text that comes in many parts. */
export function writeParts(parts: Iterable<string>): void {
  let batch = "";
  for (const part of parts) {
    batch += part;
    if (batch.length < BATCH) continue;
    writeStdout(batch);
    batch = "";
  }
  writeStdout(batch);
}

/** Writes JSON objects, each in a line. */
export function writeObjects(objects: Iterable<object>): void {
  writeParts(
    (function* () {
      for (const one of objects) yield `${visibleJson(JSON.stringify(one))}\n`;
    })(),
  );
}

/** Throws a Failure if the text of a part would be longer than a string can be. */
export function writeJson(value: object): void {
  try {
    writeParts(jsonParts(value));
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    throw tooMuch("the result is too long for one JSON text", "drop --json");
  }
}

/** What must know of the next text on stderr. */
let beforeStderr: (() => void) | undefined;

/** Calls `work` once, before something else is written to stderr. */
export function onStderr(work: () => void): void {
  beforeStderr = work;
}

export function writeStderr(text: string): void {
  beforeStderr?.();
  beforeStderr = undefined;
  try {
    writeAll(2, Buffer.from(`${text}\n`));
  } catch {
    // nobody can read the words; the command is done all the same
  }
}

/** The size of the terminal on stderr. Undefined if stderr is not a terminal, or a terminal without cursor movement. */
export function stderrSize(): { columns: number; rows: number } | undefined {
  const { isTTY, columns, rows } = process.stderr;
  return isTTY === true && process.env["TERM"] !== "dumb" ? { columns, rows } : undefined;
}

/** Writes text that moves on a terminal, unless --quiet was given. */
export function rewriteStderr(text: string): void {
  if (!mode.quiet) writeAll(2, Buffer.from(text));
}

/** What the command line asked for. */
interface Mode {
  /** stderr gets only warnings and failures. */
  quiet?: boolean;
  /** stdout gets one JSON object. */
  json?: boolean;
}

let mode: Mode = {};

export function setMode(asked: Mode): void {
  mode = asked;
}

/** Whether bytes for stdout would reach a terminal, which takes some of them for commands. */
export function isBytesToTerminal(): boolean {
  return process.stdout.isTTY === true && !mode.json;
}

/** Words about what was done. */
export function writeWords(text: string): void {
  if (!mode.quiet) writeStderr(text);
}

export function writeFailure(failure: Failure): void {
  writeStderr(`${styled("red", "firmseal:")} ${visible(failure.message)}`);
  writeStderr(styled("dim", `hint: ${visible(failure.hint)}`));
}

/** Whether a person can be asked. */
export const isOnTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** A line that a person types, without spaces around it; undefined: there is no terminal, and nobody is asked. */
export async function questionOnTerminal(text: string): Promise<string | undefined> {
  if (!isOnTerminal()) return undefined;
  const { createInterface } = await import("node:readline");
  writeStderr(visible(text));
  // line by line, as the terminal gives them: what is typed ahead is kept for the next question
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    for await (const line of lines) return line.trim();
    return "";
  } finally {
    lines.close();
    process.stdin.pause();
  }
}

/** A progress bar for long work on a terminal; silent elsewhere, and for the first half second. */
class TerminalProgress {
  private readonly begun = Date.now();
  private shown = 0;

  constructor(
    private readonly what: string,
    private readonly total: number,
  ) {}

  at(done: number): void {
    const now = Date.now();
    if (mode.quiet || process.stderr.isTTY !== true || now - this.begun < 500 || now - this.shown < 100) return;
    this.shown = now;
    const share = this.total > 0 ? Math.min(1, done / this.total) : 1;
    const width = 30;
    writeAll(2, Buffer.from(`\r${visible(this.what)} [${barText(share, width)}] ${Math.floor(share * 100)} %`));
  }

  end(): void {
    if (this.shown > 0) writeAll(2, Buffer.from("\r\x1b[K"));
  }
}

/**
 * Replaces the members of options that packages below name in backticks, as programs give them, by the options of the
 * command line: `imageOut` is --image-out. Overrides have the name there that logs have: `allow-no-start`.
 */
export function asOptions(text: string): string {
  return text.replace(/`([a-z][A-Za-z-]*)`/g, (_, name: string) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`);
}

listen({
  warn: (text) => writeStderr(`${styled("yellow", "warning:")} ${asOptions(text)}`),
  say: (text, how) => (how === "danger" ? writeStderr(styled("red", asOptions(text))) : writeWords(asOptions(text))),
  progress: (what, total) => new TerminalProgress(what, total),
});
