// rotate and incident in the folder of a product: boards, versions, trust file, keys and images are those of its file.

import { renameSync, rmSync } from "node:fs";
import { privateKey } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, image, type Place, words } from "../../../test-support/src/command-line/run.js";
import { copyOf, released, world } from "../product/product-place.js";

const PRODUCT = `name = "lamp"
vendor = "example.com"

[keys]
release = "A.pem"

[trust]
file = "first.trust"
root = "R.jwk"

[boards.puck]
image = "app.js"
engine = "puck.js"

[boards.hub]
revisions = ["1", "2"]
image = "hub.js"
`;

const FLEET = [
  { name: "field", devices: 800, board: "puck", version: "1.0.0" },
  { name: "shelf", devices: 200, board: "puck", floor: 0 },
  { name: "hubs", devices: 30, board: "hub", class: "lamp-hub-1", version: "1.0.0" },
];
const fleet = (...rows: object[]) => JSON.stringify({ cohorts: rows });

/** The root signs several trust files with one number: a test needs one, and then another. */
const AGAIN = ["--allow-sequence-reuse", "--allow-lower-sequence", "--allow-no-previous-trust"];

/** Makes a trust file that the root has signed. */
async function list(p: Place, name: string, sequence: number, keys: readonly object[], previous?: string, line = "lamp") {
  const anchors = [{ key: "R.jwk", roles: ["root"] }, ...keys.map((one) => ({ roles: ["release"], ...one }))];
  p.put(
    `${name}.json`,
    JSON.stringify({ $schema: "urn:firmseal:trust:1", name: line, sequence, anchors, thresholds: { root: 1, release: 1 } }),
  );
  const before = previous === undefined ? [] : ["--previous-trust", previous];
  await p.ok(["trust", "create", "--from", `${name}.json`, ...before]);
  await p.ok(["trust", "sign", `${name}.trust`, "--key", "R.pem", ...AGAIN, ...before]);
}

let made: Place;
beforeAll(async () => {
  made = world(PRODUCT);
  made.putKeys({ R: privateKey("ed25519", image(32)) });
  made.put("hub.js", "print('hub')\n");
  await list(made, "first", 1, [{ key: "A.jwk" }, { key: "C.jwk" }]);
  await list(made, "second", 2, [{ key: "A.jwk" }, { key: "B.jwk" }], "first.trust");
  await released(made, "1.0.0", "--first");
  // not released yet
  made.put("app.js", "print('next')\n");
  made.put("fleet.json", fleet(...FLEET));
});

const BRIDGE = ["rotate", "bridge", "--next-trust", "second.trust", "--fleet", "fleet.json", "--out", "b.suit"];

/** The one line of a refusal. Nothing may be written. */
async function refused(p: Place, args: readonly string[], exit: number): Promise<string> {
  const before = p.tree();
  const said = expectFailure(await p.run([...args]), exit);
  expect(p.tree()).toEqual(before);
  return said;
}

