// A log of any length is read line by line. In random logs, that says what all entries in memory say.

import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { withoutApprover } from "../src/signing-log/approvers.js";
import { decidingEntries, withLost } from "../src/signing-log/binding.js";
import { entriesAgain, linesAgain } from "../src/signing-log/chain.js";
import { type Conflict, conflicts } from "../src/signing-log/compare.js";
import { readDeciding } from "../src/signing-log/decided.js";
import { heldBy, missingFromLog } from "../src/signing-log/end-of-log.js";
import { type Entry, JOIN, WITHDRAW } from "../src/signing-log/entry.js";
import type { SeenState } from "../src/signing-log/last-seen.js";
import { parseLog, readLog } from "../src/signing-log/log-file.js";
import { isOfTrustFile } from "../src/signing-log/sequence.js";
import { logOf, steps } from "./random-log.js";

const folder = temporaryFolder("firmseal-long-");
let files = 0;
function put(bytes: Uint8Array | string): string {
  const path = join(folder, `${files++ % 4}.log`);
  writeFileSync(path, bytes);
  return path;
}

/** What a mark has that was made after the first `n` entries of a log. */
function markAfter(bytes: Buffer, n: number, withBinds: boolean): SeenState | undefined {
  const log = parseLog("", bytes);
  const last = log.entries[n];
  if (!last) return undefined;
  const all = log.all.slice(0, log.all.indexOf(last) + 1);
  return {
    ...{ count: BigInt(last.n), hash: last.hash, path: resolve(folder, "x.log") },
    ...(withBinds && { binds: decidingEntries(all.filter(({ key }) => key === last.key)), decides: decidingEntries(all) }),
  };
}

interface Found {
  path: string;
  entry: Entry;
}

/** The conflicts of logs, with all entries in memory. */
function conflictsInMemory(logs: readonly { path: string; all: Entry[] }[]): Conflict[] {
  const found = logs.flatMap(({ path, all }) => all.map((entry) => ({ path, entry })));
  const distinct = found.filter(({ entry }, i) => found.findIndex((one) => one.entry.hash === entry.hash) === i);
  const conflict = (what: Conflict["what"], number: string, key: string | null, scope: string[], of: Found[]): Conflict => {
    const entries = of.map(({ path, entry: e }) => ({ log: path, entry: e.n, key: e.key ?? null, digest: e.digest ?? null, time: e.time }));
    return { what, number, key, scope, entries };
  };
  const digests = (of: Found[]) => new Set(of.map(({ entry }) => entry.digest)).size;
  const groups = (names: (e: Entry) => [string, string][], of = distinct) => {
    const out = new Map<string, { name: [string, string]; of: Found[] }>();
    for (const one of of)
      for (const name of names(one.entry)) {
        const group = out.get(name.join(" ")) ?? { name, of: [] };
        out.set(name.join(" "), { name, of: [...group.of, one] });
      }
    return [...out.values()];
  };
  const leaves = groups(({ leaf, key }) => (leaf === undefined || key === undefined ? [] : [[String(BigInt(leaf)), key]]))
    .filter(({ of }) => of.length > 1)
    .map(({ name, of }) => conflict("leaf", ...name, [], of));
  const numbers = new Map<string, Conflict>();
  for (const { name, of } of groups(({ operation, sequence, scope = [] }) =>
    sequence === undefined || operation === WITHDRAW ? [] : scope.map((s) => [String(BigInt(sequence)), s]),
  )) {
    const asked = of.filter(({ entry }) => !entry.overrides?.includes("allow-sequence-reuse"));
    if (digests(asked) < 2) continue;
    const id = `${name[0]} ${asked.map((one) => distinct.indexOf(one)).join(" ")}`;
    const known = numbers.get(id);
    const key = groups((e) => (e.key === undefined ? [] : [[e.key, ""]]), asked).find((one) => digests(one.of) > 1)?.name[0] ?? null;
    if (known) known.scope.push(name[1]);
    else numbers.set(id, conflict(isOfTrustFile((asked[0] as Found).entry) ? "trust" : "sequence", name[0], key, [name[1]], asked));
  }
  const byTime = (of: Entry[]) => of.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const each = logs.map(({ all }) => (all.some(({ operation }) => operation === JOIN) ? byTime(all) : all));
  const together = logs.length > 1 ? [byTime(distinct.map(({ entry }) => entry))] : [];
  const left = new Map<string, Conflict>();
  for (const of of [...each, ...together])
    for (const { approver, required, entry } of [...withoutApprover(of)].sort((a, b) => a.nth - b.nth)) {
      const both = [required, entry].map(({ hash }) => distinct.find((one) => one.entry.hash === hash) as Found);
      const id = `${approver} ${entry.key}`;
      if (!left.has(id)) left.set(id, conflict("approval", approver, entry.key as string, [], both));
    }
  return [...leaves, ...numbers.values(), ...left.values()];
}

