// sign --format mcuboot and esp32: images of boot loaders, with their security counters and versions in the log.

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { BOOT_FORMATS } from "@firmseal/formats";
import { describe, expect, it } from "vitest";
import { espImage } from "../../../formats/test/esp32/compose.js";
import { expectFailure, FACTS, type Place } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { bootFormats } from "../../src/common/options.js";
import { ONE, place } from "../all/command-place.js";

async function bootPlace(): Promise<Place> {
  const p = place();
  p.keepsLogs = true;
  await p.ok(["keygen", "--alg", "es256", "--no-passphrase", "--out", "E.pem"]);
  await p.ok(["pubkey", "E.pem", "--format", "jwk", "--out", "E.jwk"]);
  p.put("esp.bin", espImage({ chip: 16 }));
  return p;
}

/** A command line: an MCUboot image, from a binary. Later options replace the ones here. */
function make(key: string, ...more: string[]): string[] {
  const own = ["--key", `${key}.pem`, ...FACTS, "--version", "1.4.2", "--seq", "7", "--header-size", "0x200"];
  const kept = own.filter((_, i) => !more.includes(own[i - (i % 2)] as string));
  return ["sign", "fw.bin", "--format", "mcuboot", "--pad-header", ...kept, ...more];
}
const esp = (...more: string[]) => ["sign", "esp.bin", "--format", "esp32", "--key", "E.pem", ...FACTS, ...more];
/** It begins with counter 7. */
const JUMP = "--allow-sequence-jump";

const lines = (p: Place, key: string) => (p.has(`${key}.pem.log`) ? p.get(`${key}.pem.log`).toString().trim().split("\n") : []);

it("has the formats of images", () => {
  expect(bootFormats).toEqual(BOOT_FORMATS.map(({ name }) => name));
});

describe.each(["A", "E"])("an MCUboot image, by %s", (key) => {
  it("is made from a binary, entered in the log with its counter and version, and verified", async () => {
    const p = await bootPlace();
    const { json } = await p.ok([...make(key, "--slot-size", "0x10000"), "--json"]);
    const { thumbprint } = (await p.ok(["pubkey", `${key}.pem`, "--json"])).json as { thumbprint: string };
    expect(json).toMatchObject({ out: "fw.signed.bin", format: "mcuboot", sequence: "7", version: "1.4.2", signers: [{ thumbprint }] });
    expect(json["bytes"]).toBe(p.get("fw.signed.bin").length);
    const [line, ...others] = lines(p, key);
    expect(others).toEqual([]);
    const entry = JSON.parse(line as string);
    expect(entry).toMatchObject({
      operation: "sign",
      key: thumbprint,
      sequence: "7",
      version: "1.4.2",
      scope: [expect.stringMatching(/^mcuboot:[0-9a-f-]{36}\/[0-9a-f-]{36}$/)],
    });
    const verified = await p.ok(["verify", "fw.signed.bin", "--key", `${key}.jwk`, "--json"]);
    expect(verified.json).toMatchObject({ ok: true, version: "1.4.2", file: { format: "mcuboot", counter: 7 }, signers: [{ thumbprint }] });
    expect((await p.ok(["audit", `${key}.pem`])).stdout).toContain("mcuboot:");
    // the same image may be signed again; the name says it is not overwritten by mistake
    expect((await p.run(make(key))).stderr).toMatch(/fw\.signed\.bin exists\nhint: .*--replace/);
    await p.ok(make(key, "--replace"));
    expect(lines(p, key)).toHaveLength(2);
  });

  it("is refused for a changed image", async () => {
    const p = await bootPlace();
    await p.ok(make(key));
    const bytes = p.get("fw.signed.bin");
    bytes[0x200] = (bytes[0x200] as number) ^ 1;
    p.put("fw.signed.bin", bytes);
    expect((await p.run(["verify", "fw.signed.bin", "--key", `${key}.jwk`, "--json"])).json).toMatchObject({
      reason: "MCUBOOT_HASH",
      exit: 1,
    });
  });
});

