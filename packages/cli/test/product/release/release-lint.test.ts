// firmseal release and the rules of lint: what stops it, what it shows, and what it writes.

import { readdirSync } from "node:fs";
import { lintCounts } from "@firmseal/release/internal";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, words } from "../../../../test-support/src/command-line/run.js";
import { brief, espImage, lintOf, PRODUCT, refusal, release, released, rulesOf, twoBoards, untouched, world } from "../product-place.js";

const withPolicy = (lines: string, product = PRODUCT) => `${product}\n[policy]\n${lines}\n`;

describe("lint in a release", () => {
  it("stops at an error before a key or a number is used, and writes only what was requested", async () => {
    const p = world(withPolicy('suite = "cnsa2"'));
    const r = await release(p, "1.0.0", "--json", "--sarif-out", "lint.sarif");
    expectExit(r, 1);
    expect([r.json["reason"], rulesOf(r).filter((rule) => rule !== "L40")]).toEqual(["LINT", ["L50", "L50"]]);
    untouched(p);
    const sarif = JSON.parse(p.get("lint.sarif").toString());
    expect(sarif.runs[0].results).toContainEqual(expect.objectContaining({ ruleId: "L50", level: "error" }));
    // in words, each error is a line
    const { stderr } = await release(p, "1.0.0");
    expect(stderr.match(/: error: signed with ed25519 only \[L50 cnsa2-signature\]/g)).toHaveLength(2);
    untouched(p);
    // a dry run reports what needs no key
    p.put("firmseal.toml", withPolicy('[[policy.waivers]]\nrule = "L40"\nuntil = 2099-01-01'));
    expect(refusal(await release(p, "1.0.0", "--dry-run"), 1)).toContain("L90 waiver-invalid: the waiver of L40 has no reason");
  });

  it("counts the same rules as lint does, also while nobody has signed", async () => {
    const p = world(brief(PRODUCT).replace("[boards", '[trust]\nkeys = "A.jwk"\n\n[boards'));
    const counted = (text: string) => text.match(/\d+ notes?; \d+ rules? not checked/)?.[0];
    for (const [version, ...more] of [["1.0.0"], ["1.1.0", "--unsigned"]] as const) {
      const made = await released(p, version, ...more);
      const found = counted(String(await p.run(["lint", `dist/${version}`])));
      expect([version, counted(String(made))]).toEqual([version, found]);
      expect(found).toBeDefined();
      expect(words(await released(p, version, ...more))).toContain(`lint: firmseal lint dist/${version} checks it again`);
    }
    expect(lintCounts({ findings: [], skipped: [{ rule: "L01", why: "" }] })).toBe("no findings; 1 rule not checked");
  });

  it("counts them so for each command that makes a release complete, and refers to lint where the power is not cut", async () => {
    const p = world(twoBoards('[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2\n\n'));
    const line = async (...args: string[]) => words(await p.ok(args)).filter((one) => one.startsWith("lint: "));
    const later = (folder: string) => [`lint: firmseal lint ${folder} checks it again`];
    const whole = (folder: string) => [`lint: 2 notes; 1 rule not checked; firmseal lint ${folder} shows them`];
    for (const board of ["pixl", "puck"])
      await p.ok(["release", board, "--version", "1.0.0", "--first", "--unsigned", "--out", board, "--quiet"]);
    expect(await line("release", "--join", "pixl/1.0.0", "puck/1.0.0")).toEqual(later("dist/1.0.0"));
    await p.ok(["release", "--version", "1.0.0", "--first", "--key", "A.pem", "--out", "other", "--quiet"]);
    expect(await line("attach", "dist/1.0.0", "--from", "other/1.0.0")).toEqual(later("dist/1.0.0"));
    expect(await line("sign", "dist/1.0.0", "--key", "B.pem")).toEqual(whole("dist/1.0.0"));
    expect(await line("attach", "other/1.0.0", "--from", "dist/1.0.0")).toEqual(whole("other/1.0.0"));
    const { json } = await p.ok(["lint", "dist/1.0.0", "--json"]);
    expect(lintCounts(json as never)).toBe("2 notes; 1 rule not checked");
  });

  it("shows each error to the person who signs last", async () => {
    const p = world(twoBoards('[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2\n\n'));
    await p.ok(["release", "--version", "1.0.0", "--first", "--key", "A.pem"]);
    const waiver = '[[policy.waivers]]\nrule = "L40"\nreason = "later"\nuntil = 2025-01-01\n';
    p.put("firmseal.toml", `${p.get("firmseal.toml")}\n${waiver}`);
    const r = await p.run(["sign", "dist/1.0.0", "--key", "B.pem"]);
    expect(refusal(r, 1)).toContain("L90 waiver-invalid");
    expect(r.stderr).toContain("firmseal.toml: error: the waiver of L40 has expired on 2025-01-01 [L90 waiver-invalid]");
  });

  it("checks the keys that will sign against the rules before they sign", async () => {
    const waiver = '[[policy.waivers]]\nrule = "cnsa2-signature"\nreason = "LMS keys are in order"\nuntil = 2099-01-01';
    const p = world(withPolicy(`suite = "cnsa2"\n${waiver}`, brief(PRODUCT)));
    const plan = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--json"]);
    expect(lintOf(plan).skipped).toContainEqual(expect.objectContaining({ rule: "L50", why: "no key has signed yet" }));
    expect(rulesOf(await released(p, "1.0.0", "--json"))).toContain("L50 waived");
    p.put("firmseal.toml", withPolicy(`suite = "cnsa2"\n${waiver.replace("2099", "2025")}`));
    expect(refusal(await release(p, "1.0.1"), 1)).toContain("L90 waiver-invalid");
    p.put("firmseal.toml", withPolicy(waiver.replace("cnsa2-signature", "L52")));
    expect(refusal(await release(p, "1.0.1"), 1)).toContain('firmseal.toml:20:1: "L52" is not a rule of firmseal lint');
    expect(readdirSync(p.at("dist"))).toEqual(["1.0.0"]);
  });

  it("takes one tree of LMS and SHA-384 for CNSA 2.0, and no more", async () => {
    const p = world(withPolicy('suite = "cnsa2"'));
    for (const [name, trees] of [
      ["one", "5/2"],
      ["two", "5/2,5/2"],
    ] as const) {
      await p.ok(["keygen", "--alg", "hsslms", "--hss", trees, "--out", `${name}.pem`, "--no-passphrase"]);
      p.put(
        "firmseal.toml",
        p
          .get("firmseal.toml")
          .toString()
          .replace(/release = ".*"/, `release = "${name}.pem"`),
      );
      const r = await release(p, "1.0.0", "--out", name);
      if (name === "two") expect(refusal(r, 1)).toContain("signed with hss-lms with several trees only");
      else {
        expectExit(r, 0);
        await p.ok(["verify", "one/1.0.0", "--product", "firmseal.toml"]);
        expect((await p.ok(["lint", "one/1.0.0", "--json"])).json["findings"]).toHaveLength(2);
        expect(JSON.parse(p.get("one/1.0.0/release.json").toString()).artifacts[0].manifest).toMatch(/^sha-384:/);
      }
    }
  });

  it("shows warnings, and continues", async () => {
    const p = world();
    p.put("build/b.bin", espImage("9.9.9"));
    const r = await released(p, "1.0.0");
    expect(r.stdout).toContain(
      "dist/1.0.0/gateway-esp32-1.0.0.suit: warning: https://fw.example.com/gateway/1.0.0/esp32-b.bin: the app descriptor of ESP-IDF names version 9.9.9",
    );
    expect(r.stderr).toMatch(/^lint: 1 warning, 2 notes; .*; firmseal lint dist\/1\.0\.0 shows them$/m);
    expect((await p.ok(["release", "--version", "1.0.1", "--dry-run"])).stderr).not.toContain("shows them");
    const again = await released(p, "1.0.0", "--json");
    expect(again.json).toMatchObject({ state: "unchanged" });
    expect(rulesOf(again)).toContain("L42");
  });

  it("finds what lint finds in the folder afterwards", async () => {
    const p = world();
    p.put("build/b.bin", espImage("9.9.9"));
    await released(p, "1.0.0");
    p.put("app.js", "print(2)\n");
    const own = await released(p, "1.1.0", "--json");
    const after = await p.ok(["lint", "dist/1.1.0", "--json"]);
    expect(lintOf(own).findings).toEqual(after.json["findings"]);
  });

  it("refuses an output path for SARIF that is not allowed", async () => {
    const p = world();
    for (const [path, words] of [
      ["firmseal.toml", "would replace firmseal.toml"],
      ["dist/1.0.0/lint.sarif", "is in the folder of the release"],
      ["-", "stdout is already used"],
      ["A.pem", "is a private key"],
    ] as const)
      expect(expectFailure(await release(p, "1.0.0", "--sarif-out", path), 2)).toContain(words);
    untouched(p);
  });
});
