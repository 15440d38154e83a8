// Finds the outcome for each cohort of a fleet that is offered releases and trust files in order: which ones it
// accepts, what it trusts in the end, who can reach it then, and what to do next. Reads no files and prints nothing.

import { refusedInput } from "@firmseal/keys/internal";
import type { Sequence, TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, toHex } from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import { selfSignedFiles } from "../../trust/chain.js";
import { newestOf } from "../../trust/quorum.js";
import { type Cohort, storesOf } from "../model.js";
import { type DeviceState, type Played, play, waitingList } from "./dry-run.js";
import { type Exposed, exposure, type KeyFates, type Margins, margins } from "./reach.js";
import { statesOf } from "./states.js";
import { carriedStores, type PlannedStep } from "./steps.js";
import { mayAdopt, type Outcome, outcome, VERDICTS, type Verdict } from "./verdict.js";

/** What happens to a cohort in one step of a plan. */
export interface StepResult {
  /** The name of the step. */
  readonly step: string;
  /** Whether the step is for the cohort, and whether its devices take it. */
  readonly fit: Played["fit"];
  /** 0 if installed or adopted, otherwise the refusal. */
  readonly code: number;
  /** The sequence number of the trust file that was adopted with it. */
  readonly trust: string | null;
  /** Why the trust file in it was not adopted; 0 if there was none, or if the device already has it. */
  readonly trustCode: number;
  /** The remaining keys after it. */
  readonly left: Margins;
  /** The devices take it only under an assumption about the release that they run. */
  readonly assumed: boolean;
}

/** The outcome for the cohorts in one state. */
export interface CohortResult {
  /** The first of `names`. */
  readonly name: string;
  readonly names: readonly string[];
  readonly devices: number;
  /** Their floors before the first step. */
  readonly floor: { readonly lowest: string; readonly highest: string };
  readonly steps: readonly StepResult[];
  /** Sequence numbers of their trust file; null without one. */
  readonly trust: { readonly before: string | null; readonly after: string | null };
  readonly verdict: Verdict;
  /** The reason in words; null if there is nothing to report. */
  readonly why: string | null;
  /** The remedy; null if there is nothing to do. */
  readonly next: string | null;
  /** What the verdict assumes of the running release, in words; null if it assumes nothing. */
  readonly assumes: string | null;
  readonly left: Margins;
  readonly exposed: Exposed;
}

/**
 * The newest trust file of each product line. Two different files with the same number are a fork: no device can go
 * from one to the other.
 */
export function newestOfLine(stores: Iterable<TrustStore>): (line: TrustStore) => TrustStore {
  return newestOf(stores, (number: Sequence) => {
    throw refusedInput(
      "ERR_FLEET",
      `two different trust files of the same name have the sequence number ${formatSequence(number)}`,
      "no device moves from one to the other: sign a third with a higher number, and send it to the devices of both",
    );
  });
}

/** The state of a cohort before the first step. */
export function stateOf({ model, floor }: Cohort): DeviceState {
  const pending = waitingList(model);
  return { model, store: model.store, floor, envelope: model.release, ...(pending && { pending }) };
}

function walk(cohort: Cohort, steps: readonly PlannedStep[], { unused }: KeyFates): Played[] {
  let state = stateOf(cohort);
  return steps.map((step) => {
    const played = play(step, state, unused);
    state = played.state;
    return played;
  });
}

/** The trust files in releases that their own roots have signed. Others have no successor. */
function broughtStores(all: readonly Played[]): TrustStore[] {
  // many states are brought the same few files
  const files = new Map(all.flatMap(({ brought }) => (brought ? [[toHex(brought.bytes), brought.bytes] as const] : [])));
  return [...files.values()].flatMap((bytes) => {
    try {
      return selfSignedFiles(bytes);
    } catch {
      return [];
    }
  });
}