describe("rotate in the folder of a product", () => {
  it("makes a bridge with the image of the last release, above it, signed by the keys of the product file", async () => {
    const p = copyOf(made);
    const r = await p.ok([...BRIDGE, "--board", "puck"]);
    expect(words(r)[0]).toMatch(
      /^b\.suit: board puck, version 1\.0\.0\+1, sequence number 281474976743425, with trust file 2, \d+ bytes, good under it and under 1$/,
    );
    expect(r.stderr).not.toMatch(/warning: .*(room|image)/);
    const envelope = p.get("b.suit");
    expect([envelope.includes("print(1)"), envelope.includes("next")]).toEqual([true, false]);
    await p.ok(["verify", "b.suit", "--board", "puck"]);
    expect((await p.ok(["lint", "b.suit"])).stdout).not.toMatch(/L03|L1\d/);
    const plan = await p.ok([
      "rotate",
      "plan",
      "--fleet",
      "fleet.json",
      "--release",
      "b.suit",
      "--release",
      "dist/1.0.0",
      "--fail-on",
      "none",
    ]);
    expect(plan.stdout).toMatch(/^cohort +board +devices /m);
    expect(plan.stdout).toMatch(/^field +puck +800 +1 -> 2 /m);
    expect(plan.stdout).toMatch(/^hubs +hub +30 +1 +not for it /m);
    const json = (await p.ok(["rotate", "plan", "--fleet", "fleet.json", "--release", "b.suit", "--fail-on", "none", "--json"])).json;
    expect(json["cohorts"]).toMatchObject([{ boards: ["puck"], floor: { lowest: "281474976743424" } }, {}, { boards: ["hub"] }]);
    p.folder("bridges");
    renameSync(p.at("b.suit"), p.at("bridges/b.suit"));
    expect((await p.ok(["rotate", "next", "--fleet", "fleet.json", "--archive", "bridges"])).stdout).toMatch(
      /^field +puck +800 +1 -> 2 +bridges\/b\.suit/m,
    );
  });

  it("makes one for all classes of a board, for one of them, with another image, and without the keys", async () => {
    const p = copyOf(made);
    p.put("firmseal.toml", PRODUCT.replace(/\[keys\]\n.*\n/, "").replace('root = "R.jwk"', 'root = "R.jwk"\ncarry = "second.trust"'));
    const json = (await p.ok(["rotate", "bridge", "--board", "hub", "--out", "all.suit", "--json"])).json;
    expect(json).toMatchObject({
      board: "hub",
      version: "1.0.0+1",
      signers: [],
      needed: [{ trust: "first.trust" }, { trust: "second.trust" }],
    });
    const seen = (await p.ok(["inspect", "all.suit"])).stdout;
    expect([seen.includes("lamp-hub-1"), seen.includes("lamp-hub-2")]).toEqual([true, true]);
    await p.ok([
      "rotate",
      "bridge",
      "hub.js",
      "--board",
      "hub",
      "--class",
      "lamp-hub-2",
      "--vendor",
      "example.com",
      "--trust",
      "first.trust",
      "--out",
      "one.suit",
    ]);
    const one = (await p.ok(["inspect", "one.suit"])).stdout;
    expect([one.includes("lamp-hub-1"), one.includes("lamp-hub-2")]).toEqual([false, true]);
  });

  it("signs no bridge while the ledger of the product is away, and makes one for who signs it", async () => {
    const p = copyOf(made);
    p.put("firmseal.toml", PRODUCT.replace("[keys]", '[sequence]\nledger = "postgres://127.0.0.2:1/db"\n\n[keys]'));
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 3)).toContain("postgres://127.0.0.2:1/db#example.com/lamp: ");
    await p.ok([...BRIDGE, "--board", "puck", "--signer", "A.jwk"]);
  });

  it("retires a key after a version, from the newest trust file of the product", async () => {
    const p = copyOf(made);
    p.put("firmseal.toml", PRODUCT.replace('root = "R.jwk"', 'root = "R.jwk"\ncarry = "second.trust"'));
    const args = ["rotate", "retire", "B.jwk", "--until", "1.1.0", "--fleet", "fleet.json", "--allow-stranded", "none"];
    expect(await refused(p, [...args, "--out", "third.trust"], 2)).toContain("the fleet has no such cohort");
    const json = (await p.ok([...args.slice(0, -2), "--out", "third.trust", "--json"])).json;
    expect(json).toMatchObject({
      sequence: "3",
      previous: "second.trust",
      retired: { until: "281479271710720", version: "1.1.0" },
    });
    const said = words(await p.ok([...args.slice(0, -2), "--out", "again.trust"]))[0];
    expect(said).toMatch(/^again\.trust: trust file 3, in which key \w+… counts up to version 1\.1\.0, /);
  });

  it("takes the numbers of a product that counts them", async () => {
    const p = copyOf(made);
    rmSync(p.at("dist"), { recursive: true });
    p.put("firmseal.toml", `${PRODUCT.replace("A.pem", "C.pem")}\n[sequence]\nsource = "previous"\n`);
    await p.ok(["release", "--version", "1.0.0", "--first"]);
    p.put("fleet.json", fleet(FLEET[0] as object));
    const r = await p.ok([...BRIDGE, "--board", "puck", "--signer", "A.jwk"]);
    expect(words(r)[0]).toMatch(/^b\.suit: board puck, sequence number 2, /);
    p.put("fleet.json", fleet({ ...FLEET[0], version: "1.4.2" }));
    expect(await refused(p, ["rotate", "plan", "--fleet", "fleet.json", "--release", "b.suit"], 1)).toContain(
      "version 1.4.2 of board puck is not in dist, so its number is not known",
    );
  });

  it.each<[string, string[], number, string]>([
    ["another trust file", ["--board", "puck", "--trust", "second.trust"], 2, "--trust second.trust: firmseal.toml names first.trust"],
    ["another vendor", ["--vendor", "other.example"], 2, "--vendor other.example: firmseal.toml has no such board of lamp"],
    ["another class", ["--class", "board-v9"], 2, "--class board-v9: firmseal.toml has no such board of lamp"],
    ["the class of another board", ["--class", "lamp-puck", "--board", "hub"], 2, "--class lamp-puck: that is board puck, not hub"],
    ["no board, of several", [], 2, "--board is missing: the product has several"],
    ["an unknown board", ["--board", "pukc"], 1, 'firmseal.toml has no board "pukc"; did you mean "puck"?'],
    ["a board that looks like an option", ["--board=--json"], 1, "firmseal.toml has no board"],
    ["an empty board", ["--board="], 1, "firmseal.toml has no board"],
    ["a number of its own", ["--board", "puck", "--seq", "7"], 2, "--seq: the sequence numbers of lamp come from version"],
    ["a URI", ["--board", "puck", "--uri", "https://example.com/x"], 2, "--uri: the product file says where images are"],
    ["a product file that is missing", ["--board", "puck", "--product", "none.toml"], 3, "none.toml"],
  ])("refuses %s", async (_, more, exit, said) => {
    expect(await refused(made, [...BRIDGE, ...more], exit)).toContain(said);
  });

  it.each<[string, object, string]>([
    ["an unknown board", { board: "pukc", floor: 0 }, 'firmseal.toml has no board "pukc"; did you mean "puck"?'],
    ["a board and a vendor", { board: "puck", vendor: "example.com", floor: 0 }, 'the row has "vendor", and "board" says it'],
    ["a board and another class", { board: "puck", class: "lamp-hub-1", floor: 0 }, '"class" is not one of board puck'],
    ["a board with several classes", { board: "hub", floor: 0 }, 'board hub has several classes: "class" says which'],
    ["a version and a floor", { board: "puck", version: "1.0.0", floor: 0 }, 'the row has "floor", and "version" says it'],
    ["a version that is not one", { board: "puck", version: "one" }, '"version" is not a version'],
    ["an empty version", { board: "puck", version: "" }, '"version" must NOT have fewer than 1 characters'],
    [
      "a version without a board",
      { vendor: "example.com", class: "x", trust: "first.trust", version: "1.0.0" },
      'has "version" without "board"',
    ],
    ["neither a board nor a vendor", { trust: "first.trust", floor: 0 }, 'lacks "vendor"'],
    ["neither a version nor a floor", { board: "puck" }, 'lacks "floor"'],
    ["no trust", { vendor: "example.com", class: "x", floor: 0 }, 'needs either "trust" or "keys"'],
  ])("refuses a row with %s", async (_, row, said) => {
    const p = copyOf(made);
    p.put("fleet.json", fleet({ name: "one", ...row }));
    expect(await refused(p, ["rotate", "next", "--fleet", "fleet.json", "--archive", "dist/1.0.0"], 1)).toContain(said);
  });

  it("refuses a trust file of another product, and devices with one", async () => {
    const p = copyOf(made);
    await list(p, "foreign", 1, [{ key: "A.jwk", vendor: "other.example" }]);
    p.put("firmseal.toml", PRODUCT.replace("first.trust", "foreign.trust"));
    p.put("others.json", fleet({ name: "one", vendor: "example.com", class: "lamp-puck", trust: "foreign.trust", floor: 0 }));
    for (const args of [
      ["rotate", "bridge", "--board", "puck", "--next-trust", "second.trust", "--out", "b.suit"],
      ["rotate", "retire", "A.jwk", "--fleet", "others.json", "--out", "third.trust"],
      ["incident", "stolen", "--key", "A.jwk", "--fleet", "others.json", "--dir", "night"],
    ])
      expect(await refused(p, args, 1), args.join(" ")).toContain("foreign.trust is not for board puck of lamp: ");
    // another line
    await list(p, "pump", 1, [{ key: "A.jwk" }], undefined, "pump");
    p.put("firmseal.toml", PRODUCT);
    p.put("others.json", fleet({ name: "one", board: "puck", trust: "pump.trust", floor: 0 }));
    for (const args of [
      ["rotate", "plan", "--fleet", "others.json", "--release", "dist/1.0.0"],
      ["incident", "stolen", "--key", "A.jwk", "--fleet", "others.json", "--dir", "night"],
    ])
      expect(await refused(p, args, 1), args.join(" ")).toContain('pump.trust is for "pump", and first.trust for "lamp"');
    // another root
    p.put("firmseal.toml", PRODUCT.replace('root = "R.jwk"', 'root = "B.jwk"'));
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 1)).toContain("first.trust");
    // and a product without one
    p.put("firmseal.toml", PRODUCT.replace(/\[trust\]\n.*\n.*\n/, ""));
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 1)).toContain("names no trust file, and only a trust file changes keys");
  });

  it("refuses a last release that is missing, changed, or not signed by enough keys", async () => {
    const p = copyOf(made);
    const suit = "dist/1.0.0/lamp-puck-1.0.0.suit";
    const bytes = p.get(suit);
    p.put(suit, Buffer.from(bytes.toString("latin1").replace("print(1)", "print(7)"), "latin1"));
    await refused(p, [...BRIDGE, "--board", "puck"], 1);
    p.put(suit, bytes);
    p.put("firmseal.toml", PRODUCT.replace("first.trust", "strict.trust"));
    await list(p, "strict", 1, [{ key: "B.jwk" }]);
    expect(await refused(p, [...BRIDGE, "--board", "puck", "--key", "B.pem"], 1)).toContain(suit);
    p.put("firmseal.toml", PRODUCT);
    rmSync(p.at("dist"), { recursive: true });
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 1)).toContain("dist has no release of board puck, so the image");
    // a damaged product file, and none
    p.put("firmseal.toml", `${PRODUCT}[`);
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 1)).toContain("firmseal.toml:");
    rmSync(p.at("firmseal.toml"));
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 2)).toContain("--board is for a product file, and none is here");
    expect(await refused(p, BRIDGE, 2)).toContain("'--trust <file>' is missing");
    expect(await refused(p, ["rotate", "plan", "--fleet", "fleet.json", "--release", "A.pem"], 1)).toContain(
      'cohort 1: the row has "board", and no product file is here',
    );
  });

  it("signs nothing of a product whose releases people approve, and makes a bridge for who signs it", async () => {
    const p = copyOf(made);
    p.put("firmseal.toml", PRODUCT.replace("[boards.puck]", '[approval]\nkeys = ["B.jwk"]\n\n[boards.puck]'));
    for (const more of [
      ["--board", "puck"],
      ["app.js", "--board", "puck"],
      ["--board", "puck", "--key", "A.pem"],
    ])
      expect(await refused(p, [...BRIDGE, ...more], 1)).toContain("people approve a release of all boards, and this signs one board alone");
    await p.ok([...BRIDGE, "--board", "puck", "--signer", "A.jwk"]);
  });

  it("refuses a board whose devices take no trust file out of a release", async () => {
    const p = copyOf(made);
    p.put("firmseal.toml", PRODUCT.replace('engine = "puck.js"', 'for = "micro"'));
    expect(await refused(p, [...BRIDGE, "--board", "puck"], 2)).toContain(
      "board puck has the verifier micro, whose devices take no trust file",
    );
  });
});

