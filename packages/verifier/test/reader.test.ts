// The reader at its edges: each form of a head, the bounds of lengths, order and depth, and UTF-8 (RFC 8949 §3, §4.2.1; RFC 3629 §4), with the
// offset where it stops.

import { describe, expect, it } from "vitest";
import { hex, text } from "../../../test-vectors/src/pieces/assemble.js";
import {
  bool,
  bstr,
  checkEnd,
  checkItem,
  chunkOf,
  copyBytes,
  feed,
  type Input,
  inputOf,
  int,
  load,
  map,
  peekType,
  SIMPLE,
  seek,
  shrink,
  simple,
  startReading,
  stop,
  TSTR,
  tag,
  tstr,
  uint,
  uint64,
} from "../src/cbor/reader.js";
import type { Source } from "../src/index.js";
import * as E from "../src/spec/errors.js";
import { refusalOf } from "./refusals.js";

const octets = (s: string): Uint8Array => new Uint8Array(Buffer.from(s.replaceAll(" ", ""), "hex"));
const sourceOf = (b: Uint8Array): Source => ({ length: b.length, read: (at, n) => b.slice(at, at + n) });
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
    // what is no key, and what no tag may hold
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

  it("is no text, and no object without a length", () => {
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

describe("a Source", () => {
  const good = octets("8341aa41bb41cc");
  it("that gives too little, too much or nothing is refused", () => {
    for (const read of [
      (at: number, n: number) => good.slice(at, at + n - 1),
      (at: number) => good.slice(at, at + 9).slice(0, 1),
      () => undefined,
      () => new Uint8Array(99),
    ])
      expect(refusalOf(checkItem, { length: good.length, read })[0]).toBe(E.CBOR_TRUNCATED);
  });
  it.each<[string, (src: Input) => void]>([
    ["the input", () => startReading(octets("00"))],
    ["the input alone", (src) => seek(inputOf(good), 1, src.n)],
    ["the next byte", (src) => seek(src, 0, src.n)],
    ["the end", (src) => seek(src, 1, src.n - 1)],
  ])("that changes %s while it is read is refused", (_, change) => {
    let src: Input | undefined;
    const read = (at: number, n: number) => {
      if (src) change(src);
      return good.slice(at, at + n);
    };
    src = inputOf({ length: good.length, read });
    seek(src, 1, good.length);
    expect(refusalOf(copyBytes, src, 0, 3)[0]).toBe(E.CBOR_TRUNCATED);
    src = undefined;
    expect(refusalOf(checkItem, { length: good.length, read })).toEqual([0, 0]);
  });
  it("whose chunk is not a number of bytes is read in chunks of 1024", () => {
    for (const chunk of [undefined, 0, 1.5, -4, 65536, Number.NaN, "8"])
      expect(chunkOf(inputOf({ length: 1, read: () => [0], chunk } as never)), `${chunk}`).toBe(chunk === 65536 ? 65536 : 1024);
  });
});

describe("what is read of a Source", () => {
  const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 7) & 255);
  function watched(b: Uint8Array, more: Partial<Source> = {}) {
    const reads: [number, number][] = [];
    const read = (at: number, n: number) => {
      reads.push([at, n]);
      return b.slice(at, at + n);
    };
    return { source: { length: b.length, read, ...more } as Source, reads };
  }
  const readsOf = (item: string) => {
    const { source, reads } = watched(octets(item));
    checkItem(source);
    return reads;
  };

  it("is 64 octets at a time, each once, and nothing behind the end", () => {
    expect(readsOf(`98c6${"00".repeat(198)}`)).toEqual([
      [0, 64],
      [64, 64],
      [128, 64],
      [192, 8],
    ]);
  });
  it("leaves out what byte strings hold", () => {
    expect(readsOf(`82590bb8${"aa".repeat(3000)}00`)).toEqual([
      [0, 64],
      [3004, 1],
    ]);
    // also where what is passed over is shorter than a key
    expect(readsOf(`8259012c${"aa".repeat(300)}00`)).toEqual([
      [0, 64],
      [304, 1],
    ]);
    const { source, reads } = watched(octets(`59012c${"aa".repeat(300)}6161`));
    startReading(source);
    bstr();
    expect(peekType()).toBe(TSTR);
    expect(reads).toEqual([
      [0, 64],
      [303, 2],
    ]);
  });
  it("lies in a window that is as long as two keys at most, however long a text is", () => {
    const item = `792710${"61".repeat(10_000)}`;
    let widest = 0;
    const b = octets(item);
    const src = startReading({
      length: b.length,
      read: (at, n) => {
        widest = Math.max(widest, src.window.octets.length);
        return b.slice(at, at + n);
      },
    });
    tstr();
    expect(widest).toBeGreaterThan(1100);
    expect(widest).toBeLessThanOrEqual(2 * 1100 + 64);
  });
  it("is read where it is held, and not of the Source once more", () => {
    const { source, reads } = watched(octets("820102"));
    const src = inputOf(source);
    load(src, { at: 0, n: 3 });
    seek(src, 1, 3);
    expect([uint(), uint()]).toEqual([1, 2]);
    expect(reads).toEqual([[0, 3]]);
    // nothing is held there
    shrink(inputOf(source), { at: 1, n: 1 }, [9]);
  });
  it("is each octet of a key once, wherever the key lies", () => {
    for (const n of [1, 20, 29, 30, 61, 62, 63, 64, 65, 200, 1090]) {
      const keys = Array.from({ length: 12 }, (_, i) => text("k".repeat(n - 1) + String.fromCharCode(97 + i)));
      const item = `ac${keys.map((k) => `${hex(k)}00`).join("")}`;
      const seen = new Array(item.length / 2).fill(0);
      for (const [at, count] of readsOf(item)) for (let i = 0; i < count; i++) seen[at + i]++;
      expect(new Set(seen), `${n}`).toEqual(new Set([1]));
    }
  });
  it("is a chunk of the Source's at a time where it is copied, handed on or held", () => {
    const b = bytes(3000);
    const small = watched(b, { chunk: 4 });
    expect(chunkOf(inputOf(small.source))).toBe(4);
    expect(copyBytes(inputOf(small.source), 3, 4)).toEqual(b.slice(3, 7));
    expect(copyBytes(inputOf(small.source), 10, 10)).toEqual(b.slice(10, 20));
    expect(small.reads).toEqual([
      [3, 4],
      [10, 4],
      [14, 4],
      [18, 2],
    ]);
    const pieces: number[][] = [];
    feed(inputOf(small.source), { at: 5, n: 9 }, (piece) => pieces.push(Array.from(piece)));
    expect(pieces).toEqual([Array.from(b.slice(5, 9)), Array.from(b.slice(9, 13)), Array.from(b.slice(13, 14))]);
    const large = watched(b);
    const sizes: number[] = [];
    feed(inputOf(large.source), { at: 0, n: 2500 }, (piece) => sizes.push(piece.length));
    expect(sizes).toEqual([1024, 1024, 452]);
    feed(inputOf(large.source), { at: 7, n: 0 }, () => expect.fail("there is nothing"));
  });
  it("is not read again while it is held, nor beside what is given back", () => {
    const b = bytes(100);
    const { source, reads } = watched(b, { chunk: 16 });
    const src = inputOf(source);
    load(src, { at: 10, n: 10 });
    load(src, { at: 40, n: 5 });
    expect(reads.splice(0)).toEqual([
      [10, 10],
      [40, 5],
    ]);
    expect([copyBytes(src, 12, 3), copyBytes(src, 19, 1), copyBytes(src, 40, 5)]).toEqual([
      b.slice(12, 15),
      b.slice(19, 20),
      b.slice(40, 45),
    ]);
    expect(reads).toEqual([]);
    expect(copyBytes(src, 15, 10)).toEqual(b.slice(15, 25));
    expect(reads.splice(0)).toEqual([[20, 5]]);
    expect(copyBytes(src, 9, 1)).toEqual(b.slice(9, 10));
    expect(copyBytes(src, 20, 1)).toEqual(b.slice(20, 21));
    expect(reads.splice(0)).toEqual([
      [9, 1],
      [20, 1],
    ]);
    shrink(src, { at: 12, n: 4 }, Uint8Array.of(1, 2, 3, 4));
    expect([copyBytes(src, 12, 4), copyBytes(src, 40, 5)]).toEqual([Uint8Array.of(1, 2, 3, 4), b.slice(40, 45)]);
    expect(reads).toEqual([]);
    expect([copyBytes(src, 11, 1), copyBytes(src, 16, 1)]).toEqual([b.slice(11, 12), b.slice(16, 17)]);
    expect(reads).toHaveLength(2);
  });
  it("is held up to 65,536 octets in all", () => {
    const { source, reads } = watched(bytes(70_000));
    const src = inputOf(source);
    load(src, { at: 0, n: 60_000 });
    load(src, { at: 60_000, n: 5536 });
    expect(refusalOf(load, src, { at: 65_536, n: 1 })[0]).toBe(E.HEAD_LENGTH);
    reads.length = 0;
    expect(refusalOf(load, inputOf(source), { at: 0, n: 65_537 })[0]).toBe(E.HEAD_LENGTH);
    expect(reads).toEqual([]);
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
  it("is told of the item that comes next, and of none at the end", () => {
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
  it("is what node takes for it, at each lead byte and each edge of those that follow", () => {
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
  it("is checked behind the first character, too", () => {
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
