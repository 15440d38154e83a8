// A ledger in an object store: moto, with the library of AWS. What the store and the network do to it is in
// s3-faults.test.ts.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CANARY } from "../../../test-support/src/keys/kms-servers.js";
import { type Bucket, FORWARD, type ObjectStore, objectStore } from "../../../test-support/src/ledger/s3.js";
import type { Ledger } from "../../src/ledger/ledger.js";
import { initLedger, openLedger } from "../../src/ledger/open.js";
import { ledgerPlace } from "../../src/ledger/place.js";
import { describeLedger } from "./contract.js";

const store = await objectStore();
const skip = store ? "" : " (skipped: no moto_server)";
let bucket: Bucket;
beforeAll(async () => {
  if (store) bucket = await store.bucket("ledgers");
});
afterAll(() => {
  store?.stop();
  vi.unstubAllEnvs();
});
const stub = (more: { [name: string]: string | undefined } = {}) => {
  for (const [name, value] of Object.entries({ ...store?.env, ...more })) vi.stubEnv(name, value);
};
let ledgers = 0;
const placeOf = () => {
  stub();
  return `s3://ledgers/firm ware/é#example.com/p${ledgers++}`;
};

describeLedger(`S3${skip}`, { placeOf }, skip !== "");

const textOf = async (ledger: Ledger, from = 0) => {
  const parts: Buffer[] = [];
  for await (const part of ledger.read(from)) parts.push(part);
  return Buffer.concat(parts).toString();
};

