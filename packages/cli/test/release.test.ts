// What a release is held against before it is signed, what it tells about itself, and whom it believes about releases before.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { versionNumber } from "@firmseal/keys";
import stringWidth from "fast-string-width";
import { beforeAll, describe, expect, it } from "vitest";
import { KILLS } from "../../test-support/src/effort.js";
import { expectFailure, expectHarmless, type Place, type Result } from "../../test-support/src/run.js";
import { entries, espImage, filesIn, PRODUCT, refusal, release, released, world } from "./product-place.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const withPolicy = (lines: string) => `${PRODUCT}\n[policy]\n${lines}\n`;
interface Found {
  findings: { rule: string; waived?: { reason: string } }[];
  skipped: { rule: string; why: string }[];
}
const lintOf = (r: Result) => r.json["lint"] as Found;
const rulesOf = (r: Result) => lintOf(r).findings.map(({ rule, waived }) => `${rule}${waived ? " waived" : ""}`);
const untouched = (p: Place) => expect([p.has("dist"), entries(p)]).toEqual([false, []]);

describe("lint in a release", () => {
  it("stops at an error before a key or a number is used, and writes only what was asked for", async () => {
    const p = world(withPolicy('suite = "cnsa2"'));
    const r = await release(p, "1.0.0", "--json", "--sarif", "lint.sarif");
    expect([r.exit, r.json["reason"], rulesOf(r).filter((rule) => rule !== "L40")]).toEqual([1, "LINT", ["L50", "L50"]]);
    untouched(p);
    const sarif = JSON.parse(p.get("lint.sarif").toString());
    expect(sarif.runs[0].results).toContainEqual(expect.objectContaining({ ruleId: "L50", level: "error" }));
    // in words, each error is a line
    const { stderr } = await release(p, "1.0.0");
    expect(stderr.match(/: error: is signed with ed25519 only \[L50 cnsa2-signature\]/g)).toHaveLength(2);
    untouched(p);
    // what needs no key is told by a dry run
    p.put("firmseal.toml", withPolicy('[[policy.waivers]]\nrule = "L40"\nuntil = 2099-01-01'));
    expect(refusal(await release(p, "1.0.0", "--dry-run"), 1)).toContain("L90 waiver-invalid: the waiver of L40 has no reason");
  });

  it("holds the keys that will sign against the rules before they sign", async () => {
    const waiver = '[[policy.waivers]]\nrule = "cnsa2-signature"\nreason = "LMS keys are in order"\nuntil = 2099-01-01';
    const p = world(withPolicy(`suite = "cnsa2"\n${waiver}`));
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
      ["one", "5/8"],
      ["two", "5/8,5/8"],
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
      if (name === "two") expect(refusal(r, 1)).toContain("is signed with hss-lms with several trees only");
      else {
        expect(r.exit, r.stderr).toBe(0);
        await p.ok(["verify", "one/1.0.0", "--product", "firmseal.toml"]);
        expect((await p.ok(["lint", "one/1.0.0", "--json"])).json["findings"]).toHaveLength(2);
        expect(JSON.parse(p.get("one/1.0.0/release.json").toString()).artifacts[0].manifest).toMatch(/^sha-384:/);
      }
    }
  });

  it("shows warnings, and goes on", async () => {
    const p = world();
    p.put("build/b.bin", espImage("9.9.9"));
    const r = await released(p, "1.0.0");
    expect(r.stdout).toContain(
      "dist/1.0.0/gateway-esp32-1.0.0.suit: warning: https://fw.example.com/gateway/1.0.0/esp32-b.bin: the app descriptor of ESP-IDF names version 9.9.9",
    );
    expect(r.stderr).toContain("lint: 1 warning, 2 notes");
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

  it("refuses a place for SARIF that it must not have", async () => {
    const p = world();
    for (const [path, words] of [
      ["firmseal.toml", "would replace firmseal.toml"],
      ["dist/1.0.0/lint.sarif", "is in the folder of the release"],
      ["-", "stdout has the release"],
      ["A.pem", "is a private key"],
    ] as const)
      expect(expectFailure(await release(p, "1.0.0", "--sarif", path), 2)).toContain(words);
    untouched(p);
  });
});

describe("--diff", () => {
  const p = world();
  beforeAll(async () => {
    await released(p, "1.0.0");
    p.put("app.js", "print(22)\n");
  });
  const paths = ["dist/1.0.0", "dist", "dist/1.0.0/release.json"];

  it.each(paths)("tells what changes since %s, board by board, without a key", async (path) => {
    const r = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", path, "--json"]);
    expect(r.json["changes"]).toMatchObject([
      {
        board: "esp32",
        state: "changed",
        before: { file: "dist/1.0.0/gateway-esp32-1.0.0.suit", version: "1.0.0" },
        difference: { images: [], sequence: { before: String(versionNumber("1.0.0")), after: String(versionNumber("1.1.0")) } },
      },
      { board: "puck", state: "changed", difference: { images: [{ component: "00", before: ["9 bytes, sha-256 cc42155088fca573…"] }] } },
    ]);
  });

  it("says it in words, with the names of the product, also for one envelope", async () => {
    const r = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "dist"]);
    expect(r.stdout).toContain("puck, compared with 1.0.0 (dist/1.0.0/gateway-puck-1.0.0.suit):\n");
    expect(r.stdout).toMatch(/image of component 00: before 9 bytes, sha-256 \S+; after 10 bytes/);
    expect(r.stdout).toContain("vendor example.com, class gateway-esp32-1");
    const one = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "dist/1.0.0/gateway-puck-1.0.0.suit", "--json"]);
    expect((one.json["changes"] as { board: string }[]).map(({ board }) => board)).toEqual(["puck"]);
  });

  it("counts as published: a lower version and a rebuild are refused", async () => {
    const q = world();
    cpSync(p.at("dist"), q.at("published"), { recursive: true });
    q.put("app.js", "print(3)\n");
    expect(refusal(await release(q, "0.9.0", "--diff", "published"), 1)).toContain("is lower than 1.0.0");
    expect(refusal(await release(q, "1.0.0", "--diff", "published"), 1)).toContain("with other content");
    untouched(q);
  });

  it("names boards that only one of them has, and compares nothing that is not there or was changed", async () => {
    const q = world(PRODUCT.replace("[boards.puck]", "[boards.pico]"));
    cpSync(p.at("dist"), q.at("published"), { recursive: true });
    const { json } = await q.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "published", "--json"]);
    expect((json["changes"] as { board: string; state: string }[]).map(({ board, state }) => [board, state])).toEqual([
      ["esp32", "changed"],
      ["pico", "new"],
      ["puck", "gone"],
    ]);
    const puck = "published/1.0.0/gateway-esp32-1.0.0.suit";
    q.put(puck, "changed");
    expect(refusal(await release(q, "1.1.0", "--diff", "published"), 1)).toContain("has changed since it was released");
    rmSync(q.at(puck));
    expect(refusal(await release(q, "1.1.0", "--diff", "published"), 1)).toContain("is missing, so nothing can be compared");
    untouched(q);
  });
});

