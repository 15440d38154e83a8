// Calls main() of the built command line in this process, as if a process of its own had been started: its arguments,
// environment, folder and descriptors are those of the call, and what it writes to stdout and stderr is collected. A
// start takes ten times as long. Calls wait for each other: a process has one folder and one environment. Tests that
// run beside a call keep their own files and streams.

import { AsyncLocalStorage } from "node:async_hooks";
import fs, { type Stats } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { unwatch, watch } from "../environment/watch.js";
import { type CallOptions, LIMIT, Result } from "./result.js";

interface CommandLine {
  main(argv: readonly string[]): Promise<number>;
  forgetSecrets(): void;
}

/** scripts/build.mjs makes it. */
const BUILT = new URL("../../../cli/node_modules/.cache/firmseal/main.js", import.meta.url);
/** What a pipe gives at once. */
const PIPE_BYTES = 65_536;
const IS_SOCKET = 0o140_777;

type Function_ = (...args: never[]) => unknown;
const table = fs as unknown as { [name: string]: Function_ };
const real = { ...fs };

interface Call {
  stdin: Uint8Array;
  at: number;
  out: Buffer[];
  err: Buffer[];
  /**
   * The descriptors of the call: those that were given, by the number that the command knows, and those that it opened.
   */
  given: Map<number, number>;
  opened: Set<number>;
}

const NAMES = ["openSync", "closeSync", "fsyncSync", "fstatSync", "readSync", "writeSync"] as const;
type Functions = Record<(typeof NAMES)[number], Function_>;

/** What runs in a call, and not beside it. undefined: it has ended. */
const inside = new AsyncLocalStorage<{ functions: Functions | undefined }>();

function fault(code: string, errno: number, syscall: string, what: string): never {
  const message = `${code}: ${what}`;
  throw Object.assign(new Error(message), { code, errno: -errno, syscall });
}

let isInstalled = false;

/** Replaces the functions of node:fs once, for calls alone: to export them again would take as long as a short call. */
function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  for (const name of NAMES) {
    const theirs = real[name] as Function_;
    table[name] = (...args) => (inside.getStore()?.functions?.[name] ?? theirs)(...args);
  }
  syncBuiltinESMExports();
}

/** The functions of node:fs that a call sees instead of the real ones. */
function functionsOf(call: Call): Functions {
  const realOf = (fd: number, syscall: string): number => {
    const mapped = call.given.get(fd);
    if (mapped !== undefined) return mapped;
    // this process has descriptors that a process of its own would not have
    return call.opened.has(fd) ? fd : fault("EBADF", 9, syscall, `bad file descriptor, ${syscall}`);
  };
  const stdinStat = (): Stats => Object.assign(Object.create(fs.Stats.prototype), real.statSync("/"), { mode: IS_SOCKET, size: 0 });
  return {
    openSync(path: fs.PathLike, ...rest: [fs.OpenMode, fs.Mode?]) {
      // a session of its own has no terminal
      if (path === "/dev/tty") fault("ENXIO", 6, "open", "no such device or address, open '/dev/tty'");
      const fd = real.openSync(path, ...rest);
      call.opened.add(fd);
      return fd;
    },
    closeSync(fd: number) {
      const mapped = realOf(fd, "close");
      if (!call.given.delete(fd)) call.opened.delete(fd);
      real.closeSync(mapped);
    },
    // a call of the command line in a test loses no power: only a process of its own waits for the disk
    fsyncSync(fd: number) {
      realOf(fd, "fsync");
    },
    fstatSync(fd: number, options?: fs.StatOptions) {
      return fd === 0 ? stdinStat() : real.fstatSync(realOf(fd, "fstat"), options);
    },
    readSync(fd: number, into: Uint8Array, at = 0, most = into.byteLength - at, position: number | null = null) {
      if (fd !== 0) return real.readSync(realOf(fd, "read"), into, at, most, position);
      const some = call.stdin.subarray(call.at, call.at + Math.min(most, PIPE_BYTES));
      into.set(some, at);
      call.at += some.length;
      return some.length;
    },
    writeSync(fd: number, data: Uint8Array | string, at = 0, ...rest: number[]) {
      if (fd !== 1 && fd !== 2) return (real.writeSync as (...all: unknown[]) => number)(realOf(fd, "write"), data, at, ...rest);
      const bytes = Buffer.from(typeof data === "string" ? data : data.subarray(at, rest[0] === undefined ? undefined : at + rest[0]));
      (fd === 1 ? call.out : call.err).push(bytes);
      return bytes.length;
    },
  };
}

