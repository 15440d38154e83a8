// Plays every vector through the sources. Nothing is imported that playing does not need: the mutants of the verifier are tried against
// this file (scripts/mutation.mjs).

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "../../packages/test-support/src/effort.js";
import { outcome, wrong } from "../play/judge.js";
import type { VectorFile } from "../play/play.js";

const names = ["positive.json", "negative.json", "effects.json"] as const;
const load = (name: string): VectorFile => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8")) as VectorFile;

for (const name of names) {
  const file = load(name);
  describe(name, () => {
    it("names each vector once", () => {
      const all = file.vectors.map((v) => v.name);
      expect(all.filter((n, i) => all.indexOf(n) !== i)).toEqual([]);
    });
    it.each(file.vectors.map((v) => [v.name, v] as const))("%s", (_, v) => {
      expect(wrong(v, file)).toBe("");
    });
  });
}

it.skipIf(MUTANTS)("playing a vector twice gives the same: no state is left behind by the one before", { timeout: 120_000 }, () => {
  for (const name of names) {
    const file = load(name);
    const once = file.vectors.map((v) => outcome(v, file));
    expect(file.vectors.map((v) => outcome(v, file))).toEqual(once);
  }
});
