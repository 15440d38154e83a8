// Makes a shell of Moddable XS from the sources in an npm package, and prints its path:
//
//   XST="$(node scripts/xst.mjs)" pnpm conformance xs
//   XST_ARM="$(node scripts/xst.mjs --arm)" pnpm conformance xs-arm
//
// With --arm it is compiled by Debian's gcc-arm-linux-gnueabihf, and the shell runs it under qemu-arm. The package is
// fetched without its dependencies, none of its scripts are run, and nothing of it stays in the workspace: the shell is
// in ~/.cache/firmseal (or $XDG_CACHE_HOME/firmseal) and is made once. Needs npm, make and a C compiler, on Linux.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";

const VERSION = "0.15.0";
const SHA512 = "ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==";

const ARM = process.argv.includes("--arm");
const NAME = `xst-${VERSION}${ARM ? "-arm" : ""}`;

/**
 * The package's worker takes netstrings from descriptor 3 and answers on descriptor 4: "s" and the path of a script to
 * run, "q" to end. What is printed goes to stdout, what is thrown to stderr, and the exit code is 0 only if nothing was
 * thrown. It replaces the shell, so that ending a run ends it.
 */
const SHELL = `#!/bin/sh
LC_ALL=C
exec ${ARM ? "qemu-arm " : ""}"$(dirname "$0")/xsnap-worker" xst 3<<END 4>/dev/null </dev/null
$((1 + \${#1})):s$1,1:q,
END
`;

function run(command, args, cwd) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  if (error) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${(stdout + stderr).trim().slice(-2000)}`);
  return stdout;
}

function build(folder) {
  const archive = run("npm", ["pack", `@agoric/xsnap@${VERSION}`, "--ignore-scripts", "--silent"], folder).trim();
  const sum = createHash("sha512")
    .update(readFileSync(join(folder, archive)))
    .digest("base64");
  if (sum !== SHA512) throw new Error(`@agoric/xsnap ${VERSION} is not the one that is known: sha512 ${sum}`);
  run("tar", ["-xzf", archive], folder);
  const sources = join(folder, "package");
  const native = join(sources, "xsnap-native/xsnap");
  const settings = ["GOAL=release", `MODDABLE=${join(sources, "moddable")}`, `XSNAP_VERSION=${VERSION}`];
  if (ARM) settings.push("CC=arm-linux-gnueabihf-gcc", "LINK_OPTIONS=-static");
  run("make", [`-j${availableParallelism()}`, "-f", "xsnap-worker.mk", ...settings], join(native, "makefiles/lin"));
  return join(native, "build/bin/lin/release/xsnap-worker");
}

/** The path of the shell. Two processes that make it at the same time make the same. */
function shell() {
  if (process.platform !== "linux") throw new Error("this makes a shell on Linux only: elsewhere, build xst of the Moddable SDK");
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "firmseal");
  const at = join(cache, NAME);
  const [xst, worker] = ["xst", "xsnap-worker"].map((name) => join(at, name));
  mkdirSync(at, { recursive: true });
  const folder = mkdtempSync(join(cache, "xst-build-"));
  try {
    if (!existsSync(worker)) renameSync(build(folder), worker);
    writeFileSync(join(folder, "xst"), SHELL, { mode: 0o755 });
    renameSync(join(folder, "xst"), xst);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return xst;
}

try {
  console.log(shell());
} catch (error) {
  console.error(`no XS: ${error.message}`);
  process.exitCode = 1;
}
