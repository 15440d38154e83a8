// Device bundles: one ES5 file that holds the core of the verifier and the algorithms asked for, and nothing else.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { build } from "esbuild";
import { minify } from "terser";

const VERIFIER = fileURLToPath(new URL("../packages/verifier/", import.meta.url));

/** By name of the anchor: the module, what it exports, and the hashes that it cannot do without. */
const ALGS = {
  ed25519: { module: "alg/ed25519", value: "ed25519", hashes: ["sha512"] },
  es256: { module: "alg/es256", value: "es256", hashes: ["sha256"] },
  hmac256: { module: "alg/hmac", value: "hmac256", hashes: ["sha256"] },
};

const HASHES = {
  sha256: { module: "hash/sha256", value: "sha256" },
  sha384: { module: "hash/sha512", value: "sha384" },
  sha512: { module: "hash/sha512", value: "sha512" },
};

/** The bundles that the package ships. */
export const BUNDLES = [
  { name: "ed25519", algs: ["ed25519"] },
  { name: "es256", algs: ["es256"] },
  { name: "full", algs: ["ed25519", "es256", "hmac256"] },
];

/** What a bundle exports, in this order. */
export const EXPORTS = ["open", "start", "step", "install", "boot", "anchor", "errors"];

function hashesOf(algs) {
  // SHA-256 is what nearly every manifest digest uses. SHA-384 is SHA-512 with other initial values: where one is, both are.
  const names = new Set(["sha256"]);
  for (const alg of algs) for (const hash of ALGS[alg].hashes) names.add(hash);
  if (names.has("sha512")) names.add("sha384");
  return Object.keys(HASHES).filter((name) => names.has(name));
}

/** Mirrors src/index.ts with the named algorithms and hashes only. `api` is the parameter of the wrapper's function. */
function entry(algs) {
  const from = (value, module, as) => `import { ${value}${as ? ` as ${as}` : ""} } from "./${module}.js";`;
  const hashes = hashesOf(algs);
  const errors = [...readFileSync(`${VERIFIER}src/spec/errors.ts`, "utf8").matchAll(/^export const (\w+) = \d+;$/gm)].map((m) => m[1]);
  const fill = hashes.map((h) => `    ${h}: (host && host.${h}) || ${h},`).join("\n");
  return `
${algs.map((a) => from(ALGS[a].value, ALGS[a].module)).join("\n")}
${hashes.map((h) => from(HASHES[h].value, HASHES[h].module)).join("\n")}
import { anchorOf } from "./anchor.js";
import { boot as bootWith, install as installWith } from "./install.js";
import { open as openWith } from "./open.js";
import { start, step } from "./run.js";
import { ${errors.join(", ")} } from "./spec/errors.js";

var ALGS = { ${algs.map((a) => `${a}: ${ALGS[a].value}`).join(", ")} };

function fill(host) {
  return {
${fill}
  };
}

api.open = function (envelope, trust, host) {
  return openWith(envelope, trust, fill(host));
};
api.start = start;
api.step = step;
api.install = function (envelope, trust, device, host) {
  return installWith(envelope, trust, device, fill(host));
};
api.boot = function (envelope, trust, device, host) {
  return bootWith(envelope, trust, device, fill(host));
};
api.anchor = function (alg, key, kid) {
  return anchorOf(ALGS, alg, key, kid);
};
api.errors = {
${errors.map((e) => `  ${e}: ${e},`).join("\n")}
};
`;
}

// In a module of Node or Espruino `firmseal` is a local variable; in a plain script it is the one global.
const HEAD = `var firmseal =
  typeof module === "object" && module && module.exports ? module.exports : typeof exports === "object" && exports ? exports : {};
(function (api) {
  "use strict";
`;
const TAIL = "})(firmseal);\n";

/**
 * Writes firmseal-NAME.js, which ships, and firmseal-NAME.src.js, which people read, into `folder` (packages/verifier/dist).
 * `algs`: names of ALGS. Returns { name, algs, min, src, modules }: both texts, and the modules under src/ that they hold.
 * Throws where the result is not ES5.
 */
export async function bundle({ algs, name, folder = `${VERIFIER}dist` }) {
  for (const alg of algs) if (!Object.hasOwn(ALGS, alg)) throw new Error(`no such algorithm: ${alg}`);
  const result = await build({
    stdin: { contents: entry(algs), resolveDir: `${VERIFIER}src`, sourcefile: `${name}.js`, loader: "js" },
    absWorkingDir: VERIFIER,
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es5",
    // the specification's numbers are constants, which esbuild does not lower: they become variables below, and terser inlines them
    supported: { "const-and-let": true },
    charset: "ascii",
    legalComments: "none",
    logLevel: "silent",
  });
  // a constant anywhere but at the top level is left alone, and the parser refuses it
  const body = result.outputFiles[0].text.replace(/^const (?=[A-Z])/gm, "var ").replace(/^(?=.)/gm, "  ");
  const title = `// firmseal, device verifier: ${algs.join(", ")}. Apache-2.0.\n`;
  const src = `${title}${HEAD}${body}${TAIL}`;
  parse(src, { ecmaVersion: 5 });
  const min = await shrink(src);
  parse(min, { ecmaVersion: 5 });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/firmseal-${name}.src.js`, src);
  writeFileSync(`${folder}/firmseal-${name}.js`, min);
  const output = Object.values(result.metafile.outputs)[0];
  const modules = Object.keys(output.inputs).filter((file) => output.inputs[file].bytesInOutput > 0);
  return { name, algs, min, src, modules };
}

async function shrink(src) {
  const { code } = await minify(src, {
    ecma: 5,
    // the wrapper's `module` and `exports` are nobody's to rename; `firmseal` is the global
    toplevel: false,
    compress: { ecma: 5, passes: 3, hoist_funs: false, hoist_vars: false },
    // no variable of Espruino may have these names
    mangle: { reserved: ["of", "get"] },
    format: { ecma: 5, ascii_only: true },
  });
  return `${code}\n`;
}

/** Every bundle that ships, and the package.json that makes Node read them as scripts rather than as ES modules. */
export async function bundleAll(folder = `${VERIFIER}dist`) {
  const made = [];
  for (const one of BUNDLES) made.push(await bundle({ ...one, folder }));
  writeFileSync(`${folder}/package.json`, '{ "type": "commonjs" }\n');
  return made;
}
