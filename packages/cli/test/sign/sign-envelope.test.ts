// firmseal sign ENVELOPE: more signatures; the passphrases of several keys; test keys that everybody has.

import { symlinkSync } from "node:fs";
import { privateKey, testKeyName, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, keyA, keyB, privateJwk, quicklyEncrypted } from "../../../test-support/src/command-line/run.js";
import { SPEC_P256, SPEC_P256_PRIVATE } from "../../../test-support/src/vectors.js";
import { description, manifestOf, ONE, place, signed, TWO } from "../all/command-place.js";
import { changedManifest } from "../verify/lint-place.js";

const specKey = privateKey("es256", SPEC_P256_PRIVATE);

describe("sign ENVELOPE", () => {
  it("appends in place; a second signature by the same key is refused", async () => {
    const p = place();
    const before = p.tree();
    expect(expectFailure(await p.run(["sign", "fw.suit", "--key", "A.pem"]), 1)).toContain("already signed the envelope");
    expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem", "--key", "A.pem"]), 1);
    expect(expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem", "--key", "B.pem"]), 1)).toContain(
      "--key B.pem: this key is given twice",
    );
    expect((await p.run(["sign", "fw.suit", "--key", "A.pem", "--json"])).json).toMatchObject({
      ok: false,
      code: 203,
      reason: "ALREADY_SIGNED",
      exit: 1,
    });
    expect(p.tree()).toEqual(before);
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "2"]), 1);
    await p.ok(["sign", "fw.suit", "--key", "B.pem"]);
    expect(manifestOf(p.get("fw.suit"))).toBe(manifestOf(signed));
    const json = (await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--key", "C.jwk", "--threshold", "2", "--json"]))
      .json;
    expect((json["signers"] as { alg: string }[]).map((s) => s.alg)).toEqual(["ed25519", "es256"]);
    await p.ok(["verify", "fw.suit", "--key", "B.pem"]);
    expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem"]), 1);
  });

  it("--out leaves the input alone; a link is not signed in place", async () => {
    const p = place();
    await p.ok(["sign", "fw.suit", "--key", "B.pem", "--out", "two.suit"]);
    expect(p.get("fw.suit").equals(signed)).toBe(true);
    symlinkSync("two.suit", p.at("latest.suit"));
    const two = p.get("two.suit");
    expect(expectFailure(await p.run(["sign", "latest.suit", "--key", "C.pem"]), 2)).toContain(
      "latest.suit is a symbolic link to two.suit",
    );
    expect(p.get("two.suit").equals(two)).toBe(true);
    await p.ok(["sign", "two.suit", "--key", "C.pem"]);
    await p.ok(["verify", "latest.suit", "--key", "A.jwk", "--key", "B.jwk", "--key", "C.jwk", "--threshold", "3"]);
  });

  it("one key given twice, in two forms, counts once", async () => {
    const p = place();
    p.put("A.raw", keyA.key);
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.jwk", "--key", "A.raw", "--threshold", "2"]), 2);
    await p.ok(["sign", "fw.suit", "--key", "B.pem"]);
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.jwk", "--key", "A.pem", "--key", "A.raw", "--threshold", "2"]), 2);
    const json = (await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--key", "A.raw", "--json"])).json;
    expect(json["signers"]).toHaveLength(1);
  });

  it("warns about a language of the text that is not a language tag, and signs", async () => {
    const p = place();
    p.put("d.json", description({ text: { "en-US": { "update-description": "faster" } } }));
    await p.ok(["create", "--from", "d.json"]);
    // a description cannot name it, and another program can
    p.put("e.suit", changedManifest(p.get("d.suit"), "en-US", "en_US"));
    const said = await p.ok(["sign", "e.suit", "--key", "A.pem"]);
    expect(said.stderr).toContain('warning: the text names the language "en_US", which is not a language tag such as en-US\n');
    expect((await p.ok(["sign", "d.suit", "--key", "A.pem"])).stderr).not.toContain("language");
  });

  it("a damaged envelope is not signed", async () => {
    const p = place();
    const bad = Buffer.from(signed);
    bad[bad.length - 200] = (bad[bad.length - 200] as number) ^ 1;
    p.put("payload.suit", bad);
    p.put("cut.suit", signed.subarray(0, 1000));
    const before = p.tree();
    for (const name of ["payload.suit", "cut.suit"]) expectFailure(await p.run(["sign", name, "--key", "B.pem"]), 1);
    expect(p.tree()).toEqual(before);
  });
});

