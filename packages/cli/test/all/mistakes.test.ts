// Slips of the hand, and releases that are signed well and would fail in the field.

import { spawnSync } from "node:child_process";
import { chmodSync, statSync, truncateSync } from "node:fs";
import { toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { thisProcess } from "../../../keys/src/locks/process.js";
import {
  bin,
  DEVICE,
  expectExit,
  expectFailure,
  FACTS,
  image,
  keyB,
  type Place,
  signImage,
  standard,
  stateOf,
} from "../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason } from "../../../test-support/src/command-line/terminal.js";
import { AT_LENGTH, LONG } from "../../../test-support/src/environment/effort.js";

const SCHEMA = "urn:firmseal:manifest:1";
const UUID_A = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
const UUID_B = "7ef25e26-57d5-563d-bec7-161eb72060bb";

/** A release of one component by its commands. */
async function described(p: Place, commands: object, ...more: string[]): Promise<string> {
  p.put("d.json", JSON.stringify({ $schema: SCHEMA, sequence: 3, components: [[{ hex: "00" }]], ...commands }));
  const r = await p.ok(["sign", "d.json", "--key", "A.pem", "--out", "d.suit", ...more]);
  return r.stderr;
}

const identify = (vendor: string, classId: string) => [
  { "directive-override-parameters": { "vendor-identifier": vendor, "class-identifier": classId } },
  "condition-vendor-identifier",
  "condition-class-identifier",
];
const fetched = (uri: string) => [{ "directive-override-parameters": { uri, image: { payload: uri } } }, "directive-fetch"];

describe("a slip", () => {
  it("does not cost a key, an image or a description", async () => {
    const p = standard();
    p.put("app.bin", image(100));
    p.put("other.pem", p.get("B.pem"));
    p.put("other.jwk", JSON.stringify(toPrivateJwk(keyB)));
    p.put("k.hss.state", "firmseal hss state 1\n");
    const before = p.tree();
    for (const out of ["A.pem", "fw.bin", "other.pem", "app.bin"]) {
      expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", out]), 2);
    }
    for (const more of [
      ["--image-out", "A.pem"],
      ["--image-out", "fw.bin"],
      ["--image-out", "other.pem"],
      ["--image-out", "other.jwk"],
      ["--image-out", "k.hss.state"],
      ["--image-out", "x", "--out", "x"],
      ["--image-out", "-", "--out", "-"],
      ["--image-out", "-", "--json"],
    ])
      expectExit(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", ...more]), 2);
    expect(p.tree()).toEqual(before);
  });

  it("in an identity is not signed as another one", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    for (const [vendor, classId] of [
      ["", "board"],
      ["example.com", ""],
      ["example.com ", "board"],
      ["https://example.com", "board"],
      ["example.com", "7ef25e26-57d5-563d-bec7-161eb72060b"],
      [UUID_A, "board"],
    ] as const) {
      expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", "--vendor", vendor, "--class", classId, "--seq", "1"]), 2);
      expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--vendor", vendor, "--class", classId]), 2);
    }
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", UUID_A, "--class", UUID_B, "--seq", "1"]);
  });

  it("in the name of a test key is reported, once the key itself is not a test key", async () => {
    const p = standard();
    expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--allow-test-key", "nonsense"]), 2);
  });

  it("of a file that is not an envelope is reported as such, whatever its bytes are in CBOR", async () => {
    const p = standard();
    for (const first of [0xbf, 0xf7, 0x7f, 0xa9, 0x00, 0xff]) {
      p.put("x.bin", Uint8Array.of(first, 0x7f, 0xff, 0x12, 0x34));
      expect(expectFailure(await p.run(["verify", "x.bin", "--key", "B.jwk"]), 1)).toContain("not a SUIT envelope");
    }
  });

  it("of a file of another kind is named, with what to give", async () => {
    const p = standard();
    p.put("A.pem.log", `{"v":1,"n":1}\n`);
    p.put("release.json", JSON.stringify({ $schema: "urn:firmseal:release:1" }));
    p.put("package.json", "{}");
    const failed = async (exit: number, ...args: string[]) => {
      const r = await p.run(args);
      expectFailure(r, exit);
      return r.stderr;
    };
    expect(await failed(2, "sign", "A.pem.log", "--key", "A.pem", ...FACTS, "--seq", "2")).toBe(
      "firmseal: A.pem.log is a signing log, not an image\nhint: name the image, the description or the envelope\n",
    );
    expect(await failed(1, "verify", "release.json", "--key", "A.jwk")).toContain(
      "not a SUIT envelope\nhint: this is the record of a release: give an envelope beside it",
    );
    expect(await failed(2, "sign", "release.json", "--key", "A.pem")).toContain(
      "release.json is the record of a release, not an image\nhint: name the image, the description or the envelope",
    );
    expect(await failed(1, "create", "--from", "release.json")).toContain(
      'release.json: /$schema: it is "urn:firmseal:release:1"; that of a description is "urn:firmseal:manifest:1"',
    );
    expect(await failed(1, "sign", "package.json", "--key", "A.pem")).toContain(
      'package.json: /$schema: missing; that of a description is "urn:firmseal:manifest:1"',
    );
  });

  it("of vendor and class in each other's place causes a warning, and an unusual name does not", async () => {
    const p = standard();
    const sign = (vendor: string, name: string) =>
      p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", vendor, "--class", name, "--seq", "1", "--out", `${vendor}.suit`]);
    expect((await sign("board-v2", "example.com")).stderr).toContain(
      "warning: --class example.com is a domain, and --vendor board-v2 is not: are they swapped?",
    );
    for (const [vendor, name] of [
      ["example.com", "board.v2"],
      ["acme", "board.v2"],
      ["example.org", "example.com"],
    ] as const)
      expect((await sign(vendor, name)).stderr).not.toContain("warning");
  });

  it("of a description that holds a secret does not show it", async () => {
    const p = standard();
    p.put("secret.json", "hunter2-is-my-passphrase");
    const r = await p.run(["create", "--from", "secret.json"]);
    expect(expectFailure(r, 1)).not.toContain("hunter2");
  });
});

describe("a release that no device accepts", () => {
  it.each([
    ["vendor and class are not checked", { install: fetched("#f") }, "IDENTITY_UNCHECKED"],
    [
      "there is no digest",
      {
        "shared-sequence": identify(UUID_A, UUID_B),
        install: [{ "directive-override-parameters": { uri: "coap://a/b" } }, "directive-fetch"],
      },
      "DIGEST_UNSET",
    ],
    [
      "the installation starts an image",
      { "shared-sequence": identify(UUID_A, UUID_B), install: ["directive-invoke"] },
      "INVOKE_MISPLACED",
    ],
  ])("is signed and verified with an override only: %s", async (_, commands, name) => {
    const p = standard();
    const payloads = JSON.stringify(commands).includes("#f") ? { payloads: { "#f": "abc" } } : {};
    expect(await described(p, { ...commands, ...payloads }, "--allow-no-device")).toContain(name);
    const verify = ["verify", "d.suit", "--key", "A.jwk", "--without-payloads"];
    expect(expectFailure(await p.run(verify), 1)).toContain(name);
    expect((await p.ok([...verify, "--allow-no-device"])).stderr).toContain(name);
    expect(expectFailure(await p.run(["sign", "d.json", "--key", "A.pem", "--out", "e.suit"]), 1)).toContain(name);
  });

  it("for two boards is checked as each of them", async () => {
    const p = standard();
    const board = (classId: string, uri: string) => [...identify(UUID_A, classId), ...fetched(uri), "condition-image-match"];
    const both = {
      install: [{ "directive-try-each": [board(UUID_A, "#a"), board(UUID_B, "#b")] }],
      validate: [{ "directive-try-each": [identify(UUID_A, UUID_A), identify(UUID_A, UUID_B)] }],
      payloads: { "#a": "image for a", "#b": "image for b" },
    };
    expect(await described(p, both)).not.toContain("warning");
    expect((await p.ok(["verify", "d.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({ payloadsChecked: ["#a", "#b"] });
  });

  it("that fetches only what is not there yet is checked", async () => {
    const p = standard();
    const shared = [...identify(UUID_A, UUID_B), { "directive-override-parameters": { image: { payload: "#f" } } }];
    const install = [
      { "directive-try-each": [["condition-image-match"], [{ "directive-override-parameters": { uri: "#f" } }, "directive-fetch"]] },
    ];
    const all = { "shared-sequence": shared, install, payloads: { "#f": "abc" } };
    expect(await described(p, { ...all, validate: ["condition-image-match"] })).not.toContain("warning");
  });

  it("whose URI is in the shared sequence has its payload checked", async () => {
    const p = standard();
    p.put("app.bin", image(10));
    const shared = [...identify(UUID_A, UUID_B), { "directive-override-parameters": { uri: "http://a/b", image: { file: "app.bin" } } }];
    await described(p, { "shared-sequence": shared, install: ["directive-fetch"], validate: ["condition-image-match"] });
    expect((await p.ok(["verify", "d.suit", "--key", "A.jwk", "--without-payloads", "--json"])).json).toMatchObject({
      payloadsNotChecked: ["http://a/b"],
    });
    await p.ok(["verify", "d.suit", "--key", "A.jwk", "--payload", "app.bin"]);
    p.put("app.bin", image(10, 2));
    expectFailure(await p.run(["verify", "d.suit", "--key", "A.jwk", "--payload", "app.bin"]), 1);
  });
});

describe("a large file", () => {
  const reason = AT_LENGTH || terminalReason;

  it.skipIf(!LONG || !hasTerminal)(`shows the progress of hashing on a terminal, and nowhere else${reason}`, async () => {
    const p = standard();
    // long enough for the first half second, in which nothing is shown, to pass
    p.put("big.bin", "");
    truncateSync(p.at("big.bin"), 1_500_000_000);
    const args = ["sign", "big.bin", "--key", "A.pem", ...FACTS, "--seq", "1"];
    const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ");
    const terminal = spawnSync("script", ["-qec", command, "/dev/null"], {
      cwd: p.path,
      env: { ...process.env, FIRMSEAL_STATE: stateOf(p.path) },
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(terminal.status, String(terminal.stdout)).toBe(0);
    const shares = [...terminal.stdout.matchAll(/\rhashing big\.bin \[#*\.*\] (\d+) %/g)].map((m) => Number(m[1]));
    expect(shares.length).toBeGreaterThan(2);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    // and it is gone when the work is done
    expect(terminal.stdout).toContain("\r\x1b[K");
    expect((await p.ok(args)).stderr).not.toContain("hashing");
  });
});

describe("two installations on one device", () => {
  const big = image(20_000_000);

  it("do not run at once: the second ends with a message, and the first is not disturbed", async () => {
    const p = standard();
    p.put("big.bin", big);
    await p.ok(["sign", "big.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "one.suit"]);
    await signImage(p, 2, "two.suit");
    await p.ok(["install", "two.suit", ...DEVICE, ...FACTS]);
    await p.ok(["sign", "big.bin", "--key", "A.pem", ...FACTS, "--seq", "3", "--out", "three.suit"]);
    // the lock of a process that is there, though it is another one: this test
    p.put("dev/device.lock", JSON.stringify({ ...thisProcess(), nonce: "1".repeat(24) }));
    const before = p.tree();
    expect(expectFailure(await p.run(["install", "three.suit", ...DEVICE, "--payload", "big.bin"]), 3)).toContain(
      "another installation is running",
    );
    expect(p.tree()).toEqual(before);
  });

  it("leave one whole release, whichever way they meet, and the floor goes up only", async () => {
    const p = standard();
    p.put("big.bin", big);
    await signImage(p, 1, "first.suit");
    await p.ok(["install", "first.suit", ...DEVICE, ...FACTS]);
    await p.ok(["sign", "big.bin", "--key", "A.pem", ...FACTS, "--seq", "2", "--out", "slow.suit"]);
    await signImage(p, 3, "fast.suit");
    const results = await Promise.all([
      p.run(["install", "slow.suit", ...DEVICE, "--payload", "big.bin"]),
      ...Array.from({ length: 4 }, () => p.run(["install", "fast.suit", ...DEVICE])),
    ]);
    for (const r of results) expect([0, 1, 3], String(r)).toContain(r.exit);
    expect(results.some((r) => r.exit === 0)).toBe(true);
    await p.ok(["install", "fast.suit", ...DEVICE]);
    const record = JSON.parse(p.get("dev/device.json").toString());
    expect(record.floor).toBe("3");
    expect(p.get(`dev/slots/00.${record.components["00"].slot === 0 ? "a" : "b"}`).equals(p.get("fw.bin"))).toBe(true);
    expect(p.has("dev/device.lock")).toBe(false);
  });

  it("do not wait for a killed process", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    // no process has this number: Linux ends at 2^22
    p.put("dev/device.lock", JSON.stringify({ ...thisProcess(), pid: 2 ** 22 + 1, nonce: "1".repeat(24) }));
    await p.ok(["install", "fw.suit", ...DEVICE]);
    expect(p.has("dev/device.lock")).toBe(false);
    // nobody can say whose this one is
    p.put("dev/device.lock", "no note");
    const r = await p.run(["install", "fw.suit", ...DEVICE]);
    expect(expectFailure(r, 3)).toContain("another installation is running");
    expect(r.stderr).toContain("dev/device.lock");
  });
});

describe("what is replaced", () => {
  it("keeps its mode", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    chmodSync(p.at("fw.suit"), 0o600);
    await p.ok(["sign", "fw.suit", "--key", "B.pem"]);
    expect(statSync(p.at("fw.suit")).mode & 0o777).toBe(0o600);
  });

  it("has the x of a test key refused under its other y as well", async () => {
    const { privateKey, testKeyName } = await import("@firmseal/signer");
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const d = BigInt("0x0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973");
    const scalar = (value: bigint) => new Uint8Array(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
    expect(testKeyName(privateKey("es256", scalar(d)))).toBe("spec-p256");
    expect(testKeyName(privateKey("es256", scalar(n - d)))).toBe("spec-p256");
    expect(testKeyName(keyB)).toBeUndefined();
  });
});
