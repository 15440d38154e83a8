// Device bundles: one ES5 file with the core of the verifier and the selected algorithms and features. The build puts
// the whole verifier into one scope (parts.json). This file removes what a product does not use and shortens names.

import { existsSync, readFileSync } from "node:fs";
import { FirmsealError } from "@firmseal/verifier/tools";
import type { CompressOptions, FormatOptions, MinifyOptions, ParseOptions } from "terser";
import { unworkable } from "./combination.js";
import { type BundleParts, exportsOf } from "./exports.js";
import { inlineFunctions } from "./inlining.js";
import { LOCAL_NAMES } from "./local-names.generated.js";
import { type Node, nameVariables, RESERVED, scopesOf, textWithNames } from "./naming.js";
import { nestStatements, reachableFrom } from "./nesting.js";
import { BUNDLE_ALGS, BUNDLE_FEATURES, BUNDLE_FORMATS, type BundleOptions, MICRO_PARTS, type MicroPart } from "./options.js";

/** The constants HAS_… of these parts. */
const FLAG_OF: { readonly [part in MicroPart]: string } = { boot: "boot", limits: "windows", threshold: "pairs", uri: "fetch" };

/** Names that callers and hosts use. All other property names are shortened. */
export const PUBLIC_NAMES = [
  // what a bundle exports
  "open start step install boot anchor errors",
  // base/types.ts
  "length chunk read dangerouslyReadInPlace memory update digest create once joined sha256 sha384 sha512 key table ids valid verify alg kid anchors threshold floor single code at",
  // trust/open.ts, interpreter/frame.ts
  "sequence components signers bytes referenceUri payloads uri absent",
  "op component size content args source slot sourceDigest sourceSize vendor class device",
  // install/device.ts
  "identity counters begin capacity erase write invoke keep persist discard fetch session cannotLoad dangerouslySkipIdentity dangerouslySkipDigest",
  "written counters reset envelope done manifest next cause",
  // device/flash.ts
  "flashDevice pageSize components id slots size envelopes records tries envelope start confirm pending rolledBack receive received",
  // device/roles.ts
  "roleFloors currentRole",
  // device/storage.ts, device/espruino.ts
  "storage E page host invoked firmsealApp",
  "espruinoIo storageDevice storageSource makeRoom",
  // trust/trust-file.ts
  "trustFileUnchecked embeddedTrust updatedTrust policyOf nextTrust name thresholds payload cose roles since until file",
  // install/status.ts
  "status macAttester sign",
  // Espruino's own
  "getFree toUint8Array toString SHA256 SHA512",
  // device/machine.ts
  "kernel nativeCall getAddressOf toFlatString toArrayBuffer CRC32 env BOARD stackFree",
]

  .join(" ")
  .split(" ");

/** Names of built-in properties and methods of the language that the verifier uses. */
export const OWN_NAMES = [
  "push pop splice indexOf concat charCodeAt substring fromCharCode floor split set subarray byteLength byteOffset exports",
]
  .join(" ")
  .split(" ");

/** The constants HAS_… of the verifier, which a bundle sets. */
const FLAGS = [
  "boot",
  "copy",
  "families",
  "fetch",
  "general",
  "host512",
  "once",
  "pairs",
  "plain",
  "prepared",
  "sha256",
  "sha512",
  "tables",
  "tools",
  "trust",
  "windows",
];

/**
 * Methods that every object of Espruino has (its jswrap_object.c): a property with such a name would never be
 * undefined.
 */
const ESPRUINO_NAMES = ["on", "emit", "clone", "addListener", "prependListener", "removeListener", "removeAllListeners"];

let parts: BundleParts | undefined;

/** Reads parts.json beside the bundled command line, or where the build has put it. */
function readParts(): BundleParts {
  for (const place of ["./parts.json", "../parts.json", "../dist/parts.json"]) {
    const url = new URL(place, import.meta.url);
    if (!parts && existsSync(url)) parts = JSON.parse(readFileSync(url, "utf8")) as BundleParts;
  }
  if (!parts) throw new Error("parts.json is missing: build first");
  return parts;
}

const MODULE = '(typeof module === "object" && module && module.exports) || (typeof exports === "object" && exports) || {}';

/** Names in the two lists that no property has any more: they protect nothing, because the property was renamed. */
export function unusedNames(all: BundleParts): string[] {
  const options = { algs: BUNDLE_ALGS, features: BUNDLE_FEATURES, kernel: "bangle.js2" } as const;
  const text = BUNDLE_FORMATS.map((format) => assemble(all, { ...options, format }, true)).join("\n");
  return [...PUBLIC_NAMES, ...OWN_NAMES].filter(
    (name) => !new RegExp(`\\.${name}\\b|\\b${name}:|\\b${name} in |^var ${name}\\b`, "m").test(text),
  );
}

