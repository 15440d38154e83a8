// Random histories of a device: history.ts plays each, and compares it with a model.

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { FLASH_TEARS } from "../../../simulator/src/storage-models/flash-operations.js";
import { LEAST, LONG } from "../../../test-support/src/environment/effort.js";
import { errors } from "../../src/index.js";
import { type Action, boards, play, type Release, ROLES, ready } from "./history.js";

const release: fc.Arbitrary<Release> = fc.record({
  role: fc.constantFrom(...ROLES),
  sequence: fc.integer({ min: 0, max: 9 }),
  bytes: fc.constantFrom(1, 2),
  roles: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Action>({ do: "nothing" }) },
  { weight: 3, arbitrary: fc.constant<Action>({ do: "confirm" }) },
  { weight: 3, arbitrary: release.map<Action>((one) => ({ do: "install", release: one })) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("cut" as const),
      release,
      after: fc.oneof(fc.nat(250), fc.integer({ min: -8, max: -1 })),
      tear: fc.constantFrom(...FLASH_TEARS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("overtaken" as const), release, by: release, after: fc.nat(3) }) },
);

const seen = new Map<string, number>();
const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

beforeAll(ready);

/** More histories, with another seed each time. */
const given = process.env["FIRMSEAL_CASES"];

describe.each(Object.entries(boards))("a device on %s", (name, make) => {
  it("keeps its floors and starts, whatever happened to it", async () => {
    seen.clear();
    const run = fc.asyncProperty(fc.boolean(), fc.array(action, { minLength: 1, maxLength: 16 }), (factory, actions) =>
      play(make(), factory, actions, count),
    );
    await fc.assert(run, given ? { numRuns: Number(given) } : { numRuns: LONG || LEAST ? 300 : 60, seed: 7 });
    const missing = [
      "cut, and done",
      "cut, and not done",
      "overtaken by a commit",
      ...[0, errors.UNCONFIRMED, errors.ROLLBACK].map((n) => `refusal ${n}`),
    ];
    expect(
      missing.filter((what) => !seen.get(what)),
      name,
    ).toEqual([]);
  }, 7_200_000);
});
