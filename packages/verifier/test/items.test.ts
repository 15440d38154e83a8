import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Encodable, encodeCbor, Tagged } from "../../signer/src/cbor.js";
import { hex } from "../../test-support/src/bytes.js";
import { checkItem, startReading } from "../src/cbor/reader.js";
import * as errors from "../src/spec/errors.generated.js";
import { decodeItem, type Item, readHead, readItem, readSlice } from "../src/tools/items.js";
import { refusalOf } from "./refusals.js";

/** The value that was encoded, from the tree alone. */
function decoded(data: Uint8Array, item: Item): Encodable {
  const content = data.subarray(item.body, item.end);
  const exact = (BigInt(item.high) << 32n) | BigInt(item.low);
  switch (item.kind) {
    case "unsigned":
      return exact;
    case "negative":
      return -1n - exact;
    case "bytes":
      return Uint8Array.from(content);
    case "text":
      return new TextDecoder().decode(content);
    case "array":
      return item.items.map((one) => decoded(data, one));
    case "map": {
      const out = new Map<Encodable, Encodable>();
      for (let i = 0; i < item.items.length; i += 2)
        out.set(decoded(data, item.items[i] as Item), decoded(data, item.items[i + 1] as Item));
      return out;
    }
    case "tag":
      return new Tagged(item.value, decoded(data, item.items[0] as Item));
    default:
      return item.value === 22 ? null : item.value === 21;
  }
}

const { any } = fc.letrec<{ any: Encodable }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.constantFrom(true, false, null),
    fc.array(tie("any"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.nat(99), tie("any")), { maxLength: 4, selector: ([k]) => k })
      .map((pairs) => new Map<Encodable, Encodable>(pairs)),
    fc.tuple(fc.nat(1000), tie("any")).map(([tag, value]) => new Tagged(tag, value)),
  ),
}));

describe("the tree of items", () => {
  it("holds all that was encoded", () => {
    fc.assert(
      fc.property(any, (value) => {
        const data = encodeCbor(value);
        const item = decodeItem(data);
        expect([item.at, item.end]).toEqual([0, data.length]);
        expect(encodeCbor(decoded(data, item))).toEqual(data);
      }),
      { numRuns: 300 },
    );
  });

  it("reads a range, and refuses bytes after the item in it", () => {
    const data = hex("ffff8201411fff");
    expect(decodeItem(data, { at: 2, n: 4 })).toMatchObject({ kind: "array", at: 2, end: 6, value: 2 });
    expect(refusalOf(decodeItem, data, { at: 3, n: 3 })).toEqual([errors.CBOR_TRAILING, 4]);
  });

  it("gives each kind its value, and items to none but arrays, maps and tags", () => {
    const rows: [string, string, number, number][] = [
      ["1903e8", "unsigned", 1000, 0],
      ["20", "negative", -1, 0],
      ["3903e7", "negative", -1000, 0],
      ["420102", "bytes", 2, 0],
      ["626162", "text", 2, 0],
      ["820102", "array", 2, 2],
      ["a10102", "map", 1, 2],
      ["d86b01", "tag", 107, 1],
      ["f6", "simple", 22, 0],
    ];
    for (const [text, kind, value, n] of rows) {
      const item = decodeItem(hex(text));
      expect([item.kind, item.value, item.items.length], text).toEqual([kind, value, n]);
    }
  });

  it("keeps the items that it has made, and shows them to what lists all members", () => {
    const item = decodeItem(hex("8101"));
    expect(item.items).toBe(item.items);
    expect(JSON.parse(JSON.stringify(item))).toEqual({
      ...{ kind: "array", at: 0, body: 1, end: 2, value: 1, high: 0, low: 1 },
      items: [{ kind: "unsigned", at: 1, body: 2, end: 2, value: 1, high: 0, low: 1, items: [] }],
    });
  });

  it("reads a head, an item or a range in the middle of other bytes", () => {
    const data = hex("ff82420102f6ff");
    expect(readHead(data, 1)).toEqual({ kind: "array", at: 1, body: 2, value: 2, high: 0, low: 2 });
    // what follows a head is not read
    expect(readHead(data.subarray(0, 2), 1)).toMatchObject({ kind: "array", value: 2 });
    expect(refusalOf(readItem, data.subarray(0, 2), 1)[0]).toBe(errors.CBOR_TRUNCATED);
    expect(readItem(data, 2)).toMatchObject({ kind: "bytes", at: 2, body: 3, end: 5 });
    expect(readItem(data, 1).items.map(({ kind }) => kind)).toEqual(["bytes", "simple"]);
    expect(Array.from(readSlice(startReading(data), { at: 3, n: 2 }))).toEqual([1, 2]);
  });

  it("leaves the order of keys to the caller, and nothing else", () => {
    expect(decodeItem(hex("a202000100")).items).toHaveLength(4);
    for (const text of ["1800", "9fff", "1c", "f97e00", "f800", "f7", "62c328", "0000", "5a0000000501", "8201", "a101", ""]) {
      const [code, at] = refusalOf(checkItem, hex(text));
      expect(code, text).not.toBe(0);
      expect(refusalOf(decodeItem, hex(text)), text).toEqual([code, at]);
    }
  });

  it("reads any depth and any number of items without a stack, and makes only requested ones", () => {
    const deep = hex(`${"81".repeat(20_000)}00`);
    let item = decodeItem(deep);
    for (let i = 0; i < 20; i++) item = item.items[0] as Item;
    expect(item).toMatchObject({ kind: "array", at: 20, value: 1, end: deep.length });
    const wide = new Uint8Array(400_005);
    wide.set([0x9a, 0, 0x06, 0x1a, 0x80]);
    expect(decodeItem(wide)).toMatchObject({ value: 400_000 });
  });

  it("refuses counts that no input can hold", () => {
    expect(refusalOf(decodeItem, hex("9bffffffffffffffff"))[0]).toBe(errors.CBOR_TRUNCATED);
    expect(refusalOf(decodeItem, hex("5bffffffffffffffff"))[0]).toBe(errors.CBOR_RANGE);
    expect(refusalOf(decodeItem, hex("d86b"))[0]).toBe(errors.CBOR_TRUNCATED);
  });
});
