// Each package as it will be published: publint, and for those with types @arethetypeswrong/cli. Needs a build.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { twoAtATime } from "./conformance.mjs";
import { PUBLISHED } from "./packages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "firmseal-packages-"));

/** { ok, output } of a program. */
function run(command, args, cwd = ROOT) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** Packs once, for both tools. */
async function check(path) {
  const name = basename(path);
  const destination = join(folder, name);
  mkdirSync(destination);
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", destination], ROOT + path);
  const [tarball] = readdirSync(destination);
  if (!packed.ok || tarball === undefined) return [{ name: `npm pack: ${name}`, ok: false, output: packed.output }];
  const archive = join(destination, tarball);
  const tool = async (tool, ...args) => ({ name: `${tool}: ${name}`, ...(await run(`${ROOT}node_modules/.bin/${tool}`, args)) });
  return [
    await tool("publint", "run", "--strict", archive),
    // the command line is not a library: it exports nothing that could have types
    ...(path !== "packages/cli" ? [await tool("attw", archive, "--profile", "esm-only")] : []),
  ];
}

try {
  for await (const results of twoAtATime(PUBLISHED.map((path) => () => check(path))))
    for (const { name, ok, output } of results) {
      console.log(`${ok ? "ok  " : "fail"}  ${name}`);
      if (ok) continue;
      console.log(output.trimEnd().replace(/^/gm, "      "));
      process.exitCode = 1;
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
