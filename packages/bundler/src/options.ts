// What a bundle may have: algorithms, features, formats, and the parts of a micro verifier.

import { type AlgorithmName, algorithms } from "@firmseal/verifier";
import type { KernelTarget } from "./kernels.js";

/** The name of an algorithm, as the verifier exports it. */
export type AlgName = AlgorithmName;

/** The optional parts of a bundle, besides open, start, step and anchor, with a description of each. */
const FEATURES = {
  install: "install() and boot(), over a Device",
  errors: "the names of the refusals: errors.ROLLBACK is 38",
  copy: "the directives copy and swap; without it they are not supported",
  families: "thresholds for families of algorithms, in trust files",
  flash: "flashDevice(): a Device on raw flash",
  prepared: "uses the tables of `firmseal pubkey --table`; without it, they are ignored",
  roles: "roleFloors(): a floor of its own for each role",
  status: "status(), macAttester(): an authenticated answer that says what the device runs",
  storage: "Espruino: the device in Storage, and its native hashes",
  trust: "trust files: embeddedTrust(), policyOf(), nextTrust(), updatedTrust(), trustFileUnchecked()",
} as const;

/** The name of an optional part of a bundle. */
export type FeatureName = keyof typeof FEATURES;

/**
 * The features that are ready-made devices. `make`: the function that returns the device. `exports`: what a bundle
 * exports for it, by module of the verifier. `needsBoot`: whether it starts what boot() verifies.
 */
export const BUNDLE_DEVICES = {
  storage: {
    make: "storageDevice",
    exports: { "device/espruino": ["espruinoIo"], "device/storage": ["storageDevice", "storageSource"] },
    needsBoot: false,
  },
  flash: { make: "flashDevice", exports: { "device/flash": ["flashDevice"] }, needsBoot: true },
} as const satisfies { [name in FeatureName]?: object };

/** The name of a device that a bundle may have: see BUNDLE_DEVICES. */
export type BundleDevice = keyof typeof BUNDLE_DEVICES;

/** The names of the devices that a bundle may have. */
export const BUNDLE_DEVICE_NAMES = Object.keys(BUNDLE_DEVICES) as BundleDevice[];

/**
 * The formats of a bundle. umd: a CommonJS module, Espruino's `exports`, or one global in a plain script. espruino: a
 * module for require() without a surrounding function, so that functions stay in flash. script: one global and no
 * reference to `module`, for a JerryScript snapshot. module: an ES module whose default export is the verifier. boot:
 * not a verifier, but the boot file that starts the installed app of a device with Storage.
 */
export const BUNDLE_FORMATS = ["umd", "espruino", "script", "module", "boot"] as const;

/** A format of a bundle: see BUNDLE_FORMATS. */
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

/** The names of the algorithms that a bundle may have. */
export const BUNDLE_ALGS = Object.keys(algorithms) as AlgName[];
/** The algorithms that a micro verifier may have: those of signatures, because its releases have no COSE_Mac0. */
export const MICRO_ALGS: readonly AlgName[] = BUNDLE_ALGS.filter((alg) => alg !== "hmac256");

/** The names of the features that a bundle may have. */
export const BUNDLE_FEATURES = Object.keys(FEATURES) as FeatureName[];

/**
 * The default features, which the prebuilt bundles of the package have. Names of refusals are for people: devices have
 * numbers.
 */
export const DEFAULT_FEATURES: readonly FeatureName[] = ["install", "copy"];

/** Hash functions that an engine may have, so that a micro verifier need not hold them. */
export const HOST_HASHES = ["sha256", "sha512"] as const;

/** A hash function that the host provides: see HOST_HASHES. */
export type HostHash = (typeof HOST_HASHES)[number];

/**
 * Parts of a micro verifier that a product may leave out. boot: boot(), and the envelope that a device keeps for it,
 * for a device with Storage whose boot file starts the app. limits: `since` and `until` of anchors. threshold: two
 * required signatures. uri: images outside the envelope. What needs a missing part is refused.
 */
export const MICRO_PARTS = ["boot", "limits", "threshold", "uri"] as const;

/** A part that a micro verifier need not have: see MICRO_PARTS. */
export type MicroPart = (typeof MICRO_PARTS)[number];

/** What a bundle contains, and its format. */
export interface BundleOptions {
  algs: readonly AlgName[];
  features: readonly FeatureName[];
  format: BundleFormat;
  /**
   * A micro verifier, which accepts only the template firmseal-single-1, without these hash functions: the host has
   * them.
   */
  micro?: readonly HostHash[];
  /** Machine code for Ed25519 and ES256, or for hashes, on this board. */
  kernel?: KernelTarget;
  /** Parts that a micro verifier does not have. */
  without?: readonly MicroPart[];
}
