// Scenarios with a thief, who has the private keys themselves and chooses what a device receives.

import { ROLE_DEBUG } from "@firmseal/verifier/tools";
import { type Offer, published, type Scenario } from "./fleet.js";
import { BOARD, history, now } from "./planned.js";
import { all, list } from "./world.js";

const ONE = { release: 1 };

/** A release key is stolen. Where two must sign it is worth nothing; where one is enough the list must be there first. */
export async function keyStolen(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, D] = all("A", "B", "C", "D");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [B, C, D], after: [T1] });
  const weak = await list({ sequence: 1, name: "gadget", root, release: [A, B], need: ONE });
  const limited = await list({ sequence: 2, name: "gadget", root, release: [{ key: A, until: 14n }, B], need: ONE, after: [weak] });
  const without = await list({ sequence: 3, name: "gadget", root, release: [B, D], need: ONE, after: [weak, limited] });
  return {
    kinds: [
      { ...BOARD, name: "two must sign", first: T1, share: 3 },
      { ...BOARD, name: "one must sign", classes: ["gadget"], first: weak, share: 2 },
      { ...BOARD, name: "one must sign, and no step", classes: ["gadget-mini"], first: limited, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A], class: "gadget" }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A], class: "gadget-mini" }, 10, 11, 12, 13, 14)),
      ...(await history(0.3, { by: [B], class: "gadget-mini" }, 15)),
    ],
    steps: [await now(20, [A, B, C], T2.bytes), await now(21, [C, D], T2.bytes), await now(20, [B], without.bytes, { class: "gadget" })],
    lists: [T1, T2, weak, limited, without],
    stolen: [A],
  };
}

/** A release key is stolen, and we have it no more. */
export async function stolenAndLost(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, D] = all("A", "B", "C", "D");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [B, C, D], after: [T1] });
  const pair = await list({ sequence: 1, name: "pair", root, release: [A, B] });
  const single = await list({ sequence: 1, name: "single", root, release: [A], need: ONE });
  const ended = await list({ sequence: 2, name: "single", root, release: [{ key: A, until: 14n }, D], need: ONE, after: [single] });
  const without = await list({ sequence: 3, name: "single", root, release: [D], need: ONE, after: [ended] });
  return {
    kinds: [
      { ...BOARD, name: "two of three", first: T1, share: 3 },
      { ...BOARD, name: "two of two", classes: ["pair"], first: pair, share: 1 },
      { ...BOARD, name: "one of one", classes: ["single"], first: single, share: 2 },
      { ...BOARD, name: "one of one, and no release", classes: ["single-mini"], first: single, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A, B], class: "pair" }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A], class: "single" }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [A], class: "single-mini" }, 10, 11, 12, 13, 14)),
    ],
    // the list comes without a release: no release that we can sign reaches these devices
    steps: [
      await now(20, [B, C], T2.bytes),
      { name: "ended.trust", bytes: ended.bytes },
      await now(15, [D], without.bytes, { class: "single" }),
    ],
    lists: [T1, T2, pair, single, ended, without],
    stolen: [A],
    lost: [A],
  };
}

