// What the tests of ledgers in an object store share.

import { join } from "node:path";
import { beforeAll, beforeEach, expect, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { CANARY } from "../../../test-support/src/keys/kms-servers.js";
import { type Bucket, FORWARD, type ObjectStore } from "../../../test-support/src/ledger/s3.js";
import { initLedger } from "../../src/ledger/open.js";
import { ledgerPlace } from "../../src/ledger/place.js";

/** Why tests skip themselves without a store; "" with one. */
export const whyNot = (store: ObjectStore | undefined) => (store ? "" : " (skipped: no moto_server)");

/** Makes a ledger before each test, in one bucket, and gives it to `use`. */
export function eachLedger(store: ObjectStore | undefined, use: (place: string, bucket: Bucket) => void) {
  let bucket: Bucket;
  let folder = "";
  let place = "";
  let ledgers = 0;
  /** Each machine has a state folder of its own. */
  const machine = (name: string) => void vi.stubEnv("FIRMSEAL_STATE", join(folder, String(ledgers), name));
  const prefix = () => `x/${ledgerPlace(place).name}/`;
  beforeAll(async () => {
    if (!store) return;
    bucket = await store.bucket("ledgers");
    folder = temporaryFolder("firmseal-s3-");
  });
  beforeEach(async () => {
    if (!store) return;
    vi.restoreAllMocks();
    for (const [name, value] of Object.entries(store.env)) vi.stubEnv(name, value);
    store.passage = FORWARD;
    place = `s3://ledgers/x#p${++ledgers}`;
    machine("one");
    await initLedger(place);
    use(place, bucket);
  });
  return { machine, prefix, batches: () => bucket.keys(`${prefix()}log/`) };
}

/** The message and the hint of a refusal with exit 3, which has nothing of the credentials or of what a store says. */
export async function refused(work: Promise<unknown>, more: object = {}): Promise<string> {
  const e = await work.then(
    () => expect.unreachable("it was not refused"),
    (e) => e,
  );
  expect(e).toMatchObject({ exit: 3, ...more });
  expect(`${e.message} ${e.hint} ${e.cause} ${JSON.stringify(e)}`).not.toContain(CANARY);
  return `${e.message} | ${e.hint}`;
}
