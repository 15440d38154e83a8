// Device bundles: one ES5 file that holds the core of the verifier, the algorithms and features asked for, and nothing else. The build puts
// all of the verifier into one scope (parts.json); here what a product does not use is left out of it, and names are made short.

import { existsSync, readFileSync } from "node:fs";
import { type AlgorithmName, algorithms } from "@firmseal/verifier";
import type { MinifyOptions } from "terser";
import { nestStatements, reachableFrom, type Statement } from "./nesting.js";

/** What the build leaves for this file: the whole verifier in one scope, and which names in it are what. */
export interface BundleParts {
  statements: Statement[];
  /** By exported name ("ed25519"): the variable. */
  names: { [name: string]: string };
  errors: { [name: string]: number };
  /** By algorithm: the features that it cannot do without, such as a hash. */
  needs: { [alg: string]: string[] };
}

/** By name of the anchor, which is what the verifier exports. */
export type AlgName = AlgorithmName;

/** What a bundle may have besides open, start, step and anchor, in words for people. */
const FEATURES = {
  install: "install() and boot(), over a Device",
  errors: "the names of the refusals: errors.ROLLBACK is 38",
  copy: "the directives copy and swap; without it they are not supported",
  flash: "flashDevice(): a Device on raw flash",
  prepared: "uses the tables of `firmseal pubkey --device`; without it, they are ignored",
  status: "status(), macAttester(): an authenticated answer that says what the device runs",
  storage: "Espruino: the device in Storage, and its native hashes",
  trust: "trust files: trustFile(), embeddedTrust(), policyOf(), nextTrust()",
} as const;

export type FeatureName = keyof typeof FEATURES;

/**
 * umd: a CommonJS module, Espruino's `exports`, or one global in a plain script. espruino: a module for require(), without a function
 * around it, so that functions stay in flash. script: one global and nothing that asks for `module`, for a JerryScript snapshot. boot: no
 * verifier, but the boot file that starts what the device in Storage has installed.
 */
export const BUNDLE_FORMS = ["umd", "espruino", "script", "boot"] as const;

export type BundleForm = (typeof BUNDLE_FORMS)[number];

export const BUNDLE_ALGS = Object.keys(algorithms) as AlgName[];
export const BUNDLE_FEATURES = Object.keys(FEATURES) as FeatureName[];

/** What a bundle has where nothing is said, and what the bundles of the package have. */
export const DEFAULT_FEATURES: readonly FeatureName[] = ["install", "errors", "copy"];

export interface BundleOptions {
  algs: readonly AlgName[];
  features: readonly FeatureName[];
  form: BundleForm;
}

/** Names that callers and hosts see; all other names of properties are shortened. */
export const PUBLIC_NAMES = [
  // what a bundle exports
  "open start step install boot anchor errors",
  // base/types.ts
  "length chunk read dangerouslyReadInPlace memory update digest create once joined sha256 sha384 sha512 key table ids valid verify alg kid anchors threshold floor code at",
  // trust/open.ts, interpreter/frame.ts
  "sequence components signers bytes referenceUri payloads uri absent",
  "op component size content args source slot sourceDigest sourceSize vendor class device",
  // install/device.ts
  "identity counters begin capacity erase write invoke keep persist discard fetch session dangerouslySkipIdentity dangerouslySkipDigest",
  "written envelope done manifest next cause",
  // device/flash.ts
  "flashDevice pageSize components id slots size envelopes records tries envelope start confirm pending rolledBack receive received",
  // device/storage.ts, device/espruino.ts
  "storage E page host invoked firmsealApp",
  "espruinoIo storageDevice storageSource",
  // trust/trust-file.ts
  "trustFile embeddedTrust policyOf nextTrust name thresholds payload cose roles since until file",
  // install/status.ts
  "status macAttester sign",
  // Espruino's own
  "getFree toUint8Array toString SHA256",
]
  .join(" ")
  .split(" ");

/** Names of the language's own properties and methods that the verifier uses. */
export const OWN_NAMES = [
  "push pop indexOf concat charCodeAt substring fromCharCode hasOwnProperty floor split set subarray byteOffset exports",
]
  .join(" ")
  .split(" ");

/** The constants HAS_… of the verifier that a bundle sets. */
const FLAGS = ["copy", "prepared", "sha512", "tables", "tools", "trust"];

/** Methods that every object of Espruino has (its jswrap_object.c): a property of that name would never be undefined. */
const ESPRUINO_NAMES = ["on", "emit", "clone", "addListener", "prependListener", "removeListener", "removeAllListeners"];

let parts: BundleParts | undefined;

/** Beside the bundled command line, or where the build has put it. */
function readParts(): BundleParts {
  for (const place of ["./parts.json", "../parts.json", "../dist/parts.json"]) {
    const url = new URL(place, import.meta.url);
    if (!parts && existsSync(url)) parts = JSON.parse(readFileSync(url, "utf8")) as BundleParts;
  }
  if (!parts) throw new Error("parts.json is missing: build first");
  return parts;
}

