// What a mark holds of a log decides about the next signature as the whole log does, in random logs of several keys.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { movedTo } from "../src/recording/move.js";
import { neededApprovers } from "../src/signing-log/approvers.js";
import { decidingEntries } from "../src/signing-log/binding.js";
import { ACCEPT, APPROVE, type Entry, JOIN, MOVE, SIGN_RECORD, WITHDRAW } from "../src/signing-log/entry.js";
import { checkSequence, decides, isOfTrustFile, nextSequence, scopeOfTrust, withdrawalsAmong } from "../src/signing-log/sequence.js";

const KEYS = ["A", "B", "C"];
const PEOPLE = ["r1", "r2", "r3"];
const SCOPES = ["v/a", "v/b", scopeOfTrust("lamp")[0] as string];
const list = (of: string[]) => fc.option(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1, maxLength: 2 }), { nil: undefined });
const number = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("281474976743424", "18446744073709551615")).map(String);
const version = fc.option(fc.constantFrom("0.0.1", "1.0.0", "1.4.2-rc.1", "2.0.0", "soon"), { nil: undefined });

/** Lines are without what is not there, as in a file. */
const plain = <T>(entry: object): T => JSON.parse(JSON.stringify(entry));

type Facts = { structural?: boolean } & { [K in keyof Entry]?: Entry[K] | undefined };

const line: fc.Arbitrary<Facts> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      operation: fc.constantFrom("sign", "release", "create"),
      sequence: number,
      version,
      scope: list(SCOPES),
      approvers: list(PEOPLE),
      removed: list(PEOPLE),
      leaf: fc.option(number, { nil: undefined }),
    }),
  },
  fc.record({ operation: fc.constantFrom(APPROVE, SIGN_RECORD), version, scope: list(SCOPES) }),
  fc.record({ operation: fc.constant(WITHDRAW), sequence: number, version, scope: list(SCOPES), reason: fc.constant("bad") }),
  fc.record({
    operation: fc.constant(MOVE),
    to: fc.option(fc.constantFrom(...KEYS), { nil: undefined }),
    sequence: fc.option(number, { nil: undefined }),
    scope: list(SCOPES),
    approvers: list(PEOPLE),
  }),
  fc.record({ operation: fc.constantFrom(ACCEPT, JOIN), structural: fc.constant(true) }),
);

const logs = fc.array(fc.tuple(line, fc.constantFrom(...KEYS), fc.constantFrom("sign", "same")), { maxLength: 60 }).map((all) =>
  all.map(([{ structural, ...facts }, key, kind], i) => {
    // a manifest has one number
    const digest = facts.sequence === undefined ? `d${i}` : `d${facts.sequence}${kind === "same" ? "" : `-${i}`}`;
    const who = structural ? {} : { key, digest };
    return plain<Entry>({
      v: 1,
      n: i + 1,
      time: `2026-11-${String((i % 28) + 1).padStart(2, "0")}`,
      user: "u",
      host: "h",
      ...facts,
      ...who,
      prev: "",
      hash: String(i),
    });
  }),
);

interface Asked {
  sequence: string;
  digest: string;
  scope: string[];
  version?: string;
}

const outcome = (work: () => unknown) => {
  try {
    return work();
  } catch (e) {
    return `${(e as Error).message} ${(e as { hint?: string }).hint}`;
  }
};

/** All that is asked about the next signature, of a number that is decided. */
function answers(entries: readonly Entry[], asked: readonly Asked[]) {
  const byHash = (all: readonly Entry[]) => all.map(({ hash }) => hash);
  return {
    next: SCOPES.map((scope) => outcome(() => nextSequence([entries], [scope], { first: "known" }))),
    start: SCOPES.map((scope) => outcome(() => nextSequence([entries], [scope]))),
    checked: asked.map((one) => outcome(() => checkSequence([{ key: "A", entries }], { ...one, sequence: BigInt(one.sequence) }, {}))),
    jumps: asked.map((one) =>
      outcome(() =>
        checkSequence(
          [{ key: "A", entries }],
          { ...one, sequence: BigInt(one.sequence) },
          { allowSequenceJump: true, allowLowerSequence: true },
        ),
      ),
    ),
    withdrawn: byHash(withdrawalsAmong(entries)),
    keys: KEYS.map((key) => ({
      approvers: [...neededApprovers(entries, key)].map(([name, { hash }]) => [name, hash]),
      moved: movedTo(key, entries),
      root: entries.find((e) => e.key === key && isOfTrustFile(e))?.hash,
      leaf: entries.reduce(
        (most, { key: of, leaf }) => (of === key && leaf !== undefined && BigInt(leaf) > most ? BigInt(leaf) : most),
        -1n,
      ),
    })),
  };
}

const asked = fc
  .array(
    fc.record({
      sequence: fc.oneof(number, fc.integer({ min: 0, max: 2 ** 40 }).map(String)),
      of: fc.constantFrom("", "-new"),
      scope: fc.constantFrom(...SCOPES.map((one) => [one]), SCOPES),
      version,
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) => all.map(({ of, ...one }) => plain<Asked>({ ...one, digest: `d${one.sequence}${of}` })));

describe("the entries that decide", () => {
  it("say the same as the whole log about the next signature of each key", () => {
    fc.assert(
      fc.property(logs, asked, (log, all) => {
        const short = decidingEntries(log);
        const decided = all.filter((one) => decides({ key: "A", entries: short }, one));
        expect(answers(short, decided)).toEqual(answers(log, decided));
        // a higher number is always decided
        expect(
          all.every(
            (one) => decides({ key: "A", entries: short }, one) || log.some((e) => BigInt(e.sequence ?? -1) >= BigInt(one.sequence)),
          ),
        ).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("say the same when they were reduced on the way, and no entry is lost then", () => {
    fc.assert(
      fc.property(logs, asked, fc.integer({ min: 1, max: 9 }), (log, all, step) => {
        // a log that was accepted or joined is read whole
        const whole = log.findLastIndex(({ operation }) => [ACCEPT, JOIN].includes(operation)) + 1;
        let short = decidingEntries(log.slice(0, whole));
        for (const [i, entry] of log.slice(whole).entries()) {
          short.push(entry);
          if (i % step === 0) short = decidingEntries(short);
        }
        const decided = all.filter((one) => decides({ key: "A", entries: short }, one));
        expect(answers(short, decided)).toEqual(answers(log, decided));
        // a whole log must not seem to contradict its mark
        expect(decidingEntries(log).filter((e) => !short.includes(e))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["one number each", () => ({})],
    ["a person who is named and removed in turn", (i: number) => (i % 2 ? { removed: ["r1"] } : { approvers: ["r1"] })],
    ["moves back and forth", () => ({ operation: MOVE, to: "B" })],
    ["leaves and versions", (i: number) => ({ leaf: String(i), version: `1.${i}.0` })],
  ])("are few in a log of 2,000 entries: %s", (_, more) => {
    const log = Array.from({ length: 2000 }, (_, i) =>
      plain<Entry>({
        operation: "sign",
        key: "A",
        n: i + 1,
        hash: String(i),
        digest: `d${i}`,
        sequence: String(i),
        scope: ["v/a"],
        ...more(i),
      }),
    );
    expect(decidingEntries(log).length).toBeLessThan(8);
  });
});
