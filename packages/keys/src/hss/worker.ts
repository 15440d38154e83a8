// A thread that makes nodes of a tree of HSS/LMS.

import { parentPort, workerData } from "node:worker_threads";
import { cachedNodes, type LmsTree } from "@firmseal/signer";

/** Nodes of the floor, from `from` up to before `to`. */
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
    // a copy of the seed, made for this thread
    (workerData as LmsTree).seed.fill(0);
    parentPort?.close();
    return;
  }
  const { from, to } = order;
  const piece: NodeRange = { from, nodes: cachedNodes(workerData as LmsTree, from, to) };
  parentPort?.postMessage(piece);
});
