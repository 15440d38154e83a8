// Runs a scenario: compares what the plan says about each device with what happens to a device in the same state.

import { nodeHost } from "@firmseal/simulator";
import { type Anchor, open } from "@firmseal/verifier";
import { equalBytes, looksLikeTrustFile } from "@firmseal/verifier/tools";
import { randoms } from "../../../test-support/src/randoms.js";
import type { Cohort } from "../../src/rotation/model.js";
import { type CohortResult, planSteps } from "../../src/rotation/plan/plan.js";
import { type PlannedStep, stepOf } from "../../src/rotation/plan/steps.js";
import type { Verdict } from "../../src/rotation/plan/verdict.js";
import { selfSignedTrust } from "../../src/trust/chain.js";
import { type Fleet, fleetOf, offer, type Scenario, type State, statesOf } from "./fleet.js";
import { type Exposure, Judge, type Outcome, ROLES } from "./judge.js";
import type { Key } from "./world.js";

export interface Report {
  readonly devices: number;
  readonly states: number;
  /** What the plan says, by the number of devices. */
  readonly verdicts: { readonly [verdict in Verdict]?: number };
  /** What somebody says who looks at signatures alone, and of how many devices that is not so. */
  readonly naive: { readonly says: readonly Verdict[]; readonly wrong: number };
  /** Devices for which the plan is wrong. */
  readonly wrong: readonly string[];
  /** Devices that take something of the thief's, though the plan does not call them exposed. */
  readonly fooled: readonly string[];
  /** Devices that the plan calls exposed, though they take nothing that the thief can make. */
  readonly alarmed: readonly string[];
  /** How many devices are exposed before the steps, and after them. */
  readonly exposed: { readonly before: number; readonly after: number };
}

interface Truth {
  readonly before: Exposure;
  readonly outcomes: readonly Outcome[];
  /** What has leaked is installed on a device that it was not made for. */
  readonly leaked: boolean;
  readonly naive: Verdict;
}

const setOf = (keys: readonly Key[] | undefined) => new Set((keys ?? []).map((k) => k.hex));

function byName(results: readonly CohortResult[]): Map<string, CohortResult> {
  return new Map(results.flatMap((r) => r.names.map((name) => [name, r] as const)));
}

/** Who looks at signatures alone: a release is installed if enough keys of the list have signed, and the list that it carries is taken. */
function naiveVerdict({ device }: State, { steps, lists }: Scenario): Verdict {
  let store = selfSignedTrust(device.kept);
  let verdict: Verdict = "moved";
  for (const { bytes } of steps) {
    if (looksLikeTrustFile(bytes)) continue;
    const anchors = store.anchors
      .filter((a) => a.roles.includes(2))
      .map(({ alg, key, kid }) => ({ alg, key, ...(kid && { kid }) }) as Anchor);
    try {
      open(bytes, { anchors, threshold: store.thresholds[2] as number }, nodeHost);
    } catch {
      verdict = "stranded";
      continue;
    }
    verdict = "moved";
    const text = Buffer.from(bytes);
    for (const l of lists) if (equalBytes(l.store.name, store.name) && text.includes(Buffer.from(l.bytes))) store = l.store;
  }
  return verdict;
}

const FINE: readonly Verdict[] = ["moved", "ahead", "unaffected"];

async function truthOf(state: State, s: Scenario, judge: Judge, random: () => number): Promise<Truth> {
  const cuts = () => (["writing", "before keeping", "none"] as const)[Math.floor(random() * 3)] ?? "none";
  return {
    before: await judge.exposure(state, state.device),
    // the power may fail at any step
    outcomes: [await judge.outcome(state, () => "none"), await judge.outcome(state, cuts)],
    leaked: (s.leaked ?? []).some((l) => !l.kinds.includes(state.kind.name) && offer(state.device.twin(), l)),
    naive: naiveVerdict(state, s),
  };
}

