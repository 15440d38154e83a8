// What options can be, from the tables of the packages below. Nothing but values: the build writes them out
// (scripts/build/declarations.mjs), so that --help loads no cryptography.

import { BUNDLE_ALGS, BUNDLE_DEVICE_NAMES, BUNDLE_FEATURES, KERNEL_FILE, KERNEL_TARGETS } from "@firmseal/bundler";
import { IMAGE_FORMATS } from "@firmseal/images";
import { privateFormats, publicFormats, tokenAlgs } from "@firmseal/keys";
import { consumerNames, coseAlgNames, POLICIES, SEVERITIES } from "@firmseal/release";
import { algWords, DEFAULT_ALG, deviceKeyAlgs, hasTables, inWords, isDeviceAlg, isStateful, keyAlgs, TABLE_SIZES } from "@firmseal/signer";
import { DEVICES } from "@firmseal/simulator";

/** A key that devices verify, and one that only tools verify. */
const HYBRIDS = deviceKeyAlgs
  .filter((alg) => !isStateful(alg))
  .flatMap((classic) => keyAlgs.filter((alg) => !isDeviceAlg(alg)).map((other) => `${classic}+${other}`));

/** Names of simulated devices: "flash, storage, files or memory". */
const devicesWith = (isMicro: boolean) =>
  inWords(Object.entries(DEVICES).flatMap(([name, device]) => (device.isMicro === isMicro ? [name] : [])));

/** By name of the option, or of the command and the option. */
export const CHOICES = {
  alg: [...keyAlgs, ...HYBRIDS],
  defaultAlg: DEFAULT_ALG,
  tokenAlg: tokenAlgs,
  bundleAlg: BUNDLE_ALGS,
  bundleDevice: BUNDLE_DEVICE_NAMES,
  bundleFeature: BUNDLE_FEATURES,
  kernelTarget: KERNEL_TARGETS,
  kernelFile: KERNEL_FILE,
  /** Simulated devices, in words. */
  device: devicesWith(false),
  microDevice: devicesWith(true),
  /** What people call keys that have tables. */
  tabled: algWords(keyAlgs.filter(hasTables)),
  tableSize: TABLE_SIZES,
  publicFormat: publicFormats,
  privateFormat: privateFormats,
  policy: POLICIES,
  severity: SEVERITIES,
};

/** Those of commands that sign, which load no others. */
export const SIGN_CHOICES = {
  /** Formats of images, in words. */
  imageFormat: IMAGE_FORMATS.join(", "),
  consumer: consumerNames,
  coseAlg: coseAlgNames,
};