/** The thief takes devices to the highest numbers. The roots begin a new epoch. */
export async function fastForward(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B] = all("A", "B");
  const far = 2n ** 63n;
  const epoch = { number: 1, from: 101n };
  const line = async (name: string, jumps?: { release: bigint }) => {
    const own = { name, root, need: ONE, ...(jumps && { jumps }) };
    const first = await list({ ...own, sequence: 1, release: [A, B] });
    return [first, await list({ ...own, sequence: 2, release: [B], epoch, after: [first] })] as const;
  };
  const [T1, T2] = await line("board");
  const [G1, G2] = await line("guarded", { release: 1000n });
  const thief = async (sequence: bigint, name: string, chance: number) => ({
    ...(await published(`thief ${sequence} ${name}`, { sequence, class: name, by: [A], image: `evil ${sequence}` })),
    chance,
  });
  const evil = [];
  for (const name of ["board-v2", "board-v3", "guarded"])
    evil.push(await thief(500n, name, 0.3), await thief(far, name, 0.5), await thief(2n ** 64n - 1n, name, 0.5));
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 4 },
      { ...BOARD, name: "v3, without a step", classes: ["board-v3"], first: T1, share: 1 },
      { ...BOARD, name: "jumps limited", classes: ["guarded"], first: G1, share: 2 },
    ],
    past: [
      ...(await history(0.5, { by: [B] }, 10, 11, 12, 13, 14)),
      ...(await history(0.5, { by: [B], class: "board-v3" }, 10, 11, 12, 13, 14)),
      ...(await history(0.6, { by: [B], class: "guarded" }, 10, 11, 12, 13, 14)),
      ...evil,
    ],
    steps: [
      await now(101, [B], T2.bytes),
      await now(102, [B], T2.bytes),
      await now(101, [B], G2.bytes, { class: "guarded" }),
      await now(102, [B], G2.bytes, { class: "guarded" }),
    ],
    lists: [T1, T2, G1, G2],
    stolen: [A],
  };
}

/** Somebody on the way withholds the bridge, and lets a release through that carries no list. */
export async function freeze(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, D] = all("A", "B", "C", "D");
  const T1 = await list({ sequence: 1, root, release: [A, B, C] });
  const T2 = await list({ sequence: 2, root, release: [A, B, D], after: [T1] });
  const steps = [await now(20, [A, B], T2.bytes), await now(25, [A, B])];
  const [bridge, bare] = steps as [Offer, Offer];
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 4 },
      { ...BOARD, name: "kept from everything", classes: ["board-v3"], first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10, 11, 12, 13, 14)),
      { ...bridge, chance: 0.4 },
      // careless: of the time of the second list, without it
      { ...bare, chance: 0.5 },
      ...(await history(0.1, { by: [A, B] }, 26)),
      ...(await history(0.5, { by: [A, B], class: "board-v3" }, 10, 11, 12, 13, 14)),
    ],
    steps,
    lists: [T1, T2],
    stolen: [C],
  };
}

const RMA = "00112233445566778899aabbccddeeff";

/** A debug key leaks. Another one is for one device at a time: its manifest for a device under repair leaks too. */
export async function debugAndRepair(): Promise<Scenario> {
  const root = all("R1", "R2", "R3");
  const [A, B, C, G, H] = all("A", "B", "C", "G", "H");
  const single = { key: H, devices: "single" as const };
  const T1 = await list({ sequence: 1, root, release: [A, B, C], debug: [G, single] });
  const T2 = await list({ sequence: 2, root, release: [A, B, C], debug: [single], after: [T1] });
  const repair = await published("11 repair", { sequence: 11, by: [H], image: "repair", device: RMA }, ROLE_DEBUG);
  const later = await published("26 repair", { sequence: 26, by: [H], image: "repair", device: RMA }, ROLE_DEBUG);
  return {
    kinds: [
      { ...BOARD, name: "v2", first: T1, share: 4 },
      { ...BOARD, name: "v3, without a step", classes: ["board-v3"], first: T1, share: 1 },
      { ...BOARD, name: "under repair", device: RMA, first: T1, share: 1 },
    ],
    past: [
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 10)),
      { ...repair, chance: 0.7 },
      ...(await history(0.5, { by: [A, B], brings: T1.bytes }, 12, 13)),
      ...(await history(0.3, { by: [A, B], brings: T2.bytes }, 15)),
      ...(await history(0.5, { by: [A, B], brings: T1.bytes, class: "board-v3" }, 10, 11, 12, 13, 14)),
    ],
    steps: [await now(20, [B, C], T2.bytes), await now(21, [A, B], T2.bytes)],
    lists: [T1, T2],
    stolen: [G],
    leaked: [
      { ...repair, kinds: ["under repair"] },
      { ...later, kinds: ["under repair"] },
    ],
  };
}
