// awskms: with the library of AWS, against moto (P-256, for real) and against answers in the shape of the API reference (the rest).

import { CreateAliasCommand, CreateKeyCommand, GetPublicKeyCommand, type KeySpec, type KeyUsageType, KMSClient } from "@aws-sdk/client-kms";
import { fromRaw } from "@firmseal/signer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, standard } from "../../test-support/src/command-line/run.js";
import { deviceBundle as device } from "../../test-support/src/device-bundle.js";
import {
  type Answer,
  bytesFlooded,
  CANARY,
  closedPort,
  httpService,
  moto,
  refusalOfKey,
  type ServiceKey,
  serviceKey,
  setEnv,
  signatureOf,
} from "../../test-support/src/keys/kms-servers.js";
import type { KeyFileError } from "../src/errors/key-file.js";
import { sha256Of } from "../src/files/digest.js";
import { openAwsKey } from "../src/sources/services/awskms.js";

// its start also shows whether it is installed: asking it takes as long
const server = await moto();
afterAll(() => server?.stop());

const ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN = `arn:aws:kms:eu-west-1:111122223333:key/${ID}`;

/** Nothing of this machine's own settings, nor a request to the network of a cloud. */
const env = (endpoint: string, more: { [name: string]: string } = {}) => ({
  AWS_ENDPOINT_URL_KMS: endpoint,
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: CANARY,
  AWS_SESSION_TOKEN: CANARY,
  AWS_REGION: "eu-west-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "none",
  AWS_SHARED_CREDENTIALS_FILE: "none",
  ...more,
});

const failure = (ref: string) => refusalOfKey(openAwsKey, ref);

describe.skipIf(!server)(`moto in place of AWS${server ? "" : " (skipped: no moto_server)"}`, () => {
  const url = server?.url ?? "";
  let admin: KMSClient;
  beforeAll(() => {
    const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" };
    admin = new KMSClient({ endpoint: url, region: "eu-west-1", credentials });
  });

  async function make(KeySpec: KeySpec, KeyUsage: KeyUsageType, alias?: string) {
    const { KeyMetadata } = await admin.send(new CreateKeyCommand({ KeySpec, KeyUsage }));
    const id = KeyMetadata?.KeyId as string;
    if (alias) await admin.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: id }));
    return { id, arn: KeyMetadata?.Arn as string };
  }

  it("signs with P-256, by id, alias and ARN; the command line and the device bundle accept it", async () => {
    const { id, arn } = await make("ECC_NIST_P256", "SIGN_VERIFY", "alias/release");
    const p = standard();
    const run = { env: env(url) };
    const spki = (await admin.send(new GetPublicKeyCommand({ KeyId: id }))).PublicKey as Uint8Array;
    const raw = (await p.ok(["pubkey", `awskms:${id}`, "--format", "raw"], run)).bytes;
    expect(raw.equals(spki.subarray(-65))).toBe(true);
    p.put("pub.raw", raw);
    for (const ref of [`awskms:${id}`, "awskms:alias/release", `awskms:${arn}`]) {
      // the region of an ARN counts, whatever is set
      const region = ref.includes("arn:") ? { AWS_REGION: "us-east-1" } : {};
      const r = await p.ok(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "7", "--json"], { env: env(url, region) });
      expect(r.stderr).toBe("");
      expect(r.json).toMatchObject({ ok: true, signers: [{ alg: "es256", kid: null }] });
      await p.ok(["verify", "fw.suit", "--key", "pub.raw"]);
      expect(device.open(p.get("fw.suit"), { anchors: [device.anchor("es256", raw)] }).sequence).toEqual([0, 7]);
    }
    // beside a key in a file, and as one to verify with
    await p.ok(["sign", "fw.suit", "--key", "A.pem"]);
    await p.ok(["verify", "fw.suit", "--key", "awskms:alias/release", "--key", "A.jwk", "--threshold", "2"], run);
    await p.ok(
      ["tbs", "fw.bin", ...FACTS, "--seq", "8", "--key", "awskms:alias/release", "--envelope-out", "b.suit", "--out", "b.tbs"],
      run,
    );
  });

  it("a key that is missing, of another kind, or on another curve", async () => {
    setEnv(env(url));
    expect(await failure(`awskms:${ID}`)).toMatchObject({ exit: 3, message: expect.stringContaining("the key is not in this region") });
    expect((await failure("awskms:alias/none")).message).toContain("the key is not in this region");
    const rsa = await make("RSA_2048", "SIGN_VERIFY");
    expect((await failure(`awskms:${rsa.id}`)).message).toContain("not an Ed25519 or P-256 key");
    const p384 = await make("ECC_NIST_P384", "SIGN_VERIFY");
    expect((await failure(`awskms:${p384.id}`)).message).toContain("not an Ed25519 or P-256 key");
    const decrypt = await make("RSA_2048", "ENCRYPT_DECRYPT");
    expect((await failure(`awskms:${decrypt.id}`)).message).toContain("the key is not for signing");
    const p = standard();
    const before = p.tree();
    const r = await p.run(["sign", "fw.bin", "--key", `awskms:${rsa.id}`, ...FACTS, "--seq", "7"], { env: env(url) });
    expect(expectFailure(r, 3)).toContain(rsa.id);
    expect(p.tree()).toEqual(before);
  });
});

