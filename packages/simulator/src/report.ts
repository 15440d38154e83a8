// What a simulation finds: a verdict on each cut, and their sums.

/** What starts: the release before, the new one, no one, or something that is neither. */
export type Boots = "old" | "new" | "none" | "mixed";

export interface StartVerdict {
  /** What starts after the cut, and why nothing does. */
  boots: Boots;
  fault?: string;
  /** null: the device could not even be asked. */
  floor: string | null;
  /** Whether the floor is lower than it was. */
  floorFell: boolean;
  /** Whether the update is there, and starts, when it is installed again; and what went wrong where not. */
  converges: boolean;
  stuck?: string;
}

/** Verdicts in numbers. */
export interface Tally {
  cuts: number;
  old: number;
  new: number;
  none: number;
  mixed: number;
  floorFell: number;
  stuck: number;
}

export interface CutPoint extends StartVerdict {
  operation: number;
  what: string;
  tear: string;
  /** The cuts during the recovery from this one. */
  again: Tally;
}

/** A cut that must not end as it does. `again`: the second one, during recovery. */
export interface Fault extends StartVerdict {
  operation: number;
  what: string;
  tear: string;
  again?: { operation: number; what: string; tear: string };
}

export interface Report {
  cuts: number;
  cutsDuringRecovery: number;
  /** Cuts during recovery that were left out, because the caller said so. */
  leftOut: number;
  /** Different courses that were really run; the other cuts agree with one of them in everything that the device looked at. */
  courses: number;
  points: CutPoint[];
  /** The first of them; `faultCount` is how many there are. */
  faults: Fault[];
  faultCount: number;
}

/** The verdict alone, of what knows more. */
export function verdictOf({ boots, fault, floor, floorFell, converges, stuck }: StartVerdict): StartVerdict {
  return { boots, ...(fault !== undefined && { fault }), floor, floorFell, converges, ...(stuck !== undefined && { stuck }) };
}

export function isFault(v: StartVerdict): boolean {
  return v.boots === "none" || v.boots === "mixed" || v.floorFell || !v.converges;
}

export function tally(): Tally {
  return { cuts: 0, old: 0, new: 0, none: 0, mixed: 0, floorFell: 0, stuck: 0 };
}

export function countPoint(t: Tally, v: StartVerdict): void {
  t.cuts++;
  t[v.boots]++;
  if (v.floorFell) t.floorFell++;
  if (!v.converges) t.stuck++;
}

/** Adds `b` to `a`. */
export function addTally(a: Tally, b: Tally): void {
  for (const name of Object.keys(a) as (keyof Tally)[]) a[name] += b[name];
}
