// Device bundles. The build puts the whole verifier into one scope, packages/bundler/dist/parts.json; from there on
// packages/bundler/src/bundle.ts makes every bundle, those that the package ships and those that `firmseal bundle`
// writes.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { build } from "esbuild";
import { isFunction } from "../checks/syntax.mjs";

const VERIFIER = fileURLToPath(new URL("../../packages/verifier/", import.meta.url));
export const PARTS = fileURLToPath(new URL("../../packages/bundler/dist/parts.json", import.meta.url));

/** The bundles that the package ships. */
export const BUNDLES = [
  { name: "ed25519", algs: ["ed25519"] },
  { name: "es256", algs: ["es256"] },
  { name: "hsslms", algs: ["hsslms"] },
  { name: "full", algs: ["ed25519", "es256", "hsslms", "hmac256"] },
];

/** Micro verifiers that ship: for boards, so in the smallest format. */
export const MICRO_BUNDLES = [
  { name: "micro-ed25519", algs: ["ed25519"], features: [], micro: [], format: "espruino" },
  { name: "micro-hsslms", algs: ["hsslms"], features: [], micro: ["sha256"], format: "espruino" },
  { name: "micro-hsslms-storage", algs: ["hsslms"], features: ["storage"], micro: ["sha256"], format: "espruino" },
];

/** What bundles export, in this order. */
export const EXPORTS = ["open", "start", "step", "install", "boot", "anchor"];

/**
 * What bundle.ts refers to besides algorithms and devices, by module: a name that is gone from there ends the build.
 * The order is that of the code in bundles, also for the two devices that have no names here.
 */
const NAMED = {
  "hash/sha256": ["sha256"],
  "hash/sha512": ["sha384", "sha512"],
  "cose/anchor": ["makeAnchor", "anchorMicro", "ALGORITHMS"],
  "device/flash": [],
  "device/espruino": [],
  "device/kernel": ["ed25519Kernel", "es256Kernel", "useEs256Kernel", "useKernel"],
  "device/kernel-hash": ["useHashes"],
  "device/machine": ["makeMachine"],
  "device/roles": ["roleFloors"],
  "device/storage": ["storageBoot"],
  "install/install": ["install", "boot"],
  "trust/open": ["open"],
  "install/micro/open": ["openMicro"],
  "install/micro/install": ["installMicro", "bootMicro"],
  "interpreter/run": ["start", "step"],
  "install/status": ["status", "macAttester"],
  "trust/trust-file": ["trustFileUnchecked", "embeddedTrust", "policyOf"],
  "install/trust-update": ["nextTrust", "updatedTrust"],
};

/**
 * The algorithms: by module, the name of what it exports; and by name, the hashes that it asks a host for, which are
 * features.
 */
async function algorithmModules() {
  const { algorithms } = await import("../../packages/verifier/lib/index.js");
  const modules = {};
  const needs = {};
  for (const file of readdirSync(`${VERIFIER}src/alg`).filter((name) => name !== "index.ts")) {
    const module = `alg/${file.replace(/\.ts$/, "")}`;
    const exported = await import(/* @vite-ignore */ new URL(`../../packages/verifier/lib/${module}.js`, import.meta.url).href);
    for (const name of Object.keys(algorithms)) {
      if (exported[name] !== algorithms[name]) continue;
      modules[module] = [name];
      const text = readFileSync(`${VERIFIER}src/${module}.ts`, "utf8");
      needs[name] = [...new Set([...text.matchAll(/\bHASH_SHA_(\d+)\b/g)].map(([, bits]) => `sha${bits}`))];
    }
  }
  for (const name of Object.keys(algorithms)) if (!needs[name]) throw new Error(`no module in src/alg exports ${name}`);
  return { modules, needs };
}

/** The nodes of code that are part of a node, without the names of members. */
function* partsOf(node) {
  for (const [member, value] of Object.entries(node)) {
    if ((member === "property" || member === "key") && !node.computed && !node.shorthand) continue;
    for (const one of Array.isArray(value) ? value : [value]) if (typeof one?.type === "string") yield one;
  }
}

/** What a function declares: parameters, variables, functions. A function inside it has its own. */
function* declaredIn(node) {
  for (const child of partsOf(node)) {
    if (child.type === "VariableDeclarator" || child.type === "FunctionDeclaration") yield child.id.name;
    if (child.type === "CatchClause") yield child.param.name;
    if (!isFunction(child)) yield* declaredIn(child);
  }
}

/** The names that a statement uses and does not declare. */
function* namesIn(node, local = new Set()) {
  if (node.type === "Identifier" && !local.has(node.name)) yield node.name;
  const own = isFunction(node) ? new Set([...local, ...node.params.map((p) => p.name), ...declaredIn(node)]) : local;
  for (const child of partsOf(node)) yield* namesIn(child, own);
}

