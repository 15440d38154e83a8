// What a ledger does when somebody has changed its objects in the store, and who may do what there.

import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { CANARY, setEnv } from "../../../test-support/src/keys/kms-servers.js";
import { type Bucket, FORWARD, type ObjectStore, objectStore } from "../../../test-support/src/ledger/s3.js";
import { initLedger, openLedger } from "../../src/ledger/open.js";
import { ledgerPlace, mirrorOf } from "../../src/ledger/place.js";
import { refreshLog } from "../../src/recording/refresh.js";
import { verifyLedger } from "../../src/recording/shared.js";
import { readLog } from "../../src/signing-log/log-file.js";
import { A, B, claim } from "./contract.js";
import { eachLedger, refused, whyNot } from "./s3-common.js";

const started = await objectStore();
const store = started as ObjectStore;
afterAll(() => {
  started?.stop();
  vi.unstubAllEnvs();
});

describe.skipIf(!started)(`changed objects of a ledger${whyNot(started)}`, () => {
  let place = "";
  let bucket: Bucket;
  const { machine, batches } = eachLedger(started, (...now) => ([place, bucket] = now));
  const objects = async () => await Promise.all((await batches()).map(async (key) => [key, await bucket.get(key)] as const));
  beforeEach(async () => {
    for (let i = 0; i < 4; i++) await claim(place, i % 2 ? B : A);
  });

  it("a hole is told by a machine that reads over it", async () => {
    const [, [key]] = (await objects()) as [unknown, readonly [string, Buffer]];
    await bucket.remove(key);
    machine("new");
    const said = await refused(claim(place), { reason: "LOG" });
    expect(said).toMatch(/the ledger is broken: the object with what follows its byte \d+ is missing \| firmseal ledger verify --ledger/);
    await refused(verifyLedger(place), { reason: "LOG" });
    // the first one
    const [first] = await batches();
    await bucket.remove(first as string);
    expect(await refused(claim(place), { reason: "LOG" })).toContain("follows its byte 0 is missing");
  });

  it("an old copy, and what was removed at the end", async () => {
    const all = await objects();
    machine("two");
    await refreshLog(place);
    const path = mirrorOf(ledgerPlace(place));
    const before = readLog(path).entries.length;
    for (const [key] of all.slice(2)) await bucket.remove(key);
    expect(await refused(claim(place), { reason: "LOG" })).toContain("the ledger ends before what this machine has seen");
    for (const [key] of all) await bucket.remove(key);
    expect(await refused(claim(place), { reason: "LOG" })).toContain("the ledger ends before what this machine has seen");
    // a machine that has seen less goes on, and the one that has seen more does not follow
    for (const [key, bytes] of all.slice(0, 2)) await bucket.put(key, bytes);
    machine("fresh");
    await claim(place);
    machine("two");
    await refused(claim(place), { reason: "LOG" });
    expect(readLog(path).entries).toHaveLength(before);
  });

  it("an object with the lines of another one, or of another size", async () => {
    const all = await objects();
    const [last, one] = [all[3], all[1]] as [readonly [string, Buffer], readonly [string, Buffer]];
    await bucket.put(last[0], one[1]);
    expect(await refused(claim(place), { reason: "LOG" })).toMatch(/differs from what this machine has seen|is broken/);
    machine("new");
    await refused(claim(place), { reason: "LOG" });
    await bucket.put(last[0], last[1].subarray(0, -1));
    machine("another");
    expect(await refused(claim(place), { reason: "LOG" })).toContain("differs from what the list says");
    await bucket.put(last[0], "");
    expect(await refused(claim(place), { reason: "LOG" })).toContain("has 0 bytes");
    // removed between the list and the request
    store.passage = async (request, forward) => {
      if (request.method === "GET" && request.path.includes(last[0])) await bucket.remove(last[0]);
      return await forward();
    };
    await bucket.put(last[0], last[1]);
    machine("fourth");
    expect(await refused(claim(place), { reason: "LOG" })).toContain("was removed");
  });
});

describe.skipIf(!started)(`the credentials of a ledger in an object store${whyNot(started)}`, () => {
  const reset = (count: string) => fetch(`${store.direct}/moto-api/reset-auth`, { method: "POST", body: count });
  /** Asks for something of IAM, before moto asks who asks. */
  const iam = async (parameters: { [name: string]: string }) => {
    const authorization = "AWS4-HMAC-SHA256 Credential=owner/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none";
    const answer = await fetch(store.direct, { method: "POST", headers: { authorization }, body: new URLSearchParams(parameters) });
    expect(answer.status).toBe(200);
    return await answer.text();
  };
  const user = async (name: string, actions: readonly string[]) => {
    await iam({ Action: "CreateUser", UserName: name });
    const statement = { Effect: "Allow", Action: actions, Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await iam({ Action: "PutUserPolicy", UserName: name, PolicyName: "p", PolicyDocument });
    const made = await iam({ Action: "CreateAccessKey", UserName: name });
    const of = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(made)?.[1] as string;
    return { AWS_ACCESS_KEY_ID: of("AccessKeyId"), AWS_SECRET_ACCESS_KEY: of("SecretAccessKey"), AWS_ENDPOINT_URL_S3: store.direct };
  };
  const turn = async (place: string) => {
    const ledger = await openLedger(place);
    try {
      await (await ledger.turn({ wait: 5 })).end();
    } finally {
      await ledger.close();
    }
  };
  const why = async (work: Promise<unknown>) =>
    await work.then(
      () => "accepted",
      (e) => `${e.exit} ${e.reason} ${e.message} | ${e.hint}`,
    );

  it("decide about what a machine may do, and are told in words", async () => {
    store.passage = FORWARD;
    setEnv({ ...store.env, FIRMSEAL_STATE: join(temporaryFolder("firmseal-s3-state-"), "one") });
    await store.bucket("guarded");
    const place = "s3://guarded/x#p";
    await initLedger(place);
    expect(await why(openLedger("s3://no-such-bucket/x#p"))).toMatch(/^3 ENVIRONMENT .*the bucket does not exist/);
    const signer = await user("signer", ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"]);
    const auditor = await user("auditor", ["s3:ListBucket", "s3:GetObject"]);
    const nobody = await user("nobody", ["s3:ListAllMyBuckets"]);
    await reset("0");
    try {
      setEnv(signer);
      // moto finds another signature for a list, with the slashes of its prefix
      expect(await why(turn(place))).toBe("accepted");
      setEnv(auditor);
      expect(await why(openLedger(place))).toBe("accepted");
      expect(await why(turn(place))).toMatch(/^3 ENVIRONMENT .*no permission for the ledger \| a policy must allow s3:ListBucket/);
      setEnv(nobody);
      expect(await why(openLedger(place))).toMatch(/^3 ENVIRONMENT .*no permission for the ledger/);
      setEnv({ ...signer, AWS_SECRET_ACCESS_KEY: CANARY });
      expect(await why(openLedger(place))).toMatch(/^3 ENVIRONMENT .*AWS does not accept the credentials/);
      setEnv({ ...signer, AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" });
      expect(await why(openLedger(place))).toMatch(/^3 ENVIRONMENT .*AWS does not accept the credentials/);
      setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: "/nonexistent" });
      expect(await why(openLedger(place))).toMatch(/^3 ENVIRONMENT .*no AWS credentials found/);
      setEnv({ ...signer, AWS_REGION: undefined });
      expect(await why(openLedger(place))).toMatch(/^3 ENVIRONMENT .*no region is set/);
    } finally {
      await reset("inf");
    }
  });
});
