// `pnpm fuzz [target] [seconds]`: every target, or the named one, for this long (60). What a target has found
// interesting is kept in node_modules/.cache/firmseal/fuzz for the next run. Each finding is made smaller, played again
// without instrumentation and shown; exit 1 if there is one. With CI set, the random numbers are the same each time,
// and so are the bundles. `pnpm fuzz:count [target]` says what one input costs.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, OUT } from "./build.mjs";
import { judge } from "./judge.mjs";
import { corpusFiles, known } from "./replay.mjs";
import { TARGETS } from "./targets.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);
process.chdir(join(HERE, ".."));
process.env.FIRMSEAL_SEED ??= process.env.CI ? "1" : String(Date.now());
/** Milliseconds for making one finding smaller. */
const SHRINK = 3_000;

const [first, second] = process.argv.slice(2);
const one = first !== undefined && !/^[0-9]+$/.test(first) ? first : undefined;
const seconds = Number((one === undefined ? first : second) ?? 60);
const targets = TARGETS.filter((t) => one === undefined || t.name === one);
if (targets.length === 0 || !(seconds > 0)) {
  console.error(`fuzz: there is no target ${one}\nhint: ${TARGETS.map((t) => t.name).join(", ")}`);
  process.exit(2);
}
if (!existsSync("node_modules/@jazzer.js/core")) {
  console.error(
    "fuzz: @jazzer.js/core is not installed\nhint: it is an optional dependency: npx -y pnpm@12.4.2 install, on a system that it is built for",
  );
  process.exit(3);
}

function child(args, show) {
  return new Promise((resolve) => {
    const program = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    program.stderr.setEncoding("utf8").on("data", (more) => {
      text = (text + more).slice(-100_000);
      if (show) process.stderr.write(more);
    });
    program.on("close", (code, signal) => resolve({ code, signal, text }));
  });
}

/** Fewer bytes with the same kind of finding: stretches are left out, long ones first. */
async function shrink(judged, bytes, kind) {
  const end = performance.now() + SHRINK;
  for (let n = bytes.length >> 1; n > 0; n >>= 1)
    for (let at = 0; at + n <= bytes.length && performance.now() < end; ) {
      const less = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + n)]);
      if ((await judged(less))?.kind === kind) bytes = less;
      else at += n;
    }
  return bytes;
}

const bundles = await bundle(targets.map((t) => t.name));
let found = 0;
for (const target of targets) {
  const { name } = target;
  const place = join(OUT, "work", name);
  const [grown, seeds, findings] = ["grown", "seeds", "findings"].map((part) => join(place, part));
  for (const folder of [seeds, findings]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [grown, seeds]) mkdirSync(folder, { recursive: true });
  const loaded = require(bundles[name]);
  for (const seed of (await loaded.seeds?.()) ?? [])
    writeFileSync(join(seeds, createHash("sha256").update(seed).digest("hex").slice(0, 16)), seed);
  for (const file of corpusFiles(name)) copyFileSync(file, join(seeds, basename(file)));
  const { code, signal, text } = await child(
    [
      join(HERE, "one.mjs"),
      name,
      bundles[name],
      findings,
      grown,
      seeds,
      `-max_total_time=${seconds}`,
      `-max_len=${target.most}`,
      `-artifact_prefix=${place}/`,
      "-rss_limit_mb=2048",
      "-print_final_stats=1",
      ...(process.env.CI ? ["-seed=1"] : []),
      ...(target.words ? [`-dict=${join(HERE, "words", target.words)}`] : []),
    ],
    process.env.FUZZ_VERBOSE !== undefined,
  );
  const last = text.split("\n").findLast((line) => /^#\d+\s.*cov: /.test(line)) ?? "";
  const [runs, cov, ft, corpus] = [/^#(\d+)/, /cov: (\d+)/, /ft: (\d+)/, /corp: (\S+)/].map((part) => part.exec(last)?.[1] ?? "?");
  console.log(`${name.padEnd(16)} ${runs} runs, ${cov} edges, ${ft} features, corpus ${corpus}`);
  const tell = (what, file) => {
    found++;
    console.log(`  FINDING: ${what.replaceAll("\n", "\n    ")}\n    input: ${relative(".", file)}`);
  };
  if (code !== 0) {
    // the process died before it could report: an endless loop, or all memory
    const artifact = /Test unit written to (\S+)/.exec(text)?.[1];
    tell(`${/ERROR: libFuzzer: .*/.exec(text)?.[0] ?? `ended by ${signal ?? `exit ${code}`}: ${text.slice(-2000)}`}`, artifact ?? place);
  }
  await loaded.ready?.();
  const judged = judge(loaded.fuzz, target);
  for (const file of existsSync(findings) ? readdirSync(findings).map((entry) => join(findings, entry)) : []) {
    const bytes = readFileSync(file);
    const finding = await judged(bytes);
    // slow with counters only
    if (!finding) continue;
    if (known.some((k) => k.target === name && finding.message.includes(k.message))) console.log(`  known: ${finding.kind}`);
    else {
      writeFileSync(file, await shrink(judged, bytes, finding.kind));
      tell(finding.message, file);
    }
  }
}
console.log(`${found} findings`);
process.exit(found > 0 ? 1 : 0);
