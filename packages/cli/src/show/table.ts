// Tables for people. A column is as wide as its widest cell, and narrower on a narrow terminal: then a cell goes on in the next line, and
// nothing of it is cut. The two libraries count columns of the terminal: two for a wide character, none for a combining one.

import { visible } from "@firmseal/keys";
import stringWidth from "fast-string-width";
import { wrapAnsi } from "fast-wrap-ansi";
import type { TableLine } from "./render.js";

const GAP = "  ";
/** No column is made narrower than this. If the table is still too wide, the terminal breaks its lines. */
const NARROWEST = 6;

/** Columns of the terminal, or of COLUMNS. In a pipe, a table is as wide as its cells. */
export function tableWidth(): number {
  const given = Number(process.env["COLUMNS"]);
  return process.stdout.columns ?? (given > 0 ? given : Number.POSITIVE_INFINITY);
}

/** Takes from the widest column until all fit. */
function fitted(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  for (let over = widths.reduce((sum, n) => sum + n + GAP.length, -GAP.length) - width; over > 0; over--) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
  return widths;
}

/** The table as text, in lines of at most `width` columns. */
export function tableText({ columns, rows }: TableLine, width: number): string {
  const cells = [columns.map((c) => c.title), ...rows.map((row) => row.map(visible))];
  const wanted = columns.map((_, i) => cells.reduce((most, row) => Math.max(most, stringWidth(row[i] as string)), 1));
  const widths = fitted(wanted, width);
  const lines: string[] = [];
  for (const row of cells) {
    const wrapped = row.map((cell, i) => {
      const most = widths[i] as number;
      return stringWidth(cell) <= most ? [cell] : wrapAnsi(cell, most, { hard: true, trim: false }).split("\n");
    });
    const height = wrapped.reduce((most, cell) => Math.max(most, cell.length), 1);
    for (let n = 0; n < height; n++) {
      const parts = wrapped.map((cell, i) => {
        const part = cell[n] ?? "";
        const space = " ".repeat(Math.max(0, (widths[i] as number) - stringWidth(part)));
        return columns[i]?.right ? space + part : part + space;
      });
      lines.push(`${parts.join(GAP).trimEnd()}\n`);
    }
  }
  return lines.join("");
}
