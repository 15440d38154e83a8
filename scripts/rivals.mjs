// This verifier against OpenSSL and HACL*, on signatures of an attacker's making (packages/verifier/test/rivals/): half
// of them Ed25519, half P-256, by all processors. `node scripts/rivals.mjs`, or as the last step of `pnpm test:long`. A
// verification costs 0.84 ms of one processor with all who are asked, so that 10^7 take 70 minutes of two.
//
// `--verifications N`: how many, 10,000,000 by default. `--seconds N`: how long, in place of a number. `--seed TEXT`:
// other cases. `--workers N`: how many at a time. Prints every disagreement with its octets, and what was done.

import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Beside what it imports; nothing that git sees. */
const CACHE = `${ROOT}node_modules/.cache/firmseal/`;
const CHUNK = 5000;

const text = { type: "string" };
const { values } = parseArgs({ options: { verifications: text, seconds: text, workers: text, seed: text } });
const total = Number(values.verifications ?? 10_000_000);
const seconds = Number(values.seconds ?? Number.POSITIVE_INFINITY);
const workers = Number(values.workers ?? availableParallelism());
const { seed = "1" } = values;

async function bundleWorker() {
  mkdirSync(CACHE, { recursive: true });
  const outfile = `${CACHE}rivals-worker.mjs`;
  const contents = `
    import { parentPort } from "node:worker_threads";
    import { compete } from "./contest.ts";
    parentPort.on("message", async (job) => parentPort.postMessage(await compete(...job)));`;
  await build({
    stdin: { contents, resolveDir: `${ROOT}packages/verifier/test/rivals`, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile,
  });
  return outfile;
}

const started = Date.now();
const deadline = started + seconds * 1000;
const sum = { ed25519: {}, es256: {} };
let disagreements = 0;
let handed = 0;
let done = 0;

/** Algorithms in turn, each chunk with a seed of its own. */
function nextJob() {
  if (handed >= total || Date.now() >= deadline) return undefined;
  const cases = Math.min(CHUNK, total - handed);
  const n = Math.floor(handed / CHUNK);
  handed += cases;
  return [n % 2 ? "es256" : "ed25519", `${seed}/${n}`, cases, deadline];
}

function enter(algorithm, score) {
  for (const line of score.disagreements) console.log(`DISAGREE  ${line}`);
  disagreements += score.disagreements.length;
  done += score.cases;
  const at = sum[algorithm];
  const counts = { cases: score.cases, accepted: score.accepted, "accepted by others, refused by decision": score.stricter };
  for (const [name, n] of Object.entries(score.asked)) counts[`asked ${name}`] = n;
  for (const [name, n] of Object.entries(counts)) at[name] = (at[name] ?? 0) + n;
}

function work(file) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(file);
    let job;
    const next = () => {
      job = nextJob();
      if (job) worker.postMessage(job);
      else worker.terminate().then(resolve);
    };
    worker.on("error", reject);
    worker.on("message", (score) => {
      enter(job[0], score);
      next();
    });
    next();
  });
}

const file = await bundleWorker();
const ticker = setInterval(() => {
  console.error(`${done.toLocaleString("en")} of ${total.toLocaleString("en")} verifications, ${disagreements} disagreements`);
}, 60_000);
await Promise.all(Array.from({ length: workers }, () => work(file)));
clearInterval(ticker);
for (const [algorithm, counts] of Object.entries(sum)) {
  const told = Object.entries(counts).map(([name, n]) => `${n.toLocaleString("en")} ${name}`);
  console.log(`${algorithm}: ${told.join(", ") || "none"}`);
}
console.log(
  `${done.toLocaleString("en")} verifications, ${disagreements} disagreements, ${((Date.now() - started) / 1000).toFixed(0)} s, seed ${seed}`,
);
if (disagreements > 0 || done === 0) process.exitCode = 1;
