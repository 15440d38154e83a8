// What the mutants of the verifier are tried against (scripts/mutation.mjs): the tests that run in one process, against the sources.

import { defineConfig, mergeConfig } from "vitest/config";
import general from "./vitest.config.js";

export default mergeConfig(
  defineConfig({ resolve: general.resolve }),
  defineConfig({
    test: {
      include: ["packages/verifier/test/**/*.test.ts", "test-vectors/play.test.ts"],
      testTimeout: 60_000,
    },
  }),
);
