import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LEAST } from "../../test-support/src/environment/effort.js";
import { isZero256, less, lin, loadElement, M, mul256, ONE, P as PRIME, RR, V } from "../src/alg/field256.js";
import { ratio } from "../src/alg/ratio256.js";
import { bytes, inverse, mod, N, P } from "./p256.js";

const LIMB = 2 ** 24;
const HALF = 2 ** 23;

const value = (a: number[]): bigint => a.reduce((sum, limb, i) => sum + (BigInt(limb) << BigInt(24 * i)), 0n);

/** The tight form of any integer that 11 limbs hold. */
function tight(v: bigint): number[] {
  const o: number[] = [];
  for (let i = 0; i < 10; i++) {
    const low = Number(BigInt.asIntN(24, v));
    o.push(low);
    v = (v - BigInt(low)) >> 24n;
  }
  return [...o, Number(v)];
}

const plain = (v: bigint): number[] => loadElement(bytes(v), 0);

function isTight(a: number[]): boolean {
  return a.length === 11 && a.every((limb, i) => Number.isInteger(limb) && (i === 10 || Math.abs(limb) <= HALF));
}

function randomBelow(m: bigint): bigint {
  let v = 0n;
  for (let i = 0; i < 12; i++) v = (v << 24n) | BigInt(randomInt(LIMB));
  return v % m;
}

/** Montgomery's multiplication over again in BigInt, with the largest sum of magnitudes in any column. */
function model(a: number[], b: number[], d: number[], s: number): { limbs: number[]; fullest: bigint } {
  const q: bigint[] = [];
  const limbs: number[] = [];
  let carry = 0n;
  let fullest = 0n;
  for (let k = 0; k < 22; k++) {
    const terms = [carry];
    for (let i = 0; i < 11; i++) if (k - i >= 0 && k - i < 11) terms.push(BigInt(a[i]!) * BigInt(b[k - i]!));
    for (const [back, factor] of [
      [4, 1n],
      [8, 1n],
      [9, -256n],
      [10, 65536n],
    ] as const)
      terms.push(factor * (q[k - back] ?? 0n));
    if (k > 10) terms.push(BigInt(s) * BigInt(d[k - 11]!));
    const column = terms.reduce((x, y) => x + y, 0n);
    const size = terms.reduce((x, y) => x + (y < 0n ? -y : y), 0n);
    if (size > fullest) fullest = size;
    if (k === 21) {
      limbs.push(Number(column));
      break;
    }
    // To the nearest multiple of 2^24; a tie goes to the even one, as t + M rounds.
    let low = BigInt.asIntN(24, column);
    carry = (column - low) >> 24n;
    if (low === -(1n << 23n) && carry & 1n) {
      low = -low;
      carry -= 1n;
    }
    if (k < 11) q.push(low);
    else limbs.push(Number(low));
  }
  return { limbs, fullest };
}

describe("constants", () => {
  it("are what their names say", () => {
    expect(value(PRIME)).toBe(P);
    expect(mod(value(ONE) - 2n ** 264n, P)).toBe(0n);
    expect(mod(value(RR) - 2n ** 528n, P)).toBe(0n);
    expect(BigInt(M)).toBe(3n << 75n);
    expect(V * LIMB).toBe(1);
  });
});

