// Where outputs go: no symbolic link of a stranger's repository leads one elsewhere, and none replaces what another
// process wrote since it was checked.

import { existsSync, linkSync, lstatSync, readdirSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FileNames, otherName, outputPlace } from "../../../../keys/src/files/place.js";
import { isSameFile } from "../../../../keys/src/files/read.js";
import { expectFailure, FACTS, type Place, signImage, standard, words } from "../../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../../test-support/src/environment/programs.js";
import { refusal, release, released, world } from "../../product/product-place.js";

const FOLLOWS = "an output follows no link";
const SECRET = "ssh-ed25519 AAAA mine\n";

/** A repository of a stranger, in which NAME is a link to a file of the person outside it. */
function repository(name: string, target = "home/authorized_keys"): Place {
  const p = standard();
  p.folder("home");
  p.put("home/authorized_keys", SECRET);
  symlinkSync(p.at(target), p.at(name));
  return p;
}

const SIGN = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"] as const;

/** Nothing but the link is there, and the file behind it is as it was. */
function expectUntouched(p: Place, name: string): void {
  expect(p.get("home/authorized_keys").toString()).toBe(SECRET);
  expect(readdirSync(p.at("home"))).toEqual(["authorized_keys"]);
  expect(lstatSync(p.at(name)).isSymbolicLink()).toBe(true);
  expect(existsSync(p.at("A.pem.log"))).toBe(false);
}

describe("an output that is a link", () => {
  it("is refused before a key signs, and the file behind it stays", async () => {
    const p = repository("fw.suit");
    p.keepsLogs = true;
    expect(expectFailure(await p.run(SIGN), 2)).toContain(FOLLOWS);
    expect(expectFailure(await p.run([...SIGN, "--replace"]), 2)).toContain(FOLLOWS);
    expectUntouched(p, "fw.suit");
  });

  it("is refused even if it leads nowhere, to itself, or to a file in the same folder", async () => {
    for (const to of ["gone", "fw.suit", "own.suit"]) {
      const p = standard();
      p.put("own.suit", "");
      symlinkSync(to, p.at("fw.suit"));
      expect(expectFailure(await p.run(SIGN), 2), to).toContain(FOLLOWS);
      expect(p.has("gone")).toBe(false);
    }
  });

  const OUTPUTS: readonly (readonly string[])[] = [
    ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "x.suit", "--image-out"],
    ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "x.suit", "--log"],
    ["tbs", "fw.bin", "--key", "B.jwk", ...FACTS, "--seq", "1", "--out"],
    ["tbs", "fw.bin", "--key", "B.jwk", ...FACTS, "--seq", "1", "--out", "x.tbs", "--envelope-out"],
    ["pubkey", "A.pem", "--out"],
    ["keygen", "--no-passphrase", "--out"],
    ["bundle", "--alg", "ed25519", "--out"],
    ["bundle", "--alg", "ed25519", "--out", "b.js", "--source-out"],
    ["init", "--out"],
  ];
  it.each(OUTPUTS)("%s %s …: %#", async (...args) => {
    const end = args[0] === "bundle" ? ".js" : "";
    for (const [link, name, target] of [
      [`out${end}`, `out${end}`, "home/authorized_keys"],
      ["folder", `folder/out${end}`, "home"],
    ] as const) {
      const p = repository(link, target);
      p.keepsLogs = true;
      expect(expectFailure(await p.run([...args, name]), 2)).toMatch(/an output follows no link|exists already/);
      expectUntouched(p, link);
    }
  });

  it("is refused for a signature in place, and the folder of a device or an incident", async () => {
    const p = standard();
    await signImage(p, 1, "real.suit");
    symlinkSync("real.suit", p.at("link.suit"));
    expect(expectFailure(await p.run(["sign", "link.suit", "--key", "B.pem"]), 2)).toContain(FOLLOWS);
    await p.ok(["sign", "link.suit", "--key", "B.pem", "--out", "two.suit"]);
    const install = ["install", "real.suit", "--key", "A.jwk", ...FACTS, "--dir"];
    p.folder("home");
    symlinkSync("home", p.at("dev"));
    expect(expectFailure(await p.run([...install, "dev"]), 2)).toContain(FOLLOWS);
    expect(expectFailure(await p.run([...install, "dev/inner"]), 2)).toContain(FOLLOWS);
    expect(readdirSync(p.at("home"))).toEqual([]);
    await p.ok([...install, "board"]);
    p.put("home/target", SECRET);
    for (const name of ["slots/extra", "envelope.b.suit.new"]) {
      symlinkSync(p.at("home/target"), p.at(`board/${name}`));
      expect(expectFailure(await p.run([...install, "board"]), 2)).toContain("a device has none");
      renameSync(p.at(`board/${name}`), p.at("moved"));
    }
    expect(p.get("home/target").toString()).toBe(SECRET);
  });
});

