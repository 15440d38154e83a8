// Refusals, and what happens to anything else that is thrown; anchors, which refuse a bad key when a device is set up.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hmac256 } from "../src/alg/hmac.js";
import { mark, markAt, type Refusal, refuse, rethrow } from "../src/base/refuse.js";
import type { Prepared } from "../src/base/types.js";
import { makeAnchor } from "../src/cose/anchor.js";
import * as E from "../src/spec/errors.generated.js";
import { isRefusal, REFUSAL_GROUPS, REFUSALS, refusalGroup, refusalOf as rowOf, throwRefusal } from "../src/tools/refusal-table.js";
import { refusalOf } from "./refusals.js";

const first = mark;

const thrown = (f: () => unknown): unknown => {
  try {
    f();
  } catch (e) {
    return e;
  }
  return expect.fail("nothing was thrown");
};

describe("a refusal", () => {
  it("has its number and where the item begins that is at fault, -1 where there is none", () => {
    expect(first).toBe(-1);
    markAt(7);
    const e = thrown(() => refuse(E.CBOR_TYPE)) as Refusal;
    expect([e instanceof Error, e.code, e.at, e.message]).toEqual([true, E.CBOR_TYPE, 7, `firmseal refusal ${E.CBOR_TYPE} at 7`]);
  });
  it("passes as it is", () => {
    const e = thrown(() => refuse(E.CBOR_TYPE));
    expect(thrown(() => rethrow(e))).toBe(e);
  });
  it.each<[string, unknown]>([
    ["an error", new Error("flash")],
    ["an error of the system, with a code of text", Object.assign(new Error("open"), { code: "ENOENT", at: 4 })],
    ["a number for a code, and no offset", { code: 5 }],
    ["a number for a code, and a text for an offset", { code: 5, at: "4" }],
    ["an offset alone", { at: 4 }],
    ["a text", "flash"],
    ["a number", 5],
    ["null", null],
    ["undefined", undefined],
    ["false", false],
  ])("is made of %s, with it as the cause", (_, cause) => {
    markAt(9);
    const e = thrown(() => rethrow(cause)) as Refusal & { cause: unknown };
    expect([e.code, e.at, e.cause]).toEqual([E.DEVICE_FAULT, -1, cause]);
    expect(e).not.toBe(cause);
  });
});

describe("an anchor", () => {
  const algs = { hmac256 } as { [name: string]: typeof hmac256 };
  const key = new Uint8Array(32).fill(0x61);
  it("has a key identifier if one was given", () => {
    expect(makeAnchor(hmac256, key, undefined)).toStrictEqual({ alg: hmac256, key, kid: undefined });
    expect(makeAnchor(hmac256, key, [1])).toStrictEqual({ alg: hmac256, key, kid: [1] });
  });
  it.each<[string, string, unknown, number]>([
    ["an algorithm that is not there", "es256", key, E.TRUST_POLICY],
    ["what every object has, for an algorithm", "toString", key, E.TRUST_POLICY],
    ["no key", "hmac256", undefined, E.ANCHOR_KEY],
    ["a key that is too short", "hmac256", key.slice(1), E.ANCHOR_KEY],
    ["a prepared key without a key", "hmac256", {}, E.ANCHOR_KEY],
    ["a table without its digest", "hmac256", { key, table: [] }, E.ANCHOR_KEY],
  ])("is not made of %s", (_, name, k, wanted) => {
    markAt(9);
    expect(refusalOf(makeAnchor, algs[name], k, undefined)).toEqual([wanted, -1]);
  });
  it("may have a table that has a digest", () => {
    const prepared = { key, table: [], digest: [1] } as unknown as Prepared;
    expect(makeAnchor(hmac256, prepared, undefined).key).toBe(prepared);
  });
});

