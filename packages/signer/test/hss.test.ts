import { createHash } from "node:crypto";
import { hsslms } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { hex, toHex } from "../../test-support/src/bytes.js";
import { LONG, some } from "../../test-support/src/environment/effort.js";
import { digestInto } from "../src/hss/hash.js";
import { type HssParams, hssCapacity, hssSignatureLength } from "../src/hss/params.js";
import { hssPlaces, hssPublicKey, hssSign, hssTop, hssTrees } from "../src/hss/stack.js";
import { formatHss, parseHss } from "../src/hss/text.js";
import { cachedCount, cachedHeight, cachedNodes, childTree, type LmsTree, lmsPublicKey, lmsSign, rootOf } from "../src/hss/tree.js";
import { fromCose, fromRaw, KeyError, privateKey, publicKey, thumbprint, toCose, toJwk } from "../src/index.js";

const text = (s: string) => new TextEncoder().encode(s);
/** Bytes that follow from a name. */
const named = (name: string, n: number) => new Uint8Array(createHash("sha512").update(name).digest().subarray(0, n));

const floors = new Map<string, Uint8Array>();

/** The kept nodes of a tree, made once: many tests sign with the same ones. */
function whole(tree: LmsTree): Uint8Array {
  const name = [tree.n, tree.height, tree.width, toHex(tree.id), toHex(tree.seed)].join();
  const floor = floors.get(name) ?? cachedNodes(tree, 0, cachedCount(tree));
  floors.set(name, floor);
  return floor;
}
const stackOf = (params: HssParams) => hssTop(params, named("id", 16), named("seed", params.n));

function signed(params: HssParams, top: LmsTree, index: bigint, message: Uint8Array) {
  const trees = hssTrees(params, top, index);
  const floors = trees.map(whole);
  return { key: hssPublicKey(params, top, rootOf(top, floors[0]!)), signature: hssSign(params, trees, floors, index, message) };
}

describe("SHA-256", () => {
  it("is that of node:crypto at every length around the borders of blocks", () => {
    for (let length = 0; length < 200; length++) {
      const input = named(String(length), 64);
      const bytes = Uint8Array.from({ length: length + 7 }, (_, i) => input[i % 64]!);
      const out = new Uint8Array(34);
      digestInto(bytes, length, out, 1, 32);
      expect(toHex(out.subarray(1, 33))).toBe(createHash("sha256").update(bytes.subarray(0, length)).digest("hex"));
      expect([out[0], out[33]]).toEqual([0, 0]);
    }
  });
});

describe("published keys come out of their seeds", () => {
  it("RFC 8554 appendix F, test case 2: both trees", () => {
    const top = { n: 32, height: 10, width: 4, id: hex("d08fabd4a2091ff0a8cb4ed834e74534") } as const;
    const tree = { ...top, seed: hex("558b8966c48ae9cb898b423c83443aae014a72f1b1ab5cc85cf1d892903b5439") };
    const params = parseHss("10/4,5/8");
    expect(toHex(hssPublicKey(params, tree, rootOf(tree, whole(tree))))).toBe(
      "000000020000000600000003d08fabd4a2091ff0a8cb4ed834e7453432a58885cd9ba0431235466bff9651c6c92124404d45fa53cf161c28f1ad5a8e",
    );
    const lower = {
      n: 32,
      height: 5,
      width: 8,
      id: hex("215f83b7ccb9acbcd08db97b0d04dc2b"),
      seed: hex("a1c4696e2608035a886100d05cd99945eb3370731884a8235e2fb3d4d71f2547"),
    } as const;
    expect(toHex(lmsPublicKey(lower, rootOf(lower, whole(lower))))).toBe(
      "0000000500000004215f83b7ccb9acbcd08db97b0d04dc2ba1cd035833e0e90059603f26e07ad2aad152338e7a5e5984bcd5f7bb4eba40b7",
    );
  });

  it("RFC 9858 appendix A, SHA-256/192", () => {
    const tree = {
      n: 24,
      height: 5,
      width: 8,
      id: hex("202122232425262728292a2b2c2d2e2f"),
      seed: hex("000102030405060708090a0b0c0d0e0f1011121314151617"),
    } as const;
    expect(toHex(hssPublicKey(parseHss("n24:5/8"), tree, rootOf(tree, whole(tree))))).toBe(
      "000000010000000a00000008202122232425262728292a2b2c2d2e2f2c571450aed99cfb4f4ac285da14882796618314508b12d2",
    );
  });
});