describe("the log", () => {
  it.each([
    [["--version", "1.4.3", "--seq", "6"], "security counter 6 is lower than 7", "--allow-lower-sequence"],
    [["--version", "1.4.1"], "version 1.4.1 is lower than 1.4.2", "--allow-lower-sequence"],
    [["--header-size", "0x400"], "version 1.4.2 was signed for another image", "--allow-sequence-reuse"],
    [["--version", "1.4.3", "--seq", "4294967295"], "the last one", "--allow-sequence-jump"],
    [["--version", "1.4.3", "--seq", "40000000"], "more than 2^25 higher", "--allow-sequence-jump"],
  ])("refuses %j after counter 7 and version 1.4.2, unless a person allows it", async (more, words, option) => {
    const p = await bootPlace();
    await p.ok(make("E"));
    const next = make("E", ...more, "--out", "next.bin");
    const { exit, stderr } = await p.run(next);
    expect([exit, stderr]).toEqual([1, expect.stringContaining(words)]);
    expect(stderr).toContain(option);
    expect([p.has("next.bin"), lines(p, "E").length]).toEqual([false, 1]);
    await p.ok([...next, option]);
    expect(JSON.parse(lines(p, "E")[1] as string)).toMatchObject({ overrides: [option.slice(2)] });
  });

  it("counts each kind of device by itself, and those of a board together", async () => {
    const p = await bootPlace();
    p.put(
      "firmseal.toml",
      'name = "p"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n[trust]\nkeys = "A.jwk"\n[boards.b]\nimage = "fw.bin"\nclass = "board"\nrevisions = ["v2", "v3"]\n',
    );
    await p.ok(make("E"));
    const board = (...more: string[]) => make("E", "--board", "b", ...more).filter((word) => !(FACTS as readonly string[]).includes(word));
    const refused = await p.run(board("--seq", "6", "--version", "1.0.0", "--out", "b.bin"));
    expect(expectFailure(refused, 1)).toContain("security counter 6 is lower than 7");
    await p.ok(make("E", "--class", "board-v3", "--seq", "3", "--version", "0.9.0", "--out", "v3.bin"));
    await p.ok(board("--version", "1.4.3", "--out", "b.bin"));
    expect(JSON.parse(lines(p, "E")[2] as string).scope).toHaveLength(2);
    // and a key of the product signs none
    expect((await p.run([...make("A", "--out", "x.bin"), "--json"])).json).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
    expect((await p.run(board("--out", "c.bin").map((word) => (word === "b" ? "c" : word)))).stderr).toContain('no board "c"');
  });

  it("knows what a key is for, even after it was lost", async () => {
    const p = await bootPlace();
    await p.ok(make("A"));
    const others = [
      ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "9", "--out", "x.suit"],
      ["sign", "fw.bin", "--key", "A.pem", "--format", "minisign", "--out", "x.sig"],
      ["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "9", "--out", "x.tbs", "--envelope-out", "x.suit"],
      ["approve", "fw.suit", "--key", "A.pem", "--out", "x.approval"],
    ];
    const refused = async () => {
      for (const one of others) expect((await p.run([...one, "--json"])).json, one[0]).toMatchObject({ reason: "KEY_ROLE", exit: 1 });
    };
    await refused();
    rmSync(p.at("A.pem.log"));
    expect((await p.run([...make("A", "--out", "x.bin"), "--json"])).json).toMatchObject({ reason: "LOG", exit: 3 });
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    await refused();
    expect((await p.run([...make("A", "--seq", "6", "--version", "1.4.3", "--out", "x.bin"), "--json"])).json).toMatchObject({
      reason: "SEQUENCE",
    });
    // nor does a key of manifests or files sign an image
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "9", "--out", "b.suit"]);
    await p.ok(["sign", "fw.bin", "--key", "C.pem", "--format", "minisign", "--out", "c.sig"]);
    for (const key of ["B", "C"])
      expect((await p.run([...make(key, "--out", "x.bin"), "--json"])).json).toMatchObject({ reason: "KEY_ROLE" });
    expect(p.has("x.bin")).toBe(false);
  });

  it("gives the numbers of a key to the next one, which alone signs then", async () => {
    const p = await bootPlace();
    await p.ok(make("A"));
    await p.ok(["keys", "move", "A.pem", "C.pem"]);
    expect((await p.run([...make("A", "--version", "1.4.3", "--out", "x.bin"), "--json"])).json).toMatchObject({ reason: "KEY_ROLE" });
    expect((await p.run([...make("C", "--seq", "6", "--version", "1.4.3", "--out", "x.bin"), "--json"])).json).toMatchObject({
      reason: "SEQUENCE",
    });
    await p.ok(make("C", "--version", "1.4.3", "--out", "x.bin"));
  });
});

