// Lists, releases and fleets of a few cohorts, for the tests of rotate.

import { Place } from "../../../test-support/src/command-line/run.js";
import { imageOf, key, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";

export const { A, B, C, D, R1, R2, R3, R4 } = keysOf("A", "B", "C", "D", "R1", "R2", "R3", "R4");

export interface CohortText {
  name: string;
  devices: number;
  trust: string;
  vendor?: string;
  class?: string;
  floor: number | string;
  algorithms?: string[];
}

export const fleetText = (...cohorts: CohortText[]) =>
  JSON.stringify({ cohorts: cohorts.map((c) => ({ vendor: "example.com", class: "board-v2", ...c })) });

export const old = { name: "old", devices: 4000, trust: "t1.trust", floor: 10 };

export const current = { name: "current", devices: 6000, trust: "t2.trust", floor: 20 };

/** The lists, releases and fleets that the tests begin with. */
export async function rotationPlace(): Promise<Place> {
  const p = new Place();
  p.putKeys({ A, B, C, D, R1, R2, R3, R4 });
  const T1 = await trustFileOf(1, { releases: [A, B], roots: [R1, R2, R3] });
  const T2 = await trustFileOf(2, { releases: [A, B, C], roots: [R1, R2, R3] }, T1);
  // A is retired
  const T3 = await trustFileOf(3, { releases: [B, C], roots: [R1, R2, R3] }, T2);
  p.put("t1.trust", T1);
  p.put("t2.trust", T2);
  p.put("t3.trust", T3);
  p.put("fork.trust", await trustFileOf(2, { releases: [A, B, D], roots: [R1, R2, R3] }, T1));
  p.put("one.trust", await trustFileOf(1, { releases: [A, B, C], threshold: 1, roots: [R1, R2, R3] }));
  p.put("other.trust", await trustFileOf(9, { releases: [A, B], roots: [R1, R2] }, undefined, "another line"));
  p.put("foreign.trust", await trustFileOf(3, { releases: [B, D], roots: [R4, key("R5")] }));
  p.put("app.bin", imageOf("app"));
  const facts = { class: "board-v2", image: imageOf("app") } as const;
  p.put("bridge2.suit", await release({ ...facts, sequence: 20, keys: [A, B], trust: T2 }));
  p.put("bridge3.suit", await release({ ...facts, sequence: 30, keys: [A, B, C], trust: T3 }));
  p.put("r31.suit", await release({ ...facts, sequence: 31, keys: [B, C] }));
  p.put("v3.suit", await release({ ...facts, class: "board-v3", sequence: 31, keys: [B, C] }));
  p.put("fleet.json", fleetText(old, current));
  p.put("weak.json", fleetText({ name: "weak", devices: 7, trust: "one.trust", floor: 10 }));
  return p;
}

export const steps = (...list: string[]) => list.flatMap((name) => ["--release", name]);

/** Plans the update of the fleet in fleet.json. */
export const planIn = (p: Place, ...args: string[]) => p.run(["rotate", "plan", "--fleet", "fleet.json", ...args]);
