// What the mutants of the verifier are tried against by vitest; scripts/mutation.mjs names the files.

import { defineConfig } from "vitest/config";
import general from "./vitest.config.js";

export default defineConfig({
  resolve: general.resolve ?? {},
  test: {
    include: JSON.parse(process.env["FIRMSEAL_MUTANTS_FILES"] ?? "[]"),
    setupFiles: general.test?.setupFiles ?? [],
    testTimeout: 60_000,
  },
});
