// What becomes of each cohort of a fleet when it is offered releases and trust files in order: which it takes, what it trusts in the end, who can
// reach it then, and what to do next. No file is read here, and nothing is printed.

import { refusedInput } from "@firmseal/keys";
import { equalBytes } from "@firmseal/signer";
import { errors, type Sequence, type TrustStore } from "@firmseal/verifier";
import { formatSequence, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { refusalHint, refusalMeaning } from "../refusals.js";
import { signedTrust } from "../trust/trust-file.js";
import { type Played, play, type State } from "./dry-run.js";
import { type Cohort, storesOf } from "./fleet.js";
import { big, higher, newestOf } from "./quorum.js";
import { type Exposed, exposedWords, exposure, type Gone, type Margins, margins, reach, unverifiable } from "./reach.js";
import { type Group, statesOf } from "./states.js";
import { carriedStores, type PlannedStep } from "./steps.js";

/**
 * From best to worst. `moved`: runs the last release, and later ones can reach it. `unaffected`: no step is for it. `ahead`: it runs something newer.
 * `behind`: it has not the newest trust file. `exposed`: the stolen keys alone are enough for it. `roots-lost`: it takes releases, and nobody can sign another
 * trust file for it. `stranded`: it does not take the last release that is for it, has nothing to start, or nobody can sign a later release for it.
 */
export const VERDICTS = ["moved", "unaffected", "ahead", "behind", "exposed", "roots-lost", "stranded"] as const;

export type Verdict = (typeof VERDICTS)[number];

/** What a plan fails on where nothing else is said. */
export const LEFT_BEHIND: readonly Verdict[] = ["stranded", "roots-lost"];

export interface StepResult {
  readonly step: string;
  readonly fit: Played["fit"];
  /** 0: installed, or taken over. */
  readonly code: number;
  /** The sequence number of the trust file that was taken over with it. */
  readonly trust: string | null;
  /** Why a trust file that it brought was not taken over; 0 if there was none, or it is that of the device. */
  readonly trustCode: number;
  /** What is left of the keys after it. */
  readonly left: Margins;
}

/** What becomes of the cohorts in one state. */
export interface CohortResult {
  /** The first of `names`. */
  readonly name: string;
  readonly names: readonly string[];
  readonly devices: number;
  /** Their floors before. */
  readonly floor: { readonly lowest: string; readonly highest: string };
  readonly steps: readonly StepResult[];
  /** Sequence numbers of their trust file; null without one. */
  readonly trust: { readonly before: string | null; readonly after: string | null };
  readonly verdict: Verdict;
  /** In words; null if there is nothing to say. */
  readonly why: string | null;
  /** What to do about it. */
  readonly next: string | null;
  readonly left: Margins;
  readonly exposed: Exposed;
}

type Outcome = Pick<CohortResult, "verdict" | "why" | "next">;

/** The newest trust file of each line of products. Two that differ and have one number are a fork: no device goes from one to the other. */
export function newest(stores: Iterable<TrustStore>): (line: TrustStore) => TrustStore {
  return newestOf(stores, (number: Sequence) => {
    throw refusedInput(
      "FLEET",
      `two different trust files of the same name have the sequence number ${formatSequence(number)}`,
      "no device moves from one to the other: sign a third with a higher number, and send it to the devices of both",
    );
  });
}

/** How a cohort is before the first step. */
export function stateOf({ model, floor }: Cohort): State {
  return { model, store: model.store, floor, envelope: model.release };
}

function walk(cohort: Cohort, steps: readonly PlannedStep[]): Played[] {
  let state = stateOf(cohort);
  return steps.map((step) => {
    const played = play(step, state);
    state = played.state;
    return played;
  });
}

/** Trust files that releases brought, as far as they are signed by their own roots: others are the next of nobody. */
function broughtStores(all: readonly Played[]): TrustStore[] {
  return all.flatMap(({ brought }) => {
    try {
      return brought ? [signedTrust(brought.bytes)] : [];
    } catch {
      return [];
    }
  });
}

/** Refusals that say that the keys which signed are not those that the device wants. */
const OF_KEYS: readonly number[] = [
  errors.SIGNATURE_THRESHOLD,
  errors.SIGNATURE_INVALID,
  errors.ANCHOR_WINDOW,
  errors.TRUST_UNUSABLE,
  errors.TRUST_POLICY,
];

/** It does not take the last release that is for it. */
function refused({ step, code, state }: Played, after: bigint): Outcome {
  const ofKeys = OF_KEYS.includes(code);
  const words = code === errors.TRUST_POLICY ? "too few of the keys in its firmware can be used" : refusalMeaning(code);
  const list = state.store ? `the keys of its trust file ${formatSequence(state.store.sequence)}` : "the keys in its firmware";
  return {
    verdict: "stranded",
    why: `does not take ${step.name}: ${words}${ofKeys ? unverifiable(state, ROLE_RELEASE) : ""}`,
    next: ofKeys
      ? `offer it a release first that enough of ${list} have signed, with a sequence number above ${higher(big(state.floor), after)}${state.store ? ", and that brings it the newest trust file (firmseal rotate bridge)" : ""}`
      : refusalHint(code).replace(/\.$/, ""),
  };
}

/** It has not the newest trust file of its line, or not the one that was to come. */
function behind(state: State, walked: readonly Played[], today: TrustStore, highest: bigint): Outcome | undefined {
  if (!state.store) return undefined;
  const own = formatSequence(state.store.sequence);
  const last = walked.findLast((p) => p.brought || ("trust" in p.step && p.fit === "addressed"));
  const code = last?.brought ? last.brought.code : (last?.code ?? 0);
  const kept =
    code !== 0 && code !== errors.TRUST_ROLLBACK ? `: ${last?.step.name} brings one that it refuses, ${refusalMeaning(code)}` : "";
  const isOld = big(state.store.sequence) < big(today.sequence);
  if (!isOld && kept === "") return undefined;
  const passed = walked.findLast((p) => p.fit === "passed");
  const reason =
    kept !== ""
      ? kept
      : walked.every((p) => p.fit === "not addressed")
        ? ": no step is for it"
        : passed
          ? `: it has passed ${passed.step.name}`
          : "";
  return {
    verdict: "behind",
    why: `it keeps trust file ${own}${isOld ? `, and ${formatSequence(today.sequence)} is the newest` : ""}${reason}`,
    next: `bring it trust file ${formatSequence(today.sequence)} with a release that is good under both, and has a sequence number above ${highest} (firmseal rotate bridge)`,
  };
}

function outcome(
  { first: cohort, highest }: Group,
  walked: readonly Played[],
  state: State,
  today: TrustStore | null,
  gone: Gone,
): Outcome & { exposed: Exposed } {
  const isFor = walked.filter((p) => p.fit !== "not addressed");
  const after = isFor.reduce((high, { step }) => ("envelope" in step ? higher(high, step.sequence) : high), 0n);
  const last = isFor.at(-1);
  const exposed = exposure(state, gone.stolen, cohort.floors);
  const found = (): Outcome => {
    if (last && last.fit === "addressed" && last.code !== 0 && "envelope" in last.step) return refused(last, after);
    const dark = isFor.find((p) => p.fit === "addressed" && p.code === 0 && !p.starts);
    if (dark)
      return {
        verdict: "stranded",
        why: `has nothing to start after ${dark.step.name}: the release has no image`,
        next: 'make the release with an image, or say in the fleet file that they start their image by something else: "start": "own"',
      };
    const reached = reach(state, today, higher(big(state.floor), after), gone);
    if (reached.verdict !== "moved") return { ...reached };
    const stolen = exposedWords(exposed);
    if (stolen !== "")
      return {
        verdict: "exposed",
        why: `the stolen keys alone can sign ${stolen} for it`,
        next: `bring it a trust file without them, before the thief reaches it, with a sequence number above ${higher(highest, after)}`,
      };
    const late = today && behind(state, walked, today, higher(highest, after));
    if (late) return late;
    if (!last) return { verdict: "unaffected", why: "no step is for it", next: null };
    if (last.fit === "passed") return { verdict: "ahead", why: `it has passed ${last.step.name}`, next: null };
    const assumed = walked.find((p) => p.assumed);
    if (assumed)
      return {
        verdict: "moved",
        why: `${assumed.step.name} is taken over if the release that they run is good under it, and the fleet file does not name that`,
        next: 'name the release that they run in the fleet file: "release"',
      };
    return { verdict: "moved", why: null, next: null };
  };
  return { ...found(), exposed };
}

function stepResults(walked: readonly Played[], before: State, today: TrustStore | null, gone: Gone): StepResult[] {
  let store = before.store;
  return walked.map(({ step, fit, code, state, brought }) => {
    const isNew = state.store !== store && !(state.store && store && equalBytes(state.store.payload, store.payload));
    store = state.store;
    return {
      step: step.name,
      fit,
      code,
      trust: isNew && state.store ? formatSequence(state.store.sequence) : null,
      trustCode: brought?.code ?? 0,
      left: margins(state, today, big(state.floor), gone),
    };
  });
}

const numberOf = (store: TrustStore | null) => store && formatSequence(store.sequence);

/** A cohort that is offered nothing, and what is known of it. */
export function standing(cohort: Cohort, found: Outcome, newest: TrustStore | null, after: bigint, gone: Gone): CohortResult {
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
    left: margins({ model, store: model.store }, newest, after, gone),
    exposed: exposure({ model, store: model.store, floor }, gone.stolen, floors),
    ...found,
  };
}

/**
 * Offers `steps` in order to every cohort. Cohorts in one state are one result. Throws a Failure where two trust files contradict each other, or there are
 * too many states.
 */
export function plan(
  fleet: readonly Cohort[],
  steps: readonly PlannedStep[],
  gone: Gone,
  others: readonly TrustStore[] = [],
): CohortResult[] {
  // with the keys of every algorithm: those of the device are counted by what it reads itself
  const stores = [...storesOf(fleet), ...others, ...carriedStores(steps)];
  const groups = statesOf(fleet, steps, stores);
  const walks = groups.map(({ first }) => walk(first, steps));
  const newestIn = newest([...stores, ...walks.flatMap(broughtStores)]);
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
      left: results.at(-1)?.left ?? margins(state, today, big(state.floor), gone),
      ...outcome(group, walked, state, today, gone),
    };
  });
}

export function sums(results: readonly CohortResult[]): { [verdict in Verdict]: number } & { total: number } {
  const out = { total: 0, ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) } as { [verdict in Verdict]: number } & {
    total: number;
  };
  for (const { verdict, devices } of results) {
    out.total += devices;
    out[verdict] += devices;
  }
  return out;
}
