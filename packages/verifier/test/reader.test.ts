// The reader at its edges: each form of a head, the bounds of lengths, order and depth, and UTF-8 (RFC 8949 §3, §4.2.1; RFC 3629 §4), with the
// offset where it stops.

import { describe, expect, it } from "vitest";
import { hex, text } from "../../../test-vectors/src/pieces/assemble.js";
import { hex as octets, sourceOf } from "../../test-support/src/bytes.js";
import {
  bool,
  checkEnd,
  checkItem,
  int,
  map,
  peekType,
  SIMPLE,
  seek,
  simple,
  startReading,
  stop,
  TSTR,
  tag,
  tstr,
  uint,
  uint64,
} from "../src/cbor/reader.js";
import * as E from "../src/spec/errors.generated.js";
import { refusalOf } from "./refusals.js";

const nested = (n: number, inner: string): string => "81".repeat(n) + inner;
const deep = (n: number): string => "a100".repeat(n);
/** A map with one key, a text of n bytes. */
const keyed = (n: number): string => `a1${hex(text("k".repeat(n)))}00`;
describe("one item", () => {
  it.each([
    // arguments, each at the ends of its length
    ["17"],
    ["1818"],
    ["18ff"],
    ["190100"],
    ["19ffff"],
    ["1a00010000"],
    ["1affffffff"],
    ["1b0000000100000000"],
    ["1bffffffffffffffff"],
    ["37"],
    ["3818"],
    ["3bffffffffffffffff"],
    ["f4"],
    ["f5"],
    ["f6"],
    ["40"],
    ["41ff"],
    ["5818" + "00".repeat(24)],
    ["60"],
    ["6161"],
    ["80"],
    ["8100"],
    ["820000"],
    ["a0"],
    ["a10000"],
    ["9818" + "00".repeat(24)],
    // keys in bytewise order, shorter ones first
    ["a200000100"],
    ["a217001818 00"],
    ["a200002000"],
    ["a22000410000"],
    ["a221002200"],
    ["a24100006000"],
    ["a26161006162 00"],
    ["a2616100626161 00"],
    // the vendor's tag
    ["d87000"],
    ["d87041ff"],
    ["d8706161"],
    ["d87080"],
    ["81d87000"],
    ["a100d87000"],
    ["d870a10000"],
    ["82d8700000"],
    [nested(8, "00")],
    [deep(8) + "00"],
    [nested(7, "80")],
    [nested(8, "4100")],
    // keys in the order of their bytes: the first one that differs counts
    ["a218f40018f500"],
    ["a218ff002000"],
    // a key that is as long as one may be
    [keyed(1097)],
  ])("%s is read", (item) => {
    expect(refusalOf(checkItem, octets(item))).toEqual([0, 0]);
    expect(refusalOf(checkItem, sourceOf(octets(item)))).toEqual([0, 0]);
  });

  it.each<[string, number, number]>([
    ["", E.CBOR_TRUNCATED, 0],
    ["18", E.CBOR_TRUNCATED, 0],
    ["1901", E.CBOR_TRUNCATED, 0],
    ["1a000100", E.CBOR_TRUNCATED, 0],
    ["1b00000001000000", E.CBOR_TRUNCATED, 0],
    ["1817", E.CBOR_NOT_SHORTEST, 0],
    ["1900ff", E.CBOR_NOT_SHORTEST, 0],
    ["1a0000ffff", E.CBOR_NOT_SHORTEST, 0],
    ["1b00000000ffffffff", E.CBOR_NOT_SHORTEST, 0],
    ["3817", E.CBOR_NOT_SHORTEST, 0],
    ["581700", E.CBOR_NOT_SHORTEST, 0],
    ["1c", E.CBOR_RESERVED, 0],
    ["1d", E.CBOR_RESERVED, 0],
    ["1e", E.CBOR_RESERVED, 0],
    ["fc", E.CBOR_RESERVED, 0],
    ["1f", E.CBOR_INDEFINITE, 0],
    ["5f", E.CBOR_INDEFINITE, 0],
    ["9f", E.CBOR_INDEFINITE, 0],
    ["ff", E.CBOR_INDEFINITE, 0],
    ["e0", E.CBOR_SIMPLE, 0],
    ["f3", E.CBOR_SIMPLE, 0],
    ["f7", E.CBOR_SIMPLE, 0],
    ["f8", E.CBOR_SIMPLE, 0],
    ["f820", E.CBOR_SIMPLE, 0],
    ["f93c00", E.CBOR_SIMPLE, 0],
    ["fa00000000", E.CBOR_SIMPLE, 0],
    ["fb0000000000000000", E.CBOR_SIMPLE, 0],
    // as long as what is there, and one more
    ["41", E.CBOR_TRUNCATED, 0],
    ["4200", E.CBOR_TRUNCATED, 0],
    ["6261", E.CBOR_TRUNCATED, 0],
    ["81", E.CBOR_TRUNCATED, 0],
    ["8200", E.CBOR_TRUNCATED, 0],
    ["a1", E.CBOR_TRUNCATED, 0],
    ["a100", E.CBOR_TRUNCATED, 0],
    ["a2000001", E.CBOR_TRUNCATED, 0],
    ["8118", E.CBOR_TRUNCATED, 1],
    ["8141", E.CBOR_TRUNCATED, 1],
    ["d870", E.CBOR_TRUNCATED, 2],
    ["82a0", E.CBOR_TRUNCATED, 0],
    ["8281 00", E.CBOR_TRUNCATED, 3],
    // behind the item
    ["0000", E.CBOR_TRAILING, 1],
    ["4000", E.CBOR_TRAILING, 1],
    ["800000", E.CBOR_TRAILING, 1],
    ["a1000000", E.CBOR_TRAILING, 3],
    // keys
    ["a200000000", E.CBOR_KEY_DUPLICATE, 3],
    ["a26161006161 00", E.CBOR_KEY_DUPLICATE, 4],
    ["a201000000", E.CBOR_KEY_ORDER, 3],
    ["a21818001700", E.CBOR_KEY_ORDER, 4],
    ["a2200018ff00", E.CBOR_KEY_ORDER, 3],
    ["a218f50018f400", E.CBOR_KEY_ORDER, 4],
    ["a26161000000", E.CBOR_KEY_ORDER, 4],
    ["a2616200616100", E.CBOR_KEY_ORDER, 4],
    ["a2626161006162 00", E.CBOR_KEY_ORDER, 5],
    ["a2200000 00", E.CBOR_KEY_ORDER, 3],
    // behind a map inside: the order is that of the map around it
    ["a200a1050004 00", 0, 0],
    ["a205a100000400", E.CBOR_KEY_ORDER, 5],
    ["a205a100000500", E.CBOR_KEY_DUPLICATE, 5],
    ["a2058100 0500", E.CBOR_KEY_DUPLICATE, 4],
    [keyed(1098), E.CBOR_KEY_LENGTH, 1],
    // what is not a key, and what no tag may hold
    ["a18000", E.CBOR_TYPE, 1],
    ["a1a000", E.CBOR_TYPE, 1],
    ["a1f400", E.CBOR_TYPE, 1],
    ["a1d8700000", E.CBOR_TYPE, 1],
    ["c000", E.CBOR_TYPE, 0],
    ["d86f00", E.CBOR_TYPE, 0],
    ["d87100", E.CBOR_TYPE, 0],
    ["d870d87000", E.CBOR_TYPE, 2],
    ["db000000010000007000", E.CBOR_TYPE, 0],
    [nested(9, "00"), E.CBOR_DEPTH, 8],
    [`${deep(8)}8100`, E.CBOR_DEPTH, 16],
    [nested(8, "80"), E.CBOR_DEPTH, 8],
  ])("%s: %i at %i", (item, code, at) => {
    expect(refusalOf(checkItem, octets(item))).toEqual([code, at]);
    expect(refusalOf(checkItem, sourceOf(octets(item)))).toEqual([code, at]);
  });

  it("is exact as a number below 2^53, and in two halves up to 2^64", () => {
    const numbers: [string, number][] = [
      ["00", 0],
      ["20", -1],
      ["1b001fffffffffffff", 2 ** 53 - 1],
      ["3b001ffffffffffffe", 1 - 2 ** 53],
      ["1b0000000100000002", 2 ** 32 + 2],
    ];
    for (const [item, n] of numbers) {
      startReading(octets(item));
      expect(int(), item).toBe(n);
    }
    for (const item of ["1b0020000000000000", "1bffffffffffffffff", "3b0020000000000000"]) {
      startReading(octets(item));
      expect(refusalOf(int), item).toEqual([E.CBOR_RANGE, 0]);
    }
    for (const [item, halves] of [
      ["1bfffffffefffffffd", [4294967294, 4294967293]],
      ["1affffffff", [0, 4294967295]],
      ["17", [0, 23]],
    ] as const) {
      startReading(octets(item));
      expect(uint64(), item).toEqual(halves);
    }
    startReading(octets("20"));
    expect(refusalOf(uint64)).toEqual([E.CBOR_TYPE, 0]);
  });

  it("is not text, and not an object without a length", () => {
    for (const nothing of [
      null,
      undefined,
      {},
      { length: -1 },
      { length: Number.NaN },
      { length: 1.5 },
      { length: Number.POSITIVE_INFINITY },
    ])
      expect(refusalOf(checkItem, nothing)).toEqual([E.CBOR_TRUNCATED, -1]);
  });
});
describe("a caller", () => {
  it("gets simple values, and no null for a truth value", () => {
    for (const [item, value] of [
      ["f4", false],
      ["f5", true],
    ] as const) {
      startReading(octets(item));
      expect(bool()).toBe(value);
    }
    startReading(octets("f6"));
    expect(refusalOf(bool)).toEqual([E.CBOR_TYPE, 0]);
    startReading(octets("f6"));
    expect(simple()).toBe(22);
    startReading(octets("00"));
    expect(refusalOf(simple)).toEqual([E.CBOR_TYPE, 0]);
  });
  it("learns which item comes next, and at the end that there is none", () => {
    const src = startReading(octets("616100"));
    expect([peekType(), stop]).toEqual([TSTR, 3]);
    tstr();
    seek(src, 2, 2);
    expect(peekType()).toBe(SIMPLE);
    expect(refusalOf(uint)).toEqual([E.CBOR_TRUNCATED, 2]);
  });
  it("gets the tag that it asks for, or its own refusal", () => {
    for (const [item, wanted] of [
      ["d86b00", [0, 0]],
      ["d86c00", [E.OLD_DRAFT, 0]],
      ["186b", [E.OLD_DRAFT, 0]],
    ] as const) {
      startReading(octets(item));
      expect(refusalOf(tag, 107, E.OLD_DRAFT), item).toEqual(wanted);
    }
  });
  it("gets as many pairs as there are octets for, at least two for each", () => {
    startReading(octets("a10000"));
    expect(map()).toBe(1);
    for (const item of ["a100", "a3000000000000".slice(0, 12), "bb001fffffffffffff00"]) {
      startReading(octets(item));
      expect(refusalOf(map)).toEqual([E.CBOR_TRUNCATED, 0]);
    }
    startReading(octets("a10000"));
    expect(refusalOf(checkEnd)).toEqual([E.CBOR_TRAILING, 0]);
  });
});
describe("UTF-8", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const agrees = (b: number[]): void => {
    let good = true;
    try {
      strict.decode(Uint8Array.from(b));
    } catch {
      good = false;
    }
    const code = refusalOf(checkItem, Uint8Array.from(text(b)))[0];
    if (code !== (good ? 0 : E.CBOR_UTF8)) expect.fail(`${hex(b)}: ${code}`);
  };
  it("is what Node accepts as UTF-8, at each lead byte and each edge of the following ones", () => {
    for (let lead = 0; lead < 256; lead++) {
      agrees([lead]);
      for (const second of edges) {
        agrees([lead, second]);
        if (lead > 0xdf)
          for (const third of edges) {
            agrees([lead, second, third]);
            if (lead > 0xef) for (const fourth of edges) agrees([lead, second, third, fourth]);
          }
      }
    }
  });
  it("is also checked after the first character", () => {
    for (const b of [
      [0xc2, 0x80, 0xff],
      [0xc2, 0x80, 0x41],
      [0xe0, 0xa0, 0x80, 0xc2, 0x80],
      [0xf0, 0x90, 0x80, 0x80, 0x41, 0x41],
      [0xe0, 0xa0, 0x80, 0x41, 0xc2],
      [0xf0, 0x90, 0x80, 0x80, 0xed, 0xa0, 0x80],
      [0xed, 0x9f, 0xbf, 0xe0, 0x9f, 0xbf],
    ])
      agrees(b);
  });
});
