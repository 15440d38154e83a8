// One line for each of several things that are worked on at the same time. On a terminal each line is written again in
// its place; elsewhere each result is a line.

import { visible } from "@firmseal/keys/internal";
import { wrapAnsi } from "fast-wrap-ansi";
import { onStderr, rewriteStderr, stderrSize, writeWords } from "./ui.js";

/** Rows that stay free: a terminal scrolls away what is above its first row, and nothing reaches it there. */
const SPARE_ROWS = 2;

export class LiveLines {
  private readonly lines = new Map<string, string>();
  private shown = 0;

  /** Says what `name` has reached. "passing": no result yet, so it is worth a line only if that is replaced. */
  set(name: string, stage: string, state?: "passing"): void {
    const text = visible(`${name}: ${stage}`);
    this.lines.set(name, text);
    const size = stderrSize();
    if (!size || this.lines.size > size.rows - SPARE_ROWS) {
      if (state !== "passing") writeWords(text);
      return;
    }
    const up = this.shown > 0 ? `\x1b[${this.shown}A` : "";
    // a line that the terminal breaks would be two
    const all = [...this.lines.values()].map(
      (line) => `\r\x1b[K${wrapAnsi(line, Math.max(8, size.columns - 1), { hard: true }).split("\n")[0]}\n`,
    );
    rewriteStderr(`${up}${all.join("")}`);
    this.shown = all.length;
    // what others write stays below: the next line then begins a new block
    onStderr(() => this.end());
  }

  end(): void {
    this.lines.clear();
    this.shown = 0;
  }
}