describe("the table of refusals", () => {
  const numbers = new Map<string, number>(Object.entries(E));
  const generated = readFileSync(new URL("../src/spec/errors.generated.ts", import.meta.url), "utf8");
  const page = readFileSync(new URL("../../../docs/reference/errors.md", import.meta.url), "utf8")
    .replaceAll("`", "")
    // the text of a link
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .toLowerCase();
  it("is, row by row, in what is generated from it", () => {
    for (const { number, name, meaning, advice, source } of REFUSALS) {
      expect(numbers.get(name), name).toBe(number);
      // a link has the name of its page
      for (const text of [meaning, advice.replace(/docs\/\w+\/([\w-]+\.md)/g, "$1")]) expect(page).toContain(`| ${text.toLowerCase()}. |`);
      expect(source, name).toMatch(/^(RFC \d|M37|ours|[a-z-]+\.md#[a-z-]+$|[A-Z])/);
    }
    for (const { from, to, overflow, what } of REFUSAL_GROUPS)
      expect(generated).toContain(`// ${from}..${to}, then ${overflow.from}..${overflow.to}  ${what}\n`);
  });
  it("has its groups in order, and each number in one of them", () => {
    expect(REFUSAL_GROUPS.flatMap(({ from, to }) => [from, to])).toEqual([
      1, 19, 20, 49, 50, 69, 70, 89, 90, 109, 110, 129, 130, 139, 150, 159,
    ]);
    for (const { number } of REFUSALS) expect(REFUSAL_GROUPS).toContain(refusalGroup(number));
  });
  it("continues each group in an overflow range that no other group has", () => {
    const ranges = REFUSAL_GROUPS.flatMap(({ from, to, overflow }) => [{ from, to }, overflow]).sort((a, b) => a.from - b.from);
    // the command line has 200 to 299
    const all = [...ranges.slice(0, REFUSAL_GROUPS.length), { from: 200, to: 299 }, ...ranges.slice(REFUSAL_GROUPS.length)];
    for (const [i, { from, to }] of all.entries()) {
      expect(to).toBeGreaterThan(from);
      if (i > 0) expect(from).toBeGreaterThan(all[i - 1]?.to as number);
    }
    for (const group of REFUSAL_GROUPS)
      for (const number of [group.from, group.to, group.overflow.from, group.overflow.to]) expect(refusalGroup(number)).toBe(group);
    expect([0, 140, 149, 160, 200, 299, 300, 440, 460, 20.5, Number.NaN].map((n) => refusalGroup(n)?.from)).toEqual([
      ...new Array(9).fill(undefined),
      20,
      undefined,
    ]);
  });
  it("has free numbers in each group", () => {
    for (const { from, to, overflow } of REFUSAL_GROUPS) {
      const used = REFUSALS.filter(({ number }) => refusalGroup(number)?.from === from).length;
      expect(to - from + overflow.to - overflow.from + 2 - used).toBeGreaterThanOrEqual(5);
    }
  });
  it("has the number of each once, and finds its row by it", () => {
    expect(REFUSALS.map(({ number }) => number)).toEqual([...numbers.values()].sort((a, b) => a - b));
    for (const one of REFUSALS) expect(rowOf(one.number)).toBe(one);
    expect([rowOf(0), rowOf(-1), rowOf(1.5)]).toEqual([undefined, undefined, undefined]);
  });
  it("names the folders that have vectors", () => {
    const folders = readdirSync(new URL("../../../test-vectors/vectors", import.meta.url));
    expect(folders.sort()).toEqual(REFUSAL_GROUPS.flatMap(({ vectors }) => vectors ?? []).sort());
  });
  it("has its own way to throw a refusal, and to tell one from other errors", () => {
    const e = thrown(() => throwRefusal(E.CBOR_TYPE, 7));
    expect(refusalOf(throwRefusal, E.CBOR_TYPE, 7)).toEqual([E.CBOR_TYPE, 7]);
    expect(isRefusal(e)).toBe(true);
    const others = [
      new Error("flash"),
      Object.assign(new Error("open"), { code: "ENOENT", at: 4 }),
      Object.assign(new Error("x"), { code: 5 }),
    ];
    for (const other of [...others, { code: 5, at: 4 }, null, undefined, "flash"]) expect(isRefusal(other)).toBe(false);
  });
});
