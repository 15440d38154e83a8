// A worker thread that computes nodes of an HSS/LMS tree.

import { parentPort, workerData } from "node:worker_threads";
import { cachedNodes, type LmsTree } from "@firmseal/signer";

/** Cached nodes `from` (inclusive) to `to` (exclusive). */
export interface Order {
  readonly from: number;
  readonly to: number;
}

export interface NodeRange {
  readonly from: number;
  readonly nodes: Uint8Array;
}

parentPort?.on("message", (order: Order | "end") => {
  if (order === "end") {
    // the copy of the seed that this thread received
    (workerData as LmsTree).seed.fill(0);
    parentPort?.close();
    return;
  }
  const { from, to } = order;
  const piece: NodeRange = { from, nodes: cachedNodes(workerData as LmsTree, from, to) };
  parentPort?.postMessage(piece);
});
