// Rules and waivers on contexts that no release of ours can be in, and alternatives that never run.

import { encodeTrust, type PrivateKey, publicOf, signer, signTrustWithoutLog, type TrustDescription } from "@firmseal/signer";
import { embeddedTrust } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { filledKey } from "../../test-support/src/keys/filled-key.js";
import { deadAlternatives } from "../src/lint/alternatives.js";
import { withWaivers } from "../src/lint/lint.js";
import type { LintContext } from "../src/lint/rule.js";
import { RULES } from "../src/lint/rule-table.js";
import type { SequenceCommand } from "../src/verify/tree.js";

const ruleOf = (name: string) => RULES.find((one) => one.name === name) as (typeof RULES)[number];
const found = (name: string, context: object) => ruleOf(name).check(context as LintContext);

describe("alternatives that never run", () => {
  const step = (code: number, more: Partial<SequenceCommand> = {}): SequenceCommand => ({ code, name: String(code), ...more });
  const set = (code: number, ...raw: number[]) => step(20, { parameters: [{ code, name: "", value: "", raw: Uint8Array.from(raw) }] });
  const index = (i: number) => step(12, { index: [i] });
  const [VENDOR, CLASS, SLOT, MATCH, FETCH] = [1, 2, 5, 3, 21].map((code) => step(code)) as [
    SequenceCommand,
    SequenceCommand,
    SequenceCommand,
    SequenceCommand,
    SequenceCommand,
  ];
  const tryEach = (...sequences: (SequenceCommand[] | null)[]) => [step(15, { sequences })];
  const dead = (...sequences: (SequenceCommand[] | null)[]) =>
    deadAlternatives(tryEach(...sequences)).map((one) => [one.alternative, one.because]);
  const isClass = (n: number) => [set(2, n), CLASS];
  const isSlot = (n: number) => [set(5, n), SLOT];

  it.each([
    ["the same class twice", [isClass(1), isClass(2), isClass(1)], [[3, 1]]],
    ["a class, and then a slot of it", [isClass(1), [...isClass(1), ...isSlot(0)]], [[2, 1]]],
    ["nil before the end", [isClass(1), null, isClass(2)], [[3, 2]]],
    ["one that cannot fail", [[set(21, 1)], isClass(2)], [[2, 1]]],
    ["one of the vendor that was set before, twice", [[VENDOR], [VENDOR, FETCH]], [[2, 1]]],
    ["one inside another", [tryEach(isSlot(0), isSlot(0)), isClass(1)], [[2, 1]]],
  ] as const)("%s", (_, sequences, expected) => {
    expect(dead(...(sequences as unknown as SequenceCommand[][]))).toEqual(expected);
  });

  it.each([
    ["different classes", [isClass(1), isClass(2), null]],
    ["a slot of a class, and then the class", [[...isClass(1), ...isSlot(0)], isClass(1)]],
    ["the same class, but the first may fail later", [[...isClass(1), MATCH], isClass(1)]],
    [
      "the same value for another component",
      [
        [index(0), ...isClass(1)],
        [index(1), ...isClass(1)],
      ],
    ],
    [
      "a value that was set for another component",
      [
        [set(2, 1), index(0), CLASS],
        [set(2, 1), CLASS],
      ],
    ],
  ] as const)("not: %s", (_, sequences) => {
    expect(dead(...(sequences as unknown as SequenceCommand[][]))).toEqual([]);
  });
});

