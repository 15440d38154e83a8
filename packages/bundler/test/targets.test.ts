import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectExit, FACTS, standard, words } from "../../test-support/src/command-line/run.js";
import { BUNDLE_ALGS } from "../src/options.js";
import { advise, TARGETS } from "../src/targets.js";

describe("targets", () => {
  it("recommend what a bundle can hold", () => {
    for (const [name, { recommended, why }] of Object.entries(TARGETS)) {
      expect(BUNDLE_ALGS, name).toContain(recommended);
      expect(why).not.toBe("");
      expect(name).toBe(name.toLowerCase());
    }
  });
  it("say nothing where the choice is the recommended one", () => {
    expect(advise("QuickJS", ["ed25519"])).toEqual({ target: "quickjs", recommended: "ed25519" });
    expect(advise("quickjs", ["ed25519", "ed25519"]).advice).toBeUndefined();
  });
  it("say what is better, and how to make a key for it", () => {
    expect(advise("quickjs", ["es256"]).advice).toMatch(/^quickjs: ed25519 is recommended, not es256: /);
    expect(advise("puck.js", ["ed25519", "es256"])).toMatchObject({ recommended: "hsslms" });
    expect(advise("puck.js", ["ed25519"]).advice).toMatch(/not ed25519.*keygen --alg hsslms.*--alg ed25519,hsslms/);
    expect(advise("puck.js", ["hsslms"]).advice).toBeUndefined();
    expect(advise("pixl.js", ["ed25519"]).advice).toBeUndefined();
  });
  it("recommend an algorithm in addition to those that no device verifies", () => {
    expect(advise("quickjs", ["ml-dsa-65"]).advice).toMatch(/^quickjs: no device verifies ml-dsa-65: sign with ed25519 too/);
    expect(advise("quickjs", ["ed25519", "ml-dsa-65"]).advice).toBeUndefined();
    // whatever is not in a bundle, and not only by the beginning of its name
    expect(advise("quickjs", ["es384"]).advice).toMatch(/no device verifies es384/);
    for (const alg of BUNDLE_ALGS) expect(advise("quickjs", [alg]).advice ?? "").not.toContain("no device");
  });
  it("that do not exist are refused", () => {
    for (const name of ["toaster", "constructor", "__proto__", ""]) expect(() => advise(name, ["ed25519"])).toThrow(RangeError);
  });
  it("are in the documentation, each with its recommended algorithm", () => {
    const text = readFileSync(new URL("../../../docs/guides/keys/choosing-an-algorithm.md", import.meta.url), "utf8");
    const rows = (text.split("## By target")[1] ?? "")
      .split("\nOn Espruino")[0]
      ?.split("\n")
      .flatMap((line) => {
        const [, names = "", , , choice = ""] = line.split("|").map((cell) => cell.trim());
        return [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name as string, choice] as const);
      });
    const label = { ed25519: "Ed25519", hsslms: "HSS/LMS W4" };
    expect(Object.fromEntries(rows ?? [])).toEqual(
      Object.fromEntries(Object.entries(TARGETS).map(([name, t]) => [name, label[t.recommended]])),
    );
  });
});

describe("--target", () => {
  it("keygen and sign recommend in one line on stderr, and as JSON", async () => {
    const p = standard();
    p.put("image.bin", "image");
    const made = await p.ok(["keygen", "--out", "k.pem", "--no-passphrase", "--target", "puck.js"]);
    expect(words(made).filter((line) => /^puck\.js: hsslms is recommended, not ed25519/.test(line))).toHaveLength(1);
    expect(made.stdout).toBe("");
    const sign = ["sign", "image.bin", "--key", "k.pem", ...FACTS, "--seq", "1", "--out", "image.suit"];
    expect((await p.ok([...sign, "--target", "node"])).stderr).not.toContain("recommended");
    const r = await p.ok([...sign, "--target", "Bangle.js2", "--json"]);
    expect(r.json["target"]).toMatchObject({ target: "bangle.js2", recommended: "ed25519" });
    expect(r.stderr).not.toContain("recommended");
  });
  it("an unknown target is refused before anything is written", async () => {
    const p = standard();
    const r = await p.run(["keygen", "--out", "k.pem", "--no-passphrase", "--target", "toaster"]);
    expectExit(r, 2);
    expect(r.stderr).toContain("puck.js");
    expect(p.has("k.pem")).toBe(false);
  });
});
