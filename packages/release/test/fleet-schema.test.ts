// schema/fleet.schema.json against the tables that it repeats.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUNDLE_ALGS, BUNDLE_FEATURES } from "@firmseal/bundler";
import { keyAlgs } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { key, trustFileOf } from "../../test-support/src/rotation-world.js";
import schema from "../schema/fleet.schema.json" with { type: "json" };
import { readFleet } from "../src/rotation/fleet.js";

const { algorithms, features } = schema.$defs.cohort.properties;

describe("the schema of fleet files", () => {
  it("has the features and the algorithms of the tables", () => {
    expect(features.items.enum.toSorted()).toEqual(BUNDLE_FEATURES.toSorted());
    expect(algorithms.items.enum.toSorted()).toEqual([...new Set([...BUNDLE_ALGS, ...keyAlgs])].sort());
  });

  it("takes every feature and every algorithm", async () => {
    const folder = temporaryFolder("firmseal-fleet-schema-");
    try {
      writeFileSync(join(folder, "t.trust"), await trustFileOf(1, { releases: [key("A"), key("B")], roots: [key("R1"), key("R2")] }));
      const cohort = { name: "a", devices: 1, trust: "t.trust", vendor: "example.com", class: "board", floor: 1 };
      const all = { ...cohort, features: features.items.enum, algorithms: algorithms.items.enum };
      writeFileSync(join(folder, "fleet.json"), JSON.stringify({ cohorts: [all] }));
      const [read] = await readFleet(join(folder, "fleet.json"));
      expect(read?.model.features.toSorted()).toEqual(BUNDLE_FEATURES.toSorted());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