describe("rules", () => {
  const storeOf = async (more: Partial<TrustDescription>, keys = [filledKey(2)]) => {
    const root = filledKey(1);
    const anchors = [{ key: root, roles: ["root"] as const }, ...keys.map((one) => ({ key: one, roles: ["release"] as const }))];
    const list = { name: "board", sequence: 1n, anchors, thresholds: { root: 1, release: 1 }, ...more } as unknown as TrustDescription;
    return embeddedTrust(await signTrustWithoutLog(encodeTrust(list), [signer(root)]));
  };

  it("power-cut: says how many cuts end badly, and which is the first", () => {
    expect(found("power-cut", { cuts: { cuts: 80, faults: 0 } })).toEqual([]);
    expect(found("power-cut", { cuts: { cuts: 80, faults: 3, first: "write of a: none starts" } })).toEqual([
      "3 power cuts end badly; the first: write of a: none starts",
    ]);
  });

  it("number-jump: holds to the limit of the trust file, also with the number of a version", async () => {
    const trust = { path: "board.trust", store: await storeOf({ jumps: { release: 100n } } as Partial<TrustDescription>) };
    const jump = (sequence: bigint, before?: bigint, version?: string) =>
      found("number-jump", { release: { sequence, version }, trust, ...(before !== undefined && { previous: { sequence: before } }) });
    expect(jump(107n, 7n)).toEqual([]);
    expect(jump(108n, 7n)).toEqual(["108 is 101 above 7, and board.trust allows 100"]);
    expect(jump(0x0001_0000_0000_8000n, 7n, "1.0.0")).toHaveLength(1);
    expect(jump(7n, 108n)).toEqual([]);
  });

  it("number-jump: knows numbers of versions from others, up to 2^64", () => {
    const jump = (sequence: bigint, version?: string) => found("number-jump", { release: { sequence, version } });
    expect(jump(2n ** 48n)).toEqual([]);
    // no minor version is left
    expect(jump(2n ** 64n - 1n - 2n ** 32n)).toEqual([]);
    expect(jump(2n ** 64n - 2n ** 32n)).toEqual([`${2n ** 64n - 2n ** 32n} leaves little room for later ones`]);
    expect(jump(0x0001_0000_0000_8000n, "1.0.0")).toEqual([]);
    expect(jump(0x0001_0000_0000_8000n, "1.0.1")).toHaveLength(1);
    expect(jump(2n ** 64n - 1n)).toHaveLength(1);
    expect(jump(2n ** 64n - 1n, "65535.65535.65535+32767")).toHaveLength(1);
    expect(jump(7n, "1.0.0")).toEqual([]);
  });

  it("number-jump: counts in releases of the product, ten of them if it counts them", () => {
    const jump = (sequence: bigint, source: string) =>
      found("number-jump", { release: { sequence }, product: { sequence: { source } }, boards: [] });
    for (const source of ["log", "previous", "given"]) {
      expect(jump(2n ** 64n - 11n, source)).toEqual([]);
      expect(jump(2n ** 64n - 10n, source)).toHaveLength(1);
    }
    expect(jump(2n ** 64n - 11n, "version")).toHaveLength(1);
  });

  it("key-retiring: looks into the trust file that the release carries", async () => {
    const signatures = [{ status: "valid", by: { name: "", key: publicOf(filledKey(2)) } }];
    const trust = { path: "board.trust", store: await storeOf({}) };
    const retiring = async (keys: PrivateKey[]) =>
      found("key-retiring", { trust, release: { signatures, carried: [await storeOf({ sequence: 2n }, keys)] } });
    expect(await retiring([filledKey(2), filledKey(3)])).toEqual([]);
    expect(await retiring([filledKey(3)])).toMatchObject([
      expect.stringContaining("is missing from the trust file that the release carries"),
    ]);
  });
});

it("a waiver counts on its last day, and not on the day after", () => {
  const finding = { rule: "L01", name: "test-key", severity: "error", path: "a.suit", message: "", fix: "" } as const;
  const waivers = { path: "firmseal.toml", all: [{ rule: "test-key", reason: "a sample", until: "2027-02-28" }] };
  const on = (today: string) => withWaivers([finding], waivers, today).map(({ rule, waived }) => [rule, waived?.until]);
  expect(on("2027-02-28")).toEqual([["L01", "2027-02-28"]]);
  expect(on("2027-03-01")).toEqual([
    ["L01", undefined],
    ["L90", undefined],
  ]);
});