describe("several keys", () => {
  it("are refused together if one of them has signed more, and none gets an entry", async () => {
    const p = await bootPlace();
    await p.ok(make("A", "--version", "9.0.0", "--seq", "9"));
    // a new key signs an old image, and must not take the other one with it
    await p.ok(make("E", "--version", "1.0.0", "--seq", "1", "--out", "old.bin"));
    const both = make("E", "--version", "1.0.0", "--seq", "1", "--out", "x.bin");
    expect(expectFailure(await p.run([...both, "--key", "A.pem"]), 1)).toContain("security counter 1 is lower than 9");
    expect([lines(p, "A").length, lines(p, "E").length]).toEqual([1, 1]);
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "9", "--out", "b.suit"]);
    const { json } = await p.run([...make("C", "--out", "x.bin"), "--key", "B.pem", "--json"]);
    expect([json["reason"], p.has("x.bin"), lines(p, "C").length]).toEqual(["KEY_ROLE", false, 0]);
  });

  it("sign no manifest with a lower number because one of them has", async () => {
    const p = await bootPlace();
    const suit = (key: string, seq: string, out: string) => ["sign", "fw.bin", "--key", `${key}.pem`, ...FACTS, "--seq", seq, "--out", out];
    await p.ok(suit("A", "9", "nine.suit"));
    await p.ok(suit("B", "1", "one.suit"));
    expect(expectFailure(await p.run([...suit("B", "1", "x.suit"), "--key", "A.pem"]), 1)).toContain("sequence number 1 is lower than 9");
    await p.ok(["keys", "move", "B.pem", "A.pem"]);
    expect(expectFailure(await p.run(suit("A", "1", "x.suit")), 1)).toContain("sequence number 1 is lower than 9");
    expect(lines(p, "A")).toHaveLength(2);
    // nor a lower version, or a number that leaves no room
    for (const [out, seq, version, words] of [
      ["v", "10", "2.0.0", ""],
      ["lower", "11", "1.0.0", "version 1.0.0 is lower than 2.0.0"],
      ["far", "1099511627776", "3.0.0", "more than 2^32 higher"],
    ] as const) {
      const command = (key: string) => [...suit(key, seq, `${key}-${out}.suit`), "--version", version];
      if (words !== "") {
        await p.ok(["keygen", "--no-passphrase", "--out", `${out}.pem`]);
        await p.ok(command(out));
        expect(expectFailure(await p.run([...command(out), "--key", "A.pem", "--replace"]), 1)).toContain(words);
      } else await p.ok(command("A"));
    }
    // what it has signed itself, it may sign again
    await p.ok(suit("A", "9", "again.suit"));
  });
});

