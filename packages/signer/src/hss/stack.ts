// Stacks of LMS trees (RFC 8554 §6): each tree signs the public keys of the trees below it, and the lowest trees sign
// messages. The parameters and the I and SEED of the top tree determine the whole stack. A signature depends only on
// the stack, its number and its message.

import { secretCopy } from "../bytes.js";
import { type HssParams, hssCapacity, hssSignatureLength } from "./params.js";
import { childTree, type LmsTree, lmsPublicKey, lmsSign, rootOf } from "./tree.js";

/** The tree of a level, counted from the left, and its leaf, for one signature. */
export interface HssPlace {
  readonly tree: bigint;
  readonly leaf: number;
}

/**
 * Makes the top tree of a stack.
 *
 * @param params - The parameters of the key.
 * @param id - 16 bytes.
 * @param seed - n bytes, 32 or 24: the secret of the whole stack.
 * @returns The tree.
 * @throws RangeError for other lengths.
 */
export function hssTop(params: HssParams, id: Uint8Array, seed: Uint8Array): LmsTree {
  const [top] = params.levels;
  if (!top || id.length !== 16 || seed.length !== params.n) throw new RangeError("I has 16 bytes, SEED has n");
  return { n: params.n, ...top, id: Uint8Array.from(id), seed: secretCopy(seed) };
}

/**
 * Finds the tree and the leaf on each level for one signature.
 *
 * @param params - The parameters of the key.
 * @param index - The number of the signature, from 0.
 * @returns The places, from the top.
 * @throws RangeError if `index` is beyond the last signature.
 */
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

/**
 * Finds the tree on each level for one signature.
 *
 * @param params - The parameters of the key.
 * @param top - From hssTop().
 * @param index - The number of the signature, from 0.
 * @returns The trees, from the top.
 */
export function hssTrees(params: HssParams, top: LmsTree, index: bigint): LmsTree[] {
  const places = hssPlaces(params, index);
  const trees = [top];
  for (let level = 1; level < params.levels.length; level++) {
    const { height, width } = params.levels[level] as HssParams["levels"][number];
    trees.push(childTree(trees[level - 1] as LmsTree, (places[level - 1] as HssPlace).leaf, { height, width }));
  }
  return trees;
}

/**
 * Makes the public key of a stack (RFC 8554 §6.1).
 *
 * @param params - The parameters of the key.
 * @param top - From hssTop().
 * @param root - T[1] of the top tree.
 * @returns 28 + n bytes.
 */
export function hssPublicKey(params: HssParams, top: LmsTree, root: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, params.levels.length, ...lmsPublicKey(top, root));
}

/**
 * Makes one signature (RFC 8554 §6.2). The result is deterministic. **Never call this with two different messages for
 * the same number.** The cached nodes must be correct: with a wrong node, the tree above would sign two different
 * public keys with one leaf.
 *
 * @param params - The parameters of the key.
 * @param trees - From hssTrees(), for this number.
 * @param cached - The cached nodes of each of these trees.
 * @param index - The number of the signature, from 0.
 * @param message - What is signed.
 * @returns hssSignatureLength() bytes.
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
