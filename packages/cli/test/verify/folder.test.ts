// explain, inspect, diff, whosigned and rotate plan of the folder of a release: board by board, after it was compared with its record.

import { renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { expectFailure, type Place } from "../../../test-support/src/command-line/run.js";
import { copyOf, filesIn, released, world } from "../product/product-place.js";

const OF_TWO = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[boards.pixl]
image = "app.js"

[boards.hub]
image = "hub.js"
`;

interface Recorded {
  [name: string]: unknown;
  version: string;
  artifacts: { [name: string]: unknown; board: string; file: string; digest: string; size: number }[];
}

/** Changes the record of a release, and SHA256SUMS with it, as an attacker would. */
function forge(p: Place, change: (record: Recorded) => void, folder = "dist/1.0.0"): void {
  const record = JSON.parse(p.get(`${folder}/release.json`).toString()) as Recorded;
  change(record);
  p.put(`${folder}/release.json`, JSON.stringify(record));
  const names = [...filesIn(join(p.path, folder)).keys()].filter((name) => name !== "SHA256SUMS");
  const line = (name: string) => `${sha256Hex(p.get(`${folder}/${name}`))}  ${name}\n`;
  p.put(`${folder}/SHA256SUMS`, names.map(line).join(""));
}

const of = (record: Recorded, board: string) => record.artifacts.find((one) => one.board === board) as Recorded["artifacts"][number];

const lines = async (p: Place, ...args: string[]) => (await p.ok(args)).stdout.trimEnd().split("\n");

let made: Place;
beforeAll(async () => {
  made = world(OF_TWO);
  made.put("hub.js", "print('hub')\n");
  await released(made, "1.0.0", "--first");
  made.put("app.js", "print(2)\n");
  made.put("firmseal.toml", `${OF_TWO.replace(/\[boards\.hub\][\s\S]*/, "")}[boards.puck]\nimage = "app.js"\n`);
  await released(made, "1.1.0");
  made.put("firmseal.toml", OF_TWO);
});

describe("the folder of a release", () => {
  it("says who signed each board", async () => {
    expect(await lines(made, "whosigned", "dist/1.0.0", "--key", "A.jwk")).toEqual(
      ["pixl", "hub"].flatMap((board) => [
        `board ${board}:`,
        `  dist/1.0.0/gateway-${board}-1.0.0.suit: version 1.0.0, sequence number 281474976743424, 1 signature, by 1 known key`,
        expect.stringMatching(/^ {4}1\. ed25519.*: A\.jwk, thumbprint [0-9a-f]{16}…$/),
      ]),
    );
    const { json } = await made.ok(["whosigned", "dist/1.0.0", "--key", "A.jwk", "--board", "hub", "--json"]);
    expect(json).toMatchObject({ version: "1.0.0", missing: [], boards: [{ board: "hub", signers: [{ name: "A.jwk" }] }] });
    const unknown = await made.run(["whosigned", "dist/1.0.0", "--key", "B.jwk", "--json"]);
    expect(unknown.exit, unknown.stderr).toBe(1);
    expect(unknown.json).toMatchObject({ reason: "SIGNATURE_INVALID", boards: [{ board: "pixl", signers: [] }, { board: "hub" }] });
  });

  it("is offered to a fleet, each board to its devices", async () => {
    const fleet = (...boards: string[]) =>
      JSON.stringify({
        cohorts: boards.map((board) => ({ name: board, keys: ["A.jwk"], vendor: "example.com", class: `gateway-${board}`, floor: 0 })),
      });
    made.put("fleet.json", fleet("pixl", "hub"));
    const { json } = await made.ok(["rotate", "plan", "--fleet", "fleet.json", "--release", "dist/1.0.0", "--json"]);
    expect(json).toMatchObject({ devices: { total: 2, moved: 2 } });
    expect(JSON.stringify(json)).toContain("dist/1.0.0/gateway-hub-1.0.0.suit");
    const wrong = await made.run(["rotate", "plan", "--fleet", "fleet.json", "--release", "dist"]);
    expect(expectFailure(wrong, 2)).toContain("dist is a folder, not a file, and has no release.json");
  });

  it("is shown board by board, in the order of its record", async () => {
    for (const command of ["explain", "inspect"]) {
      const all = await lines(made, command, "dist/1.0.0");
      expect(all.filter((line) => /^board /.test(line))).toEqual(["board pixl:", "board hub:"]);
      expect(all.join("\n")).toContain("(signatures not verified)");
      expect((await lines(made, command, "dist/1.0.0", "--board", "hub")).filter((line) => /^board /.test(line))).toEqual(["board hub:"]);
      const { json } = await made.ok([command, "dist/1.0.0", "--json"]);
      expect(json).toMatchObject({
        ...{ verified: false, version: "1.0.0", sequence: "281474976743424", missing: [] },
        boards: ["pixl", "hub"].map((board) => ({ board, path: `dist/1.0.0/gateway-${board}-1.0.0.suit`, sequence: "281474976743424" })),
      });
      // a board has what the JSON of its envelope has
      const one = (await made.ok([command, "dist/1.0.0/gateway-hub-1.0.0.suit", "--json"])).json;
      const { ok: _, code: _c, reason: _r, verified: _v, ...facts } = one;
      expect((json["boards"] as object[])[1]).toMatchObject(facts);
    }
    expect((await lines(made, "inspect", "dist/1.0.0", "--diag")).filter((line) => /^board /.test(line))).toHaveLength(2);
  });

  it("is explained for one device, and a reported refusal for one board", async () => {
    const device = ["--vendor", "example.com", "--class"];
    const all = await lines(made, "explain", "dist/1.0.0", ...device, "gateway-hub");
    expect(all.filter((line) => /^board /.test(line))).toEqual(["board hub:"]);
    expect(expectFailure(await made.run(["explain", "dist/1.0.0", ...device, "other"]), 2)).toContain("is not for this device");
    expect(expectFailure(await made.run(["explain", "dist/1.0.0", "--refusal", "22"]), 2)).toContain("dist/1.0.0 has 2 boards");
    expect((await lines(made, "explain", "dist/1.0.0", "--board", "hub", "--refusal", "22"))[0]).toMatch(/^22/);
  });

  it("is compared with another one board by board", async () => {
    const text = (await lines(made, "diff", "dist/1.0.0", "dist/1.1.0")).join("\n");
    expect(text).toContain("pixl, compared with 1.0.0 (dist/1.0.0/gateway-pixl-1.0.0.suit):\n  sequence number 281474976743424 before");
    expect(text).toContain("puck: new: the previous release does not have it");
    expect(text).toContain("hub: gone: only the previous release has it");
    const { json } = await made.ok(["diff", "dist/1.0.0", "dist/1.1.0", "--json"]);
    expect(json["boards"]).toMatchObject([
      { board: "pixl", state: "changed", before: { version: "1.0.0" }, difference: { images: [{ component: "00" }] } },
      { board: "puck", state: "new", before: null, difference: null },
      { board: "hub", state: "gone", before: null, difference: null },
    ]);
    expect(await lines(made, "diff", "dist/1.0.0", "dist/1.1.0", "--board", "pixl")).toHaveLength(3);
    const same = await lines(made, "diff", "dist/1.0.0", "dist/1.0.0", "--board", "hub");
    expect(same.at(-1)).toContain("nothing else changes for a device");
  });

  it("is not compared with an envelope: the hint names those of its boards", async () => {
    for (const both of [
      ["dist/1.0.0", "dist/1.1.0/gateway-pixl-1.1.0.suit"],
      ["dist/1.1.0/gateway-pixl-1.1.0.suit", "dist/1.0.0"],
    ]) {
      const r = await made.run(["diff", ...both]);
      expect(expectFailure(r, 2)).toContain("dist/1.0.0 is the folder of a release, and dist/1.1.0/gateway-pixl-1.1.0.suit is an envelope");
      expect(r.stderr).toContain("hint: name the envelope of the board: dist/1.0.0/gateway-pixl-1.0.0.suit, ");
    }
  });

  it.each<[string, string[], number, string]>([
    ["a board that it does not have", ["explain", "dist/1.0.0", "--board", "hubb"], 2, 'has no such board; did you mean "hub"?'],
    ["a board without a name", ["inspect", "dist/1.0.0", "--board="], 2, "has no such board"],
    ["a board whose name looks like an option", ["inspect", "dist/1.0.0", "--board=--diag"], 2, "has no such board"],
    ["a board that it does not have", ["whosigned", "dist/1.0.0", "--board", "hubb"], 2, 'has no such board; did you mean "hub"?'],
    ["a board of one envelope", ["whosigned", "dist/1.0.0/gateway-hub-1.0.0.suit", "--board", "hub"], 2, "which is for one board"],
    ["a folder of releases", ["whosigned", "dist"], 2, "dist is a folder, not a file, and has no release.json"],
    ["a board of one envelope", ["inspect", "dist/1.0.0/gateway-hub-1.0.0.suit", "--board", "hub"], 2, "which is for one board"],
    ["a board of two envelopes", ["diff", "A.pem", "A.pem", "--board", "hub"], 2, "which is for one board"],
    ["a folder of releases", ["explain", "dist"], 2, "dist is a folder, not a file, and has no release.json"],
    ["a folder of releases", ["inspect", "dist"], 2, "dist is a folder, not a file, and has no release.json"],
    ["a folder of releases", ["diff", "dist/1.0.0", "dist"], 2, "dist is a folder, not a file, and has no release.json"],
    ["another product", ["inspect", "dist/1.0.0", "--product", "other.toml"], 1, "is a release of gateway by example.com, not of pump"],
    ["another product", ["diff", "dist/1.0.0", "dist/1.1.0", "--product", "other.toml"], 1, "not of pump"],
  ])("%s is refused: %#", async (_, args, exit, words) => {
    made.put("other.toml", OF_TWO.replace('name = "gateway"', 'name = "pump"'));
    const before = made.tree();
    expect(expectFailure(await made.run(args), exit)).toContain(words);
    expect(made.tree()).toEqual(before);
  });

  it("two products are not compared", async () => {
    const p = copyOf(made);
    forge(p, (record) => Object.assign(record, { product: "pump" }));
    expect(expectFailure(await p.run(["diff", "dist/1.0.0", "dist/1.1.0"]), 1)).toContain(
      "is a release of pump by example.com, not of gateway",
    );
  });
});

describe("a folder that somebody has changed is refused", () => {
  const HUB = "dist/1.0.0/gateway-hub-1.0.0.suit";

  it.each<[string, (p: Place) => void, string]>([
    ["an envelope is missing", (p) => rmSync(p.at(HUB)), "is not complete: gateway-hub-1.0.0.suit"],
    ["a file more", (p) => p.put("dist/1.0.0/more.bin", "x"), "does not belong to the release"],
    ["damaged JSON", (p) => p.put("dist/1.0.0/release.json", "{"), "is not the record of a release"],
    ["a huge envelope", (p) => truncateSync(p.at(HUB), 2 ** 36), "has changed since it was released"],
    [
      "the name of another version",
      (p) => renameSync(p.at("dist/1.0.0"), p.at("dist/1.0.1")),
      "dist/1.0.1 is version 1.0.0, not the one that its folder is named after",
    ],
    [
      "a link to a copy of an envelope",
      (p) => {
        renameSync(p.at(HUB), p.at("hub.suit"));
        symlinkSync(p.at("hub.suit"), p.at(HUB));
      },
      "is a symbolic link, which leads out of the release",
    ],
    [
      "a link to a copy of the record",
      (p) => {
        renameSync(p.at("dist/1.0.0/release.json"), p.at("release.json"));
        symlinkSync(p.at("release.json"), p.at("dist/1.0.0/release.json"));
      },
      "is a symbolic link, which leads out of the release",
    ],
    [
      "a path out of the folder",
      (p) => forge(p, (r) => Object.assign(of(r, "hub"), { file: "../x.suit", envelope: "../x.suit" })),
      "is not the record",
    ],
    [
      "an absolute path",
      (p) => forge(p, (r) => Object.assign(of(r, "hub"), { file: "/x.suit", envelope: "/x.suit" })),
      "is not the record",
    ],
    [
      "two boards with one envelope",
      (p) => forge(p, (r) => Object.assign(of(r, "hub"), { file: of(r, "pixl").file, envelope: of(r, "pixl").file })),
      "is not the record of a release: two artifacts are called",
    ],
    [
      "names of boards that are exchanged",
      (p) =>
        forge(p, (r) => {
          const [a, b] = r.artifacts as [Recorded["artifacts"][number], Recorded["artifacts"][number]];
          [a.board, b.board] = [b.board, a.board];
          [a["classes"], b["classes"]] = [b["classes"], a["classes"]];
        }),
      "are not those in the envelope",
    ],
    [
      "the envelope of another release under its name, with its checksums",
      (p) => {
        const name = "gateway-pixl-1.0.0.suit";
        const bytes = p.get("dist/1.1.0/gateway-pixl-1.1.0.suit");
        p.put(`dist/1.0.0/${name}`, bytes);
        forge(p, (r) => Object.assign(of(r, "pixl"), { digest: `sha-256:${sha256Hex(bytes)}`, size: bytes.length }));
      },
      "release.json: the version of gateway-pixl-1.0.0.suit is not the one in the envelope",
    ],
  ])("%s", async (_, change, words) => {
    const p = copyOf(made);
    change(p);
    const folder = p.has("dist/1.0.0") ? "dist/1.0.0" : "dist/1.0.1";
    for (const args of [
      ["explain"],
      ["inspect"],
      ["whosigned", "--key", "A.jwk"],
      ["diff", "dist/1.1.0"],
      ["install", "--dir", "dev", "--board", "pixl"],
    ]) {
      const [command, ...more] = args as [string, ...string[]];
      const line = command === "install" ? [command, folder, ...more] : [command, ...more, folder];
      expect(expectFailure(await p.run(line), 1), command).toContain(words);
    }
    expect(p.has("dev")).toBe(false);
  });
});

it("a release that others still have to sign is shown, and its lines say so", async () => {
  const p = world(OF_TWO.replace(/\[keys\]\n.*/, '[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2'));
  p.put("hub.js", "print('hub')\n");
  await released(p, "1.0.0", "--first");
  for (const args of [["explain"], ["inspect"], ["diff", "dist/1.0.0"]])
    expect((await lines(p, ...args, "dist/1.0.0")).join("\n")).toContain("dist/1.0.0: others still have to sign board hub: 0 of 2 signed");
  await p.ok(["sign", "dist/1.0.0", "--key", "A.pem"]);
  const { json } = await p.ok(["explain", "dist/1.0.0", "--board", "hub", "--json"]);
  expect(json["missing"]).toEqual([{ path: "dist/1.0.0", board: "hub", signed: 1, needed: 2 }]);
});