describe("the table of boards", () => {
  const p = world();
  const shown = async (o: object = {}) => (await p.ok(["release", "--version", "1.0.0", "--dry-run"], o)).stdout;

  it("has a bar for each slot where there is room, and a share in words elsewhere", async () => {
    const wide = await shown({ columns: 160 });
    expect(wide).toMatch(/^esp32 a +build\/a-7f3\.bin +3000 {2}#\.{9} {3}5% {2}https/m);
    for (const columns of [60, 80, 100]) {
      const text = await shown({ columns });
      expectHarmless(text);
      expect(text).toContain("#.........");
      for (const line of text.split("\n")) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    }
    for (const o of [{}, { columns: 50 }]) {
      const text = await shown(o);
      expect(text).toMatch(/ 5%/);
      expect(text).not.toContain("#...");
    }
    const { json } = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--json"], { columns: 100 });
    expect(json["boards"]).toMatchObject([{ images: [{ slotSize: 65536 }, { slotSize: 65536 }] }, { images: [{ slotSize: null }] }]);
  });

  it("follows lines of progress, each of which stays in its place on a terminal", async () => {
    const { stderr } = await p.ok(["release", "--version", "1.0.0", "--dry-run"], { columns: 80 });
    expect(stderr).toContain("\r\u001b[Kesp32: cutting the power\n");
    const lines = stderr.split("\n").map((line) => line.replaceAll("\u001b", "ESC").replace("\r", ""));
    expect(lines).toContainEqual(expect.stringMatching(/^ESC\[2AESC\[Kesp32: \d+ power cuts, and \d+ during recovery: each ends well$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ESC\[Kpuck: \d+ power cuts, and/));
    const dumb = await p.ok(["release", "--version", "1.0.0", "--dry-run"], { columns: 80, env: { TERM: "dumb" } });
    expect(dumb.stderr).not.toContain("\u001b[");
    expect(dumb.stderr).toMatch(/^esp32: \d+ power cuts/m);
    const quiet = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--quiet"], { columns: 80 });
    expect(quiet.stderr).toBe("");
  });
});

describe("--role", () => {
  const withRoles = `${PRODUCT.replace('release = "A.pem"', 'release = "A.pem"\ndebug = "C.pem"')}\n[trust]\nfile = "line.trust"\nroot = "B.jwk"\n`;
  async function place(): Promise<Place> {
    const p = world(withRoles);
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"] },
      { key: "C.jwk", roles: ["debug"] },
    ];
    const thresholds = { root: 1, release: 1, debug: 1 };
    p.put("line.json", JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds }));
    await p.ok(["trust", "create", "--from", "line.json"]);
    await p.ok(["trust", "sign", "line.trust", "--key", "B.pem"]);
    return p;
  }

  it("signs in a role of the trust file, apart from releases for the field", async () => {
    const p = await place();
    await released(p, "1.0.0");
    // its numbers are its own
    const { json } = await released(p, "0.9.0", "--role", "debug", "--json");
    expect(json).toMatchObject({ folder: "dist/debug/0.9.0", role: "debug", state: "released" });
    expect(rulesOf(await released(p, "0.9.0", "--role", "debug", "--json"))).toEqual(["L40", "L40"]);
    const record = JSON.parse(p.get("dist/debug/0.9.0/release.json").toString());
    expect(record.artifacts[0]).toMatchObject({ file: "gateway-esp32-0.9.0-debug.suit", signers: [{ role: "debug" }] });
    await p.ok(["verify", "dist/debug/0.9.0", "--role", "debug", "--product", "firmseal.toml"]);
    await p.ok(["verify", "dist"]);
    // neither is taken for the other
    for (const [path, role, words] of [
      ["dist/debug/0.9.0", "release", "is signed in the role debug, not release"],
      ["dist/1.0.0", "debug", "is signed in the role release, not debug"],
    ] as const) {
      expect(refusal(await p.run(["verify", path, "--role", role, "--product", "firmseal.toml"]), 1)).toContain(words);
      expect(refusal(await release(p, "1.1.0", "--role", role, "--previous", path), 1)).toContain(words);
    }
  });

  it("is refused without a trust file, without a key for it, and with a key of another role", async () => {
    expect(expectFailure(await release(world(), "1.0.0", "--role", "debug"), 2)).toContain("has no trust file");
    const p = await place();
    expect(expectFailure(await release(p, "1.0.0", "--role", "recovery"), 1)).toContain("names no recovery key");
    p.put("firmseal.toml", withRoles.replace("C.pem", "A.pem"));
    expect(refusal(await release(p, "1.0.0", "--role", "debug"), 1)).toContain("has the role release in line.trust, not debug");
    p.put("firmseal.toml", withRoles.replace('release = "A.pem"', 'release = "C.pem"'));
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("has the role debug in line.trust, not release");
    untouched(p);
  });
});

describe("a runner that knows nothing", () => {
  it("is shown the last release by its record alone", async () => {
    const [old, fresh] = [world(), world()];
    await released(old, "1.0.0");
    fresh.put("last.json", old.get("dist/1.0.0/release.json"));
    const same = await released(fresh, "1.0.0", "--previous", "last.json", "--json");
    expect(same.json).toMatchObject({ state: "released", previous: { version: "1.0.0" } });
    expect(filesIn(fresh.at("dist/1.0.0"))).toEqual(filesIn(old.at("dist/1.0.0")));
    rmSync(fresh.at("dist"), { recursive: true });
    fresh.put("app.js", "print(2)\n");
    expect(refusal(await release(fresh, "1.0.0", "--previous", "last.json"), 1)).toContain(
      "has version 1.0.0 of board puck with other content",
    );
    const { json } = await released(fresh, "1.0.1", "--previous", "last.json", "--json");
    expect(json["previous"]).toMatchObject({ version: "1.0.0", sequence: String(versionNumber("1.0.0")) });
    // rules that compare with the release before have what they need
    expect(lintOf({ json } as unknown as Result).skipped.map(({ rule }) => rule)).not.toContain("L10");
  });

  it("is refused without the release that the product file names; only --first goes on without it", async () => {
    const p = world(PRODUCT.replace("[keys]", '[sequence]\nprevious = "published/release.json"\n\n[keys]'));
    expect(refusal(await release(p, "1.0.0"), 3)).toContain("published/release.json: there is no such file");
    untouched(p);
    await released(p, "1.0.0", "--first");
    renameSync(p.at("dist/1.0.0"), p.at("published"));
    rmSync(p.at("dist"), { recursive: true });
    p.put("app.js", "print(2)\n");
    // --first does not pass over what is there
    for (const more of [[], ["--first"]]) expect(refusal(await release(p, "1.0.0", ...more), 1)).toContain("with other content");
  });
});

/** Changes the record of a release, and SHA256SUMS with it, as an attacker would. */
function forge(
  p: Place,
  change: (record: { [name: string]: unknown; artifacts: { [name: string]: unknown }[] }) => void,
  folder = "dist/1.0.0",
): void {
  const record = JSON.parse(p.get(`${folder}/release.json`).toString());
  change(record);
  p.put(`${folder}/release.json`, JSON.stringify(record));
  const sums = [...filesIn(p.at(folder))].filter(([name]) => name !== "SHA256SUMS").map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  p.put(`${folder}/SHA256SUMS`, sums.join(""));
}

describe("a record that lies", () => {
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
      ["release", "--version", "1.0.1", "--out", "elsewhere", "--previous", "dist/1.0.0/release.json"],
    ])
      expect(expectFailure(await p.run(args), 1)).toContain("is not the record of a release");
    expect(entries(p)).toEqual([]);
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
    ["a missing payload", (r) => void r.artifacts.splice(1, 1), "is not of the release: esp32-a.bin"],
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
      "is a directory, not a file",
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
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("dist/linked: has version 1.0.0 of board puck with other content");
  });
});