describe("signatures verify", () => {
  const message = text("a firmware");

  for (const n of [32, 24] as const)
    for (const width of [1, 2, 4, 8] as const)
      it(`n ${n}, height 5, width ${width}: the first leaf and the last, and nothing else`, () => {
        const params: HssParams = { n, levels: [{ height: 5, width }] };
        const top = stackOf(params);
        for (const index of [0n, 31n]) {
          const { key, signature } = signed(params, top, index, message);
          expect(signature.length).toBe(hssSignatureLength(params));
          expect(hsslms.verify(key, message, signature, {})).toBe(true);
          expect(hsslms.verify(key, text("a firmwarf"), signature, {})).toBe(false);
          for (const at of [3, 11, 15, 40, signature.length - 1]) {
            const wrong = Uint8Array.from(signature);
            wrong[at]! ^= 1;
            expect(hsslms.verify(key, message, wrong, {}), `byte ${at}`).toBe(false);
          }
        }
      });

  it("of leaves all over a tree of height 10", () => {
    const params = parseHss("10/1");
    const top = stackOf(params);
    const floor = whole(top);
    const key = hssPublicKey(params, top, rootOf(top, floor));
    for (let q = 0; q < 1024; q += q < 16 ? 1 : LONG ? 17 : 211)
      expect(hsslms.verify(key, message, hssSign(params, [top], [floor], BigInt(q), message), {})).toBe(true);
    expect(() => hssSign(params, [top], [floor], 1024n, message)).toThrow(RangeError);
    expect(() => lmsSign(top, floor, -1, message)).toThrow(RangeError);
    expect(() => lmsSign(top, floor.subarray(32), 0, message)).toThrow(RangeError);
  });

  // trees of these heights are too large to be made here: all of the floor is random but the node above the leaf that signs
  const large = [
    [15, 4],
    [20, 8],
    [25, 1],
    [15, 8],
    [20, 4],
    [25, 2],
    [25, 4],
    [25, 8],
  ] as const;
  for (const [height, width] of LONG ? large : some(large, 2).slice(0, 2))
    for (const n of some([32, 24] as const, 2))
      it(`n ${n}, height ${height}, width ${width}: one real leaf among random nodes`, () => {
        const params: HssParams = { n, levels: [{ height, width }] };
        const top = stackOf(params);
        const count = cachedCount(top);
        const floor = new Uint8Array(count * n).fill(7);
        const leaf = 2 ** height - 2 ** (height - 3) - 5;
        const node = Math.floor(leaf / 2 ** cachedHeight(top));
        for (let i = node - 2; i < node + 3; i++) floor.set(named(`${height}/${i}`, n), i * n);
        floor.set(cachedNodes(top, node, node + 1), node * n);
        const key = hssPublicKey(params, top, rootOf(top, floor));
        const signature = hssSign(params, [top], [floor], BigInt(leaf), message);
        expect(signature.length).toBe(hssSignatureLength(params));
        expect(hsslms.verify(key, message, signature, {})).toBe(true);
        const view = new DataView(signature.buffer);
        expect(view.getUint32(4)).toBe(leaf);
      });

  it("stacks of 2, 3 and 8 levels, and across the border from one lower tree to the next", () => {
    for (const [levels, indices] of [
      ["5/2,5/1", [0n, 31n, 32n, 1023n]],
      ["n24:5/4,5/2,5/1", [0n, 1023n, 1024n, 32767n]],
      [Array(8).fill("5/1").join(","), [0n, 2n ** 40n - 1n, 2n ** 20n, 2n ** 35n - 1n]],
    ] as const) {
      const params = parseHss(levels);
      const top = stackOf(params);
      const keys = new Set<string>();
      for (const index of indices) {
        const { key, signature } = signed(params, top, index, message);
        keys.add(toHex(key));
        expect(signature.length).toBe(hssSignatureLength(params));
        expect(hsslms.verify(key, message, signature, {}), `${levels} ${index}`).toBe(true);
      }
      expect(keys.size).toBe(1);
      expect(() => hssPlaces(params, hssCapacity(params))).toThrow(RangeError);
    }
  });
});

