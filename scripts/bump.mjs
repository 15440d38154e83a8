// `pnpm bump`: the versions of the packages by their changesets, that of the verifier in what its devices say about
// themselves, and the day, which the clock of a machine that signs is compared with.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = `${ROOT}packages/verifier/src/spec/status.ts`;
const RELEASED = `${ROOT}packages/keys/src/recording/released.ts`;

const { status } = spawnSync(`${ROOT}node_modules/.bin/changeset`, ["version"], { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
const { version } = JSON.parse(readFileSync(`${ROOT}packages/verifier/package.json`, "utf8"));
writeFileSync(SOURCE, readFileSync(SOURCE, "utf8").replace(/VERIFIER_VERSION = "[^"]*"/, `VERIFIER_VERSION = "${version}"`));
const day = new Date().toISOString().slice(0, 10).split("-").map(Number);
const utc = `Date.UTC(${day[0]}, ${day[1] - 1}, ${day[2]})`;
writeFileSync(RELEASED, readFileSync(RELEASED, "utf8").replace(/(RELEASED =) .*;/, `$1 ${utc};`));
