// With FIRMSEAL_COUNT=FILE: a line with the assertions of each test file, and one with its processor time, that of the
// processes which it started and waited for included. expect() notes each in its state, which begins again with each
// test, and tests that run side by side share it: so every step of the number is counted.

import { appendFileSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, expect } from "vitest";

const states = globalThis[Symbol.for("matchers-object")];
const home = process.cwd();
let assertions = 0;
/** Test files share a process: the first one has what the process took to start. */
const SHARED = Symbol.for("firmseal counted");
const begun = globalThis[SHARED] ?? 0;
const set = states.set;
states.set = (key, state) => {
  if (state.assertionCalls > 0) assertions++;
  return set.call(states, key, state);
};

/**
 * Seconds of processor time of this process and of its children that have ended: fields 14 to 17 of proc_pid_stat(5),
 * in hundredths.
 */
function processorSeconds() {
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

afterAll(() => {
  states.set = set;
  const seconds = processorSeconds();
  globalThis[SHARED] = seconds;
  const file = relative(home, expect.getState().testPath ?? "");
  appendFileSync(process.env.FIRMSEAL_COUNT, `assertions ${assertions} ${file}\nprocessor ${(seconds - begun).toFixed(2)} ${file}\n`);
});
