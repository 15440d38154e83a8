// Who may import whom. Packages depend downwards only, and a module of one package imports another package by its name.

/** Each package, and those below it that it may import. */
const MAY_IMPORT = {
  verifier: [],
  images: ["verifier"],
  kernel: [],
  bundler: ["verifier", "kernel"],
  behaviour: ["verifier", "signer"],
  report: ["verifier", "behaviour"],
  signer: ["verifier"],
  simulator: ["verifier", "signer"],
  keys: ["verifier", "signer"],
  formats: ["verifier", "signer", "keys"],
  release: ["verifier", "behaviour", "report", "signer", "images", "simulator", "bundler", "keys", "formats"],
  inspector: ["verifier", "behaviour", "report", "signer", "simulator"],
  cli: ["verifier", "behaviour", "report", "signer", "images", "simulator", "bundler", "keys", "formats", "release"],
};

const layers = Object.entries(MAY_IMPORT).map(([name, below]) => ({
  name: `${name}-imports-downwards`,
  severity: "error",
  comment: `${name} may import ${below.join(", ") || "no other package"}`,
  from: { path: `^packages/${name}/src/` },
  to: { path: "^packages/", pathNot: `^packages/(${name}|(${below.join("|")})/src)/` },
}));

export default {
  forbidden: [
    ...layers,
    {
      name: "no-circle",
      severity: "error",
      comment: "A circle has no bottom to begin reading at, and in the verifier no order in which functions stand before their use.",
      from: { path: "^packages/[a-z]+/src/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "by-its-name",
      severity: "error",
      comment: "Another package is imported as those who install it do: by its name, through what it exports.",
      from: { path: "^packages/([a-z]+)/src/" },
      to: { path: "^packages/", pathNot: "^packages/$1/", dependencyTypesNot: ["aliased"] },
    },
    {
      name: "no-tests-from-sources",
      severity: "error",
      from: { path: "^packages/[a-z]+/src/" },
      to: { path: "^(packages/([a-z]+/test|test-support)|test|fuzz|bench|scripts|test-vectors)/" },
    },
    {
      name: "listed",
      severity: "error",
      comment: "A package names what it imports in its package.json.",
      from: { path: "^packages/[a-z]+/src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "unknown", "undetermined"], dependencyTypesNot: ["npm-peer"] },
    },
    {
      name: "no-development-at-run-time",
      severity: "error",
      comment:
        "The command line is bundled, and so are two modules of the signer and one of release (scripts/build/in-signer.mjs); all else is installed with its dependencies only.",
      from: {
        path: "^packages/[a-z]+/src/",
        pathNot: "^packages/(cli/src/|signer/src/(cbor|description/schema)\\.ts$|release/src/input/schema\\.ts$)",
      },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only", "npm-peer"], pathNot: "node_modules/@types/" },
    },
    {
      name: "runs-anywhere",
      severity: "error",
      comment: "The verifier and the signer do no input and output: nothing of Node is in them.",
      from: { path: "^packages/(verifier|signer)/src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "one-cbor-writer",
      severity: "error",
      comment: "There is one reader of CBOR, the verifier's, and one file that writes it.",
      from: { path: "^packages/[a-z]+/src/", pathNot: "^packages/signer/src/cbor\\.ts$" },
      to: { path: "node_modules/cbor-x/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.test.json" },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node"] },
  },
};
