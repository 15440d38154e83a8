// Records of releases that somebody has changed: what verify and the next release find.

import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../../test-support/src/bytes.js";
import { expectExit, expectFailure, logEntries, type Place } from "../../../../test-support/src/command-line/run.js";
import { brief, copyOf, forge, PRODUCT, refusal, release, released, world } from "../product-place.js";

describe("a record that contradicts the envelopes", () => {
  const made = world();
  beforeAll(async () => {
    await released(made, "1.0.0");
  });
  const copy = (): Place => {
    const p = world();
    cpSync(made.at("dist"), p.at("dist"), { recursive: true });
    return p;
  };
  type Change = Parameters<typeof forge>[1];
  const all =
    (members: object): Change =>
    ({ artifacts }) => {
      for (const one of artifacts) Object.assign(one, members);
    };
  const at =
    (i: number, members: object): Change =>
    ({ artifacts }) =>
      void Object.assign(artifacts[i] as object, members);

  it.each<[string, Change]>([
    ["a file outside the folder", at(1, { file: "../../../etc/passwd" })],
    ["an absolute path", at(1, { file: "/etc/passwd" })],
    ["a path of Windows", at(1, { file: "C:\\fw.bin" })],
    ["a file with a NUL", at(1, { file: "a\u0000.bin" })],
    ["a file called as the record", at(1, { file: "release.json" })],
    ["a file called as the checksums in other case", at(1, { file: "sha256sums" })],
    ["two files that differ in case", at(2, { file: "ESP32-A.bin" })],
    ["one file with two digests", at(2, { file: "esp32-a.bin" })],
    ["two envelopes of one board", ({ artifacts }) => void artifacts.push({ ...artifacts[0], file: "other.suit", envelope: "other.suit" })],
    ["an envelope that names another", at(0, { envelope: "gateway-puck-1.0.0.suit" })],
    ["a payload of the envelope of another board", at(1, { envelope: "gateway-puck-1.0.0.suit" })],
    ["a payload of a board without an envelope", at(1, { board: "ghost" })],
    ["a number of 2^64", (r) => (r["sequence"] = "18446744073709551616")],
    [
      "a number of 10^20 - 1, everywhere",
      (r) => {
        r["sequence"] = "99999999999999999999";
        all({ sequence: "99999999999999999999" })(r);
      },
    ],
    ["a negative number", (r) => (r["sequence"] = "-1")],
    ["a size of 2^53", at(1, { size: 2 ** 53 })],
    ["a size of -1", at(1, { size: -1 })],
    ["an artifact with another version", at(1, { version: "2.0.0" })],
    [
      "a version with a path",
      (r) => {
        r["version"] = "../2.0.0";
        all({ version: "../2.0.0" })(r);
      },
    ],
    ["a member of its own", (r) => (r["__proto__x"] = 1)],
    ["no artifacts", (r) => (r.artifacts = [])],
  ])("in its form is refused everywhere: %s", async (_, change) => {
    const p = copy();
    forge(p, change);
    for (const args of [
      ["verify", "dist/1.0.0", "--product", "firmseal.toml"],
      ["verify", "dist", "--product", "firmseal.toml"],
      ["release", "--version", "1.0.1"],
      ["release", "--version", "1.0.1", "--out", "elsewhere", "--previous-release", "dist/1.0.0/release.json"],
    ])
      expect(expectFailure(await p.run(args), 1)).toContain("is not the record of a release");
    expect(logEntries(p)).toEqual([]);
  });

  it.each<[string, Change, string]>([
    ["another place to fetch from", at(1, { uri: "https://evil.example/esp32-a.bin" }), "/1.0.0/esp32-a.bin is missing"],
    ["no place to fetch from", at(1, { uri: null }), "/1.0.0/esp32-a.bin is missing"],
    ["another slot", at(1, { slot: "b" }), "the slot of esp32-a.bin"],
    ["another component", at(1, { component: "radio" }), "the component of esp32-a.bin"],
    [
      "payloads of two slots exchanged",
      ({ artifacts: [, a, b] }) => {
        const uri = a?.["uri"];
        Object.assign(a as object, { uri: b?.["uri"] });
        Object.assign(b as object, { uri });
      },
      "the uri of esp32-a.bin",
    ],
    ["a missing payload", (r) => void r.artifacts.splice(1, 1), "does not belong to the release: esp32-a.bin"],
    ["other hardware revisions", all({ revisions: ["3"] }), "its revisions is not the one in release.json"],
    ["another class", at(1, { classes: [{ name: "x", id: "y" }] }), "its classes is not the one in release.json"],
    ["another vendor", at(3, { vendorId: "x" }), "its vendorId is not the one in release.json"],
    ["another manifest", at(3, { manifest: `sha-256:${"0".repeat(64)}` }), "its manifest is not the one in release.json"],
    [
      "a number of its own",
      (r) => {
        r["sequence"] = "7";
        all({ sequence: "7" })(r);
      },
      "its sequence is not the one in release.json",
    ],
    [
      "a signer that has not signed",
      ({ artifacts }) => {
        const signers = artifacts[3]?.["signers"] as object[];
        signers.push({ ...signers[0], tbs: "0".repeat(64) });
      },
      "its signers are not those of the envelope",
    ],
    [
      "a signer with another name",
      ({ artifacts }) => {
        const [signer] = (artifacts[3] as { signers: { thumbprint: string }[] }).signers;
        Object.assign(signer as object, { thumbprint: "00" });
      },
      "it does not name the signer",
    ],
    ["a test key that did not sign", at(3, { testKeys: ["ed25519-1"] }), "its test keys are not those that signed"],
  ])("about its envelopes is refused by verify: %s", async (_, change, words) => {
    const p = copy();
    forge(p, change);
    expect(refusal(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), 1)).toContain(words);
  });

  it("does not hide a payload that is elsewhere", async () => {
    const p = copy();
    forge(p, at(1, { digest: `sha-256:${"0".repeat(64)}` }));
    rmSync(p.at("dist/1.0.0/esp32-a.bin"));
    const r = await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--without-payloads"]);
    expect(refusal(r, 1)).toContain("the digest of esp32-a.bin is not the one in the envelope");
  });

  it.each<[string, (p: Place) => void, number, string]>([
    [
      "a folder in place of a file",
      (p) => {
        rmSync(p.at("dist/1.0.0/esp32-a.bin"));
        mkdirSync(p.at("dist/1.0.0/esp32-a.bin"));
      },
      2,
      "is a folder, not a file",
    ],
    [
      "a device in place of a file",
      (p) => {
        rmSync(p.at("dist/1.0.0/esp32-a.bin"));
        symlinkSync("/dev/zero", p.at("dist/1.0.0/esp32-a.bin"));
      },
      2,
      "is a device, not a file",
    ],
    ...["esp32-a.bin", "gateway-puck-1.0.0.suit"].map((name): [string, (p: Place) => void, number, string] => [
      // hashing that many bytes takes minutes
      `${name} with 64 GiB`,
      (p) => truncateSync(p.at(`dist/1.0.0/${name}`), 2 ** 36),
      1,
      `${name} has changed since it was released`,
    ]),
    ["checksums of a path", (p) => p.put("dist/1.0.0/SHA256SUMS", `${"0".repeat(64)}  ../A.pem\n`), 1, "has a line that is not a checksum"],
    [
      "a checksum twice",
      (p) => p.put("dist/1.0.0/SHA256SUMS", `${p.get("dist/1.0.0/SHA256SUMS")}${p.get("dist/1.0.0/SHA256SUMS")}`),
      1,
      "has a line that is not a checksum",
    ],
    [
      "checksums without the last",
      (p) => p.put("dist/1.0.0/SHA256SUMS", p.get("dist/1.0.0/SHA256SUMS").toString().trimEnd()),
      1,
      "is not complete",
    ],
  ])("in its files is refused: %s", async (_, change, exit, words) => {
    const p = copy();
    change(p);
    expect(refusal(await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml"]), exit)).toContain(words);
  });

  it("is found through a link: a release that is elsewhere cannot be made again", async () => {
    const p = copy();
    renameSync(p.at("dist/1.0.0"), p.at("archive"));
    symlinkSync(p.at("archive"), p.at("dist/linked"));
    p.put("app.js", "print(2)\n");
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("dist/linked has version 1.0.0 of board puck with other content");
  });
});

describe("verify DIR --product, if something is wrong with the product", () => {
  const made = world();
  beforeAll(async () => {
    await released(made, "1.0.0");
    await released(made, "1.1.0");
  });

  it.each<[string, string, number, string]>([
    ["a slip", PRODUCT.replace("vendor", "vendr"), 1, 'unknown member "vendr"; did you mean "vendor"?'],
    ["two boards with one name", PRODUCT.replace("[boards.puck]", "[boards.ESP32]"), 1, "would have the same name"],
    ["another product", PRODUCT.replace('"gateway"', '"router"'), 1, "is a release of gateway by example.com, not of router"],
    ["another vendor", PRODUCT.replace("example.com", "example.org"), 1, "is a release of gateway by example.com"],
    ["a key that is not there", PRODUCT.replace("A.pem", "gone.pem"), 3, "firmseal.toml: [keys] release: gone.pem: file not found"],
    [
      "a trusted key that is not there",
      `${PRODUCT}[trust]\nkeys = "gone.pub"\n`,
      3,
      "firmseal.toml: [trust] keys: gone.pub: file not found",
    ],
    [
      "a trust file that is not there",
      `${PRODUCT}[trust]\nfile = "gone.trust"\n`,
      3,
      "firmseal.toml: [trust] file: gone.trust: file not found",
    ],
    ["a key that another one has", PRODUCT.replace("A.pem", "B.pem"), 1, "SIGNATURE"],
    ["a key in a place that nobody who verifies opens", PRODUCT.replace("A.pem", "env:KEY"), 1, "the release key is not a file"],
    ["a scheme that does not exist", PRODUCT.replace("A.pem", "valt:release"), 1, "firmseal.toml:5:1: valt: not a key source"],
    ["a board that is gone", PRODUCT.slice(0, PRODUCT.indexOf("[boards.puck]")), 1, "is not for a board of gateway"],
  ])("is one line: %s", async (_, product, exit, message) => {
    const p = world(product);
    cpSync(made.at("dist"), p.at("dist"), { recursive: true });
    const before = p.tree();
    const r = await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--json"]);
    expectExit(r, exit);
    expect(`${r.json["reason"]} ${r.json["message"]}`).toEqual(expect.stringContaining(message));
    expect(p.tree()).toEqual(before);
  });

  it("refuses versions and numbers in another order", async () => {
    const p = world(brief(PRODUCT).replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]'));
    await released(p, "1.0.0", "--seq", "5");
    await released(p, "0.9.0", "--seq", "7", "--out", "other", "--allow-lower-sequence");
    renameSync(p.at("other/0.9.0"), p.at("dist/0.9.0"));
    for (const path of ["dist", "dist/1.0.0", "dist/0.9.0"])
      expect(refusal(await p.run(["verify", path, "--product", "firmseal.toml"]), 1)).toContain("is not higher than");
  });
});

describe("a release that already exists", () => {
  const made = world();
  beforeAll(async () => {
    await released(made, "1.0.0");
  });

  interface Written {
    version: string;
    artifacts: { kind: string; file: string; digest: string; size: number; uri: string | null; signers: { thumbprint: string }[] }[];
  }
  const EVIL = Buffer.from("evil");

  /** Changes the record as someone who can write to the folder: nothing there is signed, except the envelopes. */
  async function forged(change: (record: Written, p: Place) => void): Promise<Place> {
    const p = copyOf(made);
    const record = JSON.parse(p.get("dist/1.0.0/release.json").toString()) as Written;
    change(record, p);
    p.put("dist/1.0.0/release.json", JSON.stringify(record));
    const names = ["release.json", ...new Set(record.artifacts.map(({ file }) => file))];
    p.put("dist/1.0.0/SHA256SUMS", names.map((name) => `${sha256Hex(p.get(`dist/1.0.0/${name}`))}  ${name}\n`).join(""));
    return p;
  }
  const payload = ({ artifacts }: Written) => artifacts.find(({ kind }) => kind === "payload") as Written["artifacts"][number];

  const changes: [string, (record: Written, p: Place) => void, string][] = [
    [
      "another payload",
      (record, p) => {
        const one = payload(record);
        p.put(`dist/1.0.0/${one.file}`, EVIL);
        Object.assign(one, { digest: `sha-256:${sha256Hex(EVIL)}`, size: EVIL.length });
      },
      "the digest of",
    ],
    ["another place", (record) => Object.assign(payload(record), { uri: "https://evil.example/esp32-a.bin" }), "is missing"],
    [
      "another version",
      (record) => {
        for (const one of [record, ...record.artifacts]) Object.assign(one, { version: "0.9.0" });
      },
      "not the one that its folder is named after",
    ],
  ];
  it.each(changes)("is not the same with %s, with a key or without", async (_, change, words) => {
    const p = await forged(change);
    for (const more of [["--dry-run"], []]) expect(refusal(await release(p, "1.0.0", ...more), 1)).toContain(words);
  });

  it("is not the same with another signer", async () => {
    const p = await forged(({ artifacts }) => {
      for (const { signers } of artifacts) for (const one of signers) one.thumbprint = "00".repeat(32);
    });
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("release.json: it does not name the signer");
  });

  it("does not give its number to a release whose number is that of its version", async () => {
    const p = world(`${brief(PRODUCT)}\n[sequence]\nsource = "given"\n`);
    await released(p, "1.0.0", "--seq", "281474976743999", "--out", "published", "--allow-sequence-jump");
    p.put("firmseal.toml", brief(PRODUCT));
    const r = await release(p, "1.0.0", "--previous-release", "published/1.0.0/release.json");
    expect(refusal(r, 1)).toContain("sequence number 281474976743999, which is not that of the version");
  });
});
