// firmseal install of the folder of a release: the device gets the envelope of its board, which the envelopes decide.

import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectFailure, type Place } from "../../../test-support/src/command-line/run.js";
import { copyOf, released, world } from "../product/product-place.js";

const TWO = `name = "gateway"
vendor = "example.com"

[trust]
keys = ["A.jwk", "B.jwk"]
threshold = 2

[boards.pixl]
image = "app.js"
uri = "https://fw.example.com/{version}/{board}.js"

[boards.hub]
image = "hub.js"
`;

const HUB = ["--vendor", "example.com", "--class", "gateway-hub"];
const PIXL = ["--vendor", "example.com", "--class", "gateway-pixl"];
const KEYS = ["--key", "A.jwk", "--key", "B.jwk", "--threshold", "2"];

let made: Place;
beforeAll(async () => {
  made = world(TWO);
  made.put("hub.js", "print('hub')\n");
  await released(made, "1.0.0", "--first", "--key", "A.pem", "--key", "B.pem");
  await released(made, "1.1.0", "--key", "A.pem");
});

const slot = (p: Place, device: string) => p.get(`${device}/slots/00.b`).toString();

/** Changes the record of a release, and its checksum. */
function forge(p: Place, change: (text: string) => string, folder = "dist/1.0.0"): void {
  const before = p.get(`${folder}/release.json`);
  const after = change(before.toString());
  expect(after).not.toBe(before.toString());
  p.put(`${folder}/release.json`, after);
  p.put(
    `${folder}/SHA256SUMS`,
    p
      .get(`${folder}/SHA256SUMS`)
      .toString()
      .replace(sha256Hex(before), sha256Hex(Buffer.from(after))),
  );
}

/** A refusal, after which no device is there. */
async function refused(p: Place, args: readonly string[], exit = 1): Promise<string> {
  const before = p.tree();
  const r = await p.run(["install", ...args]);
  const line = expectFailure(r, exit);
  expect(p.tree()).toEqual(before);
  return `${line}\n${r.stderr}`;
}

describe("install of the folder of a release", () => {
  it("gives each device the envelope of its board, with the payload beside it", async () => {
    const p = copyOf(made);
    await p.ok(["install", "dist/1.0.0", "--dir", "hub", ...KEYS, ...HUB]);
    expect(slot(p, "hub")).toContain("print('hub')");
    await p.ok(["install", "dist/1.0.0", "--dir", "pixl", ...KEYS, ...PIXL]);
    expect(slot(p, "pixl")).toContain("print(1)");
    const { json } = await p.ok(["install", "dist/1.0.0", "--dir", "again", "--board", "hub", "--json"]);
    expect(json).toMatchObject({ version: "1.0.0", sequence: "281474976743424", signers: [{ alg: "ed25519" }, { alg: "es256" }] });
    // a device knows what it is
    expect(await refused(p, ["dist/1.0.0", "--dir", "hub", "--board", "pixl"])).toContain(
      "dist/1.0.0 has no board for this device: it has pixl",
    );
  });

  it("refuses a device that no board is for, a folder of releases, and a payload", async () => {
    const p = copyOf(made);
    const other = ["--vendor", "example.com", "--class", "other"];
    expect(await refused(p, ["dist/1.0.0", "--dir", "dev", ...KEYS, ...other])).toContain(
      "dist/1.0.0 has no board for this device: it has pixl, hub",
    );
    expect(await refused(p, ["dist", "--dir", "dev", ...KEYS, ...HUB], 2)).toContain(
      "dist is a folder, not a file, and has no release.json",
    );
    expect(await refused(p, ["dist/1.0.0", "--dir", "dev", ...KEYS, ...HUB, "--payload", "app.js"], 2)).toContain("not for a folder");
  });

  const exchange = (text: string, one: string, other: string) => text.replaceAll(one, "%").replaceAll(other, one).replaceAll("%", other);

  it("is decided by the envelopes: nothing signs the names of boards in a record", async () => {
    const p = copyOf(made);
    forge(p, (text) => exchange(text, '"board": "hub"', '"board": "pixl"'));
    await p.ok(["install", "dist/1.0.0", "--dir", "dev", ...KEYS, ...HUB]);
    expect(slot(p, "dev")).toContain("print('hub')");
  });

  it.each<[string, (text: string) => string, string]>([
    [
      "other devices",
      (text) => text.replaceAll('"name": "gateway-hub"', '"name": "gateway-pixl"'),
      "a class of gateway-hub-1.0.0.suit is not",
    ],
    ["other files", (text) => exchange(text, "gateway-hub", "gateway-pixl"), "has changed since it was released"],
  ])("refuses a record that names %s", async (_, change, words) => {
    const p = copyOf(made);
    forge(p, change);
    for (const device of [HUB, PIXL]) expect(await refused(p, ["dist/1.0.0", "--dir", "dev", ...KEYS, ...device])).toContain(words);
  });

  it("refuses a release that others still have to sign even if its record does not say so", async () => {
    const p = copyOf(made);
    const args = ["dist/1.1.0", "--dir", "dev", ...KEYS, ...HUB];
    const said = await refused(p, args);
    expect(said).toContain("dist/1.1.0/gateway-hub-1.1.0.suit: refused: 1 of 2 signed, by the record of the release");
    expect(said).toContain("hint: others still have to sign it: firmseal verify dist/1.1.0 --missing");
    forge(p, (text) => text.replace(/"missing": \[[\s\S]*?\n {2}\],/, '"missing": [],'), "dist/1.1.0");
    expect(await refused(p, args)).toContain("refused: ");
    expect((await p.run(["install", ...args, "--json"])).json).toMatchObject({ ok: false, reason: "SIGNATURE_THRESHOLD" });
  });
});

