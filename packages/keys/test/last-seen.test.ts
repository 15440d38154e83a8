// The last-seen mark: one form for logs and for leaves, and no damage that looks like another count.

import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publicOf } from "@firmseal/signer";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { keyName } from "../src/recording/places.js";
import { withSigningLogs } from "../src/recording/recording.js";
import type { Entry } from "../src/signing-log/entry.js";
import { LastSeen, type MarkKind, markText, type SeenState } from "../src/signing-log/last-seen.js";
import { readLog } from "../src/signing-log/log-file.js";
import { keys } from "./keys-common.js";

const KEY = "ab".repeat(32);
const folder = temporaryFolder("firmseal-seen-");
beforeAll(() => void vi.stubEnv("FIRMSEAL_STATE", folder));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const MARKS: [MarkKind, SeenState][] = [
  ["log", { count: 3n, hash: "cd".repeat(32), path: "/keys/k.pem.log" }],
  ["leaves", { count: 2n ** 190n }],
];

it("a folder appears with the first lock or mark, not when it is read", async () => {
  const none = join(folder, "none");
  vi.stubEnv("FIRMSEAL_STATE", none);
  try {
    const mark = new LastSeen(KEY, "log");
    expect([mark.look(), mark.read(), existsSync(none)]).toEqual(["missing", undefined, false]);
    (await mark.lock({})).release();
    expect(readdirSync(none)).toEqual([]);
    rmSync(none, { recursive: true });
    new LastSeen(KEY, "leaves").begin();
    expect(readdirSync(none)).toEqual([`${KEY}.leaves.last-seen`]);
    // what is not a folder is refused by who only reads, too
    vi.stubEnv("FIRMSEAL_STATE", join(none, `${KEY}.leaves.last-seen`));
    expect(() => new LastSeen(KEY, "log")).toThrow("a part of the path is not a folder");
  } finally {
    vi.stubEnv("FIRMSEAL_STATE", folder);
    rmSync(none, { recursive: true, force: true });
  }
});

it.each(MARKS)("of %s: raised, read, and never lowered", (counted, seen) => {
  const mark = new LastSeen(KEY, counted);
  expect([mark.look(), mark.read()]).toEqual(["missing", undefined]);
  expect(mark.raise(seen)).toBe(true);
  expect(new LastSeen(KEY, counted).read()).toEqual(seen);
  const other = new LastSeen(KEY, counted);
  other.read();
  expect(other.raise({ ...seen, count: seen.count - 1n }), "to a lower count").toBe(false);
  expect(other.raise(seen), "to the count that it has").toBe(false);
  // who has not looked since cannot raise it
  const [one, two] = [new LastSeen(KEY, counted), new LastSeen(KEY, counted)];
  one.read();
  two.read();
  expect([one.raise({ ...seen, count: seen.count + 1n }), two.raise({ ...seen, count: seen.count + 2n })]).toEqual([true, false]);
  expect(mark.read()?.count).toBe(seen.count + 1n);
});

it("both are in one folder, under one name", () => {
  expect(
    readdirSync(folder)
      .filter((name) => !name.endsWith(".claims"))
      .sort(),
  ).toEqual([`${KEY}.leaves.last-seen`, `${KEY}.log.last-seen`]);
});

it.each(MARKS)("of %s: every octet that is changed, and every cut, is damage", (counted, seen) => {
  const mark = new LastSeen(KEY, counted);
  const text = markText(KEY, seen);
  const good = Buffer.from(text);
  writeFileSync(mark.file, good);
  expect(mark.look()).toEqual(seen);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] as number) ^ 1;
    writeFileSync(mark.file, bad);
    expect(mark.look(), `octet ${at}`).toBe("damaged");
    writeFileSync(mark.file, good.subarray(0, at));
    expect(mark.look(), `cut at ${at}`).toBe("damaged");
  }
  expect(() => mark.read()).toThrow("is damaged");
  // the mark of another key, and a link
  writeFileSync(mark.file, markText("cd".repeat(32), seen));
  expect(mark.look()).toBe("damaged");
  const elsewhere = join(folder, "elsewhere");
  writeFileSync(elsewhere, good);
  rmSync(mark.file);
  symlinkSync(elsewhere, mark.file);
  expect([mark.look(), readFileSync(mark.file, "utf8")]).toEqual(["damaged", text]);
});

it("of a log has at most 4 MiB: a key that has signed for too many kinds of device signs no more", () => {
  const mark = new LastSeen("ef".repeat(32), "log");
  mark.read();
  const entry = {
    v: 1,
    n: 1,
    time: "",
    user: "",
    host: "",
    operation: "sign",
    prev: "",
    hash: "",
    scope: ["v/c".repeat(1 << 20)],
  } as Entry;
  expect(mark.raise({ count: 1n, binds: [entry] })).toBe(true);
  expect(new LastSeen("ef".repeat(32), "log").read()).toEqual({ count: 1n, binds: [entry] });
  const big = { ...entry, scope: ["v/c".repeat(3 << 19)] };
  expect(() => mark.raise({ count: 2n, binds: [entry, big] })).toThrow(expect.objectContaining({ reason: "LIMIT", exit: 1 }));
  expect(mark.read()?.count).toBe(1n);
});

it("of a log is raised by each use of the key", async () => {
  const key = { name: "k.pem", public: publicOf(keys.ed25519) };
  const log = join(folder, "k.pem.log");
  for (const use of [1, 2]) {
    await withSigningLogs([key], log, async ({ record }) => void record(key, { operation: "sign" }));
    const seen = new LastSeen(keyName(key.public), "log").read()?.count;
    expect({ entries: readLog(log).entries.length, seen }).toEqual({ entries: use, seen: BigInt(use) });
  }
});
