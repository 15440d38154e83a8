// For vitest: builds before the first test, so that the command line that is tested is that of the sources. If nothing
// has changed, it takes a third of a second.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../build.mjs", import.meta.url));

export function setup() {
  const { status } = spawnSync(process.execPath, [BUILD, "--quiet"], { stdio: "inherit" });
  if (status !== 0) throw new Error("the build has failed: node scripts/build.mjs");
}
