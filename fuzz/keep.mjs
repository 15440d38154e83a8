// Makes the corpus small: node fuzz/keep.mjs [target]. From what a target's fuzzer has found interesting, from its
// seeds and its corpus, it keeps the inputs that run something that no smaller one runs (blocks, as V8 counts them), up
// to a size. Inputs with a name always stay. The others are called grown-NN.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { bundle, OUT } from "./build.mjs";
import { judge } from "./judge.mjs";
import { corpusOf, filesOf, known } from "./replay.mjs";
import { TARGETS } from "./targets.mjs";

/** Bytes of one input, and of all that are kept of a target. */
const [ONE, ALL] = [1500, 6000];
/** Milliseconds: the corpus is played in every test run. */
const SLOW = 40;

const require = createRequire(import.meta.url);
const session = new Session();
session.connect();
await session.post("Profiler.enable");

async function blocks(path) {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const ours = result.find(({ url }) => url.endsWith(path));
  return (ours?.functions ?? []).flatMap((f) => f.ranges.filter((r) => r.count > 0).map((r) => `${r.startOffset}-${r.endOffset}`));
}

const targets = TARGETS.filter((t) => process.argv[2] === undefined || t.name === process.argv[2]);
const bundles = await bundle(targets.map((t) => t.name));
for (const target of targets) {
  const folder = corpusOf(target.name);
  const path = bundles[target.name];
  const { fuzz, seeds, ready } = require(path);
  await ready?.();
  const judged = judge(fuzz, target);
  const files = [...filesOf(folder), ...["grown", "findings"].flatMap((part) => filesOf(join(OUT, "work", target.name, part)))];
  const all = [
    ...files.map((file) => ({ file, bytes: readFileSync(file) })),
    ...((await seeds?.()) ?? []).map((bytes) => ({ file: "", bytes: Buffer.from(bytes) })),
  ].map((input) => ({ ...input, named: input.file.startsWith(folder) && !basename(input.file).startsWith("grown-") }));
  // what has a name first, then the small ones
  all.sort((a, b) => Number(b.named) - Number(a.named) || a.bytes.length - b.bytes.length);
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const seen = new Set();
  const kept = [];
  let size = 0;
  for (const { file, bytes, named } of all) {
    if (known.some((k) => k.target === target.name && k.file === basename(file))) continue;
    if (!named && (bytes.length > ONE || size + bytes.length > ALL)) continue;
    const start = performance.now();
    const finding = await judged(bytes);
    const took = performance.now() - start;
    const fresh = (await blocks(path)).filter((block) => !seen.has(block));
    if (named || finding || fresh.length === 0 || took > SLOW) continue;
    for (const block of fresh) seen.add(block);
    kept.push(bytes);
    size += bytes.length;
  }
  await session.post("Profiler.stopPreciseCoverage");
  for (const file of filesOf(folder)) if (basename(file).startsWith("grown-")) rmSync(file);
  mkdirSync(folder, { recursive: true });
  for (const [i, bytes] of kept.entries()) writeFileSync(join(folder, `grown-${String(i + 1).padStart(3, "0")}`), bytes);
  console.log(`${target.name.padEnd(16)} ${kept.length} kept, ${size} bytes`);
}
process.exit();
