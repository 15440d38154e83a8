// HSS/LMS of the micro verifiers whose engine hashes several pieces in one call: the same answers as hsslms.verify().

import { describe, expect, it } from "vitest";
import { H, hOf, lmsSigner, nOf, ots, stack, type Tree } from "../../test-support/src/keys/lms.js";
import { hsslms } from "../src/alg/hsslms.js";
import { verifyJoined } from "../src/alg/hsslms-joined.js";
import type { Bytes, Host } from "../src/base/types.js";
import { sha256 } from "../src/hash/sha256.js";
import { hosts, innerOfTypes, patch } from "./hsslms-common.js";

const { random, tree } = lmsSigner("hsslms joined");
const message = random(44);

/** A host that gets whole pieces only: Espruino makes views past the end of an array, and its hash must not read them. */
function hostFor(key: Bytes): Host {
  const n = key.length - 28;
  const lengths = [0, 4, 16, n, 24 + n, message.length];
  return {
    sha256: {
      create: sha256.create,
      joined: (pieces) => {
        const own = pieces.map((piece) => (typeof piece === "number" ? Uint8Array.of(piece) : Uint8Array.from(piece)));
        for (const [i, { length }] of own.entries())
          if (typeof pieces[i] !== "number" && !lengths.includes(length) && length % n !== 0) throw new Error(`a piece of ${length} bytes`);
        return H(...own);
      },
    },
  };
}

/** The answer of both; they must be the same. */
function check(key: Uint8Array, about: Uint8Array, signature: Uint8Array): boolean {
  const answer = verifyJoined(key, about, signature, hostFor(key));
  expect(hsslms.verify(key, about, signature, hosts["one-shot"] as Host)).toBe(answer);
  return answer;
}

const flipped = (b: Uint8Array, at: number) => Uint8Array.from(b, (octet, i) => (i === at ? octet ^ 1 : octet));

describe("one level", () => {
  const types = [1, 2, 3, 4, 5, 6, 7, 8].map((o) => [o < 5 ? 5 : 10, o] as const);
  it.each([...types, [6, 3] as const, [14, 7] as const])("LMS type %i with LM-OTS type %i: the first and the last leaf", (lms, o) => {
    for (const q of [0, 2 ** hOf(lms) - 1]) {
      const { key, signature } = stack([tree({ lms, ots: o, q })], message);
      expect(check(key, message, signature)).toBe(true);
      if (o % 4 === 0 || q) continue;
      expect(check(key, flipped(message, 3), signature)).toBe(false);
      const { n, p } = ots(o);
      const path = 12 + n + n * p;
      // leaf, type, C, first and last chain, tree type, path
      for (const at of [0, 7, 8, 12, 12 + n, 12 + n * p, path, path + 3, path + 4, signature.length - 5])
        expect([at, check(key, message, flipped(signature, 4 + at))]).toEqual([at, false]);
    }
  });

  const { key, signature } = stack([tree({ lms: 5, ots: 3 })], message);
  const end = signature.length;

  it("is refused with another length", () => {
    for (const n of [0, 3, 4, 8, 12, 44, 2191, 2192, 2195, end - 32, end - 1])
      expect(check(key, message, signature.subarray(0, n))).toBe(false);
    for (const n of [1, 32, 56, 88]) expect(check(key, message, Buffer.concat([signature, random(n)]))).toBe(false);
  });

  it("is refused with types that are not those of the key, a leaf past the last, or another number of levels", () => {
    for (const type of [0, 1, 2, 4, 7, 0x103, 0x80000003]) expect(check(key, message, patch(signature, 8, type))).toBe(false);
    for (const type of [0, 4, 6, 10, 0x105, 0x80000005]) expect(check(key, message, patch(signature, end - 164, type))).toBe(false);
    for (const q of [32, 2 ** 31, 2 ** 32 - 1]) expect(check(key, message, patch(signature, 4, q))).toBe(false);
    for (const levels of [1, 2, 7, 255, 2 ** 32 - 1]) expect(check(key, message, patch(signature, 0, levels))).toBe(false);
    for (const levels of [0, 2, 9, 257]) expect(check(patch(key, 0, levels), message, signature)).toBe(false);
    for (const bad of [key.subarray(1), key.subarray(0, 59), Buffer.concat([key, Buffer.alloc(1)]), new Uint8Array(60)])
      expect(verifyJoined(bad, message, signature, hostFor(key))).toBe(false);
  });

  it("is refused for a leaf past the last one, even if everything else fits it", () => {
    const last = tree({ lms: 5, ots: 3 });
    for (const q of [32, 37, 2 ** 31 + 3])
      for (const steps of [0, 5, 6]) {
        const forged = stack([tree({ lms: 5, ots: 3, q, steps, beyond: last.key })], message);
        expect(check(forged.key, message, forged.signature)).toBe(false);
      }
  });
});

describe("several levels", () => {
  const made = (...levels: [lms: number, ots: number][]) =>
    stack(
      levels.map(([lms, o]): Tree => tree({ lms, ots: o })),
      message,
    );

  it("are verified, with types of their own", () => {
    for (const levels of [
      [
        [5, 3],
        [6, 2],
      ],
      [
        [11, 7],
        [10, 6],
        [10, 5],
      ],
      Array.from({ length: 8 }, () => [10, 7]),
    ] as [number, number][][]) {
      const { key, signature } = made(...levels);
      expect(check(key, message, signature)).toBe(true);
      expect(check(key, flipped(message, 0), signature)).toBe(false);
      // in the signature of the first level, in the key below it, and in the last
      const [lms, o] = levels[0] as [number, number];
      const n = nOf(lms);
      const size = 12 + n * (1 + ots(o).p + hOf(lms));
      for (const at of [4 + 12, 4 + size + 7, 4 + size + 8, 4 + size + 24, signature.length - 1])
        expect([at, check(key, message, flipped(signature, at))]).toEqual([at, false]);
      for (const cut of [4 + size, 4 + size + 8, 4 + size + 24 + n - 1, 4 + size + 24 + n, signature.length - 1])
        expect([cut, check(key, message, signature.subarray(0, cut))]).toEqual([cut, false]);
    }
  });

  it("are refused if one has a different n, or unknown types, although it is signed", () => {
    for (const levels of [
      [
        [5, 3],
        [10, 7],
      ],
      [
        [10, 7],
        [5, 3],
      ],
    ] as [number, number][][]) {
      const { key, signature } = made(...levels);
      expect(check(key, message, signature)).toBe(false);
    }
    const top = tree({ lms: 5, ots: 3 });
    for (const [lms, o] of [
      [5, 0],
      [5, 9],
      [4, 3],
      [5, 7],
      [0x105, 3],
    ] as const) {
      const { key, signature } = innerOfTypes(top, tree({ lms: 5, ots: 3 }), message, lms, o);
      expect(check(key, message, signature)).toBe(false);
    }
  });
});
