// A folder that a command line cannot leave. The functions of node:fs are those of the process, but paths that lead out
// of the folder find nothing. Standard input is given, output is collected, no program is started. What is written is
// not synced: it is gone the next time.

import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const BASE = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const folder = fs.realpathSync(fs.mkdtempSync(join(BASE, "firmseal-fuzz-cli-")));
const { readFileSync, rmSync, mkdirSync, writeFileSync, readdirSync } = fs;
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** What else may be read: modules that are loaded late, and the files that identify this process. */
const READABLE =
  /[\\/]node_modules[\\/]|^\/proc\/(self|\d+)\/(stat|status|ns\/\w+)$|^\/proc\/sys\/kernel\/random\/boot_id$|^\/etc\/machine-id$/;
const WRITES = /[wa+x]/;

const BY_PATH = [
  "readFileSync",
  "statSync",
  "lstatSync",
  "realpathSync",
  "readdirSync",
  "existsSync",
  "accessSync",
  "readlinkSync",
] as const;
const BY_PATH_TO_WRITE = [
  "writeFileSync",
  "appendFileSync",
  "mkdirSync",
  "unlinkSync",
  "rmSync",
  "rmdirSync",
  "chmodSync",
  "truncateSync",
  "utimesSync",
  "mkdtempSync",
] as const;
const BY_TWO_PATHS = ["renameSync", "linkSync", "symlinkSync", "copyFileSync"] as const;
const BY_DESCRIPTOR = ["closeSync", "fstatSync", "ftruncateSync", "readSync", "writeSync", "fchmodSync"] as const;

type Any = (...args: unknown[]) => unknown;
const table = fs as unknown as { [name: string]: Any };

function fault(code: string, errno: number, path: unknown): never {
  throw Object.assign(new Error(`${code}: ${String(path)}`), { code, errno: -errno, syscall: "open", path });
}

function inside(path: unknown): boolean {
  if (typeof path !== "string") return path instanceof URL ? inside(fileURLToPath(path)) : true;
  if (path.includes("\0")) return true;
  const full = resolve(path);
  return full === folder || full.startsWith(folder + sep);
}

const readable = (path: unknown) => typeof path === "string" && READABLE.test(path);

interface Run {
  stdin: Uint8Array;
  at: number;
  out: number;
  err: string;
}

let run: Run = { stdin: new Uint8Array(0), at: 0, out: 0, err: "" };

/** The functions of node:fs while a command runs, and as they are otherwise. */
function guarded(): { [name: string]: Any } {
  const mine = new Set<number>();
  const out: { [name: string]: Any } = {};
  const checked = (path: unknown, write: boolean) => {
    if (!inside(path) && (write || !readable(path))) fault("ENOENT", 2, path);
  };
  for (const name of BY_PATH) {
    const real = table[name] as Any;
    out[name] = (path, ...rest) => {
      if (name === "readFileSync" && path === 0) return Buffer.from(run.stdin);
      if (typeof path === "number" && !mine.has(path)) return fault("EBADF", 9, path);
      if (name === "existsSync" && !inside(path) && !readable(path)) return false;
      const quiet = (rest[0] as { throwIfNoEntry?: boolean } | undefined)?.throwIfNoEntry === false;
      if (quiet && !inside(path) && !readable(path)) return undefined;
      checked(path, false);
      return real(path, ...rest);
    };
  }
  for (const name of BY_PATH_TO_WRITE) {
    const real = table[name] as Any;
    out[name] = (path, ...rest) => {
      if (typeof path !== "number") checked(path, true);
      return real(path, ...rest);
    };
  }
  for (const name of BY_TWO_PATHS) {
    const real = table[name] as Any;
    out[name] = (from, to, ...rest) => {
      checked(from, true);
      checked(to, true);
      return real(from, to, ...rest);
    };
  }
  const open = fs.openSync as unknown as Any;
  out["openSync"] = (path, flags, ...rest) => {
    const writes = typeof flags === "string" ? WRITES.test(flags) : (Number(flags ?? 0) & 3) !== 0;
    checked(path, writes);
    const fd = open(path, flags, ...rest) as number;
    mine.add(fd);
    return fd;
  };
  for (const name of BY_DESCRIPTOR) {
    const real = table[name] as Any;
    out[name] = (fd, ...rest) => {
      if (name === "writeSync" && (fd === 1 || fd === 2)) {
        const [data, at = 0] = rest as [Uint8Array | string, number?];
        const part = typeof data === "string" ? Buffer.from(data) : data.subarray(at);
        run.out += part.length;
        if (fd === 2 && run.err.length < 10_000) run.err += Buffer.from(part).toString("utf8");
        return part.length;
      }
      if (name === "readSync" && fd === 0) {
        const [into, at = 0, n = into.length] = rest as [Uint8Array, number?, number?];
        const some = run.stdin.subarray(run.at, run.at + n);
        into.set(some, at);
        run.at += some.length;
        return some.length;
      }
      if (fd !== 0 && !mine.has(fd as number)) fault("EBADF", 9, fd);
      if (name === "closeSync") mine.delete(fd as number);
      return real(fd, ...rest);
    };
  }
  for (const name of ["fsyncSync", "fdatasyncSync"]) out[name] = () => undefined;
  return out;
}

/** The error of the system for a program that does not exist. */
const spawn = () => fault("ENOENT", 2, "spawn");

export interface Outcome<T> {
  value: T;
  /** The beginning of stderr, and the bytes written to stdout and stderr. */
  err: string;
  out: number;
  /** Files that are there afterwards, by name, and those that were there and are not as they were. */
  files: string[];
  changed: string[];
}

/** Runs `work` in the folder with `files`, and with `stdin`. */
export async function sandboxed<T>(files: ReadonlyMap<string, Uint8Array>, stdin: Uint8Array, work: () => Promise<T>): Promise<Outcome<T>> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "state"), { recursive: true });
  for (const [name, content] of files) writeFileSync(join(folder, name), content, { mode: 0o600 });
  const home = process.cwd();
  const env = { ...process.env };
  const others = { spawn: childProcess.spawn, out: process.stdout.write, err: process.stderr.write };
  run = { stdin, at: 0, out: 0, err: "" };
  const ours = guarded();
  const real = Object.fromEntries(Object.keys(ours).map((name) => [name, table[name] as Any]));
  process.chdir(folder);
  Object.assign(process.env, { FIRMSEAL_STATE: join(folder, "state"), PASS: "correct horse", NO_COLOR: "1" });
  Object.assign(table, ours);
  Object.assign(childProcess, { spawn });
  const count = (text: string | Uint8Array) => {
    run.out += text.length;
    return true;
  };
  Object.assign(process.stdout, { write: count });
  Object.assign(process.stderr, { write: count });
  syncBuiltinESMExports();
  try {
    const value = await work();
    Object.assign(table, real);
    const left = readdirSync(folder);
    const changed = [...files]
      .filter(([name, content]) => !left.includes(name) || !readFileSync(join(folder, name)).equals(content))
      .map(([name]) => name);
    return { value, err: run.err, out: run.out, files: left, changed };
  } finally {
    Object.assign(table, real);
    Object.assign(childProcess, { spawn: others.spawn });
    Object.assign(process.stdout, { write: others.out });
    Object.assign(process.stderr, { write: others.err });
    syncBuiltinESMExports();
    process.chdir(home);
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  }
}
