import { spawnSync } from "node:child_process";

/** Whether a program can be started. `args`: those with which it ends at once; default: `--version`. */
export const hasProgram = (name: string, ...args: string[]): boolean =>
  spawnSync(name, args.length > 0 ? args : ["--version"]).error === undefined;
