// --for and --cose-alg: consumers other than the bundles of this project.

import { readdirSync } from "node:fs";
import { signer } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  FACTS,
  image,
  keyB,
  type Place,
  type Result,
  standard,
  words,
} from "../../../test-support/src/command-line/run.js";
import { description } from "../all/command-place.js";

const URI = "https://example.com/fw.bin";
const algs = (p: Place, name: string) => decodeEnvelope(Uint8Array.from(p.get(name))).signatures.map(({ alg }) => alg);
const SIGN = ["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "7", "--out", "a.suit"];

describe("--cose-alg", () => {
  it.each([
    ["B.pem", [], -9],
    ["B.pem", ["--cose-alg", "es256"], -7],
    ["B.pem", ["--cose-alg", "esp256"], -9],
    ["A.pem", [], -19],
    ["A.pem", ["--cose-alg", "eddsa"], -8],
    ["A.pem", ["--cose-alg", "ed25519"], -19],
  ])("%s %j: the signature names %i, and verifies", async (key, more, alg) => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", "7", "--out", "a.suit", ...more]);
    expect(algs(p, "a.suit")).toEqual([alg]);
    await p.ok(["verify", "a.suit", "--key", key.replace("pem", "jwk")]);
  });

  it("accepts one name for each kind of key, and signs with the same numbers as before", async () => {
    const p = standard();
    const two = ["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "7", "--out", "a.suit"];
    await p.ok([...two, "--cose-alg", "es256", "--cose-alg", "eddsa"]);
    expect(algs(p, "a.suit")).toEqual([-8, -7]);
    // a second signature of the same key under the other name does not count
    expect(expectFailure(await p.run(["sign", "a.suit", "--key", "B.pem", "--cose-alg", "esp256"]), 1)).toContain("already signed");
  });

  it.each([
    [["--cose-alg", "es256", "--cose-alg", "esp256"], "es256 and esp256 are for the same keys"],
    [["--cose-alg", "eddsa"], "eddsa: none of the signing keys is an Ed25519 key"],
    [["--cose-alg", "es512"], "is not one of eddsa, ed25519, es256, esp256"],
  ])("%j is wrong use, and nothing is written", async (more, message) => {
    const p = standard();
    const before = p.tree();
    expect(expectFailure(await p.run([...SIGN, ...more]), 2)).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("tbs names it, and attach finds out which was named", async () => {
    const p = standard();
    await p.ok([
      "tbs",
      "fw.bin",
      "--key",
      "B.jwk",
      ...FACTS,
      "--seq",
      "7",
      "--out",
      "a.tbs",
      "--envelope-out",
      "a.suit",
      "--cose-alg",
      "es256",
    ]);
    expect(p.get("a.tbs").includes(Buffer.from("43a10126", "hex"))).toBe(true);
    p.put("a.sig", await signer(keyB).sign(p.get("a.tbs")));
    await p.ok(["attach", "a.suit", "--key", "B.jwk", "--signature", "a.sig"]);
    expect(algs(p, "a.suit")).toEqual([-7]);
    await p.ok(["verify", "a.suit", "--key", "B.jwk"]);
    // a signature over something else counts under neither name
    await p.ok(["create", "--from", p.put("d.json", description()), "--out", "b.suit"]);
    expect(expectFailure(await p.run(["attach", "b.suit", "--key", "B.jwk", "--signature", "a.sig"]), 1)).toContain("not the signature");
  });
});

describe("--for", () => {
  it("ariel-os: es256, no invoke, the image outside, and a line that says what is left out", async () => {
    const p = standard();
    const r = await p.ok([...SIGN, "--for", "ariel-os", "--uri", URI, "--json"]);
    expect(r.json).toMatchObject({
      for: { consumer: "ariel-os", algorithms: ["es256"], givenUp: expect.stringContaining("directive-invoke") },
    });
    expect(algs(p, "a.suit")).toEqual([-7]);
    expect((await p.ok(["inspect", "a.suit"])).stdout).not.toContain("invoke");
    await p.ok(["verify", "a.suit", "--key", "B.jwk", "--for", "ariel-os", "--payload", "fw.bin"]);
    const again = await p.ok([...SIGN, "--for", "ariel-os", "--uri", URI, "--replace"]);
    expect(words(again)).toContainEqual(expect.stringMatching(/^for ariel-os, signed as es256; left out: directive-invoke, /));
  });

  it.each([
    ["ariel-os", [], "payload #firmware is in the envelope", 1],
    ["ariel-os", ["--uri", URI, "--cose-alg", "esp256"], "the signature would name esp256, not es256", 1],
    ["ariel-os", ["--uri", URI, "--key", "A.pem"], "the signature would name ed25519, not es256", 1],
    ["libcsuit", ["--uri", `https://example.com/${"x".repeat(250)}`], "a URI has 270 bytes; the limit is 255", 1],
    ["generic", ["--cose-alg", "es256"], "the signature would name es256, not esp256, ed25519 or hss-lms", 1],
    ["areil-os", [], "'areil-os' is not one of micro, ariel-os, libcsuit, generic; did you mean \"ariel-os\"?", 2],
  ])("%s %j is refused before a key signs, and nothing is written", async (name, more, message, exit) => {
    const p = standard();
    const before = p.tree();
    expect(expectFailure(await p.run([...SIGN, "--for", name, ...more]), exit)).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("a description is not changed: it is refused or accepted; tbs and attach require the same", async () => {
    const p = standard();
    p.put("d.json", description({ invoke: ["directive-invoke"] }));
    const before = p.tree();
    expect(expectFailure(await p.run(["sign", "d.json", "--key", "B.pem", "--for", "ariel-os"]), 1)).toContain("has invoke");
    expect(expectFailure(await p.run(["tbs", "d.json", "--key", "B.jwk", "--for", "ariel-os"]), 1)).toContain("has invoke");
    expect(p.tree()).toEqual(before);
    await p.ok(["sign", "d.json", "--key", "B.pem", "--for", "libcsuit", "--out", "a.suit"]);
    await p.ok(["tbs", "fw.bin", "--key", "B.jwk", ...FACTS, "--seq", "8", "--uri", URI, "--out", "b.tbs", "--envelope-out", "b.suit"]);
    p.put("b.sig", await signer(keyB).sign(p.get("b.tbs")));
    const refused = await p.run(["attach", "b.suit", "--key", "B.jwk", "--signature", "b.sig", "--for", "ariel-os"]);
    expect(expectFailure(refused, 1)).toContain("a signature names algorithm esp256");
    expect(algs(p, "b.suit")).toEqual([]);
    await p.ok(["attach", "b.suit", "--key", "B.jwk", "--signature", "b.sig", "--for", "libcsuit"]);
  });

  it("verify requires the same of any envelope, once its signature is verified", async () => {
    const p = standard();
    await p.ok(SIGN);
    const json = (await p.run(["verify", "a.suit", "--key", "B.jwk", "--for", "ariel-os", "--json"])).json;
    expect(json).toMatchObject({
      ok: false,
      code: 217,
      reason: "CONSUMER",
      exit: 1,
      message: "a.suit: not for ariel-os: a signature names algorithm esp256, not es256",
    });
    await p.ok(["verify", "a.suit", "--key", "B.jwk", "--for", "libcsuit"]);
    expect(expectFailure(await p.run(["verify", "a.suit", "--key", "A.jwk", "--for", "ariel-os"]), 1)).toContain("signature");
  });
});

describe("a product for several consumers", () => {
  const PRODUCT = `name = "acme"
vendor = "example.com"
uri = "https://fw.example.com/{version}/{board}-{slot}.bin"
for = "ariel-os"
cose-alg = "es256"

[keys]
release = "B.pem"

[boards.sensor]
revisions = ["b", "c"]
image = { a = "fw.bin", b = "other.bin" }

[boards.gateway]
image = "fw.bin"
for = "libcsuit"

[boards.own]
image = "fw.bin"
for = "generic"
cose-alg = "esp256"
`;
  const world = (product = PRODUCT) => {
    const p = standard();
    p.keepsLogs = true;
    p.put("other.bin", image(4000, 2));
    p.put("firmseal.toml", product);
    return p;
  };
  const release = (p: Place, ...more: string[]) => p.run(["release", "--version", "1.0.0", "--first", ...more]);
  const refusal = (r: Result, exit: number) => {
    expectExit(r, exit);
    const at = words(r).findIndex((line) => line.startsWith("firmseal: "));
    expect(words(r)[at + 1]).toMatch(/^hint: /);
    return words(r)[at] as string;
  };

  it("gives each board its recipe and its algorithm, and says what is left out", async () => {
    const p = world();
    const r = await p.ok(["release", "--version", "1.0.0", "--first"]);
    expect(words(r)).toContainEqual(expect.stringMatching(/^for ariel-os \(sensor\); left out: directive-invoke/));
    expect(["sensor", "gateway", "own"].map((board) => algs(p, `dist/1.0.0/acme-${board}-1.0.0.suit`))).toEqual([[-7], [-7], [-9]]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
    await p.ok(["verify", "dist/1.0.0/acme-sensor-1.0.0.suit", "--product", "firmseal.toml", "--for", "ariel-os"]);
    // the same again changes nothing
    expect((await p.ok(["release", "--version", "1.0.0", "--json"])).json).toMatchObject({
      state: "unchanged",
      boards: [{ for: "ariel-os" }, {}, {}],
    });
    const one = await p.ok(["sign", "--board", "gateway", "--version", "1.1.0", "--json"]);
    expect(one.json).toMatchObject({ for: { consumer: "libcsuit", algorithms: ["es256"] } });
    expect(expectFailure(await p.run(["sign", "--board", "gateway", "--version", "1.1.1", "--for", "ariel-os"]), 2)).toContain(
      "board gateway of the product file is for libcsuit",
    );
  });

  it("refuses an existing release under another algorithm, and one that was made for another consumer", async () => {
    const p = world();
    await p.ok(["release", "--version", "1.0.0", "--first"]);
    p.put("firmseal.toml", PRODUCT.replace('"es256"', '"esp256"').replace('for = "ariel-os"\n', ""));
    expect(refusal(await release(p), 1)).toContain("has version 1.0.0 of board sensor with other content");
    p.put("firmseal.toml", PRODUCT.replace('for = "libcsuit"\n', 'for = "libcsuit"\ncose-alg = "esp256"\n'));
    expect(refusal(await release(p), 1)).toContain("board gateway is signed as es256, not as esp256");
    expect(refusal(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), 1)).toContain(
      "names algorithm es256, and firmseal.toml says esp256",
    );
    p.put("firmseal.toml", PRODUCT.replace('for = "libcsuit"\n', 'for = "ariel-os"\n'));
    expect(refusal(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), 1)).toContain(
      "not for ariel-os: the manifest has invoke",
    );
  });

  it.each([
    [
      "an image inside",
      PRODUCT.replace('revisions = ["b", "c"]', "inside = true"),
      [],
      "not for ariel-os: payload #firmware-a is in the envelope",
    ],
    ["a key of another kind", PRODUCT.replace("B.pem", "A.pem"), [], "firmseal.toml:"],
    [
      "another algorithm on the command line",
      PRODUCT,
      ["--cose-alg", "esp256"],
      "not for ariel-os: the signature would name esp256, not es256",
    ],
    ["an unknown consumer", PRODUCT.replace('"ariel-os"', '"ariel"'), [], "firmseal.toml:4:"],
    ["an unknown algorithm", PRODUCT.replace('"es256"', '"rs256"'), [], "firmseal.toml:5:"],
    ["two algorithms for one kind of key", PRODUCT.replace('"es256"', '["es256", "esp256"]'), [], "es256 and esp256 are for the same keys"],
  ])("refuses %s, and writes nothing", async (_, product, more, message) => {
    const p = world(product);
    expect(refusal(await release(p, ...more), 1)).toContain(message);
    expect(p.has("dist")).toBe(false);
    expect(p.has("B.pem.log")).toBe(false);
  });

  it("a dry run requires it too, without a key", async () => {
    const p = world(PRODUCT.replace('revisions = ["b", "c"]', "inside = true").replace("B.pem", "pkcs11:token=none"));
    expect(refusal(await release(p, "--dry-run"), 1)).toContain("payload #firmware-a is in the envelope");
  });

  it.each(["version", "given"])("a board with micro verifiers has no text: numbers are those of %s", async (source) => {
    const p = world(`name = "acme"
vendor = "example.com"
for = "micro"

[keys]
release = "B.pem"

[sequence]
source = "${source}"

[boards.tiny]
image = "fw.bin"
`);
    const made = await p.ok(["release", "--version", "1.4.2", "--first", ...(source === "given" ? ["--seq", "7"] : [])]);
    expect(made.stderr).not.toContain("leaves little room");
    const file = "dist/1.4.2/acme-tiny-1.4.2.suit";
    await p.ok(["verify", file, "--key", "B.jwk", "--for", "micro"]);
    await p.ok(["verify", "dist/1.4.2", "--product", "firmseal.toml"]);
    await p.ok(["verify", file, "--product", "firmseal.toml"]);
    const record = p.get("dist/1.4.2/release.json").toString();
    p.put("dist/1.4.2/release.json", record.replaceAll('"1.4.2"', '"1.4.3"'));
    expect(refusal(await p.run(["verify", "dist/1.4.2", "--product", "firmseal.toml"]), 1)).toContain(
      "is version 1.4.3, not the one that its folder is named after",
    );
    // the same image with its version, for others
    const one = await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--version", "1.5.0", "--out", "b.suit", "--for", "micro"]);
    expect(one.stderr).not.toContain("leaves little room");
    await p.ok(["verify", "b.suit", "--key", "B.jwk", "--for", "micro"]);
  });

  it("init writes it", async () => {
    const p = standard();
    await p.ok([
      "init",
      "--vendor",
      "example.com",
      "--board",
      "sensor=fw.bin",
      "--key",
      "B.pem",
      "--lone-key",
      "--for",
      "ariel-os",
      "--cose-alg",
      "es256",
    ]);
    const text = p.get("firmseal.toml").toString();
    expect(text).toMatch(/^for = "ariel-os"/m);
    expect(text).toMatch(/^cose-alg = "es256"$/m);
    expect(refusal(await release(p), 1)).toContain("payload #firmware is in the envelope");
    p.put("firmseal.toml", text.replace(/^# uri/m, "uri"));
    await p.ok(["release", "--version", "1.0.0", "--first"]);
    const [file] = readdirSync(p.at("dist/1.0.0")).filter((name) => name.endsWith(".suit"));
    expect(algs(p, `dist/1.0.0/${file}`)).toEqual([-7]);
  });
});
