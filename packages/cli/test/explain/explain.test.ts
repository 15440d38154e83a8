// firmseal explain: what devices do with a release, in words and in JSON.

import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, type Place, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { PRODUCT, released, world } from "../product/product-place.js";
import { CLASSES, fetched, identity, release, setImage, VENDOR } from "../verify/described-place.js";

const explained = async (p: Place, ...args: string[]) => (await p.ok(["explain", ...args])).stdout.trimEnd().split("\n");

describe("explain", () => {
  it("shows what a device does with an image, signed or not", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const lines = await explained(p, "fw.suit");
    expect(lines.map((line) => line.replace(/ \([\d,]+ bytes, sha-256 [0-9a-f]{16}…\)/, " (IMAGE)"))).toEqual([
      "fw.suit: sequence number 7 (signatures not verified)",
      expect.stringMatching(/^vendor cfbff0d1-\S+, class [0-9a-f-]{36}:$/),
      "  installation:",
      "    1. gets #firmware, which the envelope contains, into the component (IMAGE)",
      "    2. checks that the component has the image (IMAGE)",
      "  start:",
      "    1. checks that the component has the image (IMAGE)",
      "    2. starts the component",
    ]);
    const { json } = await p.ok(["explain", "fw.suit", "--json"]);
    expect(json).toMatchObject({
      verified: false,
      sequence: "7",
      components: [["00"]],
      others: 0,
      behaviours: [
        {
          devices: [{ vendor: VENDOR }],
          install: [{ what: "fetch", component: 0, uri: "#firmware", inside: true }, { what: "compare" }, { what: "compare" }],
          start: [{ what: "compare" }, { what: "start", component: 0 }],
        },
      ],
    });
  });

  it("distinguishes slots, and devices that have the image from those that do not", async () => {
    const p = standard();
    const perSlot = (slot: number, uri: string) => [
      { "directive-override-parameters": { "component-slot": slot } },
      "condition-component-slot",
      setImage(uri),
    ];
    const once = { "directive-try-each": [["condition-image-match"], ["directive-fetch", "condition-image-match"]] };
    await release(p, "ab", { install: [{ "directive-try-each": [perSlot(0, "#a"), perSlot(1, "#b")] }, once] });
    const lines = await explained(p, "ab.suit");
    const heads = lines.filter((line) => line.startsWith("vendor"));
    expect(heads.map((line) => line.replace(/^.*?, (slot)/, "$1"))).toEqual([
      "slot 0, with this image already installed:",
      "slot 0, without this image:",
      "slot 1, with this image already installed:",
      "slot 1, without this image:",
    ]);
    expect((await explained(p, "ab.suit", "--slot", "1")).join("\n")).toMatch(
      /slot 1, without this image:\n {2}installation:\n {4}1\. gets #b,/,
    );
    expect(lines.filter((line) => line.includes("gets #a"))).toHaveLength(1);
  });

  it("shows what a device with another release does, and the device does it", async () => {
    const p = standard();
    const DEVICE = ["--dir", "dev", "--key", "A.jwk", ...FACTS];
    await signImage(p, 7, "fw.suit");
    await p.ok(["install", "fw.suit", ...DEVICE]);
    p.put("other.bin", "another image");
    await p.ok(["sign", "other.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--allow-sequence-reuse", "--out", "same.suit"]);
    await signImage(p, 6, "old.suit", ["--allow-lower-sequence"]);
    await signImage(p, 8, "new.suit");
    const LOWER = "  refuses: the sequence number is lower than the lowest that is accepted (ROLLBACK)";
    const SAME =
      "the device has sequence number 7: it refuses every release with this number, but for the one that it has (SEQUENCE_TAKEN)";
    for (const [file, second, last, code] of [
      ["old.suit", "the device has sequence number 7", LOWER, 38],
      ["fw.suit", SAME, "    2. starts the component", 0],
      ["same.suit", SAME, "    2. starts the component", 101],
      ["new.suit", "the device has sequence number 7", "    2. starts the component", 0],
    ] as const) {
      const lines = await explained(p, file, "--installed", "7");
      expect([file, lines[1], lines.at(-1)]).toEqual([file, second, last]);
      expect([file, (await p.run(["install", file, ...DEVICE, "--json"])).json["code"]]).toEqual([file, code]);
    }
    const { json } = await p.ok(["explain", "old.suit", "--installed", "7", "--json"]);
    expect(json).toMatchObject({
      installed: { sequence: "7" },
      behaviours: [{ devices: [{ vendor: VENDOR }], install: [], start: [], refused: { during: "install", code: 38 } }],
    });
  });

  it("accepts the version that a device has, if versions have numbers", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--version", "1.4.2", "--out", "fw.suit"]);
    for (const [version, refuses] of [
      ["1.4.3", true],
      ["1.4.2", false],
      ["1.4.2-rc.1", false],
    ] as const) {
      const { json } = await p.ok(["explain", "fw.suit", "--installed", version, "--json"]);
      expect(json).toMatchObject({ version: "1.4.2", sequence: "281492156743680", installed: { version } });
      expect([version, (json["behaviours"] as { refused?: object }[])[0]?.refused !== undefined]).toEqual([version, refuses]);
    }
    expect((await explained(p, "fw.suit", "--installed", "1.4.1"))[1]).toBe(
      "the device has version 1.4.1, sequence number 281492156678144",
    );
    for (const bad of ["1.4", "x", "-1", "18446744073709551616"])
      expectFailure(await p.run(["explain", "fw.suit", `--installed=${bad}`]), 2);
    const logged = world(`${PRODUCT}\n[sequence]\nsource = "log"\n`);
    await released(logged, "1.4.2", "--first");
    const file = "dist/1.4.2/gateway-puck-1.4.2.suit";
    await logged.ok(["explain", file, "--board", "puck", "--installed", "1"]);
    expect(expectFailure(await logged.run(["explain", file, "--board", "puck", "--installed", "1.4.1"]), 2)).toContain(
      "--installed 1.4.1: the sequence numbers of gateway come from log, not from the version",
    );
  });

  it("groups devices that behave alike, and names what a device refuses", async () => {
    const p = standard();
    const board = (classId: string, ...more: unknown[]) => [...identity(classId), ...more];
    await release(p, "two", {
      shared: [{ "directive-try-each": CLASSES.map((id) => board(id)) }],
      install: fetched("#f"),
    });
    const { json } = await p.ok(["explain", "two.suit", "--json"]);
    expect(json["behaviours"]).toMatchObject([{ devices: CLASSES.map((id) => ({ vendor: VENDOR, class: id })) }]);
    await release(p, "odd", { install: [...fetched("#f"), "directive-invoke"] });
    expect((await explained(p, "odd.suit")).join("\n")).toContain("refuses:");
    expect(await explained(p, "two.suit", "--vendor", VENDOR, "--class", CLASSES[1])).toContainEqual(
      expect.stringContaining(`class ${CLASSES[1]}:`),
    );
  });

  it.each([
    ["a start of an image that was not compared", [], ["directive-invoke"], "refuses: ", "INVOKE_UNVERIFIED"],
    [
      "a swap of a component with itself",
      [{ "directive-override-parameters": { "source-component": 0 } }, "directive-swap"],
      [],
      "refuses: ",
      "NOT_SUPPORTED",
    ],
    ["more bytes than the size", [setImage("#f", { content: "longer" }), "directive-write"], [], "refuses: ", "PAYLOAD_SIZE"],
  ] as const)("says about %s what devices say", async (_, more, invoke, words, name) => {
    const p = standard();
    await release(p, "odd", { install: [...fetched("#f"), ...more], ...(invoke.length > 0 && { invoke: [...invoke] }) });
    expect((await explained(p, "odd.suit")).at(-1)).toMatch(new RegExp(`^ {2}${words}.* \\(${name}\\)$`));
  });

  it("says that a swap names no digest for its source", async () => {
    const p = standard();
    await release(p, "swap", {
      components: [["a"], ["b"]],
      shared: [{ "directive-set-component-index": 0 }, ...identity(CLASSES[0])],
      install: [
        { "directive-set-component-index": 0 },
        { "directive-override-parameters": { "image-digest": { algorithm: "sha-256", hex: "00".repeat(32) }, "source-component": 1 } },
        "directive-swap",
      ],
    });
    expect((await explained(p, "swap.suit")).at(-1)).toContain(
      "refuses: the manifest writes a component without an image digest (DIGEST_UNSET)",
    );
  });

  it("agrees with the test vectors about releases whose commands devices refuse", async () => {
    const { readVectors } = await import("../../../../test-vectors/index.mjs");
    const p = standard();
    const rules = [errors.NOT_SUPPORTED, errors.IDENTITY_UNCHECKED, errors.INVOKE_UNVERIFIED, errors.INVOKE_MISPLACED] as number[];
    type Played = { name: string; action: string; envelope: string; expect: { code: number }; trust?: object };
    const played = (readVectors("refused") as unknown as Played[])
      .filter(({ action, expect: { code } }) => (action === "install" || action === "boot") && rules.includes(code))
      // a key that is limited to some devices, which explain does not look at
      .filter(({ name }) => !/^(scope|single)-/.test(name));
    expect(played.length).toBeGreaterThan(12);
    for (const { name, envelope, expect: expected } of played) {
      p.put("v.suit", Buffer.from(envelope, "hex"));
      const { json } = await p.ok(["explain", "v.suit", "--json"]);
      expect([name, json["behaviours"]]).toEqual([
        name,
        [expect.objectContaining({ refused: expect.objectContaining({ code: expected.code }) })],
      ]);
    }
  });

  it("has a limit for all that it tries, also at the start", async () => {
    const p = standard();
    const many = Array.from({ length: 100 }, (_, i) => [
      { "directive-override-parameters": { "class-identifier": `00000000-0000-4000-8000-${String(i).padStart(12, "0")}` } },
      "condition-class-identifier",
    ]);
    await release(p, "long", {
      shared: [...identity(CLASSES[0]).slice(0, 2), { "directive-try-each": many }],
      install: fetched("#f"),
      invoke: [setImage("#f"), ...Array.from({ length: 3000 }, () => "condition-image-match")],
    });
    expect(expectFailure(await p.run(["explain", "long.suit"]), 1)).toContain("takes more than 524,288 commands");
  });

  it("never gives two components one name", async () => {
    const p = standard();
    await release(p, "one", { components: [[{ hex: "00ff" }]], install: fetched("#f") });
    await release(p, "two", { components: [["00ff"]], install: fetched("#f") });
    const { stdout } = await p.ok(["diff", "one.suit", "two.suit"]);
    expect(stdout).toContain("no longer the component 00ff\nnew: the component 30306666\n");
  });

  it("names components and their sources", async () => {
    const p = standard();
    const components = [["boot"], ["app", { hex: "00" }]];
    await release(p, "copy", {
      components,
      shared: [{ "directive-set-component-index": true }, ...identity(CLASSES[0])],
      install: [
        { "directive-set-component-index": 1 },
        ...fetched("#f"),
        { "directive-set-component-index": 0 },
        setImage("#f", { "source-component": 1 }),
        "directive-copy",
        "condition-image-match",
      ],
    });
    const text = (await explained(p, "copy.suit")).join("\n");
    expect(text).toContain("copies component app/00 to component boot (2 bytes, sha-256 ");
  });

  it.each([
    ["no envelope", ["fw.bin"], 1, "not a SUIT envelope"],
    ["another device", ["fw.suit", "--vendor", "example.org", "--class", "x"], 2, "is not for this device"],
    ["a slot that the release is not for", ["fw.suit", "--slot", "7"], 2, "is not for this device"],
    ["half a device", ["fw.suit", "--vendor", "example.org"], 2, "one of them is missing"],
    ["a slot that is not a number", ["fw.suit", "--slot", "x"], 2, "option '--slot <n>': 'x' is not valid"],
  ])("refuses %s", async (_, args, exit, words) => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    expect(expectFailure(await p.run(["explain", ...args]), exit)).toContain(words);
  });

  it("names the options that leave no device", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    expect((await p.run(["explain", "fw.suit", "--slot", "7"])).stderr).toContain("hint: drop --slot to see");
    const other = ["--vendor", "example.org", "--class", "x"];
    expect((await p.run(["explain", "fw.suit", ...other])).stderr).toContain("hint: drop --vendor, --class to see");
  });

  it("shows hostile names as text", async () => {
    const p = standard();
    await release(p, "evil", { components: [["\u001b[31mred\u202e"]], install: fetched("#f") });
    expect((await p.ok(["explain", "evil.suit"])).stdout).not.toMatch(/[\u202e]/);
  });
});

