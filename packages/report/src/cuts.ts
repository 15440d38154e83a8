// The power cuts of a simulation, grouped by the write or erase in which the power fails.

import type { ReportCut } from "./data.js";

type Boots = ReportCut["boots"];

/** A cut, as the simulator reports it. `again`: the cuts during the recovery from it. */
interface Cut {
  operation: number;
  what: string;
  boots: Boots;
  again: { [boots in Boots]: number } & { cuts: number };
}

const WORST: readonly Boots[] = ["old", "new", "mixed", "none"];

/**
 * Summarizes power cuts, recovery included.
 *
 * @param points - The cuts, from simulate().
 * @returns One cell for each operation, with the worst outcome of its cuts.
 */
export function reportCuts(points: readonly Cut[]): ReportCut[] {
  const out: (ReportCut & { operation: number })[] = [];
  for (const { operation, what, boots, again } of points) {
    const outcomes = [boots, ...WORST.filter((name) => again[name] > 0 && (name === "none" || name === "mixed"))];
    let cell = out.at(-1);
    if (cell?.operation !== operation) {
      cell = { operation, what, boots, cuts: 0 };
      out.push(cell);
    }
    cell.cuts += 1 + again.cuts;
    for (const name of outcomes) if (WORST.indexOf(name) > WORST.indexOf(cell.boots)) cell.boots = name;
  }
  return out.map(({ operation, ...cell }) => cell);
}
