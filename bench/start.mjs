// Cold start: `firmseal` compared with node that does nothing, up to a signature that is made and verified. Each
// command is started in turn, so that a slow moment of the machine hits all alike. If other programs run, the ratio of
// the least times says more. NODE=PATH: another Node.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, environment, median, table, title } from "./lib.mjs";

const ROUNDS = 21;
const NODE = process.env.NODE ?? process.execPath;

const folder = mkdtempSync(join(tmpdir(), "firmseal-start-"));
const env = environment(join(folder, "machine"));

function time(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(NODE, args, { stdio: ["ignore", "ignore", "pipe"], cwd: folder, env });
  if (status !== 0) throw new Error(`node ${args.join(" ")}: ${stderr}`);
  return performance.now() - start;
}

writeFileSync(join(folder, "fw.bin"), randomBytes(5000));
time([CLI, "keygen", "--out", "key.pem", "--no-passphrase"]);
writeFileSync(join(folder, "key.jwk"), spawnSync(NODE, [CLI, "pubkey", "key.pem"], { cwd: folder, env }).stdout);

const facts = ["--vendor", "example.com", "--class", "a", "--seq", "next"];
time([CLI, "sign", "fw.bin", "--key", "key.pem", "--out", "fw.suit", ...facts, "--first"]);
const tasks = {
  "node -e 0": ["-e", "0"],
  "firmseal --version": [CLI, "--version"],
  "firmseal --help": [CLI, "--help"],
  "firmseal verify --help": [CLI, "verify", "--help"],
  "firmseal sign": [CLI, ...["sign", "fw.bin", "--key", "key.pem", "--out", "fw.suit"], ...facts],
  "firmseal verify": [CLI, "verify", "fw.suit", "--key", "key.jwk"],
};
const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
for (const args of Object.values(tasks)) time(args);
for (let round = 0; round < ROUNDS; round++) for (const [name, args] of Object.entries(tasks)) seen[name].push(time(args));

const bare = seen["node -e 0"];
const times = (one) => `${one.toFixed(2)} ×`;
title(`Cold start${NODE === process.execPath ? "" : `, ${NODE}`}`);
table(
  ["command", "ms, median", "against bare node", "ms, least", "against bare node, least"],
  Object.entries(seen).map(([name, values]) => [
    name,
    median(values),
    times(median(values) / median(bare)),
    Math.min(...values),
    times(Math.min(...values) / Math.min(...bare)),
  ]),
);
rmSync(folder, { recursive: true });
