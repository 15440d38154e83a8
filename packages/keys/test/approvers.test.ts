// Whose approval a key needs, by random logs: nobody disappears who was not removed by name.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalEntries, missingApprover, neededApprovers, withoutApprover } from "../src/signing-log/approvers.js";
import { bindingEntries } from "../src/signing-log/binding.js";
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
    expect(withoutApprover(log).map(({ approver, entry: e }) => [approver, e.n])).toEqual([
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
        expect(needed(bindingEntries(log))).toEqual(needed(log));
        expect(needed(approvalEntries(log, "k"))).toEqual(needed(log));
        // an entry that removes nobody takes nobody away
        expect([...needed(log)].every((name) => needed([...log, entry(99, { approvers: ["e"], ...ALLOWED })]).has(name))).toBe(true);
      }),
    );
  });

  it("of two machines that went on apart are all needed by the joined log, but those whom a machine knew and removed", () => {
    const list = fc.array(one, { maxLength: 10 });
    fc.assert(
      fc.property(list, list, list, (shared, first, second) => {
        const begin = logOf(shared);
        // a program removes only whom its own log requires
        const honest = (log: Entry[], more: readonly One[]) => {
          for (const facts of logOf(more, log.length + 1)) {
            const known = neededApprovers(log, facts.key as string);
            log.push({ ...facts, removed: facts.removed?.filter((name) => known.has(name)) ?? [] });
          }
          return log;
        };
        const base = honest([], shared);
        const [p, q] = [honest([...base], first), honest([...base], second)];
        const joined = needed([...p, ...q.slice(begin.length)]);
        const apart = [p, q].map((log) => log.slice(begin.length));
        // a name that only one of them knows is not removed by the other
        for (const [i, log] of [p, q].entries()) {
          const others = apart[1 - i]?.flatMap((e) => (e.key === "k" ? (e.removed ?? []) : []));
          for (const name of needed(log)) if (!others?.includes(name)) expect(joined).toContain(name);
        }
      }),
    );
  });
});
