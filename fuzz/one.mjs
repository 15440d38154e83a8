// Fuzzes one target in this process, and continues after a finding: it keeps the smallest input of each kind.
// run.mjs starts it: node one.mjs NAME BUNDLE FINDINGS OPTIONS-OF-LIBFUZZER…

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { judge } from "./judge.mjs";
import { TARGETS } from "./targets.mjs";

const [name, bundle, folder, ...fuzzerOptions] = process.argv.slice(2);
const target = TARGETS.find((t) => t.name === name);
/**
 * Reporting counters and comparisons to the fuzzer takes time. The replay decides whether an input is slow without them
 * too.
 */
const SLOWER = 6;

const require = createRequire(import.meta.url);
const { OptionsManager, OptionSource, initFuzzing, registerGlobals, startFuzzingNoInit, asFindingAwareFuzzFn } = require("@jazzer.js/core");
const options = new OptionsManager(OptionSource.DefaultCLIOptions).merge(
  {
    includes: [bundle],
    excludes: [],
    sync: !target.waits,
    // of those that exist, the one for prototypes stays
    disableBugDetectors: ["command-injection", "path-traversal", "remote-code", "ssrf"],
    timeout: 10_000,
    fuzzerOptions,
  },
  OptionSource.CommandLineArguments,
);
registerGlobals(options);
await initFuzzing(options);
const { fuzz, ready } = require(bundle);
await ready?.();
const judged = judge(fuzz, target, SLOWER);

const smallest = new Map();
function note(bytes, finding) {
  if (!finding || bytes.length >= (smallest.get(finding.kind) ?? Number.POSITIVE_INFINITY)) return;
  smallest.set(finding.kind, bytes.length);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, createHash("sha256").update(finding.kind).digest("hex").slice(0, 12)), bytes);
}

const sync = (data) => note(data, judged(data));
const waiting = async (data) => {
  const bytes = Uint8Array.from(data);
  note(bytes, await judged(bytes));
};
const { returnCode } = await startFuzzingNoInit(asFindingAwareFuzzFn(target.waits ? waiting : sync, false), options);
process.exit(returnCode);
