// What an Ed25519 verification is made of: multiplications and squarings modulo 2^255 - 19, counted in the readable
// bundle, the mean of 500 signatures by as many keys. Figures of docs/guides/bundles.md; they say where the time goes
// on any engine. Needs a build.

import { randomBytes } from "node:crypto";
import { runInNewContext } from "node:vm";
import { ed25519Key, ROOT, signer, table } from "./lib.mjs";

const SIGNATURES = 500;

const { readableBundle: readable } = await import(`${ROOT}packages/bundler/lib/index.js`);
const { prepareKey: prepare } = await signer();

/** A bundle of the format that counts in `counts`: [multiplications, squarings]. */
async function counting(format, counts) {
  const code = await readable({ algs: ["ed25519"], features: ["prepared"], format });
  const counted = code.replace(/function mul25519\(\w+, \w+, (\w+)\) \{/, (head, b) => `${head} counts[${b} === undefined ? 1 : 0]++;`);
  if (counted === code) throw new Error("there is no mul25519() to be counted");
  const exports = {};
  runInNewContext(counted, { exports, counts, Uint8Array, Float64Array });
  return exports;
}

const rows = [];
for (const [format, label, size] of [
  ["umd", "no table"],
  ["espruino", "no table, a module for Espruino"],
  ["umd", "1k", "1k"],
  ["umd", "2k", "2k"],
  ["umd", "4k", "4k"],
  ["umd", "8k", "8k"],
]) {
  const counts = [0, 0];
  const { anchor } = await counting(format, counts);
  const sum = [0, 0];
  for (let i = 0; i < SIGNATURES; i++) {
    const { key, sign } = ed25519Key();
    const message = randomBytes(60);
    const signature = sign(message);
    const made = anchor("ed25519", size ? prepare(key, size) : key);
    counts.fill(0);
    if (!made.alg.verify(made.key, message, signature, {})) throw new Error("a good signature is refused");
    for (const n of [0, 1]) sum[n] += counts[n];
  }
  rows.push([label, ...sum.map((n) => Math.round(n / SIGNATURES).toLocaleString("en"))]);
}
console.log("## Operations of one Ed25519 verification, the anchor made beforehand\n");
table(["table", "multiplications", "squarings"], rows);
