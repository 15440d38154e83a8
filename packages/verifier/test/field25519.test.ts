import { describe, expect, it, vi } from "vitest";
import { LEAST } from "../../test-support/src/environment/effort.js";
import { draws } from "../../test-support/src/randoms.js";
import { add, carry, copy, element, half, isZero25519, mul25519, parity, power, readElement, sub, unpack } from "../src/alg/field25519.js";

const P = 2n ** 255n - 19n;
const WIDTHS = [22, 21, 21, 21, 22, 21, 21, 21, 22, 21, 21, 21];
/** Weights: 2^ceil(21.25 i), from limb 6 on over 2^127. */
const WEIGHTS = WIDTHS.map((_, i) => Math.ceil(21.25 * i) - (i < 6 ? 0 : 127));

function mod(x: bigint): bigint {
  return ((x % P) + P) % P;
}

/** The integer that 12 doubles stand for; each must be a multiple of its weight. */
function value(x: number[]): bigint {
  return x.reduce((sum, limb, i) => {
    if (!Number.isInteger(limb / 2 ** WEIGHTS[i]!)) {
      throw new Error(`limb ${i} is not a multiple of its weight`);
    }
    return sum + BigInt(limb) * (i < 6 ? 1n : 2n ** 127n);
  }, 0n);
}

function half1(i: number): number {
  return 2 ** (WEIGHTS[i]! + WIDTHS[i]! - 1);
}

/** Size 1, as the head of the module says. */
function expectSizeOne(x: number[]): void {
  x.forEach((limb, i) => {
    if (Math.abs(limb) > half1(i) * (i === 1 || i === 7 ? 1 + 2 ** -9 : 1)) {
      throw new Error(`limb ${i} is above size 1`);
    }
  });
}

const random = draws(3);

/** Limbs at the bound for `size`, with these signs. */
function extreme(size: number, sign: (i: number) => number): number[] {
  return WIDTHS.map((_, i) => sign(i) * size * half1(i) * (i === 1 || i === 7 ? 1 + 2 ** -9 : 1));
}

const signs: ((i: number) => number)[] = [
  () => 1,
  () => -1,
  (i) => (i % 2 ? 1 : -1),
  (i) => (i < 6 ? 1 : -1),
  (i) => (i % 2 === Number(i < 6) ? 1 : -1),
];
for (let n = 0; n < 30; n++) {
  const table = WIDTHS.map(() => random(3) - 1);
  signs.push((i) => table[i]!);
}

