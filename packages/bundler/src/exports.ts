// The code of a bundle behind the parts of the verifier: its exports, and the names of its refusals.

import { algorithms } from "@firmseal/verifier";
import { kernelExport } from "./kernels.js";
import type { Statement } from "./nesting.js";
import { type AlgName, BUNDLE_DEVICE_NAMES, BUNDLE_DEVICES, BUNDLE_FEATURES, type BundleOptions, type FeatureName } from "./options.js";

/** The output of the build for this package: the whole verifier in one scope, and the meaning of its names. */
export interface BundleParts {
  statements: Statement[];
  /** The variable of each exported name, such as "ed25519". */
  names: { [name: string]: string };
  errors: { [name: string]: number };
  /** The features that each algorithm needs, such as a hash function. */
  needs: { [alg: string]: string[] };
}

/** The refusals that only one feature can give. Bundles without the feature omit their names. */
const REFUSALS_OF: { readonly [feature in FeatureName]?: RegExp } = {
  trust: /^TRUST_(?!POLICY$)|^ANCHOR_WINDOW$|^SEQUENCE_JUMP$/,
  families: /^SIGNATURE_FAMILY$/,
  status: /^STATUS_/,
};

/** The refusals that only a micro verifier can give; without trust files, it has anchors with limits. */
const MICRO_REFUSALS = /^TEMPLATE_/;

const MICRO_SHARES = /^ANCHOR_WINDOW$/;

/**
 * "CBOR_TRUNCATED,_NOT_SHORTEST,…": the position of a name is its number. The first word of a name is left out if the
 * name before has the same.
 */
function errorList(errors: BundleParts["errors"], features: readonly FeatureName[], micro: boolean): string {
  const list: string[] = [];
  const missing = BUNDLE_FEATURES.filter((name) => !features.includes(name)).map((name) => REFUSALS_OF[name]);
  const isMissing = (name: string) =>
    micro ? !MICRO_SHARES.test(name) && missing.some((of) => of?.test(name)) : [...missing, MICRO_REFUSALS].some((of) => of?.test(name));
  for (const [name, number] of Object.entries(errors)) if (!isMissing(name)) list[number] = name;
  const first = (name = "") => name.split("_")[0] as string;
  return Array.from(list, (name = "", i) => (name && first(name) === first(list[i - 1]) ? name.slice(first(name).length) : name)).join();
}

/**
 * The code after the parts: the exports, each a property of `api`, and the names that they use. Mirrors src/index.ts.
 */
export function exportsOf(
  all: BundleParts,
  { algs, features, micro, kernel, without = [] }: BundleOptions,
  api: string,
): { text: string; uses: string[] } {
  const uses: string[] = [];
  for (const alg of algs) if (!Object.hasOwn(algorithms, alg)) throw new RangeError(`unknown algorithm ${alg}`);
  const name = (value: string) => {
    const found = all.names[value];
    if (!found) throw new Error(`the verifier has no ${value}`);
    uses.push(found);
    return found;
  };
  const devices = BUNDLE_DEVICE_NAMES.flatMap((name) => (features.includes(name) ? [BUNDLE_DEVICES[name]] : []));
  const algName = (alg: AlgName) => name(kernel && (alg === "ed25519" || alg === "es256") ? `${alg}Kernel` : alg);
  // makeParts() guarantees that no top-level name of the verifier begins like these
  const out = [
    `${micro ? name("ALGORITHMS") : "var firmsealAlgs"} = { ${algs.map((alg) => `${alg}: ${algName(alg)}`).join(", ")} };`,
    ...(micro
      ? ["open", "install", ...(without.includes("boot") ? [] : ["boot"])].map((value) => `${api}.${value} = ${name(`${value}Micro`)};`)
      : ["open", "start", "step"].map((value) => `${api}.${value} = ${name(value)};`)),
  ];
  if (!micro && features.includes("install")) for (const value of ["install", "boot"]) out.push(`${api}.${value} = ${name(value)};`);
  for (const value of devices.flatMap((one) => Object.values(one.exports).flat())) out.push(`${api}.${value} = ${name(value)};`);
  if (micro) out.push(`${api}.anchor = ${name("anchorMicro")};`);
  else out.push(`${api}.anchor = function (alg, key, kid) {\n  return ${name("makeAnchor")}(firmsealAlgs[alg], key, kid);\n};`);
  if (features.includes("trust")) {
    out.push(`var firmsealAlgList = [${algs.map(algName).join(", ")}];`);
    for (const [value, parameters] of [
      ["trustFileUnchecked", "bytes, before, host"],
      ["embeddedTrust", "bytes"],
    ])
      out.push(`${api}.${value} = function (${parameters}) {\n  return ${name(value as string)}(firmsealAlgList, ${parameters});\n};`);
    for (const value of ["policyOf", "updatedTrust", "nextTrust"]) out.push(`${api}.${value} = ${name(value)};`);
  }
  if (features.includes("status")) for (const value of ["status", "macAttester"]) out.push(`${api}.${value} = ${name(value)};`);
  if (kernel) out.push(...kernelExport(kernel, algs, api, name));
  if (features.includes("roles")) out.push(`${api}.roleFloors = ${name("roleFloors")};`);
  if (features.includes("errors"))
    out.push(
      `${api}.errors = {};`,
      `var firmsealNames = "${errorList(all.errors, features, micro !== undefined)}".split(",");`,
      "var firmsealNumber, firmsealName, firmsealLast;",
      "for (firmsealNumber = 0; firmsealNumber < firmsealNames.length; firmsealNumber++) {",
      "  firmsealName = firmsealNames[firmsealNumber];",
      '  if (!firmsealName.indexOf("_")) firmsealName = firmsealLast.split("_")[0] + firmsealName;',
      `  if (firmsealName) ${api}.errors[(firmsealLast = firmsealName)] = firmsealNumber;`,
      "}",
    );
  return { text: out.join("\n"), uses };
}
