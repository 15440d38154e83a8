// The targets as CommonJS, one file each, in a form that a fuzzer can instrument: our own sources are in it, libraries
// are loaded as they are. Signature algorithms and hashes are a file of their own, which only the target that is about
// them instruments: with counters in the arithmetic a verification takes ten times as long.

import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ownUrls } from "../scripts/build/own-urls.mjs";
import { SOURCES } from "../scripts/build/sources.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const OUT = join(ROOT, "node_modules/.cache/firmseal/fuzz");
const source = (path) => join(ROOT, "packages", path);

/** What reaches networks, tokens and other programs: it is not there. */
const ABSENT = /^(@aws-sdk\/|@azure\/|@google-cloud\/|pkcs11js$)/;

/** digest.ts reads, and shares the cursor of the reader with all else. */
const ARITHMETIC = /^(?:alg|hash)\/(?!digest\b)[a-z0-9]+\.ts$/;

function plugin(apart) {
  return {
    name: "fuzz",
    setup(b) {
      b.onResolve({ filter: ABSENT }, ({ path }) => ({ path: `./absent/${path}`, external: true }));
      b.onResolve({ filter: /^@firmseal\// }, ({ path }) => {
        return b.resolve(join(ROOT, SOURCES[path]), { kind: "import-statement", resolveDir: ROOT });
      });
      b.onResolve({ filter: /^[^./]/ }, (args) => {
        if (args.kind === "entry-point" || args.path.startsWith("node:") || !args.importer) return undefined;
        // by its place, because the package cannot be found from the place of the bundle
        return { path: createRequire(args.importer).resolve(args.path), external: true };
      });
      if (apart)
        b.onResolve({ filter: /\/(alg|hash)\/[a-z0-9]+\.js$/ }, async (args) => {
          if (args.pluginData === "seen") return undefined;
          const found = await b.resolve(args.path, {
            kind: args.kind,
            resolveDir: args.resolveDir,
            importer: args.importer,
            pluginData: "seen",
          });
          const name = relative(source("verifier/src"), found.path);
          return ARITHMETIC.test(name) ? { path: `./arithmetic/${name.replace(/\.ts$/, ".cjs")}`, external: true } : undefined;
        });
    },
  };
}

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20.19",
  sourcemap: "inline",
  outExtension: { ".js": ".cjs" },
  logLevel: "warning",
  define: { "import.meta.url": "__importMetaUrl" },
  banner: { js: 'const __importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
};

/** Builds, and writes each file whole: another process may load the same one. */
async function buildWhole(options) {
  const { outputFiles } = await build({ ...common, ...options, write: false });
  for (const { path, contents } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.${process.pid}`, contents);
    renameSync(`${path}.${process.pid}`, path);
  }
}

/** Bundles targets by name, and returns the path of each bundle. */
export async function bundle(names, apart = (name) => name !== "signature") {
  const arithmetic = readdirSync(source("verifier/src"), { recursive: true }).filter((name) => ARITHMETIC.test(name));
  await buildWhole({
    entryPoints: arithmetic.map((name) => ({ in: source(`verifier/src/${name}`), out: name.replace(/\.ts$/, "") })),
    outdir: join(OUT, "arithmetic"),
    plugins: [plugin(false), ownUrls],
  });
  for (const way of [true, false]) {
    const some = names.filter((name) => apart(name) === way);
    if (some.length > 0)
      await buildWhole({
        entryPoints: some.map((name) => join(ROOT, `fuzz/targets/${name}.ts`)),
        outdir: OUT,
        plugins: [plugin(way), ownUrls],
      });
  }
  return Object.fromEntries(names.map((name) => [name, join(OUT, `${name}.cjs`)]));
}
