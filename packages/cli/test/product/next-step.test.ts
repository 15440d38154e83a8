// What commands of a product say next: the command in a hint works as it is typed, and no step is named that is done.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, keyC, type Place, quicklyEncrypted, type Result, words } from "../../../test-support/src/command-line/run.js";
import { lintOf, refusal, twoBoards, world } from "./product-place.js";

const TRUST = '[trust]\nkeys = ["A.jwk", "C.jwk"]\nthreshold = 2\n';
const APPROVAL = '\n[approval]\nkeys = "B.jwk"\n';
const PRODUCT = ["--product", "p/x.toml"];

let p: Place;

beforeAll(async () => {
  p = world(twoBoards('[keys]\nrelease = "A.pem"\n'));
  mkdirSync(p.at("p"));
  for (const name of ["A.jwk", "B.jwk", "C.jwk", "app.js"]) cpSync(p.at(name), p.at("p", name));
  await p.ok(["release", "--version", "1.0.0", "--first"]);
});

/** The commands that a result names, in its hint and its words. */
const commandsIn = (r: Result) =>
  [...r.stderr.matchAll(/firmseal (?:approve|extract|lint|release|sign|verify) [^;\n]+/g)].map(([one]) => one);

describe("--dry-run", () => {
  const dry = ["release", "--version", "2.0.0", "--dry-run"];
  it.each([
    ["too few keys", '[keys]\nrelease = "A.pem"\n', "fewer trusted keys have signed than the threshold requires: 1 key signs it"],
    ["too few keys, of which one needs a passphrase", '[keys]\nrelease = "secret.pem"\n', "[keys] has 1 of the 2 keys that must sign"],
    ["a key that devices do not trust", '[keys]\nrelease = ["A.pem", "B.pem"]\n', "would refuse the release"],
  ])("says what the release would be refused for: %s", async (_, keys, said) => {
    p.put("secret.pem", quicklyEncrypted(keyC, "a long passphrase"));
    p.put("dry.toml", twoBoards(keys + TRUST).replace("name", 'out = "dry"\nname'));
    for (const more of [[...dry.slice(0, -1), "--first"], dry]) {
      const r = await p.run([...more, "--product", "dry.toml"]);
      if (!keys.includes("secret") || more === dry) expect(refusal(r, 1)).toContain(said);
    }
    expect(p.has("dry")).toBe(false);
  });

  it("needs no key that is elsewhere, and no passphrase", async () => {
    for (const keys of ["gone.pem", "env:GONE", "exec:./sign"]) {
      p.put("dry.toml", twoBoards(`[keys]\nrelease = ["A.pem", "${keys}"]\n${TRUST}`).replace("name", 'out = "dry"\nname'));
      await p.ok([...dry, "--product", "dry.toml"]);
    }
  });
});

it("install takes the product file that is here, and the only board of the release", async () => {
  const line = refusal(await p.run(["install", "dist/1.0.0", "--dir", "hub"]), 2);
  expect(line).toContain("--board is missing: there are several");
  expect((await p.run(["install", "dist/1.0.0", "--dir", "hub"])).stderr).toContain("--board NAME, one of pixl, puck");
  expect(p.has("hub")).toBe(false);
  const q = world(twoBoards('[keys]\nrelease = "A.pem"\n'));
  await q.ok(["release", "puck", "--version", "1.0.0", "--first", "--out", "one"]);
  expect(words(await q.ok(["install", "one/1.0.0", "--dir", "hub"]))[0]).toContain("installed, board puck, version 1.0.0");
  // the device knows its board now
  expect((await q.ok(["install", "one/1.0.0", "--dir", "hub", "--json"])).json["board"]).toBe("puck");
  q.put("other.toml", twoBoards('[keys]\nrelease = "A.pem"\n').replace('"gateway"', '"other"'));
  const other = await q.run(["install", "one/1.0.0", "--dir", "new", "--product", "other.toml"]);
  expect(refusal(other, 1)).toContain("is a release of gateway by example.com, not of other");
  for (const [option, value] of Object.entries({ "--product": "firmseal.toml", "--board": "puck" })) {
    const both = await q.run(["install", "one/1.0.0", "--dir", "new", "--key", "A.jwk", option, value]);
    expect(refusal(both, 2)).toContain(`${option}: the product file gives the trusted keys`);
  }
});

it("verify says that a folder is missing or empty", async () => {
  const nowhere = ["verify", "../nowhere"];
  for (const args of [nowhere, [...nowhere, "--missing"], ["report", "gone", "--out", "x.html"], ["attach", "gone", "--from", "dist"]])
    expect(expectFailure(await p.run(args), 3)).toContain(": file not found");
  mkdirSync(p.at("dist/1.2.0"));
  expect(refusal(await p.run(["verify", "dist"]), 1)).toContain("dist/1.2.0 has no release.json");
  expect((await p.run(["doctor"])).stdout).toContain("dist/1.2.0: has no release.json");
  await p.ok(["verify", "dist/1.0.0"]);
  rmSync(p.at("dist/1.2.0"), { recursive: true });
});

