// The root of a list (RFC 9162 §2.1.1): one digest from which nobody learns the list, and which no other list has.

import { hash } from "node:crypto";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash("sha256", Buffer.concat(parts), "buffer");

/** The Merkle Tree Hash of at least one input, 32 bytes. */
export function merkleRoot(inputs: readonly Uint8Array[]): Buffer {
  let level = inputs.map((input) => sha256(LEAF, input));
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i] as Buffer, level[i + 1]];
      // the last one of an odd number moves up
      above.push(right ? sha256(NODE, left, right) : left);
    }
    level = above;
  }
  return level[0] as Buffer;
}
