// A release that several people sign, in different places and in any order.

import { createHash, createPrivateKey, sign } from "node:crypto";
import { chmodSync, cpSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type PrivateKey, privateKey, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  image,
  keyA,
  keyB,
  keyC,
  logEntries,
  type Place,
  type Result,
} from "../../../../test-support/src/command-line/run.js";
import { filesIn, refusal, release, released, twoBoards, world } from "../product-place.js";

/** Two of three must sign. */
const TOGETHER = twoBoards(`[trust]
keys = ["A.jwk", "B.jwk", "C.jwk"]
threshold = 2
`);

const FOLDER = "dist/1.0.0";
const BOARDS = 2;

/** A release that nobody has signed. */
async function unsigned(product = TOGETHER): Promise<Place> {
  const p = world(product);
  await released(p, "1.0.0", "--first");
  return p;
}

interface Anchor {
  readonly key: string;
  readonly roles: readonly string[];
  readonly vendor?: string;
  readonly class?: string;
}

/** A product whose devices have a trust file, of which R is the root. */
async function withTrust(anchors: readonly Anchor[], threshold: number, families?: object): Promise<Place> {
  const p = world(TOGETHER.replace(/\[trust\][\s\S]*?\n\n/, '[trust]\nfile = "line.trust"\nroot = "R.jwk"\n\n'));
  p.putKeys({ R: privateKey("ed25519", image(32)) });
  const all = [{ key: "R.jwk", roles: ["root"] }, ...anchors];
  const thresholds = { root: 1, release: threshold };
  const list = { $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors: all, thresholds, ...(families && { families }) };
  p.put("line.json", JSON.stringify(list));
  await p.ok(["trust", "create", "--from", "line.json"]);
  await p.ok(["trust", "sign", "line.trust", "--key", "R.pem"]);
  return p;
}

/** A and B sign releases, one with each algorithm. */
const ONE_OF_EACH = [
  { key: "A.jwk", roles: ["release"] },
  { key: "B.jwk", roles: ["release"] },
];
const FAMILIES = {
  release: [
    { algorithms: ["ed25519"], threshold: 1 },
    { algorithms: ["es256"], threshold: 1 },
  ],
};

const record = (p: Place, folder = FOLDER) => JSON.parse(p.get(`${folder}/release.json`).toString());

function copy(p: Place, to: string): void {
  cpSync(join(p.path, "dist"), join(p.path, to), { recursive: true });
}

const said = async (r: Promise<Result>) => String(await r);

const signed = (p: Place, key: string, folder = FOLDER) => said(p.ok(["sign", folder, "--key", key]));

/** A refusal, after which the folder is as it was. */
async function refused(p: Place, args: readonly string[], exit = 1, folder = FOLDER): Promise<string> {
  const before = filesIn(join(p.path, folder));
  const logs = ["A", "B", "C"].map((name) => logEntries(p, `${name}.pem.log`).length);
  const r = await p.run(args);
  const line = refusal(r, exit);
  expect(filesIn(join(p.path, folder)), String(r)).toEqual(before);
  expect(["A", "B", "C"].map((name) => logEntries(p, `${name}.pem.log`).length)).toEqual(logs);
  expect(readdirSync(join(p.path, "dist")).filter((name) => name.startsWith("."))).toEqual([]);
  return line;
}

/** The last signature takes long: what it tries is shown, and how much lint finds, as lint itself counts it. */
function expectTried({ stderr }: Result, folder = FOLDER): void {
  for (const board of ["pixl", "puck"])
    expect(stderr).toMatch(new RegExp(`^${board}: [\\d,]+ power cuts, and [\\d,]+ during recovery: each ends well$`, "m"));
  expect(stderr).toMatch(new RegExp(`^lint: 2 notes; 1 rule not checked; firmseal lint ${folder} shows them$`, "m"));
}

const hintOf = (r: Result) => String(r).match(/hint: (.*)/)?.[1];