it("sign and approve say what to name in a product file without [trust]", async () => {
  for (const args of [
    ["sign", "dist/1.0.0", "--key", "C.pem"],
    ["approve", "dist/1.0.0", "--key", "C.pem"],
  ]) {
    const r = await p.run(args);
    expect(refusal(r, 1)).toContain("trust names no key");
    expect(r.stderr).toContain('hint: name the public keys of all who may sign: [trust] keys = ["a.pub", "b.pub"]; firmseal pubkey KEY');
  }
});

it("release, lint and their JSON have the same number of rules that were not checked", async () => {
  const q = world();
  const numberIn = (r: Result) => Number(/(\d+) rules? not checked/.exec(r.stderr)?.[1] ?? 0);
  for (const [version, more] of [
    ["1.1.0", ["--first", "--out", "count"]],
    ["1.2.0", ["--out", "count"]],
    ["1.3.0", ["--out", "count", "--unsigned"]],
  ] as const) {
    q.put("app.js", `print("${version}")\n`);
    q.put("count.toml", twoBoards('[keys]\nrelease = "A.pem"\n\n[trust]\nkeys = "A.jwk"\n').replace("name", 'out = "count"\nname'));
    const args = ["release", "--version", version, ...more, "--product", "count.toml"];
    const told = numberIn(await q.ok(args));
    const linted = await q.ok(["lint", `count/${version}`, "--product", "count.toml"]);
    const rules = (r: Result) => new Set(((r.json["skipped"] ?? lintOf(r).skipped) as { rule: string }[]).map(({ rule }) => rule)).size;
    const json = await q.ok(["lint", `count/${version}`, "--product", "count.toml", "--json"]);
    expect([version, numberIn(linted), rules(json)]).toEqual([version, told, told]);
    expect(linted.stderr).not.toContain("--trust");
  }
});

it("a complete release waits for no approval, even if its parts were joined", async () => {
  p.put("p/x.toml", twoBoards(`[keys]\nrelease = "A.pem"\n\n[trust]\nkeys = "A.jwk"\n${APPROVAL}`));
  cpSync(p.at("A.pem"), p.at("p/A.pem"));
  for (const board of ["pixl", "puck"]) {
    const part = `parts/${board}/1.0.0`;
    await p.ok(["release", board, "--version", "1.0.0", "--first", "--out", `parts/${board}`, ...PRODUCT]);
    await p.ok(["approve", part, "--key", "B.pem", ...PRODUCT]);
    await p.ok(["sign", part, "--key", "A.pem", ...PRODUCT]);
  }
  const joined = await p.ok(["release", "--join", "parts/pixl/1.0.0", "parts/puck/1.0.0", ...PRODUCT]);
  expect(joined.stderr).toContain("1.0.0 joined, 2 boards");
  expect(joined.stderr).not.toContain("approve");
  const missing = await p.ok(["verify", "p/dist/1.0.0", "--missing", ...PRODUCT]);
  expect(missing.stderr).toContain("complete, 1 of 1 signed");
  // those of the parts are beside the parts
  expect(missing.stderr).toMatch(/^warning: p\/dist\/1\.0\.0: 0 of 1 approved, .*; it is signed all the same: ask its signers/m);
  const again = await p.ok(["release", "--version", "1.0.0", "--out", "p/dist", ...PRODUCT]);
  expect(again.stderr).not.toContain("approve");
  rmSync(p.at("p/dist"), { recursive: true });
});

it("hints repeat the product file that was named, and the log", async () => {
  p.put("p/x.toml", twoBoards(TRUST + APPROVAL));
  const all: string[] = [];
  const run = async (...args: string[]) => {
    const r = await p.run(args);
    all.push(...commandsIn(r));
    return r;
  };
  await run("release", "--version", "1.0.0", "--first", ...PRODUCT);
  await run("release", "--version", "1.0.0", "--first", "--key", "A.pem", ...PRODUCT);
  const sign = ["sign", "p/dist/1.0.0", "--key"];
  await run(...sign, "A.pem", ...PRODUCT);
  await run(...sign, "B.pem", ...PRODUCT);
  await run("verify", "p/dist/1.0.0", "--missing", ...PRODUCT);
  await run("verify", "p/dist/1.0.0", ...PRODUCT);
  await run("extract", "p/dist/1.0.0", "--board", "puck", "--out", "old.js", ...PRODUCT);
  await run("install", "p/dist/1.0.0", "--board", "puck", "--dir", "hub", ...PRODUCT);
  await p.ok(["approve", "p/dist/1.0.0", "--key", "B.pem", ...PRODUCT]);
  await run(...sign, "A.pem", ...PRODUCT);
  await run(...sign, "A.pem", ...PRODUCT);
  await run(...sign, "C.pem", ...PRODUCT);
  const checks = (await p.run(["doctor", ...PRODUCT])).stdout.matchAll(/firmseal verify [^;\n]+/g);
  all.push(...[...checks].map(([one]) => one));
  expect(all.length).toBeGreaterThan(9);
  for (const one of all) expect(one).toContain(" --product p/x.toml");
  const withdrawn = await p.ok(["withdraw", "1.0.0", "--reason", "bad", "--key", "A.jwk", "--log", "A.pem.log", ...PRODUCT]);
  expect(commandsIn(withdrawn)).toEqual([
    expect.stringMatching(/^firmseal extract LAST_GOOD .* --product p\/x\.toml$/),
    "firmseal release --version 1.0.1 --product p/x.toml --log A.pem.log",
  ]);
});
