// firmseal extract: the image of a release, compared with the manifest before anything is written.

import { rmSync, symlinkSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectFailure, FACTS, image, type Place, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { CLASSES, fetched, identity, release } from "../verify/described-place.js";
import { copyOf, PRODUCT, released, world } from "./product-place.js";

const KEY = ["--key", "A.jwk"];

/** A refusal, after which nothing is written. */
async function refused(p: Place, args: readonly string[], exit: number): Promise<string> {
  const before = p.tree();
  const r = await p.run(["extract", ...args]);
  expectFailure(r, exit);
  expect(p.tree()).toEqual(before);
  return r.stderr;
}

describe("extract", () => {
  it("writes the image that a trusted key has signed", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const r = await p.ok(["extract", "fw.suit", "--out", "out.bin", ...KEY]);
    expect(r.stderr).toMatch(/^out\.bin: 5,000 bytes, the image of component 0 of fw\.suit, sequence number 7, signed by ed25519 /);
    expect(p.get("out.bin").equals(p.get("fw.bin"))).toBe(true);
    const { json } = await p.ok(["extract", "-", "--out", "-", ...KEY, "--json"], { input: p.get("fw.suit") });
    expect(Buffer.from(json["data"] as string, "base64").equals(p.get("fw.bin"))).toBe(true);
    expect(json).toMatchObject({
      verified: true,
      sequence: "7",
      component: 0,
      uri: "#firmware",
      signers: [{ alg: "ed25519" }],
      bytes: 5000,
    });
    // the same image again, under a higher number
    await p.ok(["sign", "out.bin", "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "again.suit"]);
  });

  it("needs a trusted key, unless an image of anybody is accepted: what is extracted may be signed again", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const none = await refused(p, ["fw.suit", "--out", "out.bin"], 2);
    expect(none).toContain("no trusted keys: what is extracted may be signed again");
    expect(none).toContain("--allow-unverified takes an image of anybody");
    expect(await refused(p, ["fw.suit", "--out", "out.bin", "--key", "B.jwk"], 1)).toContain("refused: ");
    expect(await refused(p, ["fw.suit", "--out", "out.bin", ...KEY, "--allow-unverified"], 2)).toContain("trusted keys are given too");
    const r = await p.ok(["extract", "fw.suit", "--out", "out.bin", "--allow-unverified"]);
    expect(r.stderr).toContain("warning: fw.suit: its signatures were not checked: anybody can have made this image");
    expect(r.stderr).toContain("signatures not verified");
    expect((await p.ok(["extract", "fw.suit", "--out", "-", "--allow-unverified", "--json"])).json).toMatchObject({
      verified: false,
      signers: [],
    });
  });

  it("replaces no file, and follows no link", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    symlinkSync("elsewhere", p.at("link"));
    for (const out of ["fw.bin", "fw.suit", "A.pem", "link"])
      expect(await refused(p, ["fw.suit", "--out", out, ...KEY], 2), out).toContain("exists already and is never overwritten");
  });

  it("refuses a changed image, and a payload that is another one", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const changed = Buffer.from(p.get("fw.suit"));
    const at = changed.indexOf(p.get("fw.bin").subarray(0, 64));
    changed[at] = (changed[at] as number) ^ 1;
    p.put("changed.suit", changed);
    for (const whom of [KEY, ["--allow-unverified"]])
      expect(await refused(p, ["changed.suit", "--out", "out.bin", ...whom], 1)).toContain(
        "payload #firmware: an image does not match its signed digest",
      );

    await signImage(p, 8, "far.suit", ["--uri", "https://example.com/far.bin"]);
    const far = await refused(p, ["far.suit", "--out", "out.bin", ...KEY], 1);
    expect(far).toContain("far.suit: the image is not in the envelope: devices fetch https://example.com/far.bin");
    expect(far).toContain("hint: put it beside the envelope, or give it with --payload FILE");
    p.put("far.bin", image(5000, 9));
    expect(await refused(p, ["far.suit", "--out", "out.bin", ...KEY], 1)).toContain("an image does not match its signed digest");
    p.put("far.bin", image(4999));
    expect(await refused(p, ["far.suit", "--out", "out.bin", "--allow-unverified"], 1)).toContain(
      "refused: payload https://example.com/far.bin (far.bin): it has 4,999 bytes, and the manifest says 5,000",
    );
    rmSync(p.at("far.bin"));
    await p.ok(["extract", "far.suit", "--out", "out.bin", ...KEY, "--payload", "fw.bin"]);
    expect(p.get("out.bin").equals(p.get("fw.bin"))).toBe(true);
  });

  it("asks which image, and gives what is copied, but not what commands write", async () => {
    const p = standard();
    const out = ["--allow-unverified", "--out"];
    const index = (n: number) => ({ "directive-set-component-index": n });
    await release(p, "two", {
      components: [["app"], ["data"]],
      shared: [index(0), ...identity(CLASSES[0])],
      install: [index(0), ...fetched("#app"), index(1), ...fetched("#data")],
    });
    expect(await refused(p, ["two.suit", ...out, "x"], 2)).toContain(
      "two.suit has several images: component 0, slot 0 (#app), component 1",
    );
    await p.ok(["extract", "two.suit", ...out, "x", "--component", "1"]);
    expect(p.get("x").toString()).toBe("#data");
    for (const choice of [
      ["--component", "2"],
      ["--slot", "1"],
    ])
      expect(await refused(p, ["two.suit", ...out, "y", ...choice], 2)).toContain(
        "it has component 0, slot 0 (#app), component 1, slot 0 (#data)",
      );
    expect(await refused(p, ["two.suit", ...out, "y", "--component=-1"], 2)).toContain("give a whole number");

    const copy = { "source-component": 1, image: { payload: "#app" } };
    await release(p, "copied", {
      components: [["app"], ["download"]],
      shared: [index(0), ...identity(CLASSES[0])],
      install: [
        index(1),
        ...fetched("#app"),
        index(0),
        { "directive-override-parameters": copy },
        "directive-copy",
        "condition-image-match",
      ],
    });
    await p.ok(["extract", "copied.suit", ...out, "copy", "--component", "0"]);
    expect(p.get("copy").toString()).toBe("#app");

    const written = { content: { hex: "616263" }, "image-digest": { hex: sha256Hex(Buffer.from("abc")) }, "image-size": 3 };
    await release(p, "written", { install: [{ "directive-override-parameters": written }, "directive-write", "condition-image-match"] });
    expect(await refused(p, ["written.suit", ...out, "y"], 1)).toContain("written.suit has no image that is a payload with a digest");
  });

  it.each<[string, string, number, string]>([
    ["an image", "fw.bin", 1, "not a SUIT envelope"],
    ["a key", "A.pem", 1, "not a SUIT envelope"],
    ["nothing", "gone", 3, "gone"],
    ["a folder of other files", "fold", 2, "fold is a folder, not a file, and has no release.json"],
  ])("refuses %s", async (_, name, exit, words) => {
    const p = standard();
    p.folder("fold");
    expect(await refused(p, [name, "--out", "out.bin", ...KEY], exit)).toContain(words);
    // what it is comes before what belongs to it
    expect(await refused(p, [name, "--out", "out.bin", ...KEY, "--board", "b"], exit)).toContain(words);
    await signImage(p, 7, "one.suit");
    expect(await refused(p, ["one.suit", "--out", "out.bin", ...KEY, "--board", "b"], 2)).toContain("for one board");
  });
});

