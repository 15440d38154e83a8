// Writes positive.json, negative.json and effects.json from make.ts. With --check it only compares, and exits 1 where a file differs.
// The sources are bundled in memory first, so that no build is needed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { SOURCES } from "../scripts/sources.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const scratch = mkdtempSync(join(here, ".make-"));
let differs = false;

const sources = {
  name: "sources",
  setup({ onResolve }) {
    onResolve({ filter: /^@firmseal\// }, ({ path }) => ({ path: join(here, "..", SOURCES[path]) }));
  },
};
try {
  const outfile = join(scratch, "make.mjs");
  await build({
    entryPoints: [join(here, "src/make.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
    plugins: [sources],
  });
  const { make } = await import(pathToFileURL(outfile).href);
  for (const [name, content] of Object.entries(await make())) {
    const path = join(here, name);
    if (!process.argv.includes("--check")) writeFileSync(path, content);
    else if (readFileSync(path, "utf8") !== content) {
      console.error(`${name} is not what make.ts gives`);
      differs = true;
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = differs ? 1 : 0;
