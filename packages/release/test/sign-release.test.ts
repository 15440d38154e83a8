// signRelease(): the safe way to sign, in one call. What it refuses has signed nothing, and nothing is in a log.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lock, openKey, type SigningKey, withSigners } from "@firmseal/keys";
import {
  anchorOf,
  EnvelopeDraft,
  encode,
  type PrivateKey,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  singleImage,
  toPrivateJwk,
} from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { type SignReleaseOptions, signRelease } from "../src/index.js";
import { LIMITS, signPrepared } from "../src/internal.js";

const image = Buffer.from("firmware of a board");
const facts = { vendor: "example.com", class: "board-v2" };
let folder: string;
let key: PrivateKey;
let count = 0;

const at = (name: string) => join(folder, name);
const put = (name: string, one: PrivateKey) => writeFileSync(at(name), JSON.stringify(toPrivateJwk(one)), { mode: 0o600 });
const newKey = (alg: "ed25519" | "es256" = "ed25519") => privateKey(alg, createHash("sha256").update(`key ${count++}`).digest());
const logOf = (name = "k.jwk") =>
  existsSync(at(`${name}.log`))
    ? readFileSync(at(`${name}.log`), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).sequence)
    : [];
const sign = (o: SignReleaseOptions, input: string | Uint8Array = image) => signRelease(input, [at("k.jwk")], { ...facts, ...o });
const unsigned = (sequence: number | string, more: object = {}) =>
  encode({
    ...singleImage({
      ...facts,
      sequence,
      digest: createHash("sha256").update(image).digest("hex"),
      size: image.length,
      uri: "#firmware",
      payload: image,
    }),
    ...more,
  });

beforeEach(() => {
  folder = temporaryFolder("firmseal-sign-release-");
  vi.stubEnv("FIRMSEAL_STATE", at("state"));
  key = newKey();
  put("k.jwk", key);
  return () => vi.unstubAllEnvs();
});