describe("the bounds", () => {
  it("are those that the head of the module states", () => {
    const a = WIDTHS.map((_, i) => BigInt(half1(i)));
    const lower = new Array<bigint>(11).fill(0n);
    const upper = lower.slice();
    const middle = lower.slice();
    const sums = lower.slice();
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) {
        lower[i + j]! += a[i]! * a[j]!;
        upper[i + j]! += a[i + 6]! * a[j + 6]!;
        middle[i + j]! += a[i]! * a[j + 6]! + a[i + 6]! * a[j]!;
        sums[i + j]! += (a[i]! + a[i + 6]!) * (a[j]! + a[j + 6]!);
        // A product of limbs is a multiple of the weight of its column, wherever it comes to lie.
        const k = i + j;
        const w = (n: number) => (n < 12 ? WEIGHTS[n]! + (n < 6 ? 0 : 127) : WEIGHTS[n - 12]! + (n < 18 ? 0 : 127) + 255);
        expect(WEIGHTS[i]! + WEIGHTS[j]!).toBeGreaterThanOrEqual(w(k));
        expect(WEIGHTS[i]! + WEIGHTS[j + 6]! + 127).toBeGreaterThanOrEqual(w(k + 6));
        expect(WEIGHTS[i + 6]! + WEIGHTS[j + 6]! + 254).toBeGreaterThanOrEqual(w(k + 12));
      }
    }
    // In halves, for the sake of 19/2; B = 2^53 weights / column.
    const ratios: number[] = [];
    for (let k = 0; k < 12; k++) {
      const j = k % 6;
      const fold = (n: number) => 2n * lower[n]! + 19n * upper[n]!;
      const twice =
        k < 6
          ? fold(j) + (j < 5 ? (2n * 19n * middle[j + 6]!) / 2n ** 128n : 0n)
          : 2n * middle[j]! + (j < 5 ? fold(j + 6) / 2n ** 127n : 0n);
      ratios.push(2 ** (54 + WEIGHTS[k]!) / Number(twice));
    }
    const stated = [16.4, 30.3, 28.2, 26.3, 25.8, 50.6, 49.6, 48.8, 59.4, 152, 210, 341];
    ratios.forEach((ratio, k) => {
      expect(Math.abs(ratio / stated[k]! - 1)).toBeLessThan(0.005);
    });
    expect(Math.min(...ratios)).toBeGreaterThan(16 * (1 + 2 ** -9) ** 2);
    for (let k = 0; k < 11; k++) {
      let weight = Infinity;
      for (let i = Math.max(0, k - 5); i <= Math.min(5, k); i++) {
        weight = Math.min(weight, WEIGHTS[i]! + WEIGHTS[k - i]!);
      }
      expect(2 ** (53 + weight) / Number(sums[k]! + lower[k]! + upper[k]!)).toBeGreaterThan(73);
      expect(2 ** (53 + weight) / Number(lower[k]! + 10n * upper[k]!)).toBeGreaterThan(16.1);
    }
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
    [2, 8],
    [16, 1],
  ])("of sizes %d and %d: the product is exact and of size 1", (m, n) => {
    for (const first of signs) {
      for (const second of signs) {
        const a = extreme(m, first);
        const b = extreme(n, second);
        const r: number[] = [];
        mul25519(r, a, b);
        expect(mod(value(r))).toBe(mod(value(a) * value(b)));
        expectSizeOne(r);
      }
    }
  });

  it("of size 4: the square is exact and of size 1", () => {
    for (const first of signs) {
      for (const size of [1, 2, 3, 4]) {
        const a = extreme(size, first);
        const r: number[] = [];
        mul25519(r, a);
        expect(mod(value(r))).toBe(mod(value(a) ** 2n));
        expectSizeOne(r);
      }
    }
  });

  it("hold for 600,000 products and squares in a row", { timeout: 60000 }, () => {
    const limbs = (integers: number[]) => WEIGHTS.map((w, i) => (integers[i] ?? 0) * 2 ** w);
    const x = limbs([3, -5, 7, 11]);
    const y = limbs([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const sum: number[] = [];
    const difference: number[] = [];
    const worst = WIDTHS.map(() => 0);
    for (let i = 0; i < (LEAST ? 3000 : 300000); i++) {
      add(sum, x, y);
      sub(difference, x, y);
      mul25519(x, sum, difference);
      mul25519(y, sum);
      for (let j = 0; j < 12; j++) {
        worst[j] = Math.max(worst[j]!, Math.abs(x[j]!) / half1(j), Math.abs(y[j]!) / half1(j));
      }
    }
    worst.forEach((w, i) => {
      expect(w).toBeLessThanOrEqual(i === 1 || i === 7 ? 1 + 2 ** -9 : 1);
    });
    expectSizeOne(x);
  });
});

