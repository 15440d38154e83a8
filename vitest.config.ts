import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { SOURCES } from "./scripts/build/sources.mjs";
import { OPTIMISER_FLAGS, OPTIMISER_OPTION } from "./scripts/testing/optimiser.cjs";

/** Ends what hangs. It measures nothing: a busy machine must not come near it with what FIRMSEAL_LONG adds. */
const TIMEOUT = /^[12]$/.test(process.env["FIRMSEAL_LONG"] ?? "") ? 300_000 : 60_000;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests run on the sources: an import of a package is turned to its src/, so that a failure names the line that is at fault.
const alias = Object.entries(SOURCES).map(([name, path]) => ({ find: new RegExp(`^${name}$`), replacement: here(path) }));
// bundles that were made before are not made again
alias.push({ find: /^terser$/, replacement: here("./scripts/build/minify.mjs") });
// keys that were derived before are not derived again
alias.push({ find: /^bcrypt-pbkdf$/, replacement: here("./scripts/testing/kept-bcrypt.mjs") });

/** The files of each project. `unit` has all that no other has. */
const CLI = ["packages/cli/test/**/*.test.ts"];
const CONFORMANCE = ["test-vectors/test/*.test.ts", "test/prepared.test.ts", "scripts/test/{bundle,conformance,flash}.test.mjs"];
const DOCS = ["test/{pages,incident-pages,readme,package-examples}.test.ts", "scripts/test/{refusals,reference}.test.mjs"];
/**
 * Files that have a process of their own: they put a mock in place of a module (vi.mock), of which the others need the real one, or they look at
 * memory, or at modules that nothing has used yet: one of Google reads its root certificates when it is loaded.
 */
const APART = [
  "fuzz/corpus.test.mjs",
  "packages/keys/test/kms-gcp.test.ts",
  "packages/release/test/parses.test.ts",
  "packages/signer/test/key.test.ts",
  "packages/signer/test/mldsa.test.ts",
  "packages/verifier/test/model/model.test.ts",
  "packages/verifier/test/refuse.test.ts",
];
const ALL = [
  "packages/*/test/**/*.test.ts",
  "test-vectors/test/*.test.ts",
  "test/**/*.test.ts",
  "scripts/test/*.test.mjs",
  "fuzz/*.test.mjs",
];

// a process for each file would load the same modules two hundred times, and run them cold: files share one, and setup.ts cleans up
const project = (name: string, include: string[], exclude: string[] = [], isolate = false) => ({
  extends: true as const,
  test: { name, include, exclude, isolate },
});

const apart = project("apart", existing(APART), [], true);
/** Projects do not share processes. Without a choice among them, there are two: each more transforms and loads the same modules again. */
const CHOSEN = process.argv.some((argument) => argument.startsWith("--project"));
const PROJECTS = CHOSEN
  ? [
      project("unit", ALL, [...CLI, ...CONFORMANCE, ...DOCS, ...APART]),
      apart,
      project("cli", CLI),
      project("conformance", CONFORMANCE),
      project("docs", DOCS),
    ]
  : [project("all", ALL, APART), apart];

/**
 * Names in a list. Throws for a file that does not exist: nothing else would say that it has another name now. Mutants
 * run in a copy without the tests of the whole.
 */
function existing(files: readonly string[]): string[] {
  const gone = process.env["FIRMSEAL_MUTANTS"] ? [] : files.filter((file) => !existsSync(here(file)));
  if (gone.length > 0) throw new Error(`vitest.config.ts names files that do not exist: ${gone.join(", ")}`);
  return [...files];
}

/** The files that take longest, at the latest in CI. The first one mostly waits, while the checks run beside the tests. */
const LONGEST = existing([
  "packages/keys/test/exec.test.ts",
  "packages/cli/test/parallel.test.ts",
  "packages/release/test/rotation-fleet.test.ts",
  "scripts/test/packed.test.mjs",
  "packages/cli/test/budget.test.ts",
  "packages/inspector/test/inspector.test.ts",
  "packages/release/test/scenarios/scenarios.test.ts",
  "packages/signer/test/big.test.ts",
  "test/pages.test.ts",
  "packages/keys/test/kms-service.test.ts",
  "packages/simulator/test/simulate.test.ts",
  "scripts/test/kernel.test.mjs",
  "packages/simulator/test/storage-device.test.ts",
  "scripts/test/action.test.mjs",
  "packages/bundler/test/bundle.test.ts",
  "packages/report/test/release.test.ts",
]).map(here);

/** They begin first, so that no worker is left with one of them at the end while the others have nothing to do. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => (LONGEST.indexOf(moduleId) + LONGEST.length + 1) % (LONGEST.length + 1);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  resolve: { alias },
  test: {
    projects: PROJECTS,
    testTimeout: TIMEOUT,
    // tests call the command line in their process, which has a folder and an environment: a thread has none of its own
    pool: "forks",
    // there is a worker for each processor: a collector of garbage that works beside its worker takes another one's time
    execArgv: ["--single-threaded-gc", "--min-semi-space-size=16", "--max-semi-space-size=64", ...OPTIMISER_FLAGS],
    // for processes that tests start
    env: { NODE_OPTIONS: [process.env["NODE_OPTIONS"], OPTIMISER_OPTION].filter(Boolean).join(" ") },
    // by default one processor is left idle: of two, half
    maxWorkers: "100%",
    hookTimeout: TIMEOUT,
    // what vite makes of each module is kept: found by its path, its text, this file and the versions of the dependencies
    experimental: { fsModuleCache: true, fsModuleCachePath: here("./node_modules/.cache/firmseal/modules") },
    sequence: { sequencer: LongestFirst },
    // mutants run in a copy that has only what they need
    globalSetup: process.env["FIRMSEAL_MUTANTS"] ? [] : [here("./scripts/testing/build-first.mjs")],
    // FIRMSEAL_COUNT=FILE: what the tests do is counted there
    setupFiles: [
      here("./packages/test-support/src/environment/setup.ts"),
      ...(process.env["FIRMSEAL_COUNT"] === undefined ? [] : [here("./scripts/testing/vitest-count.mjs")]),
    ],
  },
});
