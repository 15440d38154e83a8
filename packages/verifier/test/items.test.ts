import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Encodable, encodeCbor, Tagged } from "../../signer/src/cbor.js";
import { checkItem } from "../src/cbor/reader.js";
import * as errors from "../src/spec/errors.js";
import { decodeItem, type Item } from "../src/tools/items.js";
import { refusalOf } from "./refusals.js";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

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

  it("reads a stretch, and refuses what stands behind the item in it", () => {
    const data = bytes("ffff8201411fff");
    expect(decodeItem(data, { at: 2, n: 4 })).toMatchObject({ kind: "array", at: 2, end: 6, value: 2 });
    expect(refusalOf(decodeItem, data, { at: 3, n: 3 })).toEqual([errors.CBOR_TRAILING, 4]);
  });

  it("leaves the order of keys to the caller, and nothing else", () => {
    expect(decodeItem(bytes("a202000100")).items).toHaveLength(4);
    for (const hex of ["1800", "9fff", "1c", "f97e00", "f800", "f7", "62c328", "0000", "5a0000000501", "8201", "a101", ""]) {
      const [code, at] = refusalOf(checkItem, bytes(hex));
      expect(code, hex).not.toBe(0);
      expect(refusalOf(decodeItem, bytes(hex)), hex).toEqual([code, at]);
    }
  });

  it("reads any depth and any number of items without a stack, and makes none that nobody asks for", () => {
    const deep = bytes(`${"81".repeat(20_000)}00`);
    let item = decodeItem(deep);
    for (let i = 0; i < 20; i++) item = item.items[0] as Item;
    expect(item).toMatchObject({ kind: "array", at: 20, value: 1, end: deep.length });
    const wide = new Uint8Array(400_005);
    wide.set([0x9a, 0, 0x06, 0x1a, 0x80]);
    expect(decodeItem(wide)).toMatchObject({ value: 400_000 });
  });

  it("refuses counts that no input can hold", () => {
    expect(refusalOf(decodeItem, bytes("9bffffffffffffffff"))[0]).toBe(errors.CBOR_TRUNCATED);
    expect(refusalOf(decodeItem, bytes("5bffffffffffffffff"))[0]).toBe(errors.CBOR_RANGE);
    expect(refusalOf(decodeItem, bytes("d86b"))[0]).toBe(errors.CBOR_TRUNCATED);
  });
});
