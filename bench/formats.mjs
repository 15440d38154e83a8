// Whole processes that sign a file of 2 MB in the format of another tool, beside that tool: imgtool (IMGTOOL=),
// espsecure and minisign of Debian. They run in turn, and the ratio is that of the medians. Wall-clock milliseconds.
//
//   IMGTOOL=/path/to/imgtool node bench/formats.mjs [ROUNDS]

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, environment, median, table, title } from "./lib.mjs";

const rounds = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), "firmseal-formats-"));
const env = environment(join(folder, "machine"));
const imgtool = process.env["IMGTOOL"];
const SIZE = 2_000_000;

/** Runs a program. Returns milliseconds; undefined if it is not installed. */
function run(program, ...args) {
  const start = performance.now();
  const { status, error, stderr } = spawnSync(program, args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  const ms = performance.now() - start;
  if (error?.code === "ENOENT") return undefined;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return ms;
}
const firmseal = (...args) => run(process.execPath, CLI, ...args);

/** An app image of an ESP32-H2, which verifies P-256. */
function espImage() {
  const header = Buffer.from("e901022000003840ee00000010000000008f0100000000010000003c", "hex");
  const data = Buffer.alloc(SIZE, 5);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  const body = Buffer.concat([header, length, data]);
  const padded = Buffer.alloc(body.length - (body.length % 16) + 16);
  padded.set(body);
  padded[padded.length - 1] = data.reduce((sum, byte) => sum ^ byte, 0xef);
  return Buffer.concat([padded, createHash("sha256").update(padded).digest()]);
}

const FACTS = ["--vendor", "example.com", "--class", "a"];
const IMAGE = ["--version", "1.4.2", "--header-size", "0x200", "--pad-header", "--slot-size", "0x300000"];
const ROWS = [
  [
    "MCUboot, P-256",
    () => firmseal("sign", "app.bin", "--format", "mcuboot", "--key", "boot.pem", ...FACTS, ...IMAGE, "--replace", "--out", "a"),
    "imgtool",
    () => imgtool && run(imgtool, "sign", "-k", "boot.pem", "-v", "1.4.2", "-H", "0x200", "--pad-header", "-S", "0x300000", "app.bin", "b"),
  ],
  [
    "ESP32-H2, P-256",
    () => firmseal("sign", "esp.bin", "--format", "esp32", "--key", "boot.pem", ...FACTS, "--replace", "--out", "a"),
    "espsecure",
    () => run("espsecure", "sign_data", "-v", "2", "-k", "boot.pem", "-o", "b", "esp.bin"),
  ],
  [
    "minisign",
    () => {
      rmSync(join(folder, "a"), { force: true });
      return firmseal("sign", "app.bin", "--format", "minisign", "--key", "files.pem", "--out", "a");
    },
    "minisign",
    () => run("minisign", "-S", "-W", "-s", "m.key", "-m", "app.bin", "-x", "b"),
  ],
];

try {
  writeFileSync(join(folder, "app.bin"), Buffer.alloc(SIZE, 7));
  writeFileSync(join(folder, "esp.bin"), espImage());
  firmseal("keygen", "--alg", "es256", "--no-passphrase", "--out", "boot.pem");
  firmseal("keygen", "--no-passphrase", "--out", "files.pem");
  run("minisign", "-G", "-W", "-s", "m.key", "-p", "m.pub");
  chmodSync(join(folder, "boot.pem"), 0o600);
  const rows = ROWS.map(([name, ours, tool, theirs]) => {
    const times = [[], []];
    for (let i = 0; i <= rounds; i++)
      for (const [which, one] of [ours, theirs].entries()) {
        const ms = one();
        // the first round warms the caches of files
        if (i > 0 && ms !== undefined) times[which].push(ms);
      }
    const [a, b] = times.map((all) => (all.length > 0 ? median(all) : undefined));
    return [name, Math.round(a), tool, b === undefined ? "not installed" : Math.round(b), b === undefined ? "" : `${(a / b).toFixed(1)} ×`];
  });
  title("Signing for other tools, 2 MB");
  table(["format", "firmseal ms", "tool", "ms", "ratio"], rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
