// Groups cohorts in one state: of the same kind, with floors that no step of a plan distinguishes. Each state is tried
// once, regardless of the number of rows in the fleet file.

import { grouped, tooMuch } from "@firmseal/keys/internal";
import type { TrustStore } from "@firmseal/verifier";
import { LIMITS } from "../../input/limits.js";
import { bigSequence, LAST } from "../../input/sequence.js";
import { WIDEST_JUMP, windowOf } from "../../trust/quorum.js";
import type { Cohort, DeviceModel } from "../model.js";
import type { PlannedStep } from "./steps.js";

/** Cohorts in the same state. */
export interface Group {
  readonly first: Cohort;
  readonly names: string[];
  devices: number;
  lowest: bigint;
  highest: bigint;
}

/**
 * The numbers that floors are compared with, ascending: those of releases, the limits of key windows, and the lowest
 * floors from which a limit on jumps reaches a release or the first number of a key. Distinguishes a number, its
 * predecessor and its successor.
 */
function marksOf(steps: readonly PlannedStep[], stores: Iterable<TrustStore>): bigint[] {
  const marks = new Set<bigint>([LAST]);
  const mark = (n: bigint) => {
    for (const m of [n - 1n, n, n + 1n]) if (m > 0n && m <= LAST) marks.add(m);
  };
  const all = [...stores];
  const numbers = [
    ...steps.flatMap((step) => ("envelope" in step ? [step.sequence] : [])),
    ...all.flatMap((store) => store.anchors.flatMap((anchor) => (anchor.since ? [windowOf(anchor).from] : []))),
  ];
  for (const n of numbers) mark(n);
  // a new device, which has no floor to jump from and runs no release, accepts more: releases, or lists alone
  if (all.some((store) => store.jumps.some(Boolean)) || steps.some((step) => "trust" in step)) marks.add(1n);
  for (const store of all) {
    for (const jump of [WIDEST_JUMP, ...store.jumps.flatMap((own) => (own ? [bigSequence(own)] : []))])
      for (const n of numbers) mark(n - jump);
    for (const anchor of store.anchors) {
      // an absent limit is not a border
      if (anchor.until) mark(windowOf(anchor).until);
    }
  }
  return [...marks].sort((a, b) => (a < b ? -1 : 1));
}

/** How many of the ascending marks a number has reached. */
function placeOf(n: bigint, marks: readonly bigint[]): number {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as bigint) <= n) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The states of a fleet, in order of first appearance. Throws a Failure if there are too many, because each must be
 * tried.
 */
export function statesOf(fleet: readonly Cohort[], steps: readonly PlannedStep[], stores: Iterable<TrustStore>): Group[] {
  const marks = marksOf(steps, stores);
  const models = new Map<DeviceModel, number>();
  const groups = new Map<string, Group>();
  for (const cohort of fleet) {
    const { model, floor, floors } = cohort;
    const id = models.get(model) ?? models.size;
    models.set(model, id);
    const n = bigSequence(floor);
    const own = floors.debug === floor && floors.recovery === floor;
    const others = own ? "" : ` ${placeOf(bigSequence(floors.debug), marks)} ${placeOf(bigSequence(floors.recovery), marks)}`;
    const key = `${id} ${placeOf(n, marks)}${others}`;
    const group = groups.get(key);
    if (group) {
      group.names.push(cohort.name);
      group.devices += cohort.devices;
      if (n < group.lowest) group.lowest = n;
      if (n > group.highest) group.highest = n;
    } else {
      if (groups.size === LIMITS.fleetStates)
        throw tooMuch(
          `the fleet is in more than ${grouped(LIMITS.fleetStates)} states`,
          "plan for fewer steps, or for a part of the fleet at a time",
        );
      groups.set(key, { first: cohort, names: [cohort.name], devices: cohort.devices, lowest: n, highest: n });
    }
  }
  return [...groups.values()];
}
