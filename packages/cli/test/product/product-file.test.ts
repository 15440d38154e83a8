// The product file: mistakes in it, the keys that its devices trust, and what sign takes from it.

import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, logEntries } from "../../../test-support/src/command-line/run.js";
import { PRODUCT, refusal, release, released, world } from "./product-place.js";

describe("a product file with a mistake", () => {
  const refused = async (product: string, exit = 1, more: string[] = []) => {
    const p = world(product);
    const before = p.tree();
    const line = expectFailure(await release(p, "1.0.0", ...more), exit);
    expect(p.tree()).toEqual(before);
    return line;
  };

  it.each<[string, string, string, string]>([
    [
      "a member with a slip",
      'vendor = "example.com"',
      'vendr = "example.com"',
      'firmseal.toml:2:1: unknown member "vendr"; did you mean "vendor"?',
    ],
    [
      "a member of a board with a slip",
      'image = "app.js"',
      'imgae = "app.js"',
      'firmseal.toml:15:1: boards.puck: unknown member "imgae"; did you mean "image"?',
    ],
    [
      "a slip inside an inline table",
      "slots = { a =",
      "slots = { aa =",
      'firmseal.toml:12:11: boards.esp32.slots: unknown member "aa"; did you mean "a"?',
    ],
    ["a missing value", 'name = "gateway"', "name =", "firmseal.toml:1:"],
    ["a string without an end", 'release = "A.pem"', 'release = "A.pem', "firmseal.toml:5:"],
    ["two boards with one name", "[boards.puck]", "[boards.esp32]", "firmseal.toml:14:2: [boards.esp32] is written twice"],
    ["a member that is written twice", 'name = "gateway"', 'name = "gateway"\nname = "x"', "firmseal.toml:2:1: name is written twice"],
    [
      "a key source with a slip",
      '"A.pem"',
      '"awskm:alias/x"',
      'firmseal.toml:5:1: awskm: not a key source, and no file has this name; did you mean "awskms"?',
    ],
    ["two boards that differ in case", "[boards.puck]", "[boards.ESP32]", "boards esp32 and ESP32 would have the same name"],
    [
      "two boards of one class",
      'engine = "puck.js"',
      'class = "gateway-esp32-2"',
      "boards esp32 and puck have the same class, gateway-esp32-2",
    ],
    ["an engine with a slip", 'puck.js"', 'puk.js"', 'firmseal.toml:16:1: "puk.js" is not a known engine; did you mean "puck.js"?'],
    ["a pattern that matches nothing", "build/a-*.bin", "build/c-*.bin", "firmseal.toml:10:1: build/c-*.bin: no image has this name"],
    [
      "a pattern that matches two files",
      "build/a-*.bin",
      "build/*.bin",
      "firmseal.toml:10:1: build/*.bin: matches 2 files: build/a-7f3.bin, build/b.bin",
    ],
    ["an unknown placeholder", "{slot}", "{slots}", 'unknown placeholder {slots}; did you mean "slot"?'],
    ["one URI for two images", "-{slot}", "", "would have files with the same name, esp32.bin"],
    [
      "a payload with the name of the record",
      "{board}-{slot}.bin",
      "release.json",
      "the release and board esp32 slot a would have files with the same name, release.json",
    ],
    ["a URI without a file", "{board}-{slot}.bin", "", "its last part is not the name of a file"],
    [
      "a URI whose file has too long a name",
      "{board}-{slot}.bin",
      `${"x".repeat(252)}.bin`,
      "name of a file, which has at most 255 characters",
    ],
    ["a URI that leads out of the folder", "{board}-{slot}.bin", "..%2F{board}-{slot}.bin", "its last part is not the name of a file"],
    ["an invalid size", '"64K"', '"64Q"', "firmseal.toml:12:11: boards.esp32.slots.a: "],
    [
      "a class of a UUID with revisions",
      '"gateway-esp32"',
      '"a8a1ee90-d2b3-4b4f-8c3e-6c9b0d0a0a0a"',
      "a class that is a UUID has no revisions",
    ],
    ["an invalid vendor", '"example.com"', '"example com"', "is neither a UUID nor a name"],
    ["a key on stdin", '"A.pem"', '"-"', "a key of a product cannot come from stdin"],
    ["no key", 'release = "A.pem"', "", "names no release key"],
    ["__proto__", 'name = "gateway"', '__proto__ = 1\nname = "gateway"', "firmseal.toml:1:1"],
    [
      "an unknown source of numbers",
      "[keys]",
      '[sequence]\nsource = "versoin"\n[keys]',
      '"versoin" is not one of version, previous, log, given; did you mean "version"?',
    ],
  ])("%s: one line with its place, one hint, nothing written", async (_, good, bad, message) => {
    expect(PRODUCT).toContain(good);
    expect(await refused(PRODUCT.replace(good, bad))).toContain(message);
  });

  it("or none, or a missing key, or a profile that no key has", async () => {
    const missing = world(PRODUCT.replace("A.pem", "gone.pem"));
    for (const r of [await release(missing, "1.0.0"), await missing.run(["sign", "--board", "puck", "--version", "1.0.0"])]) {
      expectFailure(r, 3);
      expect(r.stderr).toBe(
        "firmseal: firmseal.toml: [keys] release: gone.pem: file not found\nhint: make the key, firmseal keygen --out gone.pem, or correct the name\n",
      );
    }
    missing.put("gone.pub", missing.get("A.jwk"));
    // not a new key under the name of one that devices trust
    expect((await release(missing, "1.0.0")).stderr).toContain(
      "hint: bring the file here, or correct the name; if the key is lost: firmseal incident lost --key gone.pub\n",
    );
    expect(await refused(PRODUCT.replace("A.pem", "gone.pem"), 3)).toContain("gone.pem: file not found");
    const p = world();
    rmSync(p.at("firmseal.toml"));
    const gone = await release(p, "1.0.0");
    expect(expectFailure(gone, 3)).toContain("firmseal.toml: file not found");
    expect(gone.stderr).toContain("hint: make one with firmseal init");
    p.put("firmseal.toml", Buffer.from([0xff, 0xfe, 0x00]));
    expect(expectFailure(await release(p, "1.0.0"), 1)).toContain("firmseal.toml is not UTF-8 text");
    p.put("firmseal.toml", `profile = "suit-sha256-hsslms-a256kw-a256ctr"\n${PRODUCT}`);
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("the profile requires a signature with hsslms");
    expect([p.has("dist"), logEntries(p)]).toEqual([false, []]);
  });

  it.each(["1.0", "v1.0.0", "latest", "1.0.0-rc1", "65536.0.0", "", "../1.0.0"])("version %j is refused as such", async (version) => {
    const p = world();
    const before = p.tree();
    expect(expectFailure(await release(p, version), 2)).toMatch(/is not a version|is too large/);
    expect(p.tree()).toEqual(before);
  });

  it("a clock that is far off, and an invalid time", async () => {
    const p = world();
    for (const time of ["tomorrow", "99999999999", "-1", "1e9"]) {
      const r = await p.run(["release", "--version", "1.0.0"], { env: { SOURCE_DATE_EPOCH: time } });
      expect(expectFailure(r, 2)).toContain("SOURCE_DATE_EPOCH is not a time in the past");
    }
    expect([p.has("dist"), logEntries(p)]).toEqual([false, []]);
  });
});

