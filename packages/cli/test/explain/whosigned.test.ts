// Who signed; and what each command does with published test keys. Hybrid pairs from their making to their verification.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  encode,
  encodeTrust,
  foreignSigner,
  loadAlg,
  type PublicKey,
  privateKey,
  publicOf,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  testKeyForms,
  testKeyPublic,
  testKeys,
  thumbprint,
  toCose,
  toPrivateCose,
  withKid,
} from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { Point } from "@noble/ed25519";
import { beforeAll, describe, expect, it } from "vitest";
import { encryptedPem } from "../../../keys/src/formats/pkcs8.js";
import { refuseTestKeys } from "../../../keys/src/sources/reference.js";
import { hex } from "../../../test-support/src/bytes.js";
import {
  expectExit,
  expectFailure,
  expectHarmless,
  FACTS,
  keyA,
  keyB,
  keyC,
  type Place,
  signImage,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { published } from "../../../test-support/src/keys/published.js";

const unsigned = () =>
  encode(
    singleImage({
      sequence: "7",
      vendor: "example.com",
      class: "board",
      digest: "00".repeat(32),
      size: 3,
      uri: "#fw",
      payload: Uint8Array.of(1, 2, 3),
    }),
  );

let p: Place;
beforeAll(async () => {
  for (const { alg } of testKeys) await loadAlg(alg);
  p = standard();
  p.put("two.suit", await signEnvelopeWithoutLog(unsigned(), [signer(keyA), signer(keyB)]));
  p.put("one.suit", await signEnvelopeWithoutLog(unsigned(), [signer(keyA)]));
  p.put("none.suit", unsigned());
});

interface Told {
  ok: boolean;
  reason: string;
  signatures: { alg: string; kid: string | null; status: string; name: string | null; thumbprint: string | null; testKey?: string }[];
  signers: { name: string }[];
  skipped: { file: string; why: string }[];
  testKeys: string[];
}

const told = async (args: readonly string[]) => {
  const r = await p.run(["whosigned", ...args, "--json"]);
  return { exit: r.exit, stderr: r.stderr, json: r.json as unknown as Told };
};

describe.concurrent("whosigned", () => {
  it("names who signed, by file name and thumbprint", async () => {
    const { exit, json, stderr } = await told(["two.suit", "--key", "A.jwk", "--key", "B.pem", "--key", "C.jwk"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(json).toMatchObject({ ok: true, reason: "OK", testKeys: [], skipped: [] });
    expect(json.signatures).toEqual([
      { alg: "ed25519", kid: null, status: "valid", name: "A.jwk", thumbprint: toHex(thumbprint(keyA)), roles: [] },
      { alg: "esp256", kid: null, status: "valid", name: "B.pem", thumbprint: toHex(thumbprint(keyB)), roles: [] },
    ]);
    const words = await p.ok(["whosigned", "two.suit", "--key", "A.jwk", "--key", "B.pem"]);
    expect(words.stdout).toMatch(/sequence number 7, 2 signatures, by 2 known keys\n {2}1\. ed25519: A\.jwk, .*\n {2}2\. esp256: B\.pem/);
  });

  it("fails if a signature is by an unknown key, and says which", async () => {
    for (const keys of [[], ["--key", "A.jwk"], ["--key", "C.jwk"]]) {
      const { exit, json } = await told(["two.suit", ...keys]);
      expect(exit).toBe(1);
      expect(json).toMatchObject({ ok: false, reason: "SIGNATURE_INVALID" });
      expect(json.signatures.map((s) => s.status)).toEqual([keys.includes("A.jwk") ? "valid" : "unknown", "unknown"]);
    }
    const r = await p.run(["whosigned", "two.suit", "--key", "A.jwk"]);
    expectExit(r, 1);
    expect(r.stdout).toContain("2. esp256: unknown key");
    expect(r.stderr).toContain("1 of 2 signatures: by an unknown key");
  });

  it("finds a signature that names a known key and is not by it", async () => {
    const kid = Uint8Array.of(9, 9);
    p.put("named.cose", toCose(publicOf(withKid(keyA, kid))));
    p.put("foreign.suit", await signEnvelopeWithoutLog(unsigned(), [signer(withKid(keyC, kid))]));
    expect((await told(["foreign.suit", "--key", "named.cose"])).json.signatures[0]).toMatchObject({
      status: "invalid",
      name: "named.cose",
      kid: "0909",
    });
    // a kid decides nothing: whose signature it is, is found out all the same
    expect((await told(["foreign.suit", "--key", "named.cose", "--key", "C.jwk"])).json.signatures[0]).toMatchObject({
      status: "valid",
      name: "C.jwk",
    });
    // by the thumbprint, too
    p.put("print.suit", await signEnvelopeWithoutLog(unsigned(), [signer(withKid(keyC, thumbprint(keyA)))]));
    expect((await told(["print.suit", "--key", "A.jwk"])).json.signatures[0]).toMatchObject({ status: "invalid", name: "A.jwk" });
  });

  it("refuses what is not signed, what is not an envelope, and what was changed", async () => {
    expect((await told(["none.suit", "--key", "A.jwk"])).json).toMatchObject({ ok: false, reason: "WRAPPER_EMPTY", signatures: [] });
    expectFailure(await p.run(["whosigned", "fw.bin", "--key", "A.jwk"]), 1);
    const bytes = Buffer.from(p.get("one.suit"));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    const at = bytes.indexOf(Buffer.from("84", "hex"), 40);
    const changed = Buffer.from(p.get("one.suit"));
    changed[at + 20] = (changed[at + 20] as number) ^ 1;
    p.put("changed.suit", changed);
    expectExit(await p.run(["whosigned", "changed.suit", "--key", "A.jwk"]), 1);
  });

  it("takes a folder: what is not a key is skipped and named, without a prompt for a passphrase", async () => {
    const folder = p.at("keys");
    mkdirSync(folder);
    writeFileSync(`${folder}/a.jwk`, p.get("A.jwk"));
    writeFileSync(`${folder}/b-private.pem`, p.get("B.pem"), { mode: 0o600 });
    writeFileSync(`${folder}/c-encrypted.pem`, await encryptedPem(keyC, new TextEncoder().encode("secret")), { mode: 0o600 });
    writeFileSync(`${folder}/notes\u001b[31m.txt`, "these are the keys of 2026");
    writeFileSync(`${folder}/empty`, "");
    mkdirSync(`${folder}/old`);
    symlinkSync("a.jwk", `${folder}/link`);
    const { exit, json } = await told(["two.suit", "--keys", "keys"]);
    expect(exit).toBe(0);
    expect(json.signers.map((s) => s.name)).toEqual(["a.jwk", "b-private.pem"]);
    expect(json.skipped).toEqual([
      { file: "c-encrypted.pem", why: "an encrypted private key: give its public key" },
      { file: "empty", why: "the file is empty" },
      { file: "link", why: "not a regular file" },
      { file: "notes\u001b[31m.txt", why: "not a key in a supported format" },
      { file: "old", why: "not a regular file" },
    ]);
    const words = await p.run(["whosigned", "two.suit", "--keys", "keys"]);
    expectHarmless(words.stdout + words.stderr);
    expect(words.stderr).toContain("skipped: c-encrypted.pem");
    expectFailure(await p.run(["whosigned", "two.suit", "--keys", "no-such-folder"]), 3);
    expectFailure(await p.run(["whosigned", "two.suit", "--keys", "A.jwk"]), 3);
  });

  it("counts a key once, however often it is listed, and tries no more keys than it can", async () => {
    const { json } = await told(["one.suit", "--key", "A.jwk", "--key", "A.pem"]);
    expect(json.signers).toHaveLength(1);
    const folder = p.at("many");
    mkdirSync(folder);
    for (let i = 0; i < 257; i++)
      writeFileSync(
        `${folder}/${i}.raw`,
        privateKey(
          "ed25519",
          Uint8Array.from({ length: 32 }, (_, k) => (k === 0 ? i & 255 : i >> 8) + 77),
        ).key,
      );
    expect(expectFailure(await p.run(["whosigned", "one.suit", "--keys", "many"]), 2)).toContain("at most 256");
  });
});

/** Ed25519 (RFC 8032 §5.1.6) under -A, by L - s in place of the secret scalar s. */
function signNegative(seed: Uint8Array, negative: Uint8Array, message: Uint8Array): Uint8Array {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const number = (bytes: Uint8Array) => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
  const sha512 = (...parts: Uint8Array[]) => createHash("sha512").update(Buffer.concat(parts)).digest();
  const expanded = sha512(seed);
  expanded[0] = (expanded[0] as number) & 0xf8;
  expanded[31] = ((expanded[31] as number) & 0x7f) | 0x40;
  const s = L - (number(expanded.subarray(0, 32)) % L);
  const r = number(sha512(expanded.subarray(32), message)) % L;
  const R = Point.BASE.multiply(r).toBytes();
  const S = (r + (number(sha512(R, negative, message)) % L) * s) % L;
  return Buffer.concat([R, Buffer.from(S.toString(16).padStart(64, "0"), "hex").reverse()]);
}

describe.concurrent("published test keys", () => {
  const secretOf = (t: (typeof testKeys)[number]) => (t.digest === undefined ? published[t.name] : t.key);

  it("sign refuses each by its name, also under another kid, and writes nothing", async () => {
    const q = standard();
    const known = testKeys.filter((t) => secretOf(t) !== undefined);
    expect(known.length).toBeGreaterThan(70);
    const before = q.tree();
    for (const t of testKeys) {
      const key = testKeyPublic(t);
      expect(() => refuseTestKeys([keyA, withKid(key, Uint8Array.of(1))], []), t.name).toThrow(`${t.name} is a published test key`);
      expect(
        () =>
          refuseTestKeys(
            [key],
            testKeys.map((o) => o.name).filter((name) => name !== t.name),
          ),
        t.name,
      ).toThrow(t.name);
    }
    expect(q.tree()).toEqual(before);
    // a command for each would take a minute: those of each algorithm, in several forms
    const allow = known.flatMap((t) => ["--allow-test-key", t.name]);
    const ref = new Map<string, string>();
    for (const t of known)
      ref.set(t.name, q.put(`${t.name}.cose`, toPrivateCose(privateKey(t.alg, hex(secretOf(t) as string), Uint8Array.of(1)))));
    const all = [...ref.values()].flatMap((file) => ["--key", file]);
    const files = q.tree();
    for (const name of ["mcuboot-root-ec-p256", "mcuboot-root-ed25519", "rfc9964-ml-dsa-44", "rfc9881-ml-dsa-65", "wpt-ml-dsa-87"]) {
      const others = allow.filter((_, i) => allow[i - (i % 2) + 1] !== name);
      for (const keys of [["--key", ref.get(name) as string], all]) {
        const r = await q.run(["sign", "fw.bin", ...keys, ...others, ...FACTS, "--seq", "1", "--out", "x.suit"]);
        expectExit(r, 1);
        expect(r.stderr).toContain(`${name} is a published test key`);
      }
    }
    expect(q.tree()).toEqual(files);
  });

  it("verify, install and simulate warn about each one that is trusted, and name it in the JSON", async () => {
    const q = standard();
    const release = await signImage(q, 3, "fw.suit");
    expectExit(release, 0);
    const refs = ["--key", "A.jwk"];
    for (const t of testKeys) refs.push("--key", q.put(`${t.name}.pub`, toCose(testKeyPublic(t))));
    const names = testKeys.map((t) => t.name);
    for (const args of [
      ["verify", "fw.suit"],
      ["install", "fw.suit", "--dir", "dev", ...FACTS],
      ["simulate", "fw.suit", "--device", "memory", "--second-cuts", "0"],
    ]) {
      const r = await q.run([...args, ...refs, "--json"]);
      expectExit(r, 0);
      expect(r.json["testKeys"]).toEqual(names);
      for (const name of names) expect(r.stderr).toContain(`${name} is a published test key`);
    }
  });

  it("the negative of one, which its secret can sign for, is one too", async () => {
    const q = standard();
    const named = (name: string) => testKeys.find((k) => k.name === name) as (typeof testKeys)[number];
    const [ed, ec] = ["rfc8032-test-1", "spec-p256"].map((name) => testKeyForms(named(name))[1] as PublicKey) as [PublicKey, PublicKey];
    const seed = hex(published["rfc8032-test-1"] as string);
    const d = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n - BigInt(`0x${published["spec-p256"]}`);
    const negative = privateKey("es256", hex(d.toString(16).padStart(64, "0")));
    expect(toHex(negative.key)).toBe(toHex(ec.key));
    q.put(
      "t.suit",
      await signEnvelopeWithoutLog(unsigned(), [foreignSigner(ed, async (m) => signNegative(seed, ed.key, m)), signer(negative)]),
    );
    q.put("ed.pub", toCose(ed));
    q.put("ec.pub", toCose(ec));
    for (const args of [
      ["inspect", "t.suit"],
      ["verify", "t.suit", "--key", "ed.pub", "--key", "ec.pub", "--threshold", "2"],
    ])
      expect((await q.run([...args, "--json"])).json["testKeys"]).toEqual(["rfc8032-test-1", "spec-p256"]);
    // a signer that nobody has named
    const who = await q.run(["whosigned", "t.suit", "--key", "A.jwk", "--json"]);
    expect((who.json as unknown as Told).signatures.map((s) => s.status)).toEqual(["test-key", "test-key"]);
    for (const key of [ed, ec]) expect(() => refuseTestKeys([key], [])).toThrow("is a published test key");
  });

  it("that signed are named by inspect and whosigned, no matter which keys are trusted", async () => {
    const q = standard();
    const test = ["spec-p256", "rfc8032-test-1", "mcuboot-root-ec-p256", "rfc9964-ml-dsa-44", "rfc9881-ml-dsa-87", "ed25519-of-07"];
    const keys = test.map((name) => {
      const t = testKeys.find((k) => k.name === name) as (typeof testKeys)[number];
      return privateKey(t.alg, hex(secretOf(t) as string));
    });
    q.put("t.suit", await signEnvelopeWithoutLog(unsigned(), [...keys.map(signer), signer(keyA)]));
    const inspect = await q.ok(["inspect", "t.suit", "--json"]);
    expect(inspect.json["testKeys"]).toEqual(test);
    const who = await q.ok(["whosigned", "t.suit", "--key", "A.jwk", "--json"]);
    expect(who.json["testKeys"]).toEqual(test);
    for (const name of test) for (const r of [inspect, who]) expect(r.stderr).toContain(`signed with the published test key ${name}`);
    const trusted = await q.ok([
      "whosigned",
      "t.suit",
      "--key",
      "A.jwk",
      "--key",
      q.put("spec.cose", toCose(publicOf(keys[0] as never))),
      "--json",
    ]);
    expect((trusted.json["signatures"] as object[])[0]).toMatchObject({ status: "valid", name: "spec.cose", testKey: "spec-p256" });
  });
});

describe("hybrid pairs", () => {
  it("keygen makes both, sign takes both, verify demands both, and a stripped signature is missed where both are needed", async () => {
    const q = standard();
    const made = (await q.ok(["keygen", "--alg", "ed25519+ml-dsa-65", "--out", "rel.pem", "--no-passphrase", "--json"])).json;
    expect(made).toMatchObject({
      ok: true,
      out: "rel.pem",
      alg: "ed25519",
      keys: [
        { out: "rel.pem", alg: "ed25519" },
        { out: "rel.pq.pem", alg: "ml-dsa-65" },
      ],
    });
    for (const [from, to] of [
      ["rel.pem", "rel.pub"],
      ["rel.pq.pem", "rel.pq.pub"],
    ] as const)
      q.put(to, (await q.ok(["pubkey", from])).bytes);
    const image = ["fw.bin", ...FACTS, "--seq", "2"];
    const both = await q.ok(["sign", ...image, "--key", "rel.pem", "--key", "rel.pq.pem", "--out", "both.suit"]);
    expect(both.stderr).toMatch(/signed by ed25519 .*, ml-dsa-65 /);
    expect(both.stderr).not.toContain("warning");
    const lone = await q.ok(["sign", ...image, "--key", "rel.pem", "--out", "lone.suit"]);
    expect(lone.stderr).toContain("warning: rel.pem signs without rel.pq.pem");
    const lonePq = await q.ok(["sign", ...image, "--key", "rel.pq.pem", "--out", "lonepq.suit"]);
    expect(lonePq.stderr).toContain("warning: rel.pq.pem signs without rel.pem");
    const trust = ["--key", "rel.pub", "--key", "rel.pq.pub"];
    await q.ok(["verify", "both.suit", ...trust, "--threshold", "2"]);
    // a device that knows one algorithm verifies that one
    await q.ok(["verify", "both.suit", "--key", "rel.pub"]);
    await q.ok(["verify", "both.suit", "--key", "rel.pq.pub"]);
    const device = createRequire(import.meta.url)("../../../verifier/dist/firmseal-ed25519.js") as typeof import("@firmseal/verifier");
    const raw = (await q.ok(["pubkey", "rel.pem", "--format", "raw"])).bytes;
    expect(device.open(new Uint8Array(q.get("both.suit")), { anchors: [device.anchor("ed25519", raw)] }).signers).toEqual([0]);
    expect(() => device.anchor("ml-dsa-65", new Uint8Array(1952))).toThrow();
    for (const stripped of ["lone.suit", "lonepq.suit"]) {
      await q.ok(["verify", stripped, ...trust]);
      const r = await q.run(["verify", stripped, ...trust, "--threshold", "2", "--json"]);
      expectExit(r, 1);
      expect(r.json).toMatchObject({ ok: false, reason: "SIGNATURE_THRESHOLD" });
    }
    await q.ok(["install", "both.suit", ...trust, "--threshold", "2", "--dir", "d", ...FACTS]);
    await q.ok(["simulate", "both.suit", ...trust, "--threshold", "2", "--device", "memory", "--second-cuts", "0"]);
    expect((await q.ok(["whosigned", "both.suit", ...trust, "--json"])).json["signers"]).toHaveLength(2);
    expect((await q.ok(["inspect", "both.suit", "--json"])).json["signatures"]).toEqual([
      { alg: "ed25519", kid: null },
      { alg: "ml-dsa-65", kid: null },
    ]);
  });

  it("are made whole or not at all, under one passphrase", async () => {
    const q = standard();
    q.put("there.pq.pem", "something else");
    const before = q.tree();
    const args = ["keygen", "--alg", "es256+ml-dsa-44"];
    expect(expectFailure(await q.run([...args, "--out", "there.pem", "--no-passphrase"].filter(Boolean)), 2)).toContain("there.pq.pem");
    expect(q.tree()).toEqual(before);
    const env = { P: "one for both" };
    await q.ok([...args, "--out", "pair.pem", "--passphrase-env", "P"], { env });
    for (const file of ["pair.pem", "pair.pq.pem"]) {
      expect(readFileSync(q.at(file), "utf8")).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      await q.ok(["pubkey", file, "--passphrase-env", "P"], { env });
    }
    await q.ok(["sign", "fw.bin", ...FACTS, "--seq", "1", "--key", "pair.pem", "--key", "pair.pq.pem", "--passphrase-env", "P"], { env });
  });
});

describe("whosigned with a trust file", () => {
  const made = async (root = keyC) => {
    const anchors = [
      { key: publicOf(root), roles: ["root"] as const },
      { key: publicOf(keyA), roles: ["release", "recovery"] as const },
      { key: publicOf(keyB), roles: ["debug"] as const },
    ];
    const file = encodeTrust({ name: "board", sequence: 1n, anchors, thresholds: { root: 1, release: 1, debug: 1, recovery: 1 } });
    return await signTrustWithoutLog(file, [signer(root)]);
  };

  it("shows the roles of the signers", async () => {
    p.put("board.trust", await made());
    const r = await p.ok(["whosigned", "two.suit", "--trust", "board.trust", "--root", "C.jwk", "--json"]);
    expect(r.json["signers"]).toMatchObject([
      { name: "board.trust", thumbprint: toHex(thumbprint(keyA)), roles: ["release", "recovery"] },
      { name: "board.trust", thumbprint: toHex(thumbprint(keyB)), roles: ["debug"] },
    ]);
    expect(r.stderr).toBe("");
    const text = await p.ok(["whosigned", "two.suit", "--trust", "board.trust", "--root", "C.jwk"]);
    expect(text.stdout).toMatch(/release, recovery\n.*debug\n$/);
  });

  it("accepts no trust file that its roots have not signed, and requires one if a root is given", async () => {
    p.put("board.trust", await made());
    expectFailure(await p.run(["whosigned", "two.suit", "--trust", "board.trust", "--root", "A.jwk"]), 1);
    expectFailure(await p.run(["whosigned", "two.suit", "--key", "A.jwk", "--root", "C.jwk"]), 2);
    const r = await p.ok(["whosigned", "two.suit", "--trust", "board.trust"]);
    expect(r.stderr).toContain("no root is given");
  });
});