describe("mul", () => {
  // The pairs of weights that es256.ts uses, and the corners of what the proof allows.
  const weights = [
    [1, 1],
    [2, 2],
    [1, 2],
    [2, 4],
    [1, 4],
    [4, 3],
    [6, 2],
    [12, 1],
    [1, 12],
    [2, 6],
  ] as const;
  const top = 31 * 65536;
  const signs: [string, (i: number) => number][] = [
    ["all plus", () => 1],
    ["all minus", () => -1],
    ["alternating", (i) => (i % 2 ? 1 : -1)],
    ["at random", () => (randomInt(2) ? 1 : -1)],
  ];
  const filled = (weight: number, sign: (i: number) => number): number[] =>
    Array.from({ length: 11 }, (_, i) => sign(i) * (i < 10 ? weight * HALF : top));

  for (const [ka, kb] of weights) {
    it(`is exact with every limb at the bound, weights ${ka} and ${kb}`, () => {
      for (const [, sa] of signs) {
        for (const [, sb] of signs) {
          for (const s of [0, 1, -8, 8]) {
            const a = filled(ka, sa);
            const b = filled(kb, sb);
            const d = filled(3, sa);
            const expected = model(a, b, d, s);
            expect(expected.fullest < 2n ** 53n).toBe(true);
            const o: number[] = [];
            mul256(o, a, b, d, s);
            expect(o.map((x) => x + 0)).toEqual(expected.limbs);
            expect(isTight(o)).toBe(true);
            expect(mod(value(o) * 2n ** 264n - value(a) * value(b) - ((BigInt(s) * value(d)) << 264n), P)).toBe(0n);
          }
        }
      }
    });
  }

  it("fills the fullest column to 120 * 2^46 and stays under 121 * 2^46", () => {
    const { fullest } = model(
      filled(6, () => 1),
      filled(2, () => 1),
      filled(3, () => 1),
      8,
    );
    expect(fullest >= 120n << 46n && fullest < 121n << 46n).toBe(true);
  });

  it("agrees with BigInt on random elements, and its result stays within the size that is claimed", () => {
    for (let i = 0; i < 2000; i++) {
      const [a, b, d] = [tight(randomBelow(31n * P)), tight(-randomBelow(8n * P)), tight(randomBelow(3n * P))];
      const s = randomInt(-8, 9);
      const o: number[] = [];
      mul256(o, a, b, d, s);
      expect(mod((value(o) - BigInt(s) * value(d)) * 2n ** 264n - value(a) * value(b), P)).toBe(0n);
      const rest = value(o) - BigInt(s) * value(d);
      const bound = ((31n * 8n * P * P) >> 264n) + (P * 5001n) / 10000n;
      expect((rest < 0n ? -rest : rest) <= bound).toBe(true);
    }
  });

  it("may overwrite any of its arguments, and leaves out the addend", () => {
    const [a, b, d] = [tight(randomBelow(P)), tight(randomBelow(P)), tight(randomBelow(P))];
    const full: number[] = [];
    mul256(full, a, b, d, -2);
    for (const which of [0, 1, 2]) {
      const args = [a.slice(), b.slice(), d.slice()] as const;
      mul256(args[which]!, args[0], args[1], args[2], -2);
      expect(args[which]).toEqual(full);
    }
    const square = a.slice();
    mul256(square, square, square);
    expect(mod((value(square) << 264n) - value(a) ** 2n, P)).toBe(0n);
  });
});

describe("comparison", () => {
  it("isZero knows every small multiple of p, and nothing beside it", () => {
    for (let k = -40n; k <= 40n; k++) {
      const a = tight(k * P);
      expect(isZero256(a)).toBe(true);
      for (let i = 0; i < 11; i++) {
        for (const e of [1, -1, 256, 65536]) {
          const b = a.slice();
          b[i]! += e;
          expect(isZero256(b)).toBe(false);
        }
      }
    }
    for (let i = 0; i < 1000; i++) expect(isZero256(tight(1n + randomBelow(P - 1n)))).toBe(false);
  });

  it("less compares numbers, tight or not", () => {
    for (const m of [N, P]) {
      for (const v of [0n, 1n, m - 1n, m, m + 1n, 2n ** 256n - 1n]) {
        expect(less(plain(v), tight(m))).toBe(v < m);
        expect(less(tight(m), plain(v))).toBe(v > m);
      }
    }
    const o: number[] = [];
    for (const r of [P - N - 1n, P - N, P - N + 1n]) {
      lin(o, plain(r), 1, plain(N), 1);
      expect(less(o, PRIME)).toBe(r + N < P);
    }
  });
});

describe("ratio", () => {
  const N_INV = 0xbc4f;
  it("has the right inverses", () => {
    expect((N * BigInt(N_INV) + 1n) % BigInt(LIMB)).toBe(0n);
    expect((P + 1n) % BigInt(LIMB)).toBe(0n);
  });

  for (const [name, m, inv] of [
    ["n", N, N_INV],
    ["p", P, 1],
  ] as const) {
    it(`divides modulo ${name}`, () => {
      const edges = [1n, 2n, 3n, m - 1n, m - 2n, (m + 1n) / 2n, 2n ** 255n, 2n ** 24n, 2n ** 240n, 2n ** 24n - 1n, 2n ** 128n - 1n];
      const random = Array.from({ length: LEAST ? 20 : 300 }, () => 1n + randomBelow(m - 1n));
      for (const g of [...edges, ...random]) {
        for (const start of [plain(g), tight(g), tight(-g)]) {
          const xs = [2n ** 256n - 1n, randomBelow(m), 0n];
          const e = [start, ...xs.map(plain)];
          const d = ratio(e, name === "n" ? plain(m) : PRIME, inv);
          expect(isZero256(e[0]!)).toBe(true);
          expect(d[0]!.slice(1).every((limb) => limb === 0)).toBe(true);
          expect(Math.abs(d[0]![0]!)).toBe(1);
          xs.forEach((x, i) => {
            const got = value(d[i + 1]!);
            expect(isTight(d[i + 1]!)).toBe(true);
            expect(got <= 18n * m && got >= -18n * m).toBe(true);
            expect(mod(got * BigInt(d[0]![0]!), m)).toBe(mod(x * inverse(value(start), m), m));
          });
        }
      }
    });
  }
});
