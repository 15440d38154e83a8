// Sequence numbers at their edges: 64 bits in two halves.

import { describe, expect, it } from "vitest";
import { compareLimit, compareSequence, formatSequence, isHalf, parseSequence, sequenceLess } from "../src/base/number.js";
import type { Sequence } from "../src/index.js";
import { code } from "./releases.js";

describe("a sequence number", () => {
  it("is compared by its high half first", () => {
    const rising: Sequence[] = [
      [0, 0],
      [0, 1],
      [0, 4294967295],
      [1, 0],
      [1, 1],
      [2, 0],
      [4294967295, 4294967295],
    ];
    rising.forEach((a, i) => {
      rising.forEach((b, j) => {
        expect([sequenceLess(a, b), compareSequence(a, b)], `${a} ${b}`).toEqual([i < j, Math.sign(i - j)]);
      });
    });
  });
  it("has halves that are whole numbers of 32 bits", () => {
    for (const good of [0, 1, 4294967295]) expect(isHalf(good)).toBe(true);
    for (const bad of [-1, 4294967296, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null, undefined, [1], true, 1n])
      expect(isHalf(bad), String(bad)).toBe(false);
  });
  it("is a limit only with two such halves", () => {
    expect(compareLimit([1, 5], undefined, 7)).toBe(0);
    expect([compareLimit([1, 5], [1, 6], 7), compareLimit([1, 5], [1, 5], 7), compareLimit([2, 0], [1, 9], 7)]).toEqual([-1, 0, 1]);
    for (const bad of [-1, 4294967296, 0.5, Number.NaN, "1", undefined])
      for (const limit of [
        [bad, 1],
        [1, bad],
      ])
        expect(
          code(() => compareLimit([1, 1], limit as Sequence, 7)),
          String(limit),
        ).toBe(7);
  });
  it("is written and read as a decimal, exactly", () => {
    let n = 1n;
    for (let i = 0; i < 64; i++, n *= 2n)
      for (const near of [n - 1n, n, n + 1n]) {
        const s = parseSequence(String(near));
        expect(s).toEqual([Number(near >> 32n), Number(near & 0xffffffffn)]);
        expect(formatSequence(s)).toBe(String(near));
      }
    for (const text of ["0", "10", "100", "4294967300", "42949672960", "10000000000000000000", "18446744073709551615"])
      expect(formatSequence(parseSequence(text))).toBe(text);
  });
  it("is no other text, and the fault names it", () => {
    for (const bad of [
      "",
      "00",
      "01",
      "+1",
      "-1",
      " 1",
      "1 ",
      "1\n",
      "1.0",
      "1e3",
      "a1",
      "1a",
      "18446744073709551616",
      "99999999999999999999",
    ])
      expect(() => parseSequence(bad), bad).toThrow(`not a decimal number of 64 bits: ${bad}`);
    for (const bad of [1, 10n, null, undefined, ["1"], { toString: () => "1" }])
      expect(() => parseSequence(bad as never)).toThrow(`not a decimal number of 64 bits: ${bad}`);
    expect(() => parseSequence("100000000000000000000")).toThrow("not a decimal");
  });
});
