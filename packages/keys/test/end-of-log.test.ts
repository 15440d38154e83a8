// Signing reads the end of a log and the mark. Whatever does not fit there is found by reading the whole log.

import { createHash } from "node:crypto";
import fs, { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { publicOf } from "@firmseal/signer";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { joinLogs } from "../src/recording/join.js";
import { keyName } from "../src/recording/places.js";
import { type SigningFacts, withSigningLogs } from "../src/recording/recording.js";
import { neededApprovers } from "../src/signing-log/approvers.js";
import { readDeciding } from "../src/signing-log/decided.js";
import { type Entry, lineOf, NO_PREVIOUS } from "../src/signing-log/entry.js";
import { LastSeen, markText, type SeenState } from "../src/signing-log/last-seen.js";
import { readLog } from "../src/signing-log/log-file.js";
import { checkSequence, nextSequence, withdrawalsAmong } from "../src/signing-log/sequence.js";
import { keys } from "./keys-common.js";

const folder = temporaryFolder("firmseal-end-");
beforeAll(() => void vi.stubEnv("FIRMSEAL_STATE", join(folder, "state")));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const A = { name: "a.pem", public: publicOf(keys.ed25519) };
const B = { name: "b.pem", public: publicOf(keys.es256) };
const LONG = "x".repeat(300 << 10);
let log = "";
let files = 0;
beforeEach(() => {
  log = join(folder, `${files++}.log`);
  rmSync(join(folder, "state"), { recursive: true, force: true });
});

const fact = (n: number, scope = "v/a"): SigningFacts => ({
  operation: "sign",
  sequence: String(n),
  digest: `sha-256:${n}`,
  scope: [scope],
});
/** The first entry is so long that the log is not read whole from then on. */
const use = (n: number, key = A, scope?: string) =>
  withSigningLogs([key], log, async ({ record }) => record(key, { ...fact(n, scope), ...(existsSync(log) ? {} : { reason: LONG }) }));
const deciding = (key = A) => withSigningLogs([key], log, async (logs) => logs.deciding[0] as readonly Entry[]);
const whole = (key = A) => withSigningLogs([key], log, async ({ logs }) => logs[0] as readonly Entry[]);
const markOf = ({ public: key }: typeof A) => new LastSeen(keyName(key), "log");
const numbers = (entries: readonly Entry[]) => entries.map(({ sequence }) => Number(sequence));

/** Writes a log with this many entries of a key, so long that it is not read whole, and its mark. */
async function long(entries: number, more: object = {}): Promise<void> {
  const lines: string[] = [];
  const reason = "x".repeat((300 << 10) / Math.min(entries, 1000));
  let prev = NO_PREVIOUS;
  for (let n = 1; n <= entries; n++) {
    const facts = { time: "2026-11-30T00:00:00.000Z", user: "u", host: "h", key: keyName(A.public), ...fact(n), ...more, reason };
    const { text, hash } = lineOf({ v: 1, n, ...facts, prev });
    lines.push(text);
    prev = hash;
  }
  writeFileSync(log, lines.join(""));
  await use(entries + 1);
}

const bytesRead = () => Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);

describe("a signature", () => {
  it.runIf(existsSync("/proc/self/io"))("reads as many bytes after 10 entries as after 20,000", async () => {
    const cost: number[] = [];
    for (const entries of [10, 20_000]) {
      log = join(folder, `${files++}.log`);
      rmSync(join(folder, "state"), { recursive: true, force: true });
      await long(entries);
      // the first two fill the mark
      for (let i = 2; i < 40; i++) await use(entries + i);
      const before = bytesRead();
      for (let i = 40; i < 50; i++) await use(entries + i);
      cost.push(bytesRead() - before);
      expect(readLog(log)).toMatchObject({ faults: [], highest: entries + 49 });
    }
    const [few, many] = cost as [number, number];
    expect(many / few).toBeLessThan(1.2);
  });

  it("continues a log of 263,000 lines, also the first one of an account", async () => {
    const lines = 263_000;
    let text: string[] = [];
    let prev = NO_PREVIOUS;
    for (let n = 1; n <= lines; n++) {
      const facts = { time: "2026-11-30T00:00:00.000Z", user: "u", host: "h", key: keyName(A.public), ...fact(n), reason: "x".repeat(250) };
      const one = lineOf({ v: 1, n, ...facts, prev });
      text.push(one.text);
      prev = one.hash;
      if (text.length < 10_000 && n < lines) continue;
      appendFileSync(log, text.join(""));
      text = [];
    }
    for (const n of [1, 2, 3]) expect(await use(lines + n)).toMatchObject({ entry: lines + n });
    expect(numbers(await deciding()).at(-1)).toBe(lines + 3);
    expect(readDeciding(log, [markOf(A).read()])).toMatchObject({ faults: [], count: lines + 3 });
    // what the mark does not decide takes all entries in memory
    expect(numbers(await whole())).toHaveLength(lines + 3);
    truncateSync(log, (512 << 20) + 1);
    expect(() => readLog(log)).toThrow("is too large (536,870,913 bytes)");
  });

  it("is refused by what no program wrote: a file that was made longer, and a mark that was forged", async () => {
    await long(3);
    const before = readFileSync(log);
    truncateSync(log, before.length + (2 << 20));
    await expect(use(5)).rejects.toThrow("the log of the key has changed: not an entry");
    truncateSync(log, before.length + (512 << 20) + 1);
    await expect(use(5)).rejects.toThrow("is too large (a line of more than 536,870,912 bytes)");
    writeFileSync(log, before);
    writeFileSync(markOf(A).file, markText(keyName(A.public), { ...(markOf(A).read() as SeenState), count: BigInt(2 ** 40) }));
    await expect(use(5)).rejects.toThrow("the log ends at entry 4, but entry 1099511627776 was seen");
  });
});