/** The refusals that only a bundle with a feature can give: their names would be dead weight in another. */
const REFUSALS_OF: { readonly [feature in FeatureName]?: RegExp } = {
  trust: /^TRUST_(?!POLICY$)|^ANCHOR_WINDOW$/,
  status: /^STATUS_/,
};

/** "CBOR_TRUNCATED,CBOR_NOT_SHORTEST,…": a name's place is its number. */
function errorList(errors: BundleParts["errors"], features: readonly FeatureName[]): string {
  const list: string[] = [];
  const missing = BUNDLE_FEATURES.filter((name) => !features.includes(name)).map((name) => REFUSALS_OF[name]);
  for (const [name, number] of Object.entries(errors)) if (!missing.some((of) => of?.test(name))) list[number] = name;
  return Array.from(list, (name) => name ?? "").join(",");
}

/** What stands behind the parts: the exports, each a property of `api`, and the names that they speak of. Mirrors src/index.ts. */
function exportsOf(all: BundleParts, { algs, features }: BundleOptions, api: string): { text: string; uses: string[] } {
  const uses: string[] = [];
  for (const alg of algs) if (!Object.hasOwn(algorithms, alg)) throw new Error(`unknown algorithm ${alg}`);
  const name = (value: string) => {
    const found = all.names[value];
    if (!found) throw new Error(`the verifier has no ${value}`);
    uses.push(found);
    return found;
  };
  // nothing at the top of the verifier has a name that begins like these: makeParts() sees to it
  const out = [
    `var firmsealAlgs = { ${algs.map((alg) => `${alg}: ${name(alg)}`).join(", ")} };`,
    `${api}.open = ${name("open")};`,
    `${api}.start = ${name("start")};`,
    `${api}.step = ${name("step")};`,
  ];
  if (features.includes("install")) for (const value of ["install", "boot"]) out.push(`${api}.${value} = ${name(value)};`);
  if (features.includes("storage")) {
    out.push(`${api}.espruinoIo = ${name("espruinoIo")};`);
    for (const value of ["storageDevice", "storageSource"]) out.push(`${api}.${value} = ${name(value)};`);
  }
  out.push(`${api}.anchor = function (alg, key, kid) {\n  return ${name("makeAnchor")}(firmsealAlgs, alg, key, kid);\n};`);
  if (features.includes("trust")) {
    out.push(`var firmsealAlgList = [${algs.map((alg) => name(alg)).join(", ")}];`);
    for (const [value, parameters] of [
      ["trustFile", "bytes, before, host"],
      ["embeddedTrust", "bytes"],
    ])
      out.push(`${api}.${value} = function (${parameters}) {\n  return ${name(value as string)}(firmsealAlgList, ${parameters});\n};`);
    out.push(`${api}.policyOf = ${name("policyOf")};`);
    const following = "store, device, envelope, role, host";
    out.push(`${api}.nextTrust = function (${following}) {\n  return ${name("nextTrust")}(firmsealAlgList, ${following});\n};`);
  }
  if (features.includes("status")) for (const value of ["status", "macAttester"]) out.push(`${api}.${value} = ${name(value)};`);
  if (features.includes("flash")) out.push(`${api}.flashDevice = ${name("flashDevice")};`);
  if (features.includes("errors"))
    out.push(
      `${api}.errors = {};`,
      `var firmsealNames = "${errorList(all.errors, features)}".split(",");`,
      "var firmsealNumber;",
      "for (firmsealNumber = 0; firmsealNumber < firmsealNames.length; firmsealNumber++) {",
      `  if (firmsealNames[firmsealNumber]) ${api}.errors[firmsealNames[firmsealNumber]] = firmsealNumber;`,
      "}",
    );
  return { text: out.join("\n"), uses };
}

const MODULE =
  'typeof module === "object" && module && module.exports ? module.exports : typeof exports === "object" && exports ? exports : {}';

/** Names of the two lists that no bundle has as a property: they protect nothing, and what they were to protect has another name now. */
export function unusedNames(all: BundleParts): string[] {
  const text = BUNDLE_FORMS.map((form) => assemble(all, { algs: BUNDLE_ALGS, features: BUNDLE_FEATURES, form })).join("\n");
  return [...PUBLIC_NAMES, ...OWN_NAMES].filter(
    (name) => !new RegExp(`\\.${name}\\b|\\b${name}:|\\b${name} in |^var ${name}\\b`, "m").test(text),
  );
}

