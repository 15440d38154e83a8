// ML-DSA: signatures made and verified in a second, compared with OpenSSL if it has ML-DSA.

import { spawnSync } from "node:child_process";
import { signer as load, table, title } from "./lib.mjs";

const { anchorOf, loadAlg, privateKey, publicOf, signer } = await load();

const TIMES = 200;

/** Milliseconds of processor time for one call. */
async function cost(work) {
  for (let i = 0; i < 20; i++) await work(i);
  const before = process.cpuUsage().user;
  for (let i = 0; i < TIMES; i++) await work(i);
  return (process.cpuUsage().user - before) / TIMES / 1000;
}

/** { alg: [sign, verify] } in milliseconds, as `openssl speed` has them. */
function openssl(algs) {
  const { stdout = "" } = spawnSync("openssl", ["speed", "-seconds", "1", ...algs.map((alg) => alg.toUpperCase())], { encoding: "utf8" });
  const seconds = (alg) => new RegExp(`${alg.toUpperCase()} ([\\d.]+)s ([\\d.]+)s ([\\d.]+)s`).exec(stdout ?? "");
  return Object.fromEntries(
    algs.map((alg) => [
      alg,
      seconds(alg)
        ?.slice(2)
        .map((s) => 1000 * Number(s)),
    ]),
  );
}

const algs = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];
const peer = openssl(algs);
const rows = [];
for (const alg of algs) {
  await loadAlg(alg);
  const key = privateKey(alg, crypto.getRandomValues(new Uint8Array(32)));
  const one = signer(key);
  const { alg: verifier } = anchorOf(publicOf(key));
  const message = new Uint8Array(60);
  const signature = await one.sign(message);
  const sign = await cost((i) => one.sign(Uint8Array.of(i)));
  const verify = await cost(() => verifier.verify(key.key, message, signature, {}));
  rows.push([alg, sign, verify, peer[alg]?.[0] ?? "–", peer[alg]?.[1] ?? "–"]);
}
title("ML-DSA, milliseconds");
table(["algorithm", "sign", "verify", "openssl: sign", "openssl: verify"], rows);