describe("a release with a threshold", () => {
  it("is made without signatures, signed by one person after the other, and complete with the last one", async () => {
    const p = world(TOGETHER);
    const made = await released(p, "1.0.0", "--first", "--json");
    expect(made.json).toMatchObject({ state: "incomplete", signers: [], log: [] });
    expect(made.json["signatures"]).toHaveLength(BOARDS);
    expect(made.json["signatures"]).toContainEqual(
      expect.objectContaining({
        board: "puck",
        complete: false,
        needed: 2,
        signers: [],
        others: [{}, {}, {}].map(() => expect.anything()),
      }),
    );
    expect(record(p).missing).toHaveLength(BOARDS);
    // the same files as a release has, and nothing that a device accepts
    expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain("the envelope is not signed");
    const device = ["--dir", "hub", "--board", "puck"];
    expect((await p.run(["install", `${FOLDER}/gateway-puck-1.0.0.suit`, ...device])).exit).toBe(1);

    const first = await signed(p, "A.pem");
    expect(first).toContain(`${FOLDER}: 1 of 2 signed, still to sign: es256 `);
    expect(first).not.toContain("power cuts");
    expect(logEntries(p)).toHaveLength(BOARDS + 1);
    expect(record(p).missing[0]).toMatchObject({ signed: 1, needed: 2 });
    const early = await p.run(["verify", FOLDER]);
    expect(early.exit, early.stderr).toBe(1);
    expect(hintOf(early)).toBe(`others still have to sign it: firmseal verify ${FOLDER} --missing`);
    expect((await p.run(["install", `${FOLDER}/gateway-puck-1.0.0.suit`, ...device])).exit).toBe(1);

    const last = await p.ok(["sign", FOLDER, "--key", "B.pem"]);
    expect(String(last)).toContain(`${FOLDER}: complete, 2 of 2 signed`);
    expectTried(last);
    expect(record(p).missing).toEqual([]);
    for (const { signers } of record(p).artifacts) expect(signers).toMatchObject([{ alg: "ed25519" }, { alg: "es256" }]);
    await p.ok(["verify", FOLDER]);
    await p.ok(["verify", "dist"]);
    await p.ok(["verify", FOLDER, "--missing"]);
    await p.ok(["install", `${FOLDER}/gateway-puck-1.0.0.suit`, ...device]);
    // the same command again finds it
    expect((await released(p, "1.0.0", "--json")).json).toMatchObject({ state: "unchanged" });
    // a third signature does no harm
    expect(await signed(p, "C.pem")).toContain("complete, 3 of 2 signed");
    await p.ok(["verify", FOLDER]);
    expect(p.get(`${FOLDER}/SHA256SUMS`).toString()).toContain(
      createHash("sha256")
        .update(p.get(`${FOLDER}/release.json`))
        .digest("hex"),
    );
  });

  it("keeps the signatures of two people who sign it at the same time", async () => {
    const p = await unsigned();
    const both = ["A.pem", "B.pem"].map((key) => p.run(["sign", FOLDER, "--key", key], { program: true }));
    for (const r of await Promise.all(both)) expectExit(r, 0);
    await p.ok(["verify", FOLDER]);
  });

  it("tells who still has to sign", async () => {
    const p = await unsigned();
    await signed(p, "A.pem");
    const r = await p.run(["verify", FOLDER, "--missing", "--json"]);
    expect(r.json).toMatchObject({ ok: false, exit: 1, reason: "SIGNATURE_THRESHOLD" });
    expect(r.json["signatures"]).toContainEqual(
      expect.objectContaining({
        board: "puck",
        signers: [expect.objectContaining({ alg: "ed25519" })],
        others: [expect.anything(), expect.anything()],
      }),
    );
    expect(expectFailure(await p.run(["verify", FOLDER, "--missing"]), 1)).toContain("1 of 2 signed, still to sign: es256 ");
  });

  it("is signed by the key of a person instead of those in the product file", async () => {
    const p = world(TOGETHER);
    expect((await released(p, "1.0.0", "--first", "--key", "B.pem", "--json")).json).toMatchObject({
      state: "incomplete",
      signers: [{ alg: "es256" }],
    });
    // once more, by the same person, and by another one
    expect((await released(p, "1.0.0", "--key", "B.pem", "--json")).json).toMatchObject({ state: "unchanged" });
    const other = await release(p, "1.0.0", "--key", "A.pem");
    expect(refusal(other, 1)).toContain(`${FOLDER} exists, and A.pem has not signed it`);
    expect(hintOf(other)).toBe(`firmseal sign ${FOLDER} --key A.pem`);
    await signed(p, "A.pem");
    // two of two at once
    await released(p, "1.1.0", "--key", "A.pem", "--key", "C.pem");
    await p.ok(["verify", "dist"]);
  });

  it("can wait for the only signer, if that is asked for", async () => {
    const one = TOGETHER.replace("threshold = 2", "threshold = 1");
    const p = world(one);
    const none = await release(p, "1.0.0", "--first");
    expect(refusal(none, 1)).toContain("keys names no release key");
    expect(none.stderr).toContain("with a key for this release alone: firmseal release --version VERSION --key KEY;");
    expect(none.stderr).toContain("if people sign elsewhere: firmseal release --version VERSION --unsigned\n");
    p.put("own file.toml", one);
    const named = await release(p, "1.0.0", "--first", "--product", "own file.toml");
    expect(named.stderr).toContain("if people sign elsewhere: firmseal release --version VERSION --product 'own file.toml' --unsigned\n");
    await released(p, "1.0.0", "--first", "--unsigned");
    expect(await signed(p, "C.pem")).toContain("complete, 1 of 1 signed");
    await p.ok(["verify", FOLDER]);
  });

  it("needs the keys of a trust file, of each family", async () => {
    const p = await withTrust(ONE_OF_EACH, 2, FAMILIES);
    await released(p, "1.0.0", "--first");
    expect(await signed(p, "B.pem")).toContain("1 of 2 signed (0 of 1 ed25519, 1 of 1 es256), still to sign: ed25519 ");
    expect(await refused(p, ["sign", FOLDER, "--key", "R.pem"])).toContain("has the role root in line.trust, not release");
    expect(await signed(p, "A.pem")).toContain("complete, 2 of 2 signed");
    await p.ok(["verify", FOLDER]);
  });
});

