// The copy of a ledger is brought up to date part by part. It then has what the whole ledger has, or a part that is a
// log.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONG } from "../../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { type Ledger, wholeLines } from "../../src/ledger/ledger.js";
import { fetchInto } from "../../src/ledger/mirror.js";
import { ledgerPlace } from "../../src/ledger/place.js";
import { lineOf, NO_PREVIOUS } from "../../src/signing-log/entry.js";
import { parseLog } from "../../src/signing-log/log-file.js";
import { logOf, steps } from "../random-log.js";

const copy = join(temporaryFolder("firmseal-mirror-"), "copy.log");

/** A ledger that answers with these parts, from any line on. */
function answering(parts: (from: number) => Iterable<Buffer>): Ledger {
  return {
    place: ledgerPlace("postgres://db.example.com/firmseal#example.com/lock"),
    people: false,
    async *read(from) {
      yield* parts(from);
    },
    turn: () => expect.unreachable("nothing is entered"),
    close: async () => {},
  };
}

/** Bytes in parts of these sizes, the last of which is repeated. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Where lines end, and 0. */
const lineEnds = (bytes: Buffer) => [0, ...[...bytes.entries()].flatMap(([i, byte]) => (byte === 0x0a ? [i + 1] : []))];
const isGood = (bytes: Buffer) => {
  const { faults, late, torn } = parseLog("", bytes);
  return faults.length + late.length + torn === 0;
};

describe("the copy of a ledger", () => {
  it("has the whole of a ledger that is a log, however it comes in parts; of others only what is a log", async () => {
    let [whole, broken] = [0, 0];
    const sizes = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(steps, steps, sizes, fc.nat(), async (begun, more, parts, at) => {
        const bytes = logOf(more, logOf(begun));
        const ends = lineEnds(bytes).filter((end) => isGood(bytes.subarray(0, end)));
        const had = bytes.subarray(0, ends[at % ends.length]);
        rmSync(copy, { force: true });
        if (had.length > 0) writeFileSync(copy, had);
        const ledger = answering((from) => cut(bytes.subarray(from), parts));
        const length = await fetchInto(copy, ledger).catch((e) => {
          expect(String(e.message)).toContain("the ledger is broken: its lines do not follow each other");
          return undefined;
        });
        const now = existsSync(copy) ? readFileSync(copy) : Buffer.alloc(0);
        expect(isGood(bytes), "the ledger is a log").toBe(length !== undefined);
        if (length === undefined) broken++;
        else whole++;
        expect(now.length).toBe(length ?? now.length);
        expect(bytes.subarray(0, now.length).equals(now) && now.length >= had.length && isGood(now)).toBe(true);
        if (length !== undefined) expect(now.length).toBe(bytes.length);
      }),
      { numRuns: LONG ? 2000 : 300 },
    );
    expect(Math.min(whole, broken)).toBeGreaterThan(20);
  });

  it("takes a ledger that is longer than memory should hold", async () => {
    const entries = LONG ? 300_000 : 5000;
    function* lines() {
      let prev = NO_PREVIOUS;
      for (let n = 1; n <= entries; n++) {
        const facts = { operation: "sign", key: "a".repeat(64), digest: `sha-256:${"d".repeat(64)}`, sequence: String(n), scope: ["v/a"] };
        const { text, hash } = lineOf({ v: 1, n, time: "2026-12-01T00:00:00.000Z", user: "", host: "", ...facts, prev });
        prev = hash;
        yield text;
      }
    }
    function* parts() {
      let group: string[] = [];
      for (const line of lines()) {
        group.push(line);
        if (group.length === 1000) {
          yield Buffer.from(group.join(""));
          group = [];
        }
      }
    }
    rmSync(copy, { force: true });
    const before = process.memoryUsage.rss();
    const length = await fetchInto(copy, answering(parts));
    expect(length).toBeGreaterThan(400 * entries);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 << 20);
  });

  it("ends with a server that never ends its answer", async () => {
    const all = async (from: number, parts: Iterable<Buffer>) => {
      for await (const _ of wholeLines(
        answering(() => parts),
        from,
      ));
    };
    await expect(all(0, cut(Buffer.alloc(3 << 20, "x"), [65_536]))).rejects.toThrow("the ledger is broken: a line is longer than an entry");
    await expect(all(2 ** 33, [Buffer.from("\n")])).rejects.toThrow("the ledger is too long for this");
  });
});
