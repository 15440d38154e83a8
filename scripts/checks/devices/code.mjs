// Everything that ships to a device, as code: what bundles are made from, in one scope; the bundles that ship, and one
// of each format that `firmseal bundle` makes, with all that it may have; the examples for engines, and what plays the
// vectors on them.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BUNDLES, MICRO_BUNDLES, partsOnce } from "../../build/bundle.mjs";
import { readTracked } from "../sources.mjs";

const VERIFIER = fileURLToPath(new URL("../../../packages/verifier/", import.meta.url));

/** Whether a tracked file runs on a device, or in the shell of an engine. */
export const isForDevices = (path) =>
  // a probe does what other code must not
  path !== "conformance/probe.js" &&
  /^(?:conformance|examples\/(?:espruino|jerryscript|moddable|mujs|quickjs)(?:\/[\w-]+)?)\/[\w-]+\.js$/.test(path);

/** A bundle of each format, general and micro, with all that it may have. The format boot has no verifier. */
async function everyForm() {
  const {
    BUNDLE_ALGS: algs,
    BUNDLE_FEATURES,
    BUNDLE_FORMATS,
    KERNEL_TARGETS,
    MICRO_ALGS: signing,
    MICRO_PARTS,
  } = await import("../../../packages/bundler/lib/index.js");
  const formats = BUNDLE_FORMATS.filter((format) => format !== "boot");
  // a micro verifier has no Mac0, and Espruino, whose device is storage, loads no ES module
  const loaded = (features, format) => features.filter((one) => format !== "module" || one !== "storage");
  const all = (format) => ({ algs, features: loaded(BUNDLE_FEATURES, format), format });
  const small = (format) => ({ algs: signing, features: loaded(["errors", "flash", "storage"], format), format });
  return [
    { algs: [], features: [], format: "boot" },
    ...formats.map(all),
    ...KERNEL_TARGETS.map((kernel) => ({ ...all("espruino"), kernel })),
    ...formats.map((format) => ({ ...small(format), micro: [] })),
    ...["sha256", "sha512"].map((hash) => ({ ...small("espruino"), micro: [hash] })),
    { algs: signing, features: [], format: "espruino", micro: [], without: MICRO_PARTS },
  ];
}

const nameOf = ({ format, micro, kernel, without }) =>
  ["firmseal bundle", micro && `--micro ${micro}`, `--format ${format}`, kernel && `--target ${kernel}`, without && "--without all"]
    .filter(Boolean)
    .join(" ");

/**
 * The verifier in one scope, followed by what the bundler adds, also for machine code: { code, modules, read }, see
 * commentsOf().
 */
export async function sourcesOfBundles() {
  const parts = await partsOnce();
  const { exportsOf } = await import("../../../packages/bundler/lib/exports.js");
  const { BUNDLE_ALGS: algs, BUNDLE_FEATURES: features, KERNEL_TARGETS } = await import("../../../packages/bundler/lib/index.js");
  const added = [{ micro: [] }, ...[undefined, ...KERNEL_TARGETS].map((kernel) => ({ kernel }))].map(
    (more) => exportsOf(parts, { algs, features, format: "umd", ...more }, "api").text,
  );
  const code = [...parts.statements.map(({ text }) => text), "var api = {};", ...added].join("\n");
  return { code, modules: parts.modules, read: (module) => readFileSync(VERIFIER + module, "utf8") };
}

/** [{ file, code }]: the examples for engines, and the player. */
export const exampleCode = () => readTracked(isForDevices).map(({ path, text }) => ({ file: path, code: text }));

/** [{ file, code }]: see above. `every`: the bundles of every nth format. */
export async function deviceCode(every = 1) {
  const { minifiedBundle } = await import("../../../packages/bundler/lib/index.js");
  const parts = await partsOnce();
  const out = [{ file: "packages/verifier/src and packages/bundler/src/exports.ts", code: (await sourcesOfBundles()).code }];
  for (const { name } of [...BUNDLES, ...MICRO_BUNDLES])
    for (const file of [`firmseal-${name}.src.js`, `firmseal-${name}.js`])
      out.push({ file, code: readFileSync(`${VERIFIER}dist/${file}`, "utf8") });
  for (const options of (await everyForm()).filter((_, i) => i % every === 0)) {
    // without its last statement, a module is a script
    const code = (await minifiedBundle(options, parts)).replace(/export default \w+;?\s*$/, "");
    out.push({ file: nameOf(options), code });
  }
  return [...out, ...exampleCode()];
}
