import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { compete } from "./rivals/contest.js";

// `pnpm test:long` has 10^7: scripts/rivals.mjs.
const CASES = LONG ? 10000 : 600;

describe("decides as OpenSSL and HACL* do, except for what it refuses on purpose", () => {
  it.each([
    ["ed25519", ["honest", "edge", "mixed order, cancelled"], ["S + nL", "S at its edges", "both strange", "small order or not canonical"]],
    [
      "es256",
      ["honest", "small multiples", "n - s", "x at its edges"],
      ["r at its edges", "s at its edges", "n added", "key at its edges"],
    ],
  ] as const)(`%s: ${CASES} cases of an attacker's making`, { timeout: 600_000 }, async (algorithm, valid, invalid) => {
    const score = await compete(algorithm, "1", CASES);
    expect(score.disagreements).toEqual([]);
    expect(score.cases).toBe(CASES);
    expect(score.asked["node:crypto"]).toBe(CASES);
    expect(score.asked["hacl-wasm"]).toBeGreaterThan(CASES / 300);
    // the cases are what they are called
    for (const kind of valid) expect(score.kinds[kind]![0], kind).toBeGreaterThan(score.kinds[kind]![1] / 3);
    for (const kind of invalid) expect(score.kinds[kind]![0], kind).toBe(0);
    if (algorithm === "ed25519") expect(score.stricter).toBeGreaterThan(0);
  });
});