/** What a machine signs that has a private key and nothing of ours. */
function signElsewhere(key: PrivateKey, message: Uint8Array): Uint8Array {
  const object = createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" });
  return sign(key.alg === "es256" ? "sha256" : null, message, { key: object, dsaEncoding: "ieee-p1363" });
}

describe("signatures from elsewhere", () => {
  it("come as bytes to sign for each board, and a signature beside each", async () => {
    const p = await unsigned();
    p.folder("usb");
    const { json } = await p.ok(["tbs", FOLDER, "--key", "B.jwk", "--key", "A.jwk", "--out", "usb", "--json"]);
    expect(json["tbs"]).toHaveLength(2 * (BOARDS + 1));
    const names = readdirSync(join(p.path, "usb"));
    expect(names).toHaveLength(2 * (BOARDS + 1));
    for (const name of names) {
      const key = (json["tbs"] as { out: string; alg: string }[]).find((one) => one.out === `usb/${name}`)?.alg === "es256" ? keyB : keyA;
      p.put(`usb/${name.replace(/tbs$/, "sig")}`, signElsewhere(key, p.get(`usb/${name}`)));
    }
    await p.ok(["attach", FOLDER, "--key", "A.jwk", "--signature", "usb"]);
    const r = await p.ok(["attach", FOLDER, "--key", "B.jwk", "--signature", "usb", "--json"]);
    expect(r.json).toMatchObject({ signers: [{ alg: "es256" }] });
    await p.ok(["verify", FOLDER]);
    expect(await refused(p, ["attach", FOLDER, "--key", "B.jwk", "--signature", "usb"])).toContain("has already signed");
    expect(await refused(p, ["tbs", FOLDER, "--key", "B.jwk", "--out", "usb"])).toContain("has already signed");
  });

  it("come from a copy that others have signed, in any order", async () => {
    const p = await unsigned();
    copy(p, "bob");
    copy(p, "carol");
    await signed(p, "B.pem", "bob/1.0.0");
    await signed(p, "C.pem", "carol/1.0.0");
    const joined = await p.ok(["attach", "carol/1.0.0", "--from", "bob/1.0.0"]);
    expect(String(joined)).toContain("complete, 2 of 2 signed");
    expectTried(joined, "carol/1.0.0");
    await p.ok(["attach", FOLDER, "--from", "carol/1.0.0"]);
    expect(record(p).artifacts[0].signers).toHaveLength(2);
    await p.ok(["verify", FOLDER]);
    await signed(p, "A.pem");
    expect(await refused(p, ["attach", FOLDER, "--from", "bob/1.0.0"], 2)).toContain("has no signature that");
  });

  it("come from a build of one's own", async () => {
    const p = await unsigned();
    await p.ok(["release", "--version", "1.0.0", "--first", "--key", "B.pem", "--out", "own"]);
    await signed(p, "A.pem");
    expect(await said(p.ok(["attach", FOLDER, "--from", "own/1.0.0"]))).toContain("complete, 2 of 2 signed");
    await p.ok(["verify", FOLDER]);
  });

  it("are refused from another release, from a stranger, and for other bytes", async () => {
    const p = await unsigned();
    // another build under the same version
    p.put("app.js", "print(2)\n");
    await p.ok(["release", "--version", "1.0.0", "--first", "--key", "B.pem", "--out", "other"]);
    expect(await refused(p, ["attach", FOLDER, "--from", "other/1.0.0"])).toMatch(/with other content|has other content/);
    p.put("app.js", "print(1)\n");
    await p.ok(["release", "--version", "1.0.1", "--first", "--key", "B.pem", "--out", "later"]);
    expect(await refused(p, ["attach", FOLDER, "--from", "later/1.0.1"])).toContain("is version 1.0.1 for");
    // an older one of the same shelf
    await p.ok(["release", "--version", "1.0.2", "--unsigned"]);
    expect(await refused(p, ["attach", "dist/1.0.2", "--from", FOLDER])).toContain("is version 1.0.0 for");
    rmSync(p.at("dist/1.0.2"), { recursive: true });
    p.folder("usb");
    await p.ok(["tbs", FOLDER, "--key", "A.jwk", "--out", "usb"]);
    for (const name of readdirSync(join(p.path, "usb")))
      p.put(`usb/${name.replace(/tbs$/, "sig")}`, signElsewhere(keyC, p.get(`usb/${name}`)));
    expect(await refused(p, ["attach", FOLDER, "--key", "A.jwk", "--signature", "usb"])).toContain("is not the signature of this key");
    expect(await refused(p, ["attach", FOLDER, "--key", "C.jwk", "--signature", "usb"], 3)).toContain("file not found");
    // one of them is of a stranger: the record of the release is as it was
    for (const name of readdirSync(join(p.path, "usb")).filter((one) => one.endsWith(".tbs")))
      p.put(`usb/${name.replace(/tbs$/, "sig")}`, signElsewhere(name.startsWith("release.") ? keyC : keyA, p.get(`usb/${name}`)));
    expect(await refused(p, ["attach", FOLDER, "--key", "A.jwk", "--signature", "usb"])).toMatch(
      /usb\/release\.\w+\.sig is not the signature of this key over release\.json of this release$/,
    );
  });
});

