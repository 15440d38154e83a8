// Incidents in random worlds, from the alarm to what a part of the devices reports, and on: what `firmseal incident` says
// about each row, in some orders of rows, is what the devices do with the files that it makes, and no other way loses
// fewer devices. FIRMSEAL_CASES and FIRMSEAL_SEED choose the worlds.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALL, LONG } from "../../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { incidentIn } from "./incidents.js";
import { SEEDED, WORLDS, worldNumbers } from "./worlds.js";

const NUMBERS = worldNumbers(ALL ? 300 : LONG ? 4 : 2);

describe("an incident in a random world", { timeout: 7_200_000 }, () => {
  it.each(WORLDS)(`%s: says what the devices do${SEEDED}`, async (kind) => {
    const faults: string[] = [];
    const counts: { [end: string]: number } = {};
    for (const seed of NUMBERS) {
      const dir = join(temporaryFolder("firmseal-incident-"), String(seed));
      const lived = await incidentIn(kind, seed, dir);
      for (const what of [`${lived.what}: ${lived.end}`, ...(lived.ways > 0 ? ["other ways played"] : [])])
        counts[what] = (counts[what] ?? 0) + 1;
      if (lived.faults.length > 0) faults.push(`${seed}: ${lived.faults[0]}`);
    }
    console.log(`${kind}: ${JSON.stringify(counts)}`);
    const isLived = (end: string) => !end.endsWith(": refused") && end !== "other ways played";
    if (NUMBERS.length > 1) expect(Object.keys(counts).filter(isLived), "incidents that were lived through").not.toEqual([]);
    expect({ faults: faults.length, first: faults.slice(0, 12) }).toEqual({ faults: 0, first: [] });
  });
});
