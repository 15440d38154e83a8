// The Chromium that tests run pages in. The same engine without windows takes half as long to start and to open a page.

import { spawnSync } from "node:child_process";

const FIND = "command -v chromium-headless-shell || command -v chromium";

/** Its path, or "" if there is none. */
export const chromiumPath = spawnSync("sh", ["-c", FIND], { encoding: "utf8" }).stdout.trim();
