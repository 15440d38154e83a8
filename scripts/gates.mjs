// The checks that are the project's own. Each gate returns a list of findings; an empty list is a pass. Warnings never
// fail. Needs a build. Run alone it prints the findings; scripts/test.mjs counts each gate as one test.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { proveBounds } from "./bounds.mjs";
import { BUNDLES, bundle, MICRO_BUNDLES } from "./build/bundle.mjs";
import { checkFeatures, checkLeaks, checkLeaksSees } from "./checks/bundles.mjs";
import { checkCircles } from "./checks/circles.mjs";
import { deviceCode, exampleCode, sourcesOfBundles } from "./checks/devices/code.mjs";
import { checkHoles } from "./checks/devices/holes.mjs";
import { checkStores } from "./checks/devices/stores.mjs";
import { checkEs5 } from "./checks/es5.mjs";
import { checkLanguage, proseOf } from "./checks/language.mjs";
import { checkBoardMutants, checkMutants } from "./checks/mutants.mjs";
import { checkNames } from "./checks/names.mjs";
import { checkPaths } from "./checks/paths.mjs";
import { checkRows } from "./checks/rows.mjs";
import { checkCounts, checkShifts } from "./checks/shifts.mjs";
import { checkFolders, checkHooks, checkPrinting, checkTitles, checkTree, readTracked, sources, trackedFiles } from "./checks/sources.mjs";
import { checkWidth } from "./checks/width.mjs";
import { PAGE, verifierFiles } from "./mutation/scores.mjs";

const DIST = fileURLToPath(new URL("../packages/verifier/dist/", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const shipped = (file) => readFileSync(DIST + file, "utf8");

/** Bundles of their own, so that the account of their modules belongs to the text that is checked. */
async function bundlesApart() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-bundles-"));
  try {
    const alone = {};
    for (const alg of (await import("../packages/bundler/lib/index.js")).BUNDLE_ALGS)
      alone[alg] = await bundle({ algs: [alg], name: alg, folder });
    return alone;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const GATES = [
  {
    name: "bundles keep to the language that every engine runs",
    run: () =>
      [...BUNDLES, ...MICRO_BUNDLES].flatMap(({ name, micro }) =>
        [`firmseal-${name}.src.js`, `firmseal-${name}.js`].flatMap((file) =>
          // a micro verifier is a module, for engines with typed arrays: every Espruino has these. It views its own
          // copies, and an envelope of 64 KB in RAM is refused there, because the engine throws
          checkEs5(shipped(file), file).filter(
            (finding) => !(micro && /optional: (exports|Uint8Array|Uint32Array|Float64Array) |view: /.test(finding)),
          ),
        ),
      ),
  },
  {
    name: "bit operations say why 32 bits are enough",
    async run() {
      const { code, modules, read } = await sourcesOfBundles();
      return checkShifts(code, modules, read);
    },
  },
  {
    name: "code for devices leaves nothing to the processor",
    async run() {
      const { code, ...sources } = await sourcesOfBundles();
      return [
        ...(await deviceCode()).flatMap(({ file, code }) => [...checkCounts(code, file), ...checkHoles(code, file)]),
        ...checkStores(code, "sources of bundles", sources),
        ...exampleCode().flatMap(({ file, code }) => checkStores(code, file)),
      ];
    },
  },
  { name: "no arithmetic on doubles rounds", run: () => proveBounds().findings },
  {
    name: "bundles hold no algorithm that they were not asked for",
    async run() {
      const alone = await bundlesApart();
      const stale = BUNDLES.filter((b) => b.algs.length === 1 && shipped(`firmseal-${b.name}.js`) !== alone[b.algs[0]].min);
      return [
        ...stale.map((b) => `firmseal-${b.name}.js is not what the sources give: build again`),
        ...checkLeaksSees(alone),
        ...checkLeaks(Object.values(alone), alone),
      ];
    },
  },
  { name: "features add no more bytes than they may", run: () => checkFeatures() },
  {
    name: "words follow the style of the language",
    run: () => {
      const packages = readTracked((path) => /^packages\/[\w-]+\/src\/.*\.ts$/.test(path));
      // strings of these are also patterns of the gates and texts of vectors: only their comments and the titles of
      // tests are checked
      const others = readTracked(
        (path) =>
          /^(?:action|bench|conformance|examples|fuzz|packages\/[\w-]+\/test|scripts|test|test-vectors)\/.*\.m?[jt]s$/.test(path) &&
          // examples of these forms
          path !== "scripts/test/gates.test.mjs",
      );
      // a changelog also quotes what was
      const documents = readTracked((path) => /\.md$/.test(path) && !/^CHANGELOG|^\.changeset\//.test(path));
      const comments = others.map(({ path, text }) => ({ path, text: proseOf(text) }));
      return [
        ...checkLanguage([...documents, ...packages, ...comments]),
        ...checkWidth([...packages, ...others].filter(({ path }) => !/^(?:packages\/[\w-]+\/)?test\//.test(path))),
      ];
    },
  },
  { name: "one file prints", run: () => checkPrinting(sources()) },
  { name: "one row for each thing", run: () => checkRows(sources()) },
  { name: "folders import each other in no circle", run: () => checkCircles(sources()) },
  { name: "one file for each exported name", run: () => checkNames(sources()) },
  { name: "mutants of each file are tried and killed", run: () => checkMutants(verifierFiles(), readFileSync(ROOT + PAGE, "utf8")) },
  { name: "mutants of what runs only on boards, too", run: () => checkBoardMutants(verifierFiles(), readFileSync(ROOT + PAGE, "utf8")) },
  {
    name: "files that comments name exist",
    run: () =>
      checkPaths(
        readTracked((path) => /\.(?:[cm]?[jt]s|[ch])$/.test(path)),
        trackedFiles(),
      ),
  },
  { name: "titles of tests say what is tried", run: () => checkTitles(readTracked((path) => /\.test\.[mc]?[jt]s$/.test(path))) },
  {
    name: "modules that test files share have no hooks",
    run: () => checkHooks(readTracked((path) => /\.[mc]?[jt]s$/.test(path) && !/\.test\./.test(path))),
  },
  {
    name: "tracked files are small, know no machine, and are not too many in a folder",
    run: checkTree,
    warnings: () => checkFolders(trackedFiles()).warnings,
  },
  // reads what the build gives, which is not there yet in a fresh clone
  {
    name: "pages made from the sources are what these give",
    run: async () => (await import("./reference.mjs")).stalePages(),
  },
  {
    name: "every export has a docstring, and every function its tags",
    run: async () => (await import("./reference/api.mjs")).apiPages().undocumented,
  },
  { name: "plots are what the results of the benchmarks give", run: async () => (await import("../bench/plots.mjs")).stalePlots() },
];

/** Findings of one gate; a gate that breaks is a finding. */
export async function runGate(gate) {
  try {
    return await gate.run();
  } catch (error) {
    return [`the gate itself failed: ${error.stack}`];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // `node scripts/gates.mjs pages` runs the gates whose names have that word
  const words = process.argv.slice(2);
  for (const gate of GATES.filter(({ name }) => words.every((word) => name.includes(word)))) {
    const findings = await runGate(gate);
    console.log(`${findings.length ? "fail" : "ok  "}  ${gate.name}`);
    for (const finding of findings) console.log(`      ${finding}`);
    for (const warning of gate.warnings?.() ?? []) console.log(`      warning: ${warning}`);
    if (findings.length) process.exitCode = 1;
  }
}
