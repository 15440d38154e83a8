// What every ledger must do, wherever it is: the tests of each kind call this with a place of their own.

import { mkdirSync, readFileSync as readBytes, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { publicOf } from "@firmseal/signer";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import type { Ledger, LedgerOptions } from "../../src/ledger/ledger.js";
import { initLedger, openLedger } from "../../src/ledger/open.js";
import { ledgerPlace, mirrorOf } from "../../src/ledger/place.js";
import { keyName } from "../../src/recording/places.js";
import { type SigningFacts, withSigningLogs } from "../../src/recording/recording.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { lineOf, NO_PREVIOUS } from "../../src/signing-log/entry.js";
import { LastSeen } from "../../src/signing-log/last-seen.js";
import { readLog } from "../../src/signing-log/log-file.js";
import { nextSequence } from "../../src/signing-log/sequence.js";
import { keys } from "../keys-common.js";

export const A = { name: "a.pem", public: publicOf(keys.ed25519) };
export const B = { name: "b.pem", public: publicOf(keys.es256) };

export const fact = (n: number | bigint, more: Partial<SigningFacts> = {}): SigningFacts => ({
  operation: "sign",
  sequence: String(n),
  digest: `sha-256:${n}`,
  scope: ["v/a"],
  ...more,
});

/** Claims the next number. */
export const claim = (place: string, key = A, more: Partial<SigningFacts> = {}) =>
  withSigningLogs([key], place, async ({ deciding, record }) => {
    const n = nextSequence(deciding, ["v/a"], { first: "known" });
    record(key, fact(n, { digest: `sha-256:${n}-${Math.random()}`, ...more }));
    return Number(n);
  });

function writeBytes(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, bytes, { mode: 0o600 });
}

const textOf = async (ledger: Ledger, from = 0) => {
  const parts: Buffer[] = [];
  for await (const part of ledger.read(from)) parts.push(part);
  return Buffer.concat(parts).toString();
};

/** A kind of ledger under test. */
export interface LedgerKindOfTest {
  /** The place of a new ledger that does not exist yet. Sets the variables of a signer. */
  placeOf(): string;
  /** Makes it, as its owner. */
  init?(place: string, options?: LedgerOptions): Promise<void>;
}

