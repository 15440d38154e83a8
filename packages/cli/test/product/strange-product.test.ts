// A product file of a stranger, in whose folder a command runs: where its paths may lead, and what is shown of them.

import { mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { sha256Hex } from "@firmseal/keys/internal";
import { describe, expect, it } from "vitest";
import { expectFailure, image, type Place, type Result, signImage, words } from "../../../test-support/src/command-line/run.js";
import { brief, PRODUCT, refusal, release, released, world } from "./product-place.js";

const withImage = (image: string) => PRODUCT.replace('"app.js"', JSON.stringify(image));

/** Nothing of the file is anywhere in the folder. */
function expectNothing(p: Place): void {
  expect(p.has("dist")).toBe(false);
  expect(p.has("A.pem.log")).toBe(false);
}

describe("an image outside the folder of the product file", () => {
  const outside = "/etc/hostname";
  const OUTSIDE = "is outside the folder of the product file, or in .git";

  it.each([
    "/proc/self/environ",
    "/proc/self/*on",
    outside,
    "../*/secret.bin",
    "link.bin",
    "folder/secret.bin",
    "fold*/secret.bin",
    ".git/config",
    "sub/.GIT/x",
  ])("is refused: %s", async (image) => {
    const p = world(withImage(image));
    const other = world();
    other.put("secret.bin", "secret of somebody else");
    symlinkSync(other.at("secret.bin"), p.at("link.bin"));
    symlinkSync(other.path, p.at("folder"));
    for (const folder of [".git", "sub/.GIT"]) mkdirSync(p.at(folder), { recursive: true });
    p.put(".git/config", "[http]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n");
    p.put("sub/.GIT/x", "x");
    const text = image.replace("../*", `../${basename(other.path)}`);
    p.put("firmseal.toml", withImage(text));
    for (const more of [[], ["--dry-run"]]) {
      const line = refusal(await release(p, "1.0.0", ...more), 1);
      if (image === "fold*/secret.bin") expect(line).toContain("no image has this name");
      else expect(line).toContain(OUTSIDE);
    }
    expectFailure(await p.run(["sign", "--board", "puck", "--version", "1.0.0"]), 1);
    expectNothing(p);
  });

  it.each(["/dev/zero", "/dev/stdin", "build", "pipe"])("or that is not a plain file, is refused: %s", async (image) => {
    const p = world(withImage(image));
    p.put("pipe", "");
    expectFailure(await p.run(["release", "--version", "1.0.0", "--dry-run", "puck"]), 1);
    expectNothing(p);
  });

  it("is taken from a folder that is named, and from no other", async () => {
    const other = world();
    const p = world(brief(withImage(other.at("app.js"))));
    expect(refusal(await release(p, "1.0.0"), 1)).toContain(OUTSIDE);
    expect(refusal(await release(p, "1.0.0", "--allow-outside", other.at("build")), 1)).toContain(OUTSIDE);
    await released(p, "1.0.0", "--allow-outside", other.path);
    await p.ok(["sign", "--board", "puck", "--version", "1.0.1", "--allow-outside", other.at("build"), "--allow-outside", other.path]);
    // a person may name any image
    await p.ok(["sign", other.at("app.js"), "--board", "puck", "--version", "1.0.2"]);
  });

  it("is found through links inside the folder", async () => {
    const p = world(brief(withImage("latest.js")));
    symlinkSync("app.js", p.at("latest.js"));
    await released(p, "1.0.0");
  });

  it("is not looked for in the folder of the product file as if its name were a pattern", async () => {
    const p = world();
    mkdirSync(p.at("a{b,c}[d]"));
    for (const name of ["A.pem", "app.js"]) p.put(join("a{b,c}[d]", name), p.get(name));
    p.put("a{b,c}[d]/firmseal.toml", `name = "x"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n[boards.one]\nimage = "ap?.js"\n`);
    await p.ok(["release", "--product", "a{b,c}[d]/firmseal.toml", "--version", "1.0.0", "--first"]);
    expect(p.has("a{b,c}[d]/dist/1.0.0/release.json")).toBe(true);
  });
});

describe("a folder of releases outside that of the product file", () => {
  it("is refused unless a person names it", async () => {
    const other = world();
    const p = world(`out = ${JSON.stringify(other.at("dist"))}\n${brief(PRODUCT)}`);
    const line = refusal(await release(p, "1.0.0"), 1);
    expect(line).toContain("firmseal.toml:1:1: ");
    expect(line).toContain("is outside the folder of the product file");
    expect(other.has("dist")).toBe(false);
    await released(p, "1.0.0", "--out", "mine");
    await released(p, "1.0.0", "--allow-outside", other.at("dist"));
    expect(other.has("dist/1.0.0")).toBe(true);
    for (const out of [".git/hooks", "../up"]) {
      p.put("firmseal.toml", `out = "${out}"\n${brief(PRODUCT)}`);
      expect(refusal(await release(p, "1.0.1"), 1)).toContain("is outside the folder of the product file");
    }
  });
});

describe("what a product file leads to", () => {
  it("is shown with --dry-run: keys, and files without their links", async () => {
    const p = world(withImage("latest.js").replace('release = "A.pem"', 'release = ["exec:./sign", "link.pem"]'));
    symlinkSync("app.js", p.at("latest.js"));
    symlinkSync("A.pem", p.at("link.pem"));
    p.put("sign", "#!/bin/sh\nexit 1\n", 0o755);
    const real = (name: string) => realpathSync(p.at(name));
    const r = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--json"]);
    expect(r.json).toMatchObject({
      references: { product: real("firmseal.toml"), keys: ["exec:./sign", "link.pem"], reads: [], writes: p.at("dist/1.0.0") },
      boards: [
        { images: [{ path: "build/a-7f3.bin", real: real("build/a-7f3.bin") }, {}] },
        { images: [{ path: "latest.js", real: real("app.js") }] },
      ],
    });
    const said = (await p.ok(["release", "--version", "1.0.0", "--dry-run"])).stdout;
    for (const line of [
      "would be signed by exec:./sign",
      "would be signed by link.pem",
      `reads ${real("app.js")}`,
      `would write ${p.at("dist/1.0.0")}`,
    ])
      expect(said).toContain(line);
  });

  it("is shown with --dry-run member by member, with digests, thumbprints, and what starts a program", async () => {
    const waiver = '[[policy.waivers]]\nrule = "L40"\nreason = "later"\nuntil = 2099-01-01\n[trust]\nkeys = "A.jwk"\n';
    const p = world(
      brief(PRODUCT).replace('release = "A.pem"', 'release = ["exec:./sign", "pkcs11:object=x?module-path=/x.so"]').concat(waiver),
    );
    p.put("sign", "#!/bin/sh\nexit 1\n", 0o755);
    const r = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--json"]);
    const { references } = r.json as { references: { members: { member: string }[]; thumbprints: string[] } };
    const plain = { path: null, sha256: null, startsProgram: false };
    expect(references.members).toEqual(
      expect.arrayContaining([
        { ...plain, member: "/vendor", refersTo: "device", value: "example.com" },
        { ...plain, member: "/keys/release/0", refersTo: "key", value: "exec:./sign", startsProgram: true },
        expect.objectContaining({ member: "/keys/release/1", startsProgram: true }),
        { ...plain, member: "/policy/waivers/0/until", refersTo: "waiver", value: "2099-01-01" },
        { ...plain, member: "/trust/keys", refersTo: "key", value: "A.jwk", path: "A.jwk", sha256: sha256Hex(p.get("A.jwk")) },
      ]),
    );
    expect(references.thumbprints).toEqual([(await p.ok(["pubkey", "A.pem", "--json"])).json["thumbprint"]]);
    const said = (await p.ok(["release", "--version", "1.0.0", "--dry-run"])).stdout;
    for (const line of [
      "would start the program of exec:./sign",
      `devices trust ${references.thumbprints[0]}`,
      'product file: vendor = "example.com"',
      'product file: policy.waivers[0].rule = "L40"',
    ])
      expect(said).toContain(line);
  });

  it("is images in another folder with --images, and nowhere else", async () => {
    const p = world();
    p.folder("job/build");
    for (const name of ["build/a-7f3.bin", "build/b.bin", "app.js"]) p.put(`job/${name}`, image(2500, 7));
    const dryRun = ["release", "--version", "1.0.0", "--dry-run", "--json"];
    const imagesOf = (r: Result) =>
      (r.json["boards"] as { images: { real: string }[] }[]).flatMap(({ images }) => images.map(({ real }) => real));
    expect(imagesOf(await p.ok([...dryRun, "--images", "job"]))).toEqual(
      ["job/build/a-7f3.bin", "job/build/b.bin", "job/app.js"].map((name) => realpathSync(p.at(name))),
    );
    expect(imagesOf(await p.ok(dryRun))[2]).toBe(realpathSync(p.at("app.js")));
    // a file of the job that leads to one of the product
    rmSync(p.at("job/app.js"));
    symlinkSync("../A.pem", p.at("job/app.js"));
    expect(expectFailure(await p.run([...dryRun.slice(0, -1), "--images", "job"]), 1)).toMatch(/is outside the folder of images/);
    rmSync(p.at("job/app.js"));
    expect(expectFailure(await p.run([...dryRun.slice(0, -1), "--images", "job"]), 1)).toContain("job/app.js: no image has this name");
    expect(expectFailure(await p.run([...dryRun.slice(0, -1), "--images", "gone"]), 3)).toContain("--images gone: file not found");
    expect(expectFailure(await p.run([...dryRun.slice(0, -1), "--images", "firmseal.toml"]), 2)).toContain(
      "--images firmseal.toml is not a folder",
    );
  });

  it("is shown by verify: whose keys it trusts", async () => {
    const p = world(brief(PRODUCT));
    await released(p, "1.0.0");
    const verify = ["verify", "dist/1.0.0/gateway-puck-1.0.0.suit"];
    const r = await p.ok(verify);
    expect(r.stdout + words(r).join("\n")).toContain(`trusted keys: those of ${p.at("firmseal.toml")}`);
    expect((await p.ok([...verify, "--json"])).json["keysFrom"]).toEqual([p.at("firmseal.toml")]);
    await signImage(p, 7, "own.suit");
    expect((await p.ok(["verify", "own.suit", "--key", "A.jwk", "--json"])).json["keysFrom"]).toEqual(["A.jwk"]);
  });
});
