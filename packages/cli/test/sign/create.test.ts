import { privateKey, splitEnvelope } from "@firmseal/signer";
import { errors, open } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectExit, expectFailure, image, privateJwk } from "../../../test-support/src/command-line/run.js";
import { haveVectors, SPEC_P256, SPEC_P256_PRIVATE, vectorBytes } from "../../../test-support/src/vectors.js";
import { description, manifestOf, place, SCHEMA, trustA } from "../all/command-place.js";

const specKey = privateKey("es256", SPEC_P256_PRIVATE);

describe("create", () => {
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
    // for people, with grouped digits
    expect((await p.ok(["inspect", "d.suit"])).stdout).toContain("  set image-size = 5,000 bytes\n");
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
    expect(splitEnvelope(Uint8Array.from(p.get("sub/d.suit"))).payloads.get("#fw")).toEqual(image(100, 9));
  });

  it.each([
    [{ components: [] }, "/components: at least 1 item needed"],
    [
      { components: [[{ hex: "0" }]] },
      "/components/0/0/hex: the value does not have the right form (hexadecimal digits, two for each byte)",
    ],
    [
      { components: [[]], text: { en_US: { "update-description": "x" } } },
      '/text: "en_US" does not have the right form (a language tag, such as en or de-CH)',
    ],
  ])("says what is wrong with %j", async (part, words) => {
    const p = place();
    p.put("d.json", JSON.stringify({ $schema: SCHEMA, sequence: 1, ...part }));
    expect((await p.run(["create", "--from", "d.json", "--json"])).json).toMatchObject({
      exit: 1,
      message: `--from d.json: ${words}`,
    });
  });

  it("distinguishes the formats by $schema", async () => {
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
      "an old description that is invalid",
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

  it("refuses endless nesting, and names that no object may have", async () => {
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

  it("a file of the description that is missing, or not a file", async () => {
    const p = place();
    p.put("d.json", description({ payloads: { "#fw": { file: "gone.bin" } } }));
    expect(expectFailure(await p.run(["create", "--from", "d.json"]), 3)).toContain("gone.bin");
    p.folder("gone.bin");
    expectFailure(await p.run(["create", "--from", "d.json"]), 2);
  });
});

const vectors = haveVectors ? "" : " (skipped: the third-party vectors are not here)";
describe.skipIf(!haveVectors)(`the official examples from their JSON descriptions${vectors}`, () => {
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
      // Example 4 decompresses while it copies. Devices cannot do that, so no device could start it.
      const allowed = n === "4" ? ["--allow-no-start"] : [];
      const signing = ["--key", "spec.jwk", "--allow-test-key", "spec-p256"];
      if (n === "4") expectFailure(await p.run(["sign", "example4.json", ...signing]), 1);
      await p.ok(["sign", `example${n}.json`, ...signing, ...allowed]);
      for (const file of files) expect(sha256Hex(p.get(`example${n}.suit`)), file).toBe(sha256Hex(vectorBytes(file)));
      p.put("official.suit", vectorBytes(`suit/manifest-spec/example${n}.signed.suit`));
      expect((await p.run(["verify", "official.suit", "--key", "pub.raw", "--without-payloads", ...allowed, "--json"])).json).toMatchObject(
        {
          ok: true,
          sequence: n,
        },
      );
      expect(manifestOf(p.get("official.suit"))).toBe(manifestOf(p.get(`example${n}.suit`)));
      // create and sign, one after the other
      await p.ok(["create", "--from", `example${n}.json`, "--out", "u.suit"]);
      await p.ok(["sign", "u.suit", ...signing, ...allowed]);
      expect(p.get("u.suit").equals(p.get(`example${n}.suit`))).toBe(true);
    });
  }

  it("severed and unsevered, of example 2, are inspected, and verified if devices can install them", async () => {
    const p = place();
    p.put("pub.raw", SPEC_P256);
    for (const [name, present] of [
      ["example2.signed.suit", true],
      ["example2.signed.severed.suit", false],
    ] as const) {
      p.put(name, vectorBytes(`suit/manifest-spec/${name}`));
      const { exit, json: verdict } = await p.run(["verify", name, "--key", "pub.raw", "--without-payloads", "--json"]);
      expect([exit, verdict]).toMatchObject(present ? [0, { ok: true }] : [1, { ok: false, code: errors.SEVERED_ABSENT }]);
      const who = await p.run(["whosigned", name, "--key", "pub.raw", "--json"]);
      expectExit(who, 0);
      const json = (await p.ok(["inspect", name, "--json"])).json as { severed: { present: boolean }[] };
      expect(json.severed.map((s) => s.present)).toEqual([present, present]);
    }
  });
});