/** What is not as it was planned. */
function faults(
  cohort: Cohort,
  state: State,
  first: CohortResult,
  result: CohortResult,
  truth: Truth,
): Pick<Report, "wrong" | "fooled" | "alarmed"> {
  const out = { wrong: [] as string[], fooled: [] as string[], alarmed: [] as string[] };
  const where = `${cohort.name} (${state.kind.name}, trust file ${result.trust.before}, floor ${result.floor.lowest})`;
  const took = result.steps.map(({ fit, code }) => fit === "addressed" && code === 0);
  const told = [result.verdict, took, result.trust.after].join();
  // the row does not name the release that runs, and the plan says what it has assumed
  const isAssumed = cohort.model.release === null && result.assumes !== null;
  for (const { verdict, took: real, trust } of truth.outcomes) {
    const found = [verdict, real, trust].join();
    if (told !== found && !isAssumed) out.wrong.push(`${where}: planned ${told}, and it is ${found}; ${result.why}`);
  }
  for (const [said, is] of [[first.exposed, truth.before], ...truth.outcomes.map((o) => [result.exposed, o.exposed] as const)] as const)
    for (const role of ROLES) {
      if (is[role] && !said[role] && !isAssumed) out.fooled.push(`${where}: ${role}`);
      if (!is[role] && said[role] && !isAssumed) out.alarmed.push(`${where}: ${role}`);
    }
  if (truth.leaked) out.fooled.push(`${where}: what has leaked`);
  return out;
}

export interface Played {
  readonly s: Scenario;
  readonly states: readonly State[];
  /** The devices, and the state of each. */
  readonly fleet: Fleet;
  readonly truths: ReadonlyMap<State, Truth>;
}

/** What happens to each state of a fleet. */
export async function play(s: Scenario, devices: number, seed: number): Promise<Played> {
  const random = randoms(seed);
  const states = statesOf(s, random);
  return playFleet(s, states, fleetOf(states, devices, random), random);
}

/** Like play(), for a given fleet. */
export async function playFleet(s: Scenario, states: readonly State[], fleet: Played["fleet"], random: () => number): Promise<Played> {
  const judge = new Judge(s);
  const truths = new Map<State, Truth>();
  for (const state of states) truths.set(state, await truthOf(state, s, judge, random));
  return { s, states, fleet, truths };
}

/** The plan, compared with it. `planner`: another one in place of the plan, to see that a wrong one is noticed. */
export async function compare({ s, states, fleet: { rows, of }, truths }: Played, planner = planSteps): Promise<Report> {
  const steps: PlannedStep[] = [];
  for (const { name, bytes } of s.steps) steps.push(await stepOf(name, bytes));
  const gone = { lost: setOf(s.lost), stolen: setOf(s.stolen), have: setOf(s.have) };
  const stores = s.lists.map(({ store }) => store);
  const [before, after] = [byName(planner(rows, [], gone, stores)), byName(planner(rows, steps, gone, stores))];

  const verdicts: { [verdict in Verdict]?: number } = {};
  const naive = { says: new Set<Verdict>(), wrong: 0 };
  const exposed = { before: 0, after: 0 };
  const found = { wrong: [] as string[], fooled: [] as string[], alarmed: [] as string[] };
  const seen = new Map<string, ReturnType<typeof faults>>();
  for (const [i, row] of rows.entries()) {
    const state = of[i] as State;
    const truth = truths.get(state) as Truth;
    const [first, result] = [before.get(row.name), after.get(row.name)] as [CohortResult, CohortResult];
    const key = [states.indexOf(state), first.name, result.name, row.model.release === null].join(" ");
    const own = seen.get(key) ?? faults(row, state, first, result, truth);
    seen.set(key, own);
    for (const kind of ["wrong", "fooled", "alarmed"] as const) if (own[kind].length > 0) found[kind].push(own[kind].join("; "));
    verdicts[result.verdict] = (verdicts[result.verdict] ?? 0) + 1;
    naive.says.add(truth.naive);
    if (FINE.includes(truth.naive) !== FINE.includes(result.verdict)) naive.wrong++;
    if (ROLES.some((role) => truth.before[role])) exposed.before++;
    if (ROLES.some((role) => truth.outcomes[0]?.exposed[role])) exposed.after++;
  }
  return { devices: rows.length, states: states.length, verdicts, naive: { says: [...naive.says], wrong: naive.wrong }, exposed, ...found };
}