describe("verify DIR --product, where something is wrong with the product", () => {
  const made = world();
  beforeAll(async () => {
    await released(made, "1.0.0");
    await released(made, "1.1.0");
  });

  it.each<[string, string, number, string]>([
    ["a slip", PRODUCT.replace("vendor", "vendr"), 1, 'unknown member "vendr"; did you mean "vendor"?'],
    ["two boards with one name", PRODUCT.replace("[boards.puck]", "[boards.ESP32]"), 1, "have one name"],
    ["another product", PRODUCT.replace('"gateway"', '"router"'), 1, "is a release of gateway by example.com, not of router"],
    ["another vendor", PRODUCT.replace("example.com", "example.org"), 1, "is a release of gateway by example.com"],
    ["a key that is not there", PRODUCT.replace("A.pem", "gone.pem"), 3, "gone.pem: there is no such file"],
    ["a key that another one has", PRODUCT.replace("A.pem", "B.pem"), 1, "SIGNATURE"],
    ["a key in a place that nobody who verifies opens", PRODUCT.replace("A.pem", "env:KEY"), 1, "the release key is not a file"],
    ["a scheme that does not exist", PRODUCT.replace("A.pem", "valt:release"), 2, "valt: is not a key source"],
    ["a board that is gone", PRODUCT.slice(0, PRODUCT.indexOf("[boards.puck]")), 1, "is not for a board of gateway"],
  ])("is one line: %s", async (_, product, exit, message) => {
    const p = world(product);
    cpSync(made.at("dist"), p.at("dist"), { recursive: true });
    const before = p.tree();
    const r = await p.run(["verify", "dist/1.0.0", "--product", "firmseal.toml", "--json"]);
    expect([r.exit, `${r.json["reason"]} ${r.json["message"]}`]).toEqual([exit, expect.stringContaining(message)]);
    expect(p.tree()).toEqual(before);
  });

  it("refuses versions and numbers in another order", async () => {
    const p = world(PRODUCT.replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]'));
    await released(p, "1.0.0", "--seq", "5");
    await released(p, "0.9.0", "--seq", "7", "--out", "other");
    renameSync(p.at("other/0.9.0"), p.at("dist/0.9.0"));
    for (const path of ["dist", "dist/1.0.0", "dist/0.9.0"])
      expect(refusal(await p.run(["verify", path, "--product", "firmseal.toml"]), 1)).toContain("is not higher than");
  });
});

