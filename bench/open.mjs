// Instructions of one open() of an envelope on the engines that valgrind runs: by the difference of two runs, so that
// what loads the bundle does not count, and as the mean of four calls, because a single one has a collection of garbage
// or has none. The first call, on a device that has just started, takes 1 to 2 % more. Engines as in
// scripts/conformance/engines.mjs. Needs a build.
//
//   node bench/open.mjs [--before FOLDER] [ENGINE ...]
//
// `--before`: another checkout of this project, with its build. Its bundles open the same envelopes, and the table says
// how this one compares. A checkout of an earlier state is made with `git worktree add FOLDER COMMIT`, its build with
// `npx -y pnpm@12.4.2 install` and `node scripts/build.mjs` in it.

import * as crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ENGINES, locate } from "../scripts/conformance/engines.mjs";
import { canCount, instructions, UNHEX } from "./counting.mjs";
import { bundlePath, integrated, lms, ROOT, signer, table, title } from "./lib.mjs";

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { before: { type: "string" } } });

const { encode, foreignSigner, privateKey, publicKey, signEnvelope, signer: signerOf, singleImage } = await signer();
const image = crypto.createHash("sha512").update("image").digest();
const draft = encode(singleImage(integrated(image)));

/**
 * LMS_SHA256_M32_H5 with LMOTS_SHA256_N32_W4, where the hash over a signature is the largest part. Key and signatures
 * are the same in every run, so that counts can be compared.
 */
async function hssSigner() {
  const { lmsSigner, stack } = await lms();
  const sign = (message) => stack([lmsSigner("open").tree({ lms: 5, ots: 3, q: 5 })], message);
  return foreignSigner(publicKey("hsslms", sign(image).key), async (message) => sign(message).signature);
}

/** Algorithm, which is the name of a bundle too → a signer. */
const SIGNERS = {
  ed25519: signerOf(privateKey("ed25519", new Uint8Array(32).fill(7))),
  es256: signerOf(privateKey("es256", new Uint8Array(32).fill(7))),
  hsslms: await hssSigner(),
};

const CALLS = 4;

const hex = (bytes) => `unhex("${Buffer.from(bytes).toString("hex")}")`;

/** A script with a bundle that opens an envelope so many times. */
const script = (bundle, alg, key, envelope, calls) => `${readFileSync(bundle, "utf8")}${UNHEX}
var E = ${hex(envelope)}, T = { anchors: [firmseal.anchor("${alg}", ${hex(key)})] }, i;
for (i = 0; i < ${calls}; i++) if (firmseal.open(E, T, {}).signers.length !== 1) throw new Error("FAIL");
typeof print === "function" ? print("DONE") : console.log("DONE");
`;

/** Instructions of one open() with a bundle, in millions. */
async function cost(engine, command, bundle, alg, key, envelope) {
  const [loads, opens] = [0, CALLS].map((calls) => script(bundle, alg, key, envelope, calls));
  const less = await instructions(engine, command, loads);
  const more = await instructions(engine, command, opens);
  return less && more && (more - less) / CALLS / 1e6;
}

const unknown = positionals.filter((name) => !ENGINES.some((engine) => engine.name === name && canCount(engine)));
if (unknown.length) throw new Error(`cannot count the instructions of ${unknown}`);

const rows = [];
for (const engine of ENGINES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const { command } = locate(engine);
  if (!command || !canCount(engine)) continue;
  for (const [alg, one] of Object.entries(SIGNERS)) {
    const envelope = await signEnvelope(draft, [one]);
    const count = (folder) => cost(engine, command, join(folder, bundlePath(alg).slice(ROOT.length)), alg, one.publicKey, envelope);
    const now = await count(ROOT);
    if (now === undefined) continue;
    if (options.before === undefined) rows.push([engine.name, alg, now]);
    else {
      const before = await count(options.before);
      rows.push([engine.name, alg, now, before ?? "not measured", before ? (now / before).toFixed(3) : ""]);
    }
  }
}
title("Envelopes opened: instructions of one open(), million");
table(["engine", "algorithm", "instructions", ...(options.before === undefined ? [] : ["before", "against before"])], rows);