/** Puts other bytes into a release, with checksums and a record that fit them. */
function changed(p: Place, name: string, bytes: Uint8Array): void {
  const sum = (file: string) =>
    createHash("sha256")
      .update(p.get(`${FOLDER}/${file}`))
      .digest("hex");
  p.put(`${FOLDER}/${name}`, bytes);
  const text = record(p);
  for (const one of text.artifacts)
    if (one.file === name) {
      one.digest = `sha-256:${sum(name)}`;
      one.size = bytes.length;
    }
  p.put(`${FOLDER}/release.json`, `${JSON.stringify(text, null, 2)}\n`);
  const names = readdirSync(join(p.path, FOLDER)).filter((file) => file !== "SHA256SUMS");
  p.put(
    `${FOLDER}/SHA256SUMS`,
    names
      .sort()
      .map((file) => `${sum(file)}  ${file}\n`)
      .join(""),
  );
}

const ENVELOPE = "gateway-puck-1.0.0.suit";

describe("a folder that was changed on its way", () => {
  it("is not signed: with another manifest, another payload, or a stranger's signature", async () => {
    const p = await unsigned();
    // the manifest of another image
    p.put("app.js", "print(666)\n");
    await p.ok(["release", "--version", "1.0.0", "--first", "--unsigned", "--out", "evil"]);
    const evil = p.get(`evil/1.0.0/${ENVELOPE}`);
    const own = p.get(`${FOLDER}/${ENVELOPE}`);
    changed(p, ENVELOPE, evil);
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("with other content");
    // the payload alone
    const at = own.indexOf("print(1)");
    const payload = Buffer.from(own);
    payload.write("print(9)", at);
    changed(p, ENVELOPE, payload);
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("with other content");
    // a signature of somebody whom the devices do not trust
    p.put("firmseal.toml", TOGETHER.replace(', "C.jwk"', ""));
    p.put(`evil/${ENVELOPE}`, own);
    await p.ok(["sign", `evil/${ENVELOPE}`, "--key", "C.pem"]);
    changed(p, ENVELOPE, p.get(`evil/${ENVELOPE}`));
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("has a signature of a key that its devices do not trust");
    changed(p, ENVELOPE, own);
    await signed(p, "A.pem");
  });

  it("is not signed if a board has a signature that the others do not have", async () => {
    const p = await unsigned();
    copy(p, "bob");
    await signed(p, "B.pem", "bob/1.0.0");
    changed(p, ENVELOPE, p.get(`bob/1.0.0/${ENVELOPE}`));
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("is not signed by the keys that signed the other boards");
  });

  it("is complete by the code of devices, whatever its record says", async () => {
    const p = await unsigned();
    const text = record(p);
    text.missing = [];
    p.put(`${FOLDER}/release.json`, `${JSON.stringify(text, null, 2)}\n`);
    changed(p, ENVELOPE, p.get(`${FOLDER}/${ENVELOPE}`));
    expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain("is not signed");
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("would refuse the release");
    // and a complete one is not called incomplete
    await signed(p, "A.pem");
    await signed(p, "B.pem");
    const full = record(p);
    full.missing = [{ board: "puck", signed: 1, needed: 2, by: [] }];
    p.put(`${FOLDER}/release.json`, `${JSON.stringify(full, null, 2)}\n`);
    changed(p, ENVELOPE, p.get(`${FOLDER}/${ENVELOPE}`));
    expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain("says that signatures are missing, and none is");
  });

  it("is not signed through a link, or with a file that does not belong to it", async () => {
    const p = await unsigned();
    renameSync(join(p.path, FOLDER), join(p.path, "dist/real"));
    symlinkSync("real", join(p.path, FOLDER));
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"], 2, "dist/real")).toContain("symbolic link");
    rmSync(join(p.path, FOLDER));
    renameSync(join(p.path, "dist/real"), join(p.path, FOLDER));
    p.put(`${FOLDER}/more.bin`, "x");
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("does not belong to the release");
  });
});

