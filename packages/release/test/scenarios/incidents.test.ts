// Incidents in random worlds: what `firmseal incident` says about each row, in every order of rows, is what the devices
// do with the files that it makes, and the list alone leaves no fewer behind. FIRMSEAL_CASES=N lives through N of each
// kind, and FIRMSEAL_SEED=N through the one with this number.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALL, LONG } from "../../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { incidentIn } from "./incidents.js";
import { randomWorld, WORLDS } from "./worlds.js";

const SEED = process.env["FIRMSEAL_SEED"];
const MANY = Number(process.env["FIRMSEAL_CASES"] ?? (ALL ? 300 : LONG ? 10 : 2));

describe("an incident in a random world", { timeout: 7_200_000 }, () => {
  it.each(WORLDS)(`%s: says what the devices do${SEED ? `, in world ${Number(SEED)} alone` : ""}`, async (kind) => {
    const faults: string[] = [];
    for (const seed of SEED === undefined ? Array.from({ length: MANY }, (_, i) => i + 1) : [Number(SEED)]) {
      const dir = join(temporaryFolder("firmseal-incident-"), String(seed));
      const lived = await incidentIn(await randomWorld(kind, seed), seed, dir);
      if (lived.faults.length > 0) faults.push(`${seed}: ${lived.faults[0]}`);
    }
    expect({ faults: faults.length, first: faults.slice(0, 12) }).toEqual({ faults: 0, first: [] });
  });
});
