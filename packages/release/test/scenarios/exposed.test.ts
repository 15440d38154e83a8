// What a stolen debug key is worth after the steps of a plan, and families that need too many signatures.

import { expect, it } from "vitest";
import { type Cohort, modelOf } from "../../src/rotation/model.js";
import { planSteps } from "../../src/rotation/plan/plan.js";
import { stepOf } from "../../src/rotation/plan/steps.js";
import { all, es256Key, identityOf, type List, list, release } from "./world.js";

const cohort = ({ bytes, store }: List, floors?: Cohort["floors"]): Cohort => {
  const floor: Cohort["floor"] = [0, 10];
  const model = modelOf({ trust: { path: "1.trust", bytes, store }, identity: identityOf(["example.com"], ["board-v2"]) });
  return { name: "board", devices: 1, model, floor, floors: floors ?? { debug: floor, recovery: floor } };
};
const root = all("R1", "R2", "R3");
const [A, B, G] = all("A", "B", "G");

it("a release raises the floor of debug manifests where the roles share it, and not where a row gives it", async () => {
  const own = await list({ sequence: 1, root, release: [A, B], debug: [{ key: G, until: 15n }] });
  const step = await stepOf("21", await release({ sequence: 21, by: [A, B], image: "21" }));
  const gone = { lost: new Set<string>(), stolen: new Set([G.hex]) };
  const debug = (steps: readonly (typeof step)[], floors?: Cohort["floors"]) =>
    planSteps([cohort(own, floors)], steps, gone).map(({ exposed }) => exposed.debug);
  expect([debug([]), debug([step]), debug([step], { debug: [0, 10], recovery: [0, 10] })]).toEqual([[true], [false], [true]]);
});

it("nobody signs for families that need more than 8 signatures", async () => {
  const es = ["e1", "e2", "e3", "e4"].map(es256Key);
  const ed = all("d1", "d2", "d3", "d4", "d5");
  const of = (threshold: number) =>
    list({
      sequence: 1,
      root,
      release: [...es, ...ed],
      need: { release: 8 },
      families: {
        release: [
          { algorithms: ["es256"], threshold: 4 },
          { algorithms: ["ed25519"], threshold },
        ],
      },
    });
  const nobody = { lost: new Set<string>(), stolen: new Set<string>() };
  const enough = async (threshold: number) => planSteps([cohort(await of(threshold))], [], nobody)[0]?.left.release.enough;
  expect([await enough(4), await enough(5)]).toEqual([true, false]);
});
