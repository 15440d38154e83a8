import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { SOURCES } from "./scripts/sources.mjs";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests run on the sources: an import of a package is turned to its src/, so that a failure names the line that is at fault.
const alias = Object.entries(SOURCES).map(([name, path]) => ({ find: new RegExp(`^${name}$`), replacement: here(path) }));

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test-vectors/*.test.ts", "test/**/*.test.ts", "scripts/test/*.test.mjs", "fuzz/*.test.mjs"],
    testTimeout: 60_000,
    // by default one processor is left idle: of two, half
    maxWorkers: "100%",
  },
});
