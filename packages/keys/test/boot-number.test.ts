// Security counters and versions of boot loaders' images: what may be signed next.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decidingEntries } from "../src/signing-log/binding.js";
import { type BootNumbers, bootVersionNumber, checkBootNumber, decidesBoot } from "../src/signing-log/boot-number.js";
import { conflicts, conflictWords } from "../src/signing-log/compare.js";
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

/** A log of key A. */
const logOf = (entries: readonly Entry[], key = "A") => ({ key, entries });

describe("the order of versions", () => {
  it("is that of the parts, whatever else the text has", () => {
    const order = [
      "0.0.0",
      "0.0.1",
      "0.1.0",
      "1.2.3",
      "1.2.3+4",
      "v1.2.4",
      "v1.2.4-7-g0a1b2c3",
      "1.3",
      "255.255.65535+4294967295",
      "2024.1.0",
    ];
    const numbers = order.map((one) => bootVersionNumber(one) as bigint);
    expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
    expect(new Set(numbers).size).toBe(order.length);
    expect(bootVersionNumber("1.2")).toBe(bootVersionNumber("v1.2.0"));
  });

  it.each([
    "",
    "1",
    "1.2.3.4",
    "01.2.3",
    "4294967296.0.0",
    "0.0.0+4294967296",
    "1.2.3-rc.1",
    "1.2.3-dirty",
    "vv1.2.3",
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
    ["a version without an order", asked(7, "1.4.2-dirty")],
    ["no version", asked(7, undefined)],
    ["the image that was signed", asked(7, "1.4.2", "d0")],
    ["other devices", { ...asked(1, "1.0.0"), scope: ["mcuboot:v/b"] }],
    ["another boot loader", { ...asked(1, "1.0.0"), scope: ["esp32:v/a"] }],
  ])("may have %s", (_, one) => expect(checkBootNumber([logOf(log)], one, {})).toEqual([]));

  it.each([
    ["a lower counter", asked(6, "1.4.3"), "security counter 6 is lower than 7", "allow-lower-sequence"],
    ["no counter", asked(undefined, "1.4.3"), "no security counter", "allow-lower-sequence"],
    ["a lower version", asked(7, "1.4.1"), "version 1.4.1 is lower than 1.4.2", "allow-lower-sequence"],
    ["the version of another one", asked(7, "1.4.2"), "version 1.4.2 was signed for another image (2026-12-03, u)", "allow-sequence-reuse"],
    ["too high a counter", asked(8 + 2 ** 25, "1.4.3"), "more than 2^25 higher than the last, 7", "allow-sequence-jump"],
    ["the last counter", asked(2 ** 32 - 1, "1.4.3"), "is the last one", "allow-sequence-jump"],
  ])("has not %s, unless a person allows it", (_, one, words, option) => {
    expect(() => checkBootNumber([logOf(log)], one, {})).toThrow(words);
    const allow = {
      "allow-lower-sequence": "allowLowerSequence",
      "allow-sequence-reuse": "allowSequenceReuse",
      "allow-sequence-jump": "allowSequenceJump",
    };
    expect(checkBootNumber([logOf(log)], one, { [allow[option as keyof typeof allow]]: true })).toEqual([option]);
  });

  it("begins with a counter of at most 2^25", () => {
    expect(checkBootNumber([logOf([])], asked(2 ** 25, "1.0.0"), {})).toEqual([]);
    expect(() => checkBootNumber([logOf([])], asked(2 ** 25 + 1, "1.0.0"), {})).toThrow("higher than 0, and the log has none yet");
    expect(() => checkBootNumber([logOf([])], asked(2 ** 32 - 1, "1.0.0"), {})).toThrow("last one");
  });
});