describe("operations", () => {
  const octets = (x: bigint) => Array.from({ length: 32 }, (_, i) => Number((x >> BigInt(8 * i)) & 255n));
  const edges = [
    0n,
    1n,
    2n,
    18n,
    19n,
    20n,
    P - 1n,
    P - 2n,
    P,
    P + 1n,
    P + 18n,
    2n ** 255n - 1n,
    2n ** 254n,
    2n ** 254n - 1n,
    2n ** 254n + 1n,
    2n ** 127n,
    2n ** 128n,
  ];
  for (let i = 0; i < 255; i += 7) {
    edges.push(2n ** BigInt(i), P - 2n ** BigInt(i), 2n ** 255n - 2n ** BigInt(i));
  }
  for (let i = 0; i < 200; i++) {
    edges.push(Array.from({ length: 32 }, () => random(256)).reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) % 2n ** 255n);
  }

  it("read 32 octets, and say whether the number is odd", () => {
    for (const x of edges) {
      let r = unpack(octets(x));
      expectSizeOne(r);
      expect(mod(value(r))).toBe(mod(x));
      expect(parity(r)).toBe(Number(mod(x) & 1n));
      sub(r, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], r);
      expect(parity(r)).toBe(Number(mod(-x) & 1n));
      r = unpack(octets(x + 2n ** 255n));
      expect(mod(value(r))).toBe(mod(x));
    }
  });

  it("say whether a number at the bounds is odd, and that it is not 0", () => {
    // each limb at its bound alone, and with all below it against it
    const alone = (i: number, sign: number) => extreme(1, (j) => (j === i ? sign : 0));
    const against = (i: number, sign: number) => extreme(1, (j) => (j === i ? sign : j < i ? -sign : 0));
    // the least that a limb can hold, against all below it
    const least = (i: number, sign: number) => against(i, sign).map((limb, j) => (j === i ? sign * 2 ** WEIGHTS[i]! : limb));
    const all = signs.map((first) => extreme(1, first));
    for (let i = 0; i < 12; i++) for (const sign of [1, -1]) all.push(alone(i, sign), against(i, sign), least(i, sign));
    for (const a of all) {
      for (const low of [0, 1, -1, 2, -2]) {
        const r = a.slice();
        r[0] = r[0]! + (Math.abs(r[0]! + low) > half1(0) ? 0 : low);
        expect(parity(r)).toBe(Number(mod(value(r)) & 1n));
        expect(isZero25519(r)).toBe(mod(value(r)) === 0n);
      }
    }
  });

  it("recognize 0 in each form that it has below the bounds", () => {
    const multiples = (n: bigint) => {
      // n * p in limbs of one sign, the largest first
      let rest = n * P;
      const limbs = new Array<number>(12).fill(0);
      for (const i of [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]) {
        const weight = 2n ** BigInt(WEIGHTS[i]! + (i < 6 ? 0 : 127));
        const count = rest / weight;
        limbs[i] = Number(count) * 2 ** WEIGHTS[i]!;
        rest -= count * weight;
      }
      expect(rest).toBe(0n);
      return limbs;
    };
    for (let n = -4n; n <= 4n; n++) {
      const r = multiples(n);
      expect(mod(value(r))).toBe(0n);
      expect(isZero25519(r.slice())).toBe(true);
      for (let i = 0; i < 12; i++) {
        const other = r.slice();
        other[i] = other[i]! + 2 ** WEIGHTS[i]!;
        expect(isZero25519(other)).toBe(false);
      }
    }
    for (const bad of [NaN, Infinity, undefined]) {
      expect(isZero25519(new Array(12).fill(bad) as number[])).toBe(false);
    }
    for (const first of signs) {
      for (const size of [1, 4, 16]) {
        const a = extreme(size, first);
        const zero = mod(value(a)) === 0n;
        expect(isZero25519(a)).toBe(zero);
        expectSizeOne(a);
      }
    }
  });

  it("add, subtract, multiply, carry, compare", () => {
    const unpacked = (x: bigint) => unpack(octets(x));
    for (let i = 1; i < edges.length; i++) {
      const x = unpacked(edges[i - 1]!);
      const y = unpacked(edges[i]!);
      const r: number[] = [];
      add(r, x, y);
      expect(mod(value(r))).toBe(mod(edges[i - 1]! + edges[i]!));
      sub(r, x, y);
      expect(mod(value(r))).toBe(mod(edges[i - 1]! - edges[i]!));
      mul25519(r, x, y);
      expect(mod(value(r))).toBe(mod(edges[i - 1]! * edges[i]!));
      add(r, r, r);
      add(r, r, r);
      carry(r, r);
      expectSizeOne(r);
      expect(mod(value(r))).toBe(mod(4n * edges[i - 1]! * edges[i]!));
      // r may be a or b.
      const z = x.slice();
      mul25519(z, z, y);
      mul25519(z, z);
      expect(mod(value(z))).toBe(mod((edges[i - 1]! * edges[i]!) ** 2n));
      sub(r, x, y);
      expect(isZero25519(r)).toBe(mod(edges[i - 1]!) === mod(edges[i]!));
      sub(r, x, unpacked(mod(edges[i - 1]!)));
      expect(isZero25519(r)).toBe(true);
    }
  });

  it("copy a number, and halve it", () => {
    for (const x of edges) {
      const r = unpack(octets(x));
      expect(Array.from(copy(r))).toEqual(r);
      expect(copy(r)).not.toBe(r);
      const h = half();
      expectSizeOne(h);
      mul25519(h, h, r);
      expect(mod(2n * value(h))).toBe(mod(x));
    }
  });

  it("raise to 2^252 - 3", () => {
    for (const x of edges.slice(0, 40)) {
      let expected = 1n;
      for (let n = 2n ** 252n - 3n, base = mod(x); n > 0n; n >>= 1n, base = (base * base) % P) {
        expected = n & 1n ? (expected * base) % P : expected;
      }
      const r = unpack(octets(x));
      power(r, r);
      expect(mod(value(r))).toBe(expected);
    }
  });
});

