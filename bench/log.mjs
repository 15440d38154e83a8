// What the length of a signing log costs: instructions (if valgrind is installed), processor time, bytes read and
// memory of whole processes. Linux only.
//
//   node bench/log.mjs [ENTRIES…]

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processInstructions } from "./counting.mjs";
import { CLI, environment, ROOT, table, title } from "./lib.mjs";

const { lineOf, NO_PREVIOUS } = await import(`${ROOT}packages/keys/lib/signing-log/entry.js`);
const { markText } = await import(`${ROOT}packages/keys/lib/signing-log/last-seen.js`);

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 1000, 100_000, 1_000_000];
const folder = mkdtempSync(join(tmpdir(), "firmseal-log-"));
const env = environment(join(folder, "machine"));
const REPORT = join(folder, "report.cjs");
writeFileSync(
  REPORT,
  `process.on("exit", () => {
    const io = require("fs").readFileSync("/proc/self/io", "latin1");
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process._rawDebug(JSON.stringify({ ms: (userCPUTime + systemCPUTime) / 1000, read: Number(/rchar: (\\d+)/.exec(io)[1]), rss: maxRSS * 1024 }));
  });`,
);

/** Runs the command line, and returns what it took. Undefined if it refuses. */
function cost(...args) {
  const { status, stderr } = spawnSync(process.execPath, ["-r", REPORT, CLI, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return status === 0 ? JSON.parse(stderr.toString().trim().split("\n").at(-1)) : undefined;
}

/** `audit` under valgrind takes a minute for so many entries. */
const COUNTED = 100_000;
/** Million instructions of the command line. */
function counted(...args) {
  const all = processInstructions(process.execPath, [CLI, ...args], { cwd: folder, env });
  return all === undefined ? "" : Math.round(all / 1e6);
}

const SIGN = ["sign", "fw.bin", "--key", "k.pem", "--vendor", "example.com", "--class", "a", "--seq", "next"];

/** Makes the log as long as `entries` by repeating its first entry, and has the mark of the key say so. */
function grow(entries) {
  const path = join(folder, "k.pem.log");
  const first = JSON.parse(readFileSync(path, "utf8").split("\n")[0]);
  const { hash: _, prev: __, ...facts } = first;
  let [prev, at, lines, last] = [NO_PREVIOUS, 0, [], undefined];
  truncateSync(path, 0);
  for (let n = 1; n <= entries; n++) {
    const { text, hash } = lineOf({ ...facts, n, sequence: String(n), prev });
    prev = hash;
    lines.push(text);
    at += text.length;
    last = text;
    if (lines.length < 10_000 && n < entries) continue;
    appendFileSync(path, lines.join(""));
    lines = [];
  }
  const entry = JSON.parse(last);
  const mark = join(folder, "machine", `${entry.key}.log.last-seen`);
  const place = { start: at - last.length, end: at };
  rmSync(`${mark}.claims`, { recursive: true, force: true });
  writeFileSync(mark, markText(entry.key, { count: BigInt(entries), hash: entry.hash, path, binds: [entry], place, decides: [entry] }));
}

writeFileSync(join(folder, "fw.bin"), Buffer.alloc(5000, 1));
cost("keygen", "--out", "k.pem", "--no-passphrase");
cost(...SIGN, "--first");
const rows = [];
const shown = (name, one, millions = "") => [
  name,
  ...(one ? [millions, Math.round(one.ms), (one.read / 1e6).toFixed(1), Math.round(one.rss / 1e6)] : ["", "refused", "", ""]),
];
for (const entries of counts) {
  grow(entries);
  const bytes = `${(statSync(join(folder, "k.pem.log")).size / 1e6).toFixed(1)} MB`;
  cost(...SIGN);
  rows.push(shown(`\`sign --seq next\`, ${entries.toLocaleString("en")} entries, ${bytes}`, cost(...SIGN), counted(...SIGN)));
  for (const form of ["", " --json", " --jsonl"]) {
    const audit = ["audit", "k.pem", ...form.split(" ").slice(1)];
    rows.push(
      shown(`\`audit${form}\`, ${entries.toLocaleString("en")} entries`, cost(...audit), entries <= COUNTED ? counted(...audit) : ""),
    );
  }
}
title("The length of a signing log");
table(["command", "million instructions", "processor ms", "MB read", "MB of memory"], rows);
rmSync(folder, { recursive: true });
