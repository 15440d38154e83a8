// firmseal release --join: releases of some boards, which separate jobs have made, become one release.

import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { RECORD } from "@firmseal/behaviour";
import { describe, expect, it } from "vitest";
import { expectFailure, logEntries, type Place } from "../../../../test-support/src/command-line/run.js";
import { LONG } from "../../../../test-support/src/environment/effort.js";
import { filesIn, PRODUCT, refusal, world } from "../product-place.js";

const SMALL = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[trust]
keys = ["A.jwk"]

[boards.puck]
image = "app.js"
engine = "puck.js"

[boards.pixl]
image = "build/a-*.bin"
uri = "https://fw.example.com/{product}/{version}/{board}.bin"
`;
/** Boards with images for two slots too, in long runs. */
const JOINED = LONG ? PRODUCT.replace("[boards.esp32]", '[trust]\nkeys = ["A.jwk"]\n\n[boards.esp32]') : SMALL;
const [ONE, TWO] = LONG ? ["esp32", "puck"] : ["puck", "pixl"];
const SEVERAL = SMALL.replace('[keys]\nrelease = "A.pem"\n\n', "").replace('keys = ["A.jwk"]', 'keys = ["A.jwk", "C.jwk"]\nthreshold = 2');

/** A release of one board, made in a workspace of its own: parts/NAME. */
async function part(p: Place, board: string, { version = "1.0.0", name = board, product = JOINED, more = [] as string[], put = {} } = {}) {
  const job = world(product);
  for (const [file, content] of Object.entries(put)) job.put(file, content as string);
  await job.ok(["release", board, "--version", version, "--first", ...more]);
  mkdirSync(p.at("parts"), { recursive: true });
  cpSync(job.at(`dist/${version}`), p.at("parts", name), { recursive: true });
}

/** A machine with the product file and the public keys, but no private key and no build. */
function joiner(product = JOINED): Place {
  const p = world(product);
  for (const file of ["A.pem", "C.pem", "app.js"]) rmSync(p.at(file));
  rmSync(p.at("build"), { recursive: true });
  return p;
}

const join = (p: Place, ...more: string[]) => p.run(["release", "--join", "parts/one", "parts/two", ...more]);

/** Two parts that fit. */
async function parts(): Promise<Place> {
  const p = joiner();
  await part(p, ONE as string, { name: "one" });
  await part(p, TWO as string, { name: "two" });
  return p;
}

/** The files of a release. Its record without the signatures of itself: each job signs what it has released. */
function contentOf(p: Place) {
  const { [RECORD]: record, SHA256SUMS: _, ...files } = Object.fromEntries(filesIn(p.at("dist/1.0.0")));
  const { signatures, ...facts } = JSON.parse(String(record));
  return { files, facts, covered: new Set((signatures as { boards: string[] }[]).flatMap(({ boards }) => boards)) };
}

const expectSame = (p: Place, whole: Place) => expect(contentOf(p)).toEqual(contentOf(whole));

describe("release --join", () => {
  it("makes of parts what one job makes of all boards, without a key and in any order", async () => {
    const p = await parts();
    const { json, stderr } = await p.ok(["release", "--join", "parts/two", "parts/one", "--json"]);
    expect(json).toMatchObject({
      state: "joined",
      folder: "dist/1.0.0",
      version: "1.0.0",
      log: [],
      signatures: [{ complete: true }, { complete: true }],
    });
    expect(stderr).not.toContain("warning");
    const whole = world(JOINED);
    await whole.ok(["release", "--version", "1.0.0", "--first"]);
    expectSame(p, whole);
    await p.ok(["verify", "dist/1.0.0"]);
    await p.ok(["verify", "dist"]);
    expect(logEntries(p)).toEqual([]);
    // a job that runs again, also with the version and with a part twice
    const before = p.tree();
    const { json: again } = await p.ok(["release", "--join", "parts/one", "parts/two", "parts/one", "--version", "1.0.0", "--json"]);
    expect(again["state"]).toBe("unchanged");
    const { stderr: words } = await p.ok(["release", "--join", "parts/one", "parts/two", "--out", "elsewhere"]);
    expect(words).toContain("elsewhere/1.0.0: gateway 1.0.0 joined, 2 boards, sequence number");
    rmSync(p.at("elsewhere"), { recursive: true });
    expect(p.tree()).toEqual(before);
  });

  it("joins parts that nobody has signed, or some have: then people sign the whole", async () => {
    for (const [signs, count] of [
      [[], 0],
      [["--key", "A.pem"], 1],
    ] as const) {
      const p = joiner(SEVERAL);
      for (const [board, name] of [
        ["puck", "one"],
        ["pixl", "two"],
      ] as const)
        await part(p, board, { name, product: SEVERAL, more: [...signs] });
      const { json } = await p.ok(["release", "--join", "parts/one", "parts/two", "--json"]);
      expect(json).toMatchObject({ state: "incomplete", signatures: [{ complete: false }, { complete: false }] });
      const whole = world(SEVERAL);
      await whole.ok(["release", "--version", "1.0.0", "--first", ...signs]);
      expectSame(p, whole);
      for (const name of count === 0 ? ["A", "C"] : ["C"]) {
        cpSync(whole.at(`${name}.pem`), p.at(`${name}.pem`));
        await p.ok(["sign", "dist/1.0.0", "--key", `${name}.pem`]);
      }
      await p.ok(["verify", "dist/1.0.0"]);
    }
  });

  it("refuses parts that do not fit, and writes nothing", async () => {
    const p = joiner(SMALL);
    const own = async (name: string, board: string, o: Parameters<typeof part>[2] = {}) => part(p, board, { product: SMALL, ...o, name });
    await own("puck", "puck");
    await own("pixl", "pixl");
    await own("other", "pixl", { product: SMALL.replace('"gateway"', '"other"') });
    await own("vendor", "pixl", { product: SMALL.replace("example.com", "example.org") });
    await own("later", "pixl", { version: "1.0.1" });
    await own("changed", "puck", { put: { "app.js": "print(2)\n" } });
    await own("dear", "pixl", { product: SMALL.replace("{board}.bin", "{board}-x.bin") });
    await own("number", "pixl", {
      product: SMALL.replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]'),
      more: ["--seq", "7"],
    });
    await own("unsigned", "pixl", { more: ["--unsigned"] });
    await own("stranger", "pixl", { product: SMALL.replaceAll("A.", "C.") });
    await own("more", "pico", { product: `${SMALL}\n[boards.pico]\nimage = "app.js"\n` });
    const damaged = (name: string, spoil: (at: (file: string) => string) => void) => {
      cpSync(p.at("parts/pixl"), p.at("parts", name), { recursive: true });
      spoil((file) => p.at("parts", name, file));
    };
    damaged("edited", () => p.put("parts/edited/pixl.bin", "x"));
    damaged("cut", (at) => rmSync(at("pixl.bin")));
    damaged("extra", () => p.put("parts/extra/more", "x"));
    damaged("link", (at) => {
      renameSync(at("pixl.bin"), p.at("pixl.bin"));
      symlinkSync(p.at("pixl.bin"), at("pixl.bin"));
    });
    damaged("json", () => p.put("parts/json/release.json", "{"));
    damaged("sums", (at) => rmSync(at("SHA256SUMS")));
    p.folder("parts/empty");
    const before = p.tree();
    const refused = async (names: readonly string[], exit: number, says: string, ...more: string[]) => {
      const r = await p.run(["release", "--join", ...names.map((name) => `parts/${name}`), ...more]);
      expect(refusal(r, exit), names.join()).toContain(says);
      expect(p.tree()).toEqual(before);
    };
    await refused(["puck", "other"], 1, "is a release of other by example.com, not of gateway by example.com");
    await refused(["puck", "vendor"], 1, "is a release of gateway by example.org");
    await refused(["puck", "later"], 1, "parts/later has version 1.0.1, and parts/puck has 1.0.0");
    await refused(["puck", "number"], 1, "parts/number");
    await refused(["puck", "pixl", "changed"], 1, "parts/changed has other files of board puck than parts/puck");
    await refused(["puck", "dear"], 1, "parts/dear has no file pixl.bin, which the product file names in a uri");
    await refused(["puck"], 1, "no folder has a release for pixl");
    await refused(["puck", "puck"], 1, "no folder has a release for pixl");
    await refused(["puck", "unsigned"], 1, "is not signed by the keys that signed the other boards");
    await refused(["puck", "stranger"], 1, "a key that its devices do not trust");
    await refused(["puck", "pixl", "more"], 1, 'has no board "pico"');
    await refused(["puck", "edited"], 1, "has changed since it was released");
    await refused(["puck", "cut"], 1, "parts/cut is not complete: pixl.bin");
    await refused(["puck", "extra"], 1, "parts/extra has a file that does not belong to the release: more");
    await refused(["puck", "link"], 1, "is a symbolic link");
    await refused(["puck", "json"], 1, "parts/json/release.json is not the record of a release");
    await refused(["puck", "sums"], 3, "parts/sums/SHA256SUMS: file not found");
    await refused(["puck", "empty"], 1, "parts/empty has no release");
    await refused(["puck", "gone"], 3, "parts/gone/release.json: file not found");
    await refused(["puck", "pixl"], 1, "parts/puck is version 1.0.0, not 2.0.0", "--version", "2.0.0");
    await refused([], 2, "--join: no folder is given");
    for (const option of [
      ["--key", "B.pem"],
      ["--unsigned"],
      ["--dry-run"],
      ["--seq", "4"],
      ["--first"],
      ["--log", "x.log"],
      ["--allow-clock"],
      ["--diff", "dist"],
    ])
      await refused(["puck", "pixl"], 2, `${option[0]} is not for --join`, ...option);
    const unversioned = await p.run(["release"]);
    expect(expectFailure(unversioned, 2)).toContain("option '--version <version>' is missing");
    expect(unversioned.stderr).toContain("hint: for example: firmseal release --version 1.4.2; for the first release, add --first\n");
    p.put("asks.toml", `${SMALL}\n[approval]\nkeys = ["gone.pub"]\n`);
    const asks = await p.run(["release", "--join", "parts/puck", "parts/pixl", "--product", "asks.toml"]);
    expect(refusal(asks, 3)).toContain("[approval] keys: gone.pub: file not found");
    expect(p.has("dist")).toBe(false);
    // nothing says whose signatures devices require
    p.put("none.toml", SMALL.replace('[trust]\nkeys = ["A.jwk"]\n', ""));
    const r = await p.run(["release", "--join", "parts/puck", "parts/pixl", "--product", "none.toml"]);
    expect(refusal(r, 1)).toContain("trust names no key");
  });

  it("refuses parts with different times, and takes those with the same", async () => {
    const p = joiner();
    for (const [name, board, time] of [
      ["one", ONE, "1700000000"],
      ["two", TWO, "1700000000"],
      ["late", TWO, "1700000001"],
    ] as const) {
      const job = world(JOINED);
      await job.ok(["release", board as string, "--version", "1.0.0", "--first"], { env: { SOURCE_DATE_EPOCH: time } });
      cpSync(job.at("dist/1.0.0"), p.at("parts", name), { recursive: true });
    }
    expect(refusal(await p.run(["release", "--join", "parts/one", "parts/late"]), 1)).toContain(
      "parts/late has time 2023-11-14T22:13:21.000Z",
    );
    await p.ok(["release", "--join", "parts/one", "parts/two"]);
    const whole = world(JOINED);
    await whole.ok(["release", "--version", "1.0.0", "--first"], { env: { SOURCE_DATE_EPOCH: "1700000000" } });
    expectSame(p, whole);
  });

  it("refuses to write into a part, over another release, and out of order", async () => {
    const p = await parts();
    mkdirSync(p.at("dist"));
    cpSync(p.at("parts/one"), p.at("dist/1.0.0"), { recursive: true });
    const before = p.tree();
    expect(expectFailure(await p.run(["release", "--join", "dist/1.0.0", "parts/two"]), 2)).toContain(
      "dist/1.0.0 is where the joined release is written",
    );
    expect(expectFailure(await join(p, "--out", "parts/one"), 2)).toContain("parts/one is where the joined release is written");
    // a release of one board, made by one job
    expect(refusal(await join(p), 1)).toContain(`dist/1.0.0 has version 1.0.0 for ${ONE}, not for`);
    expect(p.tree()).toEqual(before);
    rmSync(p.at("dist"), { recursive: true });
    p.folder("dist");
    p.put("dist/1.0.0", "a file");
    expect(expectFailure(await join(p), 2)).toContain("dist/1.0.0 exists already");
    rmSync(p.at("dist"), { recursive: true });
    // a later release is known
    const later = world(JOINED);
    await later.ok(["release", "--version", "1.1.0", "--first"]);
    cpSync(later.at("dist"), p.at("published"), { recursive: true });
    expect(refusal(await join(p, "--previous-release", "published"), 1)).toContain("version 1.0.0 is lower than 1.1.0");
    expect(p.has("dist")).toBe(false);
  });
});