describe("a release that cannot be made", () => {
  it.each(["env:NOT_SET", "exec:./gone", "pkcs11:token=gone;object=fw?module-path=/gone.so", "vault:fw"])(
    "for want of its key %s is refused, and leaves nothing",
    async (ref) => {
      const p = world(`${PRODUCT.replace("A.pem", ref)}\n[trust]\nkeys = "A.jwk"\n`);
      const r = await release(p, "1.0.0");
      expect(r.exit, r.stderr).toBeGreaterThan(0);
      refusal(r, r.exit as number);
      expect(p.has("dist")).toBe(false);
    },
  );

  it("for want of a folder, or of rights on it, is refused, and uses no number", async () => {
    const p = world();
    p.put("dist", "a file");
    expect(refusal(await release(p, "1.0.0"), 3)).toContain("dist");
    rmSync(p.at("dist"));
    // root has all rights
    if (process.getuid?.() !== 0) {
      mkdirSync(p.at("dist"), 0o555);
      expect(refusal(await release(p, "1.0.0"), 3)).toContain("dist");
    }
    expect(entries(p)).toEqual([]);
  });

  it("by a clock that is far off is refused, by itself and by the log", async () => {
    const p = world();
    await released(p, "1.0.0");
    const tree = p.tree();
    const on = (now: number) => ({ program: true, env: { NODE_OPTIONS: `--import=data:text/javascript,Date.now=()=>${now}` } });
    const args = ["release", "--version", "1.0.1"];
    expect(expectFailure(await p.run(args, on(Date.UTC(1970, 0, 2))), 3)).toContain("says 1970-01-02, which is in the past");
    expect(refusal(await p.run(args, on(Date.UTC(2025, 0, 2))), 3)).toContain("says 2025-01-02, but the signing log has an entry of");
    expect(p.tree()).toEqual(tree);
  });
});