describe("the folder of releases", () => {
  it.each(["dist", "dist/1.0.0"])("follows no link: %s", async (link) => {
    const p = world();
    p.folder("home");
    if (link !== "dist") p.folder("dist");
    // a junction on Windows, and a symbolic link elsewhere
    symlinkSync(p.at("home"), p.at(link), "junction");
    expect(refusal(await release(p, "1.0.0"), 2)).toMatch(/an output follows no link|exists already/);
    expect(readdirSync(p.at("home"))).toEqual([]);
    expect(p.has("A.pem.log")).toBe(false);
  });

  it("is where the checks looked for it, also with .. behind a link", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    for (const folder of ["home", "home/inside", "home/dev", "dev"]) p.folder(folder);
    symlinkSync(p.at("home/inside"), p.at("link"));
    await p.ok(["install", "fw.suit", "--dir", "link/../dev", "--key", "A.jwk", ...FACTS]);
    expect(readdirSync(p.at("home/dev"))).toEqual([]);
    expect(existsSync(p.at("dev/device.json"))).toBe(true);
  });

  it("follows no link with --out and --sarif-out", async () => {
    const p = world();
    p.folder("home");
    symlinkSync(p.at("home"), p.at("link"));
    expect(refusal(await release(p, "1.0.0", "--out", "link/deep"), 2)).toContain(FOLLOWS);
    expect(refusal(await release(p, "1.0.0", "--sarif-out", "link/x.sarif"), 2)).toContain(FOLLOWS);
    expect(readdirSync(p.at("home"))).toEqual([]);
  });
});

describe("links of the person", () => {
  it("on the way to the current folder are followed", async () => {
    const p = standard();
    const outer = standard();
    symlinkSync(p.path, outer.at("here"));
    // as $PWD has it
    const env = { PWD: outer.at("here") };
    await p.ok([...SIGN, "--out", outer.at("here", "x.suit")], { env });
    expect(p.has("x.suit")).toBe(true);
    // a link that leads back, or to where it is, is not one of them
    for (const to of [".", "..", "/"]) {
      symlinkSync(to, p.at("dist"));
      for (const out of ["dist/y.suit", outer.at("here", "dist", "y.suit"), p.at("dist/y.suit")])
        expect(expectFailure(await p.run([...SIGN, "--out", out], { env }), 2), out).toContain(FOLLOWS);
      unlinkSync(p.at("dist"));
    }
    // nor does a variable that names another folder make it one
    for (const PWD of [outer.path, "here", "/gone"])
      expect(expectFailure(await p.run([...SIGN, "--out", outer.at("here", "y.suit")], { env: { PWD } }), 2)).toContain(FOLLOWS);
  });

  it("lead to the folder for last-seen marks", async () => {
    const p = standard();
    p.keepsLogs = true;
    p.folder("state");
    symlinkSync("state", p.at("stow"));
    await p.ok(SIGN, { env: { FIRMSEAL_STATE: p.at("stow") } });
    expect(readdirSync(p.at("state")).length).toBeGreaterThan(0);
  });
});

