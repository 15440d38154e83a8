import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { proveBounds } from "../bounds.mjs";

const source = (name) => readFileSync(fileURLToPath(new URL(`../../packages/verifier/src/${name}.ts`, import.meta.url)), "utf8");

/** One place of a module changed, and what the proofs find first: [what, module, from, to, finding]. */
const MUTANTS = [
  ["a carry's constant", "alg/field25519", "x * 3 * 33554432 * 67108864", "x * 3 * 16777216 * 67108864", /mul/],
  ["a carry with the constant of another limb", "alg/field25519", "t = p4 + m4 - m4;", "t = p4 + m3 - m3;", /mul/],
  ["a carry that is not added", "alg/field25519", "  p2 += t;\n", "", /not the product/],
  ["a carry that is not taken away", "alg/field25519", "r[2] = p2 - t;", "r[2] = p2;", /mul/],
  ["a carry added twice", "alg/field25519", "  d3 += t;\n", "  d3 += t + t;\n", /not the product/],
  ["no last step of the carries", "alg/field25519", "r[0] = p0 - t;\n  r[1] = p1 + t;", "r[0] = p0;\n  r[1] = p1;", /size/],
  ["the factor 19", "alg/field25519", "(k[25] / 2) * 19", "(k[25] / 2) * 18", /not the product/],
  ["the factor 19/2", "alg/field25519", "k[26] = k[24] / k[25];", "k[26] = k[24] / k[25] / 2;", /mul/],
  ["a width", "alg/field25519", "i % 4 ? 2097152 : 4194304", "i % 4 ? 2097152 : 2097152", /mul/],
  ["one product of a column", "alg/field25519", "p7 = a2 * c5 + a3 * c4", "p7 = a2 * c5 + a3 * c3", /more than|not the product/],
  ["one product of a square", "alg/field25519", "q3 = h * b3;", "q3 = h * b2;", /more than|not the product/],
  ["a digit to the base", "alg/field25519", "t * 71 + ", "t * 83 + ", /2 d|read/],
  ["half", "alg/field25519", "element(-9)", "element(-9000000)", /half/],
  ["a doubling without its carries", "alg/curve25519", "e[i] *= 2;", "e[i] *= 8;", /twice.*size/],
  [
    "one more sum before a product",
    "alg/curve25519",
    "    add(q[3], p[2], p[2]);",
    "    add(q[3], p[2], p[2]);\n    add(q[3], q[3], q[3]);",
    /size 4, more than 2/,
  ],
  ["a number of the module", "alg/curve25519", "Mv'vH{&2+C7", "Mv'vH{&3+C7", /2 d/],
  ["the order", "alg/scalar25519", "[1430509,", "[1430508,", /ORDER/],
  ["the fold of a digit", "alg/scalar25519", "c = floor(x / 2097152);", "c = floor(x / 4194304);", /fold|reduce/],
  ["a carry's constant", "alg/field256", "times(24, 8)", "times(24, 4)", /row|mul/],
  ["what a carry is divided by", "alg/field256", "1 / /* @__PURE__ */ times(1, 2)", "2 / /* @__PURE__ */ times(1, 2)", /row|ratio|mul/],
  ["a carry that is left out", "alg/field256", "65536 * q9 + s * d[8] + c * v", "65536 * q9 + s * d[8]", /not the product/],
  ["the factor 256", "alg/field256", "- 256 * q5", "- 128 * q5", /not the product/],
  ["the factor 65536", "alg/field256", "65536 * q9", "32768 * q9", /not the product/],
  ["a limb of p", "alg/field256", "1, -256, 65536]", "1, -256, 65535]", /constants/],
  ["2^528 modulo p", "alg/field256", "[196608,", "[196609,", /RR/],
  ["a comparison in more than 32 bits", "alg/field256", "c = (a[i] - b[i] + c) >> 24", "c = (a[i] * 8 - b[i] + c) >> 24", /32 bits/],
  ["a weight of 8 times 2", "alg/es256", "lin(D, x, 3, A, -3)", "lin(D, x, 4, A, -4)", /weights/],
  ["a weight of what is compared with 0", "alg/es256", "if (isZero256(z)) {", "if (isZero256(lin(D, z, 2, z, 0))) {", /compared with 0/],
  ["the inverse of the order", "alg/es256", "0xbc4f", "0xbc4e", /row/],
  ["a quotient that is not cut", "alg/ratio256", "  q -= q + M - M;\n", "", /row/],
  ["the steps of a round", "alg/ratio256", "i < 24", "i < 25", /25 steps/],
];

describe("the proof of the bounds", () => {
  it.each(some(MUTANTS, 3))(`fails when this is changed: %s (%s)${OF_SOME}`, (_, module, from, to, finding) => {
    expect(source(module).split(from).length, "places that hold this text").toBeGreaterThan(1);
    const read = (name) => (name === module ? source(name).replace(from, () => to) : source(name));
    const algs = [module.includes("25519") ? "ed25519" : "es256"];
    const { findings } = proveBounds({ read, algs, isEnough: true });
    expect(findings.join("\n")).toMatch(finding);
  });
});