describe("explain of a product", () => {
  const ESP32 = "dist/1.0.0/gateway-esp32-1.0.0.suit";
  const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-/;

  it("--board shows the devices of one board, with the names of the product file", async () => {
    const p = world();
    await released(p, "1.0.0");
    const all = await explained(p, ESP32);
    expect(all.join("\n")).not.toMatch(UUID);
    const lines = await explained(p, ESP32, "--board", "esp32", "--slot", "1");
    expect(lines.filter((line) => line.endsWith(":")).slice(0, 2)).toEqual([
      "vendor example.com, class gateway-esp32-1; vendor example.com, class gateway-esp32-2, slot 1:",
      "  installation:",
    ]);
    const { json } = await p.ok(["explain", ESP32, "--board", "esp32", "--json"]);
    expect(Object.values(json["names"] as object).sort()).toEqual(["example.com", "gateway-esp32-1", "gateway-esp32-2", "gateway-puck"]);
    expect((await p.ok(["explain", ESP32, "--json"])).json).not.toHaveProperty("names");
  });

  it("--board refuses a board that the product or the release does not have", async () => {
    const p = world();
    await released(p, "1.0.0");
    const fails = async (exit: number, ...args: string[]) => expectFailure(await p.run(["explain", ESP32, ...args]), exit);
    expect(await fails(1, "--board", "esp23")).toContain('firmseal.toml has no board "esp23"; did you mean "esp32"?');
    expect(await fails(2, "--board", "puck")).toContain("is not for this device");
    expect(await fails(2, "--board", "esp32", "--vendor", "example.com", "--class", "x")).toContain("--board: the product file says");
    expect(await fails(3, "--product", "gone.toml", "--board", "esp32")).toContain("gone.toml: file not found");
  });
});
