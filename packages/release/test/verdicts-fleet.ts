import type { PrivateKey } from "@firmseal/signer";
import { parseSequence } from "@firmseal/verifier/tools";
import { expect } from "vitest";
import { identity, imageOf, keysOf, release, trustFileOf } from "../../test-support/src/rotation-world.js";
import { type Cohort, type DeviceModel, modelOf } from "../src/rotation/model.js";
import type { CohortResult } from "../src/rotation/plan/plan.js";
import { type PlannedStep, stepOf } from "../src/rotation/plan/steps.js";
import { selfSignedTrust } from "../src/trust/chain.js";

export const { A, B, C, D, R1, R2, R3, R4 } = keysOf("A", "B", "C", "D", "R1", "R2", "R3", "R4");

export const hex = (...keys: PrivateKey[]) => new Set(keys.map((k) => Buffer.from(k.key).toString("hex")));

export const NOBODY = { lost: hex(), stolen: hex() };

export const fileOf = (bytes: Uint8Array) => ({ path: "t.trust", bytes, store: selfSignedTrust(bytes) });

export type Facts = Partial<Pick<DeviceModel, "algorithms" | "features" | "start" | "release" | "identity">>;

export function cohort(name: string, trust: Uint8Array, floor: number | bigint, more: Facts = {}): Cohort {
  const own = parseSequence(String(floor));
  const model = modelOf({ identity: identity("board-v2"), ...more, trust: fileOf(trust) });
  return { name, devices: 1, model, floor: own, floors: { debug: own, recovery: own } };
}

export function withKeys(name: string, keys: readonly PrivateKey[], threshold: number, floor: number, more: Facts = {}): Cohort {
  const own = parseSequence(String(floor));
  const algorithms = keys.map(({ alg }) => alg);
  const model = modelOf({ identity: identity("board-v2"), algorithms, ...more, embedded: { keys, threshold } });
  return { name, devices: 1, model, floor: own, floors: { debug: own, recovery: own } };
}

export const facts = { class: "board-v2", image: imageOf("app") } as const;

export const step = async (name: string, bytes: Promise<Uint8Array> | Uint8Array): Promise<PlannedStep> => stepOf(name, await bytes);

export const only = (results: readonly CohortResult[]) => {
  expect(results).toHaveLength(1);
  return results[0] as CohortResult;
};

export const roots = [R1, R2, R3];

export const T1 = await trustFileOf(1, { releases: [A, B], roots });

export const T2 = await trustFileOf(2, { releases: [A, B, C], roots }, T1);

export const T3 = await trustFileOf(3, { releases: [B, C], roots }, T2);

export const bridge2 = await step("bridge2", release({ ...facts, sequence: 20, keys: [A, B], trust: T2 }));

export const bridge3 = await step("bridge3", release({ ...facts, sequence: 30, keys: [A, B, C], trust: T3 }));

export const r31 = await step("r31", release({ ...facts, sequence: 31, keys: [B, C] }));

export const all = () => ({ T1, T2, T3, bridge2, bridge3, r31 });