describe("the end of a log", () => {
  it("has the entries of other keys, and of others who signed with the key", async () => {
    await use(1);
    await use(2, B);
    await use(3, B, "v/b");
    expect(numbers(await deciding())).toEqual([1, 2, 3]);
    expect(numbers(await deciding(B))).toEqual([1, 2, 3]);
    await withSigningLogs([A, B], log, async ({ record, deciding: [a, b] }) => {
      expect([numbers(a as Entry[]), numbers(b as Entry[])]).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]);
      record(A, fact(4));
      record(B, fact(4));
    });
    for (const key of [A, B]) expect(numbers(await deciding(key)).slice(-2)).toEqual([4, 4]);
    const state = readFileSync(markOf(A).file);
    await use(5);
    // the mark of another account, which has not seen entry 5
    writeFileSync(markOf(A).file, state);
    rmSync(`${markOf(A).file}.claims`, { recursive: true, force: true });
    expect(numbers(await deciding()).at(-1)).toBe(5);
    expect(readLog(log).faults).toEqual([]);
  });

  it("is not that of the mark: another place, another entry, a line that was changed, or no file", async () => {
    await long(50);
    const seen = markOf(A).read() as SeenState;
    const { start, end } = seen.place as { start: number; end: number };
    const bytes = readFileSync(log);
    for (const place of [
      { start: 0, end },
      { start: start + 1, end },
      { start: start - 1, end },
      { start, end: end - 1 },
      { start, end: end + 1 },
      { start, end: 2 ** 52 },
      { start: end, end },
      { start: 2 ** 40, end: 2 ** 41 },
    ]) {
      writeFileSync(markOf(A).file, markText(keyName(A.public), { ...seen, place }));
      expect(numbers(await whole()).length, JSON.stringify(place)).toBe(51);
      expect(numbers(await deciding()).at(-1), JSON.stringify(place)).toBe(51);
    }
    writeFileSync(markOf(A).file, markText(keyName(A.public), seen));
    // no place at all: a mark with a word, a fraction, or a negative number
    for (const place of [{ start: "0", end }, { start: 0.5, end }, { start: -1, end }, { end }, null]) {
      writeFileSync(markOf(A).file, markText(keyName(A.public), { ...seen, place } as unknown as SeenState));
      expect(numbers(await deciding()).at(-1), JSON.stringify(place)).toBe(51);
    }
    writeFileSync(markOf(A).file, markText(keyName(A.public), seen));
    const changed = Buffer.from(bytes);
    changed[start + 40] = (changed[start + 40] as number) ^ 1;
    writeFileSync(log, changed);
    await expect(deciding()).rejects.toThrow("the log of the key has changed");
    truncateSync(log, start);
    await expect(deciding()).rejects.toThrow("the log ends at entry 50, but entry 51 was seen");
    rmSync(log);
    await expect(deciding()).rejects.toThrow("the log ends at entry 0, but entry 51 was seen");
  });

  it("is refused with what does not follow: another log, a repeated line, a word", async () => {
    await use(1);
    const [first] = readFileSync(log, "utf8").split("\n");
    await use(2);
    const good = readFileSync(log);
    const stranger = lineOf({ v: 1, n: 3, time: "", user: "", host: "", operation: "sign", prev: "12".repeat(32) }).text;
    for (const text of [`${first}\n`, stranger, "word\n", "\n"]) {
      writeFileSync(log, good);
      appendFileSync(log, text);
      await expect(deciding(), text).rejects.toThrow("the log of the key has changed");
    }
  });

  it("may be an entry that was cut, after which the next one says so", async () => {
    await use(1);
    appendFileSync(log, '{"v":1,"n":2,"time":"2026');
    await use(2);
    expect(readLog(log)).toMatchObject({ faults: [], highest: 2, entries: [{}, { torn: 25 }] });
    const { place } = markOf(A).read() as SeenState;
    expect(JSON.parse(readFileSync(log).subarray(place?.start, place?.end).toString())).toMatchObject({ n: 2 });
    await use(3);
    expect(numbers(await deciding())).toEqual([1, 2, 3]);
  });
});

