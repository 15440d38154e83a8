// Releases that bring devices their next trust file.

import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encodeTrust, privateKey, signer, signTrustWithoutLog, TRUST_COMPONENT_NAME } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../../test-support/src/bytes.js";
import { expectFailure, image, type Place } from "../../../../test-support/src/command-line/run.js";
import { copyOf, type Found, filesIn, release, released, rulesOf, world } from "../product-place.js";

const PRODUCT = `name = "lamp"
vendor = "example.com"

[keys]
release = "A.pem"

[trust]
file = "first.trust"
root = "R.jwk"
carry = "first.trust"

[boards.lamp]
image = "app.js"
engine = "puck.js"
`;

const [SUIT, INSTALL] = ["dist/1.0.0/lamp-lamp-1.0.0.suit", ["--vendor", "example.com", "--class", "lamp-lamp"]];

const ROOT = privateKey("ed25519", image(32));

/** Makes a trust file of the line "lamp" with these release keys, signed by the root. */
async function list(
  p: Place,
  name: string,
  sequence: number,
  keys: readonly string[],
  more: { line?: string; previous?: string; root?: string } = {},
) {
  const { line = "lamp", previous, root = "R" } = more;
  const anchors = [{ key: `${root}.jwk`, roles: ["root"] }, ...keys.map((key) => ({ key, roles: ["release"] }))];
  p.put(
    `${name}.json`,
    JSON.stringify({ $schema: "urn:firmseal:trust:1", name: line, sequence, anchors, thresholds: { root: 1, release: 1 } }),
  );
  const before = previous === undefined ? [] : ["--previous-trust", previous];
  await p.ok(["trust", "create", "--from", `${name}.json`, ...before]);
  await p.ok(["trust", "sign", `${name}.trust`, "--key", `${root}.pem`, ...before]);
}

/** A product whose devices have first.trust. second.trust follows it: B takes the place of A. */
async function place(product = PRODUCT): Promise<Place> {
  const p = world(product);
  p.putKeys({ R: ROOT });
  await list(p, "first", 1, ["A.jwk"]);
  await list(p, "second", 2, ["B.jwk"], { previous: "first.trust" });
  return p;
}

/** No command signs one with the last number. */
function lastTrustFile(): Promise<Uint8Array> {
  const anchors = [
    { key: ROOT, roles: ["root" as const] },
    { key: privateKey("ed25519", image(32, 9)), roles: ["release" as const] },
  ];
  const list = { name: "lamp", sequence: 2n ** 64n - 1n, anchors, thresholds: { root: 1, release: 1 } };
  return signTrustWithoutLog(encodeTrust(list), [signer(ROOT)]);
}

const carrying = (name: string, keys = '["A.pem", "B.pem"]') =>
  PRODUCT.replace('"A.pem"', keys).replace('carry = "first.trust"', `carry = "${name}"`);

