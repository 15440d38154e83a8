// A release is refused for what costs least first: before its images are read if that is enough, and otherwise before the
// power is cut on simulated devices, which takes seconds for each board.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { keyC, logEntries, type Place, quicklyEncrypted } from "../../../../test-support/src/command-line/run.js";
import { brief, copyOf, PRODUCT, refusal, release, released, world } from "../product-place.js";

type Refused = [what: string, words: string, exit: number, args: string[], change?: (p: Place) => void];

const put = (text: string) => (p: Place) => void p.put("firmseal.toml", text);
const trusting = (line: string) => put(`${PRODUCT}\n[trust]\n${line}\n`);

/** Needs no image. */
const CHEAP: Refused[] = [
  ["an invalid version", '"1.0" is not a version', 2, ["1.0"]],
  ["a lower version", "version 0.9.0 is lower than 1.0.0", 1, ["0.9.0"]],
  ["a skipped major version", "version 3.0.0 skips major versions after 1.0.0", 1, ["3.0.0"]],
  ["the same in a log that is named", "skips major versions after 1.0.0", 1, ["3.0.0", "--log", "A.pem.log"]],
  ["a board that there is not", 'has no board "pick"', 1, ["1.0.1", "pick"]],
  ["a previous release that is not there", "--previous-release gone", 3, ["1.0.1", "--previous-release", "gone"]],
  [
    "a previous release of another product",
    "dist/1.0.0 is a release of gateway by example.com, not of fridge",
    1,
    ["1.0.1", "--out", "other", "--previous-release", "dist/1.0.0"],
    put(PRODUCT.replace('"gateway"', '"fridge"')),
  ],
  ["a release to compare with that is not there", "--diff gone", 3, ["1.0.1", "--diff", "gone"]],
  ["a number where numbers are those of versions", "--seq: the sequence numbers of gateway come from version", 2, ["1.0.1", "--seq", "7"]],
  ["a role without a trust file", "--role: firmseal.toml has no trust file", 2, ["1.0.1", "--role", "debug"]],
  ["a SARIF file in the release", "--sarif-out dist/1.0.1/x is in the folder", 2, ["1.0.1", "--sarif-out", "dist/1.0.1/x"]],
  ["an approval without an approver", "--approval: --approver is missing", 2, ["1.0.1", "--approval", "gone"]],
  ["an approval that is not there", "gone", 3, ["1.0.1", "--approver", "B.jwk", "--approval", "gone"]],
  ["a key that is not there", "gone.pem", 3, ["1.0.1"], put(PRODUCT.replace("A.pem", "gone.pem"))],
  ["a trusted key that is not there", "gone.pub", 3, ["1.0.1"], trusting('keys = "gone.pub"')],
  ["a trust file that is not there", "gone.cbor", 3, ["1.0.1"], trusting('file = "gone.cbor"')],
  ["a rule that there is not", '"L52" is not a rule', 1, ["1.0.1"], put(`${PRODUCT}\n[policy]\nwaivers = [{ rule = "L52" }]\n`)],
  ["a folder that is a file", "other", 3, ["1.0.1", "--out", "other"], (p) => void p.put("other", "a file")],
  [
    "a release folder that is there",
    "dist/1.0.1 exists already",
    2,
    ["1.0.1"],
    (p) => {
      mkdirSync(p.at("dist/1.0.1"));
      writeFileSync(p.at("dist/1.0.1/notes"), "mine");
    },
  ],
];

/** A folder in which a file with a short name fits, and none with a long one. */
const DEEP = Array(20).fill("d".repeat(195)).join("/");

const encrypted = put(PRODUCT.replace("A.pem", "secret.pem"));

/** Needs the images, or the key, and no power cut. */
const BEFORE_CUTS: Refused[] = [
  ["an image that is not there", "app.js", 1, ["1.0.1"], (p) => rmSync(p.at("app.js"))],
  [
    "an image that is larger than its slot",
    "and its slot has 65,536",
    1,
    ["1.0.1"],
    (p) => void p.put("build/b.bin", new Uint8Array(70000)),
  ],
  [
    "a file whose path is too long",
    "the name is too long",
    3,
    ["1.0.1", "--out", DEEP],
    put(PRODUCT.replace("{board}-{slot}.bin", `${"x".repeat(240)}-{slot}.bin`)),
  ],
  ["a number that another build has", "was signed for another manifest", 1, ["1.0.0"], (p) => rmSync(p.at("dist"), { recursive: true })],
  ["the same version with other content", "with other content", 1, ["1.0.0"]],
  ["an error of lint", "L50 cnsa2-signature", 1, ["1.0.1"], put(`${PRODUCT}\n[policy]\nsuite = "cnsa2"\n`)],
  ["a key that devices do not trust", "a device of class", 1, ["1.0.1"], trusting('keys = "B.jwk"')],
  ["fewer keys than devices ask for", "a device of class", 1, ["1.0.1"], trusting('keys = ["A.jwk", "B.jwk"]\nthreshold = 2')],
  ["a COSE algorithm of another kind of key", "--cose-alg", 2, ["1.0.1", "--cose-alg", "es256"]],
  [
    "a public key",
    "is a public key",
    2,
    ["1.0.1"],
    (p) => {
      put(PRODUCT.replace("A.pem", "A.jwk"))(p);
    },
  ],
  ["a lost passphrase", "secret.pem: wrong passphrase", 3, ["1.0.1", "--passphrase-env", "WRONG"], encrypted],
];

