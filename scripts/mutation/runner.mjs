// A test runner for Stryker: Stryker's vitest runner, with the same tests in this process before it. Each mutant gets
// the tests that reach it, in modules that are evaluated again, cheap files first, until one fails. That takes
// milliseconds where the start of vitest takes a second. What survives here is tried by vitest itself, unless
// FIRMSEAL_MUTANTS_QUICK is set.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { join, resolve } from "node:path";
import { Script } from "node:vm";
import { strykerPlugins as vitest } from "@stryker-mutator/vitest-runner";
import { build } from "esbuild";
import { ownUrls } from "../build/own-urls.mjs";
import { SOURCES } from "../build/sources.mjs";
import { featuresWithout, missing } from "./features.mjs";
import { LEAST, NO_TIME, sampled } from "./sample.mjs";
import { collector } from "./shim.mjs";

/** Stryker's own name for what mutants and runner share. */
globalThis.__stryker__ ??= {};
const shared = globalThis.__stryker__;

/** Without vitest: what survives in this process survives. */
const QUICK = process.env.FIRMSEAL_MUTANTS_QUICK === "1";
/** No mutant is begun after this, in milliseconds, besides the least number of a sample. */
const UNTIL = Number(process.env.FIRMSEAL_MUTANTS_UNTIL ?? Number.POSITIVE_INFINITY);
const FILES = JSON.parse(process.env.FIRMSEAL_MUTANTS_FILES);

/**
 * A test that takes this many steps more than three times what it takes without a mutant loops forever. Steps are
 * counted and not seconds: a verdict is the same on a machine that has other work. A step is a place that some mutant
 * could change, so that each turn of each loop has one.
 */
const LOOPS = 1_000_000;
let [active, steps, most] = [undefined, 0, Number.POSITIVE_INFINITY];
Object.defineProperty(shared, "activeMutant", {
  configurable: true,
  set(id) {
    active = id;
  },
  get() {
    if (++steps > most) throw new Error("it loops");
    return active;
  },
});
/** Counts from here, up to `limit`. */
const count = (limit = Number.POSITIVE_INFINITY) => {
  steps = 0;
  most = limit;
};

const sources = {
  name: "sources",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@firmseal\// }, ({ path }) => {
      if (SOURCES[path]) return { path: resolve(SOURCES[path]) };
    });
    onResolve({ filter: /^[^./]/ }, ({ path, resolveDir }) => {
      // vitest is that of load(); the rest is where the file that imports it finds it
      const isHere = path === "vitest" || isBuiltin(path);
      return { path: isHere ? path : createRequire(join(resolveDir, "x")).resolve(path), namespace: "required" };
    });
    // the constants of a board
    onLoad({ filter: /[\\/]base[\\/]features\.ts$/ }, ({ path }) => ({
      contents: featuresWithout(readFileSync(path, "utf8"), missing()),
      loader: "ts",
    }));
    // not an import statement, which a script cannot have
    onLoad({ filter: /^/, namespace: "required" }, ({ path }) => ({ contents: `module.exports = __required(${JSON.stringify(path)})` }));
  },
};

/** A test file of the sandbox as a script that can be evaluated again and again. It may await at its top. */
async function scriptOf(file) {
  const { outputFiles } = await build({
    entryPoints: [resolve(file)],
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    plugins: [sources, ownUrls],
  });
  return new Script(`(async function (__required) {${outputFiles[0].text}\n})`, { filename: file });
}

/** Prints the tests that fail in this process. Stryker ignores the runner's output. */
const left = (text) => appendFileSync(process.env.FIRMSEAL_MUTANTS_LEFT, `${text}\n`);

/** What was found in the dry run, for a process that takes the place of one that hung. */
const BASELINE = "baseline.json";

class Runner {
  constructor(inner) {
    this.inner = inner;
    this.scripts = new Map();
    /**
     * By file: milliseconds and steps to load it, and to run each of the tests that hold in this process, by their ids.
     */
    this.files = new Map();
    this.kills = new Map();
    this.begun = 0;
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    if (!QUICK) await this.inner.init();
    if (existsSync(BASELINE)) this.files = new Map(JSON.parse(readFileSync(BASELINE, "utf8")));
  }

