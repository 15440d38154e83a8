// A product from its file to its releases: what is made, what is refused, and that no machine and no job makes two releases
// with one number.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { versionNumber } from "@firmseal/keys";
import { beforeAll, describe, expect, it } from "vitest";
import { violations } from "../../release/src/schema.js";
import { expectFailure, firmseal, image, type Place, type Result, standard, words } from "../../test-support/src/run.js";

const PRODUCT = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[boards.esp32]
class = "gateway-esp32"
revisions = ["1", "2"]
image = { a = "build/a-*.bin", b = "build/b.bin" }
uri = "https://fw.example.com/{product}/{version}/{board}-{slot}.bin"
slots = { a = "64K", b = 65536 }

[boards.puck]
image = "app.js"
engine = "puck.js"
`;

function world(product = PRODUCT): Place {
  const p = standard();
  p.keepsLogs = true;
  p.folder("build");
  p.put("build/a-7f3.bin", image(3000, 1));
  p.put("build/b.bin", image(3000, 2));
  p.put("app.js", "print(1)\n");
  p.put("firmseal.toml", product);
  return p;
}

const release = (p: Place, version: string, ...more: string[]) => p.run(["release", "--version", version, ...more]);
const released = (p: Place, version: string, ...more: string[]) => p.ok(["release", "--version", version, ...more]);
const filesIn = (folder: string) =>
  new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const entries = (p: Place, log = "A.pem.log") =>
  p.has(log)
    ? p
        .get(log)
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
/** A failure behind lines of progress. */
const refusal = (r: Result, exit: number) => {
  const lines = words(r).filter((line) => !/^(esp32|puck): |^no earlier release /.test(line));
  expect({ exit: r.exit, lines }).toEqual({ exit, lines: [expect.stringMatching(/^firmseal: /), expect.stringMatching(/^hint: /)] });
  return lines[0] as string;
};

describe("a release", () => {
  const p = world();
  let first: Result;
  beforeAll(async () => {
    first = await released(p, "1.0.0", "--json");
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
    const sums = [...files].filter(([name]) => name !== "SHA256SUMS").map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
    expect(files.get("SHA256SUMS")?.toString()).toBe(sums.join(""));
    const record = JSON.parse(files.get("release.json")?.toString() ?? "");
    expect(violations(record, "record")).toEqual([]);
    expect(record).toMatchObject({ product: "gateway", vendor: "example.com", version: "1.0.0", sequence: String(versionNumber("1.0.0")) });
    const log = entries(p);
    for (const artifact of record.artifacts) {
      expect(artifact.digest).toBe(`sha-256:${sha256(files.get(artifact.file) as Buffer)}`);
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
    expect(first.json["log"]).toHaveLength(2);
    expect(log.map((e) => [e.operation, e.version])).toEqual([
      ["release", "1.0.0"],
      ["release", "1.0.0"],
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
    expect(expectFailure(await p.run(["verify", suit, "--board", "esp32", "--key", "B.jwk"]), 2)).toContain("says who is trusted");
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
    expect([plain.exit, plain.stdout.includes("= gateway-esp32-1")]).toEqual([0, false]);
    rmSync(p.at("elsewhere"), { recursive: true });
  });

  it("is installed by a device of each revision, from the slot that is free", async () => {
    await p.ok(["install", "dist/1.0.0/gateway-esp32-1.0.0.suit", "--board", "esp32", "--device", "one"]);
    const r = await p.ok([
      "install",
      "dist/1.0.0/gateway-esp32-1.0.0.suit",
      "--board",
      "esp32",
      "--class",
      "gateway-esp32-2",
      "--device",
      "two",
      "--json",
    ]);
    expect(r.json).toMatchObject({ version: "1.0.0", components: [{ slot: "b", size: 3000 }] });
    const other = await p.run(["install", "dist/1.0.0/gateway-esp32-1.0.0.suit", "--board", "puck", "--device", "three"]);
    expect(other.exit).toBe(1);
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
    [
      "a folder with a changed payload",
      (q) => q.put("dist/1.0.0/esp32-a.bin", "changed"),
      "esp32-a.bin: has changed since it was released",
    ],
    ["a folder without a payload", (q) => rmSync(q.at("dist/1.0.0/esp32-a.bin")), "is not complete: esp32-a.bin"],
    ["a folder with another file", (q) => q.put("dist/1.0.0/more.bin", "x"), "has a file that is not of the release: more.bin"],
    ["a folder without its checksums", (q) => rmSync(q.at("dist/1.0.0/SHA256SUMS")), "there is no such file"],
    ["a damaged record", (q) => q.put("dist/1.0.0/release.json", "{}"), "is not the record of a release"],
    [
      "a release of another product",
      (q) => q.put("firmseal.toml", PRODUCT.replace('"gateway"', '"router"')),
      "is a release of gateway by example.com, not of router by example.com",
    ],
  ])("under its version refuses %s, and leaves everything as it is", async (_, change, message) => {
    const q = world();
    await released(q, "1.0.0");
    change(q);
    const before = q.tree();
    expect(refusal(await release(q, "1.0.0"), message.startsWith("there is no") ? 3 : 1)).toContain(message);
    expect(q.tree()).toEqual(before);
  });

  it("is not taken for whole if its envelope was exchanged together with its record", async () => {
    const q = world();
    await released(q, "1.0.0");
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
      if (one.file === "gateway-puck-1.0.0.suit") Object.assign(one, { digest: `sha-256:${sha256(evil)}`, size: evil.length });
    q.put("dist/1.0.0/gateway-puck-1.0.0.suit", evil);
    q.put("dist/1.0.0/release.json", JSON.stringify(record));
    const sums = [...filesIn(q.at("dist/1.0.0"))]
      .filter(([name]) => name !== "SHA256SUMS")
      .map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
    q.put("dist/1.0.0/SHA256SUMS", sums.join(""));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("the envelope of board puck is not that of the record");
    expect((await q.run(["verify", "dist/1.0.0"])).exit).toBe(1);
  });

  it("leaves nothing behind if one board fails, and uses no number", async () => {
    const q = world();
    rmSync(q.at("app.js"));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("firmseal.toml:15:1: app.js: there is no such image");
    expect([q.has("dist"), entries(q)]).toEqual([false, []]);
    q.put("app.js", "x".repeat(10));
    q.put("build/b.bin", image(70_000, 2));
    expect(refusal(await release(q, "1.0.0"), 1)).toContain("build/b.bin: has 70000 bytes, and its slot has 65536");
    expect([q.has("dist"), entries(q)]).toEqual([false, []]);
    q.put("dist", "a file is in the way");
    q.put("build/b.bin", image(300, 2));
    expect(refusal(await release(q, "1.0.0"), 3)).toContain("dist");
    expect(entries(q)).toEqual([]);
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
    for (const [i, name] of names.entries()) q.put(`${name}.bin`, image(9000, i + 1));
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
    expect(expectFailure(await release(q, "1.0.0"), 3)).toContain("A.pem: there is no such file");
    expect(q.tree()).toEqual(before);
  });
});

describe("the same inputs", () => {
  it("give the same bytes in two folders, with and without SOURCE_DATE_EPOCH", async () => {
    for (const env of [{}, { SOURCE_DATE_EPOCH: "1700000000" }] as { [name: string]: string }[]) {
      const places = [world(), world()];
      for (const p of places) {
        utimesSync(p.at("app.js"), 1_600_000_000 + Math.random() * 1e7, 1_600_000_000);
        await p.ok(["release", "--version", "1.0.0"], { env });
      }
      const [a, b] = places.map((p) => filesIn(p.at("dist/1.0.0")));
      expect(b).toEqual(a);
      const created = JSON.parse(a?.get("release.json")?.toString() ?? "").created;
      expect(created).toBe(env["SOURCE_DATE_EPOCH"] === undefined ? undefined : "2023-11-14T22:13:20.000Z");
      if (created !== undefined) expect(statSync(places[0]?.at("dist/1.0.0/release.json") as string).mtimeMs).toBe(1_700_000_000_000);
    }
  });
});

/** The manifests that were signed, by number: two with one number would be two releases that nobody can tell apart. */
function signedNumbers(...places: Place[]): Map<string, Set<string>> {
  const out = new Map<string, Set<string>>();
  for (const p of places)
    for (const e of entries(p).filter((one) => one.operation !== "move")) {
      const key = `${e.sequence} ${e.scope.join()}`;
      out.set(key, (out.get(key) ?? new Set()).add(e.digest));
    }
  return out;
}
const expectOneEach = (...places: Place[]) => expect([...signedNumbers(...places)].filter(([, digests]) => digests.size > 1)).toEqual([]);

describe("no two releases have one number", () => {
  const log = PRODUCT.replace("[keys]", '[sequence]\nsource = "log"\n\n[keys]');
  const previous = PRODUCT.replace("[keys]", '[sequence]\nsource = "previous"\n\n[keys]');

  it("on a fresh runner: a version has its number everywhere, and a higher version a higher one", async () => {
    const [old, fresh] = [world(), world()];
    await released(old, "1.0.0");
    // the same build of the same version is the same release
    await released(fresh, "1.0.0");
    expect(filesIn(fresh.at("dist/1.0.0"))).toEqual(filesIn(old.at("dist/1.0.0")));
    const next = world();
    next.put("app.js", "print(2)\n");
    const { json, stderr } = await released(next, "1.0.1", "--json");
    expect(BigInt(json["sequence"] as string)).toBe(versionNumber("1.0.1"));
    // it says what it cannot know
    expect(stderr).toContain("no earlier release is known here");
    expectOneEach(old, fresh, next);
  });

  it("on a fresh runner that is shown the last release: a rebuild that differs is refused, and so is a lower version", async () => {
    const [old, fresh] = [world(), world()];
    await released(old, "1.1.0");
    cpSync(old.at("dist"), fresh.at("published"), { recursive: true });
    fresh.put("app.js", "print(2)\n");
    for (const path of ["published", "published/1.1.0"]) {
      expect(refusal(await release(fresh, "1.1.0", "--previous", path), 1)).toContain("has version 1.1.0 of board puck with other content");
      expect(refusal(await release(fresh, "1.0.9", "--previous", path), 1)).toContain("version 1.0.9 is lower than 1.1.0");
    }
    expect(refusal(await release(fresh, "1.0.9", "--previous", "published/1.1.0/gateway-puck-1.1.0.suit"), 1)).toContain(
      "is lower than 1.1.0",
    );
    expect([fresh.has("dist"), entries(fresh)]).toEqual([false, []]);
    await released(fresh, "1.1.1", "--previous", "published");
    expectOneEach(old, fresh);
  });

  it("with a log that is lost: numbers from the log are not begun again in silence", async () => {
    const p = world(log);
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("the log of the key is empty here");
    expect(p.has("dist")).toBe(false);
    expect((await released(p, "1.0.0", "--first", "--json")).json["sequence"]).toBe("1");
    expect((await released(p, "1.0.1", "--json")).json["sequence"]).toBe("2");
    renameSync(p.at("A.pem.log"), p.at("lost.log"));
    // this machine has seen it
    expect(refusal(await release(p, "1.0.2"), 3)).toContain("ends at entry 0, but entry 4 was seen");
    // another machine has not, and is asked
    const fresh = world(log);
    cpSync(p.at("dist"), fresh.at("dist"), { recursive: true });
    expect(refusal(await release(fresh, "1.0.2"), 1)).toContain("the log of the key is empty here");
    expect(refusal(await release(fresh, "1.0.2", "--seq", "3"), 2)).toContain("the sequence numbers of gateway come from log");
    cpSync(p.at("lost.log"), fresh.at("A.pem.log"));
    expect((await released(fresh, "1.0.2", "--json")).json["sequence"]).toBe("3");
    expectOneEach(fresh);
  });

  it("from the last release: it is exceeded, and without one a person says that this is the first", async () => {
    const p = world(previous);
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("no earlier release is here");
    expect((await released(p, "1.0.0", "--first", "--json")).json["sequence"]).toBe("1");
    expect((await released(p, "1.0.1", "--json")).json["sequence"]).toBe("2");
    expect(refusal(await release(p, "1.0.2", "--first"), 1)).toContain("this is not the first release");
    const fresh = world(previous);
    cpSync(p.at("dist/1.0.1"), fresh.at("last"), { recursive: true });
    expect((await released(fresh, "1.0.2", "--previous", "last", "--json")).json["sequence"]).toBe("3");
    expect(refusal(await release(world(previous), "1.0.0", "--previous", "gone"), 3)).toContain("there is no such file");
    expectOneEach(p, fresh);
  });

  it("given by hand: asked for, and held against the last", async () => {
    const p = world(PRODUCT.replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]'));
    expect(refusal(await release(p, "1.0.0"), 2)).toContain("--seq is missing");
    await released(p, "1.0.0", "--seq", "7");
    expect(refusal(await release(p, "1.0.1", "--seq", "7"), 1)).toContain("sequence number 7 of 1.0.1 is not higher than 7 of 1.0.0");
    await released(p, "1.0.1", "--seq", "8");
    expectOneEach(p);
  });

  it("in two parallel jobs", async () => {
    for (const [product, more] of [
      [PRODUCT, []],
      [log, []],
    ] as [string, string[]][]) {
      const p = world(product);
      if (product === log) await released(p, "0.9.0", "--first");
      const jobs = [0, 1, 2].map((i) => {
        // workspaces of their own, one key and one log
        p.folder(`job${i}`);
        cpSync(p.at("build"), p.at(`job${i}/build`), { recursive: true });
        p.put(`job${i}/app.js`, `print(${i})\n`);
        p.put(`job${i}/firmseal.toml`, product.replace("A.pem", "../A.pem"));
        return firmseal(["release", "--version", "1.0.0", "--json", ...more], {
          cwd: p.at(`job${i}`),
          program: true,
          env: { FIRMSEAL_STATE: p.at("state") },
        });
      });
      const done = await Promise.all(jobs);
      const exits = done.map(({ exit }) => exit).sort();
      // of one version with other content, one is released; with numbers of the log, each has its own
      if (product === PRODUCT) expect(exits).toEqual([0, 1, 1]);
      else expect(new Set(done.map(({ json }) => json["sequence"])).size).toBe(3);
      expectOneEach(p);
    }
  }, 120_000);

  it("with a key that was moved: the other one goes on, and the old one does not sign alone", async () => {
    const p = world(log);
    await released(p, "1.0.0", "--first");
    await released(p, "1.0.1");
    const moved = await p.ok(["keys", "move", "A.pem", "C.pem", "--json"]);
    expect(moved.json["numbers"]).toHaveLength(2);
    expect(entries(p).at(-1)).toMatchObject({ operation: "move", to: (moved.json["to"] as { thumbprint: string }).thumbprint });
    expect(entries(p, "C.pem.log")).toMatchObject([
      { operation: "move", sequence: "2" },
      { operation: "move", sequence: "2" },
    ]);
    expect(refusal(await release(p, "1.0.2"), 1)).toContain("continues its numbers, so it does not sign alone");
    p.put("firmseal.toml", log.replace("A.pem", "C.pem"));
    expect((await released(p, "1.0.2", "--json")).json["sequence"]).toBe("3");
    expect(expectFailure(await p.run(["keys", "move", "A.pem", "C.pem"]), 1)).toContain("was moved to key");
    expect(expectFailure(await p.run(["keys", "move", "C.pem", "C.pem"]), 1)).toContain("both are the same key");
    expect(expectFailure(await p.run(["keys", "move", "B.pem", "C.pem"]), 1)).toContain("its log has no number to continue");
    // an entry of a move is not a signature
    await p.ok(["audit", "A.pem", "C.pem"]);
    expect((await p.run(["audit", "C.pem", "--envelope", "dist/1.0.1/gateway-puck-1.0.1.suit"])).exit).toBe(1);
  });
});

describe("a product file with a mistake", () => {
  const refused = async (product: string, exit = 1, more: string[] = []) => {
    const p = world(product);
    const before = p.tree();
    const line = expectFailure(await release(p, "1.0.0", ...more), exit);
    expect(p.tree()).toEqual(before);
    return line;
  };

  it.each<[string, string, string, string]>([
    [
      "a member with a slip",
      'vendor = "example.com"',
      'vendr = "example.com"',
      'firmseal.toml:2:1: unknown member "vendr"; did you mean "vendor"?',
    ],
    [
      "a member of a board with a slip",
      'image = "app.js"',
      'imgae = "app.js"',
      'firmseal.toml:15:1: boards.puck: unknown member "imgae"; did you mean "image"?',
    ],
    [
      "a slip inside an inline table",
      "slots = { a =",
      "slots = { aa =",
      'firmseal.toml:12:11: boards.esp32.slots: unknown member "aa"; did you mean "a"?',
    ],
    ["a missing value", 'name = "gateway"', "name =", "firmseal.toml:1:"],
    ["a string without an end", 'release = "A.pem"', 'release = "A.pem', "firmseal.toml:5:"],
    ["two boards with one name", "[boards.puck]", "[boards.esp32]", "firmseal.toml:14:"],
    ["two boards that differ in case", "[boards.puck]", "[boards.ESP32]", "boards esp32 and ESP32 have one name"],
    ["two boards of one class", 'engine = "puck.js"', 'class = "gateway-esp32-2"', "boards esp32 and puck have one class, gateway-esp32-2"],
    ["an engine with a slip", 'puck.js"', 'puk.js"', 'firmseal.toml:16:1: "puk.js" is not a known engine; did you mean "puck.js"?'],
    ["a pattern that matches nothing", "build/a-*.bin", "build/c-*.bin", "firmseal.toml:10:1: build/c-*.bin: there is no such image"],
    [
      "a pattern that matches two files",
      "build/a-*.bin",
      "build/*.bin",
      "firmseal.toml:10:1: build/*.bin: matches 2 files: build/a-7f3.bin, build/b.bin",
    ],
    ["an unknown placeholder", "{slot}", "{slots}", 'unknown placeholder {slots}; did you mean "slot"?'],
    ["one URI for two images", "-{slot}", "", "have a file of one name, esp32.bin"],
    [
      "a payload with the name of the record",
      "{board}-{slot}.bin",
      "release.json",
      "the release and board esp32 slot a have a file of one name, release.json",
    ],
    ["a URI without a file", "{board}-{slot}.bin", "", "its last part is not the name of a file"],
    ["a URI that leads out of the folder", "{board}-{slot}.bin", "..%2F{board}-{slot}.bin", "its last part is not the name of a file"],
    ["a size that is none", '"64K"', '"64Q"', "firmseal.toml:12:11: boards.esp32.slots.a: "],
    [
      "a class of a UUID with revisions",
      '"gateway-esp32"',
      '"a8a1ee90-d2b3-4b4f-8c3e-6c9b0d0a0a0a"',
      "a class that is a UUID has no revisions",
    ],
    ["a vendor that is none", '"example.com"', '"example com"', "is neither a UUID nor a name"],
    ["a key on stdin", '"A.pem"', '"-"', "stdin is not a place for a key of a product"],
    ["no key", 'release = "A.pem"', "", "names no release key"],
    ["__proto__", 'name = "gateway"', '__proto__ = 1\nname = "gateway"', "firmseal.toml:1:1"],
    [
      "an unknown source of numbers",
      "[keys]",
      '[sequence]\nsource = "versoin"\n[keys]',
      '"versoin" is not one of version, previous, log, given; did you mean "version"?',
    ],
  ])("%s: one line with its place, one hint, nothing written", async (_, good, bad, message) => {
    expect(PRODUCT).toContain(good);
    expect(await refused(PRODUCT.replace(good, bad))).toContain(message);
  });

  it("or none, or a key that is not there, or a profile that no key has", async () => {
    expect(await refused(PRODUCT.replace("A.pem", "gone.pem"), 3)).toContain("gone.pem: there is no such file");
    const p = world();
    rmSync(p.at("firmseal.toml"));
    expect(expectFailure(await release(p, "1.0.0"), 3)).toContain("firmseal.toml: there is no such file");
    p.put("firmseal.toml", Buffer.from([0xff, 0xfe, 0x00]));
    expect(expectFailure(await release(p, "1.0.0"), 1)).toContain("firmseal.toml: is not UTF-8 text");
    p.put("firmseal.toml", `profile = "suit-sha256-hsslms-a256kw-a256ctr"\n${PRODUCT}`);
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("the profile asks for a signature with hsslms");
    expect([p.has("dist"), entries(p)]).toEqual([false, []]);
  });

  it.each(["1.0", "v1.0.0", "latest", "1.0.0-rc1", "65536.0.0", "", "../1.0.0"])("version %j is refused as such", async (version) => {
    const p = world();
    const before = p.tree();
    expect(expectFailure(await release(p, version), 2)).toMatch(/is not a version|is too large/);
    expect(p.tree()).toEqual(before);
  });

  it("a clock that is far off, and a time that is none", async () => {
    const p = world();
    for (const time of ["tomorrow", "99999999999", "-1", "1e9"]) {
      const r = await p.run(["release", "--version", "1.0.0"], { env: { SOURCE_DATE_EPOCH: time } });
      expect(expectFailure(r, 2)).toContain("SOURCE_DATE_EPOCH is not a time in the past");
    }
    expect([p.has("dist"), entries(p)]).toEqual([false, []]);
  });
});

describe("whom the devices of a product trust", () => {
  const withTrust = (lines: string) => `${PRODUCT}\n[trust]\n${lines}\n`;

  it("may be other keys than those that sign: then nothing is signed that they would refuse", async () => {
    const p = world(withTrust('keys = "B.jwk"'));
    expect(refusal(await release(p, "1.0.0"), 1)).toMatch(/board esp32: a device of class gateway-esp32-1 would refuse the release/);
    expect([p.has("dist"), entries(p)]).toEqual([false, []]);
    p.put("firmseal.toml", withTrust('keys = ["A.jwk", "C.jwk"]\nthreshold = 2'));
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("1 key signs it");
    p.put("firmseal.toml", withTrust('keys = ["A.jwk", "C.jwk"]\nthreshold = 2').replace('"A.pem"', '["A.pem", "C.pem"]'));
    await released(p, "1.0.0");
    await p.ok(["verify", "dist/1.0.0"]);
  });

  it("may be a trust file, whose release keys must sign", async () => {
    const p = world(withTrust('file = "line.trust"\nroot = "B.jwk"'));
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"] },
      { key: "C.jwk", roles: ["debug"] },
    ];
    const thresholds = { root: 1, release: 1, debug: 1 };
    p.put("line.json", JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds }));
    await p.ok(["trust", "create", "--from", "line.json"]);
    await p.ok(["trust", "sign", "line.trust", "--key", "B.pem"]);
    await released(p, "1.0.0");
    expect((await p.ok(["verify", "dist/1.0.0", "--json"])).json["trust"]).toMatchObject({ name: "line", role: "release", pinned: true });
    expect((await p.run(["verify", "dist/1.0.0", "--role", "debug", "--product", "firmseal.toml"])).exit).toBe(1);
    p.put("firmseal.toml", withTrust('file = "line.trust"\nroot = "B.jwk"').replace('"A.pem"', '"C.pem"'));
    expect(refusal(await release(p, "1.0.1"), 1)).toContain("has the role debug in line.trust, not release");
  });

  it("is never asked of a program or a token: who verifies runs nothing that the file names", async () => {
    const p = world(PRODUCT.replace('"A.pem"', '"exec:./evil"'));
    p.put("evil", "#!/bin/sh\ntouch ran\n", 0o700);
    p.put(
      "x.suit",
      (
        await world().ok([
          "sign",
          "app.js",
          "--key",
          "A.pem",
          "--vendor",
          "example.com",
          "--class",
          "gateway-puck",
          "--version",
          "1.0.0",
          "--out",
          "-",
        ])
      ).bytes,
    );
    expect(expectFailure(await p.run(["verify", "x.suit", "--product", "firmseal.toml"]), 1)).toContain("the release key is not a file");
    p.put("firmseal.toml", withTrust('keys = "exec:./evil"'));
    expect(expectFailure(await p.run(["verify", "x.suit", "--product", "firmseal.toml"]), 1)).toContain("only files can be trusted keys");
    expect(p.has("ran")).toBe(false);
  });
});

describe("sign --board", () => {
  it("needs no vendor, class or key, and refuses what the product does not have", async () => {
    const p = world();
    await p.ok(["sign", "--board", "puck", "--version", "1.0.0"]);
    await p.ok(["verify", "gateway-puck-1.0.0.suit", "--board", "puck"]);
    await p.ok(["sign", "--board", "esp32", "--version", "1.0.0", "--out", "e.suit"]);
    expect(expectFailure(await p.run(["sign", "--board", "puck"]), 2)).toContain("--version is missing");
    expect(expectFailure(await p.run(["sign", "--board", "pick", "--version", "1.0.1"]), 1)).toContain('did you mean "puck"?');
    expect(expectFailure(await p.run(["sign", "--board", "puck", "--version", "1.0.1", "--class", "x"]), 2)).toContain(
      "--class: the product file says",
    );
    expect(expectFailure(await p.run(["sign", "--product", "firmseal.toml", "--version", "1.0.1"]), 2)).toContain("--board is missing");
    expect(expectFailure(await p.run(["sign", "build/b.bin", "--board", "esp32", "--version", "1.0.1"]), 2)).toContain(
      "has several images",
    );
    expect(expectFailure(await p.run(["sign"]), 2)).toContain("missing required argument 'input'");
    expect(expectFailure(await p.run(["sign", "fw.bin"]), 2)).toContain("required option '-k, --key <key>' not specified");
    // the same bytes as those of a release
    await released(p, "1.0.0");
    expect(p.get("gateway-puck-1.0.0.suit").equals(p.get("dist/1.0.0/gateway-puck-1.0.0.suit"))).toBe(true);
    expect(p.get("e.suit").equals(p.get("dist/1.0.0/gateway-esp32-1.0.0.suit"))).toBe(true);
  });
});

describe("init", () => {
  const fresh = () => {
    const p = standard();
    p.keepsLogs = true;
    rmSync(p.at("fw.bin"));
    return p;
  };

  it("writes a file that works at once, and never overwrites", async () => {
    const p = fresh();
    p.put("app.bin", image(100));
    const { json } = await p.ok([
      "init",
      "--vendor",
      "example.com",
      "--board",
      "esp32=app.bin",
      "--key",
      "A.pem",
      "--name",
      "gateway",
      "--json",
    ]);
    expect(json).toMatchObject({
      out: "firmseal.toml",
      project: null,
      name: "gateway",
      missing: [],
      boards: [{ board: "esp32", images: ["app.bin"] }],
    });
    await released(p, "1.0.0");
    await p.ok(["verify", "dist/1.0.0"]);
    const before = p.tree();
    expect(expectFailure(await p.run(["init", "--vendor", "example.com", "--board", "esp32=app.bin"]), 2)).toContain("never overwritten");
    expect(p.tree()).toEqual(before);
    mkdirSync(p.at("sub"));
    await p.ok(["init", "--vendor", "example.com", "--board", "esp32=app.bin", "--key", "A.pem", "--out", "sub/firmseal.toml"]);
    await p.ok(["release", "--version", "1.0.0", "--product", "sub/firmseal.toml"]);
    expect(p.has("sub/dist/1.0.0/release.json")).toBe(true);
  });

  it.each<[string, { [file: string]: string }, { project: string; name?: string; boards: object[] }]>([
    [
      "PlatformIO",
      {
        "platformio.ini": "[platformio]\n[env:esp32dev]\nboard = esp32dev\n[env:nano]\n",
        "partitions.csv": "n, data, nvs, , 0x6000\na, app, ota_0, , 1536K\nb, app, ota_1, , 0x180000\n",
      },
      { project: "PlatformIO", boards: [{ board: "esp32dev", images: [".pio/build/esp32dev/firmware.bin"] }, { board: "nano" }] },
    ],
    [
      "Zephyr",
      {
        "CMakeLists.txt": "find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})\nproject(blinky)\n",
        "build/CMakeCache.txt": "CACHED_BOARD:STRING=nrf52840dk/nrf52840\n",
        "build/zephyr/zephyr.bin": "x",
      },
      { project: "Zephyr", name: "blinky", boards: [{ board: "nrf52840dk", images: ["build/zephyr/zephyr.bin"] }] },
    ],
    [
      "ESP-IDF",
      {
        "CMakeLists.txt": "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(sensor)\n",
        sdkconfig: 'CONFIG_IDF_TARGET="esp32s3"\n',
      },
      { project: "ESP-IDF", name: "sensor", boards: [{ board: "esp32s3", images: ["build/sensor.bin"] }] },
    ],
    [
      "CMake",
      { "CMakeLists.txt": 'project("pump" C)\n', "build/pump.hex": ":00000001FF\n" },
      { project: "CMake", name: "pump", boards: [{ board: "pump", images: ["build/pump.hex"] }] },
    ],
    [
      "Espruino",
      { "package.json": '{"name":"@acme/tag","main":"src/main.js","devDependencies":{"espruino":"0.1.68"}}' },
      { project: "Espruino", name: "acme-tag", boards: [{ board: "app", images: ["src/main.js"] }] },
    ],
  ])("knows a project of %s", async (_, files, expected) => {
    const p = fresh();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(p.path, name, ".."), { recursive: true });
      p.put(name, content);
    }
    expect((await p.ok(["init", "--vendor", "example.com", "--json"])).json).toMatchObject(expected);
    expect(p.get("firmseal.toml").toString()).toContain(
      files["partitions.csv"] === undefined ? "image = " : 'slots = { a = "1536K", b = "1536K" }',
    );
  });

  it("says what is missing where nobody can be asked, and takes no nonsense", async () => {
    const p = fresh();
    expect(expectFailure(await p.run(["init"]), 2)).toContain("--vendor is missing");
    expect(expectFailure(await p.run(["init", "--vendor", "example.com"]), 2)).toContain("--board is missing");
    for (const board of ["x", "=y", "x="])
      expect(expectFailure(await p.run(["init", "--vendor", "a.b", "--board", board]), 2)).toContain("is not NAME=IMAGE");
    expect(expectFailure(await p.run(["init", "--vendor", "a b", "--board", "x=y"]), 1)).toContain("is neither a UUID nor a name");
    expect(expectFailure(await p.run(["init", "--vendor", "a.b", "--board", "x=y", "--board", "x=z"]), 1)).toContain("firmseal.toml:");
    expect(p.has("firmseal.toml")).toBe(false);
  });
});
