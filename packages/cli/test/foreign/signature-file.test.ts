// sign --format, verify --signature and pubkey --format of other tools: signature files, beside the file.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { SIGNATURE_FORMATS } from "@firmseal/formats";
import { privateKey, signer, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, keyA, type Place } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { signatureFormats } from "../../src/common/options.js";
import { ONE, place } from "../all/command-place.js";

/** What a format needs besides the key. */
const NEEDS: { readonly [format: string]: readonly string[] } = { sshsig: ["--namespace", "fw@example.com"] };
/** What verify needs, as the file does not show it. */
const SHOWN: { readonly [format: string]: readonly string[] } = { ...NEEDS, raw: ["--format", "raw"] };
const FORMATS: readonly [format: string, key: string][] = [
  ["minisign", "A"],
  ["signify", "A"],
  ["sshsig", "A"],
  ["sshsig", "E"],
  ["raw", "A"],
  ["raw", "E"],
  ["der", "E"],
  ["aws", "E"],
];

async function placeOfTwoKinds(): Promise<Place> {
  const p = place();
  p.keepsLogs = true;
  await p.ok(["keygen", "--alg", "es256", "--no-passphrase", "--out", "E.pem"]);
  await p.ok(["pubkey", "E.pem", "--format", "jwk", "--out", "E.jwk"]);
  return p;
}

const sign = (format: string, key: string, out = "fw.sig") => [
  ...["sign", "fw.bin", "--format", format, "--key", `${key}.pem`, "--out", out],
  ...(NEEDS[format] ?? []),
];

it("names a key by its thumbprint, and as a published test key, also in the file of another tool", async () => {
  const p = place();
  const seed = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));
  p.put("t.jwk", JSON.stringify(toPrivateJwk(seed)));
  const args = ["sign", "fw.bin", "--format", "minisign", "--key", "t.jwk", "--out", "t.sig"];
  expect((await p.run([...args, "--json"])).json).toMatchObject({ reason: "TEST_KEY", exit: 1 });
  await p.ok([...args, "--allow-test-key", "rfc8032-test-1"]);
  const { thumbprint } = (await p.ok(["pubkey", "t.jwk", "--json"])).json as { thumbprint: string };
  for (const form of ["minisign", "signify", "ssh"]) {
    await p.ok(["pubkey", "t.jwk", "--format", form, "--out", `${form}.pub`]);
    const { json } = await p.ok(["verify", "fw.bin", "--signature", "t.sig", "--key", `${form}.pub`, "--json"]);
    expect(json).toMatchObject({ signers: [{ thumbprint }], testKeys: ["rfc8032-test-1"] });
  }
});

it("has the formats of signature files", () => {
  expect([...signatureFormats].sort()).toEqual(SIGNATURE_FORMATS.map(({ name }) => name).sort());
});

describe.each(FORMATS)("a signature file in the format %s, by %s", (format, key) => {
  it("is written beside the file, entered in the log and verified", async () => {
    const p = await placeOfTwoKinds();
    const { json } = await p.ok([...sign(format, key), "--json"]);
    const times = format === "minisign" ? 2 : 1;
    expect(json).toMatchObject({ out: "fw.sig", sequence: null, bytes: p.get("fw.sig").length, format });
    expect(json["log"]).toHaveLength(times);
    const lines = p.get(`${key}.pem.log`).toString().trim().split("\n");
    expect(lines).toHaveLength(times);
    for (const line of lines) {
      const entry = JSON.parse(line);
      expect(entry).toMatchObject({
        operation: "sign",
        scope: [`file:${format}`],
        digest: expect.stringMatching(/^sha-256:[0-9a-f]{64}$/),
      });
      expect(entry).not.toHaveProperty("sequence");
    }
    const verify = ["verify", "fw.bin", "--signature", "fw.sig", "--key", `${key}.jwk`, ...(SHOWN[format] ?? [])];
    const good = await p.ok([...verify, "--json"]);
    const { thumbprint } = (await p.ok(["pubkey", `${key}.pem`, "--json"])).json as { thumbprint: string };
    expect(good.json).toMatchObject({ ok: true, sequence: null, file: { format }, signers: [{ thumbprint }], keysFrom: [`${key}.jwk`] });
    expect((await p.ok(verify)).stderr).toMatch(new RegExp(`^fw\\.bin: good, ${format}, signed by .*${thumbprint.slice(0, 16)}…\\n$`));
    // nothing of an envelope was changed by it
    expect((await p.ok(["audit", `${key}.pem`])).stdout).toContain(`file:${format}`);
  });

  it("is refused for a changed file, and by a different key", async () => {
    const p = await placeOfTwoKinds();
    await p.ok(sign(format, key));
    p.put("changed.bin", Buffer.concat([p.get("fw.bin"), Buffer.of(0)]));
    const more = ["--signature", "fw.sig", ...(SHOWN[format] ?? [])];
    expect((await p.run(["verify", "changed.bin", "--key", `${key}.jwk`, ...more])).exit).toBe(1);
    const other = key === "A" ? "C" : "A";
    expect((await p.run(["verify", "fw.bin", "--key", `${other}.jwk`, ...more])).exit).toBe(1);
    p.put("fw.sig", p.get("fw.sig").subarray(1));
    expect((await p.run(["verify", "fw.bin", "--key", `${key}.jwk`, ...more])).exit).toBeGreaterThan(0);
  });
});

