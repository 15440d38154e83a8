// Releases of some boards, which separate jobs have made, become one release of all boards. Nothing is signed.

import type { ReleasePlan } from "../plan.js";
import { type DoneRelease, Round } from "./round.js";

/**
 * Writes the release that releases of some boards become. The keys that signed one of them must have signed the others.
 * Its devices and lint judge it as a whole. The power cuts of each board were tried by the job that released it.
 *
 * @param plan - From planJoin().
 * @returns The release, and who still has to sign it.
 * @throws Failures: signatures that one board has and the others do not have, LINT, and the refusals of devices.
 */
export async function joinReleases(plan: ReleasePlan): Promise<DoneRelease> {
  const round = await Round.begin(plan, []);
  for (const [i, draft] of round.before.entries()) await round.judge(draft, i, []);
  for (const [i, draft] of round.before.entries()) if (round.isComplete) round.refuseOnDevices(draft, i);
  return await round.write(round.before, [], []);
}