describe("an old release in the folder of a new one", () => {
  it("is refused by its name, and by the version that is expected", async () => {
    const p = world(TOGETHER.replace("threshold = 2", "threshold = 1"));
    await released(p, "1.0.0", "--first", "--key", "A.pem");
    await p.ok(["verify", FOLDER, "--expect-version", "1.0.0"]);
    const line = "is version 1.0.0, not 1.1.0";
    expect(refusal(await p.run(["verify", FOLDER, "--expect-version", "1.1.0"]), 1)).toContain(line);
    expect(refusal(await p.run(["verify", `${FOLDER}/${ENVELOPE}`, "--expect-version", "1.1.0", "--board", "puck"]), 1)).toContain(line);
    expect(expectFailure(await p.run(["verify", `${FOLDER}/${ENVELOPE}`, "--key", "A.jwk", "--expect-version", "1.0.0"]), 2)).toContain(
      "--expect-version is for releases of a product",
    );
    renameSync(p.at(FOLDER), p.at("dist/1.1.0"));
    for (const args of [
      ["verify", "dist/1.1.0"],
      ["verify", "dist"],
      ["sign", "dist/1.1.0", "--key", "B.pem"],
      ["lint", "dist/1.1.0"],
      ["report", "dist/1.1.0", "--out", "page.html"],
      ["release", "--version", "1.2.0", "--key", "A.pem"],
    ])
      expect(refusal(await p.run(args), 1)).toContain("dist/1.1.0 is version 1.0.0, not the one that its folder is named after");
  });
});

