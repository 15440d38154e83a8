// Cold start: `firmseal --version` against node that does nothing.

import { spawnSync } from "node:child_process";
import { CLI, median, table, title } from "./lib.mjs";

const ROUNDS = 21;

function time(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`node ${args.join(" ")}: ${stderr}`);
  return performance.now() - start;
}

const tasks = {
  "node -e 0": ["-e", "0"],
  "firmseal --version": [CLI, "--version"],
  "firmseal --help": [CLI, "--help"],
  "firmseal verify --help": [CLI, "verify", "--help"],
};
const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
for (const args of Object.values(tasks)) time(args);
for (let round = 0; round < ROUNDS; round++) for (const [name, args] of Object.entries(tasks)) seen[name].push(time(args));

const bare = median(seen["node -e 0"]);
title("Cold start");
table(
  ["command", "ms, median", "above bare node, ms"],
  Object.entries(seen).map(([name, values]) => [name, median(values), median(values) - bare]),
);
