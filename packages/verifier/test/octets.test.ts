// Every algorithm by itself, on values that are not octets: a signature or key of these must never verify, nor a
// comparison end in true.

import { createHmac } from "node:crypto";
import { privateKey, signer } from "@firmseal/signer";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { lmsSigner, stack } from "../../test-support/src/keys/lms.js";
import { areOctets, concat, copied, equalConstantTime, newBytes, newWords, octetsOf, sameKey, subBytes } from "../src/base/bytes.js";
import { type Alg, ed25519, errors, es256, hmac256, hsslms, sha256, sha384, sha512 } from "../src/index.js";
import { code } from "./releases.js";

const message = Uint8Array.from({ length: 100 }, (_, i) => i);
const secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const level = { lms: 10, ots: 7, q: 3 };
const hss = stack([lmsSigner("octets").tree(level)], message);

type Made = [key: ArrayLike<number>, signature: ArrayLike<number>];

async function made(alg: "ed25519" | "es256"): Promise<Made> {
  const s = signer(privateKey(alg, secret));
  return [s.publicKey, await s.sign(message)];
}

const all: [string, Alg, Made | Promise<Made>][] = [
  ["ed25519", ed25519, made("ed25519")],
  ["es256", es256, made("es256")],
  ["hmac256", hmac256, [secret, createHmac("sha256", secret).update(message).digest()]],
  ["hsslms", hsslms, [hss.key, hss.signature]],
];

const ODD: unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  undefined,
  null,
  {},
  [],
  "1",
  true,
  1e300,
  -1,
  0.5,
  256,
  2 ** 32,
  2 ** 53,
  1n,
];

const withOdd = (bytes: ArrayLike<number>, at: (i: number) => boolean, value: (b: number) => unknown) =>
  Array.from(bytes, (b, i) => (at(i) ? value(b) : b)) as number[];

describe.each(all)("%s", (_, alg, making) => {
  let [key, signature]: Made = [[], []];
  beforeAll(async () => {
    [key, signature] = await making;
  });

  it("takes its own signature in every array that holds octets", () => {
    for (const form of [Array.from(signature), Uint8Array.from(signature), Uint16Array.from(signature), Float64Array.from(signature)])
      expect(alg.verify(Array.from(key), message, form, {})).toBe(true);
  });

  it("verifies nothing with a signature of values that are not octets: throughout, in each half, every third, or once anywhere", () => {
    const n = signature.length;
    const places: ((i: number) => boolean)[] = [
      () => true,
      (i) => i < n / 2,
      (i) => i >= n / 2,
      (i) => i % 3 === 0,
      (i) => i === 0,
      (i) => i === n - 1,
    ];
    for (let k = 0; k < 40; k++) places.push((i) => i === Math.floor((k * n) / 40));
    for (const odd of ODD)
      for (const at of places)
        expect(
          alg.verify(
            key,
            message,
            withOdd(signature, at, () => odd),
            {},
          ),
        ).toBe(false);
    // the same in its low 8 bits
    for (const more of [256, -256, 2 ** 32, 0.25])
      for (const at of places)
        expect(
          alg.verify(
            key,
            message,
            withOdd(signature, at, (b) => b + more),
            {},
          ),
        ).toBe(false);
  });

  it("has no use for a key of such", () => {
    for (const odd of ODD)
      for (const at of [() => true, (i: number) => i % 3 === 1, (i: number) => i === 5, (i: number) => i === key.length - 1]) {
        const bad = withOdd(key, at, () => odd);
        expect(alg.valid(bad)).toBe(false);
        expect(alg.verify(bad, message, signature, {})).toBe(false);
      }
    expect(
      alg.valid(
        withOdd(
          key,
          (i) => i === 3,
          (b) => b + 256,
        ),
      ),
    ).toBe(false);
  });

  it("reads each octet once: what is checked is what is used", () => {
    const zero = new Proxy(Array.from(signature), {
      get: (target, name) => (typeof name === "string" && /^\d+$/.test(name) ? Number.NaN : target[name as never]),
    });
    expect(alg.verify(key, message, zero, {})).toBe(false);
  });

  it("verifies nothing if the host's hash returns values that are not octets, too few or too many", () => {
    for (const lie of [
      () => [],
      (d: number[]) => d.slice(1),
      (d: number[]) => [...d, 0],
      (d: number[]) => d.map(() => Number.NaN),
      (d: number[]) => ({ length: d.length }),
    ]) {
      const hash = (h: typeof sha256) => {
        const change = (b: ArrayLike<number>) => lie(Array.from(b)) as number[];
        return {
          create: () => {
            const state = h.create();
            return { update: state.update, digest: () => change(state.digest()) };
          },
          once: (b: ArrayLike<number>) => change(h.once?.(b) as ArrayLike<number>),
        };
      };
      let accepted = false;
      try {
        accepted = alg.verify(key, message, signature, { sha256: hash(sha256), sha512: hash(sha512), sha384: hash(sha384) });
      } catch {
        // open() makes a refusal of it
      }
      expect(accepted).toBe(false);
    }
  });
});

