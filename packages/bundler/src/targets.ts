// Which signature algorithm suits which engine and board. Measurements: docs/guides/keys/choosing-an-algorithm.md.

import { type AlgName, BUNDLE_ALGS } from "./options.js";

interface Target {
  /** The algorithm, as `firmseal bundle --alg` names it. */
  recommended: "ed25519" | "hsslms";
  why: string;
}

const FASTEST: Target = { recommended: "ed25519", why: "fast enough everywhere, with the smallest keys and signatures and without state" };
const NATIVE: Target = {
  recommended: "hsslms",
  why: "the board hashes natively, and open() with HSS/LMS W4 takes about two seconds where Ed25519 takes more than a minute",
};
const LITTLE_STORAGE: Target = {
  recommended: "hsslms",
  why: "open() with HSS/LMS W4 takes about two seconds, and a verifier with machine code for another algorithm takes twice the Storage",
};
const MACHINE_CODE: Target = {
  recommended: "ed25519",
  why: "machine code verifies it in a tenth of a second (firmseal bundle --target), and its keys have no state",
};
const NO_NATIVE_SHA256: Target = { recommended: "ed25519", why: "the board has no native SHA-256, and without it HSS/LMS is slower" };

/**
 * The engines and boards that advise() knows, by name in lower case, each with the algorithm that suits it and the
 * reason.
 */
export const TARGETS: { [name: string]: Target } = {
  node: FASTEST,
  browser: FASTEST,
  quickjs: FASTEST,
  "quickjs-ng": FASTEST,
  microquickjs: FASTEST,
  hermes: FASTEST,
  xs: FASTEST,
  duktape: FASTEST,
  mujs: FASTEST,
  jerryscript: FASTEST,
  // most Espruino boards have it
  espruino: NATIVE,
  "puck.js": LITTLE_STORAGE,
  mdbt42q: NATIVE,
  "espruino-pico": NATIVE,
  "espruino-wifi": NATIVE,
  "bangle.js2": MACHINE_CODE,
  xiao: NATIVE,
  esp32: NATIVE,
  esp32s3: NATIVE,
  esp32c3: NATIVE,
  "bangle.js1": MACHINE_CODE,
  "pixl.js": MACHINE_CODE,
  microbit2: MACHINE_CODE,
  microbit: NO_NATIVE_SHA256,
  rp2040: NO_NATIVE_SHA256,
  esp8266: NO_NATIVE_SHA256,
  "espruino-original": NO_NATIVE_SHA256,
};

/** The recommendation of advise() for one target. */
export interface Advice {
  /** The target, in lower case. */
  target: string;
  /** The algorithm, as `firmseal bundle --alg` names it. */
  recommended: AlgName;
  /** One sentence about the choice. Absent if the choice is the recommended one. */
  advice?: string;
}

/**
 * Recommends a signature algorithm for a board or an engine.
 *
 * @param target - Its name, of TARGETS, in any case.
 * @param algs - The algorithms of the keys, to comment on.
 * @returns The recommendation.
 * @throws RangeError for an unknown target.
 * @example
 * ```ts
 * import { advise } from "@firmseal/bundler";
 *
 * const { recommended, advice } = advise("puck.js", ["ed25519"]);
 * console.log(recommended, advice); // hsslms, and why ed25519 is slow there
 * ```
 */
export function advise(target: string, algs: readonly string[]): Advice {
  const found = Object.hasOwn(TARGETS, target.toLowerCase()) ? TARGETS[target.toLowerCase()] : undefined;
  if (!found) throw new RangeError(`unknown target ${target}`);
  const { recommended, why } = found;
  const out: Advice = { target: target.toLowerCase(), recommended };
  // the other algorithms, such as ML-DSA, are used in addition to that of the device
  const forDevice = algs.filter((alg) => (BUNDLE_ALGS as readonly string[]).includes(alg));
  if (forDevice.length === 0 && algs.length > 0) {
    const advice = `${out.target}: no device verifies ${[...new Set(algs)].join(" or ")}: sign with ${recommended} too, and let servers demand both`;
    return { ...out, advice };
  }
  if (forDevice.every((alg) => alg === recommended)) return out;
  const chosen = [...new Set(forDevice)].join(" and ");
  const how =
    recommended === "hsslms"
      ? `: firmseal keygen --alg hsslms, whose keys have a state (bundles can hold both: --alg ${[...new Set([...forDevice, "hsslms"])].join(",")})`
      : "";
  return { ...out, advice: `${out.target}: ${recommended} is recommended, not ${chosen}: ${why}${how}` };
}
