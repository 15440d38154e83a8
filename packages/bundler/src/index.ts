// Device bundles, and which algorithm suits which device.

export {
  ALG_NAMES,
  type AlgName,
  type BundleOptions,
  DEFAULT_FEATURES,
  FEATURE_NAMES,
  type FeatureName,
  FORMS,
  type Form,
  minified,
  type Parts,
  playable,
  readable,
} from "./bundle.js";
export { type Advice, advise, TARGETS } from "./targets.js";