describe("the keys that the devices of a product trust", () => {
  const withTrust = (lines: string) => `${PRODUCT}\n[trust]\n${lines}\n`;

  it("may differ from those that sign: then nothing is signed that the devices would refuse", async () => {
    const p = world(withTrust('keys = "B.jwk"'));
    expect(refusal(await release(p, "1.0.0"), 1)).toMatch(/board esp32: a device of class gateway-esp32-1 would refuse the release/);
    expect([p.has("dist"), logEntries(p)]).toEqual([false, []]);
    p.put("firmseal.toml", withTrust('keys = ["A.jwk", "C.jwk"]\nthreshold = 2'));
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("1 key signs it");
    p.put("firmseal.toml", withTrust('keys = ["A.jwk", "C.jwk"]\nthreshold = 2').replace('"A.pem"', '["A.pem", "C.pem"]'));
    await released(p, "1.0.0");
    await p.ok(["verify", "dist/1.0.0"]);
    const keys = await p.run(["verify", "dist/1.0.0", "--key", "A.jwk"]);
    expect(expectFailure(keys, 2)).toContain("dist/1.0.0 is a folder, not a file");
    expect(keys.stderr).toContain("give --product FILE instead of keys");
    p.folder("elsewhere");
    const elsewhere = await p.run(["verify", "../dist/1.0.0"], { cwd: p.at("elsewhere") });
    expect(expectFailure(elsewhere, 2)).toContain("is a folder, and there is no firmseal.toml here");
    expect(elsewhere.stderr).toContain("hint: name the product file of these releases: --product FILE");
  });

  it("may be a trust file, whose release keys must sign", async () => {
    const p = world(withTrust('file = "line.trust"\nroot = "B.jwk"'));
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"] },
      { key: "C.jwk", roles: ["debug"] },
    ];
    const thresholds = { root: 1, release: 1, debug: 1 };
    p.put("line.json", JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds }));
    await p.ok(["trust", "create", "--from", "line.json"]);
    await p.ok(["trust", "sign", "line.trust", "--key", "B.pem"]);
    await released(p, "1.0.0");
    expect((await p.ok(["verify", "dist/1.0.0", "--json"])).json["trust"]).toMatchObject({ name: "line", role: "release", pinned: true });
    expectExit(await p.run(["verify", "dist/1.0.0", "--role", "debug", "--product", "firmseal.toml"]), 1);
    p.put("firmseal.toml", withTrust('file = "line.trust"\nroot = "B.jwk"').replace('"A.pem"', '"C.pem"'));
    expect(refusal(await release(p, "1.0.1"), 1)).toContain("has the role debug in line.trust, not release");
  });

  it("is never requested from a program or a token: a verifying command runs nothing that the file names", async () => {
    const p = world(PRODUCT.replace('"A.pem"', '"exec:./evil"'));
    p.put("evil", "#!/bin/sh\ntouch ran\n", 0o700);
    p.put(
      "x.suit",
      (
        await world().ok([
          "sign",
          "app.js",
          "--key",
          "A.pem",
          "--vendor",
          "example.com",
          "--class",
          "gateway-puck",
          "--version",
          "1.0.0",
          "--out",
          "-",
        ])
      ).bytes,
    );
    expect(expectFailure(await p.run(["verify", "x.suit", "--product", "firmseal.toml"]), 1)).toContain("the release key is not a file");
    p.put("firmseal.toml", withTrust('keys = "exec:./evil"'));
    expect(expectFailure(await p.run(["verify", "x.suit", "--product", "firmseal.toml"]), 1)).toContain("only files can be trusted keys");
    expect(p.has("ran")).toBe(false);
  });
});

