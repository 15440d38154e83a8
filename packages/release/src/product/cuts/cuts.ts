// Power cuts on devices that get a release, on all processors. The commands of the release are tried, with the first bytes
// of its images: a longer image repeats the same writes and erases, and trying each of them would take minutes.

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { CODES, Failure } from "@firmseal/keys";
import { identityUuids } from "@firmseal/signer";
import type { Product } from "../file/product.js";
import type { PreparedBoard } from "../prepare.js";
import { type CutsResult, type CutsTask, IMAGE_BYTES, runCuts } from "./task.js";

/** From so many boards on, starting threads pays off. */
const WORTH_WORKERS = 4;

export type Cuts = Pick<CutsResult, "cuts" | "cutsDuringRecovery">;

/**
 * The module of the workers: beside this one, or an entry of its own in the built command line. Returns undefined when
 * run from the sources.
 */
function workerFile(): string | undefined {
  return ["./worker.js", "../release/cuts-worker.js", "./release/cuts-worker.js"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
}

function taskOf(product: Product, prepared: PreparedBoard, sequence: bigint): CutsTask {
  const [name] = prepared.board.classes as [string];
  // a release of number 0 has none before it
  const { bytes } = prepared.draft(sequence > 0n ? sequence : 1n, IMAGE_BYTES);
  return { envelope: bytes, ...identityUuids(product.vendor, name) };
}

/** One thread, which takes tasks until none is left. */
function oneWorker(
  file: string,
  next: () => number | undefined,
  tasks: readonly CutsTask[],
  take: (i: number, result: CutsResult | "failed") => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(file);
    let at: number | undefined;
    const order = () => {
      at = next();
      worker.postMessage(at === undefined ? "end" : tasks[at]);
    };
    worker.on("message", (result: CutsResult | "failed") => {
      take(at as number, result);
      order();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    order();
  });
}

/** Installs each board's release on simulated flash, and cuts the power. `told`: called as each is done. Throws a Failure: POWER_CUT. */
export async function cutPower(
  product: Product,
  boards: readonly PreparedBoard[],
  sequence: bigint,
  told: (board: string, cuts: Cuts) => void,
): Promise<Map<string, Cuts>> {
  const tasks = boards.map((prepared) => taskOf(product, prepared, sequence));
  const done = new Map<string, Cuts>();
  const failed: number[] = [];
  const take = (i: number, result: CutsResult | "failed") => {
    const { name } = (boards[i] as PreparedBoard).board;
    if (result === "failed") {
      failed.push(i);
      return;
    }
    if (result.faults > 0)
      throw new Failure(
        1,
        "POWER_CUT",
        CODES.POWER_CUT,
        `board ${name}: ${result.faults} power cuts do not end well; the first: ${result.first}`,
        "firmseal simulate shows each cut",
      );
    const { cuts, cutsDuringRecovery } = result;
    done.set(name, { cuts, cutsDuringRecovery });
    told(name, { cuts, cutsDuringRecovery });
  };
  let given = 0;
  const next = () => (given < tasks.length ? given++ : undefined);
  const file = tasks.length < WORTH_WORKERS ? undefined : workerFile();
  if (file !== undefined) {
    const threads = Math.min(availableParallelism(), tasks.length, 64);
    const results = new Map<number, CutsResult | "failed">();
    await Promise.all(Array.from({ length: threads }, () => oneWorker(file, next, tasks, (i, result) => results.set(i, result))));
    for (const i of tasks.keys()) take(i, results.get(i) ?? "failed");
  }
  for (const i of file === undefined ? tasks.keys() : failed) take(i, await runCuts(tasks[i] as CutsTask));
  return done;
}
