// `firmseal doctor`: a line for each thing that a release needs. Each cause is here once, and what is good beside it.

import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { privateKey } from "@firmseal/signer";
import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  expectExit,
  keyA,
  type Place,
  privateJwk,
  quicklyEncrypted,
  type Result,
  stateOf,
  words,
} from "../../../test-support/src/command-line/run.js";
import { SPEC_P256_PRIVATE } from "../../../test-support/src/vectors.js";
import { brief, copyOf, PRODUCT, released, world } from "./product-place.js";

interface Check {
  check: string;
  subject: string;
  state: string;
  what: string;
  hint: string | null;
}

const NOTHING: Check = { check: "", subject: "", state: "missing", what: "", hint: null };
const SMALL = brief(PRODUCT).replace(/\[boards\.esp32\][\s\S]*(?=\[boards\.puck\])/, "");
const TRUSTED = `${SMALL}\n[trust]\nkeys = "A.jwk"\n`;

const checksIn = (r: Result) => r.json["checks"] as Check[];

/** What doctor says, and that it has written nothing. */
async function examined(p: Place, ...more: string[]): Promise<Check[]> {
  const [tree, state] = [p.tree(), readdirSync(stateOf(p.path), { recursive: true })];
  const r = await p.run(["doctor", "--json", ...more]);
  const checks = checksIn(r);
  expect(r.exit !== 0, String(r)).toBe(checks.some(({ state }) => state === "fails"));
  expect([p.tree(), readdirSync(stateOf(p.path), { recursive: true })]).toEqual([tree, state]);
  for (const { state: one, what, hint } of checks) {
    expect(hint === null, `${one}: ${hint}`).toBe(one === "ok");
    // options have the names that they have on the command line
    expect(`${what} ${hint}`).not.toContain("`");
  }
  return checks;
}

/** The result of one check. `subject`: its subject, or a part of it. */
const found = (checks: readonly Check[], check: string, subject = ""): Check =>
  checks.find((one) => one.check === check && one.subject.includes(subject)) ?? NOTHING;

const bad = (checks: readonly Check[]) =>
  checks.filter(({ state }) => state === "fails").map(({ check, subject }) => `${check} ${subject}`);

const small = (product = SMALL): Place => {
  const p = world(product);
  p.put("A.pem", quicklyEncrypted(keyA, "secret"));
  p.put("A.pub", p.get("A.jwk"));
  return p;
};

const PASSPHRASE = ["--passphrase-env", "PASSPHRASE"];
const release = (p: Place, version: string, ...more: string[]) =>
  p.ok(["release", "--version", version, ...PASSPHRASE, ...more], { env: { PASSPHRASE: "secret" } });

let made: Place;
beforeAll(async () => {
  made = small(TRUSTED);
  await release(made, "1.0.0", "--first");
});

const copied = (): Place => copyOf(made);

describe("a product that can be released", () => {
  it("a line for each check, in the order of a release, and no question", async () => {
    const p = copied();
    const r = await p.ok(["doctor"]);
    expect(r.stdout.replace(/[0-9a-f]{16}…|\d{4}-\d\d-\d\d|\d+\.\d+\.\d+$/gm, "#").split("\n")).toEqual([
      "ok           product file firmseal.toml: gateway by example.com, puck",
      "ok           board puck: app.js",
      "ok           key A.pem: encrypted: its public key needs the passphrase",
      "not checked  public key A.pub: A.pem is encrypted",
      "             compare it with what this shows: firmseal pubkey A.pem",
      "ok           log A.pem.log: whole, entry 2 of # is the last",
      "ok           trusted key A.jwk: ed25519 #",
      "ok           role release: 1 of 1 keys must sign: A.pem",
      "ok           release dist/1.0.0: version 1.0.0 is complete and verified",
      "ok           clock of this machine: #",
      "ok           versions firmseal 0.1.0: on Node #",
      "",
    ]);
    expect(words(r)).toEqual([]);
    await p.ok(["doctor", "--fail-on", "warning"]);
    expect(bad(await examined(p))).toEqual([]);
  });

  it("without a release, a log or a folder of states, and without making one", async () => {
    const p = small();
    const env = { FIRMSEAL_STATE: p.at("state") };
    const { stdout } = await p.ok(["doctor"], { env });
    expect(stdout).toContain("log A.pem.log: not there yet: the key has signed nothing here");
    expect(stdout).toContain("releases dist: no release yet: the first one needs --first");
    expect(existsSync(p.at("state"))).toBe(false);
    await p.ok(["release", "--version", "1.0.0", "--first", ...PASSPHRASE], { env: { ...env, PASSPHRASE: "secret" } });
    expect(existsSync(p.at("state"))).toBe(true);
    await p.ok(["doctor"], { env });
  });

  it("exit code 1 with --fail-on warning, if there is one", async () => {
    const p = world(SMALL);
    const r = await p.ok(["doctor"]);
    expect(r.stdout).toMatch(/^warning {6}key A\.pem: ed25519 \S+, not encrypted: anybody who can read the file can sign\n {13}docs/m);
    const strict = expectExit(await p.run(["doctor", "--fail-on", "warning"]), 1);
    expect(words(strict)).toEqual(["firmseal: 8 checks: 1 warning", expect.stringMatching(/^hint: /)]);
    expect(expectExit(await p.run(["doctor", "--fail-on", "warning", "--json"]), 1).json).toMatchObject({ reason: "DOCTOR", code: 246 });
    expectExit(await p.run(["doctor", "--fail-on", "note"]), 2);
  });
});

