// A thread that makes nodes of a tree of HSS/LMS.

import { parentPort, workerData } from "node:worker_threads";
import { floorNodes, type LmsTree } from "@firmseal/signer";

/** Nodes of the floor, from `from` up to before `to`. */
export interface Order {
  readonly from: number;
  readonly to: number;
}

export interface Piece {
  readonly from: number;
  readonly nodes: Uint8Array;
}

parentPort?.on("message", ({ from, to }: Order) => {
  const piece: Piece = { from, nodes: floorNodes(workerData as LmsTree, from, to) };
  parentPort?.postMessage(piece);
});
