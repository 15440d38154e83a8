// The documents: the site is built, and every page that has commands is run from top to bottom. `pnpm test:site`. CI
// does both: `--build` only builds, because the pages are separate tests there.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
/** Tests that run what documents say. */
const PAGES = [
  "test/pages",
  "test/incident-pages",
  "test/readme",
  "test/package-examples",
  "scripts/test/reference",
  "scripts/test/refusals",
];
const isAlone = process.argv.includes("--build");
const steps = [
  [process.execPath, ["scripts/build.mjs", "--quiet"]],
  [process.execPath, ["scripts/reference.mjs", "--api"]],
  ["node_modules/.bin/vitepress", ["build", "docs"]],
];
if (!isAlone) steps.push(["node_modules/.bin/vitest", ["run", ...PAGES]]);
for (const [program, args] of steps) {
  const { status } = spawnSync(program, args, { cwd, stdio: "inherit", env: { FIRMSEAL_LONG: "1", ...process.env } });
  if (status !== 0) process.exitCode = 1;
}
