import { carriedStores, keySet, namedKeys, plan as planFor, readFleet, readStep, type Step } from "@firmseal/release";
import { define, option } from "../../command.js";
import { COHORTS, cohortWords, facts, strandedRefusal, warnOfRest } from "../../common/cohorts.js";
import { allowStranded } from "../../common/options.js";
import { Refused } from "../../show/render.js";

export interface PlanOptions {
  fleet: string;
  step: string[];
  lost?: string[];
  stolen?: string[];
  allowStranded?: string[];
  json?: boolean;
}

/** What becomes of each cohort of a fleet that is offered releases in order. Nothing is written. */
async function plan(o: PlanOptions) {
  const fleet = readFleet(o.fleet);
  const steps: Step[] = [];
  for (const path of o.step) steps.push(await readStep(path));
  const stores = [...fleet.map((c) => c.trust.store), ...carriedStores(steps)];
  const lost = keySet(await namedKeys(o.lost ?? [], "--lost", stores));
  const stolen = keySet(await namedKeys(o.stolen ?? [], "--stolen", stores));
  const results = planFor(fleet, steps, { lost, stolen });
  const allowed = o.allowStranded ?? [];
  warnOfRest(results);
  const told = facts(results, allowed);
  const failure = strandedRefusal(results, allowed);
  if (failure) throw new Refused(failure, told);
  return told;
}

export default define({
  name: "rotate plan",
  summary: "tell what becomes of each cohort of a fleet that is offered these releases in order",
  options: () => [
    option("--fleet <file>", "the devices in the field (JSON)", { required: true }),
    option("--step <envelope>", "a release that is offered; in order", { repeat: true, required: true }),
    option("--lost <key>", "a key that can no longer sign", { repeat: true }),
    option("--stolen <key>", "a key that somebody else has", { repeat: true }),
    allowStranded(),
  ],
  examples: [
    ["firmseal rotate plan --fleet fleet.json --step bridge.suit --step new.suit", "two releases, one after the other"],
    ["firmseal rotate plan --fleet fleet.json --step new.suit --stolen old.jwk", "what a thief of a key can still sign"],
  ],
  json: COHORTS,
  run: plan,
  words: cohortWords,
});
