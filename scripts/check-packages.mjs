// Each package as it will be published: publint, and for those with types @arethetypeswrong/cli. Needs a build.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { twoAtATime } from "./conformance.mjs";
import { LIBRARIES, PACKAGES } from "./packages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

function check(name, tool, args) {
  return new Promise((resolve) => {
    const child = spawn(`${ROOT}node_modules/.bin/${tool}`, args, { cwd: `${ROOT}packages/${name}`, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ name: `${tool}: ${name}`, ok: false, output: error.message }));
    child.on("close", (code) => resolve({ name: `${tool}: ${name}`, ok: code === 0, output }));
  });
}

const works = PACKAGES.flatMap((name) => [
  () => check(name, "publint", ["run", "--strict", "--pack", "npm"]),
  // the command line is not a library: it exports nothing that could have types
  ...(LIBRARIES.includes(name) ? [() => check(name, "attw", ["--pack", ".", "--profile", "esm-only"])] : []),
]);
for await (const { name, ok, output } of twoAtATime(works)) {
  console.log(`${ok ? "ok  " : "fail"}  ${name}`);
  if (ok) continue;
  console.log(output.trimEnd().replace(/^/gm, "      "));
  process.exitCode = 1;
}
