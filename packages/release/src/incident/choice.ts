// Which way out of an incident is best: each is rehearsed, and the one that loses the fewest devices is taken.

import { refusedInput } from "@firmseal/keys/internal";
import { formatSequence } from "@firmseal/verifier/tools";
import type { CohortResult } from "../rotation/plan/plan.js";
import { LEFT_BEHIND, LOST } from "../rotation/plan/verdict.js";
import type { TrustOnFile } from "../trust/read.js";
import { bridgesFor, type FoundBridge, listsOf, type RehearsedBridge, takersOf } from "./bridges.js";
import { rehearse, rehearsedName } from "./rehearse.js";
import { type DeviceGroup, hasNext, type Way, type Ways } from "./situation.js";

/** What comes of a way. */
export interface Rehearsal {
  readonly way: Way;
  /** The bridges of which devices take each; none if the list travels alone. */
  readonly bridges: readonly RehearsedBridge[];
  readonly results: readonly CohortResult[];
}

/**
 * The way that loses the fewest devices: the usual one, unless another one is better. `now`: the fleet without the next
 * list.
 */
export async function bestWay(
  { ways, fault }: Ways,
  now: readonly CohortResult[],
  chain: readonly TrustOnFile[],
  groups: readonly DeviceGroup[],
  there: readonly FoundBridge[],
): Promise<Rehearsal> {
  let best: Rehearsal | undefined;
  for (const way of ways) {
    const one = await rehearsed(way, chain, groups, there);
    if (!best || isWorse(badness(best), badness(one))) best = one;
  }
  const found = best as Rehearsal;
  // without the usual list, another one has to help somebody
  if (fault && total(found.results, isLeft) >= total(now, isLeft)) throw fault;
  if (groups.length > 0 && !found.results.some(takes(found.way)))
    throw refusedInput(
      "ERR_STRANDED",
      `no device would accept the next trust file: ${found.results.find(({ why }) => why !== null)?.why ?? "too few keys are left"}`,
      "nobody has to sign; if devices run releases above the last number of a key in that file, move it away, and run this again",
    );
  return found;
}

/** Whether devices have the next list in the end. */
export const takes =
  ({ next }: Way) =>
  ({ trust: { after } }: CohortResult) =>
    after === formatSequence(next.sequence);

/** How many devices have such a result. */
export const total = (results: readonly CohortResult[], one: (r: CohortResult) => boolean) =>
  results.reduce((n, r) => n + (one(r) ? r.devices : 0), 0);

export const isLeft = ({ verdict }: CohortResult) => LEFT_BEHIND.includes(verdict);

const isLost = ({ verdict }: CohortResult) => LOST.includes(verdict);

/**
 * How bad an outcome is for the devices that wait for the list: how many may be lost, are lost, and are not where they
 * should be. Then how many may refuse a list without the lost key, because nobody has said what they run: the list that
 * keeps it accepts all that the usual one accepts, and more. Devices that have the list need no way to it.
 */
function badness({ way, results }: Rehearsal): readonly number[] {
  const waiting = new Set(way.fleet.filter((cohort) => !hasNext(cohort, way.current)).map(({ name }) => name));
  const judged = results.filter(({ names }) => names.some((name) => waiting.has(name)));
  return [
    total(judged, (r) => isLost(r) || r.assumes !== null),
    total(judged, isLost),
    total(judged, (r) => !["moved", "ahead", "unaffected"].includes(r.verdict)),
    way.alone && !way.isKept ? total(judged, (r) => r.assumes !== null) : 0,
  ];
}

const isWorse = (one: readonly number[], other: readonly number[]) => {
  const at = one.findIndex((n, i) => n !== other[i]);
  return at >= 0 && (one[at] as number) > (other[at] as number);
};

async function rehearsed(
  way: Way,
  chain: readonly TrustOnFile[],
  groups: readonly DeviceGroup[],
  there: readonly FoundBridge[],
): Promise<Rehearsal> {
  const all = way.alone ? [] : bridgesFor(groups, way, there);
  const results = await rehearse(way, chain, all);
  const stores = new Map(way.fleet.map(({ name, model }) => [name, model.store]));
  const bridges = all.flatMap((bridge, i) => {
    const takers = takersOf(bridge, rehearsedName(i), results);
    return takers.length > 0 ? [{ ...bridge, lists: listsOf(rehearsedName(i), takers, stores, way.next) }] : [];
  });
  return { way, results, bridges };
}