/**
 * { statements, names, errors, needs }: see BundleParts in packages/bundler/src/exports.ts. `modules`: by variable at
 * the top, the module under src/ that declares it. Throws if the code is not ES5.
 */
async function makeParts() {
  const { modules: ofAlgorithms, needs } = await algorithmModules();
  const { BUNDLE_DEVICES } = await import("../../packages/bundler/lib/options.js");
  const ofDevices = Object.values(BUNDLE_DEVICES).flatMap(({ exports }) => Object.entries(exports));
  const wanted = { ...ofAlgorithms };
  for (const [module, values] of [...Object.entries(NAMED), ...ofDevices]) wanted[module] = [...(wanted[module] ?? []), ...values];
  const named = Object.entries(wanted).flatMap(([module, values]) => values.map((value) => [module, value]));
  const result = await build({
    stdin: {
      contents: named.map(([module, value], i) => `export { ${value} as firmseal${i} } from "./${module}.js";`).join("\n"),
      resolveDir: `${VERIFIER}src`,
      sourcefile: "parts.js",
      loader: "js",
    },
    absWorkingDir: VERIFIER,
    bundle: true,
    write: false,
    format: "esm",
    target: "es5",
    // the specification's numbers are constants, which esbuild does not lower: they become variables below, and terser
    // inlines them
    supported: { "const-and-let": true },
    charset: "ascii",
    legalComments: "none",
    logLevel: "silent",
  });
  const [text] = result.outputFiles.map((file) => file.text);
  const at = text.lastIndexOf("\nexport {");
  const exported = Object.fromEntries([...text.slice(at).matchAll(/(\w+)(?: as (\w+))?[,\s]/g)].map(([, own, as]) => [as ?? own, own]));
  // a constant anywhere but at the top level is left alone, and the parser refuses it
  const code = text.slice(0, at + 1).replace(/^const (?=[A-Z])/gm, "var ");
  const modules = {};
  const statements = [];
  // esbuild names the file in front of what comes from it
  const marks = [...code.matchAll(/^\/\/ (src\/\S+)$/gm)];
  for (const node of parse(code, { ecmaVersion: 5 }).body) {
    const { 1: module } = marks.findLast((mark) => mark.index < node.start) ?? [];
    const declared = (node.type === "VariableDeclaration" ? node.declarations : [node]).flatMap(({ id }) => (id ? [id.name] : []));
    for (const name of declared) {
      // what bundle.ts puts around the code has these names
      if (/^(firmseal|api$|exports$)/.test(name)) throw new Error(`${module} declares ${name} at the top`);
      modules[name] = module;
    }
    const text = code.slice(node.start, node.end);
    const body = node.type === "FunctionDeclaration" ? node.body.start + 1 - node.start : 0;
    statements.push({ module, declared, uses: [...new Set(namesIn(node))], text, body });
  }
  for (const one of statements) one.uses = one.uses.filter((name) => modules[name] && !one.declared.includes(name));
  const names = Object.fromEntries(named.map(([, value], i) => [value, exported[`firmseal${i}`]]));
  const errors = { ...(await import("../../packages/verifier/lib/spec/errors.generated.js")) };
  return { statements, names, errors, needs, modules };
}

let known;

/** Like makeParts(), but only once: for programs that make several bundles of one build, and change nothing in it. */
export function partsOnce() {
  known ??= makeParts();
  return known;
}

/**
 * Writes firmseal-NAME.js, which ships, and firmseal-NAME.src.js, which people read, into `folder`
 * (packages/verifier/dist). Returns { name, algs, min, src, modules }: both texts, and the modules under src/ that they
 * contain. Throws if the result is not ES5.
 */
export async function bundle({ name, algs, features: wanted, format = "umd", micro, folder = `${VERIFIER}dist` }) {
  const all = await partsOnce();
  const { DEFAULT_FEATURES, minifiedBundle, readableBundle } = await import("../../packages/bundler/lib/index.js");
  const features = wanted ?? DEFAULT_FEATURES;
  const options = { algs, features, format, ...(micro && { micro }) };
  const [min, src] = [await minifiedBundle(options, all), await readableBundle(options, all)];
  parse(min, { ecmaVersion: 5 });
  const declared = new Set([...src.matchAll(/^ *(?:var|function) (\w+)|^ *var .*$/gm)].flatMap(([line, id]) => [id, ...line.split(/\W+/)]));
  const modules = [...new Set(Object.entries(all.modules).flatMap(([id, module]) => (declared.has(id) ? [module] : [])))];
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/firmseal-${name}.src.js`, src);
  writeFileSync(`${folder}/firmseal-${name}.js`, min);
  return { name, algs, min, src, modules };
}

/** Every bundle that ships, and the package.json that makes Node read them as scripts rather than as ES modules. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const one of [...BUNDLES, ...MICRO_BUNDLES]) await bundle(one);
  writeFileSync(`${VERIFIER}dist/package.json`, '{ "type": "commonjs" }\n');
}
