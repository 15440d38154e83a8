// action/dist, which a release of the action contains: the action in one file, and the command line that it runs.
// `node scripts/action.mjs [FOLDER]`, after a build.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = `${ROOT}packages/cli/`;

export async function makeAction(folder) {
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: [`${ROOT}action/src/index.ts`],
    outfile: `${folder}/index.mjs`,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    minifyWhitespace: true,
    // dependencies in CommonJS ask for node's own modules by require(), which an ES module does not have
    banner: { js: 'import{createRequire as __actionRequire}from"node:module";const require=__actionRequire(import.meta.url);' },
    logLevel: "warning",
  });
  mkdirSync(`${folder}/firmseal`, { recursive: true });
  for (const part of ["bin", "dist", "schema"]) cpSync(`${CLI}${part}`, `${folder}/firmseal/${part}`, { recursive: true });
  const { name, version, license, type } = JSON.parse(readFileSync(`${CLI}package.json`, "utf8"));
  writeFileSync(`${folder}/firmseal/package.json`, `${JSON.stringify({ name, version, license, type }, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeAction(resolve(process.argv[2] ?? `${ROOT}action/dist`));
