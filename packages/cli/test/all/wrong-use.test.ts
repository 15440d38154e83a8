// Wrong use of the command line, and the words for it. Nothing is signed or written.

import { chmodSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  FACTS,
  image,
  keyA,
  keyC,
  type Place,
  quicklyEncrypted,
  signImage,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { hasTerminal, terminalReason, typeAt } from "../../../test-support/src/command-line/terminal.js";

const SIGN = ["sign", "fw.bin", "--key", "A.pem", ...FACTS];

/** Both lines of a failure. */
async function refused(p: Place, args: readonly string[], exit = 2): Promise<string> {
  const r = await p.run(args);
  expectFailure(r, exit);
  return r.stderr;
}

describe("options", () => {
  it.each([
    [[...SIGN, "--seq", "1", "--vendor", "e.com"], "option '--vendor <vendor>' is given twice"],
    [[...SIGN, "--seq", "1", "--seq=1"], "option '--seq <n>' is given twice"],
    [["verify", "fw.suit", "--key", "A.jwk", "--threshold", "1", "--threshold", "2"], "'--threshold <n>' is given twice"],
    [[...SIGN, "--seq", "18446744073709551616"], "give a number below 2^64"],
    [[...SIGN, "--seq", "99999999999999999999999999999999"], "give a number below 2^64"],
    [["verify", "fw.suit", "--key", "foo:bar"], "key sources: a file, env:NAME, "],
    [["verify", "fw.suit", "--key", "A.jwk", "--threshold", "2"], "only one key is given"],
    [["verify", "fw.suit", "--key", "A.jwk", "--key", "A.pem", "--threshold", "2"], "only one key is given"],
    [["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "3"], "only 2 different keys are given"],
  ])("%j: %s", async (args, words) => {
    const p = standard();
    const before = p.tree();
    expect(await refused(p, args)).toContain(words);
    expect(p.tree()).toEqual(before);
  });

  it("that may be repeated are", async () => {
    const p = standard();
    await p.ok([...SIGN, "--key", "B.pem", "--seq", "1", "--json", "--json"]);
    await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "2"]);
  });

  it("--version is an answer only if nothing else is asked", async () => {
    const p = standard();
    for (const flag of ["--version", "-V"]) {
      expect((await p.ok([flag])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      for (const line of [
        ["relase", flag, "1.0.1"],
        ["relase", flag],
        [flag, "relase"],
        ["--json", "relase", flag, "1.0.1"],
      ])
        expect((await p.run(line)).stderr + (await p.run(line)).stdout, line.join(" ")).toContain(`unknown command 'relase'; did you mean`);
      for (const line of [
        ["relase", flag, "1.0.1"],
        [flag, "1.0.1"],
        [flag, "--bogus"],
        ["tokn", "list", flag],
      ])
        await refused(p, line);
      for (const line of [
        [flag, "release"],
        [flag, "token", "list"],
        [flag, "sign", "fw.bin"],
        ["--json", flag],
        [flag, flag],
      ])
        expectExit(await p.run(line), 2);
      expect(await refused(p, [flag, "release"])).toContain("option '--version' must be the only argument");
    }
  });

  it("for all commands may come before the command", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    const behind = await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--json"]);
    expect((await p.ok(["--json", "verify", "fw.suit", "--key", "A.jwk"])).stdout).toBe(behind.stdout);
    expect((await p.ok(["--quiet", "--json", "verify", "fw.suit", "--key", "A.jwk"])).stderr).toBe("");
    expect((await p.run(["--json"])).json).toMatchObject({ ok: false, reason: "USAGE", message: "no command given" });
    expect(await refused(p, ["--quiet"])).toContain("no command given");
  });

  it("--quiet leaves warnings and failures", async () => {
    const p = standard();
    const r = await p.ok([...SIGN, "--seq", "18446744069414584320", "--allow-sequence-jump", "--quiet"]);
    expect(r.stderr).toMatch(/^warning: sequence number 18446744069414584320 leaves little room[^\n]*\n$/);
    expect((await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--quiet"])).stderr).toBe("");
    expect(await refused(p, ["verify", "fw.suit", "--key", "B.jwk", "--quiet"], 1)).toContain("firmseal:");
    expect((await p.ok(["verify", "fw.suit", "--key", "A.jwk"])).stderr).toContain("good");
  });

  it("after a command are the command's, also --version", async () => {
    const r = await standard().run(["verify", "fw.suit", "--key", "A.jwk", "--version"]);
    expectExit(r, 2);
    expect(r.stdout).toBe("");
  });
});

describe("JSON that a person wrote", () => {
  const broken = '{"sequence": 1,\n "components": [["00"]],,\n "x": "hunter2"}';
  it.each([
    ["create", ["create", "--from", "x.json"], 1],
    ["sign", ["sign", "x.json", "--key", "A.pem"], 1],
    ["trust create", ["trust", "create", "--from", "x.json"], 1],
    ["rotate plan", ["rotate", "plan", "--fleet", "x.json", "--release", "fw.suit"], 1],
  ])("is reported with line and column, without its text: %s", async (_, args, exit) => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    p.put("x.json", broken);
    const words = await refused(p, args, exit);
    expect(words).toContain("x.json: not JSON (line 2, column 25)");
    expect(words).not.toContain("hunter2");
  });
});

describe("an empty file", () => {
  it.each([
    [["verify", "x", "--key", "A.jwk"], 1],
    [["inspect", "x"], 1],
    [["explain", "x"], 1],
    [["lint", "x"], 1],
    [["diff", "x", "fw.suit"], 1],
    [["sign", "x", "--key", "A.pem"], 1],
    [["pubkey", "x"], 2],
  ] as const)("is reported as such, not as a wrong kind of file: %j", async (args, exit) => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    p.put("x", "");
    expect(await refused(p, args, exit)).toMatch(/^firmseal: x: the file is empty$/m);
  });

  it.each([
    [["create", "--from", "x.json"]],
    [["trust", "create", "--from", "x.json"]],
    [["rotate", "plan", "--fleet", "x.json", "--release", "fw.suit"]],
  ])("is not JSON: %j", async (args) => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    p.put("x.json", "\n");
    expect(await refused(p, args, 1)).toMatch(/x\.json: not JSON: it is empty$/m);
  });
});

describe("what an image needs", () => {
  it("is reported before the prompt for the passphrase of the key", async () => {
    const p = standard();
    p.put("E.pem", quicklyEncrypted(keyC, "secret"));
    for (const given of [[], ["--vendor", "example.com", "--class", "board-v2"], ["--seq", "1", "--vendor", "example.com"]])
      expect(await refused(p, ["sign", "fw.bin", "--key", "E.pem", ...given])).toContain("an image needs --");
  });
});

describe("payloads outside the envelope", () => {
  const fetched = (index: number, uri: string, file: string) => [
    { "directive-set-component-index": index },
    { "directive-override-parameters": { uri, image: { file } } },
    "directive-fetch",
    "condition-image-match",
  ];
  const identity = [
    {
      "directive-override-parameters": {
        "vendor-identifier": "cfbff0d1-9375-5685-968c-48ce8b15ae17",
        "class-identifier": "7ef25e26-57d5-563d-bec7-161eb72060bb",
      },
    },
    "condition-vendor-identifier",
    "condition-class-identifier",
  ];

  async function two(shared: unknown[], ...more: string[]): Promise<{ p: Place; stderr: string }> {
    const p = standard();
    p.put("one.bin", image(10));
    p.put("two.bin", image(20));
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 3,
      components: [[{ hex: "00" }], [{ hex: "01" }]],
      "shared-sequence": shared,
      install: [...fetched(0, "http://a/one", "one.bin"), ...fetched(1, "http://a/two", "two.bin")],
      validate: [{ "directive-set-component-index": 0 }],
    };
    p.put("d.json", JSON.stringify(description));
    const { stderr } = await p.ok(["sign", "d.json", "--key", "A.pem", ...more]);
    return { p, stderr };
  }
  const verify = (...files: string[]) => ["verify", "d.suit", "--key", "A.jwk", ...files.flatMap((file) => ["--payload", file])];

  it("are named, if one file is given for two of them", async () => {
    const { p, stderr } = await two([{ "directive-set-component-index": true }, ...identity]);
    expect(stderr).not.toContain("warning");
    await p.ok(verify("http://a/one=one.bin", "http://a/two=two.bin"));
    expect((await p.ok([...verify("http://a/one=one.bin"), "--without-payloads", "--json"])).json).toMatchObject({
      payloadsNotChecked: ["http://a/two"],
    });
    expect(await refused(p, verify("one.bin"), 1)).toContain("one file was given for 2 payloads: name each, --payload URI=FILE");
    expect(await refused(p, verify("http://a/one=two.bin"), 1)).toContain(
      "payload http://a/one (two.bin): it has 20 bytes, and the manifest says 10",
    );
    expect(await refused(p, verify("http://a/three=one.bin"), 1)).toContain("the release fetches http://a/one, http://a/two");
    expect(await refused(p, verify("one.bin", "two.bin"), 1)).toContain("name the payload: --payload URI=FILE");
  });

  it("of a release that no device accepts have the true reason", async () => {
    // a condition before a component is chosen
    const { p, stderr } = await two(identity, "--allow-no-device");
    expect(stderr).toContain("warning: devices will refuse this release: a command runs before a component is chosen (INDEX_UNSET)");
    expect(await refused(p, [...verify(), "--without-payloads"], 1)).toContain("INDEX_UNSET");
    expect(await refused(p, verify("http://a/one=one.bin"), 1)).toContain("a command runs before a component is chosen");
  });

  it("of a device with two identities are refused by devices with one of them alone", async () => {
    const p = standard();
    const [set, ...conditions] = identity;
    const other = { "directive-override-parameters": { "vendor-identifier": "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe" } };
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 3,
      components: [[{ hex: "00" }]],
      install: [set, ...conditions, other, "condition-vendor-identifier"],
      validate: [set, ...conditions],
    };
    p.put("d.json", JSON.stringify(description));
    const { stderr } = await p.ok(["sign", "d.json", "--key", "A.pem"]);
    expect(stderr.match(/^warning: .*$/gm)).toEqual([
      expect.stringContaining("devices will refuse this release, unless they have all its identities"),
    ]);
  });
});

