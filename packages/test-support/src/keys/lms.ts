// An independent signer of HSS/LMS: RFC 8554 as it is written, on node:crypto. For tests and vectors; it keeps no
// state.

import { hash } from "node:crypto";

export const H = (...parts: Uint8Array[]) => hash("sha256", parts.length === 1 ? parts[0]! : Buffer.concat(parts), "buffer");

export const u32 = (n: number) => Buffer.from([Math.floor(n / 16777216), (n >> 16) & 255, (n >> 8) & 255, n & 255]);
const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
const OTS = [
  undefined,
  { n: 32, w: 1, p: 265, ls: 7 },
  { n: 32, w: 2, p: 133, ls: 6 },
  { n: 32, w: 4, p: 67, ls: 4 },
  { n: 32, w: 8, p: 34, ls: 0 },
  { n: 24, w: 1, p: 200, ls: 8 },
  { n: 24, w: 2, p: 101, ls: 6 },
  { n: 24, w: 4, p: 51, ls: 4 },
  { n: 24, w: 8, p: 26, ls: 0 },
] as const;
export const ots = (type: number) => OTS[type]!;
export const nOf = (lms: number) => (lms < 10 ? 32 : 24);
export const hOf = (lms: number) => [5, 10, 15, 20, 25][(lms - 5) % 5]!;

export interface Level {
  lms: number;
  ots: number;
  q?: number;
  /**
   * A tree of leaves that all exist; otherwise one leaf and a path of random nodes, which is all that a verifier ever
   * sees.
   */
  whole?: boolean;
  /** For forgeries: how many steps the root is above the leaf (default: h), and what replaces nodes after h. */
  steps?: number;
  beyond?: Uint8Array;
}
export interface Tree {
  level: Level;
  /** u32 LMS type, u32 LM-OTS type, I, T[1]. */
  key: Buffer;
  sign(message: Uint8Array): Buffer;
}

function coef(s: Uint8Array, i: number, w: number): number {
  let v = 0;
  for (let bit = i * w; bit < (i + 1) * w; bit++) v = 2 * v + ((s[bit >> 3]! >> (7 - (bit & 7))) & 1);
  return v;
}

/** Trees whose secrets follow from `name`, one after the other: not random, so that a failure can be repeated. */
export function lmsSigner(name: string) {
  let drawn = 0;
  const random = (n: number) => {
    const out: Uint8Array[] = [];
    for (let k = 0; k < n; k += 32) out.push(H(Buffer.from(`${name} ${drawn++}`)));
    return Buffer.concat(out).subarray(0, n);
  };
  const below = (n: number): number => random(6).readUIntBE(0, 6) % n;

  function tree(level: Level): Tree {
    const { n, w, p, ls } = ots(level.ots);
    const h = hOf(level.lms);
    const q = level.q ?? below(2 ** h);
    const I = random(16);
    const chain = (x: Uint8Array, leaf: number, i: number, from: number, to: number): Uint8Array => {
      const step = Buffer.concat([I, u32(leaf), u16(i), Buffer.of(0), x]);
      let tmp: Uint8Array = x;
      for (let j = from; j < to; j++) {
        step[22] = j;
        tmp = H(step).subarray(0, n);
        step.set(tmp, 23);
      }
      return tmp;
    };
    const secrets = (leaf: number, seed: Uint8Array) => Array.from({ length: p }, (_, i) => H(seed, u32(leaf), u16(i)).subarray(0, n));
    const leafNode = (leaf: number, x: Uint8Array[]) => {
      const K = H(I, u32(leaf), u16(0x8080), ...x.map((s, i) => chain(s, leaf, i, 0, 2 ** w - 1))).subarray(0, n);
      return H(I, u32(2 ** h + leaf), u16(0x8282), K).subarray(0, n);
    };
    const inner = (r: number, a: Uint8Array, b: Uint8Array) => H(I, u32(r), u16(0x8383), a, b).subarray(0, n);
    const seed = random(32);
    const x = secrets(q, seed);
    const path: Buffer[] = [];
    let root: Buffer;
    if (level.whole) {
      const nodes: Buffer[] = [];
      for (let leaf = 0; leaf < 2 ** h; leaf++) nodes[2 ** h + leaf] = leafNode(leaf, secrets(leaf, seed));
      for (let r = 2 ** h - 1; r > 0; r--) nodes[r] = inner(r, nodes[2 * r]!, nodes[2 * r + 1]!);
      for (let r = 2 ** h + q; r > 1; r >>= 1) path.push(nodes[r ^ 1]!);
      root = nodes[1]!;
    } else {
      let r = 2 ** h + q;
      root = leafNode(q, x);
      for (let k = 0; k < h; k++) path.push(random(n));
      for (let k = 0; k < (level.steps ?? h); k++) {
        const side = path[k] ?? level.beyond!.subarray((k - h) * n, (k - h + 1) * n);
        root = r % 2 ? inner(Math.floor(r / 2), side, root) : inner(Math.floor(r / 2), root, side);
        r = Math.floor(r / 2);
      }
    }
    return {
      level,
      key: Buffer.concat([u32(level.lms), u32(level.ots), I, root]),
      sign(message) {
        const C = random(n);
        const Q = H(I, u32(q), u16(0x8181), C, message).subarray(0, n);
        let sum = 0;
        for (let i = 0; i < (8 * n) / w; i++) sum += 2 ** w - 1 - coef(Q, i, w);
        const digits = Buffer.concat([Q, u16((sum << ls) & 65535)]);
        const y = x.map((s, i) => chain(s, q, i, 0, coef(digits, i, w)));
        return Buffer.concat([u32(q), u32(level.ots), C, ...y, u32(level.lms), ...path]);
      },
    };
  }

  return { random, below, tree };
}

/** Key and signature of a stack of trees, the first one at the top. */
export function stack(trees: Tree[], message: Uint8Array): { key: Buffer; signature: Buffer } {
  const parts: Uint8Array[] = [u32(trees.length - 1)];
  trees.forEach((t, i) => {
    const next = trees[i + 1];
    parts.push(t.sign(next ? next.key : message));
    if (next) parts.push(next.key);
  });
  return { key: Buffer.concat([u32(trees.length), trees[0]!.key]), signature: Buffer.concat(parts) };
}
