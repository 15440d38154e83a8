// The file of a log: its chain, what a kill leaves at its end, and what somebody has done to it.

import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { Failure } from "../src/errors/failure.js";
import { ACCEPT, type Entry, lineOf, NO_PREVIOUS } from "../src/signing-log/entry.js";
import { appendEntry, readLog } from "../src/signing-log/log-file.js";
import { checkSequence, nextSequence } from "../src/signing-log/sequence.js";

let folder: string;
beforeAll(() => {
  folder = temporaryFolder("firmseal-log-");
});

let files = 0;
const fresh = () => join(folder, `${files++}.log`);
const told = (operation = "sign", more: Partial<Entry> = {}) => ({
  time: "2026-11-25T12:00:00.000Z",
  user: "alice",
  host: "ci",
  operation,
  ...more,
});

function written(n: number): { path: string; bytes: Buffer } {
  const path = fresh();
  for (let i = 1; i <= n; i++) appendEntry(readLog(path), told("sign", { sequence: String(i), scope: ["a/b"], digest: `sha-256:${i}` }));
  return { path, bytes: readFileSync(path) };
}

function put(bytes: Uint8Array | string): string {
  const path = fresh();
  writeFileSync(path, bytes);
  return path;
}

describe("a log", () => {
  it("holds what the page says: a chain of SHA-256 over JSON lines, which anybody can follow", () => {
    const { path, bytes } = written(3);
    let prev = "0".repeat(64);
    for (const [i, line] of bytes.toString().trimEnd().split("\n").entries()) {
      const [, body, hash] = /^(.*),"hash":"([0-9a-f]{64})"}$/.exec(line) as unknown as [string, string, string];
      expect(createHash("sha256").update(`${body}}`).digest("hex")).toBe(hash);
      expect(JSON.parse(line)).toMatchObject({ v: 1, n: i + 1, prev, user: "alice", sequence: String(i + 1) });
      prev = hash;
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readLog(path)).toMatchObject({ faults: [], torn: 0, end: bytes.length });
  });

  it("is the same in memory as in the file after each entry", () => {
    const path = fresh();
    const log = readLog(path);
    for (const operation of ["sign", "sign", ACCEPT, "sign"]) appendEntry(log, told(operation), operation === ACCEPT ? 9 : 0);
    const again = readLog(path);
    expect(log.entries).toEqual(again.entries);
    expect(again.entries.map((e) => e.n)).toEqual([1, 2, 10, 11]);
    expect([log.end, log.torn, log.faults]).toEqual([again.end, again.torn, []]);
    expect(again.faults).toEqual([]);
  });

  it("that is cut inside its last entry, at any byte, continues from the previous one", () => {
    const { bytes } = written(3);
    const last = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let cut = last; cut < bytes.length; cut++)
      for (const tail of ["", "\0".repeat(bytes.length - cut)]) {
        // bytes that did not get to the disk come back as zeros, even after the beginning of an entry
        const path = put(Buffer.concat([bytes.subarray(0, cut), Buffer.from(tail)]));
        const log = readLog(path);
        expect([log.entries.length, log.faults, log.torn], String(cut)).toEqual([2, [], statSync(path).size - last]);
        if (cut % 40 !== 0) continue;
        const torn = log.torn;
        appendEntry(log, told());
        expect(readLog(path).entries.at(-1)).toMatchObject({ n: 3, ...(torn > 0 && { torn }) });
        expect(readLog(path)).toMatchObject({ faults: [], torn: 0 });
      }
  });

  it("with a hole in its last entry, where a block did not reach the disk, continues from the previous one", () => {
    const { bytes } = written(3);
    bytes.fill(0, bytes.length - 200, bytes.length - 100);
    expect(readLog(put(bytes))).toMatchObject({ faults: [], entries: [{ n: 1 }, { n: 2 }] });
  });

  it("of another kind is not mistaken for one that was cut short", () => {
    for (const bytes of ["-----BEGIN PRIVATE KEY-----", "x", '{"v":2', "\0\0firmware", "hello\nworld\n", "\n", '[{"v":1,"n":1}]'])
      expect(readLog(put(bytes)).faults, bytes).not.toEqual([]);
    expect(readLog(put(new Uint8Array(100_000))).faults).not.toEqual([]);
  });

  it.each(
    ["time", "user", "job", "operation", "key", "digest", "tbs", "sequence", "version", "leaf", "from", "to"].flatMap((member) =>
      [7, ["7"], { 0: "7" }].map((value) => [member, value]),
    ),
  )("with another type of a member has no entry: %s %j", (member, value) => {
    const { text } = lineOf({ v: 1, n: 1, ...told(), [member as string]: value, prev: NO_PREVIOUS });
    expect(readLog(put(text))).toMatchObject({ entries: [], faults: [{ line: 1, what: "not an entry" }] });
  });

  it("that is changed at any byte is detected, unless the rest is the beginning of an entry", () => {
    const { bytes } = written(4);
    const good = readLog(put(bytes)).entries;
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ flip;
        const log = readLog(put(changed));
        // entries without a fault are as they were
        if (log.faults.length === 0) expect(log.entries).toEqual(good.slice(0, log.entries.length));
        if (log.faults.length === 0) expect(log.entries.length).toBe(3);
      }),
      { numRuns: 400, examples: [...bytes.keys()].filter((i) => bytes[i] === 0x0a).map((i) => [i, 0x0a] as [number, number]) },
    );
  });

  it("with an entry removed, inserted, duplicated or moved is detected", () => {
    const { bytes } = written(4);
    const lines = bytes.toString().trimEnd().split("\n");
    const [a, b, c, d] = lines as [string, string, string, string];
    const other = written(5).bytes.toString().split("\n")[4] as string;
    for (const list of [
      [b, c, d],
      [a, c, d],
      [a, b, b, c, d],
      [a, c, b, d],
      [a, b, c, d, d],
      [a, b, c, d, a],
      [a, b, "{}", c, d],
      [a, b, "", c, d],
    ])
      expect(readLog(put(`${list.join("\n")}\n`)).faults, list.map((l) => lines.indexOf(l)).join()).not.toEqual([]);
    // the same five entries, made again: a log is a chain of hashes, and only what was seen of it elsewhere
    // distinguishes it from a forged one
    expect(readLog(put(`${[...lines, other].join("\n")}\n`)).faults).toEqual([]);
  });

  it("continues after what was accepted, and an acceptance does not cover earlier entries that change later", () => {
    const { bytes } = written(3);
    const lines = bytes.toString().trimEnd().split("\n");
    const path = put(`${lines[0]}\n${lines[2]}\n`);
    const log = readLog(path);
    expect(log.faults).toHaveLength(1);
    appendEntry(log, told(ACCEPT), 7);
    appendEntry(log, told());
    const again = readLog(path);
    expect([again.faults, again.accepted.length, again.entries.map((e) => e.n)]).toEqual([[], 1, [1, 3, 8, 9]]);
    const tampered = readFileSync(path, "utf8").replace("alice", "mallory");
    expect(readLog(put(tampered)).faults).not.toEqual([]);
  });

  it("has room for one of two entries that follow on the same, and keeps the other as one that came too late", () => {
    const { path, bytes } = written(2);
    const [one, other] = [readLog(path), readLog(path)];
    appendEntry(one, told("first"));
    // by its size it is seen before anything is written
    expect(() => appendEntry(other, told("second"))).toThrow(/another program changed it/);
    // held up between that look and the write
    const late = put(bytes);
    appendEntry(readLog(late), told("late"));
    writeFileSync(path, readFileSync(late).subarray(bytes.length), { flag: "a" });
    const log = readLog(path);
    expect([log.faults, log.entries.map((e) => e.operation)]).toEqual([[], ["sign", "sign", "first"]]);
    expect(log.late).toMatchObject([{ line: 4, what: "entry 3 came too late: another one has its place", entry: { operation: "late" } }]);
    appendEntry(log, told("third"));
    expect(readLog(path)).toMatchObject({ faults: [], late: [{}], entries: [{}, {}, {}, { n: 4, operation: "third" }] });
    // twice is not a delay
    writeFileSync(path, readFileSync(late).subarray(bytes.length), { flag: "a" });
    expect(readLog(path).faults).toEqual([{ line: 6, what: "entry 3 does not follow entry 4" }]);
  });

  it("continues after what several processes left that were killed in the middle of a line", () => {
    const { path, bytes } = written(2);
    const [line] = bytes.toString().split("\n") as [string];
    for (const torn of [line.slice(0, 300), line.slice(0, 20), '{"v":1,"n":', "{"]) {
      writeFileSync(path, torn, { flag: "a" });
      appendEntry(readLog(path), told("next"));
      expect(readLog(path).faults).toEqual([]);
    }
    // killed behind the end of what was cut short, and cut short itself
    writeFileSync(path, `${line.slice(0, 99)}\0\n${line.slice(0, 50)}`, { flag: "a" });
    appendEntry(readLog(path), told("next"));
    // one that had looked before the other was killed
    const before = readFileSync(path);
    const late = put(before);
    appendEntry(readLog(late), told("behind"));
    writeFileSync(path, Buffer.concat([Buffer.from(line.slice(0, 70)), readFileSync(late).subarray(before.length)]), { flag: "a" });
    const log = readLog(path);
    expect([log.faults, log.torn, log.entries.at(-1)?.operation, log.entries.length]).toEqual([[], 0, "behind", 8]);
    // an acceptance speaks of all that is before it, also of that
    const damaged = readFileSync(path, "utf8").replace("alice", "mallory");
    const bad = put(`${damaged}${line.slice(0, 30)}`);
    appendEntry(readLog(bad), told(ACCEPT));
    expect(readLog(bad)).toMatchObject({ faults: [], accepted: [{}] });
  });

  it("has no entry above 1 MiB, read or written", () => {
    const { path, bytes } = written(1);
    const job = "x".repeat(1024 * 1024);
    expect(() => appendEntry(readLog(path), told("sign", { job }))).toThrow("the entry would be too long");
    expect(readFileSync(path)).toEqual(bytes);
    const { text } = lineOf({ v: 1, n: 1, ...told("sign", { job }), prev: NO_PREVIOUS });
    expect(readLog(put(text))).toMatchObject({ entries: [], faults: [{ line: 1, what: "not an entry" }] });
    const { text: shorter } = lineOf({ v: 1, n: 1, ...told("sign", { job: job.slice(1000) }), prev: NO_PREVIOUS });
    expect(readLog(put(shorter))).toMatchObject({ entries: [{ n: 1 }], faults: [] });
  });

  it("is left unchanged if it cannot be written", () => {
    const { path, bytes } = written(2);
    const log = readLog(path);
    const link = join(folder, "link.log");
    symlinkSync(path, link);
    const linked = readLog(link);
    expect(() => appendEntry(linked, told())).toThrow(Failure);
    // another one wrote meanwhile, without the lock
    writeFileSync(path, "x", { flag: "a" });
    expect(() => appendEntry(log, told())).toThrow(/another program changed it/);
    truncateSync(path, bytes.length);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const dir = mkdtempSync(join(folder, "closed-"));
    chmodSync(dir, 0o500);
    if (process.getuid?.() !== 0) expect(() => appendEntry(readLog(join(dir, "a.log")), told())).toThrow(Failure);
    expect(() => appendEntry(readLog(join(folder, "none/a.log")), told())).toThrow(Failure);
  });
});

