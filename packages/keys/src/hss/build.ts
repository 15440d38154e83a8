// Computes the nodes of a tree on all processors: each worker takes a batch of cached nodes, then the next.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { cachedCount, cachedHeight, cachedNodes, type LmsTree, leafCost } from "@firmseal/signer";
import { workerFile } from "../files/worker-file.js";
import { notice, progress as progressOf } from "../notices.js";
import type { NodeRange, Order } from "./worker.js";

/**
 * The number of hashes from which starting workers pays off; and the number in one batch, some 50 ms, so that the
 * progress bar moves and no worker waits long.
 */
const WORTH_WORKERS = 2 ** 20;
const ONE_ORDER = 2 ** 18;
/** Longer work is announced before it begins. */
const LONG_SECONDS = 10;

const workerModule = () => workerFile(import.meta.url, "keys/hss-worker.js");

const hashesOf = (tree: LmsTree) => 2 ** tree.height * leafCost(tree.n, tree.width);

/** Whether a tree takes less than a second, also on a slow machine. */
const isSmall = (tree: LmsTree) => hashesOf(tree) < WORTH_WORKERS;

function threadsFor(tree: LmsTree): number {
  if (isSmall(tree) || workerModule() === undefined) return 1;
  return Math.min(availableParallelism(), 64, Math.ceil(hashesOf(tree) / ONE_ORDER));
}

/** The number of leaves that one thread computes per second, measured on a few. */
function leavesPerSecond(tree: LmsTree): number {
  const one = { ...tree, height: 5 as const };
  const count = Math.max(1, Math.min(32, Math.floor(2 ** 16 / leafCost(tree.n, tree.width))));
  // the first ones are slow, until the code is compiled
  cachedNodes(one, 0, count);
  const start = performance.now();
  cachedNodes(one, 0, count);
  return (count * 1000) / Math.max(0.01, performance.now() - start);
}

function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} seconds`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}

/** Computes the cached nodes of a tree. `what` is the text of the progress bar. Announces the duration of long work. */
export async function buildCachedNodes(tree: LmsTree, what: string): Promise<Uint8Array> {
  const total = cachedCount(tree);
  const floor = new Uint8Array(total * tree.n);
  const perNode = 2 ** cachedHeight(tree) * leafCost(tree.n, tree.width);
  const step = Math.max(1, Math.floor(ONE_ORDER / perNode));
  const threads = threadsFor(tree);
  // measuring takes longer than a small tree
  const seconds = isSmall(tree) ? 0 : 2 ** tree.height / leavesPerSecond(tree) / threads;
  if (seconds > LONG_SECONDS) notice(`${what}: about ${duration(seconds)} with ${threads} ${threads === 1 ? "thread" : "threads"}`);
  const progress = progressOf(what, total);
  let given = 0;
  let done = 0;
  const next = (): Order | undefined => {
    if (given >= total) return undefined;
    const from = given;
    given = Math.min(total, from + step);
    return { from, to: given };
  };
  const take = ({ from, nodes }: NodeRange) => {
    floor.set(nodes, from * tree.n);
    done += nodes.length / tree.n;
    progress.at(done);
  };
  try {
    if (threads > 1) await Promise.all(Array.from({ length: threads }, () => oneWorker(tree, next, take)));
    else
      for (let order = next(); order; order = next()) {
        take({ from: order.from, nodes: cachedNodes(tree, order.from, order.to) });
        // let a signal end the program
        await new Promise(setImmediate);
      }
  } finally {
    progress.end();
  }
  return floor;
}

function oneWorker(tree: LmsTree, next: () => Order | undefined, take: (piece: NodeRange) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerModule() as string, { workerData: tree });
    const order = () => {
      const one = next();
      worker.postMessage(one ?? "end");
    };
    worker.on("message", (piece: NodeRange) => {
      take(piece);
      order();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    order();
  });
}