describe("extract from the folder of a release", () => {
  let made: Place;
  beforeAll(async () => {
    made = world();
    await released(made, "1.0.0", "--first");
  });

  it("gives the image of a board and a slot, by the keys of the product file", async () => {
    const p = copyOf(made);
    await p.ok(["extract", "dist/1.0.0", "--board", "puck", "--out", "last.js"]);
    expect(p.get("last.js").toString()).toBe("print(1)\n");
    await p.ok(["extract", "dist/1.0.0", "--board", "esp32", "--slot", "1", "--out", "b.bin"]);
    expect(p.get("b.bin").equals(p.get("build/b.bin"))).toBe(true);
    // it is what the next release is made from
    p.put("firmseal.toml", p.get("firmseal.toml").toString().replace("app.js", "last.js"));
    await released(p, "1.1.0");
    expect((await p.ok(["diff", "dist/1.0.0", "dist/1.1.0", "--board", "puck"])).stdout).toContain("nothing else changes");
  });

  it("refuses several boards and several slots, other keys, and what somebody has changed", async () => {
    const p = copyOf(made);
    const out = ["--out", "out.bin"];
    expect(await refused(p, ["dist/1.0.0", ...out], 2)).toContain("hint: choose one: --board NAME");
    expect(await refused(p, ["dist/1.0.0", ...out, "--board", "esp32"], 2)).toContain("hint: choose one: --component N or --slot N");
    expect(await refused(p, ["dist/1.0.0", ...out, "--board", "puck", "--product", "firmseal.toml", ...KEY], 2)).toContain(
      "the product file gives the trusted keys",
    );
    expect(await refused(p, ["dist/1.0.0", ...out, "--board", "puck", "--key", "C.jwk"], 1)).toContain("refused: ");
    p.put("dist/1.0.0/esp32-a.bin", image(3000, 77));
    expect(await refused(p, ["dist/1.0.0", ...out, "--board", "esp32", "--slot", "0"], 1)).toContain("has changed since it was released");
  });

  it("by a product file, refuses a release of another product, and of another board", async () => {
    const p = copyOf(made);
    const out = ["--out", "x"];
    // signed by the same key
    p.put("other.toml", PRODUCT.replace('"gateway"', '"fridge"').replace('class = "gateway-esp32"\n', ""));
    await p.ok(["release", "--version", "9.0.0", "--first", "--product", "other.toml", "--out", "elsewhere", "puck"]);
    expect(await refused(p, ["elsewhere/9.0.0", ...out], 1)).toContain("is a release of fridge");
    expect(await refused(p, ["elsewhere/9.0.0/fridge-puck-9.0.0.suit", ...out], 1)).toContain("is not for a board of gateway");
    // a record that lies about its boards
    const text = p.get("dist/1.0.0/release.json").toString();
    const lie = text
      .replaceAll('"board": "esp32"', '"board": "-"')
      .replaceAll('"board": "puck"', '"board": "esp32"')
      .replaceAll('"-"', '"puck"');
    p.put("dist/1.0.0/release.json", lie);
    p.put(
      "dist/1.0.0/SHA256SUMS",
      p
        .get("dist/1.0.0/SHA256SUMS")
        .toString()
        .replace(/^\S+(?= .release\.json)/m, sha256Hex(lie)),
    );
    expect(lie).not.toBe(text);
    await refused(p, ["dist/1.0.0", ...out, "--board", "esp32", "--slot", "0"], 1);
  });

  it("refuses a release that others still have to sign", async () => {
    const p = world(
      PRODUCT.replace(/\[keys\]\n.*/, '[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2').replace(
        /\[boards\.esp32\][\s\S]*(?=\[boards\.puck\])/,
        "",
      ),
    );
    await released(p, "1.0.0", "--first", "--key", "A.pem");
    const said = await refused(p, ["dist/1.0.0", "--out", "x.js"], 1);
    expect(said).toContain("1 of 2 signed");
    expect(said).toContain("hint: others still have to sign it: firmseal verify dist/1.0.0 --missing");
    await p.ok(["extract", "dist/1.0.0", "--out", "x.js", "--allow-unverified"]);
  });
});
