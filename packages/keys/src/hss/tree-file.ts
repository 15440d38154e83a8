// The public nodes of one tree, cached so that a signature need not compute the whole tree again. The file determines
// what the tree above signs, so it is authenticated with the secret of the key: nobody can change it to make one leaf
// sign two different keys, and damage is detected. Without the file, the nodes are computed again.

import { createHmac, timingSafeEqual } from "node:crypto";
import { cachedCount, type LmsTree } from "@firmseal/signer";
import { readOwn } from "../files/read.js";
import { writeWhole } from "../files/write.js";

const TREE_HEAD = Buffer.from("firmseal hss tree 1\n");
const MAC = 32;

// keyed with I and SEED of the tree, so it is valid for no other; the label separates it from the hashes of RFC 8554
function mac(tree: LmsTree, nodes: Uint8Array): Buffer {
  const key = createHmac("sha256", tree.seed)
    .update(TREE_HEAD)
    .update(tree.id)
    .update(Uint8Array.of(tree.n, tree.height, tree.width))
    .digest();
  try {
    return createHmac("sha256", key).update(nodes).digest();
  } finally {
    key.fill(0);
  }
}

/** Reads the cached nodes of `tree`. Returns undefined if the file is missing, damaged, or of another tree. */
export function readTreeFile(path: string, tree: LmsTree): Uint8Array | undefined {
  const size = cachedCount(tree) * tree.n;
  const found = readOwn(path, TREE_HEAD.length + size + MAC);
  if (typeof found === "string") return undefined;
  const bytes = Buffer.from(found.buffer, found.byteOffset, found.length);
  const nodes = bytes.subarray(TREE_HEAD.length, TREE_HEAD.length + size);
  const tag = bytes.subarray(TREE_HEAD.length + size);
  return tag.length === MAC && bytes.indexOf(TREE_HEAD) === 0 && timingSafeEqual(tag, mac(tree, nodes)) ? nodes : undefined;
}

export function writeTreeFile(path: string, tree: LmsTree, floor: Uint8Array): void {
  writeWhole(path, Buffer.concat([TREE_HEAD, floor, mac(tree, floor)]), { mode: 0o600 });
}
