import { describe, expect, it } from "vitest";
import { hOf, lmsSigner, stack, u32 } from "../../test-support/src/keys/lms.js";
import { hsslms } from "../src/alg/hsslms.js";
import type { Bytes } from "../src/base/types.js";
import { check, hosts, innerOfTypes, patch } from "./hsslms-common.js";

const { random, tree } = lmsSigner("hsslms refusals");

describe("refusals", () => {
  const message = Buffer.from("message");
  const good = stack([tree({ lms: 5, ots: 3 })], message);
  const pair = stack([tree({ lms: 5, ots: 3 }), tree({ lms: 5, ots: 3 })], message);

  it("keys: 1 to 8 levels, known types, one n", () => {
    for (const l of [0, 9, 255, 256, 257, 0x01000001, 0x80000001, 0xffffffff]) {
      const key = patch(good.key, 0, l);
      expect(hsslms.valid(key)).toBe(false);
      expect(check(key, message, good.signature)).toBe(false);
      expect(check(key, message, patch(good.signature, 0, (l + 0xffffffff) % 2 ** 32))).toBe(false);
    }
    for (let l = 1; l < 9; l++) expect(hsslms.valid(patch(good.key, 0, l))).toBe(true);
    for (const n of [16, 24, 32, 40]) {
      for (let lms = 0; lms < 30; lms++) {
        for (let o = 0; o < 30; o++) {
          const key = Buffer.concat([u32(1), u32(lms), u32(o), random(16 + n)]);
          const known = n === 32 ? lms > 4 && lms < 10 && o > 0 && o < 5 : n === 24 && lms > 9 && lms < 15 && o > 4 && o < 9;
          expect(hsslms.valid(key)).toBe(known);
        }
      }
    }
    // 32 bits are compared, not 8 or 31
    for (const high of [0x100, 0x10000, 0x1000000, 0x80000000]) {
      for (const at of [4, 8]) {
        const key = patch(good.key, at, high + good.key.readUInt32BE(at));
        expect(hsslms.valid(key)).toBe(false);
        // the signature says the same, so that nothing but the key's check is left
        expect(check(key, message, patch(good.signature, at === 8 ? 8 : good.signature.length - 164, key.readUInt32BE(at)))).toBe(false);
      }
    }
  });

  it("nine levels, although each of them is valid", () => {
    const nine = stack(
      Array.from({ length: 9 }, () => tree({ lms: 10, ots: 7 })),
      message,
    );
    expect(check(nine.key, message, nine.signature)).toBe(false);
  });

  it("types in a signature that are not the key's", () => {
    const at = good.signature.length - 164;
    expect(good.signature.readUInt32BE(8)).toBe(3);
    expect(good.signature.readUInt32BE(at)).toBe(5);
    for (const type of [0, 1, 2, 4, 5, 6, 7, 0x103, 0x80000003])
      expect(check(good.key, message, patch(good.signature, 8, type))).toBe(false);
    for (const type of [0, 4, 6, 10, 15, 0x105, 0x80000005]) expect(check(good.key, message, patch(good.signature, at, type))).toBe(false);
  });

  it("a leaf past the last one, even if everything else fits it", () => {
    for (const [lms, o] of [
      [5, 3],
      [10, 7],
      [9, 2],
    ] as const) {
      const h = hOf(lms);
      // However far a verifier without that check might go: to the root in h steps; until the number is 1, with what comes after the path
      // taken for its nodes; or not at all, where 2^31 turns the number negative.
      const last = tree({ lms, ots: o });
      for (const q of [2 ** h, 2 ** h + 5, 2 ** 31, 2 ** 31 + 3, 2 ** 32 - 2 ** h - 1]) {
        for (const steps of [0, h, h + 1]) {
          const first = tree({ lms, ots: o, q, steps, beyond: last.key });
          for (const trees of [[first, last], [first]]) {
            const forged = stack(trees, message);
            for (const host of [hosts["ours"], hosts["one-shot"]]) expect(check(forged.key, message, forged.signature, host)).toBe(false);
          }
        }
      }
    }
    for (const q of [32, 2 ** 31, 2 ** 32 - 1]) expect(check(good.key, message, patch(good.signature, 4, q))).toBe(false);
  });

  it("levels whose n differ, in either direction, although each of them is valid", () => {
    const wide = () => tree({ lms: 5, ots: 3 });
    const narrow = () => tree({ lms: 10, ots: 7 });
    const results = [
      [wide(), wide()],
      [narrow(), narrow()],
      [wide(), narrow()],
      [narrow(), wide()],
      [wide(), wide(), narrow()],
      [narrow(), wide(), narrow()],
    ].map((trees) => {
      const { key, signature } = stack(trees, message);
      return check(key, message, signature);
    });
    expect(results).toEqual([true, true, false, false, false, false]);
  });

  it("a level's key with types that are unknown or cannot be combined, though it is signed", () => {
    const top = tree({ lms: 5, ots: 3 });
    for (const [lms, o] of [
      [5, 0],
      [5, 9],
      [4, 3],
      [15, 11],
      [5, 7],
      [10, 3],
      [0x105, 3],
      [5, 0x80000003],
    ] as const) {
      const { key, signature } = innerOfTypes(top, tree({ lms: 5, ots: 3 }), message, lms, o);
      expect(check(key, message, signature)).toBe(false);
    }
  });

  it("a signature that leaves out, repeats or swaps levels", () => {
    const size = (pair.signature.length - 4 - 56) / 2;
    const [a, k, b] = [
      pair.signature.subarray(4, 4 + size),
      pair.signature.subarray(4 + size, 60 + size),
      pair.signature.subarray(60 + size),
    ];
    expect(check(pair.key, message, Buffer.concat([u32(1), a, k, b]))).toBe(true);
    for (const parts of [
      [u32(0), a],
      [u32(0), b],
      [u32(1), a],
      [u32(1), a, k],
      [u32(1), b, k, a],
      [u32(1), a, k, a],
      [u32(2), a, k, a, k, b],
      [u32(1), a, pair.key.subarray(4), b],
    ])
      expect(check(pair.key, message, Buffer.concat(parts))).toBe(false);
    // the level below on its own, under the key above; and the upper one's signature taken for one on a message
    expect(check(Buffer.concat([u32(1), pair.key.subarray(4)]), message, Buffer.concat([u32(0), b]))).toBe(false);
    expect(check(Buffer.concat([u32(1), k]), message, Buffer.concat([u32(0), b]))).toBe(true);
  });

  it("never throws, whatever the lengths", () => {
    const odd: Bytes[] = [
      [],
      new Uint8Array(0),
      [0],
      [255, 255, 255, 255],
      random(3),
      random(60),
      random(5000),
      Array.from(random(60)),
      new Uint8Array(70_000),
    ];
    const keys = [...odd, good.key, pair.key, Array.from(good.key)];
    const signatures = [
      ...odd,
      good.signature,
      pair.signature,
      Array.from(pair.signature),
      ...[4, 8, 12, 44, 2191, 2192, 2195].map((n) => good.signature.subarray(0, n)),
    ];
    let accepted = 0;
    for (const key of keys)
      for (const m of [[], message, new Uint8Array(70_000)])
        for (const s of signatures) for (const host of Object.values(hosts)) if (hsslms.verify(key, m, s, host)) accepted++;
    // good under both forms of its key, pair in both forms
    expect(accepted).toBe(Object.keys(hosts).length * (2 + 2));
    for (const key of odd) expect(hsslms.valid(key)).toBe(false);
  });
});