describe("one log of several keys", () => {
  const suit = (key: string, seq: string, out: string) => [
    "sign",
    "fw.bin",
    "--key",
    `${key}.pem`,
    ...FACTS,
    "--seq",
    seq,
    "--out",
    out,
    "--log",
    "team.log",
  ];
  const again = (key: string, ...more: string[]) => ["sign", "five.suit", "--key", `${key}.pem`, "--log", "team.log", ...more];

  it("lets a person sign second, who has signed nothing higher", async () => {
    const p = await bootPlace();
    await p.ok(suit("A", "5", "five.suit"));
    await p.ok(suit("A", "6", "six.suit"));
    await p.ok(again("B"));
    // and a third one together with the first
    await p.ok(again("C"));
  });

  it("does not speak for the key of another person, or for one that continues its numbers", async () => {
    const p = await bootPlace();
    await p.ok(suit("A", "5", "five.suit"));
    await p.ok(suit("B", "10", "ten.suit"));
    expect(expectFailure(await p.run(again("B")), 1)).toContain("sequence number 5 is lower than 10");
    await p.ok(["keys", "move", "B.pem", "C.pem", "--log", "team.log"]);
    expect(expectFailure(await p.run(again("C")), 1)).toContain("sequence number 5 is lower than 10");
    await p.ok(again("C", "--allow-lower-sequence"));
  });
});

describe("several signatures", () => {
  it("are by several keys at once, or one after the other with --add", async () => {
    const p = await bootPlace();
    await p.ok([...make("E", "--out", "two.bin"), "--key", "B.pem"]);
    expect((await p.ok(["verify", "two.bin", "--key", "E.jwk", "--key", "B.jwk", "--json"])).json["signers"]).toHaveLength(2);
    await p.ok(make("E", "--out", "one.bin"));
    const second = ["sign", "one.bin", "--format", "mcuboot", "--key", "B.pem", ...FACTS, "--out", "both.bin"];
    const { exit, stderr } = await p.run(second);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(/one\.bin has signatures, by ecdsa-p256-sha256, key hash [0-9a-f]{16}….*\nhint: .*--add/),
    ]);
    expect(p.has("both.bin")).toBe(false);
    await p.ok([...second, "--add"]);
    expect(p.get("both.bin")).toHaveLength(p.get("two.bin").length);
    const again = await p.run([...second.slice(0, 5), "E.pem", ...FACTS, "--out", "x.bin", "--add", "--json"]);
    expect(again.json).toMatchObject({ reason: "FORMAT_ALREADY_SIGNED", exit: 1 });
    expect((await p.run([...make("E", "--out", "x.bin"), "--key", "E.pem", "--json"])).json).toMatchObject({ reason: "ALREADY_SIGNED" });
    await p.ok(make("E", "--version", "1.4.3", "--slot-size", "0x10000", "--pad", "test", "--out", "padded.bin"));
    expect(expectFailure(await p.run(["sign", "padded.bin", ...second.slice(2, 6), ...FACTS, "--out", "x.bin", "--add"]), 2)).toContain(
      "fills its slot",
    );
    // one that would keep the image from starting
    const broken = p.get("one.bin");
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1;
    p.put("one.bin", broken);
    const before = p.tree();
    expect((await p.run([...second.slice(0, 5), "B.pem", ...FACTS, "--out", "x.bin", "--add"])).exit).toBe(0);
    expect((await p.run(["verify", "x.bin", "--key", "E.jwk", "--json"])).json).toMatchObject({ reason: "FORMAT_SIGNATURE" });
    expect(p.tree()).not.toEqual(before);
  });
});

