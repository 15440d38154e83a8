// Starts the built command line, the way a shell does: no terminal, an environment with nothing in it.

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LIMIT, type ProcessOptions, Result, type RunOptions } from "./result.js";

const packages = fileURLToPath(new URL("../../../", import.meta.url));
export const main = join(packages, "cli/dist/main.js");
export const bin = join(packages, "cli/bin/firmseal.js");

/** What Node and the dynamic linker read when a process starts. */
const READ_AT_START = /^(NODE|LD|UV|SSL)_/;

/** Whether these options need a process of their own. */
export function needsProcess(o: RunOptions): boolean {
  const { program, uid, stdout, stderr, started, through, openStdin }: ProcessOptions = o;
  if (program) return true;
  if ([uid, stdout, stderr, started, through, openStdin].some((option) => option !== undefined)) return true;
  return Object.keys(o.env ?? {}).some((name) => READ_AT_START.test(name));
}

/** Runs `firmseal ARGS`. `opened`: the descriptors from 3 on, which are closed here. */
export function start(args: readonly string[], env: { [name: string]: string }, opened: readonly number[], o: RunOptions): Promise<Result> {
  const [command, ...rest] = [...(o.through ?? []), process.execPath, bin, ...args] as [string, ...string[]];
  const outputs = [o.stdout, o.stderr].map((path) => (path === undefined ? ("pipe" as const) : openSync(path, "w")));
  const child = spawn(command, rest, {
    cwd: o.cwd,
    env,
    stdio: ["pipe", ...outputs, ...opened],
    // a session of its own, so that it has no /dev/tty
    detached: true,
    ...(o.uid !== undefined && { uid: o.uid, gid: o.uid }),
  });
  for (const fd of [...opened, ...outputs]) if (typeof fd === "number") closeSync(fd);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (b: Buffer) => out.push(b));
  child.stderr?.on("data", (b: Buffer) => err.push(b));
  // a program that does not read its input closes it
  child.stdin?.on("error", () => {});
  if (!o.openStdin) child.stdin?.end(o.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), o.limit ?? LIMIT);
  if (child.pid !== undefined) o.started?.(child.pid);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) => {
      clearTimeout(timer);
      resolve(new Result(args, exit, signal, Buffer.concat(out), Buffer.concat(err).toString("utf8")));
    });
  });
}