describe("another program that writes without the lock", () => {
  /** Appends an entry as another program does, which follows the last line, or comes too late. */
  function intrude(n: number, isLate = false): void {
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    const { n: last, hash } = JSON.parse(lines.at(isLate ? -2 : -1) as string);
    const facts = { time: "2026-11-30T00:00:00.000Z", user: "u", host: "h", key: keyName(B.public), ...fact(n) };
    appendFileSync(log, lineOf({ v: 1, n: last + 1, ...facts, prev: hash }).text);
  }

  it("between the end of a log and the whole of it: nothing is entered", async () => {
    await use(1);
    await use(2);
    const work = withSigningLogs([A], log, async (logs) => {
      expect(numbers(logs.deciding[0] as Entry[])).toEqual([1, 2]);
      intrude(3);
      return logs.logs;
    });
    await expect(work).rejects.toThrow("another program changed it in the meantime");
    expect(numbers(readLog(log).entries)).toEqual([1, 2, 3]);
  });

  it.each([false, true])("after an entry, before it is read back: the number counts as used (too late: %s)", async (isLate) => {
    for (const n of [1, 2, 3]) await use(n);
    // while the entry is made durable
    const real = fs.fsyncSync;
    let isIn = false;
    fs.fsyncSync = (fd) => {
      real(fd);
      if (isIn || !readFileSync(log, "utf8").includes('"sequence":"4"')) return;
      isIn = true;
      intrude(50, isLate);
    };
    syncBuiltinESMExports();
    try {
      await withSigningLogs([A], log, async ({ record }) => record(A, fact(4)));
      // the program that has signed 50 has its own mark
      expect(nextSequence([await deciding()], ["v/a"])).toBe(51n);
      expect(nextSequence([await whole()], ["v/a"])).toBe(51n);
    } finally {
      fs.fsyncSync = real;
      syncBuiltinESMExports();
    }
  });

  it("before a repeated use is found: what came too late is not behind the mark", async () => {
    for (const n of [1, 2, 3]) await use(n);
    const before = readFileSync(markOf(A).file);
    await use(4);
    intrude(5, true);
    // killed before the mark was written
    writeFileSync(markOf(A).file, before);
    rmSync(`${markOf(A).file}.claims`, { recursive: true, force: true });
    expect(await withSigningLogs([A], log, async ({ entered }) => entered(A, fact(4)))).toMatchObject({ entry: 4 });
    expect(numbers(await whole())).toEqual([1, 2, 3, 4, 5]);
    expect(nextSequence([await deciding()], ["v/a"])).toBe(6n);
  });
});

describe("two logs of a key that were joined", () => {
  it("are continued on both machines", async () => {
    const states = ["one", "two"].map((name) => join(folder, "state", name));
    const logs = states.map((_, i) => `${log}.${i}`) as [string, string];
    for (const [i, state] of states.entries()) {
      vi.stubEnv("FIRMSEAL_STATE", state);
      for (const n of [1, 2, 3])
        await withSigningLogs([A], logs[i], async ({ record }) => record(A, { ...fact(10 * i + n), reason: n === 1 ? LONG : "" }));
    }
    joinLogs(...logs, log);
    for (const state of states) {
      vi.stubEnv("FIRMSEAL_STATE", state);
      // the first signature reads the joined log whole
      for (const entry of [5, 6, 7]) expect(await use(20 + entry), state).toMatchObject({ entry });
      expect(readLog(log).faults).toEqual([]);
      rmSync(log);
      joinLogs(...logs, log);
    }
    vi.stubEnv("FIRMSEAL_STATE", join(folder, "state"));
  });
});

