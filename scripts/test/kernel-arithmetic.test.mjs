// The arithmetic of the kernel (limbs.c, field.c, scalar.c, p256_field.c) is exact: in C with sanitizers, and in
// assembly under qemu.

import { beforeAll, describe, expect, it } from "vitest";
import { LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { Random } from "../../packages/verifier/test/rivals/random.ts";
import * as kernel from "../kernel.mjs";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const WORD = 2n ** 32n;
const TOP = 2n ** 256n;
const CASES = LONG ? 100_000 : 1000;
const folder = temporaryFolder("firmseal-arithmetic-");

const mod = (x, m) => ((x % m) + m) % m;
const inField = (exact) => (r) => r < TOP && mod(r - exact, P) === 0n;
const same = (a, b, m) => mod(a - b, m) === 0n;
/** By kind of a record: whether r is right for a and b. */
const RIGHT = [
  (a, b, r) => r === a * b,
  (a, _, r) => r === a * a,
  (a, b, r) => inField(a * b)(r),
  (a, _, r) => inField(a * a)(r),
  (a, b, r) => inField(a + b)(r),
  (a, b, r) => inField(a - b)(r),
  (a, b, r) => r === (a + b * TOP) % L,
  // products of P-256 have a factor of 2^-256
  (a, b, r) => r < TOP && same(r * TOP, a * b, P256),
  (a, _, r) => r < TOP && same(r * TOP, a * a, P256),
  (a, b, r) => r < TOP && same(r, a + b, P256),
  (a, b, r) => r < TOP && same(r, a - b, P256),
  (a, _, r) => r < TOP && same(2n * r, 3n * a, P256),
  (a, b, r) => r < TOP && same(r * TOP, a * b, N256),
  (a, _, r) => r < TOP && (same(a, 0n, N256) ? same(r, 0n, N256) : same(r * a, TOP, N256)),
];
/** The kinds of two numbers, and of one. */
const OF_TWO = [0, 2, 4, 5, 6, 7, 9, 10, 12];
const OF_ONE = [1, 3, 8, 11, 13];
const NAMES = ["product", "square", "fe_mul", "fe_square", "fe_add", "fe_sub", "scalar_reduce"].concat(
  ["mul", "square", "add", "sub", "add_half", "mul_n", "invert_n"].map((name) => `p256_${name}`),
);

const bytesOf = (x, n) => Uint8Array.from({ length: n }, (_, i) => Number((x >> BigInt(8 * i)) & 255n));
const numberOf = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/** Numbers at which carries and borrows go all the way, or stop one step before the end. */
const EDGES = [
  0n,
  2n ** 252n,
  2n ** 255n,
  TOP,
  P,
  2n * P,
  P256,
  TOP - P256,
  N256,
  TOP - N256,
  L,
  2n * L,
  15n * L,
  0xffffffffn << 224n,
  0xffffffffn << 128n,
  TOP - WORD,
]
  .flatMap((x) => [-39n, -38n, -37n, -1n, 0n, 1n, 18n, 19n, 37n, 38n, 39n].map((d) => mod(x + d, TOP)))
  .concat([0x55555555n, 0xaaaaaaaan, 0x80000000n, 0x7fffffffn].map((limb) => (limb * (TOP - 1n)) / (WORD - 1n)));

/** Where a quotient of `scalar_reduce` does not fit in a word, or is 1 too high: a remainder just below L. */
const QUOTIENTS = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].flatMap((at) =>
  [L - 1n, L - 2n, 2n ** 252n, 2n ** 252n + 1n, 2n ** 252n - 1n, L, 2n * L - 1n, 2n * L, 15n * L - 1n].flatMap((x) =>
    [0n, 1n, 2n ** (32n * at) - 1n].map((low) => mod(x * 2n ** (32n * at) + low, 2n ** 512n)),
  ),
);

function edges() {
  const pairs = EDGES.flatMap((a, i) => EDGES.filter((_, j) => LONG || (i + 3 * j) % 32 === 0).map((b) => [a, b]));
  const all = pairs.flatMap(([a, b], i) => (LONG ? RIGHT.map((_, kind) => [kind, a, b]) : [[OF_TWO[i % OF_TWO.length], a, b]]));
  const squares = EDGES.flatMap((a) => OF_ONE.map((kind) => [kind, a, 0n]));
  return [...all, ...squares, ...QUOTIENTS.map((n) => [6, n % TOP, n / TOP])];
}

const random = new Random("arithmetic");
/** Limbs that are random, or 0, or all ones, or next to them. */
function number() {
  const mask = random.below(2) ? 0 : random.below(1 << 16);
  const limb = (i) => ((mask >> i) & 1 ? [0n, 1n, WORD - 1n, WORD - 2n][(mask >> (i + 4)) & 3] : numberOf(random.octets(4)));
  return Array.from({ length: 8 }, (_, i) => limb(i) << BigInt(32 * i)).reduce((sum, x) => sum + x);
}

function wrong(play, cases) {
  const records = cases.map(([kind, a, b]) => Buffer.concat([bytesOf(BigInt(kind), 4), bytesOf(a, 32), bytesOf(b, 32)]));
  const out = play(Buffer.concat(records));
  expect(out).toHaveLength(64 * cases.length);
  return cases
    .filter(([kind, a, b], i) => !RIGHT[kind](a, b, numberOf(out.subarray(64 * i, 64 * i + 64))))
    .map(([kind, a, b]) => `${NAMES[kind]} ${a.toString(16)} ${b.toString(16)}`);
}

const noHost = kernel.hasHostCompiler ? "" : " (skipped: no C compiler)";
const noArm = kernel.hasCompiler && kernel.hasQemu ? "" : " (skipped: no gcc-arm-none-eabi or no qemu-user)";
const PROGRAMS = [
  [`in C, with sanitizers${noHost}`, noHost, () => [kernel.play, kernel.hostArithmetic(folder)]],
  ...Object.keys(kernel.ARCHITECTURES).map((name) => [
    `for ${name}${noArm}`,
    noArm,
    () => [(program, input) => kernel.playQemu(name, program, input), kernel.arithmetic(name, folder)],
  ]),
];

for (const [title, missing, make] of PROGRAMS)
  describe.skipIf(missing !== "")(title, () => {
    let play;
    beforeAll(() => {
      const [run, program] = make();
      play = (input) => run(program, input);
    });

    it("is exact where carries go all the way", { timeout: 600_000 }, () => expect(wrong(play, edges())).toEqual([]));

    it(`is exact for ${CASES} numbers`, { timeout: 600_000 }, () => {
      const cases = Array.from({ length: CASES }, () => [random.below(RIGHT.length), number(), number()]);
      expect(wrong(play, cases)).toEqual([]);
    });
  });