describe("whosigned", () => {
  it("names the known keys that signed an image, and fails for another one", async () => {
    const p = await bootPlace();
    await p.ok([...make("E", "--out", "two.bin"), "--key", "B.pem"]);
    const both = await p.ok(["whosigned", "two.bin", "--key", "A.jwk", "--key", "B.jwk", "--key", "E.jwk", "--json"]);
    expect(both.json).toMatchObject({ ok: true, sequence: "7", version: "1.4.2", format: "mcuboot", digest: null });
    expect(both.json["signatures"]).toMatchObject([
      { alg: "ecdsa-p256-sha256", status: "valid", name: "E.jwk" },
      { alg: "ecdsa-p256-sha256", status: "valid", name: "B.jwk" },
    ]);
    expect((await p.ok(["whosigned", "two.bin", "--key", "B.jwk", "--key", "E.jwk"])).stdout).toMatch(
      /^two\.bin: mcuboot image, version 1\.4\.2, security counter 7, 2 signatures, by 2 known keys\n {2}1\. ecdsa-p256-sha256: E\.jwk, thumbprint/,
    );
    const one = await p.run(["whosigned", "two.bin", "--key", "E.jwk", "--json"]);
    expect(one.json).toMatchObject({ reason: "SIGNATURE_INVALID", exit: 1, signers: [{ name: "E.jwk" }] });
    await p.ok(esp(JUMP));
    expect((await p.ok(["whosigned", "esp.signed.bin", "--key", "B.jwk", "--key", "E.jwk"])).stdout).toContain(
      "esp32 image, version 1.2.3",
    );
    expect((await p.run(["whosigned", "esp.bin", "--key", "E.jwk", "--json"])).json).toMatchObject({ reason: "FORMAT_NOT_SIGNED" });
    const damaged = p.get("two.bin");
    damaged[0x300] = (damaged[0x300] as number) ^ 1;
    p.put("two.bin", damaged);
    expect((await p.run(["whosigned", "two.bin", "--key", "E.jwk", "--json"])).json).toMatchObject({ reason: "MCUBOOT_HASH", exit: 1 });
  });
});

const missing = hasProgram("espsecure", "-h") ? "" : " (skipped: no espsecure)";
describe("an ESP32 image", () => {
  it("is signed with its own version and counter", async () => {
    const p = await bootPlace();
    expect(expectFailure(await p.run(esp()), 1)).toContain("security counter 7 is more than 1 higher than 0");
    const { json, stderr } = await p.ok([...esp(JUMP), "--json"]);
    expect(json, stderr).toMatchObject({ out: "esp.signed.bin", format: "esp32", sequence: "7", version: "1.2.3" });
    expect(JSON.parse(lines(p, "E")[0] as string)).toMatchObject({
      sequence: "7",
      version: "1.2.3",
      scope: [expect.stringMatching(/^esp32:/)],
    });
    expect((await p.ok(["verify", "esp.signed.bin", "--key", "E.jwk"])).stderr).toContain("good, esp32, 1.2.3, security counter 7");
  });

  it.each([
    ["for a chip that verifies RSA alone", espImage({ chip: 5 }), "ESP32_CHIP_KEY"],
    ["padded with ff to 64 KiB", Buffer.concat([espImage({ chip: 16 }), Buffer.alloc(0x10000, 0xff)]).subarray(0, 0x10000), "ESP32_PADDED"],
    ["cut", espImage({ chip: 16 }).subarray(0, -1), undefined],
  ])("is refused, and nothing is written: %s", async (_, bytes, reason) => {
    const p = await bootPlace();
    p.put("esp.bin", bytes);
    const { json } = await p.run([...esp(JUMP), "--json"]);
    expect(json).toMatchObject({ ok: false, exit: 1, ...(reason && { reason }) });
    expect([p.has("esp.signed.bin"), lines(p, "E").length]).toEqual([false, 0]);
  });

  it("is counted apart if it is a boot loader, which has no counter", async () => {
    const p = await bootPlace();
    await p.ok(esp(JUMP));
    p.put("esp.bin", espImage({ chip: 16, version: null }));
    await p.ok(esp("--out", "boot.bin"));
    expect(JSON.parse(lines(p, "E")[1] as string).scope).toEqual([expect.stringMatching(/^esp32-boot:/)]);
  });

  it.skipIf(missing !== "")(`is verified by espsecure${missing}`, async () => {
    const p = await bootPlace();
    await p.ok(esp(JUMP));
    await p.ok(["pubkey", "E.pem", "--format", "pem", "--out", "E.pub.pem"]);
    const { status, stdout } = spawnSync("espsecure", ["verify_signature", "-v", "2", "-k", p.at("E.pub.pem"), p.at("esp.signed.bin")], {
      encoding: "utf8",
    });
    expect(status, stdout).toBe(0);
  });

  it.each([
    [["--version", "1.4.2"], "says its version and its security counter itself"],
    [["--key", "A.pem"], "RSA-3072, P-256 or P-384"],
    [["--key", "B.pem", "--key", "E.pem"], "given twice"],
  ])("refuses %j", async (more, words) => {
    const p = await bootPlace();
    const { exit, stderr } = await p.run(esp(...more));
    expect([exit === 0, stderr]).toEqual([false, expect.stringContaining(words)]);
    expect([p.has("esp.signed.bin"), lines(p, "E").length]).toEqual([false, 0]);
  });
});