describe("a log that was changed by an editor who accepts that himself", () => {
  /** Changes a log, and appends the entry that accepts it. */
  function accepted(change: (lines: string[]) => string[]): void {
    const lines = change(readFileSync(log, "utf8").trimEnd().split("\n"));
    const text = `${lines.join("\n")}\n`;
    const facts = { time: "2026-11-30T00:00:00.000Z", user: "u", host: "h", operation: "accept-restored" };
    const prev = createHash("sha256").update(text).digest("hex");
    writeFileSync(log, text + lineOf({ v: 1, n: 99, ...facts, prev }).text);
  }

  const granted = async (n: number, scope: string) =>
    checkSequence([{ entries: await whole() }], { sequence: BigInt(n), digest: "new", scope: [scope] }, {});

  it("is refused while its last entry is pushed aside as too late", async () => {
    for (const n of [1, 2, 3]) await use(n);
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    const { hash } = JSON.parse(lines[1] as string);
    const facts = { time: "2026-11-30T00:00:00.000Z", user: "u", host: "h", operation: "record", key: keyName(A.public) };
    const forged = lineOf({ v: 1, n: 3, ...facts, prev: hash }).text.trimEnd();
    writeFileSync(log, `${[...lines.slice(0, 2), forged, lines[2]].join("\n")}\n`);
    await expect(whole()).rejects.toThrow("entry 3 differs from the one that was seen");
    await expect(deciding()).rejects.toThrow("entry 3 differs from the one that was seen");
  });

  it("has no number less: a line that was edited under its hash, or removed, also that of another key", async () => {
    for (const change of [
      (lines: string[]) => lines.map((line) => line.replace('"sequence":"100"', '"sequence":"1"')),
      (lines: string[]) => lines.map((line) => line.replace('"v/b"', '"v/c"')),
      (lines: string[]) => lines.filter((line) => !line.includes('"100"')),
    ])
      for (const other of [A, B]) {
        rmSync(join(folder, "state"), { recursive: true, force: true });
        rmSync(log, { force: true });
        await use(1);
        await use(100, other, "v/b");
        await use(2);
        accepted(change);
        // the seen entry is behind the line that was changed
        await expect(granted(5, "v/b"), String(change)).rejects.toThrow("lower than 100");
        await use(3);
        await expect(granted(5, "v/b"), String(change)).rejects.toThrow("lower than 100");
      }
  });

  it("still withdraws, and still requires a person whose removal was lost before they were named again", async () => {
    const P = "12".repeat(32);
    await use(1);
    const more = [{ approvers: [P] }, { removed: [P] }, { approvers: [P] }, { operation: "withdraw", reason: "bad" }];
    for (const [i, facts] of more.entries()) await withSigningLogs([A], log, async ({ record }) => record(A, { ...fact(i + 2), ...facts }));
    await use(9);
    accepted((lines) =>
      lines.filter((line) => !line.includes('"removed"')).map((line) => line.replace('"operation":"withdraw"', '"operation":"sign"')),
    );
    expect([...neededApprovers(await whole(), keyName(A.public)).keys()]).toEqual([P]);
    expect(withdrawalsAmong(await whole())).toMatchObject([{ sequence: "5", reason: "bad" }]);
  });
});

describe("an edit in the middle of a log", () => {
  it("changes nothing about the next number, and is found when the log is read whole", async () => {
    await long(9);
    const text = readFileSync(log, "utf8");
    writeFileSync(log, text.replace('"sequence":"4"', '"sequence":"9"'));
    await use(11);
    expect(readLog(log).faults).toMatchObject([{ what: "entry 4 was changed: its hash does not match" }]);
    await expect(whole()).rejects.toThrow("entry 4 was changed");
  });

  it("is found in the mark too: a number that is higher, one that is gone, or a person who is not needed", async () => {
    await long(9, { approvers: ["12".repeat(32)] });
    const seen = markOf(A).read() as SeenState;
    const decides = seen.decides as Entry[];
    const last = decides.at(-1) as Entry;
    for (const other of [
      [...decides, { ...last, sequence: "99", hash: "34".repeat(32) }],
      decides.filter((e) => e !== last),
      decides.map((e) => (e === last ? { ...e, sequence: "1" } : e)),
      decides.filter(({ approvers }) => !approvers),
    ]) {
      writeFileSync(markOf(A).file, markText(keyName(A.public), { ...seen, decides: other }));
      await expect(whole()).rejects.toThrow("up to entry 10, it differs from what was seen: one of the two was changed");
    }
    writeFileSync(markOf(A).file, markText(keyName(A.public), seen));
    expect(numbers(await whole()).length).toBe(10);
  });
});
