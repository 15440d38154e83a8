import { carriedStores, keySet, namedKeys, type PlannedRelease, plan as planFor, readFleet, readRelease } from "@firmseal/release";
import { define, option } from "../../command.js";
import { cohortFacts, cohortWords, strandedRefusal, warnOfRest } from "../../common/cohorts.js";
import { allowStranded } from "../../common/options.js";
import { COHORTS } from "../../common/shapes.js";
import { Refused } from "../../show/render.js";

export interface PlanOptions {
  fleet: string;
  release: string[];
  lost?: string[];
  stolen?: string[];
  allowStranded?: string[];
  json?: boolean;
}

/** What becomes of each cohort of a fleet that is offered releases in order. Nothing is written. */
async function plan(o: PlanOptions) {
  const fleet = readFleet(o.fleet);
  const releases: PlannedRelease[] = [];
  for (const path of o.release) releases.push(await readRelease(path));
  const stores = [...fleet.map((c) => c.trust.store), ...carriedStores(releases)];
  const lost = keySet(await namedKeys(o.lost ?? [], "--lost", stores));
  const stolen = keySet(await namedKeys(o.stolen ?? [], "--stolen", stores));
  const results = planFor(fleet, releases, { lost, stolen });
  const allowed = o.allowStranded ?? [];
  warnOfRest(results);
  const told = cohortFacts(results, allowed);
  const failure = strandedRefusal(results, allowed);
  if (failure) throw new Refused(failure, told);
  return told;
}

export default define({
  name: "rotate plan",
  summary: "tell what becomes of each cohort of a fleet that is offered these releases in order",
  options: () => [
    option("--fleet <file>", "the devices in the field (JSON)", { required: true }),
    option("--release <envelope>", "a release that is offered; in order", { repeat: true, required: true }),
    option("--lost <key>", "a key that can no longer sign", { repeat: true }),
    option("--stolen <key>", "a key that somebody else has", { repeat: true }),
    allowStranded(),
  ],
  examples: [
    ["firmseal rotate plan --fleet fleet.json --release bridge.suit --release new.suit", "two releases, one after the other"],
    ["firmseal rotate plan --fleet fleet.json --release new.suit --stolen old.jwk", "what a thief of a key can still sign"],
  ],
  json: COHORTS,
  run: plan,
  words: cohortWords,
});