describe("octets", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  it("are copied once, or refused by number", () => {
    expect(octetsOf([0, 255], 2)).toEqual(Uint8Array.of(0, 255));
    for (const odd of ODD) {
      expect(code(() => octetsOf([0, odd as number], 2))).toBe(errors.CBOR_OCTET);
      expect(copied([odd as number], 1)).toBeNull();
      expect(areOctets([odd as number])).toBe(false);
    }
    for (const short of [[], [1], [1, 2, 3], [1, 256, 3], undefined, null, 2])
      expect(code(() => octetsOf(short as never, 2))).toBe(errors.CBOR_TRUNCATED);
    expect(code(() => octetsOf("ab" as never, 2))).toBe(errors.CBOR_OCTET);
    const own = Uint8Array.of(1, 2);
    const copy = octetsOf(own, 2);
    own[0] = 9;
    expect(copy[0]).toBe(1);
    const lying = Object.defineProperty(Uint8Array.of(1, 2), "length", { value: 3 });
    expect([copied(lying, 3), copied(lying, 2)]).toEqual([null, null]);
  });

  it("are read in place below 2^16, and copied from there on, where Espruino has no views", () => {
    const b = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) & 255);
    const inPlace = (p: unknown) => p instanceof Uint8Array && p.buffer === b.buffer;
    expect(subBytes(b, 100, 9)).toEqual(b.slice(100, 109));
    for (const [at, n, isView] of [
      [0, 65_535, true],
      [0, 65_536, false],
      [65_530, 5, true],
      [65_530, 6, false],
      [65_600, 100, false],
    ] as const) {
      const p = subBytes(b, at, n);
      const isRight = Buffer.compare(Uint8Array.from(p), b.slice(at, at + n)) === 0;
      expect([inPlace(p), p instanceof Uint8Array, isRight], `${at}, ${n}`).toEqual([isView, true, true]);
    }
    // where a view begins in its buffer counts as well
    const behind = b.subarray(60_000);
    expect([inPlace(subBytes(behind, 5000, 535)), inPlace(subBytes(behind, 5000, 536))]).toEqual([true, false]);
  });

  it("and other values are copied as they are from a plain array", () => {
    const odd = [1, 300, "x", Number.NaN] as number[];
    expect(subBytes(odd, 1, 3)).toEqual([300, "x", Number.NaN]);
    expect(subBytes(odd, 1, 0)).toEqual([]);
  });

  it("are joined in order", () => {
    expect(concat([[1, 2], [], Uint8Array.of(3)])).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("are in plain arrays if an engine has no typed ones", () => {
    vi.stubGlobal("Uint8Array", undefined);
    vi.stubGlobal("Uint32Array", undefined);
    const seen = [
      newBytes(4),
      newWords(4),
      areOctets([1, 255]),
      areOctets([1, 256]),
      copied([1, 2], 2),
      copied([1, 256], 2),
      copied([1], 2),
    ];
    vi.unstubAllGlobals();
    expect(seen).toEqual([[], [], true, false, [1, 2], null, null]);
  });

  it("are the same only where both are octets", () => {
    expect(equalConstantTime([1, 2], Uint8Array.of(1, 2))).toBe(true);
    for (const odd of ODD) {
      expect(equalConstantTime([odd as number], [odd as number])).toBe(false);
      expect(equalConstantTime([0], [odd as number])).toBe(false);
      expect(equalConstantTime([odd as number], [0])).toBe(false);
    }
    expect(equalConstantTime([1], [1, 2])).toBe(false);
    expect(equalConstantTime([1, 2], [1])).toBe(false);
    expect(equalConstantTime([], [])).toBe(true);
  });

  it("hash as the reader reads them: what is above 255 does not reach into the octet before it", () => {
    const block = Array.from({ length: 200 }, (_, i) => i);
    for (const hash of [sha256, sha384, sha512])
      for (const at of [0, 1, 63, 64, 127, 199]) {
        const wide = block.map((b, i) => (i === at ? b + 256 : b));
        expect(hash.once?.(wide)).toEqual(hash.once?.(block));
      }
  });

  it("of keys that one secret signs for count as one", () => {
    const ed = Array.from(signer(privateKey("ed25519", secret)).publicKey);
    const p = Array.from(signer(privateKey("es256", secret)).publicKey);
    const tree = Array.from(hss.key);
    const changed = (b: number[], i: number, bit = 1) => b.map((x, j) => (j === i ? x ^ bit : x));
    expect(sameKey(ed, changed(ed, 31, 128))).toBe(true);
    expect(sameKey(ed, changed(ed, 31))).toBe(false);
    expect(sameKey(ed, changed(ed, 0))).toBe(false);
    expect(sameKey(p, changed(p, 40, 77))).toBe(true);
    expect(sameKey(p, changed(p, 32))).toBe(false);
    expect(sameKey(p, changed(p, 1))).toBe(false);
    expect(sameKey(tree, changed(tree, 3, 3))).toBe(true);
    for (const i of [4, 11, 12, tree.length - 1]) expect(sameKey(tree, changed(tree, i))).toBe(false);
    // LMS with digests of 32 octets
    const wide = [...tree, 1, 2, 3, 4, 5, 6, 7, 8].slice(0, 60);
    expect(wide).toHaveLength(60);
    for (let i = 0; i < 60; i++) expect(sameKey(wide, changed(wide, i)), `${i}`).toBe(i < 4);
    // the bit that does not count is the sign of x in a key of Ed25519, and no other
    expect([sameKey(ed, changed(ed, 30, 128)), sameKey(tree, changed(tree, 31, 128)), sameKey(p, changed(p, 31, 128))]).toEqual([
      false,
      false,
      false,
    ]);
    // a value that is not an octet does not distinguish keys
    for (const odd of ODD)
      for (const [x, y] of [
        [
          withOdd(
            ed,
            (i) => i === 3,
            () => odd,
          ),
          ed,
        ],
        [
          ed,
          withOdd(
            ed,
            (i) => i === 3,
            () => odd,
          ),
        ],
      ] as const)
        expect(sameKey(x, y)).toBe(true);
    expect(sameKey(ed, ed.slice(1))).toBe(false);
  });
});
