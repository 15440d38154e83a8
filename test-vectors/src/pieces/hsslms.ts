// HSS/LMS in envelopes: what is accepted, and every part of key and signature with one fault. Most are small: N24, and
// W4, which costs 51 chains of 15 steps; every engine has to play them.

import { hOf, type Level, lmsSigner, ots, stack, u32 } from "../../../packages/test-support/src/keys/lms.js";
import { ALG_HSS_LMS } from "../../../packages/verifier/src/spec/cose.js";
import type { TrustSpec } from "../../index.mjs";
import { type Block, hex, type Piece } from "./assemble.js";

export const N32_W4: Level = { lms: 5, ots: 3, q: 5 };
export const N32_W8: Level = { lms: 5, ots: 4, q: 17 };
export const N24_W4: Level = { lms: 10, ots: 7, q: 9 };
export const N24_W8: Level = { lms: 10, ots: 8, q: 0 };

/** Where the parts of the signature of one level stand; `at`: where the level begins. */
export function parts(level: Level, at = 4) {
  const { n, p } = ots(level.ots);
  const chains = at + 8 + n;
  const path = chains + n * p + 4;
  const end = path + n * hOf(level.lms);
  return { q: at, ots: at + 4, c: at + 8, chains, lms: path - 4, path, end, n, p };
}

export interface Signed {
  trust: TrustSpec;
  block: Block;
}

/** A key of `levels` and the signature with it. `name` makes the secrets. */
export function hssOf(
  name: string,
  levels: Level[],
  spoil?: (signature: number[], key: Piece) => Piece,
  key?: (k: number[]) => Piece,
): Signed {
  const trees = levels.map((level) => lmsSigner(`${name} ${level.lms} ${level.ots} ${level.q}`).tree(level));
  const own = [...stack(trees, new Uint8Array(0)).key];
  return {
    trust: { anchors: [{ alg: "hsslms", key: hex(key ? key(own) : own) }] },
    block: {
      alg: ALG_HSS_LMS,
      sign: (structure) => {
        const signature = [...stack(trees, Uint8Array.from(structure)).signature];
        return spoil ? spoil(signature, own) : signature;
      },
    },
  };
}

export const flip =
  (at: number) =>
  (s: Piece): Piece =>
    s.map((b, i) => (i === at ? b ^ 1 : b));
export const put32 =
  (at: number, n: number) =>
  (s: Piece): Piece => [...s.slice(0, at), ...u32(n), ...s.slice(at + 4)];

/** Name, text, levels, and what the key and the signature are made of: each is accepted. */
export const ACCEPTED: [string, string, Level[]][] = [
  ["hsslms-n32-w4", "HSS/LMS (-46): SHA-256, H5, W4", [N32_W4]],
  ["hsslms-n32-w8", "SHA-256, H5, W8", [N32_W8]],
  ["hsslms-n24-w4", "SHA-256/192, H5, W4", [N24_W4]],
  ["hsslms-n24-w8", "SHA-256/192, H5, W8, the first leaf", [N24_W8]],
  ["hsslms-n24-w1", "SHA-256/192, H5, W1: 200 chains of one step", [{ lms: 10, ots: 5, q: 30 }]],
  ["hsslms-last-leaf", "the last leaf of a tree", [{ ...N24_W4, q: 31 }]],
  ["hsslms-h10", "a tree of 1,024 leaves", [{ lms: 11, ots: 7, q: 1000 }]],
  ["hsslms-h25", "a tree of 2^25 leaves, the last one", [{ lms: 14, ots: 7, q: 2 ** 25 - 1 }]],
  ["hsslms-two-levels-n32", "two levels: W4 signs the key of a tree with W8", [N32_W4, N32_W8]],
  ["hsslms-two-levels-n24", "two levels of N24 and W4", [N24_W4, { ...N24_W4, q: 3 }]],
];

const one = parts(N24_W4);
const first = parts(N24_W4);
const second = parts({ ...N24_W4, q: 3 }, first.end + 24 + 24);
const two: Level[] = [N24_W4, { ...N24_W4, q: 3 }];

