// Which cuts are tried, if not all of them are.

import type { Cut, Machine, Store } from "../store.js";

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
