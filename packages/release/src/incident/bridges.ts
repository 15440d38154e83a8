// The bridges of an incident: for each kind of device one above the floors of all, and bridges in between for devices
// that a limit on jumps keeps below it. The rehearsal says which of them devices take.

import type { TrustStore } from "@firmseal/verifier";
import { ROLE_RELEASE } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { bigSequence } from "../input/sequence.js";
import { highestFloor } from "../rotation/move.js";
import { mismatch } from "../rotation/plan/dry-run.js";
import type { CohortResult, StepResult } from "../rotation/plan/plan.js";
import type { PlannedRelease } from "../rotation/plan/steps.js";
import { higher, numbersAbove } from "../trust/quorum.js";
import { type DeviceGroup, reachesFrom, type Way } from "./situation.js";

/** A bridge that the folder has. */
export interface FoundBridge {
  readonly path: string;
  readonly envelope: Uint8Array;
  readonly step: PlannedRelease;
}

/** A bridge that devices may need. `found`: the folder has it. */
export interface NeededBridge {
  readonly group: DeviceGroup;
  readonly sequence: bigint;
  readonly found: FoundBridge | undefined;
}

/** A bridge that devices take, and the lists under which it must be good for them. */
export interface RehearsedBridge extends NeededBridge {
  readonly lists: readonly TrustStore[];
}

const highest = (numbers: readonly bigint[]) => numbers.reduce(higher, 0n);

/** The numbers of the bridges for a group, ascending. `there`: those that the folder has. */
function numbersFor({ cohorts, identity, bridged }: DeviceGroup, { fleet, next }: Way, there: readonly bigint[]): bigint[] {
  const jump = next.jumps[ROLE_RELEASE];
  const afterNext = (at: bigint) => numbersAbove(at, jump).highest;
  const floors = new Set(cohorts.map(({ floor }) => bigSequence(floor)));
  // above the last release of the product too
  const all = higher(highestFloor(fleet, identity), (bridged?.least ?? 1n) - 1n);
  const last = highest(there);
  // devices may have passed an earlier one
  const top = last > highest([...floors]) && afterNext(last) >= all ? last : all + 1n;
  const taken = new Set(fleet.map(({ floor }) => bigSequence(floor)));
  const numbers = new Set([top]);
  const climb = (from: bigint, reached: bigint) => {
    for (let [at, most] = [from, reached]; most < top && numbers.size <= LIMITS.planSteps; most = afterNext(at)) {
      const known = [...numbers, ...there].filter((n) => n > at && n <= most);
      let n = known.length > 0 ? highest(known) : most;
      // devices accept one release of each number
      while (known.length === 0 && taken.has(n) && n - 1n > at) n--;
      // from there, the way is known
      if (numbers.has(n)) return;
      numbers.add(n);
      at = n;
    }
  };
  const ways = new Map(cohorts.map((cohort) => [`${reachesFrom(cohort)} ${bigSequence(cohort.floor)}`, cohort]));
  for (const cohort of [...ways.values()].sort((a, b) => (bigSequence(a.floor) < bigSequence(b.floor) ? -1 : 1)))
    climb(bigSequence(cohort.floor), reachesFrom(cohort));
  return [...numbers].sort((a, b) => (a < b ? -1 : 1));
}

/**
 * The bridges for the groups, in the order in which devices get them. `there`: the bridges that the folder has. If they
 * were more than a plan has steps, there are none in between, and the rehearsal says who stays behind.
 */
export function bridgesFor(groups: readonly DeviceGroup[], way: Way, there: readonly FoundBridge[]): NeededBridge[] {
  const all = groups.map((group) => {
    const own = there.filter(({ envelope }) => mismatch(envelope, group.model) === 0);
    const numbers = numbersFor(
      group,
      way,
      own.map(({ step }) => step.sequence),
    );
    return { group, own, numbers };
  });
  const isMany = all.reduce((n, { numbers }) => n + numbers.length, 0) > LIMITS.planSteps;
  return all.flatMap(({ group, own, numbers }) =>
    (isMany ? numbers.slice(-1) : numbers).map((sequence) => ({
      group,
      sequence,
      found: own.find(({ step }) => step.sequence === sequence),
    })),
  );
}

const isTaken = (s: StepResult | undefined) => s?.fit === "addressed" && s.code === 0;

/** The results in which devices take the step `name`, and do not have it yet. */
export const takersOf = ({ sequence }: NeededBridge, name: string, results: readonly CohortResult[]): readonly CohortResult[] =>
  results.filter(({ steps, floor }) => BigInt(floor.highest) < sequence && isTaken(steps.find(({ step }) => step === name)));

/** The names of the rows in these results that are in a group. */
export function namesIn({ cohorts }: DeviceGroup, results: readonly CohortResult[]): string[] {
  const names = new Set(results.flatMap((r) => r.names));
  return cohorts.map(({ name }) => name).filter((name) => names.has(name));
}

/**
 * The lists under which the step `name` must be good: those that devices have before it, and after it. `stores`: the
 * lists of the rows before all steps, by name.
 */
export function listsOf(
  name: string,
  takers: readonly CohortResult[],
  stores: ReadonlyMap<string, TrustStore | null>,
  next: TrustStore,
): TrustStore[] {
  const lists = new Set<TrustStore>();
  for (const { steps, names } of takers) {
    const at = steps.findIndex(({ step }) => step === name);
    // the rows of a result have one list
    const own = stores.get(names[0] as string);
    const hasAdopted = steps.slice(0, at).some(({ trust }) => trust !== null);
    if (hasAdopted || steps[at]?.trust !== null) lists.add(next);
    if (!hasAdopted && own) lists.add(own);
  }
  return [...lists];
}