describe("numbers in text", () => {
  /** Digits of a pair, -46..45 each, as characters; those that 92 divides with the same remainder stand in for what is not printable. */
  const text = (digits: number[]) => String.fromCharCode(...digits.map((d) => (d + 46 < 35 ? d + 138 : d + 46)));
  const pair = (digits: number[]) => digits.reduce((sum, d) => sum * 71n + BigInt(d), 0n);
  const expected = (pairs: bigint[]) => mod(pairs.reduce((sum, p, i) => sum + (p << BigInt(Math.ceil(42.5 * i))), 0n));

  it("are read as they are written down, at any place", () => {
    for (let n = 0; n < 300; n++) {
      const digits = Array.from({ length: 6 }, () => Array.from({ length: 7 }, () => random(71) - 35));
      const r = readElement(`xyz${digits.map(text).join("")}`, 3);
      expect(mod(value(r))).toBe(expected(digits.map(pair)));
      expect(
        readElement(
          digits.map((d) => Number(pair(d))),
          0,
        ),
      ).toEqual(r);
    }
  });

  it("are of size 1 where pairs of 43 and 42 bits are, to the last bit", () => {
    for (const first of [...signs, () => 0]) {
      const r = readElement(
        [0, 1, 2, 3, 4, 5].map((i) => Math.sign(first(i)) * 2 ** (i % 2 ? 41 : 42)),
        0,
      );
      expectSizeOne(r);
    }
  });

  it("are below size 2.8 whatever the characters, and 4 at most whatever the numbers", () => {
    const within = (r: number[], size: number) => {
      value(r);
      r.forEach((limb, i) => {
        expect(Math.abs(limb)).toBeLessThanOrEqual(size * half1(i));
      });
    };
    for (let n = 0; n < 92 * 4; n++) {
      within(readElement(String.fromCharCode(n % 184).repeat(42), 0), 2.8);
      within(readElement(String.fromCharCode(...Array.from({ length: 42 }, () => random(65536))), 0), 2.8);
    }
    for (const bad of [8796093022207, -8796093022207]) within(readElement([bad, bad, bad, bad, bad, bad], 0), 4);
    for (const bad of [8796093022208, -8796093022208, 2 ** 60, Infinity, -Infinity, NaN, undefined, null, "x", {}, []]) {
      const r = readElement(new Array(6).fill(bad) as number[], 0);
      expect(r.every((limb) => limb === 0)).toBe(true);
    }
    within(readElement([0.5, -0.5, 1.5, 1e9 + 0.25, -1.5, 3.75], 0), 1);
    within(readElement([1], 0), 1);
  });
});

it("keeps numbers in arrays where the engine compiles, and in what takes less RAM elsewhere", () => {
  expect(Array.isArray(copy(element(7)))).toBe(true);
  vi.stubGlobal("WebAssembly", undefined);
  try {
    expect(copy(element(7))).toBeInstanceOf(Float64Array);
    expect(Array.isArray(element(7))).toBe(true);
  } finally {
    vi.unstubAllGlobals();
  }
});