describe("a release at the output", () => {
  it("goes beside its input", async () => {
    const p = standard();
    p.folder("build");
    p.put("build/app.bin", image(10));
    await p.ok(["sign", "build/app.bin", "--key", "A.pem", ...FACTS, "--seq", "1"]);
    expect(p.has("build/app.suit")).toBe(true);
    expect((await p.ok(["tbs", "build/app.suit", "--key", "B.jwk", "--json"])).json).toMatchObject({
      tbs: [{ out: expect.stringMatching(/^build\/app\.[0-9a-f]{16}\.tbs$/) }],
    });
  });

  const rival = (board: string, seq: string, ...more: string[]) => [
    ...["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", board, "--seq", seq],
    ...more,
  ];
  it.each([
    ["another board's", rival("board-v3", "9"), "is a release for other devices"],
    ["a newer one", rival("board-v2", "4"), "has the higher sequence number 5 (this one: 4)"],
  ])("is not replaced: %s", async (_, args, words) => {
    const p = standard();
    p.keepsLogs = true;
    await signImage(p, 5, "fw.suit");
    const before = p.tree();
    expect(await refused(p, [...args, "--allow-lower-sequence"])).toContain(words);
    // nothing was recorded either
    expect(p.tree()).toEqual(before);
    await p.ok([...args, "--allow-lower-sequence", "--replace"]);
  });

  it("is not replaced by create and tbs", async () => {
    const p = standard();
    await signImage(p, 5, "fw.suit");
    const facts = ["--vendor", "example.com", "--class", "board-v2", "--seq", "4"];
    expect(await refused(p, ["tbs", "fw.bin", "--key", "A.jwk", ...facts])).toContain("higher sequence number 5");
    const commands = { install: [{ "directive-set-component-index": 0 }] };
    p.put("fw.json", JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 9, components: [[{ hex: "00" }]], ...commands }));
    expect(await refused(p, ["create", "--from", "fw.json"])).toContain("is a release for other devices");
    await p.ok(["create", "--from", "fw.json", "--replace"]);
  });

  it("is replaced by the next one, and by itself", async () => {
    const p = standard();
    for (const seq of [5, 5, 6]) await signImage(p, seq, "fw.suit");
    await p.ok(["sign", "fw.suit", "--key", "B.pem"]);
  });
});

