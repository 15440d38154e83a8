// Writes positive.json, negative.json and effects.json from make.ts. With --check it only compares, and exits 1 where a file differs.
// The sources are bundled in memory first, so that no build is needed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const verifier = join(here, "../packages/verifier/src");
const scratch = mkdtempSync(join(here, ".make-"));
let differs = false;

/** @firmseal/verifier and what it exports under a name, as vitest.config.ts has them. */
const sources = {
  name: "sources",
  setup({ onResolve }) {
    onResolve({ filter: /^@firmseal\/verifier/ }, ({ path }) => {
      const module = { "": "index", "/spec": "spec/index", "/names": "spec/names" }[path.slice(18)] ?? path.slice(19);
      return { path: join(verifier, `${module}.ts`) };
    });
  },
};
try {
  const outfile = join(scratch, "make.mjs");
  await build({
    entryPoints: [join(here, "make.ts")],
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
