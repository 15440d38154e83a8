#!/usr/bin/env node
// Old versions of Node parse this file, so that they say what is missing. The least version is that of `engines` in package.json.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`firmseal: needs Node 20.19 or later; this is Node ${process.versions.node}\n`);
  process.exitCode = 3;
} else {
  try {
    const args = process.argv.slice(2);
    const command = args.find((arg) => !arg.startsWith("-"));
    // programs of their own, so that scripts which call them again and again wait for no more than they need
    const isAlone = ["sign", "verify"].includes(command) && !args.some((arg) => arg === "-h" || arg.startsWith("--help"));
    require(`../dist/${isAlone ? command : "main"}.js`);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    process.stderr.write("firmseal: is not built yet\nhint: npx -y pnpm@12.4.2 build\n");
    process.exitCode = 3;
  }
}
