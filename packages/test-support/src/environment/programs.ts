import { execFileSync, spawnSync } from "node:child_process";

/** Whether a program can be started. `args`: those with which it ends at once; default: `--version`. */
export const hasProgram = (name: string, ...args: string[]): boolean =>
  spawnSync(name, args.length > 0 ? args : ["--version"]).error === undefined;

/** Runs openssl, and returns what it writes to stdout. Throws with what it writes to stderr if it fails. */
export const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
