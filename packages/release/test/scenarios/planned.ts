// Scenarios in which nobody does harm: planned rotations, and roots of another algorithm.

import { VENDOR } from "../../../test-support/src/rotation-world.js";
import { type Offer, type Past, published, type Scenario } from "./fleet.js";
import { all, hssKey, type Key, list, type ReleaseFacts } from "./world.js";

export const BOARD = { vendors: [VENDOR], classes: ["board-v2"] };

/** Releases of the past, of which a device has taken some. */
export async function history(chance: number, facts: Omit<ReleaseFacts, "sequence">, ...numbers: number[]): Promise<Past[]> {
  const out: Past[] = [];
  for (const sequence of numbers) {
    const name = `${sequence} ${facts.class ?? "board-v2"}`;
    out.push({ ...(await published(name, { ...facts, sequence, image: name })), chance });
  }
  return out;
}

/** A release that is offered now. */
export async function now(sequence: number, by: readonly Key[], brings?: Uint8Array, more: Partial<ReleaseFacts> = {}): Promise<Offer> {
  const name = `${sequence} ${more.vendor ?? ""} ${more.class ?? "board-v2"}`;
  return published(name, { sequence, by, image: name, brings, ...more });
}

/** Three generations of release keys. Some devices were away for a year and have the first list only. */
export async function threeGenerations(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, D, E, F] = all("A", "B", "C", "D", "E", "F");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [B, C, D], after: [T1] });
  const T3 = await list({ sequence: 3, root, release: [C, D, E], after: [T2] });
  const T4 = await list({ sequence: 4, root, release: [D, E, F], after: [T3] });
  const chain = Buffer.concat([T1, T2, T3, T4].map(({ bytes }) => bytes));
  const past: Past[] = [];
  for (const name of ["board-v2", "board-v3"])
    past.push(
      ...(await history(0.5, { class: name, by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.4, { class: name, by: [B, C], brings: T2.bytes }, 20)),
      ...(await history(0.4, { class: name, by: [C, D], brings: T2.bytes }, 21)),
      ...(await history(0.4, { class: name, by: [C, D], brings: T3.bytes }, 30)),
      ...(await history(0.4, { class: name, by: [D, E], brings: T3.bytes }, 31, 32)),
      ...(await history(0.1, { class: name, by: [D, E], brings: T4.bytes }, 45)),
    );
  const v3 = { class: "board-v3" };
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 6 },
      { ...BOARD, name: "v3", classes: ["board-v3"], first: T1, share: 2 },
      { ...BOARD, name: "without Ed25519", algorithms: ["es256"], first: T1, share: 1 },
    ],
    past,
    // who was away knows A, B and C
    steps: [
      await now(40, [A, B, D, E], chain),
      await now(40, [A, B, D, E], chain, v3),
      await now(41, [D, F], T4.bytes),
      await now(41, [D, F], T4.bytes, v3),
    ],
    lists: [T1, T2, T3, T4],
    have: [A, B],
  };
}

/** The same without the chain: who was away has never heard of the keys that sign today. */
export async function withoutTheBridge(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, D, E] = all("A", "B", "C", "D", "E");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [C, D, E], after: [T1] });
  const alone = { image: undefined };
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 5 },
      { ...BOARD, name: "no image in the bridge", classes: ["board-v3"], first: T1, share: 2 },
      { ...BOARD, name: "no step", classes: ["board-v4"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.4, { by: [A, B, D, E], brings: T2.bytes }, 20)),
      ...(await history(0.4, { by: [D, E], brings: T2.bytes }, 21, 22)),
      ...(await history(0.5, { by: [A, B], class: "board-v3" }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A, B], class: "board-v4" }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(31, [D, E], T2.bytes), await now(30, [A, B, D, E], T2.bytes, { class: "board-v3", ...alone })],
    lists: [T1, T2],
  };
}

/** Roots move to HSS/LMS in two steps. Devices that lack the algorithm stay behind the second. */
async function hashRoots(back: boolean): Promise<Scenario> {
  const classic = all("R1", "R2", "R3");
  const [R1, R2] = classic;
  const later = all("R4", "R5", "R6");
  const hash = ["H1", "H2", "H3"].map(hssKey);
  const [H1, H2] = hash as [Key, Key];
  const release = all("A", "B", "C");
  const [A, B] = release;
  const T1 = await list({ sequence: 1, root: classic, release });
  const T2 = await list({ sequence: 2, root: [...classic, ...hash], release, after: [T1] });
  const T3 = await list({ sequence: 3, root: hash, release, after: [T2], by: [...hash, R1, R2] });
  const lists = [T1, T2, T3];
  const steps = [await now(20, [A, B], T2.bytes), await now(30, [A, B], T3.bytes)];
  if (back) {
    // every available root signs, so that devices with any of the lists before may take it
    const T4 = await list({ sequence: 4, root: later, release, after: [T3, T2], by: [R1, R2, H1, H2, ...later] });
    lists.push(T4);
    steps.push(await now(40, [A, B], T4.bytes));
  }
  return {
    kinds: [
      { ...BOARD, name: "with HSS/LMS", algorithms: ["ed25519", "hsslms"], first: T1, share: 3 },
      { ...BOARD, name: "without HSS/LMS", algorithms: ["ed25519"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.4, { by: [A, B], brings: T2.bytes }, 15, 16)),
    ],
    steps,
    lists,
  };
}

export const rootsToHash = () => hashRoots(false);
export const rootsBack = () => hashRoots(true);