describe("who may not sign", () => {
  it("is refused: twice, a stranger, a public key, nobody, and with options for other inputs", async () => {
    const p = await unsigned();
    await signed(p, "A.pem");
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("A.pem has already signed dist/1.0.0");
    const { stderr } = await p.run(["sign", FOLDER, "--key", "A.pem"]);
    expect(stderr).toContain("hint: each key signs a release once; firmseal verify dist/1.0.0 --missing shows who has signed\n");
    expect(await refused(p, ["sign", FOLDER, "--key", "A.jwk"], 2)).toContain("is a public key");
    expect(await refused(p, ["sign", FOLDER], 2)).toContain("'-k, --key <key>' is missing");
    expect((await p.run(["sign", FOLDER])).stderr).toContain(`hint: each signer: firmseal sign ${FOLDER} --key KEY\n`);
    expect(await refused(p, ["sign", FOLDER, "--key", "B.pem", "--key", "B.pem"])).toContain("this key is given twice");
    for (const more of [
      ["--seq", "9"],
      ["--out", "x"],
      ["--vendor", "a.com"],
      ["--trust", "x.trust"],
      ["--replace"],
      ["--allow-no-device"],
    ])
      expect(await refused(p, ["sign", FOLDER, "--key", "B.pem", ...more], 2)).toContain("is not for the folder of a release");
    expect(await refused(p, ["attach", FOLDER, "--key", "B.jwk"], 2)).toContain("'--signature <path>' is missing");
    expect(await refused(p, ["attach", FOLDER, "--from", "dist", "--key", "B.jwk"], 2)).toContain("--from: the copy");
    expect(await refused(p, ["attach", `${FOLDER}/${ENVELOPE}`, "--from", FOLDER], 2)).toContain("is not the folder of a release");
    expect(await refused(p, ["verify", `${FOLDER}/${ENVELOPE}`, "--missing"], 2)).toContain("is not the folder of a release");
    expect(await refused(p, ["sign", "dist", "--key", "B.pem"], 2)).toContain("dist is a folder, not a file");
    p.put("firmseal.toml", TOGETHER.replace(', "C.jwk"', ""));
    expect(await refused(p, ["sign", FOLDER, "--key", "C.pem"])).toContain("C.pem is not a key that the devices of board");
    p.put("firmseal.toml", TOGETHER.replace("example.com", "example.org"));
    expect(await refused(p, ["sign", FOLDER, "--key", "B.pem"])).toContain(
      "is a release of gateway by example.com, not of gateway by example.org",
    );
  });

  it("is refused before anything is written: no list of trusted keys, numbers of logs, and a key that nobody has", async () => {
    const none = world(TOGETHER.replace(/\[trust\][\s\S]*?\n\n/, ""));
    expect(refusal(await release(none, "1.0.0", "--first", "--unsigned"), 1)).toContain("trust names no key");
    expect(refusal(await release(none, "1.0.0", "--first", "--key", "A.pem"), 1)).toContain("trust names no key");
    const p = world(`${TOGETHER}\n[sequence]\nsource = "log"\n`);
    expect(refusal(await release(p, "1.0.0", "--first"), 1)).toContain("the numbers are those of the logs of the keys");
    const q = world(TOGETHER);
    expect(refusal(await release(q, "1.0.0", "--first", "--key", "A.pem", "--unsigned"), 2)).toContain("nobody signs now");
    expect(refusal(await release(q, "1.0.0", "--first", "--key", "gone.pem"), 3)).toContain("gone.pem");
    for (const place of [none, p, q]) expect(place.has("dist")).toBe(false);
  });

  it("is somebody who signed an envelope of the folder by itself", async () => {
    const p = await unsigned();
    await p.ok(["sign", `${FOLDER}/${ENVELOPE}`, "--key", "C.pem"]);
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"])).toContain("has changed since it was released");
  });
});

