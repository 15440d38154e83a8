// Kills and faults on an object store: signers are killed under load, the network is cut before and after what it
// carries, and turns are taken for dead that are not. FIRMSEAL_CASES: how many claims; 1,000 take 13 minutes on 2 busy
// cores, most of them for signers that begin again.

import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { FORWARD, type ObjectStore, objectStore } from "../../../test-support/src/ledger/s3.js";
import { initLedger } from "../../src/ledger/open.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { verifyLedger } from "../../src/recording/shared.js";
import { readLog } from "../../src/signing-log/log-file.js";
import { expectSound, load, stateOf } from "./load.js";

const started = await objectStore();
afterAll(() => {
  started?.stop();
  vi.unstubAllEnvs();
});
const CLAIMS = Number(process.env["FIRMSEAL_CASES"] ?? (process.env["FIRMSEAL_LONG"] === "1" ? 200 : 100));
const pause = (ms: number) => new Promise((next) => setTimeout(next, ms));

describe.skipIf(!started)(`signers that share a ledger in an object store${started ? "" : " (skipped: no moto_server)"}`, () => {
  it(`give ${CLAIMS} numbers and leaves once, while signers are killed and the network is cut`, { timeout: 1800_000 }, async () => {
    const store = started as ObjectStore;
    const folder = temporaryFolder("firmseal-load-s3-");
    for (const [name, value] of Object.entries({ ...store.env, FIRMSEAL_STATE: join(folder, "state") })) vi.stubEnv(name, value);
    await store.bucket("load");
    const place = "s3://load/x#load";
    await initLedger(place);
    let [cuts, ahead, requests] = [0, 0, 0];
    store.passage = async (_, forward) => {
      requests++;
      const at = Math.random();
      if (at < 0.005) {
        cuts++;
        return "cut";
      }
      const answer = await forward();
      if (at > 0.995) {
        cuts++;
        return "cut";
      }
      return { ...answer, headers: { ...answer.headers, date: new Date(Date.now() + ahead).toUTCString() } };
    };
    // while the clock of the store seems to be ahead, every turn is one of a dead machine: also one that goes on
    const trouble = async () => {
      await pause(1500);
      ahead = 33_000;
      await pause(500);
      ahead = 0;
    };
    const begun = performance.now();
    const result = await load({ place, env: store.env, state: stateOf(folder), claims: CLAIMS, trouble });
    const seconds = (performance.now() - begun) / 1000;
    store.passage = FORWARD;
    const { faults, conflicts } = await verifyLedger(place);
    expect({ faults, conflicts }).toEqual({ faults: [], conflicts: [] });
    const { entries } = readLog((await refreshLog(place)) as string);
    expectSound(result, entries);
    expect(result.kills).toBeGreaterThan(0);
    console.log(
      `${entries.length} entries, ${result.acknowledged.length} acknowledged, ${result.kills} kills, ${cuts} of ${requests} requests cut, ${Math.round(seconds)} s`,
    );
    for (const [what, n] of result.failures) console.log(`${n} x ${what}`);
  });
});
