// The tests that take minutes: kills by the thousand, random cases by the ten thousand, files past 2^32 bytes. `pnpm test:long [-- FILE]`.
// What is set in the environment already goes before.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const env = { FIRMSEAL_LONG: "1", FIRMSEAL_KILLS: "500", FIRMSEAL_CASES: "20000", ...process.env };
const args = process.argv.slice(2).filter((argument) => argument !== "--");

const build = spawnSync(process.execPath, ["scripts/build.mjs", "--quiet"], { cwd, stdio: "inherit" });
const { status } =
  build.status === 0
    ? spawnSync("node_modules/.bin/vitest", ["run", "--testTimeout=1200000", ...args], { cwd, env, stdio: "inherit" })
    : build;
process.exitCode = status ?? 1;