describe("passphrases of several keys", () => {
  const args = ["sign", "fw.bin", ...FACTS, "--seq", "1", "--out", "s.suit"];

  it("are given in the order of --key, from variables and descriptors mixed", async () => {
    const p = place();
    p.put("two.pem", quicklyEncrypted(keyB, TWO));
    const env = { P1: ONE, P2: TWO };
    const both = ["--key", "one.pem", "--key", "two.pem"];
    await p.ok([...args, ...both, "--passphrase-env", "P1", "--passphrase-env", "P2"], { env });
    await p.ok([...args, ...both, "--passphrase-env", "P1", "--passphrase-fd", "3"], { env, fds: [TWO] });
    await p.ok([...args, ...both, "--passphrase-fd", "3", "--passphrase-env", "P2"], { env, fds: [ONE] });
    await p.ok([...args, ...both, "--passphrase-fd", "3", "--passphrase-fd", "3"], { fds: [`${ONE}\n${TWO}\n`] });
    await p.ok([...args, ...both, "--passphrase-fd", "4", "--passphrase-fd", "3"], { fds: [`${TWO}\r\n`, ONE] });
    // a key that is not encrypted takes none
    await p.ok([...args, "--key", "one.pem", "--key", "A.pem", "--key", "two.pem", "--passphrase-env", "P1", "--passphrase-env", "P2"], {
      env,
    });
    expect(expectFailure(await p.run([...args, ...both, "--passphrase-env", "P2", "--passphrase-env", "P1"], { env }), 3)).toContain(
      "one.pem",
    );
    expect(
      expectFailure(
        await p.run([...args, "--key", "two.pem", "--key", "one.pem", "--passphrase-env", "P2", "--passphrase-fd", "3"], {
          env,
          fds: ["no"],
        }),
        3,
      ),
    ).toContain("one.pem");
  });

  it("one serves for keys that share it", async () => {
    const p = place();
    p.put("three.pem", quicklyEncrypted(keyB, ONE));
    await p.ok([...args, "--key", "one.pem", "--key", "three.pem", "--passphrase-env", "P"], { env: { P: ONE } });
    await p.ok([...args, "--key", "one.pem", "--key", "three.pem", "--passphrase-fd", "3"], { fds: [ONE] });
  });
});

describe("published test keys", () => {
  it("do not sign, unless each is allowed by its name", async () => {
    const p = place();
    p.put("spec.jwk", privateJwk(specKey));
    const args = ["sign", "fw.bin", "--key", "spec.jwk", ...FACTS, "--seq", "1", "--out", "t.suit"];
    const before = p.tree();
    expect(expectFailure(await p.run(args), 1)).toContain("spec-p256");
    expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: false, code: 202, reason: "TEST_KEY", exit: 1 });
    expectFailure(await p.run([...args, "--allow-test-key", "rfc8032-test-1"]), 1);
    expectFailure(await p.run([...args, "--allow-test-key", "all"]), 1);
    expect(p.tree()).toEqual(before);
    const r = await p.ok([...args, "--allow-test-key", "spec-p256"]);
    expect(r.stderr).toMatch(/^warning: .*spec-p256/);
  });

  it("are known in every form of the key, and for every name of the list that has its private half here", async () => {
    const p = place();
    const seed = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));
    expect(testKeyName(seed)).toBe("rfc8032-test-1");
    p.put("t.jwk", JSON.stringify({ ...toPrivateJwk(seed), kid: "release-2026" }));
    expect(expectFailure(await p.run(["sign", "fw.suit", "--key", "A.pem", "--key", "t.jwk"]), 1)).toContain("rfc8032-test-1");
    expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem", "--key", "t.jwk"]), 1);
  });

  it("are accepted by verify, install and inspect, with a warning and in the JSON", async () => {
    const p = place();
    p.put("spec.jwk", privateJwk(specKey));
    p.put("spec.raw", SPEC_P256);
    await p.ok(["sign", "fw.bin", "--key", "spec.jwk", ...FACTS, "--seq", "1", "--out", "t.suit", "--allow-test-key", "spec-p256"]);
    for (const args of [
      ["verify", "t.suit", "--key", "spec.raw"],
      ["inspect", "t.suit"],
      ["install", "t.suit", "--key", "spec.raw", "--dir", "d", ...FACTS],
    ]) {
      const r = await p.run([...args, "--json"]);
      expect(r.json).toMatchObject({ ok: true, code: 0, testKeys: ["spec-p256"] });
      expect(r.stderr).toMatch(/^warning: .*spec-p256/m);
    }
    for (const args of [
      ["verify", "fw.suit", "--key", "A.jwk"],
      ["inspect", "fw.suit"],
      ["install", "fw.suit", "--key", "A.jwk", "--dir", "e", ...FACTS],
    ])
      expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: true, testKeys: [] });
    expect((await p.run(["verify", "fw.suit", "--key", "spec.raw", "--json"])).json).toMatchObject({
      ok: false,
      testKeys: ["spec-p256"],
      signers: [],
    });
  });
});
