// The results of a simulation: a verdict on each cut, and their sums.

/** What starts: the previous release, the new one, none, or a mixture. */
export type Boots = "old" | "new" | "none" | "mixed";

/** What a device does after a cut. */
export interface StartVerdict {
  /** What starts after the cut, and the reason if nothing does. */
  boots: Boots;
  fault?: string;
  /** The floor after the start; null if the device could not be asked. */
  floor: string | null;
  /** Whether the floor is lower than before. */
  floorFell: boolean;
  /** Whether a second installation of the update succeeds and starts; and the reason if not. */
  converges: boolean;
  stuck?: string;
}

/** Counts of verdicts. */
export interface Tally {
  cuts: number;
  old: number;
  new: number;
  none: number;
  mixed: number;
  floorFell: number;
  stuck: number;
}

/** The verdict on one cut. */
export interface CutPoint extends StartVerdict {
  /** The index of the operation that was cut, from 0. */
  operation: number;
  /** The operation, in words. */
  what: string;
  /** How far the operation got. */
  tear: string;
  /** The cuts during the recovery from this one. */
  again: Tally;
}

/** A cut with a wrong outcome. `again`: the second cut, during recovery. */
export interface CutFault extends StartVerdict {
  operation: number;
  what: string;
  tear: string;
  again?: { operation: number; what: string; tear: string };
}

/** The result of a simulation. */
export interface Report {
  /** The number of first cuts. */
  cuts: number;
  /** The number of second cuts. */
  cutsDuringRecovery: number;
  /** Cuts during recovery that were skipped at the request of the caller. */
  leftOut: number;
  /** Different courses that were executed. All other cuts agree with one of them in everything that the device read. */
  courses: number;
  /** The verdict on each first cut, in order. */
  points: CutPoint[];
  /** The first faults; `faultCount` is the number of all. */
  faults: CutFault[];
  faultCount: number;
}

/** The verdict without additional members. */
export function verdictOf({ boots, fault, floor, floorFell, converges, stuck }: StartVerdict): StartVerdict {
  return { boots, ...(fault !== undefined && { fault }), floor, floorFell, converges, ...(stuck !== undefined && { stuck }) };
}

export function isFault(v: StartVerdict): boolean {
  return v.boots === "none" || v.boots === "mixed" || v.floorFell || !v.converges;
}

/**
 * Makes new counts.
 *
 * @returns Counts of 0.
 */
export function tally(): Tally {
  return { cuts: 0, old: 0, new: 0, none: 0, mixed: 0, floorFell: 0, stuck: 0 };
}

/**
 * Adds one verdict to `t`.
 *
 * @param t - The counts.
 * @param v - The verdict.
 */
export function countPoint(t: Tally, v: StartVerdict): void {
  t.cuts++;
  t[v.boots]++;
  if (v.floorFell) t.floorFell++;
  if (!v.converges) t.stuck++;
}

/**
 * Adds `b` to `a`.
 *
 * @param a - The sum.
 * @param b - What is added.
 */
export function addTally(a: Tally, b: Tally): void {
  for (const name of Object.keys(a) as (keyof Tally)[]) a[name] += b[name];
}