describe("one log", () => {
  const low = entry({ key: "T", sequence: "1", version: "1.0.0", digest: "old" });
  const high = entry({ sequence: "9", version: "9.0.0", digest: "d9" }, 1);
  const old = asked(1, "1.0.0", "old");
  const t = logOf([low], "T");
  it("does not speak for the key of another one", () => {
    expect(() => checkBootNumber([t, logOf([high])], old, {})).toThrow("security counter 1 is lower than 9");
    expect(checkBootNumber([t, logOf([high, entry({ ...low, key: "A" }, 2)])], old, {})).toEqual([]);
    expect(checkBootNumber([t, logOf([])], old, {})).toEqual([]);
    // nor for its jumps and versions
    const [far, same] = [
      entry({ key: "T", sequence: "99999999", version: "9.1.0", digest: "far" }),
      entry({ ...high, key: "T", digest: "x" }),
    ];
    expect(() => checkBootNumber([logOf([far], "T"), logOf([high])], asked(99999999, "9.1.0", "far"), {})).toThrow("more than 2^25");
    expect(() => checkBootNumber([logOf([same], "T"), logOf([high])], asked(9, "9.0.0", "x"), {})).toThrow("was signed for another image");
  });
  it("of several keys does not either", () => {
    const shared = [low, high];
    expect(() => checkBootNumber([logOf(shared)], old, {})).toThrow("lower than 9");
    // the person who signs second has nothing higher
    expect(checkBootNumber([logOf(shared, "B")], old, {})).toEqual([]);
    expect(checkBootNumber([logOf(shared, "T")], old, {})).toEqual([]);
  });
  it("has signed nothing that was carried over to it", () => {
    expect(() => checkBootNumber([logOf([high, entry({ ...low, operation: MOVE, key: "A" }, 2)])], old, {})).toThrow("lower than 9");
    // but its newest image may be signed again
    expect(checkBootNumber([logOf([entry({ ...low, operation: MOVE, key: "A" })])], old, {})).toEqual([]);
  });
  it("does not speak for other devices", () => {
    const other = entry({ sequence: "9", version: "9.0.0", scope: ["mcuboot:v/b"] }, 1);
    expect(() => checkBootNumber([logOf([entry({ ...low, key: "A" }), other])], { ...old, scope: [SCOPE, "mcuboot:v/b"] }, {})).toThrow(
      "lower than 9",
    );
  });
});

it("of an ESP32 burns bits, of which there are few", () => {
  const esp = (counter: number, version = "1.4.3") => ({ ...asked(counter, version), scope: ["esp32:v/a"] });
  const log = [entry({ sequence: "7", version: "1.4.2", scope: ["esp32:v/a"] })];
  expect(checkBootNumber([logOf(log)], esp(8), {})).toEqual([]);
  expect(() => checkBootNumber([logOf(log)], esp(9), {})).toThrow("more than 1 higher than the last, 7");
  expect(() => checkBootNumber([logOf([])], esp(2), {})).toThrow("more than 1 higher than 0");
  expect(() => checkBootNumber([logOf([entry({ sequence: "15", scope: ["esp32:v/a"] })])], esp(16), {})).toThrow(
    "the last one, or above it",
  );
  expect(checkBootNumber([logOf([entry({ sequence: "16", scope: ["esp32:v/a"] })])], esp(16), {})).toEqual([]);
});

const facts = fc.record({
  operation: fc.constantFrom("sign", "sign", "sign", MOVE),
  key: fc.constantFrom("A", "B"),
  sequence: fc.option(fc.integer({ min: 0, max: 9 }).map(String), { nil: undefined }),
  version: fc.option(fc.constantFrom("0.0.1", "1.0.0", "1.0.0+1", "1.0.1", "2.0.0+40000", "2.0.0-dirty", "2.0.0-rc.1"), { nil: undefined }),
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
      fc.constantFrom("0.0.1", "1.0.1", "2.0.0", "2.0.0+40001", "3.0.0", "3-dirty", undefined),
      fc.boolean(),
      (all, counter, version, isAgain) => {
        // an image has one counter and one version
        const log = all.map((one, i) => entry({ ...one, digest: `${one.version} ${one.sequence}` }, i));
        const short = decidingEntries(log);
        const one = asked(counter, version, isAgain ? `${version} ${counter}` : "new");
        if (!decidesBoot(short, one)) return;
        decided++;
        expect(outcome(() => checkBootNumber([logOf(short)], one, {}))).toEqual(outcome(() => checkBootNumber([logOf(log)], one, {})));
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
  const moved = { path: "d.log", all: [entry({ operation: MOVE, version: "1.4.3", key: "C", digest: "other" }, 5)] };
  expect(conflicts([one, moved])).toEqual([]);
  const allowed = { path: "c.log", all: [entry({ version: "1.4.3", overrides: ["allow-sequence-reuse"] }, 4)] };
  expect(conflicts([one, allowed])).toEqual([]);
});

it("shows in several logs if its key signs something else too", () => {
  const image = {
    path: "a.log",
    all: [entry({ sequence: "7", version: "1.4.2" }, 1), entry({ operation: MOVE, to: "B", scope: undefined }, 2)],
  };
  const manifest = { path: "b.log", all: [entry({ sequence: "1", scope: ["v/a"] }, 3), entry({ sequence: "2", scope: ["v/a"] }, 4)] };
  const found = conflicts([image, manifest]);
  expect(found).toMatchObject([{ what: "family", key: "A", number: "images of boot loaders and manifests and trust files" }]);
  expect(found[0]?.entries).toMatchObject([
    { log: "a.log", entry: 2 },
    { log: "b.log", entry: 4 },
  ]);
  expect(conflictWords(found[0] as (typeof found)[number])).toBe(
    "key A… signed images of boot loaders and manifests and trust files: entry 2 of a.log, entry 4 of b.log",
  );
  expect(conflicts([manifest])).toEqual([]);
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