describe("two runs in one folder", () => {
  it("make one release, whole, whoever is first", async () => {
    const p = world();
    const runs = await Promise.all([0, 1, 2].map(() => p.run(["release", "--version", "1.0.0", "--json"], { program: true })));
    for (const r of runs) expect([0, 1, 2], r.stderr).toContain(r.exit);
    expect(runs.filter((r) => r.json["state"] === "released")).toHaveLength(1);
    expect(readdirSync(p.at("dist"))).toEqual(["1.0.0"]);
    await p.ok(["verify", "dist"]);
  }, 120_000);

  it(
    "killed at any moment leave no folder or a whole one, and the next run finishes",
    async () => {
      const whole = world();
      const begun = Date.now();
      await whole.ok(["release", "--version", "1.0.0"], { program: true });
      const lasts = Date.now() - begun;
      const expected = filesIn(whole.at("dist/1.0.0"));
      for (let i = 0; i < Math.max(4, KILLS); i++) {
        const p = world();
        const at = (lasts * (i + 0.5)) / Math.max(4, KILLS);
        await p.run(["release", "--version", "1.0.0"], {
          program: true,
          started: (pid) =>
            void setTimeout(() => {
              try {
                process.kill(pid, "SIGKILL");
              } catch {
                /* it was faster */
              }
            }, at),
        });
        if (p.has("dist/1.0.0")) expect(filesIn(p.at("dist/1.0.0"))).toEqual(expected);
        expect((await released(p, "1.0.0", "--json")).exit).toBe(0);
        expect(filesIn(p.at("dist/1.0.0"))).toEqual(expected);
        expect(new Set(entries(p).map(({ sequence, digest, scope }) => `${sequence} ${digest} ${scope}`)).size).toBe(2);
        await p.ok(["verify", "dist"]);
      }
    },
    60_000 + KILLS * 10_000,
  );
});

