// A map on a terminal: one character for each of many outcomes, in the order in which they happened.

import { NARROWEST } from "./bars.js";
import { danger } from "./ui.js";

/** An outcome: its character. A bad one is shown instead of good ones, if several share a character. */
interface Cell {
  mark: string;
  bad: boolean;
}

export interface MapLine {
  /** What a character is one of: "cut". */
  of: string;
  cells: readonly Cell[];
  /** What each character means. */
  legend: readonly (readonly [mark: string, what: string])[];
}

const MOST_LINES = 16;

/** The worst of some cells: the first bad one, or the first that differs from the last before it. */
function worst(cells: readonly Cell[]): Cell {
  return cells.find(({ bad }) => bad) ?? (cells[0] as Cell);
}

/**
 * The map in lines of at most `width` columns. Empty if there is nothing to show, on a narrow terminal, and in a pipe.
 */
export function mapText({ of, cells, legend }: MapLine, width: number): string {
  if (width < NARROWEST || !Number.isFinite(width) || cells.length === 0) return "";
  const each = Math.ceil(cells.length / (width * MOST_LINES));
  const shown: Cell[] = [];
  for (let i = 0; i < cells.length; i += each) shown.push(worst(cells.slice(i, i + each)));
  const lines: string[] = [];
  for (let i = 0; i < shown.length; i += width) {
    // runs of one kind, so that each is coloured once
    const row = shown.slice(i, i + width).map(({ mark, bad }) => ({ text: mark, bad }));
    for (let k = row.length - 1; k > 0; k--) {
      const [before, here] = [row[k - 1] as { text: string; bad: boolean }, row[k] as { text: string; bad: boolean }];
      if (before.bad === here.bad) row.splice(k - 1, 2, { text: before.text + here.text, bad: here.bad });
    }
    lines.push(row.map(({ text, bad }) => (bad ? danger(text) : text)).join(""));
  }
  const used = new Set(shown.map(({ mark }) => mark));
  const words = legend.flatMap(([mark, what]) => (used.has(mark) ? [`${mark} ${what}`] : []));
  const unit = each === 1 ? `one character for each ${of}` : `one character for ${each} ${of}s, the worst of them`;
  return `${lines.join("\n")}\n${unit}: ${words.join(", ")}\n`;
}
