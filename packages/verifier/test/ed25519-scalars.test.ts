// The integers of Ed25519: reduction, the halving of lengths and windows, against BigInt.

import { describe, expect, it } from "vitest";
import { fold, loadScalar, reduce, shorten, windows, zero } from "../src/alg/scalar25519.js";
import { L, mod, number, octets, randomOctets } from "./ed25519-common.js";

/** The number that digits of 21 bits stand for. */
const value = (n: ArrayLike<number>) => Array.from(n).reduceRight((sum, digit) => sum * 2n ** 21n + BigInt(digit), 0n);
const load = (x: bigint, length: number) => loadScalar(octets(x, length), 0, length);
/** Twelve digits, of which the top one has what is left. */
const digitsOf = (x: bigint) => Array.from({ length: 12 }, (_, i) => Number(i < 11 ? (x >> BigInt(21 * i)) % 2n ** 21n : x >> 231n));
const bits = (x: bigint) => x.toString(2).length;

const random = Array.from({ length: 12 }, () => number(randomOctets(64)));
const nearL = [0n, 1n, 2n, L - 1n, L, L + 1n, 2n * L - 1n, 2n * L, 2n ** 252n - 1n, 2n ** 252n, 2n ** 253n, 2n ** 256n - 1n];

describe("numbers", () => {
  it("are read from octets, of which no other counts", () => {
    for (const x of random) {
      const bytes = octets(x, 64);
      expect(value(loadScalar(bytes, 0, 64))).toBe(x);
      expect(value(loadScalar(bytes, 0, 32))).toBe(x % 2n ** 256n);
      expect(value(loadScalar(bytes, 7, 32))).toBe((x >> 56n) % 2n ** 256n);
    }
  });

  it("are reduced modulo L, to digits that are not negative", () => {
    for (const x of [...random, ...nearL, 2n ** 512n - 1n, L << 250n, (L << 250n) - 1n, (L << 250n) + 1n]) {
      const n = load(x, 64);
      reduce(n, 24);
      expect(value(n)).toBe(x % L);
      // the top digit has the bit 2^252 of L
      expect(Array.from(n).filter((digit, i) => digit < 0 || digit >= 2 ** (i === 11 ? 22 : 21))).toEqual([]);
    }
  });

  it("of 256 bits are distinguished from those below L", () => {
    for (const x of nearL) {
      const n = load(x, 32);
      expect([x, reduce(n, 11)]).toEqual([x, x < L]);
      if (x < L) expect(value(n)).toBe(x);
    }
  });

  it("are multiplied and subtracted digit by digit", () => {
    const [x, y] = [load(random[0] as bigint, 32), load(random[1] as bigint, 32)];
    for (const t of [0, 1, -1, 2 ** 21 - 1, -1234567]) {
      const n = zero(26);
      for (let i = 0; i < 12; i++) n[i + 3] = x[i] as number;
      fold(n, y, 3, t);
      expect(value(n)).toBe((value(x) - BigInt(t) * value(y)) << 63n);
      for (let i = 0; i < 11; i++) expect((n[i + 3] as number) >= 0 && (n[i + 3] as number) < 2 ** 21).toBe(true);
    }
  });
});

it("a challenge becomes a quotient of two numbers of half its length, the second of them odd", () => {
  const small = [1n, 2n, 3n, 2n ** 64n, 2n ** 127n + 1n, L - 1n, L - 2n, (L + 1n) / 2n, (L - 1n) / 2n, L / 3n, L - 2n ** 100n];
  for (const k of [...random.map((x) => x % L), ...small]) {
    const n = load(k, 32);
    const [u, v, isNegative] = shorten(Array.from(n.slice(0, 12)));
    const [a, b] = [value(u), value(v)];
    expect([k, a >= 0n && b > 0n, b % 2n]).toEqual([k, true, 1n]);
    expect([k, mod((isNegative ? -a : a) - b * k, 8n * L)]).toEqual([k, 0n]);
    // of a random challenge both are short: that is what saves half of the doublings
    if (!small.includes(k)) expect([k, bits(a) < 130, bits(b) < 142]).toEqual([k, true, true]);
  }
  expect(value(shorten(Array.from(zero(12)))[0])).toBe(0n);
  expect(value(shorten(Array.from(zero(12)))[1])).toBe(1n);
});

it.each([2, 3, 4])("windows of %i bits give the number back, with one odd digit in each", (width) => {
  for (const x of [...random.map((one) => one % 2n ** 255n), 0n, 1n, L - 1n, 2n ** 256n - 1n, 2n ** 255n + 2n ** 254n]) {
    const digits = Array.from(windows(digitsOf(x), width), (d) => (d > 127 ? d - 256 : d));
    expect(digits.reduceRight((sum, d) => 2n * sum + BigInt(d), 0n)).toBe(x);
    digits.forEach((d, i) => {
      if (d === 0) return;
      expect([Math.abs(d % 2), Math.abs(d) < 2 ** (width - 1)]).toEqual([1, true]);
      expect(digits.slice(i + 1, i + width)).toEqual(digits.slice(i + 1, i + width).map(() => 0));
    });
  }
});