describe("sequence numbers", () => {
  const entry = (sequence: bigint | number, digest: string, scope = ["v/c"], operation = "sign"): Entry => ({
    ...told(operation),
    v: 1,
    n: 1,
    prev: "",
    hash: "",
    key: "A",
    ...(operation === "sign" && { sequence: String(sequence), digest, scope }),
  });
  const log = [entry(7, "A"), entry(5, "B"), entry(100, "C", ["v/other"])];
  const check = (sequence: bigint, digest: string, allow = {}, scope = ["v/c"]) =>
    checkSequence([{ key: "A", entries: log }], { sequence, digest, scope }, allow);

  it("go up for each kind of device", () => {
    expect(nextSequence([log], ["v/c"])).toBe(8n);
    expect(nextSequence([log], ["v/other"])).toBe(101n);
    expect(nextSequence([log], ["v/new"])).toBe(1n);
    // the key may have signed elsewhere: a person says that it has not, or the caller knows
    for (const logs of [[], [[]], [[], []]]) {
      expect(() => nextSequence(logs, ["v/c"])).toThrow(/the log of the key is empty here, and the key may have signed elsewhere/);
      expect(nextSequence(logs, ["v/c"], { first: true })).toBe(1n);
      expect(nextSequence(logs, ["v/c"], { first: "known" })).toBe(1n);
    }
    expect(nextSequence([[], log], ["v/c"])).toBe(8n);
    expect(nextSequence([log], ["v/new"], { first: true })).toBe(1n);
    expect(() => nextSequence([log], ["v/c"], { first: true })).toThrow(/releases for this kind of device up to 7: this is not the first/);
    expect(nextSequence([log, [entry(9, "D")]], ["v/c"])).toBe(10n);
    // for two kinds at once: above both
    expect(nextSequence([log], ["v/c", "v/other"])).toBe(101n);
    expect(() => nextSequence([[entry(2n ** 64n - 1n, "Z")]], ["v/c"])).toThrow(/no sequence number is left/);
    expect(nextSequence([[entry(2n ** 64n - 2n, "Z")]], ["v/c"])).toBe(2n ** 64n - 1n);
  });

  it("are not guessed after a log was restored, until one is given", () => {
    const restored = [...log, entry(0, "", [], ACCEPT)];
    expect(() => nextSequence([restored], ["v/c"])).toThrow(/does not know the used sequence numbers/);
    expect(() => nextSequence([[], restored], ["v/new"])).toThrow(Failure);
    expect(nextSequence([[...restored, entry(20, "E")]], ["v/c"])).toBe(21n);
  });

  it("that are lower, used or far ahead need an override of their own", () => {
    expect(check(8n, "new")).toEqual([]);
    expect(check(7n, "A")).toEqual([]);
    expect(check(5n, "B")).toEqual([]);
    expect(check(1n, "new", {}, ["v/new"])).toEqual([]);
    expect(check(2n ** 64n - 2n, "new", {}, ["v/new"])).toEqual([]);
    expect(check(7n + 2n ** 32n, "new")).toEqual([]);

    expect(() => check(6n, "new")).toThrow(/lower than 7/);
    expect(() => check(7n, "new")).toThrow(/signed for another manifest/);
    expect(() => check(8n + 2n ** 32n, "new")).toThrow(/more than 2\^32 higher/);
    // a release for two kinds is held against both
    expect(() => check(50n, "new", {}, ["v/c", "v/other"])).toThrow(/lower than 100/);

    const all = { allowLowerSequence: true, allowSequenceReuse: true, allowSequenceJump: true };
    expect(check(6n, "new", { allowLowerSequence: true })).toEqual(["allow-lower-sequence"]);
    expect(check(7n, "new", { allowSequenceReuse: true })).toEqual(["allow-sequence-reuse"]);
    expect(check(2n ** 60n, "new", { allowSequenceJump: true })).toEqual(["allow-sequence-jump"]);
    expect(check(8n, "new", all)).toEqual([]);
    expect(check(5n, "new", all)).toEqual(["allow-sequence-reuse", "allow-lower-sequence"]);
    for (const one of ["allowSequenceReuse", "allowSequenceJump"]) expect(() => check(6n, "new", { [one]: true })).toThrow(Failure);
    expect(() => check(5n, "new", { allowLowerSequence: true })).toThrow(/another manifest/);
    expect(() => check(5n, "new", { allowSequenceReuse: true })).toThrow(/lower/);
  });

  it("that are the last of all need an override, also as the first, and no advice names a higher one", () => {
    const last = 2n ** 64n - 1n;
    const jump = { allowSequenceJump: true };
    for (const scope of [["v/new"], ["v/c"]]) {
      expect(() => check(last, "new", {}, scope)).toThrow(/18446744073709551615 is the last one: devices could never get another release/);
      expect(() => check(last, "new", { allowLowerSequence: true, allowSequenceReuse: true }, scope)).toThrow(Failure);
      expect(check(last, "new", jump, scope)).toEqual(["allow-sequence-jump"]);
    }
    const used = [entry(last, "Z")];
    const checked = (sequence: bigint, digest: string, allow = {}) =>
      checkSequence([{ key: "B", entries: used }], { sequence, digest, scope: ["v/c"] }, allow);
    // by the other keys of the release
    expect(checked(last, "Z")).toEqual([]);
    const epoch = expect.objectContaining({
      hint: expect.stringMatching(/^none is higher than 2\^64 - 1: devices count from the beginning after/),
    });
    for (const work of [() => checked(7n, "new"), () => checked(last, "new", jump), () => nextSequence([used], ["v/c"])]) {
      expect(work).toThrow(epoch);
      expect(work).not.toThrow(expect.objectContaining({ hint: expect.stringContaining("`seq` next") }));
    }
    expect(checked(7n, "new", { allowLowerSequence: true })).toEqual(["allow-lower-sequence"]);
  });
});
