// Power cuts on devices that get a release, on all processors: with the whole images up to a size, at every write and
// erase, and at some of those of each recovery. Each cut goes through the flash of the device, so the time grows with
// the square of the size.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Failure } from "@firmseal/keys";
import { workerFile } from "@firmseal/keys/internal";
import { identityUuids } from "@firmseal/signer";
import type { Product } from "../../product/file/product.js";
import type { PreparedBoard } from "../board/prepare.js";
import { type CutsResult, type CutsTask, runCuts } from "./task.js";

/** From this many boards or bytes on, starting threads pays off. */
const WORTH_WORKERS = 4;
const WORTH_BYTES = 256 * 1024;

/** Bytes that a device writes for one board. Longer images are tried with so much of their begin. */
const WRITTEN_BYTES = 2 * 1024 * 1024;
const PAGE = 4096;

export type Cuts = Pick<CutsResult, "cuts" | "cutsDuringRecovery">;

const workerModule = () => workerFile(import.meta.url, "release/cuts-worker.js");

function taskOf(product: Product, prepared: PreparedBoard, sequence: bigint): CutsTask {
  const [name] = prepared.board.classes as [string];
  const { board, images } = prepared;
  // an image in the envelope is written with it, and then into its slot
  const parts = board.images.length + images.filter(({ file }) => file === undefined).length;
  const most = Math.floor(WRITTEN_BYTES / parts / PAGE) * PAGE;
  // a release of number 0 has none before it
  const { bytes } = prepared.draft(sequence > 0n ? sequence : 1n, most);
  return {
    envelope: bytes,
    payloads: images.flatMap(({ file, uri, bytes: image }) => (file === undefined ? [] : [[uri, image.subarray(0, most)] as const])),
    largest: images.reduce((largest, image) => Math.max(largest, Math.min(image.bytes.length, most)), 0),
    ...identityUuids(product.vendor, name),
  };
}

/** One thread, which takes tasks until none is left. */
function oneWorker(
  file: string,
  next: () => number | undefined,
  tasks: readonly CutsTask[],
  take: (i: number, result: CutsResult | "failed") => void,
  begun: (i: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(file);
    let at: number | undefined;
    const order = () => {
      at = next();
      if (at !== undefined) begun(at);
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

/**
 * Installs each board's release on simulated flash, and cuts the power. `report`: called as each begins, and is done.
 * Throws a Failure: POWER_CUT.
 */
export async function cutPower(
  product: Product,
  boards: readonly PreparedBoard[],
  sequence: bigint,
  report: (board: string, cuts: Cuts | "begun") => void,
): Promise<Map<string, Cuts>> {
  const tasks = boards.map((prepared) => taskOf(product, prepared, sequence));
  const done = new Map<string, Cuts>();
  const names = boards.map(({ board }) => board.name);
  const failed: number[] = [];
  const nameOf = (i: number) => names[i] as string;
  const begun = (i: number) => report(nameOf(i), "begun");
  /** Keeps a result. One that does not end well is reported in the order of the boards. */
  const take = (i: number, result: CutsResult | "failed") => {
    const name = nameOf(i);
    if (result === "failed") {
      failed.push(i);
      return;
    }
    if (result.faults > 0)
      throw new Failure(
        1,
        "ERR_POWER_CUT",
        `board ${name}: ${result.faults} power cuts end badly; the first: ${result.first}`,
        "firmseal simulate shows each cut",
      );
    const { cuts, cutsDuringRecovery } = result;
    done.set(name, { cuts, cutsDuringRecovery });
    report(name, { cuts, cutsDuringRecovery });
  };
  let given = 0;
  const next = () => (given < tasks.length ? given++ : undefined);
  const size = tasks.reduce((sum, { envelope, payloads }) => payloads.reduce((n, [, p]) => n + p.length, sum + envelope.length), 0);
  const file = tasks.length > 1 && (tasks.length >= WORTH_WORKERS || size >= WORTH_BYTES) ? workerModule() : undefined;
  if (file !== undefined) {
    const threads = Math.min(availableParallelism(), tasks.length, 64);
    const results = new Map<number, CutsResult | "failed">();
    const keep = (i: number, result: CutsResult | "failed") => {
      results.set(i, result);
      if (result !== "failed" && result.faults === 0) take(i, result);
    };
    await Promise.all(Array.from({ length: threads }, () => oneWorker(file, next, tasks, keep, begun)));
    for (const i of tasks.keys()) if (!done.has(nameOf(i))) take(i, results.get(i) ?? "failed");
  }
  for (const i of file === undefined ? tasks.keys() : failed) {
    begun(i);
    take(i, await runCuts(tasks[i] as CutsTask));
  }
  return new Map([...done].sort(([a], [b]) => names.indexOf(a) - names.indexOf(b)));
}