describe("a key of signature files", () => {
  it("signs no manifest, and a key of manifests signs no file", async () => {
    const p = await placeOfTwoKinds();
    await p.ok(sign("raw", "A"));
    const manifest = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "9", "--out", "x.suit"];
    const refused = await p.run(manifest);
    expect(expectFailure(refused, 1)).toBe(
      "firmseal: the key signs signature files, as entry 1 of its log shows, so it does not sign manifests and trust files",
    );
    expect(p.has("x.suit")).toBe(false);
    await p.ok(["sign", "fw.bin", "--key", "C.pem", ...FACTS, "--seq", "9", "--out", "x.suit"]);
    for (const format of signatureFormats.filter((name) => name !== "der" && name !== "aws")) {
      const { json } = await p.run([...sign(format, "C", "y.sig"), "--json"]);
      expect([json["reason"], json["exit"]], format).toEqual(["KEY_ROLE", 1]);
      expect(p.has("y.sig")).toBe(false);
    }
    expect(p.get("C.pem.log").toString().trim().split("\n")).toHaveLength(1);
  });

  it.each([
    ["approve", ["approve", "fw.suit", "--key", "A.pem", "--out", "out"]],
    ["tbs", ["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "9", "--out", "out", "--envelope-out", "x.suit"]],
    ["tbs, by the private key", ["tbs", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "9", "--out", "out", "--envelope-out", "x.suit"]],
    ["attach", ["attach", "unsigned.suit", "--key", "A.jwk", "--signature", "tbs.sig", "--out", "out"]],
    ["trust sign", ["trust", "sign", "new.trust", "--key", "A.pem", "--out", "out"]],
    ["trust tbs", ["trust", "tbs", "new.trust", "--key", "A.pem", "--out", "out"]],
    ["release", ["release", "--version", "1.0.0", "--first", "--product", "product.toml", "--out", "out"]],
  ])("is refused by %s", async (_, command) => {
    const p = await placeOfTwoKinds();
    const thresholds = { root: 1, release: 1 };
    const entry = (key: string, role: string) => ({ key: `${key}.jwk`, roles: [role] });
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "t",
      sequence: 1,
      thresholds,
      anchors: [entry("A", "root"), entry("B", "release")],
    };
    p.put("t.json", JSON.stringify(list));
    await p.ok(["trust", "create", "--from", "t.json", "--out", "new.trust"]);
    p.put(
      "product.toml",
      'name = "p"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n[trust]\nkeys = "A.jwk"\n[boards.b]\nimage = "fw.bin"\n',
    );
    // what the key would sign, by a machine that has not signed files with it
    await p.ok(["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "9", "--out", "x.tbs", "--envelope-out", "unsigned.suit"]);
    p.put("tbs.sig", await signer(keyA).sign(p.get("x.tbs")));
    await p.ok(sign("raw", "A"));
    const before = p.tree();
    const { exit, stderr } = await p.run(command);
    expect([exit, stderr]).toEqual([1, expect.stringMatching(/^firmseal: the key signs signature files, as entry 1 of its log shows/m)]);
    expect(p.tree()).toEqual(before);
  });

  it("stays one after its log was lost", async () => {
    const p = await placeOfTwoKinds();
    await p.ok(sign("raw", "A"));
    rmSync(p.at("A.pem.log"));
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    const { json } = await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "9", "--out", "x.suit", "--json"]);
    expect(json).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
    // in another form it has the same mark, which misses its log
    await p.ok(["convert", "A.pem", "--format", "jwk", "--no-passphrase", "--out", "form.jwk"]);
    const form = await p.run(["sign", "fw.bin", "--key", "form.jwk", ...FACTS, "--seq", "9", "--out", "x.suit", "--json"]);
    expect(form.json).toMatchObject({ reason: "LOG", exit: 3 });
    expect(p.has("x.suit")).toBe(false);
  });

  it("hands over no number, and a key that got numbers signs no file", async () => {
    const p = await placeOfTwoKinds();
    await p.ok(sign("raw", "A"));
    expect((await p.run(["keys", "move", "A.pem", "C.pem", "--json"])).json).toMatchObject({ reason: "SEQUENCE", exit: 1 });
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "9", "--out", "x.suit"]);
    await p.ok(["keys", "move", "B.pem", "C.pem"]);
    for (const key of ["B", "C"])
      expect((await p.run([...sign("raw", key, "y.sig"), "--json"])).json).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
    // nor does one that takes the numbers of others
    expect((await p.run(["keys", "move", "C.pem", "A.pem", "--json"])).json).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
  });

  it.each([
    ["its release key", "A", ""],
    ["a key that devices trust", "B", '[trust]\nkeys = ["A.jwk", "B.jwk"]'],
    ["an approver", "B", '[trust]\nkeys = "A.jwk"\n[approval]\nkeys = "B.jwk"'],
    ["a root", "B", '[trust]\nfile = "one.trust"\nroot = "B.jwk"'],
    ["a key of its trust file", "A2", '[trust]\nfile = "one.trust"\nroot = "B.jwk"'],
    ["a key of the trust file that releases bring", "A3", '[trust]\nfile = "one.trust"\nroot = "B.jwk"\ncarry = "two.trust"'],
    ["a key of an earlier trust file", "A2", '[trust]\nfile = "two.trust"\nroot = "B.jwk"\nearlier = "one.trust"'],
  ])("is not %s of the product in this folder", async (_, name, trust) => {
    const p = place();
    const others = { A2: privateKey("ed25519", Buffer.alloc(32, "A2")), A3: privateKey("ed25519", Buffer.alloc(32, "A3")) };
    p.putKeys(others);
    for (const [list, sequence, keys] of [
      ["one", 1, ["A2"]],
      ["two", 2, ["A3"]],
    ] as const) {
      const anchors = [{ key: "B.jwk", roles: ["root"] }, ...keys.map((key) => ({ key: `${key}.jwk`, roles: ["release"] }))];
      p.put(
        `${list}.json`,
        JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "t", sequence, thresholds: { root: 1, release: 1 }, anchors }),
      );
      await p.ok(["trust", "create", "--from", `${list}.json`, "--out", `${list}.trust`]);
      await p.ok(["trust", "sign", `${list}.trust`, "--key", "B.pem"]);
    }
    const release = trust.includes("file") ? "A2.pem" : "A.pem";
    p.put("firmseal.toml", `name = "p"\nvendor = "example.com"\n[keys]\nrelease = "${release}"\n${trust}\n[boards.b]\nimage = "fw.bin"\n`);
    // a copy under a different name is the same key
    p.put("copy.pem", p.get(`${name}.pem`));
    for (const key of [`${name}.pem`, "copy.pem"]) {
      const refused = await p.run(["sign", "fw.bin", "--format", "minisign", "--key", key, "--json"]);
      expect(refused.json, key).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
    }
    await p.ok(["sign", "fw.bin", "--format", "minisign", "--key", "C.pem"]);
    expect(p.has("fw.bin.minisig")).toBe(true);
  });

  it("is not known if a trust file of the product is missing", async () => {
    const p = place();
    p.put(
      "firmseal.toml",
      'name = "p"\nvendor = "example.com"\n[trust]\nfile = "gone.trust"\nroot = "B.jwk"\n[boards.b]\nimage = "fw.bin"\n',
    );
    expect((await p.run(["sign", "fw.bin", "--format", "minisign", "--key", "C.pem"])).stderr).toContain("gone.trust");
    expect(p.has("fw.bin.minisig")).toBe(false);
  });
});

