// firmseal report: what it refuses, what it says beside the page, and that the page is always the same.

import { generateKeyPairSync } from "node:crypto";
import { truncateSync, unlinkSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, image, type Place, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { brief, copyOf, forge, PRODUCT, released, world } from "../product/product-place.js";

describe("firmseal report", () => {
  it.each([
    ["a key that has not signed", ["fw.suit", "--key", "B.jwk", "--out", "x.html"], 1, "refused"],
    ["a name that is not a page", ["fw.suit", "--key", "A.jwk", "--out", "fw.suit"], 2, "is not the name of an HTML file"],
    ["no envelope", ["fw.bin", "--key", "A.jwk", "--out", "x.html"], 1, "not a SUIT envelope"],
    ["half a device", ["fw.suit", "--key", "A.jwk", "--out", "x.html", "--vendor", "a.com"], 2, "one of them is missing"],
    ["an unknown simulated device", ["fw.suit", "--key", "A.jwk", "--out", "x.html", "--device", "toaster"], 2, "unknown device"],
  ])("refuses %s, and writes nothing", async (_, args, exit, words) => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const before = p.tree();
    expect(expectFailure(await p.run(["report", ...args]), exit)).toContain(words);
    expect(p.tree()).toEqual(before);
  });

  it("says in one sentence why it cannot make a page", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    p.put("cut.suit", p.get("fw.suit").subarray(0, 60));
    p.put("noise.suit", image(500));
    p.put("empty.suit", "");
    p.put("huge.suit", p.get("fw.suit"));
    truncateSync(p.at("huge.suit"), 2 ** 31);
    const { publicKey: rsa } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    p.put("rsa.pem", rsa);
    for (const [args, exit, words] of [
      [["cut.suit", "--key", "A.jwk"], 1, "the CBOR ends before the item does"],
      [["noise.suit", "--key", "A.jwk"], 1, "not a SUIT envelope"],
      [["empty.suit", "--key", "A.jwk"], 1, "empty.suit"],
      [["huge.suit", "--key", "A.jwk"], 2, "huge.suit is too large"],
      [["fw.suit", "--key", "rsa.pem"], 2, "rsa.pem"],
      [["missing.suit", "--key", "A.jwk"], 3, "file not found"],
    ] as const)
      expect(expectFailure(await p.run(["report", ...args, "--out", "x.html"]), exit)).toContain(words);
    expect(p.has("x.html")).toBe(false);
  });

  it("takes the trusted keys from the product file, if it is that of the release", async () => {
    const p = world(brief(PRODUCT));
    await released(p, "1.0.0", "--first");
    const report = ["report", "dist/1.0.0", "--out", "x.html"];
    const signers = async (...more: string[]) => {
      const { boards } = (await p.ok([...report, ...more, "--json"])).json as { boards: { signers: { thumbprint: string }[] }[] };
      return boards.map((one) => one.signers.map(({ thumbprint }) => thumbprint));
    };
    expect(await signers()).toEqual(await signers("--key", "A.jwk"));
    p.put("firmseal.toml", `${brief(PRODUCT)}[trust]\nkeys = "B.jwk"\n`);
    expectFailure(await p.run(report), 1);
    await p.ok([...report, "--key", "A.jwk"]);
    p.put("firmseal.toml", brief(PRODUCT).replace('"gateway"', '"fridge"'));
    expect(expectFailure(await p.run(report), 2)).toContain("no trusted keys: --key and --trust are missing");
  });

  describe("with the keys of the product file", () => {
    const PUBLIC = `${brief(PRODUCT)}[trust]\nkeys = "A.jwk"\n`;
    const FOLDER = "dist/1.0.0";
    const ENVELOPE = `${FOLDER}/gateway-puck-1.0.0.suit`;
    let made: Place;
    beforeAll(async () => {
      made = world(PUBLIC);
      await released(made, "1.0.0", "--first");
    }, 120_000);

    it("shows a folder and an envelope of it", async () => {
      const p = copyOf(made);
      for (const path of [FOLDER, ENVELOPE]) await p.ok(["report", path, "--out", "x.html"]);
    });

    const change = (from: string, to: string) => (p: Place) => p.put("firmseal.toml", PUBLIC.replace(from, to));
    it.each<[string, (p: Place) => unknown, string, string]>([
      ["a key that devices do not trust", change("A.jwk", "B.jwk"), "refused", FOLDER],
      ["a key that devices do not trust", change("A.jwk", "B.jwk"), "refused", ENVELOPE],
      ["too few signers", change('keys = "A.jwk"', 'keys = ["A.jwk", "B.jwk"]\nthreshold = 2'), "refused", FOLDER],
      ["another algorithm name", change('vendor = "example.com"', 'vendor = "example.com"\ncose-alg = "eddsa"'), "names algorithm", FOLDER],
      ["the envelope of another product", change("[boards.puck]", '[boards.puck]\nclass = "other"'), "is not for a board", ENVELOPE],
      ["a damaged product file", change("[trust]", "[trust"), "firmseal.toml", ENVELOPE],
      ["a record that nobody signed", (p) => forge(p, (record) => Object.assign(record, { signatures: [] })), "release.json", FOLDER],
      ["the envelope of a withdrawn release", (p) => p.ok(["withdraw", "1.0.0", "--reason", "bad"]), "was withdrawn", ENVELOPE],
      ["no trusted key that is there", (p) => unlinkSync(p.at("A.jwk")), "A.jwk", FOLDER],
    ])("refuses what verify refuses: %s, %#", async (_, damage, says, path) => {
      const p = copyOf(made);
      await damage(p);
      const before = p.tree();
      const verified = await p.run(["verify", path]);
      const reported = await p.run(["report", path, "--out", "x.html"]);
      expect([verified.exit === 0, reported.exit, reported.stderr]).toEqual([false, verified.exit, verified.stderr]);
      expect(expectFailure(reported, verified.exit as number)).toContain(says);
      expect(p.tree()).toEqual(before);
    });
  });

  it("says which payload was neither in the envelope nor beside it", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--uri", "https://example.com/other.bin", "--out", "fw.suit"]);
    const args = ["report", "fw.suit", "--key", "A.jwk", "--out", "fw.html"];
    expect((await p.ok(args)).stderr).toContain("payload not checked: https://example.com/other.bin\n");
    p.put("other.bin", p.get("fw.bin"));
    expect((await p.ok([...args, "--json"])).json).toMatchObject({ payloadsNotChecked: [] });
  });

  it("refuses a release whose devices trust different keys, even if some only trust more of them", async () => {
    const p = standard();
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "board",
      sequence: 1,
      anchors: [
        { key: "C.jwk", roles: ["root"] },
        { key: "A.jwk", roles: ["release"] },
        { key: "B.jwk", roles: ["release"], vendor: "example.com", class: "board-v2" },
      ],
      thresholds: { root: 1, release: 1 },
    };
    p.put("t.json", JSON.stringify(list));
    await p.ok(["trust", "create", "--from", "t.json"]);
    await p.ok(["trust", "sign", "t.trust", "--key", "C.pem"]);
    const branch = (id: string) => [
      { "directive-override-parameters": { "vendor-identifier": "cfbff0d1-9375-5685-968c-48ce8b15ae17", "class-identifier": id } },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ];
    const [v2, v3] = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "d041272d-edb5-558c-998f-144424bbea1f"] as const;
    p.put(
      "two.json",
      JSON.stringify({
        $schema: "urn:firmseal:manifest:1",
        sequence: 3,
        components: [[{ hex: "00" }]],
        "shared-sequence": [{ "directive-try-each": [branch(v2), branch(v3)] }],
        install: [{ "directive-override-parameters": { uri: "#f", image: { payload: "#f" } } }, "directive-fetch", "condition-image-match"],
        validate: [{ "directive-override-parameters": { image: { payload: "#f" } } }, "condition-image-match"],
        payloads: { "#f": "#f" },
      }),
    );
    // devices of board-v3 refuse it
    await p.ok(["sign", "two.json", "--key", "B.pem", "--out", "two.suit"]);
    const report = ["report", "two.suit", "--trust", "t.trust", "--root", "C.jwk", "--out", "x.html"];
    expect(expectFailure(await p.run(report), 2)).toContain("trust different keys");
    await p.ok([...report, ...FACTS]);
  });

  it("makes the same page from the same release", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    for (const name of ["a.html", "b.html"]) await p.ok(["report", "fw.suit", "--key", "A.jwk", "--out", name], { env });
    expect(p.get("a.html").equals(p.get("b.html"))).toBe(true);
    expect(p.get("a.html").toString()).toContain("2023-11-14T22:13:20Z");
  });
});
