// A release of 20 boards with images of 2 MB: on one processor and on two, and beside other signers that sign the same
// images one by one. Each of them does less: none records what a key signed, runs the release as devices do, or
// simulates power cuts.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, environment, median, table, title } from "./lib.mjs";

const BOARDS = Number(process.argv[3] ?? 20);
const BYTES = 2_000_000;
const ROUNDS = Number(process.argv[2] ?? 5);

const folder = mkdtempSync(join(tmpdir(), "firmseal-release-"));
const env = { ...environment(join(folder, "state")), COSIGN_PASSWORD: "" };
const names = Array.from({ length: BOARDS }, (_, i) => `board-${i + 1}`);

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? stderr}`);
}

const isThere = (command) => spawnSync("which", [command]).status === 0;

/** What is removed before each run. */
const clear = (...paths) => {
  for (const path of paths) rmSync(join(folder, path), { recursive: true, force: true });
};

function prepare() {
  mkdirSync(join(folder, "build"));
  for (const name of names) writeFileSync(join(folder, `build/${name}.bin`), randomBytes(BYTES));
  const boards = names.map(
    (name) => `[boards.${name}]\nimage = "build/${name}.bin"\nuri = "https://fw.example.com/{version}/{board}.bin"\n`,
  );
  const product = `name = "p"\nvendor = "example.com"\n\n[keys]\nrelease = "key.pem"\n\n${boards.join("\n")}`;
  writeFileSync(join(folder, "firmseal.toml"), product);
  run(process.execPath, [CLI, "keygen", "--out", "key.pem", "--no-passphrase"]);
}

const release = (processors) => () => {
  clear("dist", "key.pem.log", "state");
  run("taskset", ["-c", processors, process.execPath, CLI, "release", "--version", "1.0.0", "--first"]);
};

/** By name: what is done once, and what is timed. */
const others = {
  "minisign -S, one by one": {
    needs: ["minisign"],
    before: () => run("minisign", ["-G", "-W", "-p", "mini.pub", "-s", "mini.key"]),
    time: () => {
      for (const name of names) run("minisign", ["-S", "-s", "mini.key", "-m", `build/${name}.bin`, "-x", `${name}.minisig`]);
    },
  },
  "cosign sign-blob, one by one": {
    needs: ["cosign"],
    before: () => run("cosign", ["generate-key-pair"]),
    time: () => {
      for (const name of names)
        run("cosign", [
          "sign-blob",
          "--key",
          "cosign.key",
          "--tlog-upload=false",
          "--yes",
          "--output-signature",
          `${name}.sig`,
          `build/${name}.bin`,
        ]);
    },
  },
  "rauc bundle, one by one": {
    needs: ["rauc", "mksquashfs", "openssl"],
    before: () => {
      const subject = ["-subj", "/CN=bench", "-days", "3650", "-nodes", "-keyout", "rauc.key", "-out", "rauc.crt"];
      run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", ...subject]);
      for (const name of names) {
        mkdirSync(join(folder, `rauc-${name}`));
        run("cp", [`build/${name}.bin`, `rauc-${name}/image.img`]);
        const manifest = `[update]\ncompatible=${name}\nversion=1.0.0\n\n[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=image.img\n`;
        writeFileSync(join(folder, `rauc-${name}/manifest.raucm`), manifest);
      }
    },
    time: () => {
      clear(...names.map((name) => `${name}.raucb`));
      for (const name of names) run("rauc", ["bundle", "--cert=rauc.crt", "--key=rauc.key", `rauc-${name}`, `${name}.raucb`]);
    },
  },
};

try {
  prepare();
  const tasks = { "firmseal release, one processor": release("0"), "firmseal release, two processors": release("0,1") };
  for (const [name, { needs, before, time }] of Object.entries(others)) {
    const missing = needs.filter((command) => !isThere(command));
    if (missing.length > 0) {
      console.error(`without ${name}: ${missing.join(", ")} is missing`);
      continue;
    }
    before();
    tasks[name] = time;
  }
  const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, task] of Object.entries(tasks)) {
      const start = performance.now();
      task();
      seen[name].push((performance.now() - start) / 1000);
    }
  const [one] = Object.values(seen);
  title(`A release of ${BOARDS} boards with images of ${BYTES / 1e6} MB`);
  if (cpus().length < 2) console.log("This machine has one processor.\n");
  table(
    ["command", "s, median", "s, least", "against one processor"],
    Object.entries(seen).map(([name, values]) => [
      name,
      median(values),
      Math.min(...values),
      `${(median(one) / median(values)).toFixed(2)} ×`,
    ]),
  );
} finally {
  rmSync(folder, { recursive: true });
}
