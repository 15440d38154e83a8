// The targets as CommonJS, one file each, in a form that a fuzzer can instrument: our own sources are in it, libraries are loaded as they are.
// Signature algorithms and hashes are a file of their own, which only the target that is about them instruments: with counters in the
// arithmetic a verification takes ten times as long.

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const OUT = join(ROOT, "node_modules/.cache/firmseal/fuzz");
const source = (path) => join(ROOT, "packages", path);

/** Imports of the packages, as vitest.config.ts has them. */
const PACKAGES = [
  [/^@firmseal\/verifier\/spec$/, () => source("verifier/src/spec/index.ts")],
  [/^@firmseal\/verifier\/names$/, () => source("verifier/src/spec/names.ts")],
  [/^@firmseal\/verifier\/(.*)$/, (name) => source(`verifier/src/${name}.ts`)],
  [/^@firmseal\/(\w+)$/, (name) => source(`${name}/src/index.ts`)],
];

/** What reaches networks, tokens and other programs: it is not there. */
const ABSENT = /^(@aws-sdk\/|@azure\/|@google-cloud\/|pkcs11js$)/;

const ARITHMETIC = /\/verifier\/src\/(alg|hash)\/[a-z0-9]+\.ts$/;

function plugin(apart) {
  return {
    name: "fuzz",
    setup(b) {
      b.onResolve({ filter: ABSENT }, ({ path }) => ({ path: `./absent/${path}`, external: true }));
      b.onResolve({ filter: /^@firmseal\// }, ({ path }) => {
        const [pattern, to] = PACKAGES.find(([p]) => p.test(path));
        return b.resolve(to(pattern.exec(path)[1]), { kind: "import-statement", resolveDir: ROOT });
      });
      b.onResolve({ filter: /^[^./]/ }, (args) => {
        if (args.kind === "entry-point" || args.path.startsWith("node:") || !args.importer) return undefined;
        // by its place, for the bundle lies where the package could not be found
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
          if (!ARITHMETIC.test(found.path)) return undefined;
          return { path: `./arithmetic/${relative(source("verifier/src"), found.path).replace(/\.ts$/, ".cjs")}`, external: true };
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

/** Bundles targets by name, and returns the path of each bundle. */
export async function bundle(names, apart = (name) => name !== "signature") {
  mkdirSync(OUT, { recursive: true });
  const algorithms = ["alg/ed25519", "alg/es256", "alg/hmac", "alg/hsslms", "hash/sha256", "hash/sha512", "hash/block"];
  await build({
    ...common,
    entryPoints: algorithms.map((name) => ({ in: source(`verifier/src/${name}.ts`), out: name })),
    outdir: join(OUT, "arithmetic"),
    plugins: [plugin(false)],
  });
  for (const way of [true, false]) {
    const some = names.filter((name) => apart(name) === way);
    if (some.length > 0)
      await build({
        ...common,
        entryPoints: some.map((name) => join(ROOT, `fuzz/targets/${name}.ts`)),
        outdir: OUT,
        plugins: [plugin(way)],
      });
  }
  return Object.fromEntries(names.map((name) => [name, join(OUT, `${name}.cjs`)]));
}
