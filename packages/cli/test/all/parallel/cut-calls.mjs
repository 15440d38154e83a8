// What a process leaves behind that is killed at a call that changes a file: before the call, or in the middle of it
// where it writes. As `--import` of a program: with CUT_AT=N it kills itself at the Nth such call; with CUT_KEEP=FOLDER
// it goes on, and FOLDER/N has copies of the folders CUT_OF (with ":" between them) as they are at the Nth call, which
// is what a kill there would leave. CUT_TORN: whether odd (1), even (0) or all (2) writes are cut in the middle.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const { copyFileSync, linkSync, mkdirSync, readdirSync, statSync, utimesSync } = fs;

/** Copies what is in a folder. Names of one file stay names of one file. */
export function copyFolder(from, to, seen = new Map()) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      copyFolder(source, target, seen);
      continue;
    }
    const { ino, atime, mtime } = statSync(source);
    const first = seen.get(ino);
    if (first) linkSync(first, target);
    else {
      copyFileSync(source, target);
      utimesSync(target, atime, mtime);
      seen.set(ino, target);
    }
  }
}

const { CUT_AT, CUT_KEEP, CUT_OF = "", CUT_TORN } = process.env;

if (CUT_AT !== undefined || CUT_KEEP !== undefined) {
  let calls = 0;
  const cut = () => {
    if (CUT_KEEP !== undefined) {
      for (const [i, folder] of CUT_OF.split(":").entries()) copyFolder(folder, join(CUT_KEEP, `${calls}`, `${i}`));
      return;
    }
    process.kill(process.pid, "SIGKILL");
    for (;;);
  };
  for (const name of [
    "openSync",
    "writeSync",
    "fsyncSync",
    "ftruncateSync",
    "linkSync",
    "renameSync",
    "unlinkSync",
    "rmSync",
    "mkdirSync",
  ]) {
    const real = fs[name];
    fs[name] = (...args) => {
      const changes = name !== "openSync" || (args[1] !== undefined && args[1] !== "r" && (args[1] === "wx" || (args[1] & 3) !== 0));
      if (!changes) return real(...args);
      calls++;
      if (CUT_KEEP === undefined && calls !== Number(CUT_AT)) return real(...args);
      if (name === "writeSync" && (CUT_TORN === "2" || CUT_TORN === `${calls % 2}`)) {
        const [fd, bytes, from = 0, n = bytes.length - from, at] = args;
        const half = Math.ceil(n / 2);
        real(fd, bytes, from, half, at);
        cut();
        return half + real(fd, bytes, from + half, n - half, typeof at === "number" ? at + half : at);
      }
      cut();
      return real(...args);
    };
  }
  syncBuiltinESMExports();
}
