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

/** The cells as text, and the columns with pictures that are drawn. */
function cellsOf({ columns, rows }: TableLine, isDrawn: boolean): { cells: string[][]; drawn: Set<number> } {
  const drawn = new Set<number>();
  const cells = rows.map((row) =>
    row.map((cell, i) => {
      if (typeof cell === "string") return visible(cell);
      if (isDrawn) drawn.add(i);
      return pictureText(cell, isDrawn);
    }),
  );
  return { cells: [columns.map((c) => c.title), ...cells], drawn };
}

/** The cells and the widths of their columns: with pictures if they fit. */
function layout(table: TableLine, width: number): { cells: string[][]; widths: number[] } {
  const isWide = width >= NARROWEST && Number.isFinite(width);
  for (const isDrawn of isWide ? [true, false] : [false]) {
    const { cells, drawn } = cellsOf(table, isDrawn);
    const wanted = table.columns.map((_, i) => cells.reduce((most, row) => Math.max(most, stringWidth(row[i] as string)), 1));
    const { widths, fits } = fitted(wanted, width, drawn);
    if (fits || drawn.size === 0) return { cells, widths };
  }
  return { cells: [], widths: [] };
}

/** The table as text, in lines of at most `width` columns. */
export function tableText(table: TableLine, width: number): string {
  const { columns } = table;
  if (table.isPicture && (width < NARROWEST || !Number.isFinite(width))) return "";
  const { cells, widths } = layout(table, width);
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
  if (table.below !== undefined) lines.push(`${wrapAnsi(table.below, width)}\n`);
  return lines.join("");
}