describe("sign --format mcuboot", () => {
  it.each([
    [["--seq", "next"], 2, "does not go up with each image"],
    [["--seq", "4294967296"], 2, "32 bits"],
    [["--version", "1.4.2-rc.1"], 1, "1.4.2-rc.1"],
    [["--version", "1.256.0"], 1, "1.256.0"],
    [["--header-size", "16"], 2, "32 to 65,535"],
    [["--header-size", "33"], 2, "puts the code at an odd place"],
    [["--slot-size", "65537", "--align", "8"], 2, "not a multiple of its smallest write, 8"],
    [["--header-size", "70000"], 2, "32 to 65,535"],
    [["--header-size", "0x"], 2, "--header-size"],
    [["--slot-size", "600"], 1, "there is room for"],
    [["--pad", "test"], 2, "--slot-size"],
    [["--align", "8"], 2, "--slot-size"],
    [["--pad", "yes", "--slot-size", "0x10000"], 2, "--pad"],
    [["--align", "3", "--slot-size", "65538"], 2, "not 3"],
    [["--trust", "t.trust"], 2, "--trust is for SUIT envelopes"],
    [["--uri", "http://x"], 2, "--uri"],
    [["--comment", "x"], 2, "--comment"],
    [["--out", "fw.bin"], 2, "fw.bin"],
    [["--out", "E.pem"], 2, "E.pem"],
    [["--out", "E.pem.log"], 2, "E.pem.log"],
    [["--board", "b"], 2, "--board"],
    [["--vendor", "no domain"], 2, "--vendor"],
  ])("refuses %j", async (more, exit, words) => {
    const p = await bootPlace();
    const refused = await p.run(make("E", ...more));
    expect([refused.exit, refused.stderr]).toEqual([exit, expect.stringContaining(words)]);
    expect([p.has("fw.signed.bin"), lines(p, "E").length]).toEqual([false, 0]);
  });

  const bare = ["sign", "fw.bin", "--format", "mcuboot", "--key", "E.pem"];
  it.each([
    [["sign", "--format", "mcuboot", "--key", "E.pem"], "argument 'input' is missing"],
    [bare.slice(0, 4), "-k, --key <key>"],
    [bare, "--vendor and --class"],
    [[...bare, ...FACTS], "not an image yet"],
    [[...bare, ...FACTS, "--version", "1.4.2"], "--version and --header-size"],
    [["sign", "gone.bin", ...bare.slice(2), ...FACTS], "gone.bin"],
    [["sign", "fw.bin", "--key", "E.pem", ...FACTS, "--seq", "7", "--add"], "--add is for images of boot loaders"],
    [["sign", "fw.bin", "--key", "E.pem", ...FACTS, "--seq", "7", "--header-size", "512"], "--header-size is for images"],
    [["sign", "fw.bin", "--format", "raw", "--key", "E.pem", "--pad", "test"], "--pad"],
  ])("refuses %j", async (command, words) => {
    const p = await bootPlace();
    const { exit, stderr } = await p.run(command);
    expect([exit, stderr]).toEqual([command.includes("gone.bin") ? exit : 2, expect.stringContaining(words)]);
    expect(lines(p, "E")).toHaveLength(0);
  });

  it.each([
    ["an ELF file", Buffer.concat([Buffer.from("\x7fELF\x01\x01\x01"), Buffer.alloc(1000)]), 2, "in the format elf"],
    ["an Intel HEX file", Buffer.from(":020000040800F2\n:00000001FF\n"), 2, "in the format ihex"],
    ["an empty file", Buffer.alloc(0), 1, "is empty"],
    ["erased flash", Buffer.alloc(500, 0xff), 2, "begins with 8 bytes ff"],
    ["a private key", undefined, 2, "private key"],
    ["an envelope", "fw.suit", 2, "not an image"],
  ])("refuses %s", async (_, bytes, exit, words) => {
    const p = await bootPlace();
    p.put("fw.bin", bytes === undefined ? p.get("A.pem") : typeof bytes === "string" ? p.get(bytes) : bytes);
    expect(expectFailure(await p.run(make("E")), exit)).toContain(words);
    expect(lines(p, "E")).toHaveLength(0);
  });

  it("takes a binary with room for the header, and refuses one without", async () => {
    const p = await bootPlace();
    const roomy = (...more: string[]) => make("E", ...more).filter((word) => word !== "--pad-header");
    expect(expectFailure(await p.run(roomy()), 2)).toContain("its first 512 bytes must be 0");
    const bare = p.get("fw.bin");
    await p.ok(make("E", "--out", "padded.bin"));
    p.put("fw.bin", Buffer.concat([Buffer.alloc(0x200), bare]));
    await p.ok(roomy("--version", "1.4.3", "--out", "roomy.bin"));
    expect(
      p
        .get("roomy.bin")
        .subarray(0x200, 0x200 + bare.length)
        .equals(bare),
    ).toBe(true);
    expect(lines(p, "E")).toHaveLength(2);
  });

  it("does not make an image of an image", async () => {
    const p = await bootPlace();
    await p.ok(make("E"));
    const { exit, stderr } = await p.run(["sign", "fw.signed.bin", ...make("E", "--out", "x.bin").slice(2)]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("fw.signed.bin already is an image, of version 1.4.2")]);
  });

  it("fills the slot, asks for a passphrase once, and writes to stdout", async () => {
    const p = await bootPlace();
    const command = ["sign", "fw.bin", "--format", "mcuboot", "--key", "one.pem", "--passphrase-fd", "3", ...FACTS];
    const image = ["--version", "1.4.2", "--header-size", "512", "--pad-header", "--slot-size", "0x8000", "--pad", "confirm"];
    await p.ok([...command, ...image], { fds: [`${ONE}\n`] });
    expect(p.get("fw.signed.bin")).toHaveLength(0x8000);
    const { stdout } = await p.ok(make("E", "--out", "-", "--json"));
    expect(Buffer.from(JSON.parse(stdout).data, "base64").readUInt32LE(0)).toBe(0x96f3b83d);
  });
});

it("audit finds a key that signs images on one machine, and manifests on another", async () => {
  const p = await bootPlace();
  const on = (machine: string) => ({ env: { FIRMSEAL_STATE: p.at(machine) } });
  await p.ok(make("E", "--log", "images.log"), on("one"));
  await p.ok(["sign", "fw.bin", "--key", "E.pem", ...FACTS, "--seq", "9", "--out", "x.suit", "--log", "manifests.log"], on("two"));
  const { exit, stderr } = await p.run(["audit", "images.log", "manifests.log"], on("three"));
  expect([exit, stderr]).toEqual([
    1,
    expect.stringMatching(/key [0-9a-f]{16}… signed images of boot loaders and manifests and trust files: entry 1 of/),
  ]);
});