describe("what a signature is a function of", () => {
  const params = parseHss("5/1,5/1");
  const top = stackOf(params);

  it("the same number and message give the same bytes; a lower tree's key is signed with the same bytes whatever the message", () => {
    const first = signed(params, top, 33n, text("one")).signature;
    expect(signed(params, top, 33n, text("one")).signature).toEqual(first);
    const upper = 4 + 12 + 32 * (1 + 265 + 5) + 56;
    for (const other of [signed(params, top, 33n, text("two")).signature, signed(params, top, 63n, text("one")).signature]) {
      expect(other.subarray(0, upper)).toEqual(first.subarray(0, upper));
      expect(other.subarray(upper)).not.toEqual(first.subarray(upper));
    }
    expect(signed(params, top, 64n, text("one")).signature.subarray(4, upper)).not.toEqual(first.subarray(4, upper));
  });

  it("trees, secrets and randomizers differ from leaf to leaf", () => {
    const level = { height: 5, width: 1 } as const;
    const children = Array.from({ length: 32 }, (_, q) => childTree(top, q, level));
    expect(new Set(children.flatMap((c) => [toHex(c.id), toHex(c.seed).slice(0, 32)])).size).toBe(64);
    const floor = whole(top);
    const c = Array.from({ length: 32 }, (_, q) => toHex(lmsSign(top, floor, q, text("m")).subarray(8, 40)));
    expect(new Set([...c, toHex(lmsSign(top, floor, 0, text("n")).subarray(8, 40))]).size).toBe(33);
  });

  it("parts of a floor are what the whole has there", () => {
    const tree = hssTop(parseHss("10/1"), named("id", 16), named("seed", 32));
    const all = whole(tree);
    expect(cachedNodes(tree, 100, 164)).toEqual(all.subarray(3200, 164 * 32));
  });
});

describe("parameters", () => {
  it("are read and written in one way", () => {
    for (const t of ["n32:15/4", "n24:10/4,10/8", `n32:${Array(8).fill("25/8").join(",")}`]) expect(formatHss(parseHss(t))).toBe(t);
    expect(formatHss(parseHss("5/8"))).toBe("n32:5/8");
    expect(hssCapacity(parseHss(Array(8).fill("25/8").join(",")))).toBe(2n ** 200n);
  });

  it.each(["", "15", "15/4,", ",15/4", "6/4", "30/4", "5/3", "5/16", "n16:5/4", "5/4;5/4", "-5/4", "5/4 ", Array(9).fill("5/4").join(",")])(
    "%s is refused",
    (t) => {
      expect(() => parseHss(t)).toThrow(KeyError);
    },
  );

  it("keep few nodes, and leave little to compute again", () => {
    for (const n of [32, 24] as const)
      for (const height of [5, 10, 15, 20, 25] as const)
        for (const width of [1, 2, 4, 8] as const) expect(cachedCount({ n, height, width })).toBeLessThanOrEqual(2 ** 18);
  });
});

describe("public keys", () => {
  const raw = hex("000000010000000a00000008202122232425262728292a2b2c2d2e2f2c571450aed99cfb4f4ac285da14882796618314508b12d2");
  const key = publicKey("hsslms", raw, text("kid"));

  it("go through COSE_Key (RFC 8778 §3) and their raw form", () => {
    expect(toHex(toCose(key))).toBe(`a40105024 36b6964 0338 2d 20 5834 ${toHex(raw)}`.replaceAll(" ", ""));
    expect(fromCose(toCose(key))).toEqual(key);
    expect(fromRaw(raw)).toEqual(publicKey("hsslms", raw));
    expect(toHex(thumbprint(key))).toBe(
      createHash("sha256")
        .update(hex(`a2 0105 20 5834 ${toHex(raw)}`))
        .digest("hex"),
    );
  });

  it("are refused if their type is not supported", () => {
    const changed = (at: number, value: number) => Uint8Array.from(raw, (b, i) => (i === at ? value : b));
    for (const bad of [changed(3, 0), changed(3, 9), changed(7, 15), changed(7, 5), changed(11, 3), raw.subarray(1), new Uint8Array(60)])
      expect(() => publicKey("hsslms", bad)).toThrow(KeyError);
    expect(() => toJwk(key)).toThrow("no JWK");
    expect(() => privateKey("hsslms", named("x", 32))).toThrow("has state");
    expect(() => fromCose(Uint8Array.of(0xa1, 1, 5))).toThrow("lacks pub");
  });
});