function stepResults(walked: readonly Played[], before: DeviceState, today: TrustStore | null, gone: KeyFates): StepResult[] {
  let store = before.store;
  const last = walked.at(-1)?.state ?? before;
  return walked.map((played) => {
    const { step, fit, code, state, brought } = played;
    const isNew = state.store !== store && !(state.store && store && equalBytes(state.store.payload, store.payload));
    store = state.store;
    return {
      step: step.name,
      fit,
      code,
      trust: isNew && state.store ? formatSequence(state.store.sequence) : null,
      trustCode: brought?.code ?? 0,
      left: margins(state, today, bigSequence(state.floor), gone),
      assumed: played.assumed || mayAdopt(played, before.floor, last, today),
    };
  });
}

const numberOf = (store: TrustStore | null) => store && formatSequence(store.sequence);

/** A cohort that is offered nothing, and what is known about it. */
export function standing(cohort: Cohort, found: Outcome, newest: TrustStore | null, after: bigint, gone: KeyFates): CohortResult {
  const { name, devices, model, floor, floors } = cohort;
  const sequence = numberOf(model.store);
  const own = formatSequence(floor);
  return {
    name,
    names: [name],
    devices,
    floor: { lowest: own, highest: own },
    steps: [],
    trust: { before: sequence, after: sequence },
    left: margins({ model, store: model.store, floor }, newest, after, gone),
    exposed: exposure({ model, store: model.store, floor }, gone.stolen, floors),
    assumes: null,
    ...found,
  };
}

/**
 * Offers `steps` in order to every cohort. Cohorts in one state share a result.
 *
 * @param fleet - From readFleet().
 * @param steps - From readSteps().
 * @param gone - The keys that you have, that are lost, and that a thief has: secretSet().
 * @param others - Other trust files that exist. Default: none.
 * @returns The outcome for the cohorts in each state.
 * @throws Failure if two trust files contradict each other, or if there are too many states.
 * @example
 * ```ts
 * import { namedKeys, planSteps, readFleet, readSteps, secretSet, storesOf } from "@firmseal/release";
 *
 * const fleet = await readFleet("fleet.json");
 * const steps = await readSteps(["20.suit", "21.suit"]);
 * const have = secretSet(await namedKeys(["release-a.pub"], "have", storesOf(fleet)));
 * for (const { name, verdict } of planSteps(fleet, steps, { have, lost: new Set(), stolen: new Set() }))
 *   console.log(`${name}: ${verdict}`);
 * ```
 */
export function planSteps(
  fleet: readonly Cohort[],
  steps: readonly PlannedStep[],
  gone: KeyFates,
  others: readonly TrustStore[] = [],
): CohortResult[] {
  // with the keys of every algorithm: what the device itself reads determines which of its keys count
  const stores = [...storesOf(fleet), ...others, ...carriedStores(steps)];
  const groups = statesOf(fleet, steps, stores);
  const walks = groups.map(({ first }) => walk(first, steps, gone));
  const known = [...stores, ...broughtStores(walks.flat())];
  const newestIn = newestOfLine(known);
  return groups.map((group, i) => {
    const walked = walks[i] as Played[];
    const before = stateOf(group.first);
    const state = walked.at(-1)?.state ?? before;
    const today = state.store && newestIn(state.store);
    const results = stepResults(walked, before, today, gone);
    return {
      name: group.first.name,
      names: group.names,
      devices: group.devices,
      floor: { lowest: String(group.lowest), highest: String(group.highest) },
      steps: results,
      trust: { before: numberOf(before.store), after: numberOf(state.store) },
      left: results.at(-1)?.left ?? margins(state, today, bigSequence(state.floor), gone),
      ...outcome(group, walked, state, today, gone, known),
    };
  });
}

/** Returns the number of devices for each verdict, and of all. */
export function devicesByVerdict(results: readonly CohortResult[]): { [verdict in Verdict]: number } & { total: number } {
  const out = { total: 0, ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) } as { [verdict in Verdict]: number } & {
    total: number;
  };
  for (const { verdict, devices } of results) {
    out.total += devices;
    out[verdict] += devices;
  }
  return out;
}
