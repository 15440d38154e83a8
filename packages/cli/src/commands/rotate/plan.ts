import { LEFT_BEHIND, namedKeys, planSteps as planFor, readFleet, readSteps, secretSet, storesOf } from "@firmseal/release";
import { carriedStores, embeddedKeys } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { allowStranded, failOnVerdicts, productFile } from "../../common/options.js";
import { cohortFacts, cohortWords, faultsOf, planRefusal, warnOfRest } from "../../common/release/cohorts.js";
import { withFolders } from "../../common/release/folder-boards.js";
import { boardsOfRows, productAsked } from "../../common/release/product-names.js";
import { COHORTS } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

interface PlanOptions {
  fleet: string;
  product?: string;
  release: string[];
  have?: string[];
  lost?: string[];
  stolen?: string[];
  failOn?: string;
  allowStranded?: string[];
  json?: boolean;
}

/** Finds the outcome for each cohort of a fleet that is offered releases and trust files in order. Writes nothing. */
async function plan(o: PlanOptions) {
  const failOn = faultsOf(o.failOn, LEFT_BEHIND);
  const product = await productAsked(o.product);
  const fleet = await readFleet(o.fleet, product);
  const steps = await readSteps(await withFolders(o.release));
  const stores = [...storesOf(fleet), ...carriedStores(steps)];
  const named = async (refs: readonly string[] | undefined, name: string) =>
    secretSet(await namedKeys(refs ?? [], name, stores, embeddedKeys(fleet)));
  const gone = { have: await named(o.have, "--have"), lost: await named(o.lost, "--lost"), stolen: await named(o.stolen, "--stolen") };
  const results = planFor(fleet, steps, gone);
  const allowed = o.allowStranded ?? [];
  const failure = planRefusal(results, allowed, failOn);
  warnOfRest(results);
  const facts = cohortFacts(results, allowed, boardsOfRows(product, fleet));
  if (failure) throw new RefusedWithFacts(failure, facts);
  return facts;
}

export default define({
  name: "rotate plan",
  summary: "show what happens to each cohort of a fleet if you offer it these steps in order",
  options: () => [
    option("--fleet <file>", "the devices in the field: .json, .jsonl or .csv", { required: true }),
    productFile(),
    option("--release <path>", "a release, its folder or a trust file to offer; repeat in the order in which you offer them", {
      repeat: true,
      required: true,
    }),
    option("--have <key>", "a retired key, of any role, that you still have", { repeat: true }),
    option("--lost <key>", "a key, of any role, that can no longer sign", { repeat: true }),
    option("--stolen <key>", "a key, of any role, that somebody else has too", { repeat: true }),
    failOnVerdicts(LEFT_BEHIND),
    allowStranded(),
  ],
  examples: [
    ["firmseal rotate plan --fleet fleet.json --release bridge.suit --release new.suit", "two releases, one after the other"],
    [
      "firmseal rotate plan --fleet fleet.csv --release new.suit --stolen old.jwk --fail-on exposed",
      "which devices a thief of this key can attack",
    ],
  ],
  json: COHORTS,
  run: plan,
  words: cohortWords,
});
