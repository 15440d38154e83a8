// Plays inputs through targets, without a fuzzer and without instrumentation: here time and memory are what they are
// for everybody. node replay.mjs [TARGET [FILE OR FOLDER…]]: the corpus, of all targets where none is named. One line
// of JSON for each input; exit 1 if one is a finding. node replay.mjs TARGET --random N [--seed TEXT]: N random inputs
// of up to 64 bytes, the same for the same seed, and a line for each finding.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle } from "./build.mjs";
import { judge } from "./judge.mjs";
import { TARGETS } from "./targets.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/** Files of a folder, in order. */
export const filesOf = (path) =>
  !existsSync(path)
    ? []
    : statSync(path).isFile()
      ? [path]
      : readdirSync(path)
          .sort()
          .map((file) => join(path, file));

/** Inputs whose fault is known and not mended yet: { target, file, why }. They are left out. */
export const known = JSON.parse(readFileSync(join(HERE, "known.json"), "utf8"));

export const corpusOf = (name) => join(HERE, "corpus", name);

/** The corpus of a target, without what is known. */
export const corpusFiles = (name) =>
  filesOf(corpusOf(name)).filter((file) => !known.some((k) => k.target === name && k.file === basename(file)));

/** The `i`th random input of a seed. */
function randomInput(seed, i) {
  const bytes = createHash("shake256", { outputLength: 65 }).update(`${seed} ${i}`).digest();
  return bytes.subarray(1, 2 + (bytes[0] & 63));
}

/** Plays random inputs, and gives a line for each finding. */
async function replayRandom(target, path, count, seed) {
  const { fuzz, ready } = require(path);
  await ready?.();
  const judged = judge(fuzz, target);
  const out = [];
  for (let i = 0; i < count; i++) {
    const input = randomInput(seed, i);
    const finding = await judged(input);
    if (finding) out.push({ target: target.name, input: input.toString("hex"), finding });
  }
  return out;
}

/** Plays files, and gives a line for each. */
async function replay(target, path, files) {
  const { fuzz, ready } = require(path);
  await ready?.();
  const judged = judge(fuzz, target);
  const out = [];
  for (const file of files) {
    const start = performance.now();
    const finding = await judged(readFileSync(file));
    out.push({
      target: target.name,
      file: relative(process.cwd(), file),
      ms: Math.round(performance.now() - start),
      ...(finding && { finding }),
    });
  }
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { random: { type: "string" }, seed: { type: "string", default: "1" } };
  const { positionals, values } = parseArgs({ options, allowPositionals: true });
  const [name, ...paths] = positionals;
  const targets = TARGETS.filter((t) => name === undefined || t.name === name);
  const bundles = await bundle(targets.map((t) => t.name));
  for (const target of targets) {
    const path = bundles[target.name];
    const lines = values.random
      ? await replayRandom(target, path, Number(values.random), values.seed)
      : await replay(target, path, paths.length > 0 ? paths.flatMap(filesOf) : corpusFiles(target.name));
    for (const line of lines) {
      console.log(JSON.stringify(line));
      if (line.finding) process.exitCode = 1;
    }
    if (values.random) console.log(`${target.name}: ${values.random} random inputs, ${lines.length} findings`);
  }
  process.exit();
}
