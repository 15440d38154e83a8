// The bytes of tools: hexadecimal digits in both directions, and comparison.

import { equalBytes, fromHex, toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";

describe("toHex", () => {
  it("writes two digits for each octet, in lower case", () => {
    const all = Array.from({ length: 256 }, (_, i) => i);
    expect(toHex(all)).toBe(Buffer.from(all).toString("hex"));
    expect(toHex(Uint8Array.of(0, 9, 10, 171, 255))).toBe("00090aabff");
    expect(toHex([])).toBe("");
  });

  it.each([4095, 4096, 4097, 8192, 100_001])("joins the pieces of %d bytes", (n) => {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 255);
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
  });
});

describe("fromHex", () => {
  it("reads two digits for each octet, in either case", () => {
    expect(fromHex("")).toEqual(new Uint8Array(0));
    expect(fromHex("00090aAbFf")).toEqual(Uint8Array.of(0, 9, 10, 171, 255));
  });
});

describe("equalBytes", () => {
  it("compares every byte and both lengths", () => {
    expect(equalBytes([], [])).toBe(true);
    expect(equalBytes([1, 2, 3], Uint8Array.of(1, 2, 3))).toBe(true);
    for (const other of [[0, 2, 3], [1, 0, 3], [1, 2, 0], [1, 2], [1, 2, 3, 4], []]) {
      expect(equalBytes([1, 2, 3], other)).toBe(false);
      expect(equalBytes(other, [1, 2, 3])).toBe(false);
    }
  });
});