/** Name, text, levels, what is done to the signature, what to the key: each is refused as a signature that is wrong. */
export const REFUSED: [string, string, Level[], ((s: Piece) => Piece) | null, ((k: number[]) => Piece)?][] = [
  ["hsslms-level-count-bit", "one bit of the number of levels is wrong", [N24_W4], flip(3)],
  ["hsslms-level-more", "the signature tells of one level more than the key", [N24_W4], put32(0, 1)],
  ["hsslms-level-key-more", "the key tells of two levels, the signature of one", [N24_W4], null, put32(0, 2)],
  ["hsslms-level-less", "a signature of the lower of two levels alone", two, (s) => [...u32(0), ...s.slice(first.end + 48)]],
  ["hsslms-level-2-32", "2^32 - 1 levels more are announced", [N24_W4], put32(0, 2 ** 32 - 1)],
  ["hsslms-leaf-bit", "the number of the leaf is another one", [N24_W4], flip(one.q + 3)],
  ["hsslms-leaf-beyond", "leaf 32 of a tree of 32", [{ ...N24_W4, q: 31 }], put32(one.q, 32)],
  ["hsslms-leaf-wraps", "the number of the leaf, and 2^31 more", [N24_W4], put32(one.q, 2 ** 31 + 9)],
  ["hsslms-leaf-32-more", "the number of the leaf, and 32 more", [N24_W4], put32(one.q, 41)],
  ["hsslms-ots-type", "the LM-OTS type is that of W8", [N24_W4], put32(one.ots, 8)],
  ["hsslms-ots-type-n32", "the LM-OTS type is that of N32", [N24_W4], put32(one.ots, 3)],
  ["hsslms-ots-type-unknown", "an LM-OTS type that nobody knows", [N24_W4], put32(one.ots, 9)],
  ["hsslms-ots-type-2-8", "the LM-OTS type, and 256 more", [N24_W4], put32(one.ots, 256 + 7)],
  ["hsslms-randomizer-bit", "one bit of C is wrong", [N24_W4], flip(one.c)],
  ["hsslms-chain-first", "one bit of the first chain is wrong", [N24_W4], flip(one.chains)],
  ["hsslms-chain-middle", "one bit of a chain in the middle is wrong", [N24_W4], flip(one.chains + 25 * one.n + 11)],
  ["hsslms-chain-checksum", "one bit of the last chain, of the checksum, is wrong", [N24_W4], flip(one.lms - 1)],
  ["hsslms-lms-type", "the LMS type is that of a higher tree", [N24_W4], put32(one.lms, 11)],
  ["hsslms-lms-type-zero", "LMS type 0", [N24_W4], put32(one.lms, 0)],
  ["hsslms-lms-type-2-16", "the LMS type, and 65536 more", [N24_W4], put32(one.lms, 65536 + 10)],
  ["hsslms-path-first", "one bit of the first node of the path is wrong", [N24_W4], flip(one.path)],
  ["hsslms-path-last", "the last bit of the signature is wrong", [N24_W4], flip(one.end - 1)],
  ["hsslms-trailing", "one byte behind the signature", [N24_W4], (s) => [...s, 0]],
  ["hsslms-trailing-node", "a node of the path too many", [N24_W4], (s) => [...s, ...s.slice(one.path, one.path + one.n)]],
  ["hsslms-truncated", "the last byte of the signature is missing", [N24_W4], (s) => s.slice(0, -1)],
  ["hsslms-truncated-path", "the path is missing", [N24_W4], (s) => s.slice(0, one.path)],
  ["hsslms-truncated-head", "three bytes of a signature", [N24_W4], (s) => s.slice(0, 3)],
  ["hsslms-empty", "an empty signature", [N24_W4], () => []],
  [
    "hsslms-zero",
    "zeros where the chains and the path are",
    [N24_W4],
    (s) => [...s.slice(0, one.c), ...s.slice(one.c).map(() => 0)].map((b, i) => (i >= one.lms && i < one.path ? (s[i] as number) : b)),
  ],
  ["hsslms-key-root", "one bit of the root in the key is wrong", [N24_W4], null, flip(51)],
  ["hsslms-key-identifier", "one bit of I in the key is wrong", [N24_W4], null, flip(12)],
  ["hsslms-key-lms-type", "the key is of a higher tree", [N24_W4], null, put32(4, 11)],
  ["hsslms-key-ots-type", "the key is of W8", [N24_W4], null, put32(8, 8)],
  ["hsslms-two-inner-key", "one bit of the lower key, which the upper tree has signed, is wrong", two, flip(first.end + 47)],
  ["hsslms-two-weaker", "a level of N24 below one of N32, as that one has signed it", [N32_W4, N24_W4], null],
  ["hsslms-two-stronger", "a level of N32 below one of N24: one hash function for all levels", [N24_W4, N32_W8], null],
  ["hsslms-two-upper", "one bit of the upper signature is wrong", two, flip(first.chains + 7)],
  ["hsslms-two-lower", "one bit of the lower signature is wrong", two, flip(second.chains + 7)],
  [
    "hsslms-two-swapped",
    "the two levels have changed places",
    two,
    (s) => [...s.slice(0, 4), ...s.slice(second.q), ...s.slice(first.end, second.q), ...s.slice(4, first.end)],
  ],
  ["hsslms-two-truncated", "the lower signature is missing", two, (s) => s.slice(0, second.q)],
];

/** Name, text, key: none of them makes an anchor. */
export function badKeys(): [string, string, Piece][] {
  const key = hssOf("hsslms", [N24_W4]).trust.anchors[0]?.key ?? "";
  const k = [...Buffer.from(key, "hex")];
  return [
    ["hsslms-levels-0", "no level", put32(0, 0)(k)],
    ["hsslms-levels-9", "nine levels", put32(0, 9)(k)],
    ["hsslms-levels-2-32", "2^31 levels, and one", put32(0, 2 ** 31 + 1)(k)],
    ["hsslms-lms-type-4", "an LMS type that there is not", put32(4, 4)(k)],
    ["hsslms-lms-type-15", "an LMS type of SHAKE256", put32(4, 15)(k)],
    ["hsslms-ots-type-0", "LM-OTS type 0", put32(8, 0)(k)],
    ["hsslms-ots-type-9", "an LM-OTS type of SHAKE256", put32(8, 9)(k)],
    ["hsslms-mixed", "LMS of N24 with LM-OTS of N32", put32(8, 3)(k)],
    ["hsslms-short", "the last byte of the root is missing", k.slice(0, -1)],
    ["hsslms-long", "a byte behind the root", [...k, 0]],
    ["hsslms-lms-key", "an LMS key, without the number of levels", k.slice(4)],
    ["hsslms-empty", "no bytes", []],
  ];
}
