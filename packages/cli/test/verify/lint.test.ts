// lint looks at one release and at folders of them: what it takes, and what it says about what it did not look at.

import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectFailure, image, type Place, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { described, type Found, fetched, linted, override, PRODUCT, product, signed } from "./lint-place.js";

/** A release that starts its image. `before`: commands before the fetch. */
const started = (p: Place, name: string, uri: string, before: unknown[] = []) =>
  described(p, name, {
    sequence: name === "old" ? 2 : 3,
    install: [...before, ...fetched(uri)],
    validate: [override({ image: { payload: uri } }), "condition-image-match"],
    invoke: ["directive-invoke"],
  });

describe("lint", () => {
  it("checks all releases of a folder, each against the previous one for its devices", async () => {
    const p = standard();
    for (const [folder, seq] of [
      ["old", 7],
      ["new", 7],
    ] as const) {
      p.folder(folder);
      for (const name of ["board-v2", "board-v3"])
        await p.ok([
          "sign",
          "fw.bin",
          "--key",
          "A.pem",
          "--vendor",
          "example.com",
          "--class",
          name,
          "--seq",
          String(seq + (folder === "new" && name === "board-v3" ? 1 : 0)),
          "--out",
          `${folder}/${name}.suit`,
          ...(folder === "new" ? ["--version", "2.0.0"] : []),
        ]);
    }
    const { findings } = await linted(p, ["new", "--previous-release", "old"]);
    expect(findings.filter(({ rule }) => rule === "L10")).toMatchObject([
      { path: "new/board-v2.suit", message: "sequence number 7 is not higher than 7 of old/board-v2.suit" },
    ]);
  });

  it("finds a release that does not start, and one that cannot be installed over the previous one", async () => {
    const p = standard();
    const found = async (rule: string, ...args: string[]) => (await linted(p, args)).findings.filter((one) => one.rule === rule);
    const cuts = (...args: string[]) => found("L34", ...args);
    await described(p, "dead", { install: fetched("#f"), invoke: ["directive-invoke"] });
    expect([...(await found("L30", "dead.suit")), ...(await cuts("dead.suit"))]).toMatchObject([{ rule: "L30" }]);
    const before = [override({ "image-digest": { hex: sha256Hex("#new") }, "image-size": 4 }), "condition-image-match"];
    await started(p, "fw", "#f", before);
    expect(await cuts("fw.suit", "--previous-release", await started(p, "old", "#old"))).toMatchObject([
      { message: "without a power cut, the installation fails: an image does not match its signed digest" },
    ]);
    // a generated release before is not the one that it is for
    expect(await cuts("fw.suit")).toEqual([]);
  });

  it("accepts the same release again after it was published", async () => {
    const p = standard();
    await signed(p, 7);
    expect((await linted(p, ["fw.suit", "--previous-release", "fw.suit"])).findings.map(({ rule }) => rule)).toEqual(["L40"]);
  });

  it("takes release, release before and policy from the product file", async () => {
    const p = standard();
    p.keepsLogs = true;
    product(p);
    p.put("bom.json", '{ "spdxVersion": "SPDX-2.3" }');
    await p.ok(["release", "--version", "1.0.0", "--first", "--seq", "5"]);
    await p.ok(["release", "--version", "1.1.0", "--seq", "6"]);
    product(p, '[policy]\nsbom = "bom.json"\nsuite = "cnsa2"\n');
    const { findings, skipped, exit } = await linted(p, []);
    expect({ exit, findings: findings.map(({ rule, path }) => [rule, path]), skipped: skipped.map(({ name }) => name) }).toEqual({
      exit: 1,
      findings: ["L50", "L51", "L51"].map((rule) => [rule, "dist/1.1.0/gateway-main-1.1.0.suit"]),
      // the product file names no trust file
      skipped: [],
    });
    // what is there already is compared with what was before it
    expect((await linted(p, ["dist/1.0.0"])).findings.filter(({ rule }) => rule === "L10")).toEqual([]);
  });

  it("finds a number that is not that of the version", async () => {
    const p = standard();
    product(p);
    p.put("firmseal.toml", PRODUCT.replace("given", "version"));
    await signed(p, 7, "fw.suit", ["--version", "1.2.0"]);
    expect((await linted(p, ["fw.suit"])).findings).toMatchObject([
      { rule: "L12", message: "is version 1.2.0, and 7 is not the number of that version" },
      { rule: "L40" },
    ]);
    await signImage(p, 7, "fw.suit");
    expect((await linted(p, ["fw.suit"])).findings[0]).toMatchObject({ rule: "L12", message: expect.stringMatching(/^names no version/) });
  });

  it("reads an envelope from stdin", async () => {
    const p = standard();
    await signed(p, 7);
    const r = await p.run(["lint", "-", "--json"], { input: p.get("fw.suit") });
    expect(r.json).toMatchObject({ ok: true, releases: ["-"], findings: [{ rule: "L40" }] });
    expect((r.json as unknown as Found).skipped.map(({ name }) => name)).not.toContain("power-cut");
  });

  it("says what it did not check", async () => {
    const p = standard();
    await signed(p, 7, "fw.suit", ["--uri", "https://example.com/elsewhere.bin"]);
    const { stderr } = await p.ok(["lint", "fw.suit"]);
    expect(stderr).toContain("not checked: L34 power-cut: put the payloads beside the envelope, or give them: --payload FILE");
    expect(stderr).toContain("not checked: L10 number-not-raised: give the previous release: --previous-release FILE");
    const { skipped } = await linted(p, ["fw.suit", "--payload", "fw.bin"]);
    expect(skipped.map(({ name }) => name)).not.toContain("power-cut");
  });

  it("finds a payload that is not the one that was signed", async () => {
    const p = standard();
    await signed(p, 7, "fw.suit", ["--uri", "https://example.com/fw.bin"]);
    p.put("fw.bin", image(5000, 2));
    expect((await linted(p, ["fw.suit"])).findings[0]).toMatchObject({ rule: "L30", message: expect.stringContaining("IMAGE_MISMATCH") });
  });

  it.each([
    ["no release", [], 2, "lint needs a release, or a product file in this folder"],
    ["a folder without releases", ["empty"], 2, "empty has no release"],
    ["something else", ["fw.bin"], 1, "fw.bin: not a SUIT envelope"],
    ["a file that is not there", ["none.suit"], 3, "none.suit"],
    ["a release before for others", ["fw.suit", "--previous-release", "v3.suit"], 2, "v3.suit is not for the devices of fw.suit"],
    ["a product file that is not there", ["fw.suit", "--product", "none.toml"], 3, "none.toml"],
    ["SARIF on stdout", ["fw.suit", "--sarif-out", "-"], 2, "--sarif-out -: stdout is already used"],
    ["SARIF over the release", ["fw.suit", "--sarif-out", "fw.suit"], 2, "would replace fw.suit"],
    ["a root without a trust file", ["fw.suit", "--root", "A.jwk"], 2, "a root is for a trust file"],
    ["an unknown severity", ["fw.suit", "--fail-on", "fatal"], 2, "--fail-on"],
    ["a payload for a folder", [".", "--payload", "fw.bin"], 2, "--payload is for one envelope"],
  ])("refuses %s", async (_, args, exit, words) => {
    const p = standard();
    p.folder("empty");
    await signed(p, 7);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "board-v3", "--seq", "1", "--out", "v3.suit"]);
    expect(expectFailure(await p.run(["lint", ...args]), exit)).toContain(words);
  });
});
