// Boards with a `format`: release signs the image for the boot loader, and then the manifest over it.

import { chmodSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { espImage } from "../../../formats/test/esp32/compose.js";
import { expectFailure, image, logEntries, type Place, standard } from "../../../test-support/src/command-line/run.js";

const MCUBOOT = `format = "mcuboot"
slots = { a = "64K", b = "64K" }
mcuboot = { header-size = 0x200, pad-header = true, counter = 7, identity = true }
`;

interface Parts {
  readonly keys?: string;
  readonly trust?: string;
  readonly board?: string;
  readonly more?: string;
}

/** A product with one board, whose boot loader verifies its image. */
const product = ({ keys = 'boot = "E.pem"', trust = 'boot = "E.pub"', board = MCUBOOT, more = "" }: Parts = {}) => `name = "acme"
vendor = "example.com"
uri = "https://fw.example.com/{version}/{board}.bin"

[keys]
release = "A.pem"
${keys}

[trust]
keys = "A.jwk"
${trust}

[boards.meter]
image = "build/app.bin"
${board}
${more}`;

async function world(parts: Parts = {}): Promise<Place> {
  const p = standard();
  p.keepsLogs = true;
  p.folder("build");
  p.put("build/app.bin", image(3000, 1));
  await p.ok(["keygen", "--alg", "es256", "--no-passphrase", "--out", "E.pem"]);
  p.put("firmseal.toml", product(parts));
  return p;
}

const release = (version: string, ...more: string[]) => ["release", "--version", version, ...more];
const bootEntries = (p: Place) => (p.has("E.pem.log") ? logEntries(p, "E.pem.log") : []);

/** Nothing was signed and nothing written. */
function expectNothing(p: Place): void {
  expect(bootEntries(p), "entries of the boot key").toEqual([]);
  expect(p.has("A.pem.log") ? logEntries(p) : [], "entries of the release key").toEqual([]);
  expect(p.has("dist"), "a release").toBe(false);
  expect(p.has("build/app.signed.bin"), "a signed image").toBe(false);
}

describe("a board whose boot loader is MCUboot", () => {
  it("gets a signed image, and a manifest over it", async () => {
    const p = await world();
    const dry = await p.ok([...release("1.4.2", "--first", "--dry-run"), "--json"]);
    expect(dry.json["references"]).toMatchObject({ keys: ["A.pem", "E.pem"] });
    expectNothing(p);
    const { json, stderr } = await p.ok([...release("1.4.2", "--first"), "--json"]);
    expect(json["boards"]).toMatchObject([{ images: [{ path: "build/app.signed.bin" }] }]);
    expect(json["log"]).toHaveLength(3);
    expect(stderr).toContain("meter: signed for its boot loader, build/app.signed.bin");
    expect(bootEntries(p)).toMatchObject([{ sequence: "7", version: "1.4.2", scope: [expect.stringMatching(/^mcuboot:/)] }]);
    const released = p.get("dist/1.4.2/meter.bin");
    expect(released).toEqual(p.get("build/app.signed.bin"));
    const verified = await p.ok(["verify", "dist/1.4.2/meter.bin", "--key", "E.pub", "--json"]);
    expect(verified.json).toMatchObject({ version: "1.4.2", file: { counter: 7, details: { vendor: [expect.any(String)] } } });
    await p.ok(["verify", "dist/1.4.2"]);
    await p.ok(["install", "dist/1.4.2", "--board", "meter", "--dir", "dev"]);
  });

  it("is released once: the same command signs nothing more, with the image in either place", async () => {
    const p = await world();
    await p.ok(release("1.4.2", "--first"));
    expect((await p.ok([...release("1.4.2"), "--json"])).json).toMatchObject({ state: "unchanged", log: [] });
    rmSync(p.at("build/app.signed.bin"));
    expect((await p.ok([...release("1.4.2"), "--json"])).json).toMatchObject({ state: "unchanged", log: [] });
    expect(bootEntries(p)).toHaveLength(1);
    p.put("build/app.bin", image(3000, 2));
    expect(expectFailure(await p.run(release("1.4.2")), 1)).toContain("has version 1.4.2 of board meter with other content");
    expect(bootEntries(p), "the boot key has signed another build of the same version").toHaveLength(1);
    // the image of the last build is replaced
    await p.ok(release("1.4.3"));
    expect(bootEntries(p)).toHaveLength(2);
  });

  it("has one image, although a pattern and a link lead to the signed one too", async () => {
    const p = await world();
    p.put("firmseal.toml", product().replace("app.bin", "app*.bin"));
    await p.ok(release("1.4.2", "--first"));
    expect((await p.ok([...release("1.4.2"), "--json"])).json).toMatchObject({ state: "unchanged", log: [] });
    renameSync(p.at("build/app.signed.bin"), p.at("elsewhere.bin"));
    symlinkSync("../elsewhere.bin", p.at("build/app.signed.bin"));
    const { json } = await p.ok([...release("1.4.2", "--dry-run"), "--json"]);
    expect(json["boards"]).toMatchObject([{ images: [{ real: expect.stringMatching(/elsewhere\.bin$/) }] }]);
  });

  it("has its image found in the release beside other payloads", async () => {
    const radio =
      '[[boards.meter.components]]\nname = "a-radio"\nimage = "radio.bin"\nuri = "https://fw.example.com/{version}/a-radio.bin"\n';
    const p = await world({ more: radio });
    p.put("radio.bin", image(500, 3));
    await p.ok(release("1.4.2", "--first"));
    rmSync(p.at("build/app.signed.bin"));
    expect((await p.ok([...release("1.4.2"), "--json"])).json).toMatchObject({ state: "unchanged", log: [] });
  });

  it("takes an image that somebody else has signed", async () => {
    const p = await world({ keys: "" });
    const refused = await p.run(release("1.4.2", "--first"));
    expect(expectFailure(refused, 1)).toContain("build/app.bin has no signature for the boot loader of board meter");
    expect(refused.stderr).toContain("hint: firmseal sign --board meter --format mcuboot --version 1.4.2 --key KEY");
    expectNothing(p);
    await p.ok(["sign", "--board", "meter", "--format", "mcuboot", "--version", "1.4.2", "--key", "E.pem"]);
    await p.ok(release("1.4.2", "--first"));
    expect(bootEntries(p)).toMatchObject([{ sequence: "7", version: "1.4.2" }]);
    await p.ok(["sign", "--board", "meter", "--version", "1.4.2", "--key", "A.pem", "--out", "one.suit"]);
  });

  it("keeps what the product file says about its image", async () => {
    const p = await world();
    const sign = ["sign", "--board", "meter", "--format", "mcuboot"];
    expect(expectFailure(await p.run([...sign, "--version", "1.4.2", "--seq", "8"]), 2)).toContain("firmseal.toml says it for board meter");
    expect(expectFailure(await p.run(sign), 2)).toContain("needs a version");
    expectNothing(p);
  });

  it("gets no release if the image is not for it, or by a stranger", async () => {
    const p = await world();
    const sign = ["sign", "build/app.bin", "--format", "mcuboot", "--header-size", "0x200", "--pad-header"];
    const facts = ["--vendor", "example.com", "--class", "acme-meter", "--slot-size", "65536"];
    const made = (...more: string[]) => p.ok([...sign, ...facts, ...more, "--out", "build/own.bin", "--replace"]);
    p.put("firmseal.toml", product().replace("app.bin", "own.bin"));
    await made("--version", "1.4.2", "--seq", "6", "--key", "E.pem");
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toContain("has security counter 6, and firmseal.toml says 7");
    await made("--version", "1.4.2", "--seq", "7", "--key", "C.pem");
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toMatch(/build\/own\.bin: refused/);
    await made("--version", "1.4.1", "--seq", "7", "--key", "E.pem", "--allow-lower-sequence");
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toContain(
      "build/own.bin is version 1.4.1, and the release is version 1.4.2",
    );
    expect(p.has("dist")).toBe(false);
  });

  it("is not signed if the release would be refused", async () => {
    const p = await world();
    await p.ok(release("1.4.2", "--first"));
    p.put("build/app.bin", image(3000, 2));
    expectFailure(await p.run(release("1.4.1")), 1);
    expect(bootEntries(p)).toHaveLength(1);
    const other = await world();
    other.put("build/app.signed.bin", "mine");
    expect(expectFailure(await other.run(release("1.4.2", "--first")), 2)).toContain("is not an image in the format mcuboot");
    expect(expectFailure(await other.run(release("1.4.2", "--first", "--unsigned")), 1)).toContain("has no signature for the boot loader");
    expect(expectFailure(await other.run(release("1.5.0-rc.1", "--first")), 1)).toContain("1.5.0-rc.1");
    expect(bootEntries(other)).toEqual([]);
  });

  it("is not signed if the release would be refused without a key", async () => {
    const p = await world();
    expect((await p.run(release("1.4.2"))).stderr).toContain("--first");
    expectNothing(p);
    expect((await p.run(release("1.4.2", "--first", "--sarif-out", "dist/1.4.2/lint.sarif"))).stderr).toContain(
      "in the folder of the release",
    );
    expectNothing(p);
    chmodSync(p.at("build"), 0o500);
    const refused = await p.run(release("1.4.2", "--first"));
    chmodSync(p.at("build"), 0o700);
    // the superuser may write everywhere
    if (process.getuid?.() !== 0) {
      expect(refused.exit, "exit code in a folder that cannot be written").not.toBe(0);
      expectNothing(p);
    }
  });

  it("has the version of its release wherever it is verified", async () => {
    const p = await world();
    p.put("firmseal.toml", product({ keys: "", trust: "", board: "" }).replace("app.bin", "own.bin"));
    const made = ["build/app.bin", "--format", "mcuboot", "--header-size", "0x200", "--pad-header", "--seq", "7", "--out", "build/own.bin"];
    await p.ok(["sign", ...made, "--version", "1.4.1", "--vendor", "example.com", "--class", "acme-meter", "--key", "E.pem"]);
    await p.ok(release("1.4.2", "--first"));
    p.put("firmseal.toml", product().replace("app.bin", "own.bin"));
    for (const command of [
      ["verify", "dist/1.4.2"],
      ["sign", "dist/1.4.2", "--key", "C.pem"],
    ])
      expect(expectFailure(await p.run(command), 1), command.join(" ")).toContain("is version 1.4.1, and the release is version 1.4.2");
  });

  it("may be signed again if a stranger has signed the same one", async () => {
    const p = await world();
    const made = ["build/app.bin", "--format", "mcuboot", "--header-size", "0x200", "--pad-header", "--seq", "7", "--slot-size", "65536"];
    await p.ok(["sign", ...made, "--version", "1.4.2", "--vendor", "example.com", "--class", "acme-meter", "--key", "C.pem"]);
    p.put("firmseal.toml", product({ board: MCUBOOT.replace(", identity = true", "") }));
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toMatch(/app\.signed\.bin: refused/);
    await p.ok(["sign", "--board", "meter", "--format", "mcuboot", "--version", "1.4.2", "--replace"]);
    await p.ok(release("1.4.2", "--first"));
  });

  it("is verified for a person who signs later, and for one who publishes", async () => {
    const p = await world();
    await p.ok(release("1.4.2", "--first"));
    await p.ok(["keygen", "--alg", "es256", "--no-passphrase", "--out", "F.pem"]);
    // the boot loader of the devices has a key that has not signed
    p.put("firmseal.toml", product({ trust: 'boot = "F.pub"' }));
    for (const command of [
      ["verify", "dist/1.4.2"],
      ["verify", "dist/1.4.2/acme-meter-1.4.2.suit"],
      ["sign", "dist/1.4.2", "--key", "C.pem"],
    ])
      expect(expectFailure(await p.run(command), 1), command.join(" ")).toMatch(/meter\.bin: refused/);
    await p.ok(["verify", "dist/1.4.2", "--without-payloads"]);
  });
});

describe("a board whose boot loader is that of an ESP32", () => {
  it("gets the version of the image itself", async () => {
    const p = await world({ board: 'format = "esp32"' });
    p.put("build/app.bin", espImage({ chip: 16, version: "1.4.2" }));
    await p.ok(release("1.4.2", "--first", "--allow-sequence-jump"));
    expect(bootEntries(p)).toMatchObject([{ version: "1.4.2", scope: [expect.stringMatching(/^esp32:/)] }]);
    await p.ok(["verify", "dist/1.4.2"]);
    p.put("build/app.bin", espImage({ chip: 16, version: "1.4.9" }));
    expect(expectFailure(await p.run(release("1.4.3")), 1)).toContain("build/app.bin is version 1.4.9, and the release is version 1.4.3");
    expect(bootEntries(p)).toHaveLength(1);
    const sign = ["sign", "--board", "meter", "--format", "esp32", "--replace", "--version"];
    expect(expectFailure(await p.run([...sign, "1.4.3"]), 1)).toContain("is version 1.4.9, and the release is version 1.4.3");
    expect(bootEntries(p)).toHaveLength(1);
    await p.ok([...sign, "1.4.9"]);
  });
});

describe("the keys of boot loaders", () => {
  it("sign no release, and release keys no image", async () => {
    const p = await world({ keys: "" });
    const run = release("1.4.2", "--first", "--key", "E.pem");
    await p.ok(["sign", "--board", "meter", "--format", "mcuboot", "--version", "1.4.2", "--key", "E.pem"]);
    const refused = await p.run(run);
    expect(refused.exit, "exit code").toBe(1);
    expect(refused.stderr).toContain("is a key that boot loaders trust, and would sign a release");
    expect(
      expectFailure(
        await p.run(["sign", "--board", "meter", "--format", "mcuboot", "--version", "1.4.2", "--key", "A.pem", "--replace"]),
        1,
      ),
    ).toContain("is a key of firmseal.toml");
    expect(p.has("dist"), "a release").toBe(false);
  });

  it.each<[string, Parts, RegExp]>([
    ["no board has a format", { board: "" }, /:7:1: no board has an image that a boot loader verifies/],
    ["nobody is trusted", { trust: "", keys: "" }, /nothing says which keys its boot loader trusts/],
    ["one of them signs releases", { keys: 'boot = "A.pem"' }, /A\.pem signs releases too/],
    ["the trusted one is not a file", { trust: 'boot = "exec:x"' }, /only files can be trusted keys/],
    ["the image of MCUboot has no format", { board: "mcuboot = { header-size = 512 }" }, /this is for images of MCUboot/],
    [
      "another chip has members of MCUboot",
      { board: 'format = "esp32"\nmcuboot = { header-size = 512 }' },
      /this is for images of MCUboot/,
    ],
    [
      "the size of the slot is missing",
      { board: 'format = "mcuboot"\nmcuboot = { header-size = 512, pad = "test" }' },
      /its size is missing/,
    ],
    ["two revisions have one identity", { board: `revisions = ["1", "2"]\n${MCUBOOT}` }, /names one class, and the board has several/],
    ["the format is not known", { board: 'format = "uf2"' }, /boards\.meter/],
    ["the counter has more than 32 bits", { board: MCUBOOT.replace("7", "4294967296") }, /counter/],
  ])("are refused in the product file: %s", async (_, parts, message) => {
    const p = await world(parts);
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toMatch(message);
    expectNothing(p);
  });

  it("are checked by doctor", async () => {
    const p = await world();
    expect((await p.run(["doctor"])).stdout).toMatch(/^ok +boot loaders firmseal\.toml: trust 1 key; 1 of this file sign images$/m);
    p.put("firmseal.toml", product({ keys: 'boot = "C.pem"' }));
    expect((await p.run(["doctor"])).stdout).toMatch(/^fails +boot loaders firmseal\.toml: .*C\.pem is not a key that boot loaders trust/m);
    p.put("firmseal.toml", product({ trust: 'boot = "gone.pub"' }));
    expect((await p.run(["doctor"])).stdout).toMatch(/^fails +boot loaders firmseal\.toml: .*gone\.pub: file not found/m);
  });

  it("sign before people approve, and not during the release", async () => {
    const p = await world({ more: '\n[approval]\nkeys = "B.jwk"\n' });
    expect(expectFailure(await p.run(release("1.4.2", "--first")), 1)).toContain("has no signature for the boot loader");
    expectNothing(p);
  });
});
