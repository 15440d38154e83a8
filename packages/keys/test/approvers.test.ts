// Whose approval a key needs, by random logs: nobody disappears who was not removed by name.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalEntries, missingApprover, neededApprovers, withoutApprover } from "../src/signing-log/approvers.js";
import { decidingEntries } from "../src/signing-log/binding.js";
import { conflicts } from "../src/signing-log/compare.js";
import type { Entry } from "../src/signing-log/entry.js";

const entry = (n: number, more: Partial<Entry>): Entry =>
  ({ v: 1, n, time: "", user: "", host: "", operation: "sign", key: "k", digest: `d${n}`, prev: "", hash: String(n), ...more }) as Entry;

const ALLOWED = { overrides: ["allow-no-approval"] };
const needed = (entries: readonly Entry[]) => new Set(neededApprovers(entries, "k").keys());

describe("needed approvers", () => {
  it("are all who were named and not removed: an override is an exception for one signature", () => {
    const log = [entry(1, { approvers: ["r1"] }), entry(2, { approvers: ["eve"] }), entry(3, { key: "o", approvers: ["x"] })];
    expect([...needed(log)]).toEqual(["r1", "eve"]);
    expect(missingApprover(neededApprovers(log, "k"), ["eve"])).toMatchObject({ approver: "r1", required: { n: 1 } });
    expect(missingApprover(neededApprovers(log, "k"), ["eve", "r1"])).toBeUndefined();
    for (const approvers of [undefined, [], ["r1"], ["r2"]]) {
      const exception = entry(4, { ...ALLOWED, ...(approvers && { approvers }) });
      expect([...needed([...log, exception])]).toEqual(["r1", "eve", ...(approvers?.includes("r2") ? ["r2"] : [])]);
    }
    const removed = entry(4, { removed: ["r1"], approvers: ["eve", "r2"] });
    expect([...needed([...log, removed])]).toEqual(["eve", "r2"]);
    expect([...needed([...log, removed, entry(5, { approvers: ["r1"] })])]).toEqual(["eve", "r2", "r1"]);
  });

  it("that were left out are reported, unless an override allowed it", () => {
    const log = [
      entry(1, { approvers: ["r1"] }),
      entry(2, { approvers: ["eve"] }),
      entry(3, ALLOWED),
      entry(4, { operation: "move", approvers: ["eve"] }),
      entry(5, { operation: "approve" }),
      entry(6, { approvers: ["r1", "eve"] }),
      entry(7, {}),
      entry(8, { removed: ["r1"], approvers: ["eve"] }),
      entry(9, { approvers: ["eve"] }),
    ];
    expect([...withoutApprover(log)].map(({ approver, entry: e }) => [approver, e.n])).toEqual([
      ["r1", 2],
      ["r1", 7],
    ]);
  });

  const names = fc.subarray(["a", "b", "c", "d"]);
  const one = fc.record({ approvers: names, removed: names, key: fc.constantFrom("k", "o"), over: fc.boolean() });
  type One = typeof one extends fc.Arbitrary<infer T> ? T : never;
  const logOf = (list: readonly One[], from = 1) =>
    list.map(({ over, ...facts }, i) => entry(from + i, { ...facts, ...(over && ALLOWED) }));

  it("are the same by the entries that the mark keeps", () => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), (list) => {
        const log = logOf(list);
        expect(needed(decidingEntries(log))).toEqual(needed(log));
        expect(needed(approvalEntries(log))).toEqual(needed(log));
        // an entry that removes nobody takes nobody away
        expect([...needed(log)].every((name) => needed([...log, entry(99, { approvers: ["e"], ...ALLOWED })]).has(name))).toBe(true);
      }),
    );
  });

  const JOINED = entry(99, { operation: "join", hash: "join" });
  delete (JOINED as { key?: string }).key;

  /** Entries of a machine that continues a log. A program removes only whom the key needs. */
  function continued(log: readonly Entry[], list: readonly One[], name: string): Entry[] {
    const out = [...log];
    for (const [i, { over, removed, ...facts }] of list.entries()) {
      const known = neededApprovers(out, facts.key);
      const own = { hash: `${name}${i}`, removed: removed.filter((other) => known.has(other)) };
      out.push(entry(out.length + 1, { ...facts, ...own, ...(over && ALLOWED) }));
    }
    return out;
  }

  it("of machines that went on apart are all whom one of them ever named, in both orders of the files", () => {
    const list = fc.array(one, { maxLength: 10 });
    fc.assert(
      fc.property(list, list, list, names, (shared, first, second, removed) => {
        const begin = continued([], shared, "s");
        const [p, q] = [continued(begin, first, "p"), continued(begin, second, "q")];
        const ever = new Set([...p, ...q].flatMap((e) => (e.key === "k" ? (e.approvers ?? []) : [])));
        for (const [one, other] of [
          [p, q],
          [q, p],
        ] as const) {
          const joined = [...one, ...other.slice(begin.length), JOINED];
          expect(needed(joined)).toEqual(ever);
          expect(needed(decidingEntries(joined))).toEqual(ever);
          const later = [...joined, entry(100, { hash: "later", removed })];
          const left = new Set([...ever].filter((name) => !removed.includes(name)));
          expect(needed(later)).toEqual(left);
          expect(needed(decidingEntries(later))).toEqual(left);
        }
      }),
    );
  });

  it("are not asked for before they were named, in whatever order two logs were joined", () => {
    const log = (...entries: Entry[]) => ({ path: "log", all: entries });
    const alone = entry(1, { hash: "q", time: "2026-01-01" });
    const anna = entry(1, { hash: "p", time: "2026-01-02", approvers: ["anna"] });
    const join = { ...JOINED, time: "2026-01-03" };
    const later = entry(3, { hash: "later", time: "2026-01-04" });
    for (const both of [
      [anna, alone],
      [alone, anna],
    ]) {
      expect(conflicts([log(...both, join)])).toEqual([]);
      expect(conflicts([log(...both, join, later)])).toMatchObject([{ what: "approval", number: "anna", entries: [{}, { entry: 3 }] }]);
    }
    expect(conflicts([log(alone), log(anna)])).toEqual([]);
    // a clock that is behind hides nothing in one log
    expect(conflicts([log(anna, { ...alone, n: 2 })])).toHaveLength(1);
  });
});