async function expectRefused(p: Place, [, words, exit, args, change]: Refused): Promise<void> {
  change?.(p);
  const [tree, log] = [p.tree(), logEntries(p)];
  const [version, ...more] = args as [string, ...string[]];
  const r = await p.run(["release", "--version", version, ...more], { env: { WRONG: "wrong" } });
  expect(refusal(r, exit)).toContain(words);
  expect(r.stderr).not.toContain("power cuts");
  expect(p.tree()).toEqual(tree);
  expect(logEntries(p)).toEqual(log);
}

describe("a release is refused", () => {
  const made = world();
  beforeAll(async () => {
    await released(made, "1.0.0");
  });

  /** A product with one release, 1.0.0, and the images of a changed build. */
  function afterOne(): Place {
    const p = copyOf(made);
    p.put("app.js", "print(2)\n");
    return p;
  }

  it.each(CHEAP)("before its images are read: %s", async (...row) => {
    const p = afterOne();
    // whatever reads images fails for this reason
    rmSync(p.at("app.js"));
    await expectRefused(p, row);
  });

  it.each(BEFORE_CUTS)("before the power is cut: %s", async (...row) => {
    const p = afterOne();
    // one row needs it
    if (row[4] === encrypted) p.put("secret.pem", quicklyEncrypted(keyC, "a long passphrase"));
    await expectRefused(p, row);
  });

  it("and made, once the power was cut", async () => {
    const p = afterOne();
    const r = await released(p, "1.0.1");
    expect(r.stderr).toMatch(/^puck: \d+ power cuts, and \d+ during recovery: each ends well$/m);
    expect((await released(p, "3.0.0", "--allow-sequence-jump")).stderr).toContain("is signed because of --allow-sequence-jump");
  });

  it("by the log under its locks too, if others have signed while the power was cut", async () => {
    const p = world(brief(PRODUCT).replace("A.pem", "env:KEY"));
    const env = { KEY: p.get("A.pem").toString() };
    await p.ok(["release", "--version", "1.0.0", "--first"], { env });
    const r = await p.run(["release", "--version", "3.0.0"], { env });
    expect(refusal(r, 1)).toContain("skips major versions after 1.0.0");
    expect(r.stderr).not.toContain("power cuts");
    const withoutKey = await release(p, "1.0.1");
    expect(withoutKey.exit, String(withoutKey)).not.toBe(0);
  });
});

describe("approvals of a release of two boards", () => {
  const approve = async (p: Place, folder: string, ...names: string[]) => {
    for (const name of names)
      for (const board of ["esp32", "puck"])
        await p.ok(["approve", `${folder}/gateway-${board}-1.0.0.suit`, "--key", `${name}.pem`, "--out", `${name}-${board}.approval`]);
  };
  const given = (...files: string[]) => files.flatMap((file) => ["--approval", `${file}.approval`]);

  it("are each for one board, and none is missing or for something else", async () => {
    const p = world();
    // the same release, signed by another key: an approval is for the manifest
    p.put("other.toml", PRODUCT.replace("A.pem", "C.pem"));
    await released(p, "1.0.0", "--product", "other.toml", "--out", "draft");
    await approve(p, "draft/1.0.0", "B");
    p.put("app.js", "print(2)\n");
    await p.ok([
      "release",
      "--version",
      "1.0.0",
      "--product",
      "other.toml",
      "--out",
      "else",
      "--allow-sequence-reuse",
      "--allow-lower-sequence",
    ]);
    await p.ok(["approve", "else/1.0.0/gateway-puck-1.0.0.suit", "--key", "B.pem", "--out", "else.approval"]);
    p.put("app.js", "print(1)\n");
    const by = ["--approver", "B.jwk"];
    const before = p.tree();
    expect(refusal(await release(p, "1.0.0", ...by, ...given("B-esp32")), 1)).toContain("is missing");
    expect(refusal(await release(p, "1.0.0", ...by, ...given("B-esp32", "B-puck", "else")), 1)).toContain(
      "else.approval approves something else",
    );
    expect(p.tree()).toEqual(before);
    await released(p, "1.0.0", ...by, ...given("B-puck", "B-esp32"));
    expect(logEntries(p, "A.pem.log")).toMatchObject([
      { approvers: [expect.any(String)] },
      { approvers: [expect.any(String)] },
      { operation: "record" },
    ]);
  });
});
