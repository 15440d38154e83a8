// One run of Stryker over some code, with the tests that FIRMSEAL_MUTANTS_FILES names.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Stryker } from "@stryker-mutator/core";

export const CACHE = ".mutation";

/** Where the runner says which tests hold only in vitest. */
const LEFT = join(CACHE, "left.txt");

/** Runs the tests for each mutant of `mutate`; returns the report, and the tests that do not hold in this process. */
export async function mutantsOf(mutate, incrementalFile) {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(LEFT, "");
  process.env.FIRMSEAL_MUTANTS = "1";
  process.env.FIRMSEAL_MUTANTS_LEFT = resolve(LEFT);
  process.env.FIRMSEAL_VECTORS ??= resolve("../shared/vectors");
  const report = join(CACHE, "report.json");
  await new Stryker({
    testRunner: "firmseal",
    plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation/runner.mjs", "./scripts/mutation/features.mjs"],
    ignorers: ["features"],
    mutate,
    coverageAnalysis: "perTest",
    concurrency: 1,
    dryRunTimeoutMinutes: 30,
    // runner.mjs counts steps: time ends only what takes none
    timeoutMS: 60_000,
    timeoutFactor: 2,
    incremental: incrementalFile !== undefined,
    ...(incrementalFile && { incrementalFile }),
    tempDirName: join(CACHE, "sandbox"),
    // Stryker would rewrite the tsconfig files, with a TypeScript that has the interface of old
    tsconfigFile: "none.json",
    disableTypeChecks: false,
    ignorePatterns: ["packages/*/lib", "packages/*/dist", "bench", "docs/*", "!docs/reference", "examples", "/test", ".mutation"],
    vitest: { configFile: "vitest.mutation.config.ts", related: false },
    reporters: process.stdout.isTTY ? ["progress", "json"] : ["json"],
    jsonReporter: { fileName: report },
    logLevel: "warn",
  }).runMutationTest();
  return { ...JSON.parse(readFileSync(report, "utf8")), left: readFileSync(LEFT, "utf8").split("\n").filter(Boolean) };
}

/** A mutant as people read it. `source`: the text of the file. */
export function lineOf(file, source, { status, location, replacement, mutatorName }) {
  const { start, end } = location;
  const lines = source.split("\n");
  const text = lines.slice(start.line - 1, end.line).join("\n");
  const last = text.length - (lines[end.line - 1].length - (end.column - 1));
  const was = text.slice(start.column - 1, last).replace(/\s+/g, " ");
  const cut = (s) => (s.length > 90 ? `${s.slice(0, 87)}...` : s);
  const mark = status === "NoCoverage" ? "not reached" : "survived";
  return `${file}:${start.line}:${start.column}: ${mark}: ${mutatorName}: ${cut(was)} -> ${cut((replacement ?? "").replace(/\s+/g, " "))}`;
}
