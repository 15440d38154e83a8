// `pnpm bump`: the versions of the packages by their changesets, and that of the verifier in what its devices say about
// themselves.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = `${ROOT}packages/verifier/src/spec/status.ts`;

const { status } = spawnSync(`${ROOT}node_modules/.bin/changeset`, ["version"], { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
const { version } = JSON.parse(readFileSync(`${ROOT}packages/verifier/package.json`, "utf8"));
writeFileSync(SOURCE, readFileSync(SOURCE, "utf8").replace(/VERIFIER_VERSION = "[^"]*"/, `VERIFIER_VERSION = "${version}"`));
