// One row for each thing: how many source files name an algorithm, a directive, a refusal, a command, a key source. A
// thing that is named in more files than it needs will be forgotten in one of them when the next one is added.

import { words } from "./sources.mjs";

/**
 * What is counted, by one example of each. `names`: the identifiers and strings that mean it. `most`: files that may
 * name it. `besides`: files that name it for a reason of their own, so that a new thing of its kind does not touch
 * them.
 */
export const THINGS = [
  {
    what: "a signature algorithm for tools",
    names: ["ml-dsa-65", "ALG_ML_DSA_65"],
    most: 4,
    besides: { "packages/signer/src/test-keys/specs.ts": "published keys" },
  },
  {
    what: "a signature algorithm for devices",
    names: ["es256", "ES256", "ALG_ES256", "ALG_ESP256"],
    most: 6,
    besides: {
      "packages/signer/src/test-keys/key.ts": "published keys",
      "packages/kernel/src/images.generated.ts": "which algorithms have machine code, which a new one need not",
      "packages/bundler/src/kernels.ts": "the same",
      "packages/bundler/src/exports.ts": "the same",
      "packages/verifier/src/device/kernel.ts": "the same",
      "packages/release/src/consumer/consumers.ts": "what verifiers of others accept, which a new algorithm does not change",
      "packages/release/src/product/file/read.ts": "the profiles of draft-ietf-suit-mti",
      "packages/release/src/rotation/model.ts": "what devices without a row have, which does not change",
    },
  },
  {
    what: "a directive",
    names: ["DIR_WRITE", "directive-write"],
    most: 5,
    besides: { "packages/release/src/consumer/consumers.ts": "what verifiers of others accept, which a new directive does not change" },
  },
  {
    what: "a refusal",
    names: ["SLOT_MISMATCH"],
    most: 2,
    besides: { "packages/verifier/src/spec/errors.generated.ts": "written by pnpm refusals" },
  },
  { what: "a command", names: ["whosigned"], most: 1, besides: { "packages/cli/src/commands.generated.ts": "written by the build" } },
  { what: "a key source, Google", names: ["gcpkms", "gcp", "openGoogleKey"], most: 2, besides: {} },
  {
    what: "a key source, AWS",
    names: ["awskms", "aws", "openAwsKey"],
    most: 2,
    besides: {
      "packages/formats/src/signature-files/plain.ts": "the name of a format of signature files",
      "packages/cli/src/common/options.ts": "the same, for --help",
    },
  },
  { what: "a key source, Azure", names: ["azurekv", "azure", "openAzureKey"], most: 2, besides: {} },
  {
    what: "a key source, Vault",
    names: ["vault", "openVaultKey"],
    most: 2,
    besides: { "packages/keys/src/sources/services/azurekv.ts": "a vault of Azure" },
  },
  { what: "a simulated device", names: ["flash-micro"], most: 1, besides: {} },
  {
    what: "a device of bundles",
    names: ["flashDevice"],
    most: 4,
    besides: {},
  },
  {
    what: "an image format",
    names: ["uf2", "parseUf2"],
    most: 2,
    besides: { "packages/release/src/product/file/projects.ts": "the name of an output of Zephyr" },
  },
  { what: "a rule of lint", names: ["L50", "cnsa2-signature"], most: 1, besides: {} },
  { what: "a consumer", names: ["libcsuit"], most: 1, besides: {} },
];

/** Things that more files name than may, or fewer: then lower `most`. */
export function checkRows(files, things = THINGS) {
  const named = files.map(({ path, text }) => ({ path, words: new Set(words(text)) }));
  return things.flatMap(({ what, names, most, besides }) => {
    const paths = named.filter((file) => names.some((name) => file.words.has(name))).map(({ path }) => path);
    const stale = Object.keys(besides).filter((path) => !paths.includes(path));
    const counted = paths.filter((path) => !(path in besides));
    return [
      ...stale.map((path) => `${what}: ${path} does not name ${names[0]} any more`),
      ...(counted.length === most ? [] : [`${what}: ${counted.length} files name ${names[0]}, and not ${most}: ${counted.join(", ")}`]),
    ];
  });
}
