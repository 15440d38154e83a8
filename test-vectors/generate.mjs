// Writes the vectors, index.json and keys.json from src/make.ts, and removes vectors that nothing makes any more. With
// --check it only compares, and exits 1 where a file differs.
// The sources are bundled in memory first, so that no build is needed.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { SOURCES } from "../scripts/build/sources.mjs";

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
  const files = await make();
  const isCheck = process.argv.includes("--check");
  const differ = (path, how) => {
    console.error(`${path} ${how}`);
    differs = true;
  };
  for (const [path, content] of files) {
    const file = join(here, path);
    if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
    if (isCheck) {
      differ(path, "is not what src/make.ts gives");
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const found = existsSync(join(here, "vectors")) ? readdirSync(join(here, "vectors"), { recursive: true, withFileTypes: true }) : [];
  for (const entry of found.filter((e) => !e.isDirectory())) {
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(here.length);
    if (files.has(path)) continue;
    if (isCheck) differ(path, "is left over: src/make.ts does not make it");
    else rmSync(file);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = differs ? 1 : 0;
