// What one input of a target costs: node fuzz/count.mjs [TARGET…]. Instructions under valgrind, which hardly depend on
// what else the machine does: inputs of the corpus, by the difference between one run and several. Node interprets
// everything, because valgrind would also count the making of machine code.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { canCount, instructions } from "../bench/counting.mjs";
import { bundle } from "./build.mjs";
import { corpusFiles } from "./replay.mjs";
import { TARGETS } from "./targets.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Inputs of one target, of all sizes. */
const MOST = 4;
/** How often they are played, within this many milliseconds: small costs depend on chance. */
const [TIMES, MS] = [20, 100];
const ENGINE = {
  name: "interpreter",
  args: (file) => [
    "--no-opt",
    "--no-sparkplug",
    "--no-maglev",
    "--regexp-interpret-all",
    "--single-threaded",
    "--hash-seed=1",
    "--random-seed=1",
    file,
  ],
};

/** A script that plays files so many times. */
const script = (path, files, times) => `
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
process.chdir(${JSON.stringify(process.cwd())});
const { fuzz, ready } = createRequire(${JSON.stringify(path)})(${JSON.stringify(path)});
(async () => {
  await ready?.();
  for (let i = 0; i < ${times}; i++)
    for (const file of ${JSON.stringify(files)}) await fuzz(new Uint8Array(readFileSync(file)));
  console.log("DONE");
  process.exit();
})();`;

/** How long it takes to play files once, when what they need is loaded. */
async function millisecondsOf(path, files) {
  const { fuzz, ready } = createRequire(path)(path);
  await ready?.();
  let took = 0;
  for (const _ of [1, 2]) {
    const start = performance.now();
    for (const file of files) await fuzz(new Uint8Array(readFileSync(file)));
    took = performance.now() - start;
  }
  return took;
}

if (!canCount(ENGINE)) {
  console.error("fuzz: instructions are not counted, for there is no valgrind\nhint: apt-get install valgrind");
  process.exit(3);
}
const names = process.argv.slice(2);
const targets = TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
const bundles = await bundle(targets.map(({ name }) => name));
for (const { name, about } of targets) {
  const all = corpusFiles(name);
  const step = Math.ceil(all.length / MOST);
  const files = all.filter((_, i) => i % step === 0);
  const count = (times) => instructions(ENGINE, process.execPath, script(bundles[name], files, times));
  const ms = await millisecondsOf(bundles[name], files);
  const more = Math.max(1, Math.min(TIMES, Math.floor(MS / ms)));
  const [once, often] = [await count(1), await count(1 + more)];
  const million = ((often - once) / more / files.length / 1e6).toFixed(1);
  console.log(once && often ? `| \`${name}\` | ${about} | ${million} |` : `${name}: it does not end under valgrind`);
}
process.exit();
