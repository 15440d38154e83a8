// Builds everything: types and ES modules (tsc -b), the bundled command line, the device bundles. `--quiet` prints
// nothing but errors.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { directImports } from "./build/direct-imports.mjs";
import { copyDocuments, filesUnder } from "./build/package-documents.mjs";
import { LIBRARIES, PACKAGES } from "./build/packages.mjs";
import { writeCommandTable } from "./tables/commands.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = `${ROOT}node_modules/.cache/firmseal`;
const STAMP = `${CACHE}/build`;
const CLI_MAIN = "packages/cli/dist/main.js";
/**
 * The command line for tests, which call it in their own process. In a folder that sees the dependencies of
 * packages/cli, and that is not published.
 */
const IN_PROCESS = "packages/cli/node_modules/.cache/firmseal";
const OUTPUTS = [
  ...LIBRARIES.map((name) => `packages/${name}/lib/index.js`),
  CLI_MAIN,
  `${IN_PROCESS}/main.js`,
  "packages/bundler/dist/parts.json",
  "packages/verifier/dist/package.json",
  "packages/inspector/dist/index.html",
];

const quiet = process.argv.includes("--quiet");
const say = (line) => quiet || console.error(line);

/** Name, size and time of every file that the outputs are made from. A changed dependency shows in the lock file. */
function fingerprint() {
  const hash = createHash("sha256");
  const inputs = [
    "package.json",
    "pnpm-lock.yaml",
    "tsconfig.base.json",
    "packages/test-support/src/command-line/in-process-entry.ts",
    "scripts/build.mjs",
    "scripts/build/bundle.mjs",
    "scripts/tables/commands.mjs",
    "scripts/build/direct-imports.mjs",
    "scripts/build/in-signer.mjs",
    "scripts/build/packages.mjs",
  ];
  inputs.push("packages/inspector/index.html", "packages/inspector/vite.config.mjs");
  for (const name of [...PACKAGES, "inspector"]) {
    const folder = `packages/${name}/`;
    inputs.push(`${folder}package.json`, `${folder}tsconfig.json`, ...filesUnder(join(ROOT, folder, "src")).sort());
    if (name === "signer" || name === "release") inputs.push(...filesUnder(join(ROOT, folder, "schema")).sort());
  }
  for (const path of inputs) {
    const { size, mtimeMs } = statSync(join(ROOT, path.replace(ROOT, "")));
    hash.update(`${path.replace(ROOT, "")} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function upToDate(now) {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === now && OUTPUTS.every((path) => existsSync(ROOT + path));
}

/**
 * tsc does not remove the output of a source that is gone, and all of lib/ is published. It also does not write a
 * removed file again, as long as its own records say that the file exists.
 */
function removeStale() {
  for (const name of PACKAGES) {
    const folder = join(ROOT, "packages", name);
    if (!existsSync(join(folder, "lib"))) continue;
    for (const path of filesUnder(join(folder, "lib"))) {
      const source = path.replace(join(folder, "lib"), join(folder, "src")).replace(/(\.d)?\.(ts|js)$/, ".ts");
      if (!path.endsWith(".tsbuildinfo") && !existsSync(source)) rmSync(path);
    }
    for (const path of filesUnder(join(folder, "src"))) {
      const output = path.replace(join(folder, "src"), join(folder, "lib")).replace(/\.ts$/, ".js");
      if (!path.endsWith(".ts") || existsSync(output)) continue;
      for (const record of filesUnder(join(folder, "lib"))) if (record.endsWith(".tsbuildinfo")) rmSync(record, { force: true });
    }
  }
}

/** The files of other packages that the signer holds, and with it the command line. */
let inSigner = [];

async function modules() {
  removeStale();
  const { status } = spawnSync(
    `${ROOT}node_modules/.bin/tsc`,
    ["-b", "packages/verifier/src/async", "packages/cli", "packages/inspector"],
    {
      cwd: ROOT,
      stdio: ["ignore", 2, 2],
    },
  );
  if (status !== 0) throw new Error("tsc -b found errors");
  const { withoutDependencies, withoutSchemaCompiler, withPage } = await import("./build/in-signer.mjs");
  inSigner = await withoutDependencies();
  writeFileSync(`${ROOT}packages/signer/lib/THIRD-PARTY-LICENSES`, licences(inSigner));
  const inRelease = await withoutSchemaCompiler();
  writeFileSync(`${ROOT}packages/release/lib/THIRD-PARTY-LICENSES`, licences(inRelease));
  const inPage = await withPage();
  writeFileSync(`${ROOT}packages/report/lib/THIRD-PARTY-LICENSES`, licences(inPage));
  inSigner.push(...inRelease, ...inPage);
}

/** The licences of the bundled packages, each of which must be passed on. */
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const parts = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const file = readdirSync(join(ROOT, folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(ROOT, folder, file), "utf8").trim() : "The package has no licence file."}\n`;
  });
  return parts.sort().join(`\n${"-".repeat(80)}\n\n`);
}