describe("a release that is there already", () => {
  interface Written {
    version: string;
    artifacts: { kind: string; file: string; digest: string; size: number; uri: string | null; signers: { thumbprint: string }[] }[];
  }
  const EVIL = Buffer.from("evil");

  /** Changes the record as someone who can write to the folder: nothing there is signed, except the envelopes. */
  async function forged(change: (record: Written, p: Place) => void): Promise<Place> {
    const p = world();
    await released(p, "1.0.0");
    const record = JSON.parse(p.get("dist/1.0.0/release.json").toString()) as Written;
    change(record, p);
    p.put("dist/1.0.0/release.json", JSON.stringify(record));
    const names = ["release.json", ...new Set(record.artifacts.map(({ file }) => file))];
    p.put("dist/1.0.0/SHA256SUMS", names.map((name) => `${sha256(p.get(`dist/1.0.0/${name}`))}  ${name}\n`).join(""));
    return p;
  }
  const payload = ({ artifacts }: Written) => artifacts.find(({ kind }) => kind === "payload") as Written["artifacts"][number];

  const changes: [string, (record: Written, p: Place) => void, string][] = [
    [
      "another payload",
      (record, p) => {
        const one = payload(record);
        p.put(`dist/1.0.0/${one.file}`, EVIL);
        Object.assign(one, { digest: `sha-256:${sha256(EVIL)}`, size: EVIL.length });
      },
      "the digest of",
    ],
    ["another place", (record) => Object.assign(payload(record), { uri: "https://evil.example/esp32-a.bin" }), "is missing"],
    [
      "another version",
      (record) => {
        for (const one of [record, ...record.artifacts]) Object.assign(one, { version: "0.9.0" });
      },
      "its version is not the one in release.json",
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
    const p = world(`${PRODUCT}\n[sequence]\nsource = "given"\n`);
    await released(p, "1.0.0", "--seq", "281474976743999", "--out", "published", "--allow-sequence-jump");
    p.put("firmseal.toml", PRODUCT);
    const r = await release(p, "1.0.0", "--previous", "published/1.0.0/release.json");
    expect(refusal(r, 1)).toContain("sequence number 281474976743999, which is not that of the version");
  });
});
