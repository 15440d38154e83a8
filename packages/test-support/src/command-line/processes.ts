// Programs for tests that need many processes: a module of the sources, bundled, which does in one process what would
// take many starts.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { SOURCES } from "../../../../scripts/build/sources.mjs";
import { temporaryFolder } from "../environment/folders.js";
import { randoms } from "../randoms.js";

const root = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

const OPTIONAL = Object.keys(JSON.parse(readFileSync(root("packages/keys/package.json"), "utf8")).peerDependencies);

/**
 * The modules with schemas as the build makes them, which is how they ship: Ajv would compile the schemas in each
 * process, and that takes as long as all else that a signer does.
 */
const compiledSchemas: Plugin = {
  name: "compiled-schemas",
  setup({ onLoad }) {
    onLoad({ filter: /\/packages\/(?:signer\/src\/description|release\/src\/input)\/schema\.ts$/ }, ({ path }) => {
      const built = path.replace("/src/", "/lib/").replace(/ts$/, "js");
      return { contents: readFileSync(built), loader: "js", resolveDir: dirname(built) };
    });
  },
};

/** Bundles TypeScript that imports as the test at `from` does, a URL. Returns the path of the program. */
export async function program(code: string, from: string): Promise<string> {
  const outdir = temporaryFolder("firmseal-worker-");
  await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL(".", from)), loader: "ts", sourcefile: "worker.ts" },
    outdir,
    entryNames: "worker",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // what is imported on demand is in files of its own, which most starts do not read; the clients of key services are
    // left out
    external: OPTIONAL,
    splitting: true,
    minifyWhitespace: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "error",
    plugins: [compiledSchemas],
    // the packages by their sources, as vitest has them
    alias: Object.fromEntries(Object.entries(SOURCES).map(([name, path]) => [name, root(path)])),
    banner: { js: 'import{createRequire as __workerRequire}from"node:module";const require=__workerRequire(import.meta.url);' },
  });
  return join(outdir, "worker.mjs");
}

export interface Worker {
  child: ChildProcess;
  /** Resolves when it has written something to stdout: it is at work. */
  working: Promise<void>;
  /** How it ended: exit code or signal, and its output. */
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
  const working = new Promise<void>((resolve) => child.stdout?.once("data", () => resolve()));
  child.stdout?.on("data", (b: Buffer) => out.push(b));
  child.stderr?.on("data", (b: Buffer) => err.push(b));
  const end = new Promise<Awaited<Worker["end"]>>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) =>
      resolve({ exit, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
  return { child, working, end };
}

/**
 * Keeps `processes` workers running and kills one after the other with SIGKILL, `kills` times: most of them within `at`
 * milliseconds of work, some while they start. `start(i)` starts one. Returns the ends of those that ended by
 * themselves.
 */
export async function massacre(
  kills: number,
  processes: number,
  at: number,
  start: (i: number) => Worker,
): Promise<Awaited<Worker["end"]>[]> {
  const random = randoms(kills + processes);
  const pause = (most: number) => new Promise((done) => setTimeout(done, most * random()));
  const ended: Awaited<Worker["end"]>[] = [];
  let started = 0;
  let killed = 0;
  /** One place, in which a worker is started again and again. */
  async function row(): Promise<void> {
    while (killed++ < kills) {
      const worker = start(started++);
      if (random() < 0.2) await pause(200);
      else {
        await Promise.race([worker.working, worker.end]);
        await pause(at);
      }
      worker.child.kill("SIGKILL");
      const end = await worker.end;
      if (end.signal !== "SIGKILL") ended.push(end);
    }
  }
  await Promise.all(Array.from({ length: processes }, row));
  return ended;
}
