// Programs for tests that need many processes: a module of the sources, bundled, which does in one process what would take many starts.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const src = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Bundles TypeScript that imports "../src/…" as a test does. Returns the path of the program. */
export async function program(code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-worker-"));
  folders.push(folder);
  const outfile = join(folder, "worker.mjs");
  await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "error",
    // the packages by their sources, as vitest has them
    alias: {
      "@firmseal/verifier/spec": src("verifier/src/spec/index.ts"),
      "@firmseal/verifier/names": src("verifier/src/spec/names.ts"),
      "@firmseal/verifier": src("verifier/src"),
      "@firmseal/signer": src("signer/src"),
    },
    banner: { js: 'import{createRequire as __require}from"node:module";const require=__require(import.meta.url);' },
  });
  return outfile;
}

export interface Worker {
  child: ChildProcess;
  /** How it ended: exit code or signal, and what it said. */
  end: Promise<{ exit: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

export function startWorker(path: string, args: readonly string[], env: { [name: string]: string } = {}, cwd?: string): Worker {
  const child = spawn(process.execPath, [path, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (b: Buffer) => out.push(b));
  child.stderr?.on("data", (b: Buffer) => err.push(b));
  const end = new Promise<Awaited<Worker["end"]>>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) =>
      resolve({ exit, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
  return { child, end };
}

/** A fixed row of numbers in [0, 1), so that a failure comes again. */
export function randoms(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}

/**
 * Keeps `processes` workers running and kills a random one with SIGKILL, `kills` times. `start(i)` starts one. Returns the ends of those
 * that ended by themselves meanwhile.
 */
export async function massacre(
  kills: number,
  processes: number,
  pause: (random: number) => number,
  start: (i: number) => Worker,
): Promise<Awaited<Worker["end"]>[]> {
  const random = randoms(kills + processes);
  let started = 0;
  const ended: Awaited<Worker["end"]>[] = [];
  const alive: Worker[] = [];
  const more = () => {
    const worker = start(started++);
    alive.push(worker);
    void worker.end.then((end) => {
      if (end.signal !== "SIGKILL") ended.push(end);
    });
  };
  for (let i = 0; i < processes; i++) more();
  for (let i = 0; i < kills; i++) {
    await new Promise((done) => setTimeout(done, pause(random())));
    const [victim] = alive.splice(Math.floor(random() * alive.length), 1);
    victim?.child.kill("SIGKILL");
    more();
  }
  for (const worker of alive) worker.child.kill("SIGKILL");
  await Promise.all(alive.map((w) => w.end));
  return ended;
}
