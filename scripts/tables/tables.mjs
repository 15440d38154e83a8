// Files that are written from a table in TypeScript. With --check they are only compared.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The exports of a TypeScript file, by its path in the repository. */
export async function readTable(path) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [path],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "warning",
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** Writes the files, given as text by path. With --check: exit code 1 if one differs, and what to run. */
export function writeFrom(table, files, command) {
  for (const [path, text] of Object.entries(files)) {
    if (!process.argv.includes("--check")) writeFileSync(ROOT + path, text);
    else if (readFileSync(ROOT + path, "utf8") !== text) {
      console.error(`${path} is not what ${table} gives: run \`${command}\``);
      process.exitCode = 1;
    }
  }
}
