// Device bundles, and which algorithm suits which device.

export { minifiedBundle, playable, readableBundle } from "./bundle.js";
export { type Unworkable, unworkable } from "./combination.js";
export type { BundleParts } from "./exports.js";
export { KERNEL_FILE, KERNEL_TARGETS, type KernelTarget, kernelOf } from "./kernels.js";
export {
  type AlgName,
  BUNDLE_ALGS,
  BUNDLE_DEVICE_NAMES,
  BUNDLE_DEVICES,
  BUNDLE_FEATURES,
  BUNDLE_FORMATS,
  type BundleDevice,
  type BundleFormat,
  type BundleOptions,
  DEFAULT_FEATURES,
  type FeatureName,
  HOST_HASHES,
  type HostHash,
  MICRO_ALGS,
  MICRO_PARTS,
  type MicroPart,
} from "./options.js";
export { type Advice, advise, TARGETS } from "./targets.js";