describe("names that differ in case", () => {
  it("are one name for outputs that do not exist yet", () => {
    const p = standard();
    expect(isSameFile(p.at("New.suit"), p.at("new.SUIT"))).toBe(true);
    expect(isSameFile(p.at("new.suit"), p.at("newer.suit"))).toBe(false);
    symlinkSync(p.path, p.at("around"));
    expect(isSameFile(p.at("around/new.suit"), p.at("new.suit"))).toBe(true);
  });

  it("are found by the names in the folder", () => {
    expect(otherName("fw.suit", ["FW.SUIT", "a"])).toBe("FW.SUIT");
    expect(otherName("fw.suit", ["FW.SUIT", "fw.suit"])).toBeUndefined();
    expect(otherName("caf\u00e9", ["cafe\u0301"])).toBeUndefined();
  });

  /** The real file system, as one that finds a file under any case of its name and lists the name that it has. */
  const ignoringCase: FileNames = {
    lstat: (path) => lstatSync(foundAt(path), { throwIfNoEntry: false, bigint: true }),
    list: (folder) => readdirSync(foundAt(folder)),
  };
  function foundAt(path: string): string {
    const around = dirname(path);
    if (around === path) return path;
    const folder = foundAt(around);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = basename(path);
    const other = names.find((one) => one.toLowerCase() === name.toLowerCase());
    return join(folder, names.includes(name) ? name : (other ?? name));
  }

  it("are refused where the file system ignores case, for the file and for a folder around it", () => {
    const p = standard();
    p.folder("Dist");
    p.put("FW.SUIT", "x");
    for (const [name, real] of [
      ["fw.suit", "FW.SUIT"],
      ["FW.Suit", "FW.SUIT"],
      ["dist", "Dist"],
      ["dist/fw.suit", "Dist"],
    ] as const)
      expect(() => outputPlace(p.at(name), ignoringCase), name).toThrow(`${p.at(name)}: the name there is ${real}, which differs in case`);
    for (const name of ["FW.SUIT", "Dist", "Dist/fw.suit", "new.suit", "Dist/deep/new.suit"])
      expect(outputPlace(p.at(name), ignoringCase)).toBe(p.at(name));
  });

  it("are two names where the file system distinguishes them, even of one file", () => {
    const p = standard();
    p.put("FW.SUIT", "x");
    expect(outputPlace(p.at("fw.suit"))).toBe(p.at("fw.suit"));
    linkSync(p.at("FW.SUIT"), p.at("fw.suit"));
    for (const names of [undefined, ignoringCase]) expect(outputPlace(p.at("fw.suit"), names)).toBe(p.at("fw.suit"));
  });
});

const windows = process.platform === "win32";