it("two boards for one device are refused, and do not matter to another one", async () => {
  const p = world(TWO.replace(/uri = .*\n/, ""));
  p.put("hub.js", "print('hub')\n");
  await released(p, "1.0.0", "--first", "--key", "A.pem", "--key", "B.pem");
  const record = JSON.parse(p.get("dist/1.0.0/release.json").toString());
  const [pixl] = record.artifacts;
  // a second board with the same envelope under another name
  p.put("dist/1.0.0/more.suit", p.get(`dist/1.0.0/${pixl.file}`));
  record.artifacts.push({ ...pixl, board: "more", file: "more.suit", envelope: "more.suit" });
  forge(p, () => JSON.stringify(record));
  p.put("dist/1.0.0/SHA256SUMS", `${p.get("dist/1.0.0/SHA256SUMS")}${sha256Hex(p.get("dist/1.0.0/more.suit"))}  more.suit\n`);
  expect(await refused(p, ["dist/1.0.0", "--dir", "dev", ...KEYS, ...PIXL])).toContain(
    "dist/1.0.0 has several boards for this device: pixl, more",
  );
  await p.ok(["install", "dist/1.0.0", "--dir", "dev", ...KEYS, ...HUB]);
});

describe("what install says", () => {
  it("names the board and the components as people wrote them, and which boards there are", async () => {
    const p = world(`name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[trust]
keys = "A.jwk"

[boards.hub]
image = "app.js"

[[boards.hub.components]]
name = "radio"
image = "app.js"

[boards.pixl]
image = "app.js"
`);
    await released(p, "1.0.0", "--first");
    const wrong = await p.run(["install", "dist/1.0.0", "--product", "firmseal.toml", "--dir", "hub"]);
    expectFailure(wrong, 2);
    expect(wrong.stderr).toContain("hint: name the board of the device: --board NAME, one of hub, pixl\n");
    const none = await p.run(["install", "dist/1.0.0", "--key", "A.jwk", "--dir", "hub"]);
    expectFailure(none, 3);
    expect(none.stderr).toContain("or --board NAME of a product file\n");
    const { stderr } = await p.ok(["install", "dist/1.0.0", "--board", "hub", "--dir", "hub"]);
    expect(stderr).toMatch(/^dist\/1\.0\.0: installed, board hub, version 1\.0\.0, /m);
    expect(stderr).toMatch(/^ {2}component 00: slot b, .*\n {2}component radio: slot b, /m);
  });
});