/** Streams of this process as the call sees them: `write` and whether they are a terminal. Returns what undoes it. */
function replaceStream(stream: NodeJS.WriteStream, into: Buffer[], columns: number | undefined): () => void {
  const theirs = stream.write as (...args: unknown[]) => boolean;
  const write = (data: Uint8Array | string, ...rest: unknown[]) => {
    if (inside.getStore()?.functions === undefined) return theirs.call(stream, data, ...rest);
    into.push(Buffer.from(data as string));
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
  const before = ["write", "isTTY", "columns"].map((name) => [name, Object.getOwnPropertyDescriptor(stream, name)] as const);
  const set = (name: string, value: unknown) => Object.defineProperty(stream, name, { value, configurable: true, writable: true });
  set("write", write);
  set("isTTY", columns !== undefined);
  set("columns", columns);
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(stream, name, descriptor);
      else delete (stream as unknown as { [name: string]: unknown })[name];
    }
  };
}

/** Returns what undoes it. */
function replaceEnvironment(env: { [name: string]: string }): () => void {
  const before = Object.keys(process.env).map((name) => [name, process.env[name]] as const);
  for (const [name] of before) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  return () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    for (const [name, value] of before) process.env[name] = value;
  };
}

/** A process gets its arguments as UTF-8. */
const asBytes = (text: string) => Buffer.from(text, "utf8").toString("utf8");

async function callNow(
  args: readonly string[],
  env: { [name: string]: string },
  opened: readonly number[],
  o: CallOptions,
): Promise<Result> {
  const { main, forgetSecrets } = (await import(/* @vite-ignore */ BUILT.href)) as CommandLine;
  const call: Call = {
    stdin: Buffer.from(o.input ?? ""),
    at: 0,
    out: [],
    err: [],
    given: new Map(opened.map((fd, i) => [i + 3, fd])),
    opened: new Set(),
  };
  const home = process.cwd();
  const warningListeners = process.rawListeners("warning");
  const { exitCode } = process;
  const streams = [replaceStream(process.stdout, call.out, o.columns), replaceStream(process.stderr, call.err, o.columns)];
  const seen: ReturnType<typeof inside.getStore> = { functions: functionsOf(call) };
  if (o.cwd !== undefined) process.chdir(o.cwd);
  const restoreEnvironment = replaceEnvironment(env);
  forgetSecrets();
  watch(o.limit ?? LIMIT);
  install();
  try {
    const exit = await inside.run(seen, async () => {
      const code = await main(args.map(asBytes));
      // handlers of signals go with the next turn
      await new Promise(setImmediate);
      return code;
    });
    return new Result(args, exit, null, Buffer.concat(call.out), Buffer.concat(call.err).toString("utf8"));
  } finally {
    unwatch();
    seen.functions = undefined;
    for (const undo of streams) undo();
    forgetSecrets();
    restoreEnvironment();
    process.chdir(home);
    process.exitCode = exitCode;
    process.removeAllListeners("warning");
    for (const listener of warningListeners) process.on("warning", listener as (warning: Error) => void);
    // as the end of a process would
    for (const fd of [...call.given.values(), ...call.opened]) real.closeSync(fd);
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Runs `firmseal ARGS`. `opened`: the descriptors from 3 on, which are closed here. */
export function call(args: readonly string[], env: { [name: string]: string }, opened: readonly number[], o: CallOptions): Promise<Result> {
  const result = last.then(() => callNow(args, env, opened, o));
  last = result.catch(() => {});
  return result;
}