describe("sign --format", () => {
  it("names the file after its input, and never overwrites one", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--format", "minisign", "--key", "A.pem", "--trusted-comment", "version 1.4.2"]);
    await p.ok(["sign", "fw.bin", "--format", "raw", "--key", "A.pem"]);
    expect(p.get("fw.bin.sig")).toHaveLength(64);
    const { stdout } = await p.ok(["inspect", "fw.bin.minisig"]);
    expect(stdout).toMatch(/^trusted-comment +version 1\.4\.2$/m);
    expect((await p.run(["sign", "fw.bin", "--format", "signify", "--key", "A.pem"])).exit).toBe(2);
    expect(p.get("fw.bin.sig")).toHaveLength(64);
  });

  it("writes to stdout", async () => {
    const { stdout } = await place().ok(["sign", "fw.bin", "--format", "minisign", "--key", "A.pem", "--out", "-"]);
    expect(stdout).toMatch(/^untrusted comment: signature by firmseal\n/);
  });

  it("asks for the passphrase of an encrypted key once", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--format", "minisign", "--key", "one.pem", "--passphrase-fd", "3"], { fds: [`${ONE}\n`] });
    expect(p.has("fw.bin.minisig")).toBe(true);
  });

  it.each([
    ["a Sig_structure", "fw.tbs", ["tbs", "fw.suit", "--key", "B.jwk", "--out", "fw.tbs"]],
    ["as long as a digest", "digest", []],
  ])("does not sign %s as it is", async (_, file, make) => {
    const p = place();
    if (make.length > 0) await p.ok(make);
    else p.put(file, Buffer.alloc(32, 7));
    for (const format of ["raw", "signify"]) {
      const { json } = await p.run(["sign", file, "--format", format, "--key", "C.pem", "--out", "x.sig", "--json"]);
      expect(json).toMatchObject({ reason: "SIGNATURE_FILE_ORACLE", code: 706, exit: 1 });
    }
    expect(p.has("x.sig") || p.has("C.pem.log")).toBe(false);
    // these sign a hash of their own
    await p.ok(["sign", file, "--format", "minisign", "--key", "C.pem", "--out", "x.sig"]);
  });

  it.each([
    [["--seq", "3"], 2, "--seq is for SUIT envelopes"],
    [["--vendor", "example.com"], 2, "--vendor"],
    [["--replace"], 2, "--replace"],
    [["--trust", "t.trust"], 2, "--trust"],
    [["--board", "b"], 2, "--board"],
    [["--allow-no-device"], 2, "--allow-no-device"],
    [["--key", "B.pem"], 2, "one signature"],
    [["--format", "pgp"], 2, "--format"],
    [["--out", "fw.bin"], 2, "fw.bin"],
    [["--out", "A.pem"], 2, "A.pem"],
    [["--out", "A.pem.log"], 2, "A.pem.log"],
    [["--out", "other.log", "--log", "other.log"], 2, "other.log"],
    [["--trusted-comment", "a\nb"], 1, "comment"],
    [["--public-key", "gone.pub"], 3, "--public-key gone.pub: file not found"],
    [["--public-key", "A.jwk"], 1, "A.jwk: refused"],
    [["--public-key", "fw.bin"], 1, "fw.bin: refused"],
  ])("refuses %j", async (more, exit, words) => {
    const p = place();
    p.keepsLogs = true;
    const refused = await p.run(["sign", "fw.bin", "--format", "minisign", "--key", "A.pem", ...more]);
    expect([refused.exit, refused.stderr]).toEqual([exit, expect.stringContaining(words)]);
    expect(p.has("fw.bin.minisig") || p.has("A.pem.log")).toBe(false);
  });

  it.each([
    ["der", "A.pem", "FORMAT_KEY"],
    ["aws", "A.pem", "FORMAT_KEY"],
    ["sshsig", "A.pem", "SIGNATURE_FILE_NAMESPACE"],
  ])("refuses %s with %s", async (format, key, reason) => {
    const p = place();
    expect((await p.run(["sign", "fw.bin", "--format", format, "--key", key, "--json"])).json).toMatchObject({ reason, exit: 1 });
    expect(p.has("A.pem.log")).toBe(false);
  });

  it.each(["--namespace", "--comment", "--trusted-comment", "--public-key"])("alone has %s", async (option) => {
    const refused = await place().run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "3", option, "x"]);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining(`${option} is for signature files`)]);
  });

  it("has no key number in a format without one", async () => {
    const p = place();
    await p.ok(["pubkey", "A.pem", "--format", "minisign", "--out", "A.pub"]);
    await p.ok(["pubkey", "A.pem", "--format", "ssh", "--out", "A.ssh"]);
    const refused = await p.run(["sign", "fw.bin", "--format", "raw", "--key", "A.pem", "--public-key", "A.pub"]);
    expect(expectFailure(refused, 2)).toContain("a signature in the format raw has no key number");
    const without = await p.run(["sign", "fw.bin", "--format", "minisign", "--key", "A.pem", "--public-key", "A.ssh"]);
    expect(expectFailure(without, 2)).toContain("A.ssh has no key number");
  });

  it("has no signatures by keys that only envelopes have", async () => {
    const p = place();
    await p.ok(["keygen", "--alg", "ml-dsa-65", "--no-passphrase", "--out", "m.pem"]);
    const refused = await p.run(["sign", "fw.bin", "--format", "raw", "--key", "m.pem"]);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("ml-dsa-65")]);
  });
});

