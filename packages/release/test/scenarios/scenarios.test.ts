// The scenarios of docs/explanation/scenarios.md, each played by 10,000 virtual devices. A fleet is in some tens of
// states, and a state's device stands for all devices in it. What the plan says is compared with what happens to each
// of them: with and without power cuts, with what a thief can make, and with what can still be signed for it. By
// default every eighth scenario; with FIRMSEAL_LONG=1 all.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ALL, LONG, some } from "../../../test-support/src/environment/effort.js";
import { planSteps } from "../../src/rotation/plan/plan.js";
import { VERDICTS, type Verdict } from "../../src/rotation/plan/verdict.js";
import type { Scenario } from "./fleet.js";
import { allRootsLost, oneRootLost, twoRootsLost } from "./loss.js";
import { acquisition, classSplit, emergencyStop, sharedRoots, whiteLabel } from "./organization.js";
import { rootsBack, rootsToHash, threeGenerations, withoutTheBridge } from "./planned.js";
import { compare, play } from "./play.js";
import { familyKeyLost, familyRootLost, familyStolen, longJump } from "./rules.js";
import { debugAndRepair, fastForward, freeze, keyStolen, stolenAndLost } from "./theft.js";

/** Devices in one state have one plan: more of them say nothing of the states, and a large fleet is planned once. */
const DEVICES = 10_000;
const LARGE = 100_000;
const SEEDS = ALL ? 20 : LONG ? 2 : 1;

const SCENARIOS: readonly (readonly [title: string, make: () => Promise<Scenario>])[] = [
  ["Planned rotation over three generations, devices away for a year", threeGenerations],
  ["Planned rotation, without a bridge for some", withoutTheBridge],
  ["Roots to HSS/LMS", rootsToHash],
  ["Roots to HSS/LMS, and back to safety", rootsBack],
  ["One root lost", oneRootLost],
  ["Two roots lost", twoRootsLost],
  ["All roots lost", allRootsLost],
  ["Release key stolen", keyStolen],
  ["Release key stolen and lost", stolenAndLost],
  ["Fast-forward", fastForward],
  ["Freeze", freeze],
  ["Debug key leaked, and a device under repair", debugAndRepair],
  ["Class split", classSplit],
  ["Vendor acquisition", acquisition],
  ["White label with two vendors", whiteLabel],
  ["Bad release with an emergency stop", emergencyStop],
  ["Two products with shared roots", sharedRoots],
  ["The only release key of a family lost", familyKeyLost],
  ["The only root of a family lost", familyRootLost],
  ["Two keys of one family stolen", familyStolen],
  ["A limit on jumps", longJump],
];

interface Row {
  readonly name: string | undefined;
  readonly naive: readonly string[];
  readonly says: readonly string[];
}

/** The rows of the document, by scenario. */
function table(): Map<string, Row> {
  const text = readFileSync(new URL("../../../../docs/explanation/scenarios.md", import.meta.url), "utf8");
  const words = (cell: string) =>
    [...cell.matchAll(/`([a-z-]+)`/g)].map(([, word]) => word as string).filter((w) => VERDICTS.includes(w as Verdict));
  const rows = [...text.matchAll(/^\| ([^|]+?) \| ([^|]+) \| ([^|]+) \| (?:`(\w+)`)?[^|]* \|$/gm)].filter(
    ([, title]) => !/^-|^Scenario$/.test(title as string),
  );
  return new Map(
    rows.map(([, title, naive, says, name]) => [title as string, { name, naive: words(naive as string), says: words(says as string) }]),
  );
}

describe("scenarios", { timeout: 600_000 }, () => {
  it("are those of the document, each once", () => {
    expect([...table()].map(([title, { name }]) => [title, name])).toEqual(SCENARIOS.map(([title, make]) => [title, make.name]));
  });

  it.each(some(SCENARIOS, 8))("%s", async (title, make) => {
    const s = await make();
    const said = new Set<string>();
    const naive = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const devices = ALL || (LONG && seed === 1 && make === threeGenerations) ? LARGE : DEVICES;
      const report = await compare(await play(s, devices, seed));
      const { wrong, fooled, alarmed, verdicts } = report;
      const told = Object.entries(verdicts).map(([verdict, n]) => `${n} ${verdict}`);
      console.log(
        `${title}: ${devices} devices in ${report.states} states: ${told.join(", ")}; a thief reaches ${report.exposed.before} before and ${report.exposed.after} after; signatures alone: ${report.naive.wrong} wrong`,
      );
      expect({ wrong: wrong.length, first: wrong.slice(0, 3) }).toEqual({ wrong: 0, first: [] });
      expect({ fooled: fooled.length, first: fooled.slice(0, 3) }).toEqual({ fooled: 0, first: [] });
      expect({ alarmed: alarmed.length, first: alarmed.slice(0, 3) }).toEqual({ alarmed: 0, first: [] });
      expect(Object.values(verdicts).reduce((sum, n) => sum + n, 0)).toBe(devices);
      for (const verdict of Object.keys(verdicts)) said.add(verdict);
      for (const verdict of report.naive.says) naive.add(verdict);
    }
    const row = table().get(title);
    expect({ naive: row?.naive.toSorted(), says: row?.says.toSorted() }).toEqual({ naive: [...naive].sort(), says: [...said].sort() });
  });

  it("would show a plan that misses a problem, and one that reports a false one", async () => {
    const s = await keyStolen();
    const all =
      (verdict: Verdict, is: boolean): typeof planSteps =>
      (...asked) =>
        planSteps(...asked).map((r) => ({ ...r, verdict, exposed: { release: is, root: is, debug: is, recovery: is } }));
    const [calm, wolf] = [all("moved", false), all("exposed", true)];
    const played = await play(s, 500, 1);
    const [first, second] = [await compare(played, calm), await compare(played, wolf)];
    expect([first.wrong.length > 0, first.fooled.length > 0, first.alarmed.length]).toEqual([true, true, 0]);
    expect([second.wrong.length > 0, second.fooled.length, second.alarmed.length > 0]).toEqual([true, 0, true]);
  });
});
