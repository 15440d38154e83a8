#!/usr/bin/env node
// Node 10 and later parse this file, so that old versions say what is missing. The least version is that of `engines` in package.json.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`firmseal: needs Node 20.19 or later; this is Node ${process.versions.node}\n`);
  process.exitCode = 3;
} else {
  import("../dist/main.js").catch((error) => {
    // also if Node is told to pass over what nothing catches
    process.exitCode = 3;
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    process.stderr.write("firmseal: is not built yet\nhint: npx -y pnpm@12.4.2 build\n");
  });
}
