// Whose approval a key needs, by random logs: nobody disappears without an override.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalEntries, missingApprover, withoutApprover } from "../src/signing-log/approvers.js";
import { bindingEntries } from "../src/signing-log/binding.js";
import type { Entry } from "../src/signing-log/entry.js";

const entry = (n: number, more: Partial<Entry>): Entry =>
  ({ v: 1, n, time: "", user: "", host: "", operation: "sign", key: "k", digest: `d${n}`, prev: "", hash: String(n), ...more }) as Entry;

const needed = (entries: readonly Entry[]) => new Set(approvalEntries(entries, "k").flatMap((e) => e.approvers ?? []));

describe("needed approvers", () => {
  it("are all who were named since the last override with a new set", () => {
    const log = [entry(1, { approvers: ["r1"] }), entry(2, { approvers: ["eve"] }), entry(3, { key: "o", approvers: ["x"] })];
    expect([...needed(log)]).toEqual(["r1", "eve"]);
    expect(missingApprover(log, "k", ["eve"])).toMatchObject({ approver: "r1", required: { n: 1 } });
    expect(missingApprover(log, "k", ["eve", "r1"])).toBeUndefined();
    const alone = entry(4, { overrides: ["allow-no-approval"] });
    expect([...needed([...log, alone])]).toEqual(["r1", "eve"]);
    const replaced = entry(5, { overrides: ["allow-no-approval"], approvers: ["r2"] });
    expect([...needed([...log, alone, replaced])]).toEqual(["r2"]);
  });

  it("that were left out are reported, unless an override allowed it", () => {
    const log = [
      entry(1, { approvers: ["r1"] }),
      entry(2, { approvers: ["eve"] }),
      entry(3, { overrides: ["allow-no-approval"] }),
      entry(4, { operation: "move", approvers: ["eve"] }),
      entry(5, { operation: "approve" }),
      entry(6, { approvers: ["r1", "eve"] }),
      entry(7, {}),
    ];
    expect(withoutApprover(log).map(({ approver, entry: e }) => [approver, e.n])).toEqual([
      ["r1", 2],
      ["r1", 7],
    ]);
  });

  it("are the same by the entries that the mark keeps", () => {
    const names = fc.subarray(["a", "b", "c", "d"]);
    const one = fc.record({ approvers: names, key: fc.constantFrom("k", "o"), over: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), (list) => {
        const log = list.map(({ approvers, key, over }, i) =>
          entry(i + 1, { approvers, key, ...(over && { overrides: ["allow-no-approval"] }) }),
        );
        expect(needed(bindingEntries(log))).toEqual(needed(log));
        // an entry without an override takes nobody away
        expect([...needed(log)].every((name) => needed([...log, entry(99, { approvers: ["e"] })]).has(name))).toBe(true);
      }),
    );
  });
});
