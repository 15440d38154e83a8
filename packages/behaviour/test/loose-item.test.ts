// Well-formed CBOR in any encoding, which only tools read.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { looseDiagnostic } from "../src/notation/diagnostic.js";
import { looseItem, looseItemIn, NotWellFormed } from "../src/notation/loose-item.js";
import { looseLines, looseTree } from "../src/notation/loose-tree.js";

const wrongIn = (bytes: string) => looseItem(hex(bytes)).wrong;
const MIB = 1 << 20;

describe.skipIf(!haveVectors)(`RFC 8949${haveVectors ? "" : " (skipped: no third-party vectors)"}`, () => {
  it("appendix A: every item is read", () => {
    const all = vectorJson<{ hex: string }[]>("cbor/rfc8949-appendix-a.json").filter((one) => one.hex !== "f818");
    expect(all.length).toBe(81);
    for (const one of all) expect([one.hex, looseItem(hex(one.hex)).end]).toEqual([one.hex, one.hex.length / 2]);
  });

  it("appendix F: no malformed item is", () => {
    const all = Object.values(vectorJson<{ [kind: string]: string[] }>("cbor/rfc8949-appendix-f.json")).flat();
    expect(all.length).toBeGreaterThan(90);
    for (const one of all) expect(() => looseItem(hex(one)), one).toThrow(NotWellFormed);
  });
});

describe("an item in any encoding", () => {
  it.each([
    ["1801", "not in its shortest form"],
    ["1900ff", "not in its shortest form"],
    ["1b00000000ffffffff", "not in its shortest form"],
    ["9f01ff", "of indefinite length"],
    ["5f4101ff", "of indefinite length"],
    ["f93c00", "not used by SUIT"],
    ["61ff", "not UTF-8"],
    ["01", undefined],
    ["1818", undefined],
  ])("%s: %s", (bytes, wrong) => expect(wrongIn(bytes)).toBe(wrong));

  it.each([
    ["a202000100", "out of order: keys ascend"],
    ["a201000100", "given twice"],
  ])("%s: its second key is %s", (bytes, wrong) => expect(looseItem(hex(bytes)).items[2]?.wrong).toBe(wrong));

  it.each([
    ["1b20000000000001", undefined],
    ["1bffffffffffffffff", "18446744073709551615"],
    ["3bffffffffffffffff", "-18446744073709551616"],
    ["f98000", "-0.0"],
    ["f97e00", "NaN"],
    ["f90001", "5.960464477539063e-8"],
    ["f7", "undefined"],
    ["f8ff", "simple(255)"],
    ["5f42010243030405ff", "(_ h'0102', h'030405')"],
    ["bf6161019fffff", undefined],
    ["c101", "1(1)"],
  ])("%s is %s", (bytes, text) => {
    if (text === undefined) expect(looseItemIn(hex(bytes))).toBeUndefined();
    else expect(looseDiagnostic(hex(bytes), 100)).toBe(text);
  });

  it("is read, shown, or not well-formed: whatever the bytes are", () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((tail) => Uint8Array.of(0xa2, 0x03, 0x58, tail.length, ...tail, 0x02, 0x40)),
        ),
        (one) => {
          if (!looseItemIn(one)) return;
          const { root } = looseTree(one, 100, { at: one.length >> 1, words: "here" });
          const lines = looseLines(root);
          expect(lines.filter((line) => line.includes("here")).length).toBe(1);
          looseDiagnostic(one, 100);
        },
      ),
      { numRuns: LONG ? 20_000 : 500, seed: 7 },
    );
  });

  it.each([
    ["arrays in arrays", () => new Uint8Array(MIB).fill(0x81).fill(0, MIB - 1)],
    ["arrays without an end", () => new Uint8Array(MIB).fill(0x9f, 0, MIB / 2).fill(0xff, MIB / 2)],
    ["tags on tags", () => new Uint8Array(MIB).fill(0xc1).fill(0, MIB - 1)],
    [
      "a map without an end",
      () =>
        new Uint8Array(MIB)
          .fill(0)
          .fill(0xbf, 0, 1)
          .fill(0xff, MIB - 1),
    ],
    [
      "parts of a string",
      () =>
        new Uint8Array(MIB + 2)
          .fill(0x40)
          .fill(0x5f, 0, 1)
          .fill(0xff, MIB + 1),
    ],
  ])("of a megabyte of %s is cut, and says so", (_, make) => {
    const bytes = make();
    const lines = looseLines(looseTree(bytes, 100).root);
    expect(lines.length).toBeLessThan(70_000);
    expect(lines.join("\n").length).toBeLessThan(8 * MIB);
    expect(lines.some((line) => line.includes("than are shown") || line.includes("indefinite"))).toBe(true);
    expect(looseDiagnostic(bytes, 100).length).toBeLessThan(8 * MIB);
  });

  it("byte strings in byte strings are opened to a depth only", () => {
    // run-sequence in run-sequence
    let inside = hex("820300");
    for (let i = 0; i < 2_000; i++)
      inside = Uint8Array.of(0x82, 0x18, 0x20, 0x5a, 0, 0, inside.length >> 8, inside.length & 255, ...inside);
    const bytes = Uint8Array.of(
      0xa1,
      0x03,
      0x59,
      (inside.length + 5) >> 8,
      (inside.length + 5) & 255,
      0xa1,
      0x14,
      0x59,
      inside.length >> 8,
      inside.length & 255,
      ...inside,
    );
    const lines = looseLines(looseTree(bytes, 8).root);
    expect(lines.length).toBeLessThan(80);
    expect(looseDiagnostic(bytes, 8).length).toBeLessThan(20_000);
  });
});
