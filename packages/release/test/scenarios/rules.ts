// Scenarios of lists with more rules than thresholds: families of algorithms, and limits on jumps.

import type { Scenario } from "./fleet.js";
import { BOARD, history, now } from "./planned.js";
import { all, hssKey, type Key, type List, list } from "./world.js";

const others = { class: "camera" };
/** Devices whose verifier has both algorithms, and devices that do not count the family of the second one. */
const kinds = (first: List) => [
  { ...BOARD, name: "both algorithms", first, algorithms: ["ed25519", "hsslms"] as const, share: 3 },
  { ...BOARD, name: "Ed25519 only", classes: ["camera"], first, algorithms: ["ed25519"] as const, share: 2 },
];

const pastOf = async (first: List, by: readonly Key[], byEd25519: readonly Key[]) => [
  ...(await history(0.5, { by, brings: first.bytes }, 10, 11, 12)),
  ...(await history(0.5, { by: byEd25519, brings: first.bytes, ...others }, 10, 11, 12)),
];

/** Two release keys must sign, one of them of the family HSS/LMS. Its only key is lost. */
export async function familyKeyLost(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C] = all("A", "B", "C");
  const H = hssKey("of the family");
  const families = {
    release: [
      { algorithms: ["ed25519"] as const, threshold: 1 },
      { algorithms: ["hsslms"] as const, threshold: 1 },
    ],
  };
  const T1 = await list({ sequence: 1, root, release: [A, B, C, H], families });
  return {
    kinds: kinds(T1),
    past: await pastOf(T1, [A, B, H], [A, B]),
    steps: [await now(20, [A, B, H], T1.bytes), await now(20, [A, B], T1.bytes, others)],
    lists: [T1],
    lost: [H],
  };
}

/** Two roots must sign, one of them of the family HSS/LMS. Its only root is lost. */
export async function familyRootLost(): Promise<Scenario> {
  const ed = all("R1", "R2", "R3");
  const H = hssKey("of the family");
  const [A, B, C] = all("A", "B", "C");
  const families = { root: [{ algorithms: ["hsslms"] as const, threshold: 1 }] };
  const T1 = await list({ sequence: 1, root: [...ed, H], release: [A, B, C], families });
  return {
    kinds: kinds(T1),
    past: await pastOf(T1, [A, B], [A, B]),
    steps: [await now(20, [A, C], T1.bytes), await now(20, [A, C], T1.bytes, others)],
    lists: [T1],
    lost: [H],
  };
}

/** A thief has two release keys of one family, and none of the other. */
export async function familyStolen(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C] = all("A", "B", "C");
  const H = hssKey("of the family");
  const families = { release: [{ algorithms: ["hsslms"] as const, threshold: 1 }] };
  const T1 = await list({ sequence: 1, root, release: [A, B, C, H], families });
  return {
    kinds: kinds(T1),
    past: await pastOf(T1, [A, B, H], [A, B]),
    steps: [await now(20, [A, C, H], T1.bytes), await now(20, [A, C], T1.bytes, others)],
    lists: [T1],
    stolen: [A, B],
  };
}

/** A device accepts at most 100 numbers above its floor. Some devices are too far below the release. */
export async function longJump(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C] = all("A", "B", "C");
  const T1 = await list({ sequence: 1, root, release: [A, B, C], jumps: { release: 100n } });
  return {
    kinds: [{ ...BOARD, name: "board", first: T1, share: 1 }],
    past: await history(0.5, { by: [A, B], brings: T1.bytes }, 4400, 4480, 4560, 4600),
    steps: [await now(4650, [A, C], T1.bytes)],
    lists: [T1],
  };
}