describe("verify --signature", () => {
  it.each([
    [["--signature", "fw.sig", "--floor", "3"], "--floor is for SUIT envelopes"],
    [["--signature", "fw.sig", "--for", "generic"], "--for"],
    [["--signature", "fw.sig", "--trust", "t.trust"], "--trust"],
    [["--signature", "fw.bin"], "does not show in which format"],
    [["--format", "raw"], "--format is for signature files"],
    [["--namespace", "x"], "--namespace is for signature files"],
  ])("refuses %j", async (more, words) => {
    const p = place();
    await p.ok(sign("minisign", "A"));
    const refused = await p.run(["verify", "fw.bin", "--key", "A.jwk", ...more]);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  it("is named by the message about a signature file alone", async () => {
    const p = place();
    await p.ok(sign("minisign", "A", "fw.bin.minisig"));
    expect((await p.run(["verify", "fw.bin.minisig", "--key", "A.jwk"])).stderr).toContain(
      "firmseal verify FILE --signature fw.bin.minisig --key PUB",
    );
  });

  it("takes no signature for a different namespace", async () => {
    const p = place();
    await p.ok(sign("sshsig", "A"));
    for (const more of [["--namespace", "git"], []])
      expect((await p.run(["verify", "fw.bin", "--signature", "fw.sig", "--key", "A.jwk", ...more, "--json"])).json).toMatchObject({
        reason: "SIGNATURE_FILE_NAMESPACE",
      });
  });
});

/** A program in the folder of a place. */
const run = (p: Place, program: string, args: readonly string[], input?: Uint8Array) =>
  spawnSync(program, args, { cwd: p.path, ...(input && { input }), encoding: "utf8" });
const skip = (program: string) => (hasProgram(program, "-V") ? "" : ` (skipped: no ${program})`);

describe("the tools of Debian", () => {
  it.skipIf(!hasProgram("minisign", "-v"))(
    `verify with the key that pubkey writes, and are verified with theirs${skip("minisign")}`,
    async () => {
      const p = place();
      await p.ok(["pubkey", "A.pem", "--format", "minisign", "--out", "A.pub"]);
      await p.ok(sign("minisign", "A"));
      expect(run(p, "minisign", ["-V", "-p", "A.pub", "-x", "fw.sig", "-m", "fw.bin"])).toMatchObject({ status: 0 });
      run(p, "minisign", ["-G", "-W", "-p", "m.pub", "-s", "m.key"]);
      expect(run(p, "minisign", ["-S", "-s", "m.key", "-x", "m.sig", "-m", "fw.bin"])).toMatchObject({ status: 0 });
      await p.ok(["verify", "fw.bin", "--signature", "m.sig", "--key", "m.pub"]);
      // its comment has tabs, which must not reach a terminal
      expect((await p.ok(["inspect", "m.sig"])).stdout).toMatch(/^trusted-comment +timestamp:\d+[^\t]*fw\.bin/m);
    },
  );

  it.skipIf(!hasProgram("minisign", "-v"))(
    `verify with the number that a key had before, once its public key is named${skip("minisign")}`,
    async () => {
      const p = place();
      run(p, "minisign", ["-G", "-W", "-p", "m.pub", "-s", "m.key"]);
      await p.ok(["convert", "m.key", "--format", "pkcs8", "--out", "m.pem", "--no-passphrase"]);
      for (const key of ["m.key", "m.pem"]) {
        await p.ok(["sign", "fw.bin", "--format", "minisign", "--key", key, "--public-key", "m.pub", "--out", `${key}.sig`]);
        expect(run(p, "minisign", ["-V", "-p", "m.pub", "-x", `${key}.sig`, "-m", "fw.bin"])).toMatchObject({ status: 0 });
      }
      const refused = expectFailure(await p.run(["sign", "fw.bin", "--format", "minisign", "--key", "m.key"]), 2);
      expect(refused).toContain("m.key: minisign has numbered this key, and verifies signatures with that number only");
      const other = await p.run(["sign", "fw.bin", "--format", "minisign", "--key", "A.pem", "--public-key", "m.pub"]);
      expect(expectFailure(other, 1)).toContain("m.pub is not the public key of A.pem");
      expect(p.has("fw.bin.minisig") || p.has("A.pem.log")).toBe(false);
    },
  );

  it.skipIf(!hasProgram("ssh-keygen", "-?"))(`so does ssh-keygen${skip("ssh-keygen")}`, async () => {
    const p = place();
    await p.ok(["pubkey", "A.pem", "--format", "ssh", "--out", "A.pub"]);
    await p.ok(sign("sshsig", "A"));
    p.put("signers", `release@example.com ${readFileSync(p.at("A.pub"), "utf8")}`);
    const args = ["-Y", "verify", "-f", "signers", "-I", "release@example.com", "-n", "fw@example.com", "-s", "fw.sig"];
    expect(run(p, "ssh-keygen", args, p.get("fw.bin"))).toMatchObject({ status: 0 });
    run(p, "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "id"]);
    expect(run(p, "ssh-keygen", ["-Y", "sign", "-f", "id", "-n", "fw@example.com", "fw.bin"])).toMatchObject({ status: 0 });
    await p.ok(["verify", "fw.bin", "--signature", "fw.bin.sig", "--key", "id.pub", "--namespace", "fw@example.com"]);
  });

  it.skipIf(!hasProgram("signify-openbsd"))(`so does signify${skip("signify-openbsd")}`, async () => {
    const p = place();
    await p.ok(["pubkey", "A.pem", "--format", "signify", "--out", "A.pub"]);
    await p.ok(sign("signify", "A"));
    expect(run(p, "signify-openbsd", ["-V", "-p", "A.pub", "-x", "fw.sig", "-m", "fw.bin"])).toMatchObject({ status: 0 });
    // a key that already had a number when it came into a token or a service
    const [comment, line = ""] = p.get("A.pub").toString().split("\n");
    const numbered = Buffer.from(line, "base64");
    numbered.fill(7, 2, 10);
    p.put("B.pub", `${comment}\n${numbered.toString("base64")}\n`);
    expect(run(p, "signify-openbsd", ["-V", "-p", "B.pub", "-x", "fw.sig", "-m", "fw.bin"]).status).not.toBe(0);
    await p.ok([...sign("signify", "A", "b.sig"), "--public-key", "B.pub"]);
    expect(run(p, "signify-openbsd", ["-V", "-p", "B.pub", "-x", "b.sig", "-m", "fw.bin"])).toMatchObject({ status: 0 });
  });
});