describe("signRelease()", () => {
  it("signs an image in memory, and enters the use in the log of the key", async () => {
    const { bytes, draft, manifest, receipts } = await sign({ seq: 7n });
    expect(open(bytes, { anchors: [anchorOf(key)] }).sequence).toEqual([0, 7]);
    expect([draft.sequence, manifest.sequence]).toEqual([7n, [0, 7]]);
    expect(draft.bytes).toEqual(bytes);
    expect(receipts).toHaveLength(1);
    expect(logOf().at(-1)).toBe("7");
  });

  it("signs a file, a description and an envelope alike", async () => {
    writeFileSync(at("app.bin"), image);
    const first = await sign({ seq: 7n }, at("app.bin"));
    const { bytes } = await signRelease(unsigned(7), [at("k.jwk")]);
    expect(open(bytes, { anchors: [anchorOf(key)] }).sequence).toEqual(first.manifest.sequence);
    const description = { ...singleImage({ ...facts, sequence: 7, digest: "00".repeat(32), size: 4, uri: "app.bin" }) };
    writeFileSync(at("d.json"), JSON.stringify({ ...description, sequence: 8 }));
    expect((await signRelease(at("d.json"), [at("k.jwk")])).draft.sequence).toBe(8n);
  });

  it("refuses numbers that the log of the key speaks against: signEnvelopeWithoutLog() does not", async () => {
    await sign({ seq: 99n });
    for (const [seq, input] of [[7n], [98n], [99n, Buffer.from("other firmware")]] as [bigint, Uint8Array?][])
      await expect(sign({ seq }, input), String(seq)).rejects.toMatchObject({ reason: "SEQUENCE" });
    await expect(signRelease(unsigned(1), [at("k.jwk")])).rejects.toMatchObject({ reason: "SEQUENCE" });
    await withSigners([at("k.jwk")], [], async (keys) => {
      await expect(signRelease(unsigned(7), keys)).rejects.toMatchObject({ reason: "SEQUENCE" });
    });
    expect(logOf().at(-1)).toBe("99");
    const raw = await signEnvelopeWithoutLog(unsigned(7), [signer(key)]);
    expect(open(raw, { anchors: [anchorOf(key)] }).sequence).toEqual([0, 7]);
    expect(logOf().at(-1)).toBe("99");
    expect((await sign({ seq: "next" })).draft.sequence).toBe(100n);
  });

  it("closes keys that it has opened, and no others", async () => {
    let closed = 0;
    const opened = { ...(await openKey(at("k.jwk"))), [Symbol.asyncDispose]: async () => void closed++ } as SigningKey;
    await signRelease(image, [opened], { ...facts, seq: 7n });
    expect(closed).toBe(0);
  });

  it("writes and uses nothing if it is aborted: while it waits for a log, and before it enters the use", async () => {
    const reason = new Error("enough");
    const held = await lock(at("k.jwk.log.lock"));
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(reason), 100);
    await expect(sign({ seq: 7n, signal: waiting.signal })).rejects.toBe(reason);
    held.release();
    const late = new AbortController();
    await expect(sign({ seq: 7n, signal: late.signal, admit: () => late.abort(reason) })).rejects.toBe(reason);
    expect(logOf()).toEqual([]);
    expect((await sign({ seq: 7n })).draft.sequence).toBe(7n);
  });

  it("signs nothing with one key if another is refused", async () => {
    put("b.jwk", newKey("es256"));
    await signRelease(image, [at("b.jwk")], { ...facts, seq: 50n });
    await expect(signRelease(image, [at("k.jwk"), at("b.jwk")], { ...facts, seq: 7n })).rejects.toMatchObject({ reason: "SEQUENCE" });
    expect([logOf(), logOf("b.jwk").at(-1)]).toEqual([[], "50"]);
    await expect(signRelease(image, [at("k.jwk"), at("k.jwk")], { ...facts, seq: 60n })).rejects.toThrow("given twice");
    expect(logOf()).toEqual([]);
  });

  it.each<[string, SignReleaseOptions, string | Uint8Array | undefined, string | RegExp]>([
    ["nothing to sign", { seq: 7n }, new Uint8Array(), "the input: the file is empty"],
    ["no number", {}, undefined, "an image needs `seq`"],
    ["a number and a version of an envelope", { seq: 9n }, unsigned(7), "an envelope takes no `vendor`"],
    [
      "an image too large to travel",
      { seq: 7n },
      new Uint8Array(LIMITS.integratedPayload + 1).fill(7),
      "the input is too large to travel in the envelope",
    ],
    ["a role without a trust file", { seq: 7n, role: "debug" }, undefined, "`role` is for a trust file"],
    ["an approval without its approver", { seq: 7n, approval: ["a.approval"] }, undefined, "`approver` is missing"],
    ["an algorithm of no key", { seq: 7n, coseAlg: ["esp256"] }, undefined, /esp256: none of the signing keys/],
    ["an algorithm that does not exist", { seq: 7n, coseAlg: ["esp999"] }, undefined, "esp999: not the name of a COSE algorithm"],
    ["what a consumer does not accept", { seq: 7n, for: "ariel-os" }, undefined, /^not for ariel-os: /],
  ])("refuses %s, and enters nothing", async (_, o, input, message) => {
    await expect(sign(o, input)).rejects.toThrow(message);
    expect(logOf()).toEqual([]);
  });

  it("refuses to sign without a key, and with a published test key", async () => {
    await expect(signRelease(image, [], { ...facts, seq: 7n })).rejects.toThrow("no key signs");
    put("t.jwk", privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex")));
    await expect(signRelease(image, [at("t.jwk")], { ...facts, seq: 7n })).rejects.toMatchObject({ reason: "TEST_KEY" });
    expect(logOf("t.jwk")).toEqual([]);
  });

  it("signs what it was given at the call, whatever the caller changes meanwhile", async () => {
    const [bytes, keys, o] = [Uint8Array.from(image), [at("k.jwk")], { ...facts, seq: 7n }];
    const signing = signRelease(bytes, keys, o);
    bytes.fill(0);
    keys.push(at("nobody.jwk"));
    o.seq = 1n;
    const signed = await signing;
    expect(signed.draft.sequence).toBe(7n);
    expect(signed.bytes).toEqual((await sign({ seq: 7n })).bytes);
  });

  it("takes references or open keys, not both, and no key that cannot sign", async () => {
    put("b.jwk", newKey());
    const opened = (await openKey(at("b.jwk"))) as SigningKey;
    const { signer: _, ...cannot } = opened;
    for (const keys of [[at("k.jwk"), opened], [cannot], [undefined], [opened, null]])
      await expect(signRelease(image, keys as never, { ...facts, seq: 7n })).rejects.toThrow("keys: give references, or open keys");
    expect([logOf(), logOf("b.jwk")]).toEqual([[], []]);
  });

  it("knows only its own options: others cannot switch a check off", async () => {
    await sign({ seq: 99n });
    const inner = { first: "known", asSigning: () => [], lists: [], approvals: { keys: [], files: [], allowed: true } };
    await expect(sign({ seq: "next", ...inner } as never)).rejects.toThrow("first: give true or false");
    const { draft } = await sign({ seq: "next", ...inner, first: undefined, inspect: () => expect.unreachable(), lengthy: 7 } as never);
    expect(draft.sequence).toBe(100n);
    await expect(sign({ seq: 101n, trust: [] })).rejects.toThrow("trust: the list is empty");
    expect(logOf().at(-1)).toBe("100");
  });

  it("signs the bytes that were entered, whatever a draft answers later", async () => {
    const other = EnvelopeDraft.read(unsigned(3));
    let asked = 0;
    const draft = new Proxy(EnvelopeDraft.read(unsigned(7)), {
      get: (target, name) =>
        name === "toBeSigned" ? (by: never) => (asked++ === 0 ? target : other).toBeSigned(by) : Reflect.get(target, name, target),
    });
    await withSigners([at("k.jwk")], [], async (keys) => {
      const { bytes } = await signPrepared(async () => ({ draft: () => draft }), keys, {});
      expect(open(bytes, { anchors: [anchorOf(key)] }).sequence).toEqual([0, 7]);
    });
    expect([asked, logOf().at(-1)]).toEqual([1, "7"]);
  });

  it("waits for a caller that looks last, and that may ask others", async () => {
    const admit = async () => {
      await new Promise(setImmediate);
      throw new Error("the policy server refuses it");
    };
    await expect(sign({ seq: 7n, admit })).rejects.toThrow("the policy server");
    expect(logOf()).toEqual([]);
  });

  it("lets its caller look last, when everything else is granted and nothing is entered", async () => {
    const seen: bigint[] = [];
    const admit = (draft: { sequence: bigint }) => {
      seen.push(draft.sequence);
      throw new Error("not this one");
    };
    await expect(sign({ seq: 7n, admit })).rejects.toThrow("not this one");
    expect([seen, logOf()]).toEqual([[7n], []]);
  });
});
