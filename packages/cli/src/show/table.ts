// Tables for people. A column is as wide as its widest cell, and narrower on a narrow terminal: then a cell continues
// in the next line, and no text is cut. The two libraries count columns of the terminal: two for a wide character, none
// for a combining one.

import { visible } from "@firmseal/keys/internal";
import stringWidth from "fast-string-width";
import { wrapAnsi } from "fast-wrap-ansi";
import { NARROWEST, pictureText } from "./bars.js";
import type { TableLine } from "./render.js";

const GAP = "  ";
/** No column is made narrower than this. If the table is still too wide, the terminal breaks its lines. */
const NARROWEST_COLUMN = 6;

/** Columns of the terminal, or of COLUMNS. In a pipe, a table is as wide as its cells. */
export function tableWidth(): number {
  const given = Number(process.env["COLUMNS"]);
  return process.stdout.columns ?? (given > 0 ? given : Number.POSITIVE_INFINITY);
}

/** Takes from the widest column until all fit. `fixed`: columns of pictures, which cannot be narrower. */
function fitted(wanted: readonly number[], width: number, fixed: ReadonlySet<number>): { widths: number[]; fits: boolean } {
  const widths = [...wanted];
  let over = widths.reduce((sum, n) => sum + n + GAP.length, -GAP.length) - width;
  for (; over > 0; over--) {
    const narrowed = widths.map((n, i) => (fixed.has(i) ? 0 : n));
    const widest = Math.max(...narrowed);
    if (widest <= NARROWEST_COLUMN) break;
    widths[narrowed.lastIndexOf(widest)] = widest - 1;
  }
  return { widths, fits: over <= 0 };
}

/** The titles, and the cells of each row as text. Adds the columns with pictures that are drawn to `drawn`. */
function* cellsOf({ columns, rows }: TableLine, isDrawn: boolean, drawn = new Set<number>()): Generator<string[]> {
  yield columns.map((c) => c.title);
  for (const row of rows)
    yield row.map((cell, i) => {
      if (typeof cell === "string") return visible(cell);
      if (isDrawn) drawn.add(i);
      return pictureText(cell, isDrawn);
    });
}

/** The widths of the columns, and whether pictures are drawn: if they fit. */
function layout(table: TableLine, width: number): { widths: number[]; isDrawn: boolean } {
  const isWide = width >= NARROWEST && Number.isFinite(width);
  for (let isDrawn = isWide; ; isDrawn = false) {
    const drawn = new Set<number>();
    const wanted = table.columns.map(() => 1);
    for (const row of cellsOf(table, isDrawn, drawn))
      for (const [i, cell] of row.entries()) wanted[i] = Math.max(wanted[i] as number, stringWidth(cell));
    const { widths, fits } = fitted(wanted, width, drawn);
    if (fits || drawn.size === 0) return { widths, isDrawn };
  }
}

/** The table as text, in lines of at most `width` columns. */
export const tableText = (table: TableLine, width: number): string => [...tableLines(table, width)].join("");

/** Like tableText(), line by line: the rows may be more than memory holds. */
export function* tableLines(table: TableLine, width: number): Generator<string> {
  const { columns } = table;
  if (table.isPicture && (width < NARROWEST || !Number.isFinite(width))) return;
  const { widths, isDrawn } = layout(table, width);
  for (const row of cellsOf(table, isDrawn)) {
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
      yield `${parts.join(GAP).trimEnd()}\n`;
    }
  }
  if (table.below !== undefined) yield `${wrapAnsi(table.below, width)}\n`;
}