/** Runs the app in the global scope. All other code is in a function and stays in flash. */
function bootFile({ statements, names }: BundleParts): string {
  const storageBoot = names["storageBoot"] as string;
  const needed = reachableFrom(statements, [storageBoot]);
  const code = statements.flatMap((s) => (needed.has(s) ? [s.text] : [])).join("\n");
  const own = (module: string) => `require(${JSON.stringify(module)})`;
  const io = `{ storage: ${own("Storage")}, E: E, sha256: function (text) { return new Uint8Array(${own("crypto")}.SHA256(text)); } }`;
  const nothing = `'print("firmseal: there is nothing to start")'`;
  return `eval((function () {\n${code}\nreturn ${storageBoot}(${io}, global) || ${nothing};\n})());\n`;
}

/** The constants HAS_… that are true, in lower case. */
function givenFlags(all: BundleParts, { algs, features, format, micro, without = [] }: BundleOptions): readonly string[] {
  const flags = [
    ...features,
    ...algs.flatMap((alg) => all.needs[alg] ?? []),
    "sha256",
    ...(format === "espruino" || micro ? [] : ["tables"]),
    // the other formats are for engines with typed arrays
    ...(format === "umd" ? ["plain"] : []),
  ];
  if (micro)
    return [
      ...flags.filter((flag) => !(micro as readonly string[]).includes(flag)),
      ...MICRO_PARTS.flatMap((part) => (without.includes(part) ? [] : [FLAG_OF[part]])),
      ...(micro.includes("sha512") && flags.includes("sha512") ? ["host512"] : []),
      // Espruino hashes several pieces in one call
      ...(format === "espruino" && micro.includes("sha256") ? [] : ["once"]),
    ];
  return [...flags, "boot", "fetch", "general", "once", "pairs", ...(features.includes("trust") ? ["windows"] : [])];
}

/**
 * The code of the parts for the selected features, followed by the exports of the bundle. `whole`: also parts that the
 * bundle does not reach.
 */
function assemble(all: BundleParts, options: BundleOptions, whole = false): string {
  const fault = unworkable(options);
  // unusedNames() looks at everything, in every format
  if (fault && !whole) throw new FirmsealError("ERR_BUNDLE", `${fault.problem}: ${fault.hint}`);
  if (options.format === "boot") return bootFile(all);
  const { text, uses } = exportsOf(all, options, "api");
  const given = givenFlags(all, options);
  const found: string[] = [];
  const statements = all.statements.map((s) => {
    const flag = /^var HAS_([A-Z0-9]+) = true;$/.exec(s.text)?.[1];
    if (flag) found.push(flag.toLowerCase());
    return flag ? { ...s, text: `var HAS_${flag} = ${given.includes(flag.toLowerCase())};` } : s;
  });
  // code behind a constant that is not set would stay in every bundle
  if (found.sort().join() !== FLAGS.join()) throw new Error(`the verifier has the constants HAS_… of ${found}, and not of ${FLAGS}`);
  if (options.format === "espruino") return `${nestStatements(statements, uses)}\nvar api = exports;\n${text}\n`;
  // terser would leave out the same, and take longer
  const needed = whole ? new Set(statements) : reachableFrom(statements, uses);
  const code = statements.flatMap((s) => (needed.has(s) ? [s.text] : [])).join("\n");
  const head = `var firmseal = ${options.format === "umd" ? MODULE : "{}"};\n(function (api) {\n"use strict";\n`;
  return `${head}${code}\n${text}\n})(firmseal);\n${options.format === "module" ? "export default firmseal;\n" : ""}`;
}

function titleComment({ algs, features, format }: BundleOptions): string {
  if (format === "boot") return "// firmseal, boot file for Espruino. Apache-2.0.\n";
  return `// firmseal, device verifier: ${algs.join(", ")}; ${features.join(", ") || "no features"}. Apache-2.0.\n`;
}

