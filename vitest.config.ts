import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { SOURCES } from "./scripts/build/sources.mjs";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// tests run on the sources, so that a failure names the line that is at fault
const alias = Object.entries(SOURCES).map(([name, path]) => ({ find: new RegExp(`^${name}$`), replacement: here(path) }));

/** Ends what hangs. It measures nothing: a busy machine must not come near it with what FIRMSEAL_LONG adds. */
const TIMEOUT = /^[12]$/.test(process.env["FIRMSEAL_LONG"] ?? "") ? 300_000 : 60_000;

/** Files that replace modules, or look at memory or at modules that nothing has used yet: each has its own process. */
const APART = [
  "fuzz/corpus.test.mjs",
  "packages/keys/test/kms-gcp.test.ts",
  "packages/release/test/parses.test.ts",
  "packages/signer/test/key.test.ts",
  "packages/signer/test/mldsa.test.ts",
  "packages/verifier/test/model/model.test.ts",
  "packages/verifier/test/refuse.test.ts",
];
const include = ["{packages/*,test-vectors,fuzz,scripts}/test/**/*.test.{ts,mjs}", "{test,fuzz}/**/*.test.{ts,mjs}"];

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      // modules are loaded once for all files of a process, and setup.ts cleans up after each file
      { extends: true, test: { name: "all", include, exclude: APART, isolate: false } },
      { extends: true, test: { name: "apart", include: APART } },
    ],
    testTimeout: TIMEOUT,
    hookTimeout: TIMEOUT,
    // tests call the command line in their process, which has a folder and an environment: a thread has none of its own
    pool: "forks",
    maxWorkers: "100%",
    // mutants run in a copy that has only what they need
    globalSetup: process.env["FIRMSEAL_LONG"] === "0" ? [] : [here("./scripts/testing/build-first.mjs")],
    setupFiles: [here("./packages/test-support/src/environment/setup.ts")],
  },
});