describe("sign --board", () => {
  it("needs no vendor, class or key, and refuses what the product does not have", async () => {
    const p = world();
    await p.ok(["sign", "--board", "puck", "--version", "1.0.0"]);
    await p.ok(["verify", "gateway-puck-1.0.0.suit", "--board", "puck"]);
    await p.ok(["sign", "--board", "esp32", "--version", "1.0.0", "--out", "e.suit"]);
    const unversioned = await p.run(["sign", "app.js", "--board", "puck"]);
    expect(expectFailure(unversioned, 2)).toContain("--version is missing");
    expect(unversioned.stderr).toContain("hint: for example: firmseal sign app.js --board puck --version 1.4.2\n");
    expect(expectFailure(await p.run(["sign", "--board", "pick", "--version", "1.0.1"]), 1)).toContain('did you mean "puck"?');
    expect(expectFailure(await p.run(["sign", "--board", "puck", "--version", "1.0.1", "--class", "x"]), 2)).toContain(
      "--class: the product file says",
    );
    expect(expectFailure(await p.run(["sign", "--product", "firmseal.toml", "--version", "1.0.1"]), 2)).toContain("--board is missing");
    expect(expectFailure(await p.run(["sign", "build/b.bin", "--board", "esp32", "--version", "1.0.1"]), 2)).toContain(
      "has several images",
    );
    expect(expectFailure(await p.run(["sign"]), 2)).toContain("argument 'input' is missing");
    expect(expectFailure(await p.run(["sign", "fw.bin"]), 2)).toContain("option '-k, --key <key>' is missing");
    // the same bytes as those of a release
    await released(p, "1.0.0");
    expect(p.get("gateway-puck-1.0.0.suit").equals(p.get("dist/1.0.0/gateway-puck-1.0.0.suit"))).toBe(true);
    expect(p.get("e.suit").equals(p.get("dist/1.0.0/gateway-esp32-1.0.0.suit"))).toBe(true);
  });
});
