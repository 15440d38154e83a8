// The release of a product: what is made, what is tried before, and that the same inputs give the same bytes.

import { readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { versionNumber } from "@firmseal/keys";
import { beforeAll, describe, expect, it } from "vitest";
import { violations } from "../../../../release/src/input/schema.js";
import { sha256Hex } from "../../../../test-support/src/bytes.js";
import {
  expectExit,
  expectFailure,
  firmseal,
  image,
  logEntries,
  type Place,
  type Result,
} from "../../../../test-support/src/command-line/run.js";
import { LONG } from "../../../../test-support/src/environment/effort.js";
import { brief, copyOf, filesIn, PRODUCT, refusal, release, released, world } from "../product-place.js";

describe("a release", () => {
  const made = world();
  let p: Place;
  let first: Result;
  beforeAll(async () => {
    first = await released(made, "1.0.0", "--json");
    p = copyOf(made);
  });

  it("has an envelope for each board, payloads, checksums and a record that fits its schema", async () => {
    const files = filesIn(p.at("dist/1.0.0"));
    expect([...files.keys()]).toEqual([
      "SHA256SUMS",
      "esp32-a.bin",
      "esp32-b.bin",
      "gateway-esp32-1.0.0.suit",
      "gateway-puck-1.0.0.suit",
      "release.json",
    ]);
    const sums = [...files].filter(([name]) => name !== "SHA256SUMS").map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
    expect(files.get("SHA256SUMS")?.toString()).toBe(sums.join(""));
    const record = JSON.parse(files.get("release.json")?.toString() ?? "");
    expect(violations(record, "record")).toEqual([]);
    expect(record).toMatchObject({ product: "gateway", vendor: "example.com", version: "1.0.0", sequence: String(versionNumber("1.0.0")) });
    const log = logEntries(p);
    for (const artifact of record.artifacts) {
      expect(artifact.digest).toBe(`sha-256:${sha256Hex(files.get(artifact.file) as Buffer)}`);
      expect(artifact.size).toBe(files.get(artifact.file)?.length);
      // the entries of the log are found by what was signed
      for (const { tbs, thumbprint } of artifact.signers) expect(log.filter((e) => e.tbs === tbs && e.key === thumbprint)).toHaveLength(1);
    }
    expect(record.artifacts.map(({ board, uri, slot }: { board: string; uri: string; slot: string }) => [board, uri, slot])).toEqual([
      ["esp32", null, null],
      ["esp32", "https://fw.example.com/gateway/1.0.0/esp32-a.bin", "a"],
      ["esp32", "https://fw.example.com/gateway/1.0.0/esp32-b.bin", "b"],
      ["puck", null, null],
    ]);
    expect(first.json).toMatchObject({ state: "released", sequence: record.sequence, folder: "dist/1.0.0" });
    expect(first.json["log"]).toHaveLength(3);
    expect(log.map((e) => [e.operation, e.version])).toEqual([
      ["release", "1.0.0"],
      ["release", "1.0.0"],
      ["record", "1.0.0"],
    ]);
  });

  it("is verified whole, by folder and by file, and by the folder of releases", async () => {
    for (const path of ["dist/1.0.0", "dist"]) {
      const r = await p.ok(["verify", path, "--product", "firmseal.toml", "--json"]);
      expect(r.json["releases"]).toMatchObject([
        { board: "esp32", version: "1.0.0" },
        { board: "puck", version: "1.0.0" },
      ]);
      expect(r.json["payloadsChecked"]).toHaveLength(3);
    }
    const suit = "dist/1.0.0/gateway-esp32-1.0.0.suit";
    await p.ok(["verify", suit, "--board", "esp32"]);
    expect(expectFailure(await p.run(["verify", suit, "--board", "puck"]), 1)).toContain("is for board esp32, not for puck");
    expect(expectFailure(await p.run(["verify", suit, "--board", "esp2"]), 1)).toContain('no board "esp2"; did you mean "esp32"?');
    expect(expectFailure(await p.run(["verify", suit, "--board", "esp32", "--key", "B.jwk"]), 2)).toContain("gives the trusted keys");
  });

  it("is shown with the names of the product in place of its identifiers", async () => {
    const suit = "dist/1.0.0/gateway-esp32-1.0.0.suit";
    const { stdout } = await p.ok(["inspect", suit]);
    for (const text of [
      "set vendor-identifier = example.com",
      "set class-identifier = gateway-esp32-1",
      "set class-identifier = gateway-esp32-2",
    ])
      expect(stdout).toContain(text);
    const { json } = await p.ok(["inspect", suit, "--product", "firmseal.toml", "--json"]);
    expect(Object.values(json["names"] as object)).toEqual(["example.com", "gateway-esp32-1", "gateway-esp32-2", "gateway-puck"]);
    // elsewhere, and with a file that is not one, it shows what is there
    p.folder("elsewhere");
    p.put("elsewhere/firmseal.toml", "name = 1");
    const plain = await firmseal(["inspect", p.at(suit)], { cwd: p.at("elsewhere") });
    expectExit(plain, 0);
    expect(plain.stdout.includes("= gateway-esp32-1")).toEqual(false);
    rmSync(p.at("elsewhere"), { recursive: true });
  });

  it("is installed by a device of each revision, from the slot that is free", async () => {
    await p.ok(["install", "dist/1.0.0/gateway-esp32-1.0.0.suit", "--board", "esp32", "--dir", "one"]);
    const r = await p.ok([
      "install",
      "dist/1.0.0/gateway-esp32-1.0.0.suit",
      "--board",
      "esp32",
      "--class",
      "gateway-esp32-2",
      "--dir",
      "two",
      "--json",
    ]);
    expect(r.json).toMatchObject({ version: "1.0.0", components: [{ slot: "b", size: 3000 }] });
    const other = await p.run(["install", "dist/1.0.0/gateway-esp32-1.0.0.suit", "--board", "puck", "--dir", "three"]);
    expectExit(other, 1);
    expect(p.has("three")).toBe(false);
  });

  it("made again with the same content says so, signs nothing and writes nothing", async () => {
    const before = p.tree();
    const again = await released(p, "1.0.0", "--json");
    expect(again.json).toMatchObject({ state: "unchanged", sequence: first.json["sequence"], log: [] });
    expect(p.tree()).toEqual(before);
  });

  it.each<[string, (p: Place) => void, string]>([
    ["a rebuild that differs", (q) => q.put("app.js", "print(2)\n"), "has version 1.0.0 of board puck with other content"],
    ["a folder with a changed payload", (q) => q.put("dist/1.0.0/esp32-a.bin", "changed"), "esp32-a.bin has changed since it was released"],
    ["a folder without a payload", (q) => rmSync(q.at("dist/1.0.0/esp32-a.bin")), "is not complete: esp32-a.bin"],
    ["a folder with another file", (q) => q.put("dist/1.0.0/more.bin", "x"), "has a file that does not belong to the release: more.bin"],
    ["a folder without its checksums", (q) => rmSync(q.at("dist/1.0.0/SHA256SUMS")), "file not found"],
    ["a damaged record", (q) => q.put("dist/1.0.0/release.json", "{}"), "is not the record of a release"],
    [
      "a release of another product",
      (q) => q.put("firmseal.toml", PRODUCT.replace('"gateway"', '"router"')),
      "is a release of gateway by example.com, not of router by example.com",
    ],
  ])("under its version refuses %s, and leaves everything as it is", async (_, change, message) => {
    const q = copyOf(made);
    change(q);
    const before = q.tree();
    expect(refusal(await release(q, "1.0.0"), message === "file not found" ? 3 : 1)).toContain(message);
    expect(q.tree()).toEqual(before);
  });

  it("is not considered whole if its envelope was exchanged together with its record", async () => {
    const q = copyOf(made);
    await q.ok([
      "sign",
      "app.js",
      "--key",
      "B.pem",
      "--vendor",
      "example.com",
      "--class",
      "gateway-puck",
      "--seq",
      "9",
      "--out",
      "evil.suit",
    ]);
    const evil = q.get("evil.suit");
    const record = JSON.parse(q.get("dist/1.0.0/release.json").toString());
    for (const one of record.artifacts)
      if (one.file === "gateway-puck-1.0.0.suit") Object.assign(one, { digest: `sha-256:${sha256Hex(evil)}`, size: evil.length });
    q.put("dist/1.0.0/gateway-puck-1.0.0.suit", evil);
    q.put("dist/1.0.0/release.json", JSON.stringify(record));
    const sums = [...filesIn(q.at("dist/1.0.0"))]
      .filter(([name]) => name !== "SHA256SUMS")
      .map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
    q.put("dist/1.0.0/SHA256SUMS", sums.join(""));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("the envelope of board puck is not that of the record");
    expectExit(await q.run(["verify", "dist/1.0.0"]), 1);
  });

  it("signed by a key that the product file no longer names: verify names the envelope, and what to change", async () => {
    const q = copyOf(made);
    q.put("firmseal.toml", PRODUCT.replace("A.pem", "B.pem"));
    const r = await q.run(["verify", "dist"]);
    expect(refusal(r, 1)).toMatch(
      /^firmseal: dist\/1\.0\.0\/\S+\.suit: refused: no signature has the algorithm and key identifier of a trusted key/,
    );
    expect(r.stderr).toContain("list its public key in firmseal.toml: [trust] keys");
  });

  it("leaves nothing behind if one board fails, and uses no number", async () => {
    const q = world();
    rmSync(q.at("app.js"));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("firmseal.toml:15:1: app.js: no image has this name");
    expect([q.has("dist"), logEntries(q)]).toEqual([false, []]);
    q.put("app.js", "x".repeat(10));
    q.put("build/b.bin", image(70_000, 2));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("build/b.bin has 70,000 bytes, and its slot has 65,536");
    expect([q.has("dist"), logEntries(q)]).toEqual([false, []]);
    q.put("dist", "a file is in the way");
    q.put("build/b.bin", image(300, 2));
    expect(refusal(await release(q, "1.0.0"), 3)).toContain("dist");
    expect(logEntries(q)).toEqual([]);
  });

  it("of some boards has these, and is not mixed with one of others", async () => {
    const q = world();
    await released(q, "1.0.0", "puck");
    expect(readdirSync(q.at("dist/1.0.0"))).not.toContain("esp32-a.bin");
    expect((await q.ok(["verify", "dist/1.0.0"])).stderr).toContain("has no release for esp32");
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("has version 1.0.0 for puck, not for esp32, puck");
    expect(refusal(await release(q, "1.0.1", "puk"), 1)).toContain('has no board "puk"; did you mean "puck"?');
    expect(refusal(await release(q, "1.0.1", "puck", "puck"), 1)).toContain("board puck is given twice");
  });

  it("of many boards tries the cuts in several threads, each with the result of one", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const boards = names.map((name) => `[boards.${name}]\nimage = "${name}.bin"\n`).join("");
    const q = world(`name = "many"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n${boards}`);
    for (const [i, name] of names.entries()) q.put(`${name}.bin`, image(LONG ? 9000 : 3000, i + 1));
    const { json } = await released(q, "1.0.0", "--json");
    const cuts = (json["boards"] as { cuts: number; cutsDuringRecovery: number }[]).map((one) => [one.cuts, one.cutsDuringRecovery]);
    expect(cuts).toHaveLength(5);
    expect(new Set(cuts.map(String)).size).toBe(1);
    expect(cuts[0]?.[0]).toBeGreaterThan(100);
  });

  it("--dry-run shows the plan, without a key and without writing", async () => {
    const q = world();
    rmSync(q.at("A.pem"));
    const before = q.tree();
    const { json } = await q.ok(["release", "--version", "1.0.0", "--dry-run", "--json"]);
    expect(json).toMatchObject({ state: "planned", sequence: String(versionNumber("1.0.0")), artifacts: [], signers: [], log: [] });
    expect(json["boards"]).toMatchObject([
      { board: "esp32", images: [{ slot: "a", file: "esp32-a.bin" }, { slot: "b" }], cuts: expect.any(Number) },
      { board: "puck", images: [{ slot: null, file: null, uri: "#firmware" }] },
    ]);
    expect(q.tree()).toEqual(before);
    // without --dry-run the key is missed before anything is tried
    expect(expectFailure(await release(q, "1.0.0"), 3)).toContain("A.pem: file not found");
    expect(q.tree()).toEqual(before);
  });
});

describe("the same inputs", () => {
  it("give the same bytes in two folders, with and without SOURCE_DATE_EPOCH", async () => {
    for (const env of [{}, { SOURCE_DATE_EPOCH: "1700000000" }] as { [name: string]: string }[]) {
      const places = [world(brief(PRODUCT)), world(brief(PRODUCT))];
      for (const p of places) {
        utimesSync(p.at("app.js"), 1_600_000_000 + Math.random() * 1e7, 1_600_000_000);
        await p.ok(["release", "--version", "1.0.0", "--first"], { env });
      }
      const [a, b] = places.map((p) => filesIn(p.at("dist/1.0.0")));
      expect(b).toEqual(a);
      const created = JSON.parse(a?.get("release.json")?.toString() ?? "").created;
      expect(created).toBe(env["SOURCE_DATE_EPOCH"] === undefined ? undefined : "2023-11-14T22:13:20.000Z");
      if (created !== undefined) expect(statSync(places[0]?.at("dist/1.0.0/release.json") as string).mtimeMs).toBe(1_700_000_000_000);
    }
  });
});
