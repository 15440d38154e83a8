import { createHash } from "node:crypto";

/** This many mutants of a sample are tried, even when its time is over. */
export const LEAST = 25;

/** Why a mutant has no verdict whose turn came when the time was over. */
export const NO_TIME = "no time left";

/** Whether a mutant is in the sample: FIRMSEAL_MUTANTS_SAMPLE is the share and a seed; unset, all are. */
export function sampled(id) {
  const [share, seed] = (process.env.FIRMSEAL_MUTANTS_SAMPLE ?? "").split(" ");
  if (!share) return true;
  return createHash("sha256").update(`${seed} ${id}`).digest().readUInt32BE(0) < Number(share) * 2 ** 32;
}