describe("[trust] carry", () => {
  it("brings the trust file that devices have, for those that have missed it", async () => {
    const p = await place();
    await released(p, "1.0.0", "--first");
    const [component] = [...filesIn(join(p.path, "dist/1.0.0")).keys()].filter((name) => name.endsWith(".suit"));
    expect(component).toBe("lamp-lamp-1.0.0.suit");
    expect(p.get(SUIT).includes(readFileSync(p.at("first.trust")))).toBe(true);
    expect((await p.ok(["inspect", SUIT])).stdout).toContain(TRUST_COMPONENT_NAME);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
    await p.ok(["verify", "dist", "--product", "firmseal.toml"]);
    expect((await p.ok(["doctor"])).stdout).toContain("carried first.trust: lamp, sequence number 1, the same as first.trust");
    await p.ok(["install", SUIT, "--trust", "first.trust", "--root", "R.jwk", "--dir", "dev", ...INSTALL]);
    // what is extracted is the image, unless the trust file is asked for
    await p.ok(["extract", "dist/1.0.0", "--out", "out.js"]);
    await p.ok(["extract", "dist/1.0.0", "--component", "1", "--out", "out.trust"]);
    expect([p.get("out.js").equals(p.get("app.js")), p.get("out.trust").equals(p.get("first.trust"))]).toEqual([true, true]);
    // the same release again changes nothing
    expect((await released(p, "1.0.0")).stderr).toContain("already exists");
  });

  it("moves devices to the next trust file with an ordinary release, whose keys count under both", async () => {
    const p = await place(carrying("second.trust"));
    await released(p, "1.0.0", "--first");
    const { json, stderr } = await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--json"]);
    // B is not a stranger, although devices with the first one do not know it
    expect([json["otherSignatures"], stderr.includes("another signature")]).toEqual([[], false]);
    await p.ok(["install", SUIT, "--trust", "first.trust", "--root", "R.jwk", "--dir", "dev", ...INSTALL]);
    // the device has the second trust file now: A alone signs nothing more for it
    p.put("firmseal.toml", PRODUCT);
    await released(p, "1.1.0");
    const later = "dist/1.1.0/lamp-lamp-1.1.0.suit";
    const second = ["--trust", "second.trust", "--root", "R.jwk"];
    expectFailure(await p.run(["install", later, ...second, "--dir", "dev", ...INSTALL]), 1);
    // once every device has moved
    p.put("firmseal.toml", carrying("second.trust", '"B.pem"').replace('file = "first', 'file = "second'));
    await released(p, "1.2.0");
    await p.ok(["install", "dist/1.2.0/lamp-lamp-1.2.0.suit", ...second, "--dir", "dev", ...INSTALL]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
  });

  it("is signed by several people: each list needs its own keys", async () => {
    const p = await place(carrying("second.trust").replace(/\[keys\]\n.*\n/, ""));
    await released(p, "1.0.0", "--first", "--unsigned");
    await p.ok(["sign", "dist/1.0.0", "--key", "A.pem"]);
    const half = await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--missing"]);
    expect(half.exit, half.stderr).toBe(1);
    expect(half.stderr).toContain("1 of 2 signed");
    expectFailure(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), 1);
    await p.ok(["sign", "dist/1.0.0", "--key", "B.pem"]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
  });

  it("is signed one after the other too if another key would do for both", async () => {
    const p = await place(
      carrying("next.trust")
        .replace(/\[keys\]\n.*\n/, "")
        .replace("first.trust", "now.trust"),
    );
    await list(p, "now", 1, ["A.jwk", "C.jwk"], { line: "lamps" });
    await list(p, "next", 2, ["B.jwk", "C.jwk"], { line: "lamps", previous: "now.trust" });
    await released(p, "1.0.0", "--first", "--unsigned");
    await p.ok(["sign", "dist/1.0.0", "--key", "A.pem"]);
    expect((await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--missing"])).stderr).toContain("1 of 2 signed");
    await p.ok(["sign", "dist/1.0.0", "--key", "B.pem"]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
    // C alone is enough, and A alone is not, which doctor says before
    await released(p, "1.1.0", "--key", "C.pem");
    await p.ok(["verify", "dist/1.1.0", "--product", "firmseal.toml"]);
    p.put("firmseal.toml", `${p.get("firmseal.toml")}`.replace("[trust]", '[keys]\nrelease = "A.pem"\n\n[trust]'));
    expectFailure(await release(p, "1.2.0"), 1);
    expect((await p.run(["doctor"])).stdout).toMatch(
      /^fails +role release: board lamp: a device of class lamp-lamp with \S+\.trust would/m,
    );
  });

  it("is signed by the same people for boards whose verifier takes no trust file", async () => {
    const two = `${carrying("second.trust").replace(/\[keys\]\n.*\n/, "")}\n[boards.tiny]\nimage = "app.js"\nfor = "micro"\n`;
    const p = await place(two);
    await released(p, "1.0.0", "--first", "--unsigned");
    for (const key of ["A.pem", "B.pem"]) await p.ok(["sign", "dist/1.0.0", "--key", key]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--missing"]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
  });

  it("takes a chain, for devices that have missed several", async () => {
    const p = await place(carrying("all.trust", '["A.pem", "C.pem"]'));
    await list(p, "third", 3, ["C.jwk"], { previous: "second.trust" });
    await p.ok(["trust", "chain", "second.trust", "third.trust", "--out", "all.trust"]);
    await released(p, "1.0.0", "--first");
    await p.ok(["install", SUIT, "--trust", "first.trust", "--root", "R.jwk", "--dir", "dev", ...INSTALL]);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
  });

  it("is left out for boards whose verifier takes none", async () => {
    const two = `${PRODUCT}\n[boards.tiny]\nimage = "app.js"\nfor = "micro"\n`;
    const p = await place(two);
    await released(p, "1.0.0", "--first");
    expect(p.get("dist/1.0.0/lamp-tiny-1.0.0.suit").includes(readFileSync(p.at("first.trust")))).toBe(false);
    await p.ok(["verify", "dist/1.0.0", "--product", "firmseal.toml"]);
    p.put("firmseal.toml", PRODUCT.replace("[boards.lamp]\n", '[boards.lamp]\nfor = "micro"\n').replace('engine = "puck.js"\n', ""));
    expect(expectFailure(await release(p, "1.1.0"), 1)).toContain("no board has a verifier that takes a trust file");
  });

  it("refuses what devices would not take, before anything is written or signed", async () => {
    const p = await place(carrying("second.trust", '"A.pem"'));
    const log = () => existsSync(p.at("A.pem.log"));
    const refused = async (exit: 1 | 2 | 3, ...more: string[]) => {
      const said = expectFailure(await release(p, "1.0.0", "--first", ...more), exit);
      expect([existsSync(p.at("dist")), log()]).toEqual([false, false]);
      return said;
    };
    // devices with the second trust file do not count A
    expect(await refused(1)).toContain("a device of class lamp-lamp with first.trust would not take the trust file of the release");
    const change = (from: string, to: string) => p.put("firmseal.toml", carrying("second.trust").replace(from, to));
    change('file = "first.trust"\nroot = "R.jwk"', 'keys = "A.jwk"');
    expect(await refused(1)).toContain("devices without a trust file take none");
    change("second.trust", "gone.trust");
    expect(await refused(3)).toContain("firmseal.toml: [trust] carry: gone.trust: file not found");
    // devices take no earlier one
    p.put("firmseal.toml", carrying("first.trust").replace('file = "first.trust"', 'file = "second.trust"'));
    expect(await refused(1)).toMatch(/first\.trust.*refused/);
    // of another product
    await list(p, "other", 2, ["A.jwk", "B.jwk"], { line: "fridge" });
    p.put("firmseal.toml", carrying("other.trust"));
    expect(await refused(1)).toContain('other.trust is for "fridge", and first.trust for "lamp"');
    expect((await p.run(["doctor"])).stdout).toMatch(
      /^fails +carried other\.trust: other\.trust is for "fridge"|^fails +carried other\.trust: is for "fridge"/m,
    );
    // made by somebody else
    p.putKeys({ S: privateKey("ed25519", image(32, 7)) });
    await list(p, "forged", 2, ["A.jwk", "B.jwk"], { root: "S" });
    p.put("firmseal.toml", carrying("forged.trust"));
    expect(await refused(1)).toMatch(/forged\.trust: refused/);
    // after which there is none
    p.put("last.trust", await lastTrustFile());
    p.put("firmseal.toml", carrying("last.trust"));
    expect(await refused(1)).toContain("sequence number 18446744073709551615 is the last one");
    p.put("firmseal.toml", carrying("app.js"));
    expect(await refused(1)).toContain("app.js");
    p.put("firmseal.toml", `${carrying("second.trust")}component = "trust"\n`);
    expect(await refused(1)).toContain("its component trust is that of the trust file");
  });

  it("is verified as devices do that have taken it", async () => {
    const p = await place(carrying("second.trust").replace(/\[keys\]\n.*\n/, ""));
    await released(p, "1.0.0", "--first", "--unsigned");
    await p.ok(["sign", "dist/1.0.0", "--key", "A.pem"]);
    // the record is not signed: it may say that nobody is missing
    const record = JSON.parse(p.get("dist/1.0.0/release.json").toString());
    const text = `${JSON.stringify({ ...record, missing: [] }, null, 2)}\n`;
    p.put("dist/1.0.0/release.json", text);
    const sums = p.get("dist/1.0.0/SHA256SUMS").toString();
    p.put("dist/1.0.0/SHA256SUMS", sums.replace(/^\S+(?= .release\.json)/m, sha256Hex(text)));
    expect(expectFailure(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), 1)).toContain(
      "would not take the trust file of the release",
    );
    // and so is a single file, no matter what the product file says by then
    for (const carry of ['carry = "second.trust"', 'carry = "first.trust"', ""]) {
      p.put("firmseal.toml", PRODUCT.replace('carry = "first.trust"', carry));
      expectFailure(await p.run(["verify", SUIT, "--product", "firmseal.toml"]), 1);
    }
  });

  it("also goes with `sign --board`", async () => {
    const p = await place(carrying("second.trust"));
    await p.ok(["sign", "--board", "lamp", "--version", "1.0.0", "--first", "--out", "lamp.suit"]);
    await released(p, "1.0.0", "--first");
    expect(p.get("lamp.suit").equals(p.get(SUIT))).toBe(true);
  });

  it("is asked for by lint from the second trust file on, and not again once it is there", async () => {
    const second = carrying("second.trust", '"B.pem"').replace('file = "first', 'file = "second');
    const p = await place(second.replace(/carry = .*\n/, ""));
    const isAsked = async (version: string, ...more: string[]) => {
      const made = rulesOf(await released(p, version, "--json", ...more));
      const { findings } = (await p.ok(["lint", `dist/${version}`, "--json"])).json as unknown as Found;
      return [made, findings.map(({ rule }) => rule)].map((rules) => rules.includes("L04"));
    };
    expect(await isAsked("1.0.0", "--first")).toEqual([true, true]);
    p.put("firmseal.toml", second);
    expect(await isAsked("1.1.0")).toEqual([false, false]);
  });
});

/** The product once every device has a trust file. `earlier`: what it says about those before. */
const moved = (name: string, key: string, earlier = "") =>
  carrying(`${name}.trust`, `"${key}.pem"`).replace('file = "first.trust"', `file = "${name}.trust"\n${earlier}`);

const EARLIER = 'earlier = "first.trust"';

describe("[trust] earlier", () => {
  let made: Place | undefined;

  /** A releases 1.0.0, A and B the bridge 1.1.0, and B 1.2.0: second.trust has A no more. */
  async function rotated(earlier = EARLIER): Promise<Place> {
    if (!made) {
      made = await place();
      await released(made, "1.0.0", "--first");
      made.put("firmseal.toml", carrying("second.trust"));
      await released(made, "1.1.0");
      made.put("firmseal.toml", moved("second", "B"));
      await released(made, "1.2.0");
    }
    const p = copyOf(made);
    p.put("firmseal.toml", moved("second", "B", earlier));
    return p;
  }

  /** Puts a release into dist/ that somebody has made elsewhere. */
  async function smuggled(p: Place, version: string, product = PRODUCT): Promise<void> {
    const thief = await place(product);
    thief.put("app.js", "print(666)\n");
    await released(thief, version, "--first");
    cpSync(thief.at(`dist/${version}`), p.at(`dist/${version}`), { recursive: true });
  }

  const verify = (p: Place, path = "dist") => p.run(["verify", path, "--product", "firmseal.toml", "--json"]);
  const versions = (all: unknown) => (all as { version: string }[]).map(({ version }) => version);

  it("names the releases from before a rotation, and verifies those since", async () => {
    const p = await rotated("");
    const refused = await p.run(["verify", "dist", "--product", "firmseal.toml"]);
    expectFailure(refused, 1);
    expect(refused.stderr).toContain("hint: if it is from before second.trust, name the trust file of that time: [trust] earlier\n");
    p.put("firmseal.toml", moved("second", "B", EARLIER));
    const { json } = await p.ok(["verify", "dist", "--product", "firmseal.toml", "--json"]);
    expect([json["trust"], versions(json["releases"]), versions(json["records"]), json["outdated"]]).toEqual([
      expect.objectContaining({ sequence: "2" }),
      ["1.1.0", "1.2.0"],
      ["1.1.0", "1.2.0"],
      [{ path: join("dist", "1.0.0"), version: "1.0.0", sequence: "281474976743424", trust: "first.trust" }],
    ]);
    const { stdout, stderr } = await p.ok(["verify", "dist", "--product", "firmseal.toml"]);
    expect(stderr).toContain(
      `warning: ${join("dist", "1.0.0")} is not verified: first.trust accepts it, and second.trust does not; publish it nowhere\n`,
    );
    expect(stdout).not.toContain("1.0.0");
    // alone, it is judged by the trust file that devices have
    for (const path of ["dist/1.0.0", SUIT]) expectFailure(await p.run(["verify", path, "--product", "firmseal.toml"]), 1);
    expect((await p.run(["doctor"])).stdout).toMatch(/^ok +earlier first\.trust: sequence number 1$/m);
    // what is damaged or unsigned is not old
    p.put("dist/1.0.0/SHA256SUMS", "");
    expect((await verify(p)).exit).toBe(1);
  });

  it("verifies nothing that the thief of a removed key makes, and refuses what is newer than the list without it", async () => {
    const p = await rotated();
    const says = async (version: string, product?: string) => {
      await smuggled(p, version, product);
      const { exit, json } = await verify(p);
      rmSync(p.at(`dist/${version}`), { recursive: true });
      return exit === 0 ? [versions(json["outdated"]), versions(json["releases"])] : json["reason"];
    };
    // nothing tells it from 1.0.0
    expect(await says("1.0.5")).toEqual([
      ["1.0.0", "1.0.5"],
      ["1.1.0", "1.2.0"],
    ]);
    // 1.1.0 carries the list without the key
    expect(await says("1.1.5")).toMatch(/^SIGNATURE_/);
    expect(await says("1.2.1")).toMatch(/^SIGNATURE_/);
    // a stranger
    const stranger = PRODUCT.replace('"A.pem"', '"C.pem"').replace(/\[trust\][^[]*/, "");
    expect(await says("1.0.6", stranger)).toMatch(/^SIGNATURE_/);
  });

  it("goes over several lists: a release must be signed by those that an earlier one has brought", async () => {
    const p = await rotated();
    await list(p, "third", 3, ["C.jwk"], { previous: "second.trust" });
    p.put("firmseal.toml", moved("second", "B").replace('"B.pem"', '["B.pem", "C.pem"]').replace('carry = "second', 'carry = "third'));
    await released(p, "1.3.0");
    p.put("firmseal.toml", moved("third", "C", 'earlier = ["first.trust", "second.trust"]'));
    await released(p, "1.4.0");
    const { json } = await p.ok(["verify", "dist", "--product", "firmseal.toml", "--json"]);
    expect((json["outdated"] as { version: string; trust: string }[]).map(({ version, trust }) => [version, trust])).toEqual([
      ["1.0.0", "first.trust"],
      ["1.1.0", "second.trust"],
      ["1.2.0", "second.trust"],
    ]);
    expect(versions(json["releases"])).toEqual(["1.3.0", "1.4.0"]);
    await smuggled(p, "1.1.5");
    expect((await verify(p)).json["reason"]).toMatch(/^SIGNATURE_/);
  });

  it("refuses lists that are not those before, even if no release needs them", async () => {
    const p = await rotated();
    const refused = async (earlier: string, exit: 1 | 2 | 3 = 1) => {
      p.put("firmseal.toml", moved("second", "B", earlier));
      return expectFailure(await p.run(["verify", "dist", "--product", "firmseal.toml"]), exit);
    };
    expect(await refused('earlier = "gone.trust"', 3)).toContain("firmseal.toml: [trust] earlier: gone.trust: file not found");
    expect(await refused('earlier = "second.trust"')).toContain("second.trust has the sequence number 2, and second.trust 2");
    expect(await refused('earlier = ["first.trust", "first.trust"]')).toContain("first.trust has the sequence number 1");
    expect(await refused('earlier = "app.js"')).toContain("app.js");
    for (const empty of ["earlier = []", 'earlier = ""']) expect(await refused(empty)).toContain("firmseal.toml:9:");
    await list(p, "other", 1, ["A.jwk"], { line: "fridge" });
    expect(await refused('earlier = "other.trust"')).toContain('second.trust is for "lamp", and other.trust for "fridge"');
    // by a root of the thief, beside ours: second.trust follows it
    const thief = privateKey("ed25519", image(32, 7));
    const anchors = [
      { key: ROOT, roles: ["root" as const] },
      { key: thief, roles: ["root" as const] },
      { key: privateKey("ed25519", image(32, 8)), roles: ["release" as const] },
    ];
    const made = (root: number) => encodeTrust({ name: "lamp", sequence: 1n, anchors, thresholds: { root, release: 1 } });
    p.put("forged.trust", await signTrustWithoutLog(made(1), [signer(thief)]));
    expect(await refused('earlier = "forged.trust"')).toContain("forged.trust: refused: not signed by every key of");
    // two roots would have to sign the one that follows
    p.put("two.trust", await signTrustWithoutLog(made(2), [signer(ROOT), signer(thief)]));
    expect(await refused('earlier = "two.trust"')).toContain("second.trust: refused");
    p.put("firmseal.toml", moved("second", "B", EARLIER).replace('root = "R.jwk"\n', ""));
    expect(expectFailure(await p.run(["verify", "dist", "--product", "firmseal.toml"]), 1)).toContain("without a root, anybody may");
    p.put("firmseal.toml", moved("second", "B", EARLIER).replace(/(file|root|carry) = "[sR].*\n/g, ""));
    expect(expectFailure(await p.run(["verify", "dist", "--product", "firmseal.toml"]), 1)).toContain("are those before a trust file");
  });
});
