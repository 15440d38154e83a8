// Hashing of a large payload by the command line, against openssl. `--size MB`: the size, if not 1,000 MB. The file is
// sparse: what is measured is reading and hashing, and both read the same zeros out of the page cache.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, environment, median, table, title } from "./lib.mjs";

const at = process.argv.indexOf("--size");
const megabytes = at > 0 ? Number(process.argv[at + 1]) : 1000;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), "firmseal-hash-"));

function run(command, args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, {
    cwd: folder,
    env: environment(join(folder, "state")),
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return (performance.now() - start) / 1000;
}

try {
  const firmseal = (...args) => run(process.execPath, [CLI, ...args]);
  writeFileSync(join(folder, "image.bin"), "");
  truncateSync(join(folder, "image.bin"), megabytes * 1e6);
  firmseal("keygen", "--out", "key.pem", "--no-passphrase");
  const sign = (out) =>
    firmseal(
      "sign",
      "image.bin",
      "--key",
      "key.pem",
      "--uri",
      "image.bin",
      "--vendor",
      "example.com",
      "--class",
      "a",
      "--seq",
      "1",
      "--out",
      out,
    );
  sign("image.suit");

  // what node can do at most: its own OpenSSL, nothing else loaded
  const bare = `const fs=require("fs"),h=require("crypto").createHash("sha256"),b=Buffer.alloc(1<<20),f=fs.openSync("image.bin");
    for(let n;(n=fs.readSync(f,b))>0;)h.update(b.subarray(0,n));h.digest()`;
  const tasks = {
    "openssl dgst -sha256": () => run("openssl", ["dgst", "-sha256", "image.bin"]),
    "node:crypto in a bare process": () => run(process.execPath, ["-e", bare]),
    "firmseal sign --uri": () => sign("again.suit"),
    "firmseal verify --payload": () => firmseal("verify", "image.suit", "--key", "key.pem", "--payload", "image.bin"),
  };
  const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) for (const [name, task] of Object.entries(tasks)) seen[name].push(task());
  const base = median(seen["openssl dgst -sha256"]);
  title(`SHA-256 of ${megabytes.toLocaleString("en")} MB by the command line, start included`);
  console.log(`${execFileSync("openssl", ["version"], { encoding: "utf8" }).trim()}; node has OpenSSL ${process.versions.openssl}\n`);
  table(
    ["command", "MB/s", "against openssl"],
    Object.entries(seen).map(([name, values]) => [name, megabytes / median(values), `${(base / median(values)).toFixed(2)} ×`]),
  );
} finally {
  rmSync(folder, { recursive: true });
}
