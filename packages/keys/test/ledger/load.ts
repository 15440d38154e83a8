// Many signers at once on one ledger or one log, some of which are killed: what must hold of the numbers afterwards.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Entry } from "../../src/signing-log/entry.js";

const WORKER = fileURLToPath(new URL("./load-worker.mjs", import.meta.url));
/** Their clocks differ, but by less than what is refused. */
const SKEWS = [0, 20, -20, 40, -40, 5, -5, 0].map((minutes) => minutes * 60_000);

export interface Load {
  readonly place: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where signers have their state: each its own, but those of a log in a file. */
  readonly state: (signer: number) => string;
  /** Claims that must be acknowledged. */
  readonly claims: number;
  /** What happens meanwhile, again and again, until all claims are done. */
  readonly trouble?: (() => Promise<void>) | undefined;
}

/** What the signers said. */
export interface LoadResult {
  /** What was acknowledged: number and digest. */
  readonly acknowledged: readonly (readonly [number: string, digest: string])[];
  /** How often signers failed, by what they said. */
  readonly failures: ReadonlyMap<string, number>;
  readonly kills: number;
}

/** Runs eight signers, and kills one of the first three at random times. Those that were killed begin again. */
export async function load({ place, env, state, claims, trouble }: Load): Promise<LoadResult> {
  const acknowledged: [string, string][] = [];
  const failures = new Map<string, number>();
  let [kills, isOver] = [0, false];
  const broken: string[] = [];
  const running = new Map<number, ReturnType<typeof spawn>>();
  const one = (signer: number): Promise<void> =>
    new Promise((done) => {
      const child = spawn(process.execPath, [WORKER, place, String(claims), String(SKEWS[signer])], {
        env: { ...process.env, ...env, FIRMSEAL_STATE: state(signer) },
        stdio: ["ignore", "pipe", "pipe"],
      });
      running.set(signer, child);
      let [rest, stderr] = ["", ""];
      child.stderr.on("data", (bytes) => (stderr += bytes));
      child.stdout.on("data", (bytes) => {
        const lines = (rest + bytes).split("\n");
        rest = lines.pop() as string;
        for (const line of lines) {
          const [number, digest, ...words] = line.split(" ") as [string, string, ...string[]];
          if (number === "-") failures.set(words.join(" "), (failures.get(words.join(" ")) ?? 0) + 1);
          else acknowledged.push([number, digest]);
        }
        if (acknowledged.length >= claims) isOver = true;
      });
      child.once("close", (status) => {
        if (status === 1) broken.push(`${[...failures.keys()].at(-1)} ${stderr}`);
        done();
      });
    });
  const signers = SKEWS.map(async (_, signer) => {
    while (!isOver && broken.length === 0) await one(signer);
  });
  const pause = (ms: number) => new Promise((next) => setTimeout(next, ms));
  const killer = (async () => {
    while (!isOver && broken.length === 0) {
      await pause(300 + Math.random() * 1200);
      if (running.get(Math.floor(Math.random() * 3))?.kill("SIGKILL")) kills++;
    }
  })();
  const troubles = (async () => {
    while (trouble && !isOver && broken.length === 0) await trouble();
  })();
  while (!isOver && broken.length === 0) await pause(50);
  for (const child of running.values()) child.kill("SIGKILL");
  await Promise.all([...signers, killer, troubles]);
  expect(broken).toEqual([]);
  return { acknowledged, failures, kills };
}

/** Numbers and leaves are used once, none is missing, and what was acknowledged is there. */
export function expectSound({ acknowledged }: LoadResult, entries: readonly Entry[]): void {
  const digests = new Map(entries.map(({ sequence, digest }) => [sequence as string, digest]));
  expect(digests.size, "numbers").toBe(entries.length);
  expect(new Set(entries.map(({ leaf }) => leaf)).size, "leaves").toBe(entries.length);
  expect(entries.map(({ sequence }) => Number(sequence))).toEqual(entries.map((_, i) => i + 1));
  for (const [number, digest] of acknowledged) expect(digests.get(number), `number ${number}`).toBe(digest);
  expect(new Set(acknowledged.map(([number]) => number)).size).toBe(acknowledged.length);
}

export const stateOf = (folder: string) => (signer: number) => join(folder, `machine-${signer}`);