describe("answers in the shape of the API reference", () => {
  const calls: { target: string; request: { [name: string]: unknown } }[] = [];

  /** A service that holds `key`; `answer` may say something else. */
  async function aws(
    key: ServiceKey,
    answer: (target: string, request: { KeyId: string; Message: string }) => Answer | undefined = () => undefined,
  ) {
    calls.length = 0;
    const port = await httpService((request, content) => {
      const target = String(request.headers["x-amz-target"]).replace("TrentService.", "");
      const sent = JSON.parse(content.toString()) as { KeyId: string; Message: string };
      calls.push({ target, request: sent as unknown as { [name: string]: unknown } });
      const other = answer(target, sent);
      if (other) return other;
      if (target === "GetPublicKey") {
        const PublicKey = key.publicKey.export({ format: "der", type: "spki" }).toString("base64");
        return { json: { KeyId: ARN, KeySpec: "?", KeyUsage: "SIGN_VERIFY", PublicKey } };
      }
      return { json: { KeyId: ARN, Signature: signatureOf(key, Buffer.from(sent.Message, "base64")).toString("base64") } };
    });
    setEnv(env(`http://127.0.0.1:${port}`));
    return `http://127.0.0.1:${port}`;
  }

  it("hashes what is longer than the service takes, and refuses it for a key that signs no hash", async () => {
    const message = new Uint8Array(4097).fill(7);
    const p256 = serviceKey("p256");
    await aws(p256, (target, { Message }) => {
      if (target !== "Sign") return undefined;
      const sent = Buffer.from(Message, "base64");
      const signed = sent.length === 4096 ? message.subarray(1) : message;
      return sent.length > 4096
        ? { status: 400, json: { __type: "ValidationException" } }
        : { json: { KeyId: ARN, Signature: signatureOf(p256, signed).toString("base64") } };
    });
    const held = await openAwsKey("awskms:alias/release");
    expect(await held.signer?.sign(message)).toHaveLength(64);
    expect(calls.at(-1)?.request).toMatchObject({ MessageType: "DIGEST", Message: Buffer.from(sha256Of(message)).toString("base64") });
    expect(await held.signer?.sign(message.subarray(1))).toHaveLength(64);
    expect(calls.at(-1)?.request).toMatchObject({ MessageType: "RAW" });
    await aws(serviceKey("ed25519"));
    const other = await openAwsKey("awskms:alias/release");
    await expect(other.signer?.sign(message)).rejects.toThrow("AWS KMS signs at most 4,096 bytes with an Ed25519 key");
    expect(calls.filter(({ target }) => target === "Sign")).toEqual([]);
  });

  it.each(["ed25519", "p256"] as const)("signs with %s: the public key is asked for once, and signed is with that key", async (kind) => {
    const url = await aws(serviceKey(kind));
    const held = await openAwsKey("awskms:alias/release");
    const message = new Uint8Array(55).fill(7);
    for (let i = 0; i < 2; i++) expect((await held.signer?.sign(message))?.length).toBe(64);
    await held[Symbol.asyncDispose]?.();
    const Message = Buffer.from(message).toString("base64");
    const SigningAlgorithm = kind === "p256" ? "ECDSA_SHA_256" : "ED25519_SHA_512";
    const signed = { target: "Sign", request: { KeyId: ARN, Message, MessageType: "RAW", SigningAlgorithm } };
    expect(calls).toEqual([{ target: "GetPublicKey", request: { KeyId: "alias/release" } }, signed, signed]);
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", `awskms:${ARN}`, ...FACTS, "--seq", "7"], { env: env(url) });
    const raw = (await p.ok(["pubkey", `awskms:${ARN}`, "--format", "raw"], { env: env(url) })).bytes;
    expect(device.open(p.get("fw.suit"), { anchors: [device.anchor(fromRaw(raw).alg, raw)] }).sequence).toEqual([0, 7]);
  });

  it("a public key that the service does not sign with is neither returned nor used to verify", async () => {
    const [key, other] = [serviceKey("p256"), serviceKey("p256")];
    const url = await aws(key, (target, { Message }) =>
      target === "Sign"
        ? { json: { KeyId: ARN, Signature: signatureOf(other, Buffer.from(Message, "base64")).toString("base64") } }
        : undefined,
    );
    const p = standard();
    for (const args of [
      ["pubkey", `awskms:${ARN}`],
      ["verify", "fw.bin", "--key", `awskms:${ARN}`],
    ]) {
      const r = await p.run(args, { env: env(url) });
      expect(r.stdout).toBe("");
      expect(expectFailure(r, 3)).toContain("not by this key");
    }
  });

  it("an endless response is cut off: from the service, and from the provider of credentials", async () => {
    bytesFlooded();
    for (const of of ["GetPublicKey", "Sign"]) {
      await aws(serviceKey("p256"), (target) => (target === of ? "endless" : undefined));
      expect(await failure(`awskms:${ID}`)).toMatchObject({ exit: 3, message: expect.stringContaining("answered with more than 1 MiB") });
      expect(bytesFlooded()).toBeLessThan(64 << 20);
    }
    const port = await httpService(() => "endless");
    setEnv({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/`,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    });
    expect(await failure(`awskms:${ID}`)).toMatchObject({ exit: 3, message: expect.stringContaining("answered with more than 1 MiB") });
    expect(bytesFlooded()).toBeLessThan(64 << 20);
  });

  it("in the command line: memory stays small, and nothing is written", async () => {
    const url = await aws(serviceKey("p256"), () => "endless");
    const p = standard();
    const r = await p.run(["sign", "fw.bin", "--key", `awskms:${ID}`, ...FACTS, "--seq", "7"], {
      env: env(url),
      through: ["sh", "-c", 'exec /usr/bin/env NODE_OPTIONS=--max-old-space-size=64 "$@"', "sh"],
    });
    expect(expectFailure(r, 3)).toContain("answered with more than 1 MiB");
    expect(p.has("fw.suit")).toBe(false);
  });

  it("a key that was not requested, in either response", async () => {
    const key = serviceKey("p256");
    const PublicKey = key.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    const other = ARN.replace(/.$/, "0");
    const elsewhere = ARN.replace("111122223333", "111122224444");
    for (const [ref, KeyId] of [
      [ID, other],
      [ID, undefined],
      [ID, "alias/release"],
      [ARN, other],
      [ARN, elsewhere],
      [ARN, ARN.replace("eu-west-1", "us-east-1")],
      ["arn:aws:kms:eu-west-1:111122223333:alias/release", elsewhere],
      ["alias/release", "alias/release"],
    ] as const) {
      await aws(key, (target) => (target === "GetPublicKey" ? { json: { KeyId, KeyUsage: "SIGN_VERIFY", PublicKey } } : undefined));
      expect((await failure(`awskms:${ref}`)).message, `${ref} ${KeyId}`).toContain("a different key");
    }
    for (const KeyId of [other, elsewhere, undefined, "alias/release"]) {
      await aws(key, (target, { Message }) =>
        target === "Sign" ? { json: { KeyId, Signature: signatureOf(key, Buffer.from(Message, "base64")).toString("base64") } } : undefined,
      );
      expect((await failure("awskms:alias/release")).message).toContain("a different key");
    }
    await aws(key);
    for (const ref of [ID, ARN, "alias/release", "arn:aws:kms:eu-west-1:111122223333:alias/release"]) {
      const held = await openAwsKey(`awskms:${ref}`);
      expect((await held.signer?.sign(new Uint8Array(55)))?.length).toBe(64);
      await held[Symbol.asyncDispose]?.();
    }
  });

  it("a signature of another key, over other bytes, damaged, in a loose form, or missing is not returned", async () => {
    const key = serviceKey("p256");
    const good = (m: string) => signatureOf(key, Buffer.from(m, "base64"));
    const answers: { [what: string]: (message: string) => Buffer } = {
      "another key": (m) => signatureOf(serviceKey("p256"), Buffer.from(m, "base64")),
      "other bytes": () => signatureOf(key, Buffer.from("other")),
      raw: () => Buffer.alloc(64, 1),
      empty: () => Buffer.alloc(0),
      megabytes: () => Buffer.alloc(4 << 20, 0x30),
      "a byte behind": (m) => Buffer.concat([good(m), Buffer.of(0)]),
      "cut short": (m) => good(m).subarray(0, -1),
      "long form of the length": (m) => Buffer.concat([Buffer.of(0x30, 0x81), good(m).subarray(1)]),
    };
    for (const [what, answer] of Object.entries(answers)) {
      await aws(key, (target, { Message }) =>
        target === "Sign" ? { json: { KeyId: ARN, Signature: answer(Message).toString("base64") } } : undefined,
      );
      const held = await openAwsKey(`awskms:${ID}`);
      await expect(held.signer?.sign(new Uint8Array(55)), what).rejects.toThrow(
        /did not return a signature|is not by this key|more than 1 MiB/,
      );
      await held[Symbol.asyncDispose]?.();
    }
  });

  it("a public key that is not one, or for another use", async () => {
    const key = serviceKey("p256");
    for (const json of [
      { KeyId: ARN, KeyUsage: "SIGN_VERIFY" },
      { KeyId: ARN, KeyUsage: "SIGN_VERIFY", PublicKey: Buffer.alloc(91, 1).toString("base64") },
      { KeyId: ARN, KeyUsage: "KEY_AGREEMENT", PublicKey: key.publicKey.export({ format: "der", type: "spki" }).toString("base64") },
      {},
    ]) {
      await aws(key, (target) => (target === "GetPublicKey" ? { json } : undefined));
      expect(await failure(`awskms:${ID}`)).toMatchObject({ exit: 3 });
    }
  });

  const ERRORS = [
    ["AccessDeniedException", 400, "have no permission for this key"],
    ["UnrecognizedClientException", 400, "does not accept the credentials"],
    ["ExpiredTokenException", 400, "does not accept the credentials"],
    ["InvalidSignatureException", 400, "does not accept the credentials"],
    ["NotFoundException", 400, "the key is not in this region"],
    ["InvalidArnException", 400, "accept this key name"],
    ["ValidationException", 400, "accept this key name"],
    ["DisabledException", 400, "is disabled"],
    ["KMSInvalidStateException", 400, "in a state in which it cannot sign"],
    ["InvalidKeyUsageException", 400, "the key is not for signing"],
    ["UnsupportedOperationException", 400, "the key is not for signing"],
    ["ThrottlingException", 400, "accepts no more requests"],
    ["KeyUnavailableException", 500, "cannot answer at the moment"],
    ["DependencyTimeoutException", 500, "cannot answer at the moment"],
    ["KMSInternalException", 500, "cannot answer at the moment"],
    ["SomethingNew", 400, "AWS KMS has failed (SomethingNew)"],
    ["<script>", 400, "AWS KMS has failed"],
  ] as const;
  const CALLS = ["GetPublicKey", "Sign"] as const;
  let ends: Promise<{ errors: KeyFileError[]; signs: number }[]> | undefined;

  /** How each error ends, as the answer to either call. All at once: the library waits before it tries again. */
  async function endsOfErrors() {
    const key = serviceKey("p256");
    const PublicKey = key.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    await aws(key, (target, { KeyId }) => {
      const [, id = "", of, row] = /((\w+)-(\d+))$/.exec(KeyId) ?? [];
      if (target !== of) return { json: { KeyId: ARN.replace(ID, id), KeyUsage: "SIGN_VERIFY", PublicKey } };
      const [name, status] = ERRORS[Number(row)] as (typeof ERRORS)[number];
      const json = { __type: name, message: `${CANARY} of arn:aws:iam::111122223333:user/x` };
      return { status, json, headers: { "x-amzn-errortype": name } };
    });
    const each = ERRORS.map((_, row) => Promise.all(CALLS.map((of) => failure(`awskms:${of}-${row}`))));
    const errors = await Promise.all(each);
    return errors.map((of, row) => ({
      errors: of,
      signs: calls.filter(({ target, request }) => target === "Sign" && String(request["KeyId"]).endsWith(`Sign-${row}`)).length,
    }));
  }

  it.each(ERRORS.map(([name, , words], row) => [name, words, row] as const))(
    "%s, of either call, in one line with a hint",
    async (_, words, row) => {
      ends ??= endsOfErrors();
      const end = (await ends)[row];
      expect(end?.errors).toHaveLength(CALLS.length);
      for (const e of end?.errors ?? []) {
        expect(e).toMatchObject({ exit: 3, message: expect.stringContaining(words) });
        expect(e.message + e.hint).not.toMatch(/\n|iam::|script/);
      }
      // what may pass is tried again, a few times
      expect(end?.signs).toBeGreaterThanOrEqual(1);
      expect(end?.signs).toBeLessThanOrEqual(3);
    },
  );

  it("no region, no credentials, no response", async () => {
    setEnv({ ...env(`http://127.0.0.1:${await closedPort()}`) });
    expect((await failure(`awskms:${ID}`)).message).toContain("cannot be reached");
    setEnv({ AWS_REGION: undefined });
    expect(await failure(`awskms:${ID}`)).toMatchObject({ message: expect.stringContaining("no region"), exit: 3 });
    setEnv({ AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    expect((await failure(`awskms:${ID}`)).message).toContain("no AWS credentials");
    setEnv({ AWS_ENDPOINT_URL_KMS: "http://no-such-host.invalid", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "y" });
    expect((await failure(`awskms:${ID}`)).message).toContain("cannot be reached");
  });
});

it.each([
  "",
  "alias/",
  "arn:aws:kms:eu-west-1:1:key/x",
  "arn:aws:s3:eu-west-1:111122223333:key/x",
  `${ARN}/..`,
  "key with space",
  "a\nb",
  `https://example.com/${ID}`,
])("awskms:%s does not name a key", async (id) => {
  await expect(openAwsKey(`awskms:${id}`)).rejects.toMatchObject({ name: "KeyFileError", exit: 2 });
});