describe("the product file", () => {
  it("is missing, damaged, or not text: the clock is still checked", async () => {
    const p = small();
    for (const [content, says] of [
      [undefined, "file not found"],
      ["[", "firmseal.toml:1:"],
      [SMALL.replace("vendor", "vendr"), 'unknown member "vendr"'],
      [Uint8Array.of(0xff, 0xfe), "is not UTF-8 text"],
      ["#".repeat(2 ** 20 + 1), "too large"],
    ] as const) {
      rmSync(p.at("firmseal.toml"));
      if (content !== undefined) p.put("firmseal.toml", content);
      const checks = await examined(p);
      expect(checks.map(({ check, state }) => `${check} ${state}`)).toEqual(["product file fails", "clock ok", "versions ok"]);
      expect(found(checks, "product file").what).toContain(says);
      if (content === undefined) p.put("firmseal.toml", "");
    }
    p.put("other.toml", SMALL);
    expect(bad(await examined(p, "--product", "other.toml"))).toEqual([]);
  });

  it("names images that are missing or outside, an unknown rule, and waivers that end", async () => {
    const day = (days: number) => new Date(Date.now() + days * 24 * 3600_000).toISOString().slice(0, 10);
    const waiver = (rule: string, until: string) => `\n[[policy.waivers]]\nrule = "${rule}"\nreason = "known"\nuntil = ${until}\n`;
    const p = small(`${SMALL}${waiver("L40", day(-1))}${waiver("L41", day(10))}${waiver("L01", day(400))}`);
    rmSync(p.at("app.js"));
    const checks = await examined(p);
    expect(found(checks, "board", "puck")).toMatchObject({ state: "fails", what: expect.stringContaining("no image has this name") });
    expect(found(checks, "waiver", "L40")).toMatchObject({ state: "fails", what: expect.stringContaining("has expired") });
    expect(found(checks, "waiver", "L41")).toMatchObject({ state: "warning", what: expect.stringMatching(/^ends in 10 days/) });
    expect(found(checks, "waiver", "L01")).toMatchObject({ state: "ok" });
    p.put("firmseal.toml", `${SMALL.replace("app.js", "/etc/hostname")}${waiver("L999", day(1))}`);
    const others = await examined(p);
    expect(bad(others)).toEqual(["product file firmseal.toml", "board puck"]);
    p.put("app.js", "print(1)");
    p.put("firmseal.toml", SMALL.replace("name =", 'out = "../elsewhere"\nname ='));
    expect(bad(await examined(p))).toEqual(["releases ../elsewhere"]);
    expect(bad(await examined(p, "--allow-outside", ".."))).toEqual([]);
  });
});

