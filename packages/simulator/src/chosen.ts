// Which cuts are tried, if not all of them are.

import type { Cut, Machine, Place, Store } from "./store.js";

/** Selects `n` of `all` indices, including the first and the last, ascending. Returns undefined for all. */
export function spread(all: number, n: number): number[] | undefined {
  if (all <= n) return undefined;
  return [...new Set(Array.from({ length: n }, (_, i) => Math.round((i * (all - 1)) / Math.max(1, n - 1))))];
}

/** The chosen cuts of a course. */
export function* chosenCuts(machine: Machine, from: Store, chosen: readonly number[]): Iterable<Cut> {
  if (machine.someCuts) return yield* machine.someCuts(from, chosen);
  const wanted = new Set(chosen);
  let at = 0;
  for (const cut of machine.cuts(from)) if (wanted.has(at++)) yield cut;
}

/**
 * Selects all cuts except some between the first and the last operation of each run of bulk writes to one place: so many of
 * them as `n` of all would have, evenly spread. Ascending.
 */
export function bordersAndSome(places: Iterable<Place>, all: number, n: number): number[] {
  const chosen = new Set(spread(all, n));
  let at = 0;
  let before = { what: "", at: 0, cuts: 0 };
  const take = (from: number, cuts: number) => {
    for (let i = from; i < from + cuts; i++) chosen.add(i);
  };
  for (const { what, cuts, isBulk } of places) {
    if (what !== before.what) take(before.at, before.cuts);
    if (what !== before.what || !isBulk) take(at, cuts);
    before = { what, at, cuts };
    at += cuts;
  }
  take(before.at, before.cuts);
  return [...chosen].sort((a, b) => a - b);
}
