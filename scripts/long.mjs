// The tests that take minutes: kills by the thousand, random cases by the ten thousand, files past 2^32 bytes. `pnpm
// test:long [-- FILE]`. Without FILE also 10^7 verifications against others (rivals.mjs), which take 70 minutes of two
// processors. Variables that are set in the environment win.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const env = { FIRMSEAL_LONG: "2", FIRMSEAL_CASES: "20000", ...process.env };
const args = process.argv.slice(2).filter((argument) => argument !== "--");

const build = spawnSync(process.execPath, ["scripts/build.mjs", "--quiet"], { cwd, stdio: "inherit" });
const steps = [["node_modules/.bin/vitest", ["run", "--testTimeout=1200000", ...args]]];
if (args.length === 0) steps.push([process.execPath, ["scripts/rivals.mjs"]]);
let { status } = build;
for (const [program, given] of build.status === 0 ? steps : []) {
  // one that fails does not keep the next from being run
  const ended = spawnSync(program, given, { cwd, env, stdio: "inherit" }).status ?? 1;
  status ||= ended;
}
process.exitCode = status ?? 1;
