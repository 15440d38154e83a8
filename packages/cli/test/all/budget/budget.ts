// What hostile input may cost. A row of the table (rows/) is a command and a generator of its input; it is run at 1, 2 and 4 times
// the size, and neither time nor memory may grow faster than the input, nor go above a bound.

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main, type Place, standard, stateOf } from "../../../../test-support/src/command-line/run.js";

export interface Row {
  name: string;
  /**
   * Makes the input of `n` units, and returns the arguments of the command. `tag` names files, because those of all
   * sizes are in one folder.
   */
  args(place: Place, n: number, tag: string): readonly string[] | Promise<readonly string[]>;
  /** Units at 1×: as many as make what is not linear stand out. */
  units: number;
  /** Units with FIRMSEAL_LONG=1. Default: 8 times as many. */
  long?: number;
  /** Exit codes that are right. */
  exit: readonly number[];
  /** Its own bound for the peak of memory, where what it is about is held whole. */
  megabytes?: number;
}

/** Processor time and peak of memory that one command may take, whatever its input is. */
export const SECONDS = 3;
export const MEGABYTES = 640;

/** Below these nothing is judged: the machine has other work, and memory is given back when it suits the engine. */
const SLACK_SECONDS = 0.3;
const SLACK_MEGABYTES = 96;
/** What is linear takes 4 times as long for 4 times the input, what is quadratic 16 times: in the middle between them. */
const FACTOR = 2;

interface Run {
  cwd: string;
  state: string;
  args: readonly string[];
}

interface Cost {
  exit: number;
  seconds: number;
  megabytes: number;
  stderr: string;
}

/** A row with its input made. */
interface Prepared {
  row: Row;
  sizes: readonly number[];
  runs: Run[];
}

/** What became of a row. `died`: how its process ended, where it did before its time. */
export interface Measured {
  costs: Cost[];
  died?: string;
}

export async function prepare(row: Row, sizes: readonly number[], units: number): Promise<Prepared> {
  const place = standard();
  const runs: Run[] = [];
  for (const times of sizes)
    runs.push({ cwd: place.path, state: stateOf(place.path), args: await row.args(place, units * times, `x${times}`) });
  return { row, sizes, runs };
}

/** Runs rows in sequence in one process. If that dies, the row at work reports it, and later rows have no costs. */
export function measure(rows: readonly Prepared[], stdin: string, limit: number): Promise<Measured[]> {
  const child = fileURLToPath(new URL("budget-child.mjs", import.meta.url));
  // the first run of a command loads its modules, and counts for nothing
  const loaded = new Set<string>();
  const plans = rows.map(({ runs: [first, ...others] }) => {
    const run = first as Run;
    const command = run.args[0] as string;
    const warm = loaded.has(command) ? 0 : 1;
    loaded.add(command);
    return { warm, runs: [...(warm > 0 ? [run] : []), run, ...others] };
  });
  const plan = JSON.stringify(plans.flatMap(({ runs }) => runs));
  const input = openSync(stdin, "r");
  const started = spawn(process.execPath, ["--expose-gc", child, main, plan], {
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" },
    stdio: [input, "ignore", "pipe", "pipe"],
    detached: true,
  });
  closeSync(input);
  const [err, told]: [Buffer[], Buffer[]] = [[], []];
  started.stderr?.on("data", (b: Buffer) => err.push(b));
  started.stdio[3]?.on("data", (b: Buffer) => told.push(b));
  const timer = setTimeout(() => started.kill("SIGKILL"), limit);
  return new Promise((resolve, reject) => {
    started.on("error", reject);
    started.on("close", (code, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(err).toString().split("\0");
      const lines = Buffer.concat(told).toString().split("\n").slice(0, -1);
      const costs = lines.map((line, i): Cost => ({ ...JSON.parse(line), stderr: said[i] as string }));
      const out: Measured[] = [];
      for (const { runs, warm } of plans) {
        const own = costs.splice(0, runs.length);
        const died = own.length < runs.length && code !== 0 ? { died: `${signal ?? `exit ${code}`}: ${said.at(-1)?.slice(-300)}` } : {};
        out.push({ costs: own.slice(warm), ...died });
      }
      resolve(out);
    });
  });
}

/** What is wrong with the costs of a row; nothing where all is within its budget. */
export function faultsOf({ row, sizes }: Pick<Prepared, "row" | "sizes">, { costs, died }: Measured): string[] {
  if (died !== undefined) return [`at ${sizes[costs.length] ?? 1} times the size its process ended: ${died}`];
  const faults: string[] = [];
  const first = costs[0] as Cost;
  for (const [i, { exit, seconds, megabytes, stderr }] of costs.entries()) {
    const times = sizes[i] as number;
    const say = (what: string) => faults.push(`${what} at ${times} times the size: ${seconds.toFixed(2)} s, ${Math.round(megabytes)} MB`);
    if (!row.exit.includes(exit)) say(`exit ${exit} (${stderr.slice(0, 200)})`);
    if (stderr.includes("internal error")) say(stderr.slice(0, 200));
    if (stderr.length > 4096) say(`${stderr.length} bytes of words`);
    if (seconds > SECONDS || megabytes > (row.megabytes ?? MEGABYTES)) say("above the bound");
    const growth = FACTOR * (times / (sizes[0] as number));
    if (seconds > growth * first.seconds + SLACK_SECONDS) say(`time grows faster than the input (${first.seconds.toFixed(2)} s at first)`);
    // the peak holds what the program itself takes, so this is an upper bound
    if (megabytes > growth * first.megabytes + SLACK_MEGABYTES) say("memory grows faster than the input");
  }
  return faults;
}