describe("pubkey --out", () => {
  it("writes what stdout gets, and never over a private key", async () => {
    const p = standard();
    for (const format of ["pem", "raw", "jwk"]) {
      const { json } = await p.ok(["pubkey", "A.pem", "--format", format, "--json"]);
      const r = await p.ok(["pubkey", "A.pem", "--format", format, "--out", "a.pub"]);
      expect(r.stdout).toBe("");
      expect(p.get("a.pub")).toEqual(Buffer.from((json as { data: string }).data, format === "raw" ? "base64" : "utf8"));
    }
    expect(await refused(p, ["pubkey", "A.pem", "--out", "A.pem"])).toContain("would replace A.pem");
    expect(await refused(p, ["pubkey", "A.pem", "--out", "B.pem"])).toContain("is a private key");
  });
});

describe.skipIf(!hasTerminal)(`on a terminal${terminalReason}`, () => {
  it.each([
    [[...SIGN, "--seq", "1", "--out", "-"], "--out: stdout is a terminal"],
    [["pubkey", "A.pem", "--format", "raw"], "--format raw: stdout is a terminal"],
    [["tbs", "fw.suit", "--key", "B.jwk", "--out", "-"], "--out: stdout is a terminal"],
  ])("nothing binary is shown: %j", async (args, words) => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    const { status, shown } = await typeAt(p, args);
    expect([status, shown]).toEqual([2, expect.stringContaining(words)]);
    // a NUL or a control sequence of the output; colours are ours
    expect(stripVTControlCharacters(shown)).toMatch(/^[\r\n -~]*$/);
  });

  const encrypted = () => {
    const p = standard();
    p.put("one.pem", quicklyEncrypted(keyA, "first"));
    p.put("two.pem", quicklyEncrypted(keyC, "second"));
    return p;
  };
  const both = ["sign", "fw.bin", "--key", "one.pem", "--key", "two.pem", ...FACTS, "--seq", "1"];
  const PROMPT = /Passphrase for/g;

  it("a mistyped passphrase may be typed again, three times for each key", async () => {
    const p = encrypted();
    const good = await typeAt(p, both, PROMPT, ["x", "y", "first", "z", "second"]);
    expect([good.status, good.asked], good.shown).toEqual([0, 5]);
    expect(good.shown.match(/warning:.* one\.pem: wrong passphrase/g)).toHaveLength(2);
    const bad = await typeAt(p, both, PROMPT, ["x", "y", "z", "first"]);
    expect([bad.status, bad.asked], bad.shown).toEqual([3, 3]);
  });

  it("the modes of all keys are checked before the first prompt", async () => {
    const p = encrypted();
    chmodSync(p.at("two.pem"), 0o644);
    const { status, shown } = await typeAt(p, both, PROMPT, ["first", "second"]);
    expect([status, shown]).toEqual([3, expect.stringContaining("two.pem: a private key that others can read")]);
    expect(shown).not.toContain("Passphrase");
  });
});

it("a passphrase from a variable is tried once", async () => {
  const p = standard();
  p.put("e.pem", quicklyEncrypted(keyC, "right"));
  const r = await p.run(["pubkey", "e.pem", "--passphrase-env", "P"], { env: { P: "wrong" } });
  expect([r.exit, r.stderr.match(/wrong passphrase/g)], r.stderr).toEqual([3, ["wrong passphrase"]]);
});