function terserFormat({ format }: BundleOptions): MinifyOptions {
  // a module of Espruino has everything at the top level
  return { ecma: 5, toplevel: format === "espruino", format: { ecma: 5, ascii_only: true } };
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/**
 * Short names for the properties in `code`, for terser's cache of names. The most frequent properties get one letter:
 * terser itself gives names in the order of the text. `kept`: names that stay, so no property may get them.
 */
function shortNames(code: string, kept: readonly string[]): { [property: string]: string } {
  const counts = new Map<string, number>();
  for (const [, dotted, key] of code.matchAll(/\.([A-Za-z_]\w*)|[{,]([A-Za-z_]\w*):/g)) {
    const name = (dotted ?? key) as string;
    if (!kept.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  // letters that are frequent in the code take fewer bits in an archive
  const used = (letter: string) => code.split(letter).length;
  const letters = [...LETTERS].sort((a, b) => used(b) - used(a));
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  // engines of ES3 accept no keyword as the name of a property
  const free = [...letters, ...pairs].filter((name) => ![...kept, "do", "if", "in"].includes(name));
  const names = [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name);
  // terser puts a dollar sign before each name
  return Object.fromEntries(names.map((name, i) => [`$${name}`, free[i] as string]));
}

/** minify() of terser, or a function with the same result. `code`: a text, or its syntax tree. */
export type Minify = (code: string | Node, options: MinifyOptions) => Promise<{ code?: string; ast?: unknown }>;

// its types know trees of its own kind only
const byTerser: Minify = async (code, options) => (await import("terser")).minify(code as string, options);

/**
 * Gives it copies of the options: terser writes into them, and what one bundle is given must not reach the next one.
 */
const withCopies =
  (minify: Minify): Minify =>
  (code, options) =>
    minify(code, structuredClone(options));

/** Leaves out what a bundle does not need, and the rest as it is written. */
const ONLY_NEEDED: CompressOptions = {
  defaults: false,
  unused: true,
  dead_code: true,
  conditionals: true,
  evaluate: true,
  reduce_vars: true,
  side_effects: true,
  pure_getters: true,
};

/** Takes the syntax tree in place of a text. */
const FROM_TREE = { spidermonkey: true } as ParseOptions;
/** Gives the syntax tree. */
const TREE = { spidermonkey: true, code: false } as FormatOptions;

/**
 * What a variable can replace: literals, and properties, whose names cannot be shortened. Strings come first: nothing
 * in them counts.
 */
const NAMEABLE = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\.[A-Za-z_]\w*|\bvoid 0\b|\bnull\b|\b4294967296\b/g;
/** A variable has to save as many bytes at least. */
const SAVED = 20;

/**
 * Puts variables in place of literals, and of names in `kept`, that are long and frequent: `a.length` becomes `a[b]`.
 */
function nameLiterals(code: string, kept: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const [found] of code.matchAll(NAMEABLE))
    if (found[0] === "." ? kept.includes(found.slice(1)) : !/^["']/.test(found) || /^"(number|undefined)"$/.test(found))
      counts.set(found, (counts.get(found) ?? 0) + 1);
  const variables = new Map<string, string>();
  for (const [found, n] of counts) {
    // brackets; a declaration with a letter, `=`, a comma, and quotes instead of the dot
    const [left, declared] = found[0] === "." ? [3, found.length + 4] : [1, found.length + 3];
    if (n * (found.length - left) - declared >= SAVED) variables.set(found, `firmsealLiteral${variables.size}`);
  }
  const written = (found: string) => (found === "void 0" ? "" : `=${found[0] === "." ? JSON.stringify(found.slice(1)) : found}`);
  const declarations = [...variables].map(([found, name]) => name + written(found));
  const named = code.replace(NAMEABLE, (found, at: number) => {
    const name = variables.get(found);
    if (!name) return found;
    // return"number"
    return found[0] === "." ? `[${name}]` : `${/\w/.test(code.charAt(at - 1)) ? " " : ""}${name}`;
  });
  return declarations.length
    ? named.replace(/"use strict";(var )?/, (_, first) => `"use strict";var ${declarations.join()}${first ? "," : ";"}`)
    : named;
}

/** What this process has made, by options. A page for several releases holds the same bundle. */
const bundles = new Map<string, Promise<string>>();

/**
 * Makes the minified bundle to ship: ES5 in the subset that all supported engines run. The same options always give the
 * same text.
 *
 * @param options - Algorithms, features and form.
 * @param all - Parts that were read before. Default: those of the package.
 * @param minify - Another minifier, for tests.
 * @returns The text of the bundle.
 * @throws Error if unworkable() has a reason.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { minifiedBundle } from "@firmseal/bundler";
 *
 * const text = await minifiedBundle({ algs: ["hsslms"], features: ["install", "errors"], format: "espruino" });
 * writeFileSync("firmseal.js", text);
 * ```
 */
export async function minifiedBundle(options: BundleOptions, all: BundleParts = readParts(), minify = byTerser): Promise<string> {
  if (all !== parts || minify !== byTerser) return minified(options, all, minify);
  const key = JSON.stringify(options);
  const text = bundles.get(key) ?? minified(options, all, minify);
  bundles.set(key, text);
  return text;
}

async function minified(options: BundleOptions, all: BundleParts, minify: Minify): Promise<string> {
  // on a small board a variable costs more than the bytes that it saves
  const isSmall = options.format === "espruino" || options.format === "boot" || options.micro !== undefined;
  const code = await (isSmall ? smallBundle : generalBundle)(options, all, withCopies(minify));
  // Espruino does not find the end of a function that ends in a bare return. A getter that terser keeps does nothing.
  return `${code.replace(/\breturn\}/g, "return;}").replace(/(^|[;}])Math;/g, "$1")}\n`;
}

/**
 * How terser compresses. A function that is inlined at its call is created again for each call, and Espruino takes one
 * in the head of a for loop for a declaration. Where a function with variables is inlined, they are declared at the
 * end, too late for Espruino.
 */
const compressed = (passes: number): CompressOptions => ({
  ecma: 5,
  passes,
  hoist_funs: false,
  hoist_vars: false,
  inline: 2,
  pure_getters: true,
  reduce_funcs: false,
});

/** Properties that keep their names. */
const KEPT = [...PUBLIC_NAMES, ...OWN_NAMES, ...BUNDLE_ALGS, ...ESPRUINO_NAMES, "Error"];

/** Shortens the names of properties, by how often each occurs. */
async function withShortProperties(code: string, options: MinifyOptions, minify: Minify): Promise<string> {
  const { code: shortened = "" } = await minify(code, {
    ...options,
    compress: false,
    mangle: { ...(options.mangle as object), properties: { builtins: true, reserved: [...KEPT] } },
    nameCache: { vars: {}, props: { props: shortNames(code, KEPT) } },
  });
  return shortened;
}

async function smallBundle(options: BundleOptions, all: BundleParts, minify: Minify): Promise<string> {
  const format = terserFormat(options);
  const mangle = {
    // the parameter of a catch gets a name that nothing else in its function has: some engines have one scope for both
    ie8: true,
    reserved: [...RESERVED],
  };
  const { code = "" } = await minify(assemble(all, options), { ...format, compress: compressed(4), mangle });
  return withShortProperties(code, { ...format, mangle }, minify);
}

async function generalBundle(options: BundleOptions, all: BundleParts, minify: Minify): Promise<string> {
  const format = terserFormat(options);
  // functions keep their names, by which local-names.generated.ts knows them
  const mangle = { keep_fnames: true, reserved: [...RESERVED] };
  const needed = (await minify(assemble(all, options), { compress: ONLY_NEEDED, mangle: false, format: TREE })).ast as Node;
  inlineFunctions(needed);
  const { code = "" } = await minify(needed, { ...format, parse: FROM_TREE, compress: compressed(2), mangle });
  const short = await withShortProperties(nameLiterals(code, KEPT), { ...format, mangle }, minify);
  const { ast } = await minify(short, { compress: false, mangle: false, format: TREE });
  const scopes = scopesOf(ast as Node);
  nameVariables(scopes, RESERVED, LOCAL_NAMES);
  return textWithNames(short, scopes);
}

/**
 * Makes the same bundle, formatted for reading.
 *
 * @param options - Algorithms, features and form.
 * @param all - Parts that were read before. Default: those of the package.
 * @param minify - Another minifier, for tests.
 * @returns The text of the bundle.
 * @throws Error if unworkable() has a reason.
 */
export async function readableBundle(options: BundleOptions, all: BundleParts = readParts(), minify = byTerser): Promise<string> {
  const base = terserFormat(options);
  const { code = "" } = await withCopies(minify)(assemble(all, options), {
    ...base,
    compress: ONLY_NEEDED,
    mangle: false,
    format: { ...base.format, beautify: true, indent_level: 2, comments: false },
  });
  return `${titleComment(options)}${code.replace(/^Math;\n+/m, "")}\n`;
}

/**
 * Makes the same code for programs that simulate devices. Names are not shortened, so the devices of
 * `@firmseal/verifier/device/…` work with it.
 *
 * @param options - Algorithms and features.
 * @param all - Parts that were read before. Default: those of the package.
 * @returns A script whose value is the exports.
 */
export function playable({ algs, features, micro, without }: Omit<BundleOptions, "format">, all: BundleParts = readParts()): string {
  return `(function () {\n${assemble(all, { algs, features, format: "script", ...(micro && { micro }), ...(without && { without }) })}\nreturn firmseal;\n})()`;
}
