// Runs vitest on another Node, which comes from the npm package `node`:
// `node scripts/on-node.mjs 24 packages/keys/test`. Without arguments for vitest it runs, for at most five minutes, the
// tests of what differs between versions of Node: keys, signatures, files.

import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const DEFAULT = [
  "packages/signer/test",
  "packages/formats/test",
  "packages/images/test",
  "packages/keys/test/key-files.test.ts",
  "packages/keys/test/key-files-places.test.ts",
  "packages/cli/test/keys/convert.test.ts",
  "packages/keys/test/key-files-programs.test.ts",
  "packages/keys/test/pbes2.test.ts",
  "packages/keys/test/windows.test.ts",
  "packages/verifier/test/device-file.test.ts",
  "packages/verifier/test/hash.test.ts",
  "packages/verifier/test/ed25519.test.ts",
  "packages/verifier/test/ed25519-refused.test.ts",
  "packages/verifier/test/ed25519-robust.test.ts",
  "packages/verifier/test/es256.test.ts",
];

/** The program of a version ("24" or "24.9.0"), out of npm's cache or the registry. Throws if neither has it. */
export function nodeBinary(version) {
  const args = ["-y", "--prefer-offline", `node@${version}`, "-p", "process.execPath"];
  const { status, stdout, stderr, error } = spawnSync("npx", args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`npx node@${version}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [version = "24", ...args] = process.argv.slice(2);
  const binary = nodeBinary(version);
  // programs that the tests start are of this version too
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  console.log(`${binary}: ${spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout.trim()}`);
  // in CI it has one processor: a second worker would load all modules again
  const workers = process.env.CI ? ["--maxWorkers=1"] : [];
  const { status } = spawnSync(binary, ["node_modules/vitest/vitest.mjs", "run", ...workers, ...(args.length > 0 ? args : DEFAULT)], {
    cwd: ROOT,
    env,
    stdio: "inherit",
    timeout: args.length > 0 ? undefined : 300_000,
  });
  process.exitCode = status ?? 1;
}
