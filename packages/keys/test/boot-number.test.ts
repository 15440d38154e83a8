// Security counters and versions of boot loaders' images: what may be signed next.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decidingEntries } from "../src/signing-log/binding.js";
import { type BootNumbers, bootVersionNumber, checkBootNumber, decidesBoot } from "../src/signing-log/boot-number.js";
import { conflicts } from "../src/signing-log/compare.js";
import { type Entry, MOVE } from "../src/signing-log/entry.js";
import { refuseOtherFamily, scopeOfBootImage, scopeOfSignatureFile } from "../src/signing-log/family.js";

const SCOPE = "mcuboot:v/a";

type Facts = { [K in keyof Entry]?: Entry[K] | undefined };
const entry = (facts: Facts, i = 0): Entry =>
  JSON.parse(
    JSON.stringify({
      ...{ v: 1, n: i + 1, time: "2026-12-03", user: "u", host: "h", operation: "sign", key: "A", digest: `d${i}` },
      ...{ scope: [SCOPE], ...facts, prev: "", hash: String(i) },
    }),
  );
const asked = (counter: number | undefined, version: string | undefined, digest = "new"): BootNumbers => ({
  ...{ digest, scope: [SCOPE], version },
  counter: counter === undefined ? undefined : BigInt(counter),
});

describe("the order of versions", () => {
  it.each([
    ["0.0.0", 0n],
    ["1.2.3", 0x0102_0003_0000_0000n],
    ["1.2.3+4", 0x0102_0003_0000_0004n],
    ["255.255.65535+4294967295", 2n ** 64n - 1n],
  ])("%s is %s", (version, number) => expect(bootVersionNumber(version)).toBe(number));

  it.each([
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "01.2.3",
    "256.0.0",
    "0.256.0",
    "0.0.65536",
    "0.0.0+4294967296",
    "1.2.3-rc.1",
    "v1.2.3",
    "1.2.3\n",
    undefined,
  ])("%j has none", (version) => expect(bootVersionNumber(version)).toBeUndefined());
});

describe("an image", () => {
  const log = [entry({ sequence: "7", version: "1.4.2" })];
  it.each([
    ["the same counter and a higher version", asked(7, "1.4.3")],
    ["a higher counter", asked(8, "1.4.3")],
    ["the largest jump", asked(7 + 2 ** 25, "2.0.0")],
    ["a version without an order", asked(7, "v1.4.2-3-gabc")],
    ["no version", asked(7, undefined)],
    ["the image that was signed", asked(7, "1.4.2", "d0")],
    ["other devices", { ...asked(1, "1.0.0"), scope: ["mcuboot:v/b"] }],
    ["another boot loader", { ...asked(1, "1.0.0"), scope: ["esp32:v/a"] }],
  ])("may have %s", (_, one) => expect(checkBootNumber(log, one, {})).toEqual([]));

  it.each([
    ["a lower counter", asked(6, "1.4.3"), "security counter 6 is lower than 7", "allow-lower-sequence"],
    ["no counter", asked(undefined, "1.4.3"), "no security counter", "allow-lower-sequence"],
    ["a lower version", asked(7, "1.4.1"), "version 1.4.1 is lower than 1.4.2", "allow-lower-sequence"],
    ["the version of another one", asked(7, "1.4.2"), "version 1.4.2 was signed for another image (2026-12-03, u)", "allow-sequence-reuse"],
    ["too high a counter", asked(8 + 2 ** 25, "1.4.3"), "more than 2^25 higher than the last, 7", "allow-sequence-jump"],
    ["the last counter", asked(2 ** 32 - 1, "1.4.3"), "is the last one", "allow-sequence-jump"],
  ])("has not %s, unless a person allows it", (_, one, words, option) => {
    expect(() => checkBootNumber(log, one, {})).toThrow(words);
    const allow = {
      "allow-lower-sequence": "allowLowerSequence",
      "allow-sequence-reuse": "allowSequenceReuse",
      "allow-sequence-jump": "allowSequenceJump",
    };
    expect(checkBootNumber(log, one, { [allow[option as keyof typeof allow]]: true })).toEqual([option]);
  });

  it("begins with any counter but the last one", () => {
    expect(checkBootNumber([], asked(2 ** 32 - 2, "1.0.0"), {})).toEqual([]);
    expect(() => checkBootNumber([], asked(2 ** 32 - 1, "1.0.0"), {})).toThrow("last one");
  });
});