describe("incident in the folder of a product", () => {
  it("leads to a fleet that is safe, in the words of the product", async () => {
    const p = copyOf(made);
    const args = ["incident", "stolen", "--key", "C.jwk", "--fleet", "fleet.json", "--dir", "night"];
    expect((await p.ok(args)).stdout).toMatch(/^becomes: field.*, board puck, /m);
    await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "first.trust", "--key", "R.pem", ...AGAIN]);
    await p.ok(args);
    for (const n of [1, 2])
      await p.ok(["sign", `night/bridge-${n}.suit`, "--key", "A.pem", "--trust", "first.trust", "--trust", "night/next.trust"]);
    const ready = await p.ok(args);
    expect(ready.stdout).toContain('name it in firmseal.toml: [trust] carry = "night/next.trust"; every later release then brings it');
    for (const board of ["puck", "hub"]) {
      const found = [1, 2]
        .map((n) => p.get(`night/bridge-${n}.suit`))
        .some((bytes) => bytes.includes(board === "puck" ? "print(1)" : "print('hub')"));
      expect(found, board).toBe(true);
    }
    // as it says
    p.put("firmseal.toml", PRODUCT.replace('root = "R.jwk"', 'root = "R.jwk"\ncarry = "night/next.trust"'));
    expect((await p.ok(args)).stdout).not.toContain("name it in");
    p.put("moved.json", fleet(...FLEET.map(({ floor: _, ...row }) => ({ ...row, trust: "night/next.trust", version: "1.0.0+1" }))));
    const done = await p.ok(args.map((word) => (word === "fleet.json" ? "moved.json" : word)));
    expect(done.stdout).toMatch(/^stage: safe: /m);
    const json = (await p.ok([...args, "--json"])).json;
    expect(json["cohorts"]).toMatchObject([{ boards: ["puck"] }, { boards: ["puck"] }, { boards: ["hub"] }]);
    expect(await refused(p, [...args, "--trust", "second.trust"], 2)).toContain(
      "--trust second.trust: firmseal.toml names first.trust and night",
    );
  });
});