describe("a log that is read line by line", () => {
  it("has the faults, the last entry and the entries that decide of the same log in memory", () => {
    const tail = fc.constantFrom("", '{"v":1,"n":2,"time":"2', "\0\0\0", '{"v":1,\n', "word");
    fc.assert(
      fc.property(steps, steps, tail, fc.nat(30), fc.boolean(), (begun, more, end, seenAt, withBinds) => {
        const begin = logOf(begun);
        const path = put(Buffer.concat([logOf(more, begin), Buffer.from(end)]));
        const seen = markAfter(begin, seenAt, withBinds);
        const whole = readLog(path);
        const log = readDeciding(path, [undefined, seen]);
        for (const name of ["faults", "accepted", "late", "lines", "highest", "end", "torn", "place", "last", "count"] as const)
          expect(log[name], name).toEqual(whole[name]);
        expect(missingFromLog(log, seen)).toEqual(missingFromLog(whole, seen));
        const held = heldBy(seen?.binds ?? [], seen);
        expect(decidingEntries(withLost(log.all, held))).toEqual(decidingEntries(withLost(whole.all, held)));
        expect([...entriesAgain(log)]).toEqual(whole.all);
        expect([...linesAgain(log)].flatMap(({ counted }) => counted)).toEqual(whole.entries);
      }),
      { numRuns: LONG ? 5000 : 600 },
    );
  });

  it("has the conflicts of the same logs in memory: one, a copy that went on, and a stranger", () => {
    fc.assert(
      fc.property(steps, steps, steps, fc.nat(2), (begun, one, other, more) => {
        const begin = logOf(begun);
        const bytes = [logOf(one, begin), logOf(other, begin), logOf(one)].slice(0, 1 + more);
        const logs = bytes.map((of, i) => ({ path: `${i}.log`, all: parseLog("", of).all }));
        expect(conflicts(logs)).toEqual(conflictsInMemory(logs));
      }),
      { numRuns: LONG ? 5000 : 600 },
    );
  });
});

describe("a file that is hostile", () => {
  const good = () => logOf([{ what: "entry", facts: { operation: "sign", key: "a".repeat(64), time: 0 } as never }]);

  it("has a line that is longer than memory: it is one fault, and the entries around it are read", () => {
    const path = put(good());
    truncateSync(path, (100 << 20) + good().length);
    appendFileSync(path, "\n");
    appendFileSync(path, logOf([{ what: "entry", facts: { operation: "sign", time: 0 } as never }], good()).subarray(good().length));
    const before = process.memoryUsage.rss();
    const log = readDeciding(path, []);
    expect(log).toMatchObject({ lines: 3, count: 2, faults: [{ line: 2, what: "not an entry" }] });
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 << 20);
    expect([...linesAgain(log)].map(({ line, what }) => [line, what])).toEqual([
      [1, undefined],
      [2, "not an entry"],
      [3, undefined],
    ]);
    truncateSync(path, 2 ** 40);
    expect(() => readDeciding(path, [])).toThrow("is too large (a line of more than 536,870,912 bytes)");
  });

  it("has a line of every length around what is held at once", () => {
    for (const length of [0, 1, 2, 65_535, 65_536, (1 << 20) - 1, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 5 << 20])
      for (const end of ["", "\n", `\n${good()}`]) {
        const bytes = Buffer.concat([good(), Buffer.alloc(length, "x"), Buffer.from(end)]);
        const [log, whole] = [readDeciding(put(bytes), []), parseLog("", bytes)];
        for (const name of ["faults", "lines", "end", "torn", "count", "place"] as const)
          expect(log[name], `${length} ${name}`).toEqual(whole[name]);
        const lines = (bytes.toString("latin1").match(/\n/g) ?? []).length + (bytes.at(-1) === 10 ? 0 : 1);
        expect([log.lines, log.end]).toEqual([lines, bytes.length]);
      }
  });

  it("has lines of nothing but line ends, and as many faults as are listed", () => {
    const log = readDeciding(put("\n".repeat(300_000)), []);
    expect(log).toMatchObject({ lines: 300_000, count: 0, end: 300_000 });
    expect(log.faults.length).toBe(1001);
  });

  it("is not a file: nothing waits for a FIFO or reads a device", () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    expect(() => readDeciding(fifo, [])).toThrow("is a FIFO, not a file");
    expect(() => readDeciding("/dev/zero", [])).toThrow("is a device, not a file");
    expect(() => readDeciding(folder, [])).toThrow("is a folder, not a file");
  });

  it("grows, shrinks or changes while it is read: what was read stays, or a second look says so", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (list, at) => {
        const bytes = Buffer.concat([good(), logOf(list)]);
        const path = put(bytes);
        let isFirst = true;
        const log = readDeciding(path, [], () => {
          if (isFirst) appendFileSync(path, "word\n");
          isFirst = false;
        });
        expect(log.end + log.torn).toBe(bytes.length);
        // others may append
        expect([...entriesAgain(log)].length).toBeGreaterThan(0);
        const changed = readFileSync(path);
        changed[at % log.end] = (changed[at % log.end] as number) ^ 1;
        writeFileSync(path, changed);
        expect(() => [...entriesAgain(log)]).toThrow("another program changed it in the meantime");
        expect(() => [...linesAgain(log)]).toThrow("another program changed it in the meantime");
        truncateSync(path, at % log.end);
        expect(() => [...linesAgain(log)]).toThrow("another program changed it in the meantime");
      }),
      { numRuns: 100 },
    );
  });
});
