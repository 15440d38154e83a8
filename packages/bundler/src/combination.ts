// Which options of a bundle can be combined. Everything else is refused before anything is built: a device that got it
// would not start.

import { hasKernel } from "./kernels.js";
import { BUNDLE_DEVICE_NAMES, BUNDLE_DEVICES, type BundleOptions, MICRO_ALGS } from "./options.js";

/** Why options cannot be combined, for people, and what they can do about it. */
export interface Unworkable {
  /** The option of `firmseal bundle` that cannot be combined with the others. */
  option: "alg" | "format" | "target" | "without";
  problem: string;
  hint: string;
}

/**
 * Checks whether the options of a bundle can be combined.
 *
 * @param options - Algorithms, features and format.
 * @returns Why no device could use the bundle, or undefined if the options can be combined.
 */
export function unworkable({ algs, features, format, micro, kernel, without = [] }: BundleOptions): Unworkable | undefined {
  const devices = BUNDLE_DEVICE_NAMES.flatMap((name) => (features.includes(name) ? [BUNDLE_DEVICES[name]] : []));
  const starter = devices.find((one) => one.needsBoot);
  if (format === "boot" && (algs.length > 0 || features.length > 0 || micro || kernel))
    return { option: "format", problem: "a boot file has no verifier", hint: "drop the other options: the module that installs has them" };
  if (format === "module" && kernel)
    return { option: "target", problem: "Espruino cannot load an ES module", hint: "choose `format` espruino" };
  if (format === "module" && features.includes("storage"))
    return { option: "format", problem: "Espruino, which has Storage, cannot load an ES module", hint: "choose `format` espruino" };
  const unsigned = micro && algs.find((alg) => !MICRO_ALGS.includes(alg));
  if (unsigned)
    return {
      option: "alg",
      problem: `a micro verifier checks signatures, and ${unsigned} is not a signature`,
      hint: `leave ${unsigned} out, or drop \`micro\``,
    };
  if (kernel && !hasKernel(kernel, algs))
    return { option: "target", problem: "its machine code is for ed25519 and es256", hint: "add one of them to `alg`, or drop `target`" };
  if (micro && without.includes("boot") && starter) {
    const others = BUNDLE_DEVICE_NAMES.filter((name) => !BUNDLE_DEVICES[name].needsBoot);
    return {
      option: "without",
      problem: `${starter.make}() starts what boot() verifies`,
      hint: `keep boot, or choose \`device\` ${others.join(" or ")}`,
    };
  }
  return undefined;
}
