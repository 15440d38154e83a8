// With FIRMSEAL_COUNT=FILE: a line with the assertions of each test file. expect() notes each in its state, which is begun anew with each test, and
// tests that run side by side share it: so every step of the number is counted.

import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, expect } from "vitest";

const states = globalThis[Symbol.for("matchers-object")];
const home = process.cwd();
let assertions = 0;
const set = states.set;
states.set = (key, state) => {
  if (state.assertionCalls > 0) assertions++;
  return set.call(states, key, state);
};

afterAll(() => {
  states.set = set;
  appendFileSync(process.env.FIRMSEAL_COUNT, `assertions ${assertions} ${relative(home, expect.getState().testPath ?? "")}\n`);
});