const facts = fc.record({
  operation: fc.constantFrom("sign", "sign", "sign", MOVE),
  key: fc.constantFrom("A", "B"),
  sequence: fc.option(fc.integer({ min: 0, max: 9 }).map(String), { nil: undefined }),
  version: fc.option(fc.constantFrom("0.0.1", "1.0.0", "1.0.0+1", "1.0.1", "2.0.0+40000", "v2", "2.0.0-rc.1"), { nil: undefined }),
  scope: fc.constantFrom<string[][]>([SCOPE], ["mcuboot:v/b"], [SCOPE, "mcuboot:v/b"], ["esp32:v/a"]),
});

it("is decided by few entries as by the whole log", () => {
  const outcome = (work: () => unknown) => {
    try {
      return work();
    } catch (e) {
      return (e as Error).message;
    }
  };
  let decided = 0;
  fc.assert(
    fc.property(
      fc.array(facts, { maxLength: 40 }),
      fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
      fc.constantFrom("0.0.1", "1.0.1", "2.0.0", "2.0.0+40001", "3.0.0", "v3", undefined),
      fc.boolean(),
      (all, counter, version, isAgain) => {
        // an image has one counter and one version
        const log = all.map((one, i) => entry({ ...one, digest: `${one.version} ${one.sequence}` }, i));
        const short = decidingEntries(log);
        const one = asked(counter, version, isAgain ? `${version} ${counter}` : "new");
        if (!decidesBoot(short, one)) return;
        decided++;
        expect(outcome(() => checkBootNumber(short, one, {}))).toEqual(outcome(() => checkBootNumber(log, one, {})));
      },
    ),
    { numRuns: 3000 },
  );
  expect(decided).toBeGreaterThan(300);
  const long = Array.from({ length: 2000 }, (_, i) => entry({ sequence: String(i >> 4), version: `1.0.${i}` }, i));
  expect(decidingEntries(long).length).toBeLessThan(8);
});

it("conflicts with another one of its version, and not with one of its counter", () => {
  const one = { path: "a.log", all: [entry({ sequence: "7", version: "1.4.2" }, 1), entry({ sequence: "7", version: "1.4.3" }, 2)] };
  expect(conflicts([one])).toEqual([]);
  const other = { path: "b.log", all: [entry({ sequence: "8", version: "1.4.3", key: "B" }, 3)] };
  expect(conflicts([one, other])).toMatchObject([{ what: "version", number: "1.4.3", scope: [SCOPE], key: null }]);
  const allowed = { path: "c.log", all: [entry({ version: "1.4.3", overrides: ["allow-sequence-reuse"] }, 4)] };
  expect(conflicts([one, allowed])).toEqual([]);
});

it("is of a family of its own", () => {
  const identity = { vendor: new Uint8Array(16), class: new Uint8Array(16) };
  const families = [
    ["v/a"],
    ["trust:lamp"],
    scopeOfBootImage("mcuboot", identity),
    scopeOfBootImage("esp32", identity),
    scopeOfSignatureFile("raw"),
  ];
  const names = families.map((scope) =>
    families
      .map((asked) => {
        try {
          refuseOtherFamily([entry({ scope })], { key: "A", scope: asked });
          return "yes";
        } catch (e) {
          return (e as { reason?: string }).reason;
        }
      })
      .join(" "),
  );
  const [no, yes] = ["KEY_ROLE", "yes"];
  expect(names).toEqual([
    [yes, yes, no, no, no].join(" "),
    [yes, yes, no, no, no].join(" "),
    [no, no, yes, yes, no].join(" "),
    [no, no, yes, yes, no].join(" "),
    [no, no, no, no, yes].join(" "),
  ]);
});