describe.skipIf(windows || !hasProgram("openssl", "version"))("a file that another process wrote meanwhile", () => {
  /** A key whose program does something else before it signs. */
  function slowKey(p: Place, meanwhile: string): string {
    const key = JSON.parse(p.get("A.jwk").toString()) as { x: string };
    const publicKey = Buffer.from(key.x, "base64url").toString("base64");
    p.put(
      "slow.mjs",
      `#!${process.execPath}
import { readFileSync, copyFileSync, renameSync } from "node:fs";
import { createPrivateKey, sign } from "node:crypto";
const request = JSON.parse(readFileSync(0, "utf8"));
const say = (answer) => console.log(JSON.stringify({ contractVersion: 1, ...answer }));
if (request.operation === "describe-key") say({ alg: "ed25519", publicKey: "${publicKey}" });
else {
  ${meanwhile}
  say({ signature: sign(null, Buffer.from(request.message, "base64"), createPrivateKey(readFileSync("${p.at("A.pem")}"))).toString("base64") });
}
`,
      0o755,
    );
    return `exec:${p.at("slow.mjs")}`;
  }
  const copy = (p: Place, from: string, to: string) =>
    `copyFileSync("${p.at(from)}", "${p.at(to)}.new"); renameSync("${p.at(to)}.new", "${p.at(to)}");`;

  it.each(["nothing", "4.suit"])("is not replaced by a lower number, where there was %s before", async (before) => {
    const p = standard();
    await signImage(p, 9, "9.suit");
    await signImage(p, 4, "4.suit");
    if (p.has(before)) p.put("fw.suit", p.get(before));
    const key = slowKey(p, copy(p, "9.suit", "fw.suit"));
    const sign = ["sign", "fw.bin", "--key", key, ...FACTS, "--seq", "5"];
    const r = await p.run(sign);
    expect(expectFailure(r, 2)).toContain("has the higher sequence number 9");
    expect(r.stderr).toContain("sequence number 5 was used");
    expect(p.get("fw.suit").equals(p.get("9.suit"))).toBe(true);
    expect(p.names().filter((name) => name.startsWith("."))).toEqual([]);
    await p.ok([...sign, "--replace"]);
    expect(p.get("fw.suit").equals(p.get("9.suit"))).toBe(false);
  });

  it("is not replaced if it is not an envelope any more", async () => {
    const p = standard();
    await signImage(p, 4, "fw.suit");
    p.put("other.key", p.get("B.pem"));
    const r = await p.run(["sign", "fw.bin", "--key", slowKey(p, copy(p, "other.key", "fw.suit")), ...FACTS, "--seq", "5", "--replace"]);
    expect(expectFailure(r, 2)).toContain("is a private key");
    expect(p.get("fw.suit").equals(p.get("B.pem"))).toBe(true);
  });

  it("does not lose a signature that was added in place", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "C.pem", ...FACTS, "--seq", "4"]);
    p.put("two.suit", p.get("fw.suit"));
    await p.ok(["sign", "two.suit", "--key", "B.pem"]);
    const r = await p.run(["sign", "fw.suit", "--key", slowKey(p, copy(p, "two.suit", "fw.suit"))]);
    expect(expectFailure(r, 3)).toContain("was changed by another process meanwhile");
    expect(p.get("fw.suit").equals(p.get("two.suit"))).toBe(true);
  });

  it("does not lose the signature of another root", async () => {
    const p = standard();
    const anchors = [
      { key: "A.jwk", roles: ["root"] },
      { key: "B.jwk", roles: ["root"] },
      { key: "C.jwk", roles: ["release"] },
    ];
    p.put(
      "t.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds: { root: 2, release: 1 } }),
    );
    await p.ok(["trust", "create", "--from", "t.json"]);
    p.put("signed.trust", p.get("t.trust"));
    await p.ok(["trust", "sign", "signed.trust", "--key", "B.pem"]);
    const r = await p.run(["trust", "sign", "t.trust", "--key", slowKey(p, copy(p, "signed.trust", "t.trust"))]);
    expect(expectFailure(r, 3)).toContain("was changed by another process meanwhile");
    expect(p.get("t.trust").equals(p.get("signed.trust"))).toBe(true);
  });
});

describe("an envelope with one more signature", () => {
  it("replaces no newer release with --out", async () => {
    const p = standard();
    await signImage(p, 5, "five.suit");
    await signImage(p, 9, "fw.suit");
    const nine = p.get("fw.suit");
    expect(expectFailure(await p.run(["sign", "five.suit", "--key", "B.pem", "--out", "fw.suit"]), 2)).toContain(
      "higher sequence number 9",
    );
    expect(p.get("fw.suit").equals(nine)).toBe(true);
    await p.ok(["sign", "five.suit", "--key", "B.pem", "--out", "fw.suit", "--replace"]);
  });
});

it("a release is made as before where no link is", async () => {
  const p = world();
  expect(words(await released(p, "1.0.0", "--first")).length).toBeGreaterThan(0);
});
