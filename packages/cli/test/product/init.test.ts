import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectFailure, image, keyC, quicklyEncrypted, standard } from "../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason, typeAt } from "../../../test-support/src/command-line/terminal.js";
import { released } from "./product-place.js";

describe("init", () => {
  const fresh = () => {
    const p = standard();
    p.keepsLogs = true;
    rmSync(p.at("fw.bin"));
    return p;
  };

  it("writes a file that works at once, and never overwrites", async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    const init = ["init", "--vendor", "example.com", "--board", "esp32=app.bin", "--key", "A.pem", "--lone-key"];
    const { json } = await p.ok([...init, "--name", "gateway", "--json"]);
    expect(json).toMatchObject({
      out: "firmseal.toml",
      project: null,
      name: "gateway",
      missing: [],
      outside: [],
      boards: [{ board: "esp32", images: ["app.bin"] }],
    });
    await released(p, "1.0.0");
    await p.ok(["verify", "dist/1.0.0"]);
    const before = p.tree();
    expect(expectFailure(await p.run(["init", "--vendor", "example.com", "--board", "esp32=app.bin"]), 2)).toContain("never overwritten");
    expect(expectFailure(await p.run(["init", "--vendor", "example.com", "--out", "b.toml"]), 2)).toMatch(/: --board is missing$/);
    expect(p.tree()).toEqual(before);
    mkdirSync(p.at("sub"));
    const below = await p.ok([...init, "--out", "sub/firmseal.toml"]);
    const then = /^then: firmseal (release --version 1\.0\.0 --first --product sub\/firmseal\.toml --allow-outside \.)$/m.exec(
      below.stderr,
    );
    await p.ok(then?.[1]?.split(" ") ?? []);
    expect(p.has("sub/dist/1.0.0/release.json")).toBe(true);
  });

  it("keeps the key, its log and its state out of the repository", async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    const init = ["init", "--vendor", "example.com", "--board", "esp32=app.bin", "--lone-key"];
    const always = ["*.pem", "*.pem.*", "*.hss", "*.hss.*"];
    const { json, stderr } = await p.ok([...init, "--key", "A.pem", "--json"]);
    expect(json).toMatchObject({ ignore: always, gitignore: true });
    expect(stderr).toBe("");
    spawnSync("git", ["init", "--quiet"], { cwd: p.path });
    await released(p, "1.0.0");
    await p.ok(["convert", "A.pem", "--no-passphrase", "--format", "pkcs8", "--out", "NEW.pem"]);
    await p.ok(["keygen", "--no-passphrase", "--out", "next.pem"]);
    const { stdout } = spawnSync("git", ["status", "--porcelain", "--untracked-files=all"], { cwd: p.path, encoding: "utf8" });
    expect(p.has("A.pem.log")).toBe(true);
    expect(stdout).toContain("?? firmseal.toml\n");
    expect(stdout).toContain("?? next.pub\n");
    expect(stdout).not.toMatch(/A\.pem|NEW|next\.pem/);
    // one that is there is not changed, not even through a link
    rmSync(p.at("firmseal.toml"));
    p.put(".gitignore", "build\n");
    expect((await p.ok([...init, "--key", "A.pem"])).stderr).toContain(
      ".gitignore exists: it must have *.pem and *.pem.* and *.hss and *.hss.*\n",
    );
    expect(p.get(".gitignore").toString()).toBe("build\n");
    rmSync(p.at(".gitignore"));
    rmSync(p.at("firmseal.toml"));
    symlinkSync("gone", p.at(".gitignore"));
    expect((await p.ok([...init, "--key", "A.pem", "--json"])).json["gitignore"]).toBe(false);
    expect(p.has("gone")).toBe(false);
    rmSync(p.at(".gitignore"));
    for (const [key, ignore] of [
      ["pkcs11:token=t;object=fw", []],
      ["../outside.pem", []],
      ["/outside.key", []],
      ["sub/# !a*.key", ["/sub/\\#\\ \\!a\\*.key", "/sub/\\#\\ \\!a\\*.key.*"]],
      ["id", ["/id", "/id.*", "!/id.pub"]],
    ] as const) {
      rmSync(p.at("firmseal.toml"));
      rmSync(p.at(".gitignore"), { force: true });
      expect((await p.ok([...init, "--key", key, "--json"])).json).toMatchObject({ ignore: [...always, ...ignore], gitignore: true });
    }
    // nothing is written if something is refused
    rmSync(p.at("firmseal.toml"));
    rmSync(p.at(".gitignore"));
    const tree = p.tree();
    expectFailure(await p.run([...init, "--name", "a/b"]), 2);
    expectFailure(await p.run([...init, "--out", "gone/firmseal.toml"]), 3);
    expect(p.tree()).toEqual(tree);
  });

  it.each<[string, { [file: string]: string }, { project: string; name?: string; boards: object[] }]>([
    [
      "PlatformIO",
      {
        "platformio.ini": "[platformio]\n[env:esp32dev]\nboard = esp32dev\n[env:nano]\n",
        "partitions.csv": "n, data, nvs, , 0x6000\na, app, ota_0, , 1536K\nb, app, ota_1, , 0x180000\n",
      },
      { project: "PlatformIO", boards: [{ board: "esp32dev", images: [".pio/build/esp32dev/firmware.bin"] }, { board: "nano" }] },
    ],
    [
      "Zephyr",
      {
        "CMakeLists.txt": "find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})\nproject(blinky)\n",
        "build/CMakeCache.txt": "CACHED_BOARD:STRING=nrf52840dk/nrf52840\n",
        "build/zephyr/zephyr.bin": "x",
      },
      { project: "Zephyr", name: "blinky", boards: [{ board: "nrf52840dk", images: ["build/zephyr/zephyr.bin"] }] },
    ],
    [
      "ESP-IDF",
      {
        "CMakeLists.txt": "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(sensor)\n",
        sdkconfig: 'CONFIG_IDF_TARGET="esp32s3"\n',
      },
      { project: "ESP-IDF", name: "sensor", boards: [{ board: "esp32s3", images: ["build/sensor.bin"] }] },
    ],
    [
      "CMake",
      { "CMakeLists.txt": 'project("pump" C)\n', "build/pump.hex": ":00000001FF\n" },
      { project: "CMake", name: "pump", boards: [{ board: "pump", images: ["build/pump.hex"] }] },
    ],
    [
      "Espruino",
      { "package.json": '{"name":"@acme/tag","main":"src/main.js","devDependencies":{"espruino":"0.1.68"}}' },
      { project: "Espruino", name: "acme-tag", boards: [{ board: "app", images: ["src/main.js"] }] },
    ],
  ])("knows a project of %s", async (_, files, expected) => {
    const p = fresh();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(p.path, name, ".."), { recursive: true });
      p.put(name, content);
    }
    expect((await p.ok(["init", "--vendor", "example.com", "--lone-key", "--json"])).json).toMatchObject(expected);
    expect(p.get("firmseal.toml").toString()).toContain(
      files["partitions.csv"] === undefined ? "image = " : 'slots = { a = "1536K", b = "1536K" }',
    );
  });

  const QUESTIONS =
    /for example example\.com\?|NAME=IMAGE:|Which key signs releases\?|Which roots sign|What verifies on the devices\?|Passphrase for/g;

  it.skipIf(!hasTerminal)(`asks on a terminal for what it does not find${terminalReason}`, async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    const { status, shown, asked } = await typeAt(p, ["init"], QUESTIONS, ["example.com", "esp32=app.bin", "A.pem", "B.pem  C.pem", ""]);
    expect([status, asked], shown).toEqual([0, 5]);
    await released(p, "1.0.0");
    const empty = fresh();
    expect((await typeAt(empty, ["init"], QUESTIONS, [""])).shown).toContain("--vendor is missing");
    expect((await typeAt(empty, ["init"], QUESTIONS, ["Example GmbH"])).shown).toContain("is neither a UUID nor a name");
    const several = await typeAt(empty, ["init"], QUESTIONS, ["example.com", "esp32=app.bin", "", "B.pem, C.pem", ""]);
    expect(several.shown).toContain("--key release.pem: file not found");
    expect(empty.has("firmseal.toml")).toBe(false);
  });

  it.skipIf(!hasTerminal)(`refuses a wrong key before the next question${terminalReason}`, async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    p.put("E.pem", quicklyEncrypted(keyC, "secret"));
    p.put("odd.pem", p.get("B.pem"));
    p.put("odd.pub", "odd");
    const before = p.tree();
    const typed = ["example.com", "esp32=app.bin"];
    for (const [args, answers, asked, refusal] of [
      // options: nothing is asked
      [["--key", "gone.pem", "--root", "B.pem", "--root", "C.pem"], typed, 0, "gone.pem: file not found"],
      [["--root", "B.pem", "--root", "gone.pem"], typed, 0, "gone.pem: file not found"],
      [["--key", "A.pem", "--root", "B.pem", "--root", "A.jwk"], typed, 0, "are the same key"],
      [["--key", "E.pem", "--root", "B.pem", "--root", "A.pem"], typed, 0, "E.pem is encrypted, and its public key is not beside it"],
      [["--root", "B.pem"], typed, 0, "--root is given once"],
      [["--lone-key", "--threshold", "2"], typed, 0, "--lone-key and --threshold exclude each other"],
      [["--trust", "gone.trust", "--root", "B.jwk"], typed, 0, "gone.trust: file not found"],
      [["--board", "esp32"], typed, 0, "--board esp32 is not NAME=IMAGE"],
      [["--key", "A.pem", "--threshold", "2"], typed, 0, "--threshold 2: 1 release key is given"],
      [["--name", "release", "--root", "B.pem", "--root", "C.pem"], typed, 0, "release.json would be taken for a file of a release"],
      [["--lone-key", "--key", "odd.pem"], typed, 0, "odd.pub"],
      [["--lone-key", "--key", "app.bin"], typed, 0, "app.bin: not a key in a supported format"],
      [["--lone-key", "--key", "A.jwk"], typed, 0, "--key A.jwk is a public key"],
      // answers: who verifies is not asked any more
      [["--lone-key"], [...typed, "app.bin", ""], 3, "app.bin: not a key in a supported format"],
      [[], [...typed, "A.pem", "B.pem gone.pem", ""], 4, "--root gone.pem: file not found"],
      [[], [...typed, "gone.pem", "B.pem C.pem", ""], 4, "--key gone.pem: file not found"],
      [["--root", "B.pem", "--root", "C.pem"], [...typed, "gone.pem", ""], 3, "--key gone.pem: file not found"],
      [["--lone-key"], [...typed, "odd.pem", ""], 3, "odd.pub"],
      // no list: a second key and a threshold would be lost in silence
      [["--key", "A.pem", "--key", "C.pem"], [...typed, "none", ""], 3, "a second --key needs a list of keys, and only roots sign one"],
      [["--key", "A.pem", "--key", "C.pem", "--threshold", "2"], [...typed, "none", ""], 3, "--threshold needs a list of keys"],
    ] as const) {
      const r = await typeAt(p, ["init", ...args], QUESTIONS, answers);
      expect([r.shown.includes(refusal), r.asked], r.shown).toEqual([true, asked]);
      expect(r.status).not.toBe(0);
      expect(p.tree()).toEqual(before);
    }
  });

  it.skipIf(!hasTerminal)(`asks who verifies, for the roots and their passphrases, or for none${terminalReason}`, async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    p.put("R.pem", quicklyEncrypted(keyC, "secret"));
    const init = ["init", "--vendor", "example.com", "--board", "esp32=app.bin", "--key", "A.pem"];
    const before = p.tree();
    for (const [answers, refusal] of [
      [[""], "--root is missing"],
      [["B.pem"], "--root is given once"],
      [["B.pem C.pem", "MCUboot"], "MCUboot starts images and reads no manifest"],
      [["B.pem C.pem", "c"], "--for c is not known"],
    ] as const) {
      const { status, shown } = await typeAt(p, init, QUESTIONS, answers);
      expect([status, shown.includes(refusal)], shown).toEqual([2, true]);
      expect(p.tree()).toEqual(before);
    }
    const made = await typeAt(p, init, QUESTIONS, ["B.pem R.pem", "generic", "secret"]);
    expect([made.status, made.asked], made.shown).toEqual([0, 3]);
    expect(p.get("firmseal.toml").toString()).toContain('\nfor = "generic"');
    rmSync(p.at("firmseal.toml"));
    const lone = await typeAt(p, init, QUESTIONS, ["none", ""]);
    expect([lone.status, lone.asked], lone.shown).toEqual([0, 2]);
    expect(lone.shown).toContain("no list of keys: if A.pem is lost or stolen, every device must be recalled");
    expect(p.get("firmseal.toml").toString()).not.toMatch(/^for = /m);
  });

  it("without a terminal, names the options that are missing, asks nothing, and refuses invalid values", async () => {
    const p = fresh();
    const before = p.tree();
    const given = ["init", "--vendor", "example.com", "--board", "x=y"];
    for (const [args, message] of [
      [["init"], "--vendor is missing"],
      [["init", "--vendor", "example.com"], "--board is missing"],
      [given, "--root is missing: two roots sign the list of the keys that devices trust"],
    ] as const) {
      const r = await p.run(args);
      expect(expectFailure(r, 2)).toBe(`firmseal: ${message}`);
      expect(r.stderr).not.toContain("?");
    }
    expect((await p.run(given)).stderr).toContain("hint: give --root FILE twice, or --lone-key: ");
    for (const board of ["x", "=y", "x="])
      expect(expectFailure(await p.run(["init", "--vendor", "a.b", "--board", board]), 2)).toContain("is not NAME=IMAGE");
    const named = await p.run(["init", "--vendor", "a.b", "--board", "my board=a b.bin"]);
    expect(expectFailure(named, 2)).toBe('firmseal: --board "my board=a b.bin": a name has letters, digits, and . _ - between them');
    expect(named.stderr).toContain("hint: for example: --board 'my-board=a b.bin'\n");
    const lone = [...given, "--lone-key"];
    expect(expectFailure(await p.run(["init", "--vendor", "a b", ...given.slice(3), "--lone-key"]), 2)).toContain(
      "is neither a UUID nor a name",
    );
    expect(expectFailure(await p.run([...lone, "--board", "x=z"]), 1)).toContain("firmseal.toml:");
    for (const [more, what] of [
      [["--root", "A.pem"], "--root"],
      [["--threshold", "1"], "--threshold"],
      [["--key", "A.pem", "--key", "B.pem"], "a second --key"],
    ] as const)
      expect(expectFailure(await p.run([...lone, ...more]), 2)).toContain(`--lone-key and ${what} exclude each other`);
    expect(p.tree()).toEqual(before);
  });
});