/** The message and the hint of a refusal, which has nothing of the credentials. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const e = await work.then(
    () => undefined,
    (e) => e,
  );
  const text = `${e.exit} ${e.reason} ${e.message} | ${e.hint}`;
  expect(`${text} ${String(e.cause)} ${JSON.stringify(e)}`).not.toContain(CANARY);
  return text;
}

describe.skipIf(!store)(`the objects of a ledger${skip}`, () => {
  let place = "";
  const prefix = () => `firm ware/é/${ledgerPlace(place).name}/`;
  beforeEach(async () => {
    if (!store) return;
    store.passage = FORWARD;
    place = placeOf();
    await initLedger(place);
  });
  const opened = async (work: (ledger: Ledger) => Promise<void>) => {
    const ledger = await openLedger(place);
    try {
      await work(ledger);
    } finally {
      await ledger.close();
    }
  };
  const append = async (ledger: Ledger, at: number, ...lines: string[]) =>
    await (await ledger.turn({ wait: 10 })).append(
      at,
      lines.map((line) => Buffer.from(line)),
    );

  it("are as documented, and a turn leaves none", async () => {
    await opened(async (ledger) => {
      await append(ledger, 0, "é\n", "2\n");
      await append(ledger, 5, "3\n");
    });
    const keys = await bucket.keys(prefix());
    expect(keys.map((key) => key.slice(prefix().length))).toEqual(["ledger.json", "log/0000000000000000", "log/0000000000000005"]);
    expect((await bucket.get(`${prefix()}ledger.json`)).toString()).toBe('{"v":1,"people":false}\n');
    expect((await bucket.get(`${prefix()}log/0000000000000000`)).toString()).toBe("é\n2\n");
  });

  it("are read from any line on, whatever their sizes are", async () => {
    // short ones, more than are read at once; one that begins before the first windows; one with several parts
    const line = (n: number, c: string) => `${c.repeat(n - 1)}\n`;
    const lines = [
      ...Array(20).fill(line(3, "a")),
      line(5000, "b"),
      line(10, "c"),
      line(900_000, "d"),
      line(10, "e"),
      line(7_000_000, "f"),
    ];
    lines.push(line(300_000, "g"), ...Array(20).fill(line(3, "h")));
    const whole = lines.join("");
    await opened(async (ledger) => {
      let at = 0;
      for (const one of [
        lines.slice(0, 20),
        ...lines.slice(20, 24).map((l) => [l]),
        lines.slice(24, 26),
        ...lines.slice(26).map((l) => [l]),
      ]) {
        await append(ledger, at, ...one);
        at += one.join("").length;
      }
      expect(at).toBe(whole.length);
    });
    await opened(async (ledger) => {
      for (const i of [0, 1, 19, 20, 21, 22, 23, 24, 25, lines.length - 1]) {
        const at = lines.slice(0, i).join("").length;
        expect((await textOf(ledger, at)) === whole.slice(at), `line ${i}`).toBe(true);
      }
      // the first piece has the whole first line
      for await (const piece of ledger.read(3 * 20 + 5000 + 10 + 900_000 + 10)) {
        expect(piece.indexOf(10)).toBe(6_999_999);
        break;
      }
      await expect(append(ledger, 60, "x\n")).rejects.toMatchObject({ exit: 3 });
    });
    // another process does not know where batches end
    await opened((ledger) => append(ledger, whole.length, "i\n"));
    await opened(async (ledger) => expect(await textOf(ledger, whole.length)).toBe("i\n"));
  });

  it("may be beside those of a ledger with a name below, and beside others", async () => {
    const below = `${place}/log`;
    await initLedger(below);
    await bucket.put(`${prefix()}log/0000000000000000.old`, "x");
    await bucket.put(`${prefix()}log/notes`, "x");
    const other = await openLedger(below);
    await append(other, 0, "below\n");
    await other.close();
    await opened(async (ledger) => {
      expect(await textOf(ledger)).toBe("");
      await append(ledger, 0, "above\n");
      expect(await textOf(ledger)).toBe("above\n");
    });
  });

  it("are listed page by page", async () => {
    const line = `${"x".repeat(9)}\n`;
    for (let at = 0; at < 300; at += 10) await bucket.put(`${prefix()}log/${String(at).padStart(16, "0")}`, line);
    let pages = 0;
    (store as ObjectStore).passage = (request, forward) => {
      if (request.path.includes("list-type=2")) pages++;
      request.path = request.path.replace("max-keys=500", "max-keys=7");
      return forward();
    };
    await opened(async (ledger) => {
      expect(await textOf(ledger)).toBe(line.repeat(30));
      expect(pages).toBe(5);
      expect(await textOf(ledger, 210)).toBe(line.repeat(9));
    });
  });

  it("are not made again, with another version, or with what is not that of a ledger", async () => {
    await bucket.put(`${prefix()}ledger.json`, '{"v":2,"people":false,"new":1}');
    expect(await refusal(openLedger(place))).toContain("it is of version 2, and this firmseal knows version 1 | use a newer firmseal");
    for (const text of ["", "{", "null", "[]", '{"v":0,"people":true}', '{"v":1}', '{"v":1,"people":"no"}']) {
      await bucket.put(`${prefix()}ledger.json`, text);
      expect(await refusal(openLedger(place))).toMatch(/^3 LOG .*ledger\.json is not that of a ledger/);
    }
    // a log without it is not given to a new ledger
    await bucket.put(`${prefix()}log/0000000000000000`, "x\n");
    await bucket.remove(`${prefix()}ledger.json`);
    expect(await refusal(openLedger(place))).toMatch(/the bucket has no ledger example\.com\/p\d+ \| check the name after #, or make/);
    expect(await refusal(initLedger(place))).toMatch(/^3 LOG .*has the object log\/0000000000000000, and no ledger\.json/);
    expect(await refusal(initLedger(`${place}x`, { signers: "them" }))).toMatch(/^2 USAGE .*a bucket has no roles of signers/);
  });

  it("are in a place of the right form, of one reading", async () => {
    for (const [text, why] of [
      ["s3://user@ledgers/x#a", "neither a user nor a port"],
      ["s3://ledgers:99/x#a", "neither a user nor a port"],
      ["s3://Ledgers_1/x#a", "not the name of a bucket"],
      ["s3://ledgers/x//y#a", "empty or dots"],
      ["s3://ledgers/x#a/../b", "empty or dots"],
      ["s3://ledgers/x#a//b", "empty or dots"],
      [`s3://ledgers/${"x".repeat(1000)}#a`, "too long"],
    ] as const) {
      expect(await refusal(openLedger(text))).toMatch(new RegExp(`^2 USAGE .*${why}`));
      expect(await refusal(initLedger(text))).toContain(why);
    }
    for (const text of ["s3://ledgers#root", "s3://ledgers/#root2", "s3://ledgers/a/#root3"]) {
      await initLedger(text);
      await (await openLedger(text)).close();
    }
    expect(await bucket.keys("root")).toEqual(["root/ledger.json", "root2/ledger.json"]);
    expect(await bucket.keys("a/")).toEqual(["a/root3/ledger.json"]);
  });

  it("are asked for over https only, but on this machine", async () => {
    for (const endpoint of ["http://store.example.com", "http://127.0.0.1.example.com:9"]) {
      stub({ AWS_ENDPOINT_URL_S3: endpoint });
      expect(await refusal(openLedger(place))).toMatch(/^3 ENVIRONMENT .*: the endpoint of the store is not https/);
    }
    stub({ AWS_ENDPOINT_URL_S3: undefined, AWS_ENDPOINT_URL: "http://store.example.com" });
    expect(await refusal(openLedger(place))).toContain("the endpoint of the store is not https");
    stub({ AWS_ENDPOINT_URL_S3: undefined, AWS_ENDPOINT_URL: store?.url.replace("127.0.0.1", "localhost") });
    await (await openLedger(place)).close();
  });
});
