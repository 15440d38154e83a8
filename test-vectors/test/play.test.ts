// Plays every vector through the sources. Nothing is imported that playing does not need: the mutants of the verifier
// are tried against this file (scripts/mutation.mjs).

import { describe, expect, it } from "vitest";
import { LEAST } from "../../packages/test-support/src/environment/effort.js";
import { readVectors } from "../index.mjs";
import { outcome, wrong } from "../play/judge.js";

for (const kind of ["accepted", "refused", "effects"] as const) {
  describe(kind, () => {
    it.each(readVectors(kind).map((v) => [v.name, v] as const))("%s", (_, v) => {
      expect(wrong(v)).toBe("");
    });
  });
}

it.skipIf(LEAST)("playing a vector twice gives the same result: the previous one leaves no state behind", { timeout: 120_000 }, () => {
  const vectors = readVectors();
  const once = vectors.map((v) => outcome(v));
  expect(vectors.map((v) => outcome(v))).toEqual(once);
});