export function describeLedger(what: string, { placeOf, init = initLedger }: LedgerKindOfTest, skip = false): void {
  const folder = skip ? "" : temporaryFolder("firmseal-ledger-");
  /** Each machine has a state folder of its own. */
  const machine = (name: string) => vi.stubEnv("FIRMSEAL_STATE", join(folder, name));
  let place = "";
  beforeEach(async () => {
    if (skip) return;
    machine("one");
    place = placeOf();
    await init(place);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    if (!skip) rmSync(folder, { recursive: true, force: true });
  });
  const opened = async () => {
    const ledger = await openLedger(place);
    onTestFinished(() => ledger.close());
    return ledger;
  };
  /** Entries that follow each other, from the first one of a ledger on. */
  const lines = (...texts: string[]) => {
    let prev = NO_PREVIOUS;
    return texts.map((version, i) => {
      const entry = lineOf({ v: 1, n: i + 1, time: "2026-12-01T00:00:00.000Z", user: "", host: "", operation: "sign", version, prev });
      prev = entry.hash;
      return Buffer.from(entry.text);
    });
  };

  describe.skipIf(skip)(`a ledger in ${what}`, () => {
    it("begins empty, and is made once", async () => {
      expect(await textOf(await opened())).toBe("");
      await expect(init(place)).rejects.toMatchObject({ exit: 2, message: expect.stringContaining("there is a ledger of this name") });
    });

    it("does not exist before it is made", async () => {
      const other = placeOf();
      await expect(openLedger(other)).rejects.toMatchObject({ exit: 3, hint: expect.stringContaining("ledger init") });
    });

    it("has what was appended, from any line on", async () => {
      const [one, two, three] = lines("é", "2", "3") as [Buffer, Buffer, Buffer];
      const ledger = await opened();
      const turn = await ledger.turn({ wait: 10 });
      await turn.append(0, [one, two]);
      await turn.end();
      const next = await ledger.turn({ wait: 10 });
      await next.append(one.length + two.length, [three]);
      await next.end();
      expect(await textOf(await opened())).toBe(Buffer.concat([one, two, three]).toString());
      expect(await textOf(ledger, one.length)).toBe(Buffer.concat([two, three]).toString());
      expect(await textOf(ledger, one.length + two.length)).toBe(three.toString());
      expect(await textOf(ledger, one.length + two.length + three.length)).toBe("");
      expect(await textOf(ledger, 1e9)).toBe("");
      // a machine that has seen another ledger asks for a byte in the middle of a line
      const whole = Buffer.concat([one, two, three]);
      for (let from = 0; from < whole.length; from += 7)
        expect(await textOf(ledger, from), `from byte ${from}`).toBe(whole.subarray(from).toString());
    });

    it("gives all of it to a new machine before its turn, in which others wait", async () => {
      await claim(place);
      const turn = await (await opened()).turn({ wait: 10 });
      machine("new");
      const copy = mirrorOf(ledgerPlace(place));
      const claimed = claim(place);
      await vi.waitFor(() => expect(readLog(copy).entries).toHaveLength(1), { timeout: 10_000 });
      await turn.end();
      expect(await claimed).toBe(2);
    });

    it("refuses what is not at its end, and has none of it", async () => {
      const [one, two] = lines("1", "2") as [Buffer, Buffer];
      const ledger = await opened();
      await (await ledger.turn({ wait: 10 })).append(0, [one]);
      for (const at of [0, 1, one.length + 1, 1e6]) {
        const turn = await ledger.turn({ wait: 10 });
        await expect(turn.append(at, [two])).rejects.toMatchObject({ exit: 3, hint: expect.stringContaining("nothing was signed") });
        await turn.end();
      }
      expect(await textOf(ledger)).toBe(one.toString());
    });

    it("lets one machine at a time have a turn", async () => {
      const [first, second] = [await opened(), await opened()];
      const turn = await first.turn({ wait: 10 });
      const order: string[] = [];
      const other = second.turn({ wait: 30 }).then(async (next) => {
        order.push("second");
        await next.end();
      });
      await new Promise((done) => setTimeout(done, 300));
      order.push("first");
      await turn.end();
      await other;
      expect(order).toEqual(["first", "second"]);
    });

    it("ends the wait for a turn", async () => {
      const turn = await (await opened()).turn({ wait: 10 });
      await expect((await opened()).turn({ wait: 1 })).rejects.toMatchObject({ exit: 3, hint: "run the command again" });
      await turn.end();
    });

    it("gives each number once to two machines and two keys", async () => {
      const numbers: number[] = [];
      for (let i = 0; i < 6; i++) {
        machine(i % 2 === 0 ? "one" : "two");
        numbers.push(await claim(place, i % 3 === 0 ? B : A));
      }
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
      const path = (await refreshLog(place)) as string;
      expect(readLog(path)).toMatchObject({ faults: [], late: [], highest: 6 });
      // nobody learns who signed where
      expect(readLog(path).entries.every(({ user, host, job }) => user === "" && host === "" && job === undefined)).toBe(true);
    });

    it("names the user, the host and the job if it was made so", async () => {
      const named = placeOf();
      await init(named, { people: true });
      await claim(named);
      const [entry] = readLog((await refreshLog(named)) as string).entries;
      expect(entry?.user).not.toBe("");
      expect(entry?.host).not.toBe("");
    });

    it("enters nothing if the command fails, and everything or nothing of several entries", async () => {
      await claim(place);
      const failing = withSigningLogs([A], place, async ({ record }) => {
        record(A, fact(2));
        throw new Error("changed my mind");
      });
      await expect(failing).rejects.toThrow("changed my mind");
      const path = (await refreshLog(place)) as string;
      expect(readLog(path).highest).toBe(1);
      expect(new LastSeen(keyName(A.public), "log").read()?.count).toBe(1n);
      await withSigningLogs([A, B], place, async ({ record, logs }) => {
        expect(logs.map(({ length }) => length)).toEqual([1, 1]);
        expect(record(A, fact(2))).toMatchObject({ path: ledgerPlace(place).text, entry: 2 });
        expect(record(B, fact(2))).toMatchObject({ entry: 3 });
      });
      await refreshLog(place);
      expect(readLog(path)).toMatchObject({ faults: [], highest: 3 });
    });

    it("finds an entry that says the same, and enters it once", async () => {
      const enter = () =>
        withSigningLogs([A, B], place, async (logs) => [A, B].map((key) => logs.entered(key, fact(1)) ?? logs.record(key, fact(1))));
      const first = await enter();
      machine("two");
      expect(await enter()).toEqual(first);
      expect(readLog((await refreshLog(place)) as string).highest).toBe(2);
    });

    it("continues after a machine was killed before its own copy had the entry", async () => {
      await claim(place);
      const path = (await refreshLog(place)) as string;
      const [copy, seen] = [path, new LastSeen(keyName(A.public), "log").file].map((file) => [file, readBytes(file)] as const) as [
        readonly [string, Buffer],
        readonly [string, Buffer],
      ];
      await claim(place);
      // the ledger has it; the machine wrote a part of the line, and no mark
      rmSync(join(folder, "one"), { recursive: true });
      writeBytes(copy[0], Buffer.concat([copy[1], Buffer.from('{"v":1,"n":2,"time')]));
      writeBytes(seen[0], seen[1]);
      expect(await claim(place)).toBe(3);
      expect(readLog(path)).toMatchObject({ faults: [], highest: 3, torn: 0 });
    });

    it("is refused by a machine that has seen more, or something else", async () => {
      await claim(place);
      await claim(place);
      const path = mirrorOf(ledgerPlace(place));
      const mine = readBytes(path);
      // the same ledger, as it was restored from an old copy, and as somebody has changed it
      for (const [bytes, why] of [
        [Buffer.concat([mine, mine.subarray(mine.indexOf(10) + 1)]), "ends before"],
        [Buffer.from(mine.toString("latin1").replace("sha-256:2", "sha-256:3"), "latin1"), "differs from"],
      ] as const) {
        writeBytes(path, bytes);
        await expect(claim(place)).rejects.toMatchObject({ exit: 3, reason: "LOG", message: expect.stringContaining(why) });
        expect(readBytes(path).equals(bytes)).toBe(true);
      }
      writeBytes(path, mine);
      expect(await claim(place)).toBe(3);
    });

    it("refuses a clock that is more than an hour from its own, unless a person allows it", async () => {
      for (const hours of [-2, 2]) {
        vi.spyOn(Date, "now").mockReturnValue(Date.now() + hours * 3600_000);
        await expect(claim(place)).rejects.toMatchObject({ exit: 3, message: expect.stringContaining("but that of the ledger") });
        vi.restoreAllMocks();
      }
      vi.spyOn(Date, "now").mockReturnValue(Date.now() + 2 * 3600_000);
      const allowed = await withSigningLogs([A], place, async ({ record }) => record(A, fact(1)), { allowClock: true });
      vi.restoreAllMocks();
      expect(allowed.entry).toBe(1);
      expect(readLog((await refreshLog(place)) as string).entries[0]?.overrides).toEqual(["allow-clock"]);
      expect(await claim(place)).toBe(2);
    });

    it("refuses a key that has a log of its own", async () => {
      await withSigningLogs([A], undefined, async ({ record }) => record(A, fact(9)));
      await expect(claim(place)).rejects.toMatchObject({ exit: 3, hint: expect.stringContaining("firmseal ledger import") });
    });

    it("tells who signs without the ledger that the key has one", async () => {
      await claim(place);
      const without = withSigningLogs([A], join(folder, "own.log"), async ({ record }) => record(A, fact(9)));
      await expect(without).rejects.toMatchObject({ exit: 3, hint: expect.stringContaining("the key signs with a ledger") });
    });
  });
}