describe("keys", () => {
  it("missing, readable by others, behind a link, public, damaged, or a test key", async () => {
    const p = small();
    const only = async (change: () => void, says: string) => {
      p.put("A.pem", quicklyEncrypted(keyA, "secret"));
      change();
      const checks = await examined(p);
      expect(found(checks, "key", "A.pem")).toMatchObject({ state: "fails", what: expect.stringContaining(says) });
      expect(found(checks, "board", "puck").state).toBe("ok");
      expect(found(checks, "clock").state).toBe("ok");
      rmSync(p.at("A.pem"), { force: true });
    };
    await only(() => rmSync(p.at("A.pem")), "[keys] release: A.pem: file not found");
    await only(() => chmodSync(p.at("A.pem"), 0o644), "that others can read or change (mode 0644)");
    await only(() => {
      rmSync(p.at("A.pem"));
      symlinkSync("C.pem", p.at("A.pem"));
    }, "behind a symbolic link");
    await only(() => p.put("A.pem", p.get("A.jwk")), "it is a public key, and signs nothing");
    await only(() => p.put("A.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "");
    await only(() => p.put("A.pem", ""), "the file is empty");
    await only(() => p.put("A.pem", privateJwk(privateKey("es256", SPEC_P256_PRIVATE))), "is a published test key");
  });

  it("a link to an encrypted key: the log is beside the file that it leads to", async () => {
    const p = copied();
    p.folder("vault");
    for (const end of ["pem", "pem.log"]) renameSync(p.at(`A.${end}`), p.at(`vault/A.${end}`));
    symlinkSync(join("vault", "A.pem"), p.at("A.pem"));
    rmSync(p.at("A.pub"));
    expect(found(await examined(p), "log")).toMatchObject({ state: "ok", what: expect.stringContaining("whole, entry ") });
  });

  it("with another public key beside it", async () => {
    const p = world(SMALL);
    p.put("A.pub", p.get("A.jwk"));
    expect(found(await examined(p), "public key", "A.pub")).toMatchObject({ state: "ok", what: "that of A.pem" });
    p.put("A.pub", p.get("B.jwk"));
    expect(found(await examined(p), "public key", "A.pub")).toMatchObject({
      state: "fails",
      what: "it is not the public key of A.pem",
      hint: "write it again: firmseal pubkey A.pem --out A.pub",
    });
    await p.ok(["pubkey", "A.pem", "--out", "A.pub"]);
    expect(found(await examined(p), "public key", "A.pub").state).toBe("ok");
  });

  it("in a program or a token are opened only with --open-keys, and no PIN is shown", async () => {
    const p = small(SMALL.replace('"A.pem"', '["exec:./no-such-program", "pkcs11:token=a;object=b?pin-source=env:PIN", "env:KEY"]'));
    const checks = await examined(p);
    expect(found(checks, "key", "exec:")).toMatchObject({ state: "not checked", hint: expect.stringContaining("--open-keys") });
    expect(found(checks, "key", "pkcs11:")).toMatchObject({ state: "not checked", subject: "pkcs11:token=a;object=b" });
    expect(found(checks, "key", "env:KEY")).toMatchObject({ state: "fails", what: expect.stringContaining("KEY is not set") });
    expect(found(checks, "trust")).toMatchObject({ state: "warning", hint: expect.stringContaining("[trust] keys") });
    const opened = await examined(p, "--open-keys");
    expect(found(opened, "key", "exec:").state).toBe("fails");
    expect(found(opened, "key", "pkcs11:").state).toBe("fails");
    p.put("firmseal.toml", SMALL.replace('"A.pem"', '["env:KEY", "pkcs11:token=a?pin-value=1234", "fd:3"]'));
    const env = { KEY: world().get("A.pem").toString() };
    const { stdout, stderr } = await p.run(["doctor", "--open-keys"], { env });
    expect(stdout).toMatch(/^ok {11}key env:KEY: ed25519/m);
    expect(stdout).toMatch(/^fails {8}key pkcs11:…: pkcs11: pin-value/m);
    expect(stdout).toMatch(/^not checked {2}key fd:3: /m);
    expect(stdout + stderr).not.toContain("1234");
  });

  it("HSS/LMS: the leaves that are left, and a state that is missing or was restored", async () => {
    const p = world(SMALL.replace("A.pem", "one.hss"));
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "n24:5/8", "--out", "one.hss", "--no-passphrase"]);
    expect(found(await examined(p), "state")).toMatchObject({ state: "ok", what: "32 of 32 signatures are left" });
    cpSync(p.at("one.hss.state"), p.at("old.state"));
    await p.ok(["hss", "skip", "one.hss", "--to", "29"]);
    expect(found(await examined(p), "state")).toMatchObject({ state: "warning", what: "3 of 32 signatures are left" });
    cpSync(p.at("old.state"), p.at("one.hss.state"));
    expect(found(await examined(p), "state")).toMatchObject({
      state: "fails",
      hint: expect.stringContaining("firmseal hss skip one.hss --to 29"),
    });
    rmSync(p.at("one.hss.state"));
    expect(found(await examined(p), "state")).toMatchObject({ state: "fails", what: expect.stringContaining("is missing") });
    // another machine
    cpSync(p.at("old.state"), p.at("one.hss.state"));
    const { stdout } = expectExit(await p.run(["doctor"], { env: { FIRMSEAL_STATE: p.at("elsewhere") } }), 1);
    expect(stdout).toContain("this machine has never signed with the key");
    expect(p.has("elsewhere")).toBe(false);
  });
});

