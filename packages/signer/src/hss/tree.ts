// One LMS tree and its one-time keys (RFC 8554 §4, §5), derived from I and SEED (appendix A). This file does not track
// which leaves have signed: that is the duty of the caller.

import { secretBytes } from "../bytes.js";
import { digestInto, hashSingleBlock, wordsInto } from "./hash.js";
import { chainsOf, checksumShift, type Height, leafCost, lmsType, otsType, type Width } from "./params.js";

/** The values that determine a tree. `id` is I, 16 bytes, public; `seed` has n bytes and is secret. */
export interface LmsTree {
  readonly n: 32 | 24;
  readonly height: Height;
  readonly width: Width;
  readonly id: Uint8Array;
  readonly seed: Uint8Array;
}

// RFC 8554 §7.1
const D_PBLC = 0x8080;
const D_MESG = 0x8181;
const D_LEAF = 0x8282;
const D_INTR = 0x8383;
// Values in place of a chain number (chain numbers are below 2^9), to derive other values from the SEED of a tree. The
// numbers are those of the reference implementation of RFC 8554, so that the same SEED and I give the same stack in
// both.
const S_RANDOMIZER = 0xfffd;
const S_CHILD_SEED = 0xfffe;
const S_CHILD_ID = 0xffff;

const block = new Int32Array(16);
const state = new Int32Array(8);

/**
 * Writes I, q and the padding of a block in which n bytes follow them. The message has 23 + n bytes, at most 55, so it
 * fits one block.
 */
