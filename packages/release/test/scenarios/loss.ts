// Scenarios of roots that are lost.

import type { Scenario } from "./fleet.js";
import { BOARD, history, now } from "./planned.js";
import { all, list } from "./world.js";

const others = { class: "board-v3" };

/** One of three roots is lost; two must sign. */
export async function oneRootLost(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [R1, R2, R3, R4] = all("R1", "R2", "R3", "R4");
  const [A, B, C] = all("A", "B", "C");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root: [R1, R3, R4], release: [A, B, C], after: [T1] });
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 4 },
      { ...BOARD, name: "v3, without a step", classes: ["board-v3"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.3, { by: [B, C], brings: T2.bytes }, 15, 25)),
      ...(await history(0.5, { by: [A, B], brings: T1.bytes, ...others }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(20, [A, C], T2.bytes), await now(21, [A, B], T2.bytes)],
    lists: [T1, T2],
    lost: [R2],
  };
}

/** Two of three roots are lost, or two of five. */
export async function twoRootsLost(): Promise<Scenario> {
  const three = all("R1", "R2", "R3");
  const five = all("R1", "R2", "R3", "R4", "R5");
  const [, R2, R3] = three;
  const [A, B, C] = all("A", "B", "C");
  const few = await list({ sequence: 1, root: three, release: [A, B, C] });
  const many = await list({ sequence: 1, name: "camera", root: five, release: [A, B, C] });
  return {
    kinds: [
      { ...BOARD, name: "three roots", first: few, share: 3 },
      { ...BOARD, name: "five roots", classes: ["camera"], first: many, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: few.bytes }, 10, 11, 12, 13, 14, 15)),
      ...(await history(0.5, { by: [A, B], brings: many.bytes, class: "camera" }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(20, [A, C], few.bytes), await now(20, [A, C], many.bytes, { class: "camera" })],
    lists: [few, many],
    lost: [R2, R3],
  };
}

/** All roots are lost, and a release key with them. */
export async function allRootsLost(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C] = all("A", "B", "C");
  const board = await list({ sequence: 1, root, release: [A, B, C] });
  const pair = await list({ sequence: 1, name: "camera", root, release: [A, B] });
  return {
    kinds: [
      { ...BOARD, name: "a key to spare", first: board, share: 3 },
      { ...BOARD, name: "no key to spare", classes: ["camera"], first: pair, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: board.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A, B], brings: pair.bytes, class: "camera" }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(20, [B, C], board.bytes)],
    lists: [board, pair],
    lost: [...root, A],
  };
}