describe("logs and the clock", () => {
  it("a log that was changed, cut, is not a log, or is gone", async () => {
    const p = copied();
    const log = p.get("A.pem.log").toString();
    const says = async () => found(await examined(p), "log");
    p.put("A.pem.log", log.replace(/"user":"[^"]*"/, '"user":"x"'));
    expect(await says()).toMatchObject({
      state: "fails",
      what: expect.stringContaining("was changed"),
      hint: expect.stringContaining("firmseal audit A.pem"),
    });
    p.put("A.pem.log", "no log\n");
    expect(await says()).toMatchObject({ state: "fails", what: expect.stringContaining("not an entry") });
    rmSync(p.at("A.pem.log"));
    expect(await says()).toMatchObject({ state: "fails", what: expect.stringMatching(/entry 2 was seen/) });
    p.folder("A.pem.log");
    expect(await says()).toMatchObject({ state: "fails", what: expect.stringContaining("folder") });
    // on another machine, only the release shows that there was one
    rmSync(p.at("A.pem.log"), { recursive: true });
    const { stdout } = await p.ok(["doctor"], { env: { FIRMSEAL_STATE: p.at("elsewhere") } });
    expect(stdout).toMatch(/^warning {6}log A\.pem\.log: missing, and the key has signed dist\/1\.0\.0$/m);
  });

  it("a number that is ahead of the releases here, unless it is known as published", async () => {
    const p = copied();
    cpSync(p.at("dist/1.0.0"), p.at("published"), { recursive: true });
    rmSync(p.at("dist"), { recursive: true });
    expect(found(await examined(p), "numbers")).toMatchObject({ state: "warning", what: expect.stringContaining("signed version 1.0.0") });
    p.put("firmseal.toml", `${TRUSTED}\n[sequence]\nprevious = "published/release.json"\n`);
    const checks = await examined(p);
    expect(found(checks, "numbers")).toBe(NOTHING);
    expect(found(checks, "last published")).toMatchObject({ state: "ok", what: "version 1.0.0" });
    rmSync(p.at("published/release.json"));
    expect(found(await examined(p), "last published").state).toBe("fails");
  });

  it("a clock in the past, behind the log, or long after it", async () => {
    const p = copied();
    const at = async (now: number) => {
      const clock = vi.spyOn(Date, "now").mockReturnValue(now);
      return found(checksIn(await p.run(["doctor", "--json"]).finally(() => clock.mockRestore())), "clock");
    };
    expect(await at(Date.UTC(1970, 0, 2))).toMatchObject({ state: "fails", what: expect.stringContaining("1970-01-02") });
    expect(await at(Date.UTC(2025, 0, 2))).toMatchObject({
      state: "fails",
      what: expect.stringContaining("the signing log has an entry of"),
    });
    expect(await at(Date.now() + 500 * 24 * 3600_000)).toMatchObject({
      state: "fails",
      what: expect.stringMatching(/\d+ days after the last entry/),
      hint: expect.stringContaining("--allow-clock"),
    });
    // without the log, the time of the release counts
    await p.ok(["release", "--version", "1.1.0", ...PASSPHRASE], { env: { PASSPHRASE: "secret", SOURCE_DATE_EPOCH: "1780000000" } });
    rmSync(p.at("A.pem.log"));
    expect(await at(Date.UTC(2025, 0, 2))).toMatchObject({
      state: "fails",
      what: expect.stringContaining("the newest release is of 2026-05-28"),
    });
  });
});

describe("releases", () => {
  it("changed, incomplete, of a stranger, or without signatures", async () => {
    const p = copied();
    const suit = "dist/1.0.0/gateway-puck-1.0.0.suit";
    const says = async () => found(await examined(p), "release", "dist/1.0.0");
    const envelope = p.get(suit);
    p.put(suit, Buffer.concat([envelope, Buffer.of(0)]));
    expect(await says()).toMatchObject({ state: "fails", what: expect.stringContaining("has changed") });
    rmSync(p.at(suit));
    expect(await says()).toMatchObject({ state: "fails", what: expect.stringContaining("not complete") });
    p.put(suit, envelope);
    p.put("A.jwk", p.get("C.jwk"));
    expect(await says()).toMatchObject({ state: "fails" });
    p.put("dist/1.0.0/release.json", "{");
    expect(found(await examined(p), "releases", "dist")).toMatchObject({
      state: "fails",
      what: expect.stringContaining("is not the record"),
    });

    const q = small(`${SMALL.replace('release = "A.pem"', "")}\n[trust]\nkeys = ["A.jwk", "C.jwk"]\nthreshold = 2\n`);
    await q.ok(["release", "--version", "1.0.0", "--first"]);
    const checks = await examined(q);
    expect(found(checks, "release", "dist/1.0.0")).toMatchObject({
      state: "warning",
      what: "signatures are missing: puck 0 of 2",
      hint: "firmseal verify dist/1.0.0 --missing",
    });
    expect(found(checks, "role", "release")).toMatchObject({ state: "ok", what: "2 of 2 keys must sign: others sign" });
  });

  it("are not verified if the trusted key is behind a passphrase", async () => {
    const p = copied();
    p.put("firmseal.toml", SMALL);
    rmSync(p.at("A.pub"));
    const checks = await examined(p);
    expect(found(checks, "release")).toMatchObject({ state: "not checked", hint: "firmseal verify dist/1.0.0" });
    expect(found(checks, "trust").state).toBe("warning");
    rmSync(p.at("A.pem.log"));
    expect(found(await examined(p), "log")).toMatchObject({ state: "not checked", hint: expect.stringContaining("firmseal audit A.pem") });
  });
});

describe("trust", () => {
  it("keys: damaged, encrypted, too few, not those that sign", async () => {
    const p = small(TRUSTED);
    p.put("A.jwk", "{");
    expect(found(await examined(p), "trusted key")).toMatchObject({ state: "fails" });
    p.put("A.jwk", p.get("A.pem"));
    expect(found(await examined(p), "trusted key")).toMatchObject({ state: "fails", what: "it is an encrypted private key" });
    p.put("A.jwk", p.get("C.jwk"));
    expect(found(await examined(p), "role", "release")).toMatchObject({ state: "fails", what: "A.pem is not among the trusted keys" });
    p.put("firmseal.toml", TRUSTED.replace('"A.jwk"', '["C.jwk", "C.jwk"]\nthreshold = 2'));
    const checks = await examined(p);
    expect(found(checks, "threshold")).toMatchObject({ state: "fails", what: "2 keys must sign, and [trust] keys has 1 different ones" });
    p.put("firmseal.toml", TRUSTED.replace('"A.jwk"', '["A.pub", "C.jwk"]\nthreshold = 2'));
    expect(found(await examined(p), "role")).toMatchObject({ state: "fails", what: "[keys] has 1 of the 2 keys that must sign" });
  });

  const anchors = (until: string) => [
    { key: "B.jwk", roles: ["root"] },
    { key: "A.pub", roles: ["release"], until },
    { key: "C.jwk", roles: ["debug"] },
  ];

  /** A product with a trust file in which A is a release key up to a number. */
  async function withTrustFile(p: Place, until: string): Promise<void> {
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "gateway",
      sequence: "1",
      anchors: anchors(until),
      thresholds: { root: 1, release: 1, debug: 1 },
    };
    p.put("fleet.json", JSON.stringify(list));
    rmSync(p.at("fleet.trust"), { force: true });
    await p.ok(["trust", "create", "--from", "fleet.json"]);
    await p.ok(["trust", "sign", "fleet.trust", "--key", "B.pem", "--allow-sequence-reuse", "--allow-no-previous-trust"]);
    p.put("firmseal.toml", `${SMALL}\n[trust]\nfile = "fleet.trust"\nroot = "B.jwk"\n`);
  }
  const number = (version: [number, number, number]) =>
    String(version.reduce((n, part) => (n << 16n) | BigInt(part), 0n) * 65536n + 32768n);

  it("a trust file: pinned or not, damaged, missing, and when its keys end", async () => {
    const p = copied();
    await withTrustFile(p, number([9, 0, 0]));
    const checks = await examined(p);
    expect(bad(checks)).toEqual([]);
    expect(found(checks, "trust file").what).toBe("gateway, sequence number 1, 3 keys");
    expect(found(checks, "role")).toMatchObject({ state: "ok", what: "1 of 1 keys must sign, none may be lost: A.pem" });
    expect(found(checks, "end of key")).toMatchObject({ state: "ok", what: "counts up to version 9.0.0; the last is version 1.0.0" });
    expect(found(checks, "release").what).toBe("version 1.0.0 is complete and verified");
    await withTrustFile(p, number([1, 0, 7]));
    expect(found(await examined(p), "end of key").state).toBe("warning");
    await withTrustFile(p, number([1, 0, 0]));
    expect(found(await examined(p), "end of key").state).toBe("fails");
    p.put("firmseal.toml", `${SMALL}\n[trust]\nfile = "fleet.trust"\n`);
    const unpinned = await examined(p);
    expect(found(unpinned, "trust file")).toMatchObject({ state: "warning", what: expect.stringContaining("no root is given") });
    expect(found(unpinned, "release").state).toBe("not checked");
    p.put("firmseal.toml", `${SMALL}\n[trust]\nfile = "fleet.trust"\nroot = "C.jwk"\n`);
    expect(found(await examined(p), "trust file")).toMatchObject({
      state: "fails",
      what: expect.stringContaining("not signed by every key"),
    });
    p.put("fleet.trust", p.get("fleet.trust").subarray(0, 40));
    expect(found(await examined(p), "trust file").state).toBe("fails");
    rmSync(p.at("fleet.trust"));
    expect(found(await examined(p), "trust file")).toMatchObject({ state: "fails", what: expect.stringContaining("file not found") });
  });

  it("a key with another role, a root, and a key that was moved", async () => {
    const p = copied();
    await withTrustFile(p, number([9, 0, 0]));
    const key = (name: string) =>
      p.put(
        "firmseal.toml",
        p
          .get("firmseal.toml")
          .toString()
          .replace(/release = ".*"/, `release = "${name}"`),
      );
    key("C.pem");
    expect(found(await examined(p), "role")).toMatchObject({
      state: "fails",
      what: expect.stringContaining("C.pem has the role debug in fleet.trust, not release"),
    });
    key("B.pem");
    expect(found(await examined(p), "role").state).toBe("fails");
    p.put("firmseal.toml", `${SMALL.replace("A.pem", "B.pem")}`);
    expect(found(await examined(p), "role")).toMatchObject({ state: "fails", what: expect.stringContaining("as a root") });
    p.put("firmseal.toml", `${SMALL}`);
    await p.ok(["keys", "move", "A.pem", "C.pem", ...PASSPHRASE], { env: { PASSPHRASE: "secret" } });
    expect(found(await examined(p), "role")).toMatchObject({ state: "fails", what: expect.stringContaining("continues its numbers") });
  });

  it("a key that has signed files for other tools", async () => {
    const p = small(SMALL);
    p.keepsLogs = true;
    p.put("notes.txt", "notes");
    rmSync(p.at("firmseal.toml"));
    await p.ok(["sign", "notes.txt", "--format", "minisign", "--key", "A.pem", ...PASSPHRASE], { env: { PASSPHRASE: "secret" } });
    p.put("firmseal.toml", SMALL);
    expect(found(await examined(p), "role")).toMatchObject({ state: "fails", what: expect.stringContaining("signs signature files") });
  });

  it("a product whose people sign elsewhere", async () => {
    const p = small(TRUSTED.replace('release = "A.pem"', ""));
    expect(found(await examined(p), "role")).toMatchObject({
      state: "warning",
      hint: expect.stringContaining("firmseal release --unsigned"),
    });
  });

  it("a product that names no key at all", async () => {
    const p = small(SMALL.replace('release = "A.pem"', ""));
    expect(found(await examined(p), "role")).toMatchObject({ state: "fails", what: expect.stringContaining("names no release key") });
  });
});

it("a number that two logs have is found", async () => {
  const p = world(`${SMALL.replace('"A.pem"', '["A.pem", "C.pem"]')}\n[trust]\nkeys = ["A.jwk", "C.jwk"]\n`);
  await released(p, "1.0.0", "--first", "--key", "A.pem");
  p.put("app.js", "print(2)\n");
  rmSync(p.at("dist"), { recursive: true });
  await released(p, "1.0.0", "--first", "--key", "C.pem");
  expect(found(await examined(p), "logs")).toMatchObject({ state: "fails", what: expect.stringContaining("was used twice") });
});