  async dryRun(options) {
    const coverage = { static: {}, perTest: {} };
    const tests = [];
    shared.mutantCoverage = coverage;
    for (const file of FILES) await this.baseline(file, tests);
    writeFileSync(BASELINE, JSON.stringify([...this.files]));
    shared.mutantCoverage = { static: {}, perTest: {} };
    return QUICK ? { status: "complete", tests, mutantCoverage: coverage } : this.inner.dryRun(options);
  }

  /** Evaluates a test file again; returns its tests. */
  async load(file) {
    if (!this.scripts.has(file)) this.scripts.set(file, await scriptOf(file));
    const { tests, vitest, restore } = collector();
    const here = createRequire(resolve(file));
    await this.scripts.get(file).runInThisContext()((name) => (name === "vitest" ? vitest : here(name)));
    return { tests, restore };
  }

  /** Runs a file's tests without a mutant. One that does not hold in this process is left to vitest. */
  async baseline(file, results) {
    const [times, counts] = [{}, {}];
    const begin = performance.now();
    let loaded;
    count();
    try {
      loaded = await this.load(file);
    } catch (e) {
      left(`${file}: ${e.message}`);
      return;
    }
    const { tests, restore } = loaded;
    this.files.set(file, { load: performance.now() - begin, loadSteps: steps, times, counts });
    for (const { name, run } of tests) {
      const id = `${file}#${name}`;
      const start = performance.now();
      shared.currentTestId = id;
      count();
      try {
        await run();
        times[id] = performance.now() - start;
        counts[id] = steps;
        results.push({ id, name, fileName: resolve(file), status: 0, timeSpentMs: times[id] });
      } catch (e) {
        left(`${file}: ${name}: ${e.message}`);
        delete shared.mutantCoverage.perTest[id];
      }
      shared.currentTestId = undefined;
      restore();
    }
  }

  /** The first test that fails with the mutant, or undefined. */
  async killer({ activeMutant, testFilter }) {
    const wanted = testFilter && new Set(testFilter);
    const cost = [];
    for (const [file, { load, times }] of this.files) {
      const ids = Object.keys(times).filter((id) => !wanted || wanted.has(id));
      if (ids.length) cost.push([file, new Set(ids), ids.reduce((sum, id) => sum + times[id], load)]);
    }
    cost.sort((a, b) => a[2] - b[2]);
    for (const [file, ids] of cost) {
      const { loadSteps, times, counts } = this.files.get(file);
      const idOf = (test) => `${file}#${test.name}`;
      let restore = () => {};
      let ran = 0;
      shared.activeMutant = activeMutant.id;
      count(3 * loadSteps + LOOPS);
      try {
        let tests;
        try {
          ({ tests, restore } = await this.load(file));
        } catch (e) {
          return { id: [...ids][0], message: `the file does not load: ${e?.message}`, ran };
        }
        // quick ones first, and before them those that have killed before
        const rank = (test) => times[idOf(test)] / (1 + 20 * (this.kills.get(idOf(test)) ?? 0));
        const mine = tests.filter((t) => ids.has(idOf(t))).sort((a, b) => rank(a) - rank(b));
        for (const test of mine) {
          count(3 * counts[idOf(test)] + LOOPS);
          ran++;
          try {
            await test.run();
          } catch (e) {
            this.kills.set(idOf(test), (this.kills.get(idOf(test)) ?? 0) + 1);
            return { id: idOf(test), message: String(e?.message ?? e), ran };
          }
        }
      } finally {
        restore();
        shared.activeMutant = undefined;
        count();
      }
    }
    return undefined;
  }

  async mutantRun(options) {
    // not a verdict: what is in error does not count
    if (!sampled(options.activeMutant.id)) return { status: "error", errorMessage: "not in the sample" };
    if (Date.now() > UNTIL && this.begun >= LEAST) return { status: "error", errorMessage: NO_TIME };
    this.begun++;
    const killer = await this.killer(options);
    if (killer) {
      if (/it loops$/.test(killer.message)) return { status: "timeout", reason: killer.message };
      return { status: "killed", failureMessage: killer.message, killedBy: [killer.id], nrOfTests: killer.ran };
    }
    if (QUICK) return { status: "survived", nrOfTests: options.testFilter?.length ?? 0 };
    return this.inner.mutantRun(options);
  }

  dispose() {
    return QUICK ? undefined : this.inner.dispose();
  }
}

function factory(injector) {
  return new Runner(injector.injectFunction(vitest[0].factory));
}
factory.inject = ["$injector"];

export const strykerPlugins = [{ kind: "TestRunner", name: "firmseal", factory }];
