// Runs vitest on another Node, which comes from the npm package `node`: `node scripts/on-node.mjs 24 packages/keys FIRMSEAL_KILLS=2`.
// Arguments with "=" and without a leading "-" are environment variables; the others go to vitest. Without arguments, the tests that start few
// programs: what differs between versions of Node is in the libraries.

import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The program of a version ("24" or "24.9.0"), out of npm's cache or the registry. Throws where neither has it. */
export function nodeBinary(version) {
  const args = ["-y", "--prefer-offline", `node@${version}`, "-p", "process.execPath"];
  const { status, stdout, stderr, error } = spawnSync("npx", args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`npx node@${version}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [version = "24", ...rest] = process.argv.slice(2);
  const isVariable = (argument) => /^\w+=/.test(argument);
  const variables = Object.fromEntries(rest.filter(isVariable).map((argument) => argument.split(/=(.*)/s).slice(0, 2)));
  const args = rest.filter((argument) => !isVariable(argument));
  const binary = nodeBinary(version);
  // programs that the tests start are of this version too
  const env = { ...process.env, ...variables, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  console.log(`${binary}: ${spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout.trim()}`);
  const { status } = spawnSync(binary, ["node_modules/vitest/vitest.mjs", "run", ...args], { cwd: ROOT, env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
