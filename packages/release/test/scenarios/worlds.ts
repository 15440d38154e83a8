// Random worlds: lists, releases, and keys that are lost or stolen. Nothing here knows what a plan or a device makes of
// them.

import { draws } from "../../../test-support/src/randoms.js";
import type { Offer, Past, Scenario } from "./fleet.js";
import { BOARD, history, now } from "./planned.js";
import { all, es256Key, type Key, type List, type ListFacts, list } from "./world.js";

export const WORLDS = ["plain", "windows", "epochs", "lone lists", "jumps", "families"] as const;
export type WorldKind = (typeof WORLDS)[number];

const SEED = process.env["FIRMSEAL_SEED"];

/** Says where a test has been told to begin. */
export const SEEDED = SEED ? `, from world ${Number(SEED)}` : "";

/**
 * The numbers of the worlds to play. `usual`: how many, if nobody says so. FIRMSEAL_CASES=N plays N, and FIRMSEAL_SEED=N
 * begins with number N: that one alone, without FIRMSEAL_CASES.
 */
export function worldNumbers(usual: number): number[] {
  const many = Number(process.env["FIRMSEAL_CASES"] ?? (SEED ? 1 : usual));
  return Array.from({ length: many }, (_, i) => Number(SEED ?? 1) + i);
}

/** Makes one. `debug`: the debug keys of each list. */
export async function randomWorld(kind: WorldKind, seed: number, debug: readonly Key[] = []): Promise<Scenario> {
  const draw = draws(seed);
  const one = <T>(of: readonly T[]): T => of[draw(of.length)] as T;
  const some = <T>(of: readonly T[], n: number): T[] => {
    const left = [...of];
    return Array.from({ length: Math.min(n, of.length) }, () => left.splice(draw(left.length), 1)[0] as T);
  };
  const roots = all("R1", "R2", "R3", "R4");
  const ed = all("A", "B", "C", "D");
  const es = ["E", "F"].map(es256Key);
  const hasFamilies = kind === "families";

  // the lists, each of which the roots of the one before and its own have signed
  const lists: List[] = [];
  let own = { root: some(roots, 2 + draw(2)), release: [...some(ed, 2 + draw(2)), ...(hasFamilies ? some(es, 1 + draw(2)) : [])] };
  for (let sequence = 1; sequence <= 1 + draw(3) || sequence === 1; sequence++) {
    const before = lists.at(-1);
    const roots0 = own.root;
    if (before)
      own = {
        root: draw(2) ? own.root : some(roots, 2 + draw(2)),
        release: [...some(ed, 2 + draw(2)), ...(hasFamilies ? some(es, 1 + draw(2)) : [])],
      };
    const limits = () => {
      const until = draw(3) === 0 ? 12 + draw(20) : undefined;
      const since = draw(5) === 0 ? 8 + draw(until === undefined ? 16 : until - 8) : undefined;
      return { ...(until !== undefined && { until: BigInt(until) }), ...(since !== undefined && { since: BigInt(since) }) };
    };
    const facts: ListFacts = {
      sequence,
      root: own.root,
      release: own.release.map((key) => (kind === "windows" || kind === "jumps" ? { key, ...limits() } : key)),
      ...(debug.length > 0 && { debug }),
      need: { root: 1 + draw(own.root.length), release: 1 + draw(2) },
      ...(kind === "jumps" && { jumps: { release: BigInt(3 + draw(12)) } }),
      ...(kind === "epochs" && sequence > 1 && { epoch: { number: sequence - 1, from: BigInt(1 + draw(8)) } }),
      ...(hasFamilies && {
        families: {
          ...(draw(3) > 0 && { release: [{ algorithms: ["es256"] as const, threshold: 1 }] }),
          ...(draw(4) === 0 && {
            release: [
              { algorithms: ["es256"] as const, threshold: 1 },
              { algorithms: ["ed25519"] as const, threshold: 1 },
            ],
          }),
        },
      }),
      ...(before && { after: [before] }),
      by: [...new Set([...roots0, ...own.root])],
    };
    lists.push(await list(facts));
  }
  const [first, last] = [lists[0] as List, lists.at(-1) as List];
  const signersOf = (l: List): Key[] => l.keys.filter((k) => !roots.includes(k as never));
  const everybody = [...new Set(lists.flatMap(signersOf))];
  const chain = Buffer.concat(lists.map(({ bytes }) => bytes));

  const past: Past[] = [
    ...(await history(0.5, { by: signersOf(first), brings: first.bytes }, 10, 10 + 1 + draw(4))),
    ...(lists.length > 1
      ? await history(0.4, { by: [...new Set([...signersOf(first), ...signersOf(last)])], brings: chain }, 16 + draw(4))
      : []),
  ];
  const steps: Offer[] = [];
  for (let i = 0; i <= draw(3); i++) {
    if (kind === "lone lists" && draw(2) === 0) {
      const bytes = one([last.bytes, chain]);
      steps.push({ name: `list ${i}`, bytes });
      continue;
    }
    const brings = one([undefined, first.bytes, last.bytes, chain]);
    const by = draw(3) === 0 ? some(everybody, 1 + draw(3)) : everybody;
    steps.push(await now((kind === "epochs" ? 4 : 12) + draw(24), by, brings));
  }
  const keys = [...everybody, ...roots];
  const families = hasFamilies ? [{ ...BOARD, name: "without ES256", first, share: 1 }] : [];
  return {
    kinds: [{ ...BOARD, name: "board", first, share: 2, ...(hasFamilies && { algorithms: ["ed25519", "es256"] as const }) }, ...families],
    past,
    steps,
    lists,
    lost: some(keys, draw(3)),
    stolen: some(keys, draw(3)),
    have: some(keys, draw(2)),
  };
}
