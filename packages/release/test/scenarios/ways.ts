// The ways out of an incident besides the one that was taken, each as if people had signed it.

import { readFileSync } from "node:fs";
import type { TrustStore } from "@firmseal/verifier";
import { ROLE_RELEASE } from "@firmseal/verifier/tools";
import { bridgesFor } from "../../src/incident/bridges.js";
import { foundBridges } from "../../src/incident/folder.js";
import { chainBefore, type Given, groupsOf, hasNext, type Way } from "../../src/incident/situation.js";
import { type CohortResult, planSteps } from "../../src/rotation/plan/plan.js";
import { stepOf } from "../../src/rotation/plan/steps.js";
import { LEFT_BEHIND, type Verdict } from "../../src/rotation/plan/verdict.js";
import { selfSignedTrust } from "../../src/trust/chain.js";
import type { Offer } from "./fleet.js";
import type { Played } from "./play.js";
import { type Key, type List, release } from "./world.js";

/** A way that was known when the incident began, with its signed list. */
export interface Known extends Way {
  readonly list: Uint8Array;
}

const isLost = (verdict: Verdict) => LEFT_BEHIND.includes(verdict) || verdict === "exposed";

/** The rows whose devices wait for the list. */
const waitingIn = ({ fleet, current }: Given) => new Set(fleet.filter((row) => !hasNext(row, current)).map(({ name }) => name));

/** How bad it is for the devices that wait: what counts most comes first. */
type Badness = readonly number[];

export function isLess(a: Badness, b: Badness): boolean {
  const at = a.findIndex((n, i) => n !== b[i]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
}

const isThere = (verdict: Verdict) => ["moved", "ahead", "unaffected"].includes(verdict);

/** How many devices are really lost, out of our reach or within that of a thief, and how many are not where they should be. */
export function truthFor({ fleet: { rows, of }, truths }: Played, given: Given): Badness {
  const waiting = waitingIn(given);
  const verdicts = rows.flatMap(({ name }, i) => {
    const verdict = truths.get(of[i] as Played["states"][number])?.outcomes[0]?.verdict;
    return waiting.has(name) && verdict ? [verdict] : [];
  });
  return [verdicts.filter(isLost).length, verdicts.filter((verdict) => !isThere(verdict)).length];
}

/** How many a plan may lose, loses, and does not bring where they should be; and of how many it assumes something. */
export function planFor(results: readonly CohortResult[], given: Given): { badness: Badness; assumed: number } {
  const waiting = waitingIn(given);
  const count = (of: (r: CohortResult) => boolean) =>
    results.filter(of).reduce((n, { names }) => n + names.filter((name) => waiting.has(name)).length, 0);
  const assumed = (r: CohortResult) => r.assumes !== null;
  return {
    badness: [count((r) => isLost(r.verdict) || assumed(r)), count((r) => isLost(r.verdict)), count((r) => !isThere(r.verdict))],
    assumed: count(assumed),
  };
}

/** What devices are offered on a way, and what the plan says about it. `given`: the incident as it is now. */
export async function offersOf(
  { list, alone, next, gone, o }: Known,
  given: Given,
  newest: List,
  to: { readonly vendor: string; readonly class: string },
  signersOf: (role: number, ...stores: readonly TrustStore[]) => readonly Key[],
): Promise<{ steps: readonly Offer[]; results: readonly CohortResult[] }> {
  const brings = Buffer.concat([...chainBefore(given).map(({ bytes }) => bytes), list]);
  const steps: Offer[] = [];
  if (alone) steps.push({ name: "list", bytes: brings });
  else {
    const way = { ...given, bytes: list, next: selfSignedTrust(list), alone, isKept: false };
    const by = signersOf(ROLE_RELEASE, newest.store, next).slice(0, 8);
    const there = await foundBridges(o.dir, next);
    for (const { sequence, found } of bridgesFor(await groupsOf(given), way, there)) {
      const bytes = found ? readFileSync(found.path) : await release({ ...to, sequence, by, image: "app", brings });
      steps.push({ name: `bridge ${sequence}`, bytes, to });
    }
  }
  const planned = await Promise.all(steps.map(({ name, bytes }) => stepOf(name, bytes)));
  return { steps, results: planSteps(given.fleet, planned, gone, [newest.store, selfSignedTrust(list)]) };
}
