import { carriedStores, keySet, namedKeys, plan as planFor, readFleet, readStep, type Step } from "@firmseal/release";
import { facts, refuseStranded, tell, warnOfRest } from "../../common/cohorts.js";
import { json } from "../../show/ui.js";
import { bridge as bridgeTo } from "./bridge.js";

export interface PlanOptions {
  fleet: string;
  step: string[];
  lost?: string[];
  stolen?: string[];
  allowStranded?: string[];
  json?: boolean;
}

/** Says what becomes of each cohort of a fleet when it is offered releases in order. Nothing is written. */
export async function plan(o: PlanOptions): Promise<void> {
  const fleet = readFleet(o.fleet);
  const steps: Step[] = [];
  for (const path of o.step) steps.push(await readStep(path));
  const stores = [...fleet.map((c) => c.trust.store), ...carriedStores(steps)];
  const lost = keySet(await namedKeys(o.lost ?? [], "--lost", stores));
  const stolen = keySet(await namedKeys(o.stolen ?? [], "--stolen", stores));
  const results = planFor(fleet, steps, { lost, stolen });
  const allowed = o.allowStranded ?? [];
  if (!o.json) tell(results);
  warnOfRest(results);
  refuseStranded(results, allowed);
  if (o.json) json({ ok: true, code: 0, reason: "OK", ...facts(results, allowed) });
}

export { retire } from "./retire.js";
export { bridgeTo as bridge };
