import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import {
  fromCose,
  fromJwk,
  fromRaw,
  privateKey,
  publicOf,
  readEnvelope,
  signer,
  testKeyName,
  thumbprint,
  toHex,
  toJwk,
  toPrivateJwk,
} from "@firmseal/signer";
import { anchor, open } from "@firmseal/verifier";
import { beforeAll, describe, expect, it } from "vitest";
import { uf2Blocks, writeElf, writeHex, writeUf2 } from "../../images/test/image-writers.js";
import { haveVectors, SPEC_P256, SPEC_P256_PRIVATE, vectorBytes } from "../../verifier/test/vectors.js";
import {
  DEVICE,
  expectFailure,
  FACTS,
  image,
  keyA,
  keyB,
  keyC,
  type Place,
  privateJwk,
  quicklyEncrypted,
  type Result,
  signImage,
  standard,
  words,
} from "./run.js";

const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;
const specKey = privateKey("es256", SPEC_P256_PRIVATE);
const SCHEMA = "urn:firmseal:manifest:1";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const trustA = { anchors: [anchor("ed25519", keyA.key)] };

/** Two keys, encrypted, each under a passphrase of its own; one as keygen does it: scrypt is slow on purpose. */
const ONE = "first passphrase";
const TWO = "second ✓ passphrase";
let encrypted: { one: Buffer; two: Buffer };
let signed: Buffer;

beforeAll(async () => {
  const p = standard();
  await p.ok(["keygen", "--alg", "es256", "--out", "two.pem", "--passphrase-fd", "3"], { fds: [`${TWO}\nnot this`] });
  encrypted = { one: Buffer.from(quicklyEncrypted(keyC, ONE)), two: p.get("two.pem") };
  await signImage(p, 7, "fw.suit");
  signed = p.get("fw.suit");
});

function place(): Place {
  const p = standard();
  p.put("one.pem", encrypted.one);
  p.put("two.pem", encrypted.two);
  p.put("fw.suit", signed);
  return p;
}

function manifestOf(bytes: Uint8Array): string {
  return toHex(readEnvelope(Uint8Array.from(bytes)).manifest);
}

