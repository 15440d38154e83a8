// Devices that have answered and are behind: what is published is for them, or their trust file is not the newest. One
// that stays so is frozen: somebody on the way may keep it from hearing of newer releases.

import { formatSequence } from "@firmseal/verifier/tools";
import { bigSequence } from "../input/sequence.js";
import { cohortsOf } from "../rotation/fleet.js";
import type { FleetMembers } from "../rotation/fleet-write.js";
import { whatNext } from "../rotation/next.js";
import type { PlannedStep } from "../rotation/plan/steps.js";
import type { Newest } from "../trust/quorum.js";

/** Devices in one state. */
export interface BehindDevices {
  readonly names: readonly string[];
  /** Those that have been in this state for too long. */
  readonly frozen: readonly string[];
  /** The number of their trust file, and of the newest one of their product line; null with keys in the firmware. */
  readonly trust: string | null;
  readonly newest: string | null;
  readonly floor: { readonly lowest: string; readonly highest: string };
  /** The file of the archive that they need next; null if none of it is for them. */
  readonly next: string | null;
  /** When the first of them entered this state. */
  readonly since: string;
}

/**
 * The devices of `heard` that are behind. `archive`: what is published. `frozen`: a time; who has not moved since
 * before is frozen.
 */
export async function behindOf(
  path: string,
  heard: ReadonlyMap<string, FleetMembers>,
  archive: readonly PlannedStep[],
  newestIn: Newest,
  frozen: number,
): Promise<BehindDevices[]> {
  if (heard.size === 0) return [];
  const rows = [...heard.values()].map((value, i) => ({ where: `row ${i + 1}`, value }));
  const cohorts = await cohortsOf(path, rows);
  const models = new Map(cohorts.map(({ name, model }) => [name, model]));
  const sinceOf = (name: string) => String(heard.get(name)?.["since"]);
  const out: BehindDevices[] = [];
  for (const { name, names, trust, floor, path: steps } of whatNext(cohorts, archive)) {
    const store = models.get(name)?.store ?? null;
    const today = store && newestIn(store);
    const isOld = store !== null && today !== null && bigSequence(store.sequence) < bigSequence(today.sequence);
    if (steps.length === 0 && !isOld) continue;
    const dates = names.map((one) => ({ one, since: sinceOf(one), at: Date.parse(sinceOf(one)) }));
    out.push({
      names,
      frozen: dates.filter(({ at }) => at < frozen).map(({ one }) => one),
      trust: trust.before,
      newest: today && formatSequence(today.sequence),
      floor,
      next: steps[0] ?? null,
      since: dates.reduce((a, b) => (b.at < a.at ? b : a)).since,
    });
  }
  return out;
}