/** A worker is a program of its own. */
const WORKERS = [
  { in: `${ROOT}packages/keys/lib/hss/worker.js`, out: "keys/hss-worker" },
  { in: `${ROOT}packages/release/lib/release/cuts/worker.js`, out: "release/cuts-worker" },
];

/** One ES module for each lazy import(), dependencies included, so that a start reads as little as it needs. */
async function commandLine() {
  const { build } = await import("esbuild");
  const { partsOnce, PARTS } = await import("./build/bundle.mjs");
  const fresh = `${CACHE}/cli`;
  const options = {
    metafile: true,
    absWorkingDir: ROOT,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // the user installs those that are needed
    external: Object.keys(JSON.parse(readFileSync(`${ROOT}packages/cli/package.json`, "utf8")).peerDependencies ?? {}),
    target: "node20.19",
    plugins: [directImports(`${ROOT}packages/`, LIBRARIES)],
    // stack traces and error names stay readable; the whitespace is what costs time to read
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    // dependencies in CommonJS ask for node's own modules by require(), which an ES module does not have
    banner: { js: 'import{createRequire as __firmsealRequire}from"node:module";const require=__firmsealRequire(import.meta.url);' },
    logLevel: "warning",
  };
  const bundle = (main, outdir) => {
    rmSync(outdir, { recursive: true, force: true });
    return build({ ...options, entryPoints: [{ in: ROOT + main, out: "main" }, ...WORKERS], outdir });
  };
  const { metafile } = await bundle("packages/cli/src/start.ts", fresh);
  writeFileSync(join(fresh, "THIRD-PARTY-LICENSES"), licences([...Object.keys(metafile.inputs), ...inSigner]));
  const { statements, names, errors, needs } = await partsOnce();
  const parts = JSON.stringify({ statements, names, errors, needs });
  writeFileSync(join(fresh, "parts.json"), parts);
  await bundle("packages/test-support/src/command-line/in-process-entry.ts", ROOT + IN_PROCESS);
  writeFileSync(join(ROOT, IN_PROCESS, "parts.json"), parts);
  mkdirSync(dirname(PARTS), { recursive: true });
  writeFileSync(PARTS, parts);
  // replaced at once, so that a program that is started meanwhile finds the old modules or the new ones
  const dist = `${ROOT}packages/cli/dist`;
  rmSync(`${CACHE}/old`, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, `${CACHE}/old`);
  renameSync(fresh, dist);
}

/** The manual page, from the commands that have just been built. */
async function manual() {
  const { manualPage } = await import("./reference/man.mjs");
  const { version } = JSON.parse(readFileSync(`${ROOT}packages/cli/package.json`, "utf8"));
  mkdirSync(`${ROOT}packages/cli/dist/man`, { recursive: true });
  writeFileSync(`${ROOT}packages/cli/dist/man/firmseal.1`, await manualPage(version));
}

/** A program that runs beside this one, and reports its errors itself. */
function beside(command, args, cwd) {
  return new Promise((resolve, reject) => {
    spawn(command, args, { cwd, stdio: ["ignore", 2, 2] })
      .on("error", reject)
      .on("close", (status) => (status === 0 ? resolve() : reject(new Error("found errors"))));
  });
}

const deviceBundles = () => beside(process.execPath, ["scripts/build/bundle.mjs"], ROOT);

/** The static page of packages/inspector, from the modules that have just been built. */
const inspector = () =>
  beside(`${ROOT}packages/inspector/node_modules/.bin/vite`, ["build", "--logLevel", "warn"], `${ROOT}packages/inspector`);

async function step(name, run) {
  const start = performance.now();
  try {
    await run();
    say(`${name} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return true;
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    return false;
  }
}

/** Everything but types and modules. One run shows every error. */
async function others() {
  const made = [step("device bundles", deviceBundles), step("inspector", inspector)];
  made.push((await step("command line", commandLine)) && step("manual", manual), step("documents", copyDocuments));
  return (await Promise.all(made)).every(Boolean);
}

writeCommandTable();
const now = fingerprint();
if (upToDate(now)) {
  // a page may have changed
  copyDocuments();
  say("up to date");
} else {
  rmSync(STAMP, { force: true });
  // without the modules, every other step would fail too
  if ((await step("types and modules", modules)) && (await others())) {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(STAMP, now);
  } else process.exitCode = 1;
}