function startBlock(tree: LmsTree, q: number): void {
  const { id, n } = tree;
  block.fill(0);
  for (let k = 0; k < 4; k++) block[k] = wordAt(id, 4 * k);
  block[4] = q;
  block[15] = 8 * (23 + n);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/**
 * state = H(I ‖ q ‖ i ‖ j ‖ the first n bytes of state). j is at byte 22, so the bytes after it are not aligned to
 * words.
 */
function chainStep(n: number, i: number, j: number): void {
  const last = n >> 2;
  block[5] = (i << 16) | (j << 8) | ((state[0] as number) >>> 24);
  for (let k = 1; k < last; k++) block[5 + k] = ((state[k - 1] as number) << 8) | ((state[k] as number) >>> 24);
  block[5 + last] = ((state[last - 1] as number) << 8) | 0x80;
  hashSingleBlock(state, block);
}

/** state = H(I ‖ q ‖ i ‖ 0xff ‖ SEED), which is x_q[i] of appendix A. Call startBlock() first. */
function secretOf(tree: LmsTree, i: number): void {
  for (let k = 0; k < tree.n; k += 4) state[k >> 2] = wordAt(tree.seed, k);
  chainStep(tree.n, i, 0xff);
}

/** I, `number` and D, followed by room for `length` bytes to hash. */
function prefixed(tree: LmsTree, number: number, d: number, length: number): Uint8Array {
  const out = new Uint8Array(22 + length);
  const view = new DataView(out.buffer);
  out.set(tree.id);
  view.setUint32(16, number);
  view.setUint16(20, d);
  return out;
}

function truncatedHash(input: Uint8Array, n: number): Uint8Array {
  const out = new Uint8Array(n);
  digestInto(input, input.length, out, 0, n);
  return out;
}

/** Computes the leaf T[2^h + q]: the hash of the public key of its one-time key (RFC 8554 §4.3, §5.3). */
function leafInto(tree: LmsTree, q: number, out: Uint8Array, at: number): void {
  const { n, width } = tree;
  const p = chainsOf(n, width);
  const top = 2 ** width - 1;
  const ends = prefixed(tree, q, D_PBLC, p * n);
  startBlock(tree, q);
  for (let i = 0; i < p; i++) {
    secretOf(tree, i);
    for (let j = 0; j < top; j++) chainStep(n, i, j);
    wordsInto(state, ends, 22 + i * n, n);
  }
  const leaf = prefixed(tree, 2 ** tree.height + q, D_LEAF, n);
  digestInto(ends, ends.length, leaf, 22, n);
  digestInto(leaf, leaf.length, out, at, n);
}

/** Computes the parents of `nodes`, half as many. `first` is the number of the first node. */
function above(tree: LmsTree, nodes: Uint8Array, first: number): Uint8Array {
  const { n } = tree;
  const count = nodes.length / n / 2;
  const out = new Uint8Array(count * n);
  const input = prefixed(tree, 0, D_INTR, 2 * n);
  const view = new DataView(input.buffer);
  for (let i = 0; i < count; i++) {
    view.setUint32(16, first / 2 + i);
    input.set(nodes.subarray(2 * i * n, 2 * (i + 1) * n), 22);
    digestInto(input, input.length, out, i * n, n);
  }
  return out;
}

/** Computes all rows from `nodes` up to the root, one row for each height. */
function rowsAbove(tree: LmsTree, nodes: Uint8Array, first: number): Uint8Array[] {
  const rows = [nodes];
  for (let row = nodes; row.length > tree.n; first /= 2) {
    row = above(tree, row, first);
    rows.push(row);
  }
  return rows;
}

function leaves(tree: LmsTree, from: number, count: number): Uint8Array {
  const out = new Uint8Array(count * tree.n);
  for (let i = 0; i < count; i++) leafInto(tree, from + i, out, i * tree.n);
  return out;
}

/**
 * Computes the height at which the nodes of a tree are cached. Nodes below it are computed again for each signature: at
 * most 2^20 hashes (2^21 for a tree of height 25 and width 8), so that at most 2^18 nodes are cached. Trees up to
 * height 12 are cached completely.
 *
 * @param tree - The tree.
 * @returns The height, from the leaves.
 */
export function cachedHeight({ n, height, width }: Pick<LmsTree, "n" | "height" | "width">): number {
  const affordable = Math.floor(Math.log2(2 ** 20 / leafCost(n, width)));
  return Math.max(0, height - 18, Math.min(height - 12, affordable));
}

/**
 * Computes the number of cached nodes of a tree.
 *
 * @param tree - The tree.
 * @returns The number.
 */
export function cachedCount(tree: Pick<LmsTree, "n" | "height" | "width">): number {
  return 2 ** (tree.height - cachedHeight(tree));
}

/**
 * Computes cached nodes of a tree. This is the main cost of generating a key. Ranges are independent, so they can be
 * computed in parallel.
 *
 * @param tree - The tree.
 * @param from - The first node.
 * @param to - The node after the last one.
 * @returns n bytes for each node.
 */
export function cachedNodes(tree: LmsTree, from: number, to: number): Uint8Array {
  const low = cachedHeight(tree);
  const out = new Uint8Array((to - from) * tree.n);
  for (let i = from; i < to; i++) out.set(subtree(tree, low, i).at(-1) as Uint8Array, (i - from) * tree.n);
  return out;
}

/** The rows of the subtree under cached node `index`, from the leaves up. */
function subtree(tree: LmsTree, low: number, index: number): Uint8Array[] {
  const count = 2 ** low;
  return rowsAbove(tree, leaves(tree, index * count, count), 2 ** tree.height + index * count);
}

/**
 * Computes T[1] of a tree.
 *
 * @param tree - The tree.
 * @param cached - All of its cached nodes.
 * @returns n bytes.
 */
export function rootOf(tree: LmsTree, cached: Uint8Array): Uint8Array {
  return rowsAbove(tree, cached, cached.length / tree.n).at(-1) as Uint8Array;
}

/**
 * Makes the public key of a tree (RFC 8554 §5.3).
 *
 * @param tree - The tree.
 * @param root - T[1], from rootOf().
 * @returns LMS type, LM-OTS type, I and T[1], 24 + n bytes.
 */
export function lmsPublicKey(tree: LmsTree, root: Uint8Array): Uint8Array {
  const out = new Uint8Array(24 + tree.n);
  const view = new DataView(out.buffer);
  view.setUint32(0, lmsType(tree.n, tree.height));
  view.setUint32(4, otsType(tree.n, tree.width));
  out.set(tree.id, 8);
  out.set(root, 24);
  return out;
}

/** The tree below leaf `q`, derived from the tree above it: the top tree determines all others. */
export function childTree(tree: LmsTree, q: number, level: { height: Height; width: Width }): LmsTree {
  const { n } = tree;
  const derive = (i: number, length: number) => {
    const out = secretBytes(length);
    startBlock(tree, q);
    secretOf(tree, i);
    wordsInto(state, out, 0, length);
    return out;
  };
  return { n, ...level, seed: derive(S_CHILD_SEED, n), id: derive(S_CHILD_ID, 16) };
}

/**
 * The randomizer C of a one-time signature. It depends on the leaf and the message, so that the same message on the
 * same leaf gives the same bytes (the public key of a lower tree is signed repeatedly), and on SEED, so that it is
 * secret until the signature is published.
 */
function randomizer(tree: LmsTree, q: number, message: Uint8Array): Uint8Array {
  const { n } = tree;
  const input = prefixed(tree, q, S_RANDOMIZER, 1 + n + 32);
  input[22] = 0xff;
  input.set(tree.seed, 23);
  digestInto(message, message.length, input, 23 + n, 32);
  const out = truncatedHash(input, n);
  input.fill(0);
  return out;
}

/**
 * The digits of the hash and of its checksum (RFC 8554 §4.4, §4.5), `width` bits each. No digit crosses a byte border.
 * The sum is below 2^14.
 */
function digitsOf(tree: LmsTree, hash: Uint8Array): number[] {
  const { n, width } = tree;
  const top = 2 ** width - 1;
  const digit = (b: Uint8Array, i: number) => ((b[(i * width) >> 3] as number) >> (8 - width - ((i * width) & 7))) & top;
  const digits = Array.from({ length: (8 * n) / width }, (_, i) => digit(hash, i));
  const checksum = digits.reduce((sum, d) => sum + top - d, 0) << checksumShift(n, width);
  const shifted = Uint8Array.of(checksum >> 8, checksum);
  return [...digits, ...Array.from({ length: chainsOf(n, width) - digits.length }, (_, i) => digit(shifted, i))];
}

/**
 * Signs `message` with leaf `q` (RFC 8554 §4.5, §5.4.1): 12 + n (1 + p + h) bytes. The result is deterministic. **Never
 * call this with two different messages for the same leaf**: two such signatures make forgeries possible.
 */
export function lmsSign(tree: LmsTree, cached: Uint8Array, q: number, message: Uint8Array): Uint8Array {
  const { n, height, width } = tree;
  if (!Number.isInteger(q) || q < 0 || q >= 2 ** height) throw new RangeError("no such leaf");
  if (cached.length !== cachedCount(tree) * n) throw new RangeError("not the cached nodes of this tree");
  const p = chainsOf(n, width);
  const out = new Uint8Array(12 + n * (1 + p + height));
  const view = new DataView(out.buffer);
  view.setUint32(0, q);
  view.setUint32(4, otsType(n, width));
  const c = randomizer(tree, q, message);
  out.set(c, 8);
  const input = prefixed(tree, q, D_MESG, n + message.length);
  input.set(c, 22);
  input.set(message, 22 + n);
  const digits = digitsOf(tree, truncatedHash(input, n));
  startBlock(tree, q);
  for (let i = 0; i < p; i++) {
    secretOf(tree, i);
    for (let j = 0; j < (digits[i] as number); j++) chainStep(n, i, j);
    wordsInto(state, out, 8 + n + i * n, n);
  }
  let at = 8 + n * (1 + p);
  view.setUint32(at, lmsType(n, height));
  at += 4;
  // the authentication path: the sibling of each node on the way to the root
  const low = cachedHeight(tree);
  const lower = subtree(tree, low, q >> low);
  const rows = [...lower.slice(0, -1), ...rowsAbove(tree, cached, cached.length / n)];
  for (let row = 0; row < height; row++) {
    // rows below the cached height hold the nodes of one subtree; rows from there on hold those of the whole tree
    const index = row < low ? (q >> row) & (2 ** (low - row) - 1) : q >> row;
    const beside = (index ^ 1) * n;
    out.set((rows[row] as Uint8Array).subarray(beside, beside + n), at);
    at += n;
  }
  return out;
}
