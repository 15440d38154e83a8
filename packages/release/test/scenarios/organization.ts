// Scenarios of vendors, classes and product lines, and of a release that must be stopped.

import { identityUuids } from "@firmseal/signer";
import { VENDOR } from "../../../test-support/src/rotation-world.js";
import type { Scenario } from "./fleet.js";
import { BOARD, history, now } from "./planned.js";
import { all, type Key, list } from "./world.js";

const root = all("R1", "R2", "R3");
const classOf = (name: string, vendor = VENDOR) => ({ class: identityUuids(vendor, name).class });
const vendorOf = (vendor: string) => ({ vendor: identityUuids(vendor, "x").vendor });

/** One class becomes two, with keys of their own. A third class has been forgotten. */
export async function classSplit(): Promise<Scenario> {
  const [A, B, C, D, E] = all("A", "B", "C", "D", "E");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const scoped = [...[A, B].map((key) => ({ key, ...classOf("board-v2") })), ...[D, E].map((key) => ({ key, ...classOf("board-v3") }))];
  const T2 = await list({ sequence: 2, root, release: scoped, after: [T1] });
  const v3 = { class: "board-v3" };
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 3 },
      { ...BOARD, name: "v3", classes: ["board-v3"], first: T1, share: 3 },
      { ...BOARD, name: "both", classes: ["board-v2", "board-v3"], first: T1, share: 1 },
      { ...BOARD, name: "forgotten", classes: ["board-v1"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A, C], brings: T1.bytes, ...v3 }, 10, 12)),
      ...(await history(0.5, { by: [A, C], brings: T1.bytes, class: "board-v1" }, 10, 12)),
    ],
    steps: [
      await now(20, [A, B], T2.bytes),
      await now(21, [A, B], T2.bytes),
      await now(22, [A, B, D, E], T2.bytes, v3),
      await now(23, [D, E], T2.bytes, v3),
    ],
    lists: [T1, T2],
    stolen: [A, B],
  };
}

/** A vendor is bought. The new owner has other roots and release keys; old devices keep the old identity. */
export async function acquisition(): Promise<Scenario> {
  const later = all("R4", "R5", "R6");
  const [A, B, C, D, E] = all("A", "B", "C", "D", "E");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root: later, release: [D, E], after: [T1], by: [...root, ...later] });
  const own = { vendor: "buyer.example" };
  return {
    kinds: [
      { ...BOARD, name: "old", first: T1, share: 4 },
      { ...BOARD, name: "old, other class", classes: ["board-v3"], first: T1, share: 1 },
      { ...BOARD, name: "both names", vendors: [VENDOR, "buyer.example"], first: T1, share: 2 },
      { ...BOARD, name: "new", vendors: ["buyer.example"], first: T2, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.3, { by: [A, B], brings: T1.bytes, class: "board-v3" }, 10, 11, 12, 13, 14)),
      ...(await history(0.3, { by: [A, B, D, E], brings: T2.bytes }, 15)),
      ...(await history(0.5, { by: [D, E], brings: T2.bytes, ...own }, 16, 30)),
    ],
    steps: [await now(20, [A, B, D, E], T2.bytes), await now(21, [D, E], T2.bytes, own), await now(22, [D, E], T2.bytes)],
    lists: [T1, T2],
  };
}

/** One board under two names. Each vendor has its own keys, and those of one are stolen. */
export async function whiteLabel(): Promise<Scenario> {
  const [X1, X2, X3, X4, Y1, Y2] = all("X1", "X2", "X3", "X4", "Y1", "Y2");
  const of = (vendor: string, ...keys: Key[]) => keys.map((key) => ({ key, ...vendorOf(vendor) }));
  const T1 = await list({ sequence: 1, root, release: [...of("a.example", X1, X2), ...of("b.example", Y1, Y2)] });
  const T2 = await list({ sequence: 2, root, release: [...of("a.example", X3, X4), ...of("b.example", Y1, Y2)], after: [T1] });
  const [a, b] = [{ vendor: "a.example" }, { vendor: "b.example" }];
  return {
    kinds: [
      { ...BOARD, name: "a", vendors: ["a.example"], first: T1, share: 3 },
      { ...BOARD, name: "a, other class", vendors: ["a.example"], classes: ["board-v3"], first: T1, share: 1 },
      { ...BOARD, name: "b", vendors: ["b.example"], first: T1, share: 3 },
      { ...BOARD, name: "b, other class", vendors: ["b.example"], classes: ["board-v3"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [X1, X2], brings: T1.bytes, ...a }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [X1, X2], brings: T1.bytes, ...a, class: "board-v3" }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [Y1, Y2], brings: T1.bytes, ...b }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [Y1, Y2], brings: T1.bytes, ...b, class: "board-v3" }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(20, [X1, X2, X3, X4], T2.bytes, a), await now(21, [X3, X4], T2.bytes, a), await now(20, [Y1, Y2], T2.bytes, b)],
    lists: [T1, T2],
    stolen: [X1, X2],
  };
}

/** Release 30 is bad. A list by itself ends its keys at 29: who runs 30 cannot take it, and needs release 31 first. */
export async function emergencyStop(): Promise<Scenario> {
  const [A, B, C, D] = all("A", "B", "C", "D");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const release = [{ key: A, until: 29n }, { key: B, until: 29n }, C, D];
  const T2 = await list({ sequence: 2, root, release, after: [T1] });
  const v3 = { class: "board-v3" };
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 4 },
      { ...BOARD, name: "v3, without release 31", classes: ["board-v3"], first: T1, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 27, 28, 29, 30)),
      ...(await history(0.5, { by: [A, B], brings: T1.bytes, ...v3 }, 27, 28, 29, 30)),
    ],
    steps: [{ name: "stop.trust", bytes: T2.bytes }, await now(31, [A, C, D], T2.bytes)],
    lists: [T1, T2],
    // ended, not gone
    have: [A, B],
  };
}

/** Two product lines have the same roots, one of which is stolen. */
export async function sharedRoots(): Promise<Scenario> {
  const [, R2] = root;
  const [A, B, C, D] = all("A", "B", "C", "D");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [A, B, D], after: [T1] });
  const camera = await list({ sequence: 1, name: "camera", root, release: [A, D] });
  return {
    kinds: [
      { ...BOARD, name: "board", first: T1, share: 3 },
      { ...BOARD, name: "camera", classes: ["camera"], first: camera, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A, D], brings: camera.bytes, class: "camera" }, 10, 11, 12, 13, 14)),
    ],
    steps: [{ name: "board.trust", bytes: T2.bytes }, await now(20, [A, B], T2.bytes)],
    lists: [T1, T2, camera],
    stolen: [R2],
  };
}
