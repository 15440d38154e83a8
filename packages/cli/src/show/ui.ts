// Every line that is printed. Data goes to stdout, words to stderr; with --json one object goes to stdout, whatever happens.

import { writeSync } from "node:fs";
import { styleText } from "node:util";
import { type Failure, listen, systemFault, tooMuch, UNSAFE, visible } from "@firmseal/keys";

const colour = process.stderr.isTTY === true && !process.env["NO_COLOR"];

function styled(style: "red" | "yellow" | "dim", text: string): string {
  return colour ? styleText(style, text) : text;
}

/** The same for JSON text, in the escapes of JSON: a reader gets the character back, a terminal does not. */
function visibleJson(text: string): string {
  const asEscape = (c: string) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
  // a newline between the members: those inside of a string are escaped already
  return text.replace(UNSAFE, (c) => (c === "\n" ? c : asEscape(c)));
}

/** Writes to a descriptor in full. A pipe that nobody reads any more is no fault of ours, unless what
 * goes into it is `needed`: the very thing that was to be made. */
function put(fd: number, bytes: Uint8Array, needed = false): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      if (code === "EPIPE" && !needed) return;
      // a pipe that is full for the moment
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else throw e;
    }
  }
}

export function data(bytes: Uint8Array | string): void {
  try {
    put(1, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  } catch (e) {
    throw systemFault(e, "stdout") ?? e;
  }
}

/** What a command is there to make: it is a failure when nobody takes it. */
export function product(bytes: Uint8Array): void {
  put(1, bytes, true);
}

/** Throws a Failure where it would be longer than a string can be: the entries of a long log, indented, are. */
export function json(value: object): void {
  let text: string;
  try {
    text = visibleJson(JSON.stringify(value, null, 2));
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    throw tooMuch("there is more to tell than one JSON text can hold", "leave out --json");
  }
  data(`${text}\n`);
}

export function say(text: string): void {
  try {
    put(2, Buffer.from(`${text}\n`));
  } catch {
    // words that nobody can be told; what was asked for is done all the same
  }
}

export function fail(failure: Failure): void {
  say(`${styled("red", "firmseal:")} ${visible(failure.message)}`);
  say(styled("dim", `hint: ${visible(failure.hint)}`));
}

/** A progress bar for long work on a terminal; silent elsewhere, and for the first half second. */
class Progress {
  private readonly begun = Date.now();
  private shown = 0;

  constructor(
    private readonly what: string,
    private readonly total: number,
  ) {}

  at(done: number): void {
    const now = Date.now();
    if (process.stderr.isTTY !== true || now - this.begun < 500 || now - this.shown < 100) return;
    this.shown = now;
    const share = this.total > 0 ? Math.min(1, done / this.total) : 1;
    const width = 30;
    const bar = "#".repeat(Math.round(share * width)).padEnd(width, ".");
    put(2, Buffer.from(`\r${visible(this.what)} [${bar}] ${Math.floor(share * 100)} %`));
  }

  end(): void {
    if (this.shown > 0) put(2, Buffer.from("\r\x1b[K"));
  }
}

listen({
  warn: (text) => say(`${styled("yellow", "warning:")} ${text}`),
  say,
  progress: (what, total) => new Progress(what, total),
});