describe("what a round must not make of a release", () => {
  it("complete without the algorithm of the profile", async () => {
    const p = world(`profile = "suit-sha256-esp256-ecdh-a128gcm"\n${TOGETHER}`);
    await released(p, "1.0.0", "--first");
    expect(await signed(p, "A.pem")).toContain("1 of 2 signed");
    // enough for the devices, and not for the profile
    expect(await signed(p, "C.pem")).toMatch(/2 of 2 signed, still to sign: es256 [0-9a-f]{16}…$/m);
    expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain("has no signature with es256");
    expect(await signed(p, "B.pem")).toContain("complete, 3 of 2 signed");
    await p.ok(["verify", FOLDER]);
  });

  it("signed under another name of an algorithm than the product file says", async () => {
    const p = await unsigned(TOGETHER.replace('class = "gateway-pixl"', 'class = "gateway-pixl"\ncose-alg = "eddsa"'));
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem", "--cose-alg", "ed25519"], 2)).toContain("is not for the folder");
    p.put("other.toml", TOGETHER);
    await p.ok(["release", "--version", "1.0.0", "--first", "--key", "A.pem", "--out", "other", "--product", "other.toml"]);
    expect(await refused(p, ["attach", FOLDER, "--from", "other/1.0.0"])).toContain(
      "names algorithm ed25519, and firmseal.toml says eddsa",
    );
    await signed(p, "A.pem");
    await signed(p, "C.pem");
    await p.ok(["verify", FOLDER]);
  });

  it("impossible to complete: keys that count on one board only", async () => {
    const only = (key: string, name: string) => ({ key, roles: ["release"], vendor: "example.com", class: name });
    const p = await withTrust([{ key: "B.jwk", roles: ["release"] }, only("A.jwk", "gateway-pixl"), only("C.jwk", "puck")], 2);
    expect(refusal(await release(p, "1.0.0", "--first"), 1)).toContain("would refuse the release");
    expect(p.has("dist")).toBe(false);
  });

  it("signed by a key that devices do not verify, before others have signed", async () => {
    const p = await unsigned();
    await p.ok(["keygen", "--alg", "ml-dsa-44", "--out", "M.pem", "--no-passphrase"]);
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem", "--key", "M.pem"])).toContain(
      "M.pem is not a key that the devices of board",
    );
  });

  it("lost: it is named by the folder that one is in, and a power cut has left it under another name", async () => {
    const p = await unsigned();
    await p.ok(["sign", ".", "--key", p.at("A.pem"), "--product", "../../firmseal.toml"], { cwd: p.at(FOLDER) });
    const left = join(p.path, "dist", ".1.0.0.old");
    renameSync(join(p.path, FOLDER), left);
    expect(await signed(p, "C.pem")).toContain("complete, 2 of 2 signed");
    cpSync(join(p.path, FOLDER), left, { recursive: true });
    expect(await signed(p, "B.pem")).toContain("complete, 3 of 2 signed");
    expect(readdirSync(join(p.path, "dist"))).toEqual(["1.0.0"]);
  });

  it("open to others than before, or to be written into", async () => {
    const p = await unsigned();
    chmodSync(join(p.path, FOLDER), 0o700);
    chmodSync(join(p.path, FOLDER, "release.json"), 0o600);
    await signed(p, "A.pem");
    expect(statSync(join(p.path, FOLDER)).mode & 0o777).toBe(0o700);
    expect(statSync(join(p.path, FOLDER, "release.json")).mode & 0o777).toBe(0o600);
    expect(await refused(p, ["tbs", FOLDER, "--key", "B.jwk", "--out", FOLDER], 2)).toContain("is the release itself");
    p.folder("usb");
    expect(await refused(p, ["tbs", FOLDER, "--key", "B.jwk", "--key", "B.jwk", "--out", "usb"], 2)).toContain("a key is given twice");
  });

  it("signed in silence if the person who signs has built another image", async () => {
    const p = await unsigned();
    p.put("app.js", "print(2)\n");
    expect(await signed(p, "A.pem")).toContain("app.js here differs from the image in dist/1.0.0");
  });

  it("signed by a stranger together with the last signer, or afterwards", async () => {
    const p = await unsigned(TOGETHER.replace(', "C.jwk"', ""));
    await signed(p, "A.pem");
    const words = "C.pem is not a key that the devices of board";
    expect(await refused(p, ["sign", FOLDER, "--key", "B.pem", "--key", "C.pem"])).toContain(words);
    await signed(p, "B.pem");
    expect(await refused(p, ["sign", FOLDER, "--key", "C.pem"])).toContain(words);
    await p.ok(["verify", FOLDER]);
    // of a release that does not exist yet, nothing can be asked
    const next = await release(p, "1.0.1", "--key", "C.pem");
    expect(refusal(next, 1)).toContain(words);
    expect(next.stderr).toContain("hint: sign with a key that [trust] of firmseal.toml names\n");
  });

  it("impossible for a verifier that reads two signatures, or one", async () => {
    const micro = TOGETHER.replace(
      /\[boards\.pixl\][\s\S]*/,
      '[boards.puck]\nimage = "app.js"\nuri = "https://fw.example.com/{version}.js"\nfor = "micro"\n',
    );
    const p = world(micro.replace('"B.jwk", ', ""));
    p.putKeys({ D: privateKey("ed25519", image(32)) });
    p.put("firmseal.toml", micro.replace('"B.jwk"', '"D.jwk"'));
    await released(p, "1.0.0", "--first");
    await signed(p, "C.pem");
    expect(await signed(p, "D.pem")).toContain("complete, 2 of 2 signed");
    await p.ok(["verify", FOLDER]);
    p.put("firmseal.toml", micro.replace('"B.jwk"', '"D.jwk"').replace('"micro"', '"ariel-os"'));
    expect(refusal(await release(p, "1.1.0"), 1)).toContain("would refuse the release");
    expect(p.has("dist/1.1.0")).toBe(false);
  });

  it("without the algorithm of the profile although the product file names the keys that sign", async () => {
    const p = world(`profile = "suit-sha256-esp256-ecdh-a128gcm"\n${TOGETHER}\n[keys]\nrelease = ["A.pem", "C.pem"]\n`);
    expect(refusal(await release(p, "1.0.0", "--first"), 1)).toContain("no release key has this algorithm");
    expect(["A.pem.log", "dist"].filter((name) => p.has(name))).toEqual([]);
  });

  it("only signed where the earlier release is: the first one needs --first again", async () => {
    const p = await unsigned(`${TOGETHER}\n[sequence]\nprevious = "last/release.json"\n`);
    expect(await refused(p, ["sign", FOLDER, "--key", "A.pem"], 3)).toContain("last/release.json");
    await p.ok(["sign", FOLDER, "--key", "A.pem", "--first"]);
    await p.ok(["sign", FOLDER, "--key", "B.pem", "--first"]);
    await p.ok(["verify", FOLDER, "--missing"]);
  });

  it("signed one after the other by families that need more than the threshold", async () => {
    const p = await withTrust(ONE_OF_EACH, 1, FAMILIES);
    await released(p, "1.0.0", "--first");
    expect(await signed(p, "A.pem")).toContain("1 of 2 signed (1 of 1 ed25519, 0 of 1 es256)");
    expect(await signed(p, "B.pem")).toContain("complete, 2 of 2 signed");
    await p.ok(["verify", FOLDER]);
  });
});
