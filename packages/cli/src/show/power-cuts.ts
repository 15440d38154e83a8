// What starts after power cuts, as `simulate` shows it: a table of the operations, and a map of all cuts.

import { grouped } from "@firmseal/keys/internal";
import { addTally, type CutPoint, countPoint, type Tally, tally } from "@firmseal/simulator";
import type { MapLine } from "./map.js";
import type { TableLine } from "./render.js";

const OUTCOME_NAMES = { old: "old", new: "new", none: "NONE", mixed: "MIXED", floorFell: "FLOOR FELL", stuck: "STUCK" } as const;

/** "old", or "old 3, new 1"; faults in capitals. */
function outcomes(t: Tally): string {
  const parts = (Object.keys(OUTCOME_NAMES) as (keyof typeof OUTCOME_NAMES)[]).filter((name) => t[name] > 0);
  if (parts.length === 1) return OUTCOME_NAMES[parts[0] as keyof typeof OUTCOME_NAMES];
  return parts.map((name) => `${OUTCOME_NAMES[name]} ${grouped(t[name])}`).join(", ") || "-";
}

interface OutcomeRow {
  verbs: Set<string>;
  place: string;
  first: number;
  last: number;
  cut: Tally;
  again: Tally;
}

/** Consecutive operations on one place with the same outcomes are one row. */
function outcomeRows(points: readonly CutPoint[]): OutcomeRow[] {
  const single: OutcomeRow[] = [];
  for (const p of points) {
    let row = single.at(-1);
    if (row?.first !== p.operation) {
      const [verb = "", ...place] = p.what.split(" ");
      row = { verbs: new Set([verb]), place: place.join(" "), first: p.operation, last: p.operation, cut: tally(), again: tally() };
      single.push(row);
    }
    countPoint(row.cut, p);
    addTally(row.again, p.again);
  }
  const alike = (a: Tally, b: Tally) => (Object.keys(OUTCOME_NAMES) as (keyof typeof OUTCOME_NAMES)[]).every((n) => a[n] > 0 === b[n] > 0);
  const out: OutcomeRow[] = [];
  for (const row of single) {
    const last = out.at(-1);
    if (last?.place === row.place && alike(last.cut, row.cut)) {
      last.last = row.last;
      for (const verb of row.verbs) last.verbs.add(verb);
      addTally(last.cut, row.cut);
      addTally(last.again, row.again);
    } else out.push(row);
  }
  return out;
}

/** One row for each place and outcome: what starts after the cuts there. */
export function outcomeTable(points: readonly CutPoint[]): TableLine {
  const columns = [
    { title: "operation" },
    { title: "the power is cut in" },
    { title: "cuts", right: true },
    { title: "starts" },
    { title: "cuts again", right: true },
    { title: "starts" },
  ];
  const cells = outcomeRows(points).map((r) => [
    r.first === r.last ? `${r.first}` : `${r.first}-${r.last}`,
    `${[...r.verbs].join(", ")} ${r.place}`.trimEnd(),
    grouped(r.cut.cuts),
    outcomes(r.cut),
    grouped(r.again.cuts),
    outcomes(r.again),
  ]);
  return { columns, rows: cells };
}

const MARKS = { old: ".", new: "+", none: "!", mixed: "?" } as const;

/** One character for each first cut, with what happens after it and after every second cut. */
export function cutMap(points: readonly CutPoint[]): MapLine {
  return {
    of: "cut",
    cells: points.map(({ boots, floorFell, converges, again }) => {
      const bad = again.none > 0 ? "none" : again.mixed > 0 ? "mixed" : undefined;
      const isBad = boots === "none" || boots === "mixed" || bad !== undefined;
      if (!isBad && (floorFell || !converges || again.floorFell > 0 || again.stuck > 0)) return { mark: "x", bad: true };
      return { mark: MARKS[isBad && bad !== undefined ? bad : boots], bad: isBad };
    }),
    legend: [
      [MARKS.old, "the old release starts"],
      [MARKS.new, "the new one starts"],
      [MARKS.none, "NOTHING starts"],
      [MARKS.mixed, "a MIXTURE starts"],
      ["x", "FLOOR FELL or STUCK"],
    ],
  };
}
