// The bundles that play the vectors: one with everything, and those that ship.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BUNDLES, MICRO_BUNDLES } from "../build/bundle.mjs";
import { isFor, microFiles, vectorFiles } from "./vectors.mjs";

const DIST = fileURLToPath(new URL("../../packages/verifier/dist/", import.meta.url));

/** Engines share their bundle: terser takes longer than most of them. */
const once = (make) => {
  let made;
  return () => (made ??= make());
};

const bundler = () => import("../../packages/bundler/lib/index.js");

/** The verifier that ships, with every algorithm, trust files and also the names of the refusals. */
export const fullBundle = once(async () => {
  const { BUNDLE_ALGS, DEFAULT_FEATURES, minifiedBundle } = await bundler();
  return minifiedBundle({ algs: BUNDLE_ALGS, features: [...DEFAULT_FEATURES, "errors", "trust", "families"], format: "umd" });
});

/** A micro verifier with every algorithm. */
const microBundle = once(async () => {
  const { MICRO_ALGS, minifiedBundle } = await bundler();
  return minifiedBundle({ algs: MICRO_ALGS, features: ["errors"], format: "umd", micro: [] });
});

/** A module for Espruino, as a script. */
export const asScript = (code) => `var firmseal = {};\n(function (exports) {\n${code}})(firmseal);\n`;

/** A module for Espruino with every algorithm, as a script. */
export const espruinoModule = once(async () => {
  const { BUNDLE_ALGS, BUNDLE_FEATURES, minifiedBundle } = await bundler();
  return asScript(await minifiedBundle({ algs: BUNDLE_ALGS, features: BUNDLE_FEATURES, format: "espruino" }));
});

/** What conform() plays on an engine: with everything, and for micro verifiers. */
export const everything = async (engine) => ({ name: "everything", files: vectorFiles(), bundle: await (engine.bundle ?? fullBundle)() });
export const microEverything = async () => ({
  name: "everything, micro",
  label: ", micro verifier",
  files: microFiles(),
  bundle: await microBundle(),
});

export const digestOf = (text) => createHash("sha256").update(text).digest("hex");

/** The bundles that ship, as the build wrote them: { name, text, ...options }. */
export const shipped = () =>
  [...BUNDLES, ...MICRO_BUNDLES].map((one) => {
    const name = `firmseal-${one.name}.js`;
    return { ...one, name, text: readFileSync(DIST + name, "utf8") };
  });

/** The native SHA-256 of Espruino: a host for bundles without their own. */
const NATIVE = "function (data) { return new Uint8Array(require('crypto').SHA256(data)); }";

/** The globals of conformance/player.js for a bundle that ships. A micro verifier takes no plain arrays. */
function before({ micro }, errors) {
  const options = micro
    ? `var OPTIONS = { typed: true${micro.length ? `, host: { sha256: { once: ${NATIVE}, joined: ${NATIVE} } }` : ""} };\n`
    : "";
  return `var ERRORS = ${JSON.stringify(errors)};\n${options}`;
}

/** What conform() plays with the bundles that ship: the vectors that need nothing else. */
export async function shippedSets() {
  const { BUNDLE_ALGS } = await bundler();
  const errors = await import("../../packages/verifier/lib/spec/errors.generated.js");
  return shipped().map((one) => ({
    name: one.name,
    label: `, ${one.name}`,
    files: (one.micro ? microFiles : vectorFiles)(isFor(one.algs, BUNDLE_ALGS)),
    bundle: one.format === "espruino" ? asScript(one.text) : one.text,
    before: before(one, errors),
    sha256: digestOf(one.text),
    native: one.micro ?? [],
  }));
}