/** One image, described. */
function description(more: object = {}): string {
  return JSON.stringify({
    $schema: SCHEMA,
    sequence: 3,
    components: [[{ hex: "00" }]],
    "shared-sequence": [
      {
        "directive-override-parameters": {
          "vendor-identifier": { domain: "example.com" },
          "class-identifier": { domain: "example.com", name: "board-v2" },
          image: { payload: "#fw" },
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ],
    validate: ["condition-image-match"],
    install: [{ "directive-override-parameters": { uri: "#fw" } }, "directive-fetch", "condition-image-match"],
    payloads: { "#fw": { file: "fw.bin" } },
    ...more,
  });
}

describe.concurrent("the program", () => {
  it("tells its version and its commands", async () => {
    const p = place();
    expect((await p.ok(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await p.ok(["--help"]);
    expect(help.stderr).toBe("");
    for (const name of ["keygen", "pubkey", "create", "sign", "verify", "inspect", "install"]) {
      expect(help.stdout).toContain(name);
      expect((await p.ok([name, "--help"])).stdout).toContain(`firmseal ${name}`);
    }
  });

  it("tells in --help which options cannot be left out", async () => {
    const { stdout } = await place().ok(["rotate", "retire", "--help"]);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("--trust <file> the current trust file (required)");
    expect(text).not.toContain("--until <n> keep the key for releases up to this sequence number (required)");
  });

  it("no command, an unknown command", async () => {
    const p = place();
    expectFailure(await p.run([]), 2);
    expectFailure(await p.run(["frobnicate"]), 2);
    expect((await p.run(["frobnicate", "--json"])).json).toMatchObject({ ok: false, code: 200, reason: "USAGE", exit: 2 });
  });

  it("goes on where stdout is closed early, and where nobody can read the words", async () => {
    const p = place();
    const r = await p.run(["verify", "fw.suit", "--key", "A.jwk"], { stderr: "/dev/full" });
    expect(r.exit).toBe(0);
    expect((await p.run(["verify", "fw.suit", "--key", "B.jwk"], { stderr: "/dev/full" })).exit).toBe(1);
    const head = await p.run(["inspect", "fw.suit", "--diag"], { through: ["/bin/sh", "-c", '"$@" | true', "-"] });
    expect(head).toMatchObject({ exit: 0, stderr: "" });
  });
});

describe.concurrent("keygen", () => {
  for (const alg of ["ed25519", "es256"] as const) {
    it(`${alg}: encrypted, mode 0600, and never over another file`, async () => {
      const p = place();
      const name = alg === "ed25519" ? "one.pem" : "two.pem";
      const pass = alg === "ed25519" ? ONE : TWO;
      expect(p.get(name).toString()).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
      const r = await p.run(["keygen", "--alg", alg, "--out", "new.pem", "--passphrase-env", "P", "--json"], { env: { P: pass } });
      expect(r.json).toEqual({
        ok: true,
        code: 0,
        reason: "OK",
        out: "new.pem",
        format: "pkcs8",
        encrypted: true,
        kid: null,
        alg,
        thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(r.stderr).toBe("");
      expect(statSync(p.at("new.pem")).mode & 0o777).toBe(0o600);
      expect(p.get("new.pem").equals(p.get(name))).toBe(false);
      const before = p.tree();
      for (const again of ["new.pem", "fw.bin"]) {
        expect(expectFailure(await p.run(["keygen", "--alg", alg, "--out", again, "--no-passphrase"]), 2)).toContain(again);
        expect((await p.run(["keygen", "--out", again, "--no-passphrase", "--json"])).json).toMatchObject({
          ok: false,
          exit: 2,
          reason: "USAGE",
        });
      }
      expect(p.tree()).toEqual(before);
      // the key that was written signs
      await p.ok(["sign", "fw.bin", "--key", "new.pem", ...FACTS, "--seq", "1", "--passphrase-fd", "3"], { fds: [pass] });
    });
  }

  it("--no-passphrase: a plain key, told with a warning", async () => {
    const p = place();
    const r = await p.ok(["keygen", "--no-passphrase", "--out", "plain.pem"], { through: ["/bin/sh", "-c", 'umask 0; exec "$@"', "-"] });
    expect(p.get("plain.pem").toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(statSync(p.at("plain.pem")).mode & 0o777).toBe(0o600);
    expect(r.stdout).toBe("");
    expect(r.stderr).toMatch(/^warning: plain\.pem is not encrypted/);
  });

  it.skipIf(!hasOpenssl)(`openssl reads the keys${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
    const p = place();
    for (const [name, pass] of [
      ["one.pem", ONE],
      ["two.pem", TWO],
    ] as const) {
      const pub = (await p.ok(["pubkey", name, "--passphrase-env", "P"], { env: { P: pass } })).stdout;
      const theirs = spawnSync("openssl", ["pkey", "-in", p.at(name), "-passin", "env:P", "-pubout"], {
        env: { ...process.env, P: pass },
        encoding: "utf8",
      });
      expect(theirs.stdout).toBe(pub);
    }
  });

  it("a passphrase that is not there, or not unique", async () => {
    const p = place();
    const before = p.tree();
    const keygen = (...more: string[]) => p.run(["keygen", "--out", "k.pem", ...more], { env: { EMPTY: "", P: "x" } });
    expect(expectFailure(await keygen(), 3)).toContain("terminal");
    expect(expectFailure(await keygen("--passphrase-env", "NOT_THERE"), 3)).toContain("NOT_THERE");
    expectFailure(await keygen("--passphrase-env", "EMPTY"), 3);
    expectFailure(await keygen("--passphrase-fd", "9"), 3);
    expectFailure(await keygen("--passphrase-fd", "x"), 2);
    expectFailure(await keygen("--passphrase-env", "P", "--passphrase-fd", "3"), 2);
    expectFailure(await keygen("--passphrase-env", "P", "--no-passphrase"), 2);
    expectFailure(await p.run(["keygen", "--out", "-", "--no-passphrase"]), 2);
    expectFailure(await p.run(["keygen", "--no-passphrase"]), 2);
    expectFailure(await p.run(["keygen", "--alg", "rsa", "--out", "k.pem", "--no-passphrase"]), 2);
    expect(p.tree()).toEqual(before);
  });

  it("does not follow a symbolic link", async () => {
    const p = place();
    symlinkSync("elsewhere", p.at("link.pem"));
    expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "link.pem"]), 2);
    expect(p.has("elsewhere")).toBe(false);
  });
});

describe.concurrent("pubkey", () => {
  for (const [name, key] of [
    ["A", keyA],
    ["B", keyB],
  ] as const) {
    it(`${key.alg}: each format, from private and public, and back as --key`, async () => {
      const p = place();
      await p.ok(["sign", "fw.bin", "--key", `${name}.pem`, ...FACTS, "--seq", "1", "--out", "mine.suit"]);
      for (const format of ["pem", "jwk", "cose", "raw"] as const) {
        const r = await p.ok(["pubkey", `${name}.pem`, "--format", format]);
        expect(r.stderr).toBe(`thumbprint ${toHex(thumbprint(key))}\n`);
        expect(Buffer.from(toHex(key.secret), "hex").equals(r.bytes)).toBe(false);
        p.put("pub", r.bytes);
        if (format === "cose") expect(fromCose(Uint8Array.from(r.bytes))).toEqual(publicOf(key));
        if (format === "raw") expect(fromRaw(Uint8Array.from(r.bytes))).toEqual(publicOf(key));
        if (format === "jwk") expect(fromJwk(JSON.parse(r.stdout))).toEqual(publicOf(key));
        await p.ok(["verify", "mine.suit", "--key", "pub"]);
        expect((await p.ok(["pubkey", "-", "--format", format], { input: r.bytes })).bytes.equals(r.bytes)).toBe(true);
      }
      expect((await p.ok(["pubkey", `${name}.pem`])).stdout).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    });
  }

  it("js and h are for embedding, and are no keys", async () => {
    const p = place();
    const js = await p.ok(["pubkey", "A.pem", "--format", "js"]);
    expect(js.stdout).toContain(`key: [${keyA.key.join(", ")}]`);
    const h = await p.ok(["pubkey", "B.jwk", "--format", "h"]);
    expect(h.stdout).toContain("static const unsigned char firmseal_key[65]");
    for (const r of [js, h]) {
      p.put("pub", r.bytes);
      expectFailure(await p.run(["verify", "fw.suit", "--key", "pub"]), 2);
    }
  });

  it("--device adds a table, of the size and in the form asked for", async () => {
    const p = place();
    const read = (text: string) => new Function(`${text}; return firmsealKey;`)();
    for (const [size, n] of [
      ["1k", 1008],
      ["2k", 2016],
      ["4k", 4032],
      ["8k", 8064],
    ] as const) {
      const text = (await p.ok(["pubkey", "A.pem", "--device", "--table-size", size])).stdout;
      expect(text).toMatch(/^[ -~\n]*$/);
      const key = read(text);
      expect(key.alg).toBe("ed25519");
      expect(key.key.key).toEqual([...keyA.key]);
      expect(key.key.table).toHaveLength(n);
      const numbers = read((await p.ok(["pubkey", "A.pem", "--device", "--format", "js", "--table-size", size, "--table-numbers"])).stdout);
      expect(numbers.key.table).toHaveLength(n / 7);
      const { alg } = anchor("ed25519", key.key);
      const signature = await signer(keyA).sign(Uint8Array.of(1, 2));
      for (const one of [key.key, numbers.key]) {
        expect(alg.verify(one, [1, 2], signature, {})).toBe(true);
        expect(alg.verify(one, [1, 3], signature, {})).toBe(false);
        expect(alg.verify({ ...one, digest: one.digest.with(0, one.digest[0] ^ 1) }, [1, 2], signature, {})).toBe(false);
      }
    }
    expect(read((await p.ok(["pubkey", "A.pem", "--device"])).stdout).key.table).toHaveLength(2016);
    expectFailure(await p.run(["pubkey", "B.pem", "--device"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--device", "--format", "pem"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--device", "--table-size", "3k"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table-size", "2k"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table-numbers"]), 2);
  });

  it("--json holds the data", async () => {
    const p = place();
    expect((await p.ok(["pubkey", "A.pem", "--format", "raw", "--json"])).json).toMatchObject({
      ok: true,
      code: 0,
      reason: "OK",
      alg: "ed25519",
      format: "raw",
      data: Buffer.from(keyA.key).toString("base64"),
    });
    const jwk = (await p.ok(["pubkey", "B.pem", "--format", "jwk", "--json"])).json;
    expect(JSON.parse(jwk["data"] as string)).toEqual(toJwk(keyB));
  });

  it("an encrypted key needs its passphrase", async () => {
    const p = place();
    await p.ok(["pubkey", "one.pem", "--passphrase-env", "P"], { env: { P: ONE } });
    expectFailure(await p.run(["pubkey", "one.pem"]), 3);
    expect(expectFailure(await p.run(["pubkey", "one.pem", "--passphrase-env", "P"], { env: { P: TWO } }), 3)).toContain(
      "wrong passphrase",
    );
  });
});

describe.concurrent("create", () => {
  it("description → unsigned envelope → signed → verified", async () => {
    const p = place();
    p.put("d.json", description());
    const made = await p.ok(["create", "--from", "d.json"]);
    expect(made.stdout).toBe("");
    expectFailure(await p.run(["verify", "d.suit", "--key", "A.jwk"]), 1);
    const unsigned = p.get("d.suit");
    expect((await p.ok(["create", "--from", "d.json", "--out", "-"])).bytes.equals(unsigned)).toBe(true);
    const json = (await p.ok(["create", "--from", "d.json", "--out", "again.suit", "--json"])).json;
    expect(json).toMatchObject({ ok: true, code: 0, out: "again.suit", bytes: unsigned.length, sequence: "3", warnings: [] });
    expect(p.get("again.suit").equals(unsigned)).toBe(true);
    await p.ok(["sign", "d.suit", "--key", "A.pem"]);
    expect(open(Uint8Array.from(p.get("d.suit")), trustA).sequence).toEqual([0, 3]);
    await p.ok(["verify", "d.suit", "--key", "A.jwk"]);
    // at once
    await p.ok(["sign", "d.json", "--key", "A.pem", "--out", "e.suit"]);
    expect(p.get("e.suit").equals(p.get("d.suit"))).toBe(true);
  });

  it("- is stdin and stdout", async () => {
    const p = place();
    const text = description();
    p.put("d.json", text);
    await p.ok(["create", "--from", "d.json"]);
    expect((await p.ok(["create", "--from", "-"], { input: text })).bytes.equals(p.get("d.suit"))).toBe(true);
    const inJson = (await p.ok(["create", "--from", "-", "--json"], { input: text })).json;
    expect(Buffer.from(inJson["data"] as string, "base64").equals(p.get("d.suit"))).toBe(true);
  });

  it("files are found beside the description", async () => {
    const p = place();
    p.folder("sub");
    p.put("sub/fw.bin", image(100, 9));
    p.put("sub/d.json", description());
    await p.ok(["create", "--from", "sub/d.json"]);
    expect(readEnvelope(Uint8Array.from(p.get("d.suit"))).payloads.get("#fw")).toEqual(image(100, 9));
  });

  it("tells the formats apart by $schema", async () => {
    const p = place();
    const old = {
      "manifest-version": 1,
      "manifest-sequence-number": 9,
      components: [{ "install-id": ["00"], "vendor-id": "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe" }],
    };
    const create = (value: unknown) => p.run(["create", "--from", "-", "--json"], { input: JSON.stringify(value) });
    expect((await create(old)).json).toMatchObject({ ok: true, sequence: "9" });
    expect((await create({ ...old, "include-json": true })).json).toMatchObject({ ok: true, warnings: ["include-json is ignored"] });
    expect((await create({ ...old, $schema: SCHEMA })).json).toMatchObject({ ok: false, reason: "DESCRIPTION", exit: 1 });
    expect((await create({ ...old, $schema: "other" })).json).toMatchObject({ ok: false, reason: "DESCRIPTION", exit: 1 });
    expect((await create({ sequence: 1, components: [[]] })).json).toMatchObject({
      ok: false,
      message: expect.stringContaining("$schema"),
    });
    for (const schema of [SCHEMA, "../node_modules/@firmseal/signer/schema/manifest.schema.json"])
      expect((await create({ $schema: schema, sequence: 1, components: [[]] })).json).toMatchObject({ ok: true, sequence: "1" });
  });

  const wrong: [string, unknown, string][] = [
    ["no JSON", undefined, "not JSON"],
    ["an array", [], "$schema"],
    ["null", null, "$schema"],
    ["a misspelt member", { $schema: SCHEMA, sequence: 1, components: [[]], instal: [] }, "instal"],
    ["an unknown command", { $schema: SCHEMA, sequence: 1, components: [[]], install: ["directive-explode"] }, "/install/0"],
    ["a sequence number that is none", { $schema: SCHEMA, sequence: -1, components: [[]] }, "/sequence"],
    ["one of 65 bits", { $schema: SCHEMA, sequence: "18446744073709551616", components: [[]] }, "/sequence"],
    [
      "a digest of the wrong length",
      {
        $schema: SCHEMA,
        sequence: 1,
        components: [[]],
        validate: [{ "directive-override-parameters": { "image-digest": { hex: "00" } } }],
      },
      "image-digest",
    ],
    [
      "a payload that is not there",
      { $schema: SCHEMA, sequence: 1, components: [[]], validate: [{ "directive-override-parameters": { image: { payload: "#x" } } }] },
      "#x",
    ],
    ["nothing to sever", { $schema: SCHEMA, sequence: 1, components: [[]], sever: ["install"] }, "/sever"],
    [
      "a side effect in the shared sequence",
      { $schema: SCHEMA, sequence: 1, components: [[]], "shared-sequence": ["directive-fetch"] },
      "shared",
    ],
    ["an old component that is none", { "manifest-version": 1, "manifest-sequence-number": 1, components: [null] }, "/components/0"],
    [
      "an old description that is none",
      { "manifest-version": 1, "manifest-sequence-number": 1, components: [{ "install-id": ["00"] }], description: { en: null } },
      "/description/en",
    ],
    [
      "an old member that is not known",
      { "manifest-version": 1, "manifest-sequence-number": 1, components: [{ "install-id": ["00"], x: 1 }] },
      "/components/0/x",
    ],
  ];
  for (const [name, value, says] of wrong) {
    it(`refuses ${name}`, async () => {
      const p = place();
      p.put("d.json", value === undefined ? "{,}" : JSON.stringify(value));
      const before = p.tree();
      expect(expectFailure(await p.run(["create", "--from", "d.json"]), 1)).toContain(says);
      expect(p.tree()).toEqual(before);
    });
  }

  it("refuses what is nested without end, and names that no object may have", async () => {
    const p = place();
    let commands = '["condition-abort"]';
    for (let i = 0; i < 20_000; i++) commands = `[{"directive-run-sequence":${commands}}]`;
    const deep = `{"$schema":"${SCHEMA}","sequence":1,"components":[[]],"validate":${commands}}`;
    expect(expectFailure(await p.run(["create", "--from", "-"], { input: deep }), 1)).toContain("nested");
    for (const text of [
      `{"$schema":"${SCHEMA}","sequence":1,"components":[[]],"__proto__":{"x":1}}`,
      '{"manifest-version":1,"manifest-sequence-number":1,"components":[{"install-id":["00"]}],"description":{"__proto__":{"manifest-description":"x"}}}',
      '{"manifest-version":1,"manifest-sequence-number":1,"components":[{"install-id":["00"]}],"description":{"constructor":{"manifest-description":"x","__proto__":1}}}',
    ])
      expectFailure(await p.run(["create", "--from", "-"], { input: text }), 1);
  });

  it("a file of the description that is missing, or no file", async () => {
    const p = place();
    p.put("d.json", description({ payloads: { "#fw": { file: "gone.bin" } } }));
    expect(expectFailure(await p.run(["create", "--from", "d.json"]), 3)).toContain("gone.bin");
    p.folder("gone.bin");
    expectFailure(await p.run(["create", "--from", "d.json"]), 2);
  });
});

describe.concurrent("sign IMAGE", () => {
  it("writes the image's name with .suit in the current directory", async () => {
    const p = place();
    p.folder("build");
    p.put("build/app.v2.bin", image(321));
    const r = await p.ok(["sign", "build/app.v2.bin", "--key", "A.pem", ...FACTS, "--seq", "7"]);
    expect(r.stdout).toBe("");
    expect(p.has("app.v2.suit")).toBe(true);
    expect(existsSync(p.at("build/app.v2.suit"))).toBe(false);
    const m = open(Uint8Array.from(p.get("app.v2.suit")), trustA);
    expect(m.sequence).toEqual([0, 7]);
    expect(m.payloads.map((x) => [x.uri, x.content.n])).toEqual([["#firmware", 321]]);
    const json = (await p.ok(["sign", "build/app.v2.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--out", "x.suit", "--json"])).json;
    expect(json).toMatchObject({ ok: true, code: 0, out: "x.suit", sequence: "7", bytes: p.get("x.suit").length });
    expect(json["signers"]).toEqual([{ kid: null, alg: "ed25519", thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(p.get("x.suit").equals(p.get("app.v2.suit"))).toBe(true);
  });

  it("- is stdin and stdout; with --json the envelope is in the object", async () => {
    const p = place();
    const args = ["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "7"];
    const input = p.get("fw.bin");
    expect((await p.ok(args, { input })).bytes.equals(signed)).toBe(true);
    expect((await p.ok(["sign", "fw.bin", ...args.slice(2), "--out", "-"])).bytes.equals(signed)).toBe(true);
    const json = (await p.ok([...args, "--json"], { input })).json;
    expect(Buffer.from(json["data"] as string, "base64").equals(signed)).toBe(true);
    await p.ok(["sign", "-", ...args.slice(2), "--out", "named.suit"], { input });
    expect(p.get("named.suit").equals(signed)).toBe(true);
    await p.ok(["verify", "-", "--key", "A.jwk"], { input: signed });
    expect((await p.ok(["sign", "-", "--key", "B.pem"], { input: signed })).bytes.length).toBeGreaterThan(signed.length);
    expectFailure(await p.run(args), 1);
  });

  it("vendor and class as domain and name, or as UUIDs", async () => {
    const p = place();
    const uuids = ["--vendor", "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", "--class", "1492af14-2569-5e48-bf42-9b2d51f2ab45"];
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...uuids, "--seq", "1", "--out", "u.suit"]);
    const shown = (await p.ok(["inspect", "u.suit", "--json"])).stdout;
    expect(shown).toContain(uuids[1]);
    expect(shown).toContain(uuids[3]);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "arm.com", "--class", uuids[3] as string, "--seq", "1", "--out", "v.suit"]);
    expect(p.get("v.suit").equals(p.get("u.suit"))).toBe(true);
    const before = p.tree();
    expectFailure(
      await p.run([
        "sign",
        "fw.bin",
        "--key",
        "A.pem",
        "--vendor",
        uuids[1] as string,
        "--class",
        "name",
        "--seq",
        "1",
        "--image-out",
        "i.bin",
        "--out",
        "w.suit",
      ]),
      2,
    );
    expect(p.tree()).toEqual(before);
  });

  it("Intel HEX, UF2 and ELF give the manifest of the raw bytes", async () => {
    const p = place();
    const bytes = image(2048, 5);
    const parts = [{ address: 0x10000000, bytes }];
    p.put("fw.bin", bytes);
    p.put("a.hex", writeHex(parts));
    p.put("a.uf2", writeUf2(uf2Blocks(parts)));
    p.put("a.elf", writeElf({ segments: parts }));
    await signImage(p, 1, "raw.suit");
    for (const name of ["a.hex", "a.uf2", "a.elf"]) {
      const r = await p.ok(["sign", name, "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "x.suit", "--image-out", "flash.bin"]);
      expect(r.stderr).toContain("2048 bytes from address 0x10000000");
      expect(p.get("x.suit").equals(p.get("raw.suit")), name).toBe(true);
      expect(p.get("flash.bin").equals(Buffer.from(bytes)), name).toBe(true);
      expect(
        (await p.ok(["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "1"], { input: p.get(name) })).bytes.equals(p.get("raw.suit")),
        name,
      ).toBe(true);
    }
    p.put("bad.hex", ":00000001FE\n");
    expectFailure(await p.run(["sign", "bad.hex", "--key", "A.pem", ...FACTS, "--seq", "1"]), 1);
    expect(p.has("bad.suit")).toBe(false);
    // a device fetches the bytes for the flash, so they have to be written somewhere
    expectFailure(await p.run(["sign", "a.hex", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "https://x/fw"]), 2);
    await p.ok(["sign", "a.hex", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "https://x/fw", "--image-out", "flash2.bin"]);
    await p.ok(["verify", "a.suit", "--key", "A.jwk", "--payload", "flash2.bin"]);
    // of a raw image too
    await p.ok([
      "sign",
      "fw.bin",
      "--key",
      "A.pem",
      ...FACTS,
      "--seq",
      "1",
      "--uri",
      "https://x/fw",
      "--image-out",
      "flash3.bin",
      "--out",
      "b.suit",
    ]);
    expect(p.get("flash3.bin").equals(Buffer.from(bytes))).toBe(true);
    expect(p.get("b.suit").equals(p.get("a.suit"))).toBe(true);
  });

  it("--uri keeps the payload outside", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "coap://example.com/fw", "--out", "out.suit"]);
    expect(p.get("out.suit").length).toBeLessThan(500);
    const json = (await p.ok(["verify", "out.suit", "--key", "A.jwk", "--json"])).json;
    expect(json).toMatchObject({ payloadsChecked: [], payloadsNotChecked: ["coap://example.com/fw"] });
    await p.ok(["verify", "out.suit", "--key", "A.jwk", "--payload", "fw.bin"]);
    const named = (await p.ok(["verify", "out.suit", "--key", "A.jwk", "--payload", "coap://example.com/fw=fw.bin", "--json"])).json;
    expect(named).toMatchObject({ payloadsChecked: ["coap://example.com/fw"], payloadsNotChecked: [] });
    for (const uri of ["with space", "", "ü", "#firmware"]) {
      expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", uri, "--out", "no.suit"]), 2);
      expect(p.has("no.suit")).toBe(false);
    }
  });

  it("16 MiB travel in the envelope, one byte more does not", async () => {
    const p = place();
    const most = 16 * 1024 * 1024;
    for (const n of [most, most + 1]) {
      writeFileSync(p.at("big image.bin"), image(n, 3));
      await p.ok(["sign", "big image.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "big.suit"]);
      const m = open(Uint8Array.from(p.get("big.suit")), trustA);
      expect(m.payloads.map((x) => x.uri)).toEqual(n === most ? ["#firmware"] : []);
      const json = (await p.ok(["verify", "big.suit", "--key", "A.jwk", "--json"])).json;
      expect(json["payloadsNotChecked"]).toEqual(n === most ? [] : ["big%20image.bin"]);
      if (n > most) await p.ok(["verify", "big.suit", "--key", "A.jwk", "--payload", "big image.bin"]);
    }
  });

  it("sequence numbers up to 2^64 - 1, with a warning where they leave no room", async () => {
    const p = place();
    for (const seq of ["0", "2147483648", "4294967296", "9007199254740993", "18446744073709551615"]) {
      const r = await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", seq, "--out", "s.suit"]);
      expect(/^warning: .*leaves little room/m.test(r.stderr)).toBe(BigInt(seq) >= 2n ** 48n);
      expect((await p.ok(["verify", "s.suit", "--key", "A.jwk", "--floor", seq, "--json"])).json["sequence"]).toBe(seq);
    }
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.jwk", "--floor", "8"]), 1);
    await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--floor", "6"]);
  });

  it("an envelope or a description takes no facts of an image", async () => {
    const p = place();
    p.put("d.json", description());
    const before = p.tree();
    for (const option of [
      ["--seq", "9"],
      ["--vendor", "x.org"],
      ["--class", "x"],
      ["--uri", "http://x"],
      ["--image-out", "y"],
    ]) {
      const input = option[0] === "--seq" ? "d.json" : "fw.suit";
      expect(expectFailure(await p.run(["sign", input, "--key", "B.pem", ...option]), 2)).toContain(option[0]);
    }
    for (const without of [
      ["--vendor", "example.com"],
      ["--class", "board-v2"],
      ["--seq", "1"],
    ]) {
      const args = [...FACTS, "--seq", "1"];
      args.splice(args.indexOf(without[0] as string), 2);
      expect(expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...args]), 2)).toContain(without[0]);
    }
    expect(p.tree()).toEqual(before);
  });
});

describe.concurrent("sign ENVELOPE", () => {
  it("appends in place; a second signature by the same key is refused", async () => {
    const p = place();
    const before = p.tree();
    expect(expectFailure(await p.run(["sign", "fw.suit", "--key", "A.pem"]), 1)).toContain("signed the envelope already");
    expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem", "--key", "A.pem"]), 1);
    expectFailure(await p.run(["sign", "fw.suit", "--key", "B.pem", "--key", "B.pem"]), 1);
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

  it("--out leaves the input alone; a link stays a link", async () => {
    const p = place();
    await p.ok(["sign", "fw.suit", "--key", "B.pem", "--out", "two.suit"]);
    expect(p.get("fw.suit").equals(signed)).toBe(true);
    symlinkSync("two.suit", p.at("latest.suit"));
    await p.ok(["sign", "latest.suit", "--key", "C.pem"]);
    await p.ok(["verify", "two.suit", "--key", "A.jwk", "--key", "B.jwk", "--key", "C.jwk", "--threshold", "3"]);
    expect(p.get("latest.suit").equals(p.get("two.suit"))).toBe(true);
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

describe.concurrent("passphrases of several keys", () => {
  const args = ["sign", "fw.bin", ...FACTS, "--seq", "1", "--out", "s.suit"];

  it("are given in the order of --key, from variables and descriptors mixed", async () => {
    const p = place();
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
    await p.ok(["keygen", "--out", "three.pem", "--passphrase-env", "P"], { env: { P: ONE } });
    await p.ok([...args, "--key", "one.pem", "--key", "three.pem", "--passphrase-env", "P"], { env: { P: ONE } });
    await p.ok([...args, "--key", "one.pem", "--key", "three.pem", "--passphrase-fd", "3"], { fds: [ONE] });
  });
});

describe.concurrent("published test keys", () => {
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
      ["install", "t.suit", "--key", "spec.raw", "--device", "d", ...FACTS],
    ]) {
      const r = await p.run([...args, "--json"]);
      expect(r.json).toMatchObject({ ok: true, code: 0, testKeys: ["spec-p256"] });
      expect(r.stderr).toMatch(/^warning: .*spec-p256/m);
    }
    for (const args of [
      ["verify", "fw.suit", "--key", "A.jwk"],
      ["inspect", "fw.suit"],
      ["install", "fw.suit", "--key", "A.jwk", "--device", "e", ...FACTS],
    ])
      expect((await p.run([...args, "--json"])).json).toMatchObject({ ok: true, testKeys: [] });
    expect((await p.run(["verify", "fw.suit", "--key", "spec.raw", "--json"])).json).toMatchObject({
      ok: false,
      testKeys: ["spec-p256"],
      signers: [],
    });
  });
});

describe.concurrent("verify", () => {
  it("tells who has signed", async () => {
    const p = place();
    const r = await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--json"]);
    expect(r.stderr).toBe("");
    expect(r.json).toEqual({
      ok: true,
      code: 0,
      reason: "OK",
      sequence: "7",
      signers: [{ kid: null, alg: "ed25519", thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      testKeys: [],
      payloadsChecked: ["#firmware"],
      payloadsNotChecked: [],
      severedAbsent: [],
    });
    const plain = await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
    expect(plain.stdout).toBe("");
    expect(plain.stderr).toContain("sequence number 7");
  });

  it("names the reason of a refusal", async () => {
    const p = place();
    const refused = async (...more: string[]) => (await p.run(["verify", ...more, "--json"])).json;
    expect(await refused("fw.suit", "--key", "C.jwk")).toMatchObject({
      ok: false,
      code: 60,
      reason: "SIGNATURE_INVALID",
      exit: 1,
      sequence: null,
      signers: [],
      testKeys: [],
    });
    expect(await refused("fw.suit", "--key", "B.jwk")).toMatchObject({ ok: false, code: 61, reason: "SIGNATURE_NO_ANCHOR" });
    expect(await refused("fw.suit", "--key", "A.jwk", "--floor", "8")).toMatchObject({ code: 38, reason: "ROLLBACK" });
    expect(await refused("fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "2")).toMatchObject({
      code: 62,
      reason: "SIGNATURE_THRESHOLD",
      exit: 1,
    });
    expect(await refused("fw.suit", "--key", "A.jwk", "--threshold", "0")).toMatchObject({ code: 50, reason: "TRUST_POLICY", exit: 2 });
    expect(await refused("fw.bin", "--key", "A.jwk")).toMatchObject({ exit: 1, ok: false });
    p.put("cut.suit", signed.subarray(0, signed.length - 1));
    expect(await refused("cut.suit", "--key", "A.jwk")).toMatchObject({ code: 1, reason: "CBOR_TRUNCATED" });
    p.put("more.suit", Buffer.concat([signed, Buffer.of(0)]));
    expect(await refused("more.suit", "--key", "A.jwk")).toMatchObject({ code: 10, reason: "CBOR_TRAILING" });
  });

  it("looks at payloads that are given", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "http://x/fw", "--out", "o.suit"]);
    const other = image(5000, 2);
    p.put("other.bin", other);
    p.put("short.bin", p.get("fw.bin").subarray(1));
    const verify = async (...more: string[]) => (await p.run(["verify", "o.suit", "--key", "A.jwk", ...more, "--json"])).json;
    expect(await verify("--payload", "other.bin")).toMatchObject({ ok: false, code: 78, reason: "IMAGE_MISMATCH" });
    expect(await verify("--payload", "short.bin")).toMatchObject({ ok: false, code: 92, reason: "PAYLOAD_SIZE" });
    expect(await verify("--payload", "gone.bin")).toMatchObject({ ok: false, exit: 3 });
    expect(await verify("--payload", "fw.bin", "--payload", "http://y=fw.bin")).toMatchObject({
      ok: false,
      code: 30,
      reason: "PAYLOAD_UNREFERENCED",
    });
    expect(await verify("--payload", "http://x/fw=other.bin")).toMatchObject({ code: 78 });
    // a payload that the envelope holds, changed in place
    const bad = Buffer.from(signed);
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
    p.put("bad.suit", bad);
    expect((await p.run(["verify", "bad.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({ ok: false, code: 78 });
  });
});

describe.concurrent("inspect", () => {
  it("shows an envelope on stdout, signed or not", async () => {
    const p = place();
    p.put(
      "d.json",
      description({
        text: { en: { "manifest-description": "what it is", components: [{ component: 0, "vendor-name": "Example" }] } },
        sever: ["text", "install"],
      }),
    );
    await p.ok(["create", "--from", "d.json"]);
    for (const name of ["fw.suit", "d.suit"]) {
      const tree = await p.ok(["inspect", name]);
      expect(tree.stderr).toBe("");
      expect(tree.stdout).toContain("the image must match its digest");
      const diag = await p.ok(["inspect", name, "--diag"]);
      expect(diag.stdout).toMatch(/^107\(\{/);
      expect(diag.stdout).toContain("/ manifest / 3: <<");
      const json = (await p.ok(["inspect", name, "--json"])).json;
      expect(json).toMatchObject({ ok: true, code: 0, verified: false, sequence: name === "fw.suit" ? "7" : "3", components: [["00"]] });
      expect((await p.ok(["inspect", "-", "--json"], { input: p.get(name) })).json).toEqual(json);
    }
    const json = (await p.ok(["inspect", "d.suit", "--json"])).json as { severed: unknown[]; text: object[]; signatures: unknown[] };
    expect(json.severed).toHaveLength(2);
    expect(json.signatures).toEqual([]);
    expect(json.text[0]).toMatchObject({ language: "en", "manifest-description": "what it is" });
    expectFailure(await p.run(["inspect", "fw.bin"]), 1);
  });
});

describe.concurrent("install", () => {
  const record = (p: Place) =>
    JSON.parse(p.get("dev/device.json").toString()) as {
      floor: string;
      envelope: string;
      components: { [name: string]: { slot: number; size: number } };
    };
  const installed = (p: Place) => {
    const part = record(p).components["00"] as { slot: number; size: number };
    return p.get(`dev/slots/00.${part.slot ? "b" : "a"}`).subarray(0, part.size);
  };

  it("the first use needs an identity, a later one refuses it", async () => {
    const p = place();
    const before = p.tree();
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 3);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--vendor", "example.com"]), 3);
    expect((await p.run(["install", "fw.suit", ...DEVICE, "--json"])).json).toMatchObject({
      ok: false,
      code: 201,
      reason: "ENVIRONMENT",
      exit: 3,
    });
    expect(p.tree()).toEqual(before);
    const r = await p.run(["install", "fw.suit", ...DEVICE, ...FACTS, "--json"]);
    expect(r.json).toMatchObject({
      ok: true,
      code: 0,
      reason: "OK",
      sequence: "7",
      floor: "7",
      components: [{ component: "00", slot: "b", size: 5000 }],
      signers: [{ alg: "ed25519" }],
      testKeys: [],
    });
    expect(record(p)).toMatchObject({ floor: "7" });
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    const after = p.tree();
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS]), 2);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--class", "board-v2"]), 2);
    expect(p.tree()).toEqual(after);
  });

  it("goes to the other slot, raises the floor, and takes nothing older", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const old = p.get("fw.bin");
    p.put("fw.bin", image(6000, 8));
    await signImage(p, 9, "nine.suit");
    await p.ok(["install", "nine.suit", ...DEVICE]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    expect(p.get("dev/slots/00.b").equals(old)).toBe(true);
    expect(record(p).floor).toBe("9");
    const before = p.tree();
    expect(expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 1)).toContain("lower than the lowest");
    expect((await p.run(["install", "fw.suit", ...DEVICE, "--json"])).json).toMatchObject({ ok: false, code: 38, reason: "ROLLBACK" });
    expect(p.tree()).toEqual(before);
    // the same again is no rollback
    await p.ok(["install", "nine.suit", ...DEVICE]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
  });

  it("another board, another vendor, another key: nothing changes", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const make = (name: string, vendor: string, cls: string, key = "A.pem") =>
      p.ok(["sign", "fw.bin", "--key", key, "--vendor", vendor, "--class", cls, "--seq", "8", "--out", name]);
    await make("class.suit", "example.com", "board-v3");
    await make("vendor.suit", "example.org", "board-v2");
    await make("key.suit", "example.com", "board-v2", "C.pem");
    const before = p.tree();
    const json = async (name: string, ...more: string[]) => (await p.run(["install", name, ...DEVICE, ...more, "--json"])).json;
    expect(await json("class.suit")).toMatchObject({ ok: false, code: 76, reason: "CLASS_MISMATCH", exit: 1 });
    expect(await json("vendor.suit")).toMatchObject({ ok: false, code: 75, reason: "VENDOR_MISMATCH", exit: 1 });
    expect(await json("key.suit")).toMatchObject({ ok: false, code: 60, exit: 1 });
    expect(await json("fw.suit", "--key", "B.jwk", "--threshold", "2")).toMatchObject({ ok: false, code: 62, exit: 1 });
    expect(p.tree()).toEqual(before);
  });

  it("a changed payload is refused, and what was current stays", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    await signImage(p, 8, "eight.suit");
    const bad = p.get("eight.suit");
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 0x80;
    p.put("eight.suit", bad);
    const before = record(p);
    expect((await p.run(["install", "eight.suit", ...DEVICE, "--json"])).json).toMatchObject({
      ok: false,
      code: 78,
      reason: "IMAGE_MISMATCH",
      exit: 1,
    });
    expect(record(p)).toEqual(before);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    // what failed its check is not left in the other slot
    expect(p.has("dev/slots/00.a")).toBe(false);
  });

  it("a refused first use leaves nothing behind", async () => {
    const p = place();
    const bad = Buffer.from(signed);
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
    p.put("bad.suit", bad);
    p.folder("empty");
    p.folder("full/slots");
    p.put("full/slots/mine", "kept");
    const before = p.tree();
    for (const dir of ["dev", "deep/er/dev", "empty", "full"]) {
      expectFailure(await p.run(["install", "bad.suit", "--device", dir, "--key", "A.jwk", ...FACTS]), 1);
      expectFailure(
        await p.run(["install", "fw.suit", "--device", dir, "--key", "A.jwk", "--vendor", "example.com", "--class", "other"]),
        1,
      );
    }
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--key", "C.jwk", "--threshold", "2", ...FACTS]), 1);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS, "--payload", "gone"]), 1);
    expect(p.tree()).toEqual(before);
    await p.ok(["install", "fw.suit", "--device", "deep/er/dev", "--key", "A.jwk", ...FACTS]);
  });

  it("payloads from outside: FILE, and URI=FILE where there are several", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "http://x/fw", "--out", "o.suit"]);
    expect((await p.run(["install", "o.suit", ...DEVICE, ...FACTS, "--json"])).json).toMatchObject({
      ok: false,
      code: 95,
      reason: "PAYLOAD_ABSENT",
      exit: 1,
    });
    expect(p.has("dev")).toBe(false);
    await p.ok(["install", "o.suit", ...DEVICE, ...FACTS, "--payload", "fw.bin"]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    await p.ok(["install", "o.suit", ...DEVICE, "--payload", "http://x/fw=fw.bin"]);
    p.put("other.bin", image(5000, 4));
    expect((await p.run(["install", "o.suit", ...DEVICE, "--payload", "other.bin", "--json"])).json).toMatchObject({ ok: false, code: 78 });
    expect(
      (await p.run(["install", "o.suit", ...DEVICE, "--payload", "http://other=fw.bin", "--payload", "b", "--json"])).json,
    ).toMatchObject({ ok: false, code: 30 });

    // two components, two payloads
    const part = (index: number, uri: string) => [
      { "directive-set-component-index": index },
      { "directive-override-parameters": { uri } },
      "directive-fetch",
      "condition-image-match",
    ];
    const own = (index: number, file: string) => [
      { "directive-set-component-index": index },
      {
        "directive-override-parameters": {
          "vendor-identifier": { domain: "example.com" },
          "class-identifier": { domain: "example.com", name: "board-v2" },
          image: { file },
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ];
    p.put(
      "two.json",
      JSON.stringify({
        $schema: SCHEMA,
        sequence: 2,
        components: [["boot"], ["app"]],
        "shared-sequence": [...own(0, "fw.bin"), ...own(1, "other.bin")],
        validate: [{ "directive-set-component-index": [0, 1] }, "condition-image-match"],
        install: [...part(0, "http://x/boot"), ...part(1, "http://x/app")],
      }),
    );
    await p.ok(["sign", "two.json", "--key", "A.pem"]);
    const both = ["--payload", "http://x/boot=fw.bin", "--payload", "http://x/app=other.bin"];
    await p.ok(["verify", "two.suit", "--key", "A.jwk", ...both]);
    const swapped = ["--payload", "http://x/boot=other.bin", "--payload", "http://x/app=fw.bin"];
    expectFailure(await p.run(["install", "two.suit", ...DEVICE, ...swapped]), 1);
    expectFailure(await p.run(["install", "two.suit", ...DEVICE, both[0] as string, both[1] as string]), 1);
    expect(record(p).floor).toBe("1");
    const json = (await p.run(["install", "two.suit", ...DEVICE, ...both, "--json"])).json as {
      components: { component: string; size: number }[];
    };
    expect(json.components.map((c) => c.component).sort()).toEqual(
      ["00", Buffer.from("app").toString("hex"), Buffer.from("boot").toString("hex")].sort(),
    );
    expect(record(p).floor).toBe("2");
  });

  it("an identity of a first use that was killed can be given again", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const half = { ...record(p), floor: "0", envelope: "", components: {} };
    p.put("dev/device.json", JSON.stringify(half));
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    expect(record(p).floor).toBe("7");
    p.put("dev/device.json", JSON.stringify(half));
    await p.ok(["install", "fw.suit", ...DEVICE]);
    expect(record(p).floor).toBe("7");
  });

  it("a device.json that is none", async () => {
    const p = place();
    p.folder("dev");
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"format":"firmseal-device-1","vendor":[],"class":[],"device":[],"floor":"0","capacity":1,"components":{"x":null},"envelope":""}',
    ]) {
      p.put("dev/device.json", text);
      const before = p.tree();
      expect(expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 3)).toContain("device.json");
      expect(p.tree()).toEqual(before);
    }
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS]), 3);
    p.put("file", "");
    expectFailure(await p.run(["install", "fw.suit", "--device", "file", "--key", "A.jwk", ...FACTS]), 3);
  });
});

describe.concurrent("--json gives one object on stdout, whatever happens", () => {
  const cases: { [name: string]: (p: Place) => readonly string[] } = {
    "keygen 0": () => ["keygen", "--out", "k.pem", "--no-passphrase"],
    "keygen 2": () => ["keygen", "--out", "fw.bin", "--no-passphrase"],
    "keygen 3": () => ["keygen", "--out", "gone/k.pem", "--no-passphrase"],
    "pubkey 0": () => ["pubkey", "A.pem"],
    "pubkey 2": () => ["pubkey", "fw.bin"],
    "pubkey 3": () => ["pubkey", "gone.pem"],
    "create 0": (p) => ["create", "--from", p.put("d.json", description())],
    "create 1": (p) => ["create", "--from", p.put("d.json", "{}")],
    "create 2": () => ["create"],
    "create 3": () => ["create", "--from", "gone.json"],
    "sign 0": () => ["sign", "fw.suit", "--key", "B.pem"],
    "sign 1": () => ["sign", "fw.suit", "--key", "A.pem"],
    "sign 2": () => ["sign", "fw.suit", "--key", "A.jwk"],
    "sign 3": () => ["sign", "fw.suit", "--key", "one.pem"],
    "verify 0": () => ["verify", "fw.suit", "--key", "A.pem"],
    "verify 1": () => ["verify", "fw.bin", "--key", "A.pem"],
    "verify 2": () => ["verify", "fw.suit", "--key", "fw.bin"],
    "verify 3": () => ["verify", "gone.suit", "--key", "A.pem"],
    "inspect 0": () => ["inspect", "fw.suit"],
    "inspect 1": () => ["inspect", "fw.bin"],
    "inspect 2": () => ["inspect", "fw.suit", "--diag"],
    "inspect 3": () => ["inspect", "gone.suit"],
    "install 0": () => ["install", "fw.suit", ...DEVICE, ...FACTS],
    "install 1": () => ["install", "fw.bin", ...DEVICE, ...FACTS],
    "install 2": () => ["install", "fw.suit", ...DEVICE, ...FACTS, "--bogus"],
    "install 3": () => ["install", "fw.suit", ...DEVICE],
  };
  for (const [name, args] of Object.entries(cases)) {
    it(name, async () => {
      const p = place();
      const exit = Number(name.slice(-1));
      const given = args(p);
      const r: Result = await p.run([...given, "--json"]);
      expect(r.exit, r.stderr).toBe(exit);
      const object = r.json;
      expect(r.stdout.endsWith("}\n")).toBe(true);
      if (exit === 0) {
        expect(object).toMatchObject({ ok: true, code: 0 });
        expect(words(r).filter((line) => line.startsWith("firmseal:"))).toEqual([]);
        return;
      }
      const lines = words(r);
      expect(lines).toHaveLength(2);
      expect(object).toMatchObject({
        ok: false,
        exit,
        code: expect.any(Number),
        reason: expect.stringMatching(/^[A-Z_0-9]+$/),
        message: expect.any(String),
        hint: expect.any(String),
      });
      expect(lines).toEqual([`firmseal: ${object["message"] as string}`, `hint: ${object["hint"] as string}`]);
      expect(object["code"]).not.toBe(299);
    });
  }
});

const vectors = haveVectors ? "" : " (skipped: the third-party vectors are not here)";
describe.skipIf(!haveVectors).concurrent(`the official examples from their JSON descriptions${vectors}`, () => {
  for (const [n, files] of Object.entries({
    0: ["suit/libcsuit/suit_manifest_exp0.suit"],
    1: ["suit/esp256/example1.signed.suit", "suit/libcsuit/suit_manifest_exp1.suit"],
    3: ["suit/esp256/example3.signed.suit", "suit/libcsuit/suit_manifest_exp3.suit"],
    4: [],
    5: ["suit/esp256/example5.signed.suit"],
  })) {
    it(`firmseal sign example${n}.json: every byte`, async () => {
      const p = place();
      p.put("spec.jwk", privateJwk(specKey));
      p.put("pub.raw", SPEC_P256);
      p.put(`example${n}.json`, vectorBytes(`suit/manifest-spec/example${n}.json`));
      await p.ok(["sign", `example${n}.json`, "--key", "spec.jwk", "--allow-test-key", "spec-p256"]);
      for (const file of files) expect(sha256(p.get(`example${n}.suit`)), file).toBe(sha256(vectorBytes(file)));
      p.put("official.suit", vectorBytes(`suit/manifest-spec/example${n}.signed.suit`));
      expect((await p.run(["verify", "official.suit", "--key", "pub.raw", "--json"])).json).toMatchObject({ ok: true, sequence: n });
      expect(manifestOf(p.get("official.suit"))).toBe(manifestOf(p.get(`example${n}.suit`)));
      // create and sign, one after the other
      await p.ok(["create", "--from", `example${n}.json`, "--out", "u.suit"]);
      await p.ok(["sign", "u.suit", "--key", "spec.jwk", "--allow-test-key", "spec-p256"]);
      expect(p.get("u.suit").equals(p.get(`example${n}.suit`))).toBe(true);
    });
  }

  it("severed and unsevered, of example 2, are inspected and verified", async () => {
    const p = place();
    p.put("pub.raw", SPEC_P256);
    for (const [name, present] of [
      ["example2.signed.suit", true],
      ["example2.signed.severed.suit", false],
    ] as const) {
      p.put(name, vectorBytes(`suit/manifest-spec/${name}`));
      await p.ok(["verify", name, "--key", "pub.raw"]);
      const json = (await p.ok(["inspect", name, "--json"])).json as { severed: { present: boolean }[] };
      expect(json.severed.map((s) => s.present)).toEqual([present, present]);
    }
  });
});

it("keys of the tests are no published ones", () => {
  for (const key of [keyA, keyB, keyC]) expect(testKeyName(key)).toBeUndefined();
});
