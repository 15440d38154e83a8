// Stacks of LMS trees (RFC 8554 §6): each tree signs the public keys of those below it, the lowest ones sign messages. A stack is a function
// of its parameters, the I and the SEED of the top tree; a signature is a function of that, its number and its message.

import { secretCopy } from "../bytes.js";
import { type HssParams, hssCapacity, hssSignatureLength } from "./params.js";
import { childTree, type LmsTree, lmsPublicKey, lmsSign, rootOf } from "./tree.js";

/** Which tree of a level makes a signature, counted from the left, and which of its leaves. */
export interface HssPlace {
  readonly tree: bigint;
  readonly leaf: number;
}

/** The top tree. `id`: 16 bytes; `seed`: n bytes, the secret of the whole stack. */
export function hssTop(params: HssParams, id: Uint8Array, seed: Uint8Array): LmsTree {
  const [top] = params.levels;
  if (!top || id.length !== 16 || seed.length !== params.n) throw new RangeError("I has 16 bytes, SEED has n");
  return { n: params.n, ...top, id: Uint8Array.from(id), seed: secretCopy(seed) };
}

/** Where signature number `index`, from 0, stands on each level, the top one first. Throws RangeError past the last one. */
export function hssPlaces(params: HssParams, index: bigint): HssPlace[] {
  if (index < 0n || index >= hssCapacity(params)) throw new RangeError("the key has no such leaf");
  const out: HssPlace[] = [];
  let rest = index;
  for (const { height } of [...params.levels].reverse()) {
    const leaf = Number(rest & ((1n << BigInt(height)) - 1n));
    rest >>= BigInt(height);
    out.unshift({ tree: rest, leaf });
  }
  return out;
}

/** The tree of each level that makes signature number `index`. */
export function hssTrees(params: HssParams, top: LmsTree, index: bigint): LmsTree[] {
  const places = hssPlaces(params, index);
  const trees = [top];
  for (let level = 1; level < params.levels.length; level++) {
    const { height, width } = params.levels[level] as HssParams["levels"][number];
    trees.push(childTree(trees[level - 1] as LmsTree, (places[level - 1] as HssPlace).leaf, { height, width }));
  }
  return trees;
}

/** The public key of a stack (RFC 8554 §6.1): 28 + n bytes. `root`: T[1] of the top tree. */
export function hssPublicKey(params: HssParams, top: LmsTree, root: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, params.levels.length, ...lmsPublicKey(top, root));
}

/**
 * Signature number `index` (RFC 8554 §6.2), of hssSignatureLength() bytes. `cached`: the cached nodes of each tree of hssTrees().
 * The same arguments give the same bytes. **Never to be called with another message for the same number**, and cached nodes must be right:
 * a wrong one would have the tree above sign two different keys with one leaf.
 */
export function hssSign(
  params: HssParams,
  trees: readonly LmsTree[],
  cached: readonly Uint8Array[],
  index: bigint,
  message: Uint8Array,
): Uint8Array {
  const places = hssPlaces(params, index);
  const last = places.length - 1;
  const out = new Uint8Array(hssSignatureLength(params));
  out[3] = last;
  let at = 4;
  const put = (part: Uint8Array) => {
    out.set(part, at);
    at += part.length;
  };
  places.forEach(({ leaf }, level) => {
    const below = trees[level + 1];
    const key = below && lmsPublicKey(below, rootOf(below, cached[level + 1] as Uint8Array));
    put(lmsSign(trees[level] as LmsTree, cached[level] as Uint8Array, leaf, key ?? message));
    if (key) put(key);
  });
  return out;
}