/** Runs the app where global code runs. Everything else is in a function, and lies in flash. */
function bootFile({ statements, names }: BundleParts): string {
  const storageBoot = names["storageBoot"] as string;
  const needed = reachableFrom(statements, [storageBoot]);
  const code = statements.flatMap((s) => (needed.has(s) ? [s.text] : [])).join("\n");
  const own = (module: string) => `require(${JSON.stringify(module)})`;
  const io = `{ storage: ${own("Storage")}, E: E, sha256: function (text) { return new Uint8Array(${own("crypto")}.SHA256(text)); } }`;
  const nothing = `'print("firmseal: there is nothing to start")'`;
  return `eval((function () {\n${code}\nreturn ${storageBoot}(${io}, global) || ${nothing};\n})());\n`;
}

/** The parts, set for the features, with what a bundle exports behind them. */
function assemble(all: BundleParts, options: BundleOptions): string {
  if (options.form === "boot") return bootFile(all);
  const { text, uses } = exportsOf(all, options, options.form === "espruino" ? "exports" : "api");
  const given: readonly string[] = [
    ...options.features,
    ...options.algs.flatMap((alg) => all.needs[alg] ?? []),
    ...(options.form === "espruino" ? [] : ["tables"]),
  ];
  const found: string[] = [];
  const statements = all.statements.map((s) => {
    const flag = /^var HAS_([A-Z0-9]+) = true;$/.exec(s.text)?.[1];
    if (flag) found.push(flag.toLowerCase());
    return flag ? { ...s, text: `var HAS_${flag} = ${given.includes(flag.toLowerCase())};` } : s;
  });
  // a constant that is not set leaves in every bundle what stands behind it
  if (found.sort().join() !== FLAGS.join()) throw new Error(`the verifier has the constants HAS_… of ${found}, and not of ${FLAGS}`);
  if (options.form === "espruino") return `${nestStatements(statements, uses)}\n${text}\n`;
  const code = statements.map((s) => s.text).join("\n");
  const head = `var firmseal = ${options.form === "umd" ? MODULE : "{}"};\n(function (api) {\n"use strict";\n`;
  return `${head}${code}\n${text}\n})(firmseal);\n`;
}

function titleComment({ algs, features, form }: BundleOptions): string {
  if (form === "boot") return "// firmseal, boot file for Espruino. Apache-2.0.\n";
  return `// firmseal, device verifier: ${algs.join(", ")}; ${features.join(", ") || "no features"}. Apache-2.0.\n`;
}

function terserFormat({ form }: BundleOptions): MinifyOptions {
  // in a module of Espruino everything stands at the top
  return { ecma: 5, toplevel: form === "espruino", format: { ecma: 5, ascii_only: true } };
}

/** minify() of terser, or what gives the same. */
export type Minify = (text: string, options: MinifyOptions) => Promise<{ code?: string }>;

const byTerser: Minify = async (text, options) => (await import("terser")).minify(text, options);

/**
 * The bundle that ships: ES5 in the subset that all the engines run. The same options give the same text, byte for byte.
 */
export async function minifiedBundle(options: BundleOptions, all: BundleParts = readParts(), minify = byTerser): Promise<string> {
  const { code = "" } = await minify(assemble(all, options), {
    ...terserFormat(options),
    // a function that is put where it is called is made again at each call, and at the head of a for Espruino takes it for a declaration
    compress: { ecma: 5, passes: 4, hoist_funs: false, hoist_vars: false, pure_getters: true, reduce_funcs: false },
    mangle: {
      // no variable of Espruino may have the first two as its name
      reserved: ["of", "get", "exports"],
      properties: { builtins: true, reserved: [...PUBLIC_NAMES, ...OWN_NAMES, ...BUNDLE_ALGS, ...ESPRUINO_NAMES, "Error"] },
    },
  });
  // Espruino misses the end of a function whose last word is return
  return `${code.replace(/\breturn\}/g, "return;}")}\n`;
}

/** The same as people read it. */
export async function readableBundle(options: BundleOptions, all: BundleParts = readParts(), minify = byTerser): Promise<string> {
  const base = terserFormat(options);
  const { code = "" } = await minify(assemble(all, options), {
    ...base,
    compress: {
      defaults: false,
      unused: true,
      dead_code: true,
      conditionals: true,
      evaluate: true,
      reduce_vars: true,
      side_effects: true,
      pure_getters: true,
    },
    mangle: false,
    format: { ...base.format, beautify: true, indent_level: 2, comments: false },
  });
  return `${titleComment(options)}${code}\n`;
}

/**
 * The same for a program that plays devices: a script whose value is the exports, with every name as it is in the verifier, so that devices
 * of `@firmseal/verifier/device/…` work with it.
 */
export function playable({ algs, features }: Pick<BundleOptions, "algs" | "features">, all: BundleParts = readParts()): string {
  return `(function () {\n${assemble(all, { algs, features, form: "script" })}\nreturn firmseal;\n})()`;
}
