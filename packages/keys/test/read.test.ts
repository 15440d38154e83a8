// Files that come, go and are replaced while they are read: the attempt to open a file decides, and no look before it.

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { privateKey, publicOf } from "@firmseal/signer";
import { afterEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { Failure } from "../src/errors/failure.js";
import { readIfThere, readOwn } from "../src/files/read.js";
import { keyName, signingLogPath } from "../src/recording/places.js";
import { LastSeen } from "../src/signing-log/last-seen.js";
import { readLog, readLogIfThere } from "../src/signing-log/log-file.js";

afterEach(() => void vi.unstubAllEnvs());

/** Runs `step` in another thread, again and again, while `work` runs `rounds` times. */
async function meanwhile(step: string, rounds: number, work: () => void): Promise<void> {
  const going = new Int32Array(new SharedArrayBuffer(4));
  const code = `const fs = require("node:fs"); const going = require("node:worker_threads").workerData;
    while (!Atomics.load(going, 0)) { ${step} }`;
  const worker = new Worker(code, { eval: true, workerData: going });
  try {
    await new Promise((resolve) => worker.once("online", resolve));
    for (let i = 0; i < rounds; i++) work();
  } finally {
    Atomics.store(going, 0, 1);
    await worker.terminate();
  }
}

const text = (path: string) => JSON.stringify(path);

describe("a file that may be missing", () => {
  it("is undefined where nothing has its name, and a fault where it cannot be looked for", () => {
    const folder = temporaryFolder("firmseal-read-");
    writeFileSync(join(folder, "file"), "content");
    symlinkSync("nowhere", join(folder, "dangling"));
    symlinkSync("loop", join(folder, "loop"));
    expect(Buffer.from(readIfThere(join(folder, "file"), 100) ?? []).toString()).toBe("content");
    for (const name of ["none", "none/file", "file/inside", "dangling"]) expect(readIfThere(join(folder, name), 100), name).toBeUndefined();
    for (const name of ["loop", "loop/file"]) expect(() => readIfThere(join(folder, name), 100), name).toThrow(Failure);
    expect(() => readIfThere(folder, 100)).toThrow("is a folder");
    expect(() => readIfThere(join(folder, "file"), 6)).toThrow("is too large");
  });

  it("is there or not while it comes and goes, as a log too", async () => {
    const folder = temporaryFolder("firmseal-read-");
    const [path, source] = [join(folder, "k.log"), join(folder, "source")];
    writeFileSync(source, "x\n");
    const seen = new Set<unknown>();
    await meanwhile(`fs.linkSync(${text(source)}, ${text(path)}); fs.unlinkSync(${text(path)});`, 5_000, () => {
      seen.add(readIfThere(path, 100)?.length ?? 0);
      seen.add(2 * (readLogIfThere(path)?.lines ?? 0));
      expect(readLog(path).entries).toEqual([]);
    });
    for (const one of seen) expect([0, 2]).toContain(one);
  });
});

describe("a file of our own", () => {
  it("is a regular file of at most that length, and no link", () => {
    const folder = temporaryFolder("firmseal-read-");
    const at = (name: string) => join(folder, name);
    writeFileSync(at("file"), "content");
    writeFileSync(at("empty"), "");
    mkdirSync(at("folder"));
    symlinkSync("file", at("link"));
    symlinkSync("nowhere", at("dangling"));
    expect(Buffer.from(readOwn(at("file"), 7) as Uint8Array).toString()).toBe("content");
    expect(readOwn(at("empty"), 7)).toHaveLength(0);
    expect(readOwn(at("none"), 7)).toBe("missing");
    expect(readOwn(at("file/inside"), 7)).toBe("missing");
    expect(readOwn(at("file"), 6)).toBe("damaged");
    for (const name of ["folder", "link", "dangling"]) expect(readOwn(at(name), 7), name).toBe("damaged");
  });

  it("is never read through a link that takes its place meanwhile", async () => {
    const folder = temporaryFolder("firmseal-read-");
    const [path, other, own, link] = ["mark", "other", "own", "link"].map((name) => join(folder, name)) as [string, string, string, string];
    writeFileSync(other, "of another key");
    writeFileSync(path, "of this key");
    const step = `fs.symlinkSync("other", ${text(link)}); fs.renameSync(${text(link)}, ${text(path)});
      fs.writeFileSync(${text(own)}, "of this key"); fs.renameSync(${text(own)}, ${text(path)});`;
    const seen = new Set<string>();
    await meanwhile(step, 5_000, () => {
      const found = readOwn(path, 100);
      seen.add(typeof found === "string" ? found : Buffer.from(found).toString());
    });
    for (const one of seen) expect(["of this key", "damaged"]).toContain(one);
  });

  it("is missing or not while it comes and goes, as a last-seen mark too", async () => {
    vi.stubEnv("FIRMSEAL_STATE", temporaryFolder("firmseal-read-"));
    const mark = new LastSeen("ab".repeat(32), "leaves");
    const seen = new Set<unknown>();
    const step = `fs.writeFileSync(${text(mark.file)}, "x"); fs.rmSync(${text(mark.file)}, { force: true });`;
    await meanwhile(step, 5_000, () => void seen.add(mark.look()));
    for (const one of seen) expect(["missing", "damaged"]).toContain(one);
  });
});

it("a log beside the key that cannot be looked for does not make the key continue in another log", () => {
  const [folder, state] = [temporaryFolder("firmseal-read-"), temporaryFolder("firmseal-read-")];
  vi.stubEnv("FIRMSEAL_STATE", state);
  const file = join(folder, "k.pem");
  writeFileSync(file, "");
  const key = publicOf(privateKey("ed25519", new Uint8Array(32).fill(7)));
  const inState = join(state, `${keyName(key)}.log`);
  writeFileSync(inState, "");
  const opened = { name: file, file, public: key };
  expect(signingLogPath(opened, undefined)).toBe(inState);
  symlinkSync("k.pem.log", join(folder, "k.pem.log"));
  expect(() => signingLogPath(opened, undefined)).toThrow(Failure);
  renameSync(inState, join(folder, "moved"));
  rmSync(join(folder, "k.pem.log"));
  expect(signingLogPath(opened, undefined)).toBe(join(folder, "k.pem.log"));
});
