// What a ledger does when the object store, the network between, the clock or another machine fails.

import { afterAll, describe, expect, it, vi } from "vitest";
import { CANARY, closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { type Bucket, FORWARD, type ObjectStore, objectStore, type Passed, type Passing } from "../../../test-support/src/ledger/s3.js";
import { initLedger, openLedger } from "../../src/ledger/open.js";
import { ledgerPlace } from "../../src/ledger/place.js";
import { withSigningLogs } from "../../src/recording/recording.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { readLog } from "../../src/signing-log/log-file.js";
import { A, claim, fact } from "./contract.js";
import { eachLedger, refused, whyNot } from "./s3-common.js";

const started = await objectStore();
const store = started as ObjectStore;
afterAll(() => {
  started?.stop();
  vi.unstubAllEnvs();
});
const DAY = 24 * 3600_000;

describe.skipIf(!started)(`a ledger in an object store${whyNot(started)}`, () => {
  let place = "";
  let bucket: Bucket;
  const { machine, prefix, batches } = eachLedger(started, (...now) => ([place, bucket] = now));
  const isPut = ({ method, path }: Passing, what: string) => method === "PUT" && path.includes(what);
  /** Numbers and digests as a machine reads them that was never here. */
  const entries = async () => {
    machine("reader");
    const { entries, faults } = readLog((await refreshLog(place)) as string);
    machine("one");
    expect(faults).toEqual([]);
    return entries.map(({ sequence, digest }) => [Number(sequence), digest] as const);
  };
  const turnOf = (id: string) => bucket.put(`${prefix()}turn`, id);
  const hasTurn = async () => (await bucket.keys(`${prefix()}turn`)).length > 0;

  describe("conditional writes", () => {
    const ignored = (request: Passing, forward: () => Promise<Passed>) => {
      delete request.headers["if-none-match"];
      return forward();
    };

    it("are refused to be ignored: no ledger is made, and nothing is signed", async () => {
      store.passage = ignored;
      expect(await refused(claim(place))).toContain("the store does not honour conditional writes");
      expect(await batches()).toEqual([]);
      const other = `${place}-new`;
      expect(await refused(initLedger(other))).toContain("the store does not honour conditional writes");
      expect(await bucket.keys(`x/${ledgerPlace(other).name}/`)).toEqual([]);
      // who only reads needs none
      await refreshLog(place);
      expect(await hasTurn()).toBe(false);
    });

    it("are refused to be not implemented", async () => {
      store.passage = async (request, forward) =>
        request.headers["if-none-match"] === undefined
          ? await forward()
          : { status: 501, headers: {}, body: Buffer.from("<Error><Code>NotImplemented</Code></Error>") };
      expect(await refused(claim(place))).toContain("the store does not honour conditional writes");
    });
  });

  describe("a turn", () => {
    /** The clock of the store is ahead of when it wrote objects. */
    const aged = (ms: number) => {
      store.passage = async (_, forward) => {
        const answer = await forward();
        return { ...answer, headers: { ...answer.headers, date: new Date(Date.parse(String(answer.headers["date"])) + ms).toUTCString() } };
      };
    };

    it("that a dead machine has left ends after half a minute of the store", async () => {
      await turnOf("dead");
      aged(25_000);
      const waiting = await openLedger(place);
      expect(await refused(waiting.turn({ wait: 0 }))).toContain("other machines use the ledger without a pause | run the command again");
      expect(await hasTurn()).toBe(true);
      aged(33_000);
      const turn = await waiting.turn({ wait: 0.5 });
      await turn.end();
      expect(await hasTurn()).toBe(false);
      await waiting.close();
    });

    it("says the time of the store; of one that says none, nobody's turn is old", async () => {
      await turnOf("live");
      store.passage = async (_, forward) => {
        const { headers, ...answer } = await forward();
        const { date: _date, ...others } = headers;
        // Node would add its own
        return { ...answer, headers: { ...others, date: "none" } };
      };
      const ledger = await openLedger(place);
      expect(await refused(ledger.turn({ wait: 0 }))).toContain("without a pause");
      await bucket.remove(`${prefix()}turn`);
      aged(3600_000);
      const turn = await ledger.turn({ wait: 5 });
      expect(Math.abs(turn.time - Date.now() - 3600_000)).toBeLessThan(60_000);
      await turn.end();
      await ledger.close();
    });

    it("that was taken for dead does no harm when it goes on", async () => {
      const [slow, next] = [await openLedger(place), await openLedger(place)];
      const first = await slow.turn({ wait: 5 });
      aged(33_000);
      const second = await next.turn({ wait: 5 });
      // it does not end the turn of the other machine
      await first.end();
      expect(await hasTurn()).toBe(true);
      await second.append(0, [Buffer.from("second\n")]);
      expect(await refused(first.append(0, [Buffer.from("first\n")]))).toContain("another machine used the ledger");
      expect((await bucket.get(`${prefix()}log/0000000000000000`)).toString()).toBe("second\n");
      await slow.close();
      await next.close();
    });

    it("is known again when the answer to its making was lost, and is left if it took too long", async () => {
      let cuts = 0;
      store.passage = async (request, forward) => {
        const answer = await forward();
        return isPut(request, "/turn") && cuts++ === 0 ? "cut" : answer;
      };
      const ledger = await openLedger(place);
      const turn = await ledger.turn({ wait: 0 });
      expect(cuts).toBe(2);
      vi.spyOn(performance, "now").mockReturnValue(performance.now() + 21_000);
      await turn.end();
      vi.restoreAllMocks();
      expect(await hasTurn()).toBe(true);
      await ledger.close();
    });

    it("is not waited for after the user ends the command", async () => {
      await turnOf("live");
      const ledger = await openLedger(place);
      const stop = new AbortController();
      const waiting = ledger.turn({ wait: 60, signal: stop.signal });
      setTimeout(() => stop.abort(new Error("stopped")), 400);
      await expect(waiting).rejects.toThrow("stopped");
      await expect(ledger.turn({ wait: 60, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
      await ledger.close();
    });
  });

  describe("the clock of a machine", () => {
    /** The store refuses signatures of another time, as S3 does. */
    const strict = async (request: Passing, forward: () => Promise<Passed>): Promise<Passed> => {
      const signed = String(request.headers["x-amz-date"]).replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
      if (Math.abs(Date.parse(signed) - realNow()) < 15 * 60_000) return await forward();
      strictly++;
      const body = Buffer.from("<Error><Code>RequestTimeTooSkewed</Code></Error>");
      return { status: 403, headers: { "content-type": "application/xml", date: new Date(realNow()).toUTCString() }, body };
    };
    const realNow = Date.now;
    let strictly = 0;

    it.each([2, -2])("is %i days off: it neither ends the turn of another machine, nor is locked out by a dead one", async (days) => {
      store.passage = strict;
      strictly = 0;
      await turnOf("live");
      vi.spyOn(Date, "now").mockImplementation(() => realNow() + days * DAY);
      const ledger = await openLedger(place);
      expect(strictly).toBeGreaterThan(0);
      expect(await refused(ledger.turn({ wait: 0 }))).toContain("without a pause");
      await bucket.remove(`${prefix()}turn`);
      const turn = await ledger.turn({ wait: 5 });
      expect(Math.abs(turn.time - realNow())).toBeLessThan(60_000);
      await turn.end();
      // a command enters nothing
      expect(await refused(claim(place))).toContain("the clock of this machine says");
      expect(await batches()).toEqual([]);
      await (await ledger.turn({ wait: 5 })).append(0, [Buffer.from("x\n")]);
      expect(await hasTurn()).toBe(false);
      await ledger.close();
    });
  });

  describe("the network", () => {
    it("is cut before and after an entry is written: it is signed once, or told that nobody knows", async () => {
      const acknowledged = [[await claim(place), ""]];
      for (const when of ["before", "after"]) {
        const cut = { puts: 0 };
        store.passage = async (request, forward) => {
          if (!isPut(request, "/log/")) return await forward();
          cut.puts++;
          if (when === "after") await forward();
          return "cut";
        };
        let isSigned = false;
        const work = withSigningLogs([A], place, async ({ record }) => record(A, fact(100, { digest: `sha-256:${when}` })));
        const said = await refused(work.then(() => (isSigned = true)));
        expect(said).toMatch(/nobody knows whether the entries are in the ledger \| run the command again.*nothing was signed/);
        // a second attempt could meet what the first one has written
        expect(cut.puts).toBe(1);
        expect(isSigned).toBe(false);
        store.passage = FORWARD;
        expect(await batches()).toHaveLength(acknowledged.length + (when === "after" ? 1 : 0));
        const n = await claim(place);
        expect(n).toBe(when === "after" ? 101 : 2);
        acknowledged.push([n, ""]);
      }
      const all = await entries();
      expect(all.map(([n]) => n)).toEqual([1, 2, 100, 101]);
      // the same command finds what it has entered, and does not enter it again
      machine("one");
      const again = await withSigningLogs([A], place, async ({ entered }) => entered(A, fact(100, { digest: "sha-256:after" })));
      expect(again?.entry).toBe(3);
    });

    it("fails for a moment when something is read", async () => {
      await claim(place);
      let failures = 0;
      store.passage = async (request, forward) => {
        if (request.method === "GET" && failures++ % 2 === 0) return "cut";
        return await forward();
      };
      expect(await claim(place)).toBe(2);
      expect(failures).toBeGreaterThan(2);
    });

    it("leads nowhere, or the store never answers", async () => {
      vi.stubEnv("AWS_ENDPOINT_URL_S3", `http://127.0.0.1:${await closedPort()}`);
      expect(await refused(claim(place), { reason: "ENVIRONMENT" })).toContain("the service cannot be reached");
    });

    it("has a store that is busy, or fails", async () => {
      for (const [status, code, why] of [
        [503, "SlowDown", "accepts no more requests"],
        [500, "InternalError", "cannot answer at the moment"],
        [418, "Weird<>", "the object store has failed"],
      ] as const) {
        store.passage = async () => ({
          status,
          headers: {},
          body: Buffer.from(`<Error><Code>${code}</Code><Message>${CANARY}</Message></Error>`),
        });
        expect(await refused(claim(place))).toContain(why);
      }
    });

    it("is an overtaken write of S3: 409 is another machine's entry", async () => {
      store.passage = async (request, forward) =>
        isPut(request, "/log/")
          ? { status: 409, headers: {}, body: Buffer.from("<Error><Code>ConditionalRequestConflict</Code></Error>") }
          : await forward();
      expect(await refused(claim(place))).toContain("another machine used the ledger in the meantime");
    });
  });
});
