// Mutation testing of the verifier: docs/explanation/mutation.md. `pnpm mutation` names files and the tests of each.

import { fileURLToPath } from "node:url";

process.env.FIRMSEAL_VECTORS ??= fileURLToPath(new URL("../shared/vectors", import.meta.url));

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation/features.mjs"],
  ignorers: ["features"],
  mutate: ["packages/verifier/src/**/*.ts"],
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  concurrency: 1,
  dryRunTimeoutMinutes: 30,
  timeoutMS: 30_000,
  tempDirName: ".mutation/sandbox",
  // Stryker would rewrite the tsconfig files with a TypeScript whose interface is older
  tsconfigFile: "none.json",
  disableTypeChecks: false,
  ignorePatterns: ["packages/*/lib", "packages/*/dist", "bench", "docs/*", "!docs/reference", "examples", "/test"],
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  logLevel: "warn",
};
