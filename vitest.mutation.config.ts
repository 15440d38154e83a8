// What Stryker runs for each mutant of the verifier (stryker.config.mjs). FIRMSEAL_BOARD: with the constants of a board.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { board, featuresWithout } from "./scripts/mutation/features.mjs";

// before the general configuration is read: no more than what detects mutants
process.env["FIRMSEAL_LONG"] = "0";
const { default: general } = await import("./vitest.config.js");
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: general.resolve ?? {},
  plugins: [
    {
      name: "constants of a board",
      enforce: "pre",
      transform: (text, id) => (/[\\/]base[\\/]features\.ts$/.test(id) ? featuresWithout(text, board().off) : undefined),
    },
  ],
  test: {
    include: ["{packages/*,test-vectors}/test/**/*.test.ts"],
    setupFiles: [...(general.test?.setupFiles ?? []), here("./scripts/mutation/setup.mjs")],
    testTimeout: 60_000,
  },
});
