// Every line that is printed. Data goes to stdout, words to stderr; with --json one object goes to stdout, whatever happens.

import { writeSync } from "node:fs";
import { styleText } from "node:util";
import type { Failure } from "./failure.js";

const colour = process.stderr.isTTY === true && !process.env["NO_COLOR"];

function styled(style: "red" | "yellow" | "dim", text: string): string {
  return colour ? styleText(style, text) : text;
}

/**
 * Text from outside as it can be shown: control and formatting characters become visible escapes, so that a text field of a manifest or
 * a file name cannot drive the terminal.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);
}

/** Writes to a descriptor in full. A pipe that nobody reads any more is no fault of ours. */
function put(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code;
      if (code === "EPIPE") return;
      // a pipe that is full for the moment
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else throw e;
    }
  }
}

function line(fd: number, text: string): void {
  put(fd, Buffer.from(`${text}\n`));
}

export function data(bytes: Uint8Array | string): void {
  put(1, typeof bytes === "string" ? Buffer.from(bytes) : bytes);
}

export function json(value: object): void {
  line(1, JSON.stringify(value, null, 2));
}

export function say(text: string): void {
  line(2, text);
}

export function warn(text: string): void {
  line(2, `${styled("yellow", "warning:")} ${text}`);
}

export function fail(failure: Failure): void {
  line(2, `${styled("red", "firmseal:")} ${visible(failure.message)}`);
  line(2, styled("dim", `hint: ${visible(failure.hint)}`));
}

/** A progress bar for long work on a terminal; silent elsewhere, and for the first half second. */
export class Progress {
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
