// The reader on a Source: what it reads, and when.

import { describe, expect, it } from "vitest";
import { hex, text } from "../../../test-vectors/src/pieces/assemble.js";
import { countingBytes, hex as octets } from "../../test-support/src/bytes.js";
import {
  bstr,
  checkItem,
  chunkOf,
  copyBytes,
  feed,
  type Input,
  inputOf,
  load,
  peekType,
  seek,
  shrink,
  startReading,
  TSTR,
  tstr,
  uint,
} from "../src/cbor/reader.js";
import type { Source } from "../src/index.js";
import * as E from "../src/spec/errors.generated.js";
import { refusalOf } from "./refusals.js";

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
it("bytes in RAM are a Source that reads them in place, wherever they are", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i & 255);
  for (const at of [0, 65_500, 65_536, 69_990]) {
    const seen = inputOf(bytes).origin.read(at, 10) as Uint8Array;
    expect([seen.buffer === bytes.buffer, seen.byteOffset, seen.length], `${at}`).toEqual([true, at, 10]);
    expect(Array.from(inputOf(Array.from(bytes)).origin.read(at, 10))).toEqual(Array.from(bytes.subarray(at, at + 10)));
  }
});
describe("what is read of a Source", () => {
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

  it("is 64 octets at a time, each once, and nothing after the end", () => {
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
    // even if the skipped item is shorter than a key
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
  it("is in a window that is at most as long as two keys, however long a text is", () => {
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
  it("is read from RAM, and not from the Source again", () => {
    const { source, reads } = watched(octets("820102"));
    const src = inputOf(source);
    load(src, { at: 0, n: 3 });
    seek(src, 1, 3);
    expect([uint(), uint()]).toEqual([1, 2]);
    expect(reads).toEqual([[0, 3]]);
    // nothing is held there
    shrink(inputOf(source), { at: 1, n: 1 }, [9]);
  });
  it("is each octet of a key once, wherever the key is", () => {
    for (const n of [1, 20, 29, 30, 61, 62, 63, 64, 65, 200, 1090]) {
      const keys = Array.from({ length: 12 }, (_, i) => text("k".repeat(n - 1) + String.fromCharCode(97 + i)));
      const item = `ac${keys.map((k) => `${hex(k)}00`).join("")}`;
      const seen = new Array(item.length / 2).fill(0);
      for (const [at, count] of readsOf(item)) for (let i = 0; i < count; i++) seen[at + i]++;
      expect(new Set(seen), `${n}`).toEqual(new Set([1]));
    }
  });
  it("is a chunk of the Source at a time when it is copied, passed on or kept", () => {
    const b = countingBytes(3000);
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
  it("is not read again while it is held, or outside of what is returned", () => {
    const b = countingBytes(100);
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
    const { source, reads } = watched(countingBytes(70_000));
    const src = inputOf(source);
    load(src, { at: 0, n: 60_000 });
    load(src, { at: 60_000, n: 5536 });
    expect(refusalOf(load, src, { at: 65_536, n: 1 })[0]).toBe(E.HEAD_LENGTH);
    reads.length = 0;
    expect(refusalOf(load, inputOf(source), { at: 0, n: 65_537 })[0]).toBe(E.HEAD_LENGTH);
    expect(reads).toEqual([]);
  });
});
