// Withdrawn releases in the signed record of a later one: what it names, who is believed, and what carries it forward.

import { appendFileSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { versionNumber } from "@firmseal/keys";
import { identityUuids } from "@firmseal/signer";
import { anchor, install, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../test-support/src/bytes.js";
import { keyA, logEntries, type Place, stateOf, words } from "../../../test-support/src/command-line/run.js";
import { brief, copyOf, filesIn, forge, PRODUCT, refusal, release, released, twoBoards, world } from "./product-place.js";

const REASON = "loses its settings";
const BAD = "1.4.1";
const SUIT = `dist/${BAD}/gateway-puck-${BAD}.suit`;

const TRUSTING = brief(PRODUCT).replace("[boards.", '[trust]\nkeys = ["A.jwk"]\n\n[boards.');

interface Named {
  version: string;
  sequence: string;
  date: string;
  reason: string;
  manifests: string[];
}

const recordOf = (p: Place, folder: string): { withdrawn: Named[]; artifacts: { manifest: string; kind: string }[] } =>
  JSON.parse(p.get(`${folder}/release.json`).toString());

const namesIn = (p: Place, folder: string) => recordOf(p, folder).withdrawn.map(({ version }) => version);

/** A refusal, after which nothing is written. */
async function refused(p: Place, args: readonly string[], exit = 1): Promise<string> {
  const before = p.tree();
  const said = refusal(await p.run(args), exit);
  expect(p.tree()).toEqual(before);
  return said;
}

/** Another machine: it has these folders, and neither the logs nor what the first one has seen. */
function elsewhere(from: Place, product = TRUSTING, ...folders: string[]): Place {
  const p = world(product);
  for (const folder of folders) cpSync(from.at(folder), p.at(folder), { recursive: true });
  return p;
}

const withdraw = (p: Place, version = BAD, ...more: string[]) => p.ok(["withdraw", version, "--reason", REASON, ...more]);

/** 1.4.0, the withdrawn 1.4.1, and 1.4.2, whose record names it. The mark is gone: only logs and the record know. */
let made: Place;
beforeAll(async () => {
  made = world(TRUSTING);
  await released(made, "1.4.0", "--first");
  made.put("app.js", "print(2)\n");
  await released(made, BAD);
  await withdraw(made);
  made.put("app.js", "print(3)\n");
  await released(made, "1.4.2");
  rmSync(made.at("dist", BAD, "withdrawn.json"));
});

describe("the record of a later release", () => {
  it("names each withdrawn release, and what covers it says so", async () => {
    const own = recordOf(made, `dist/${BAD}`);
    expect(recordOf(made, "dist/1.4.2").withdrawn).toEqual([
      {
        version: BAD,
        sequence: "281492156678144",
        date: logEntries(made)
          .find((e) => e["operation"] === "withdraw")
          ?.["time"].toString()
          .slice(0, 10),
        reason: REASON,
        manifests: own.artifacts.flatMap(({ kind, manifest }) => (kind === "envelope" ? [manifest] : [])).sort(),
      },
    ]);
    expect(own.withdrawn).toEqual([]);
    const r = await made.ok(["verify", "dist/1.4.2", "--json"]);
    expect(r.json["records"]).toMatchObject([{ version: "1.4.2", withdrawn: [{ version: BAD, reason: REASON }] }]);
    expect(words(await made.ok(["verify", "dist/1.4.2"])).join("\n")).toMatch(/release\.json: good, covers .*, names 1\.4\.1 as withdrawn/);
    expect(words(await made.ok(["release", "--version", "1.4.3", "--dry-run"])).join("\n")).toContain("names 1.4.1 as withdrawn");
  });

  it("is refused once the list was changed, and is signed with no further leaf", async () => {
    const p = elsewhere(made, TRUSTING, "dist");
    forge(
      p,
      (r) => {
        r["withdrawn"] = [];
      },
      "dist/1.4.2",
    );
    expect(await refused(p, ["verify", "dist/1.4.2"])).toContain("release.json was changed, or is not signed by");
    const entries = logEntries(made).filter((e) => e["version"] === "1.4.2");
    expect(entries.filter((e) => e["operation"] === "record")).toHaveLength(1);
  });

  it("says the same when a job is repeated, here, in another workspace, and after a further withdrawal", async () => {
    const before = filesIn(made.at("dist/1.4.2"));
    const p = copyOf(made);
    await withdraw(p, "1.4.0");
    const entries = logEntries(p).length;
    expect((await p.ok(["release", "--version", "1.4.2", "--json"])).json).toMatchObject({ state: "unchanged" });
    rmSync(p.at("dist"), { recursive: true });
    await p.ok(["release", "--version", "1.4.2"]);
    expect(filesIn(p.at("dist/1.4.2"))).toEqual(before);
    expect(logEntries(p)).toHaveLength(entries);
    await p.ok(["release", "--version", "1.4.3"]);
    expect(namesIn(p, "dist/1.4.3")).toEqual(["1.4.0", BAD]);
  });

  it("is carried forward by a job without the logs, which sees the last record only", async () => {
    const p = elsewhere(made);
    mkdirSync(p.at("last"));
    cpSync(made.at("dist/1.4.2/release.json"), p.at("last/release.json"));
    await p.ok(["release", "--version", "1.5.0", "--previous-release", "last/release.json"]);
    expect(recordOf(p, "dist/1.5.0").withdrawn).toEqual(recordOf(made, "dist/1.4.2").withdrawn);
    // also where the product file names no trusted key: the key that signs is the one that devices trust
    const keyed = elsewhere(made, brief(PRODUCT), "dist");
    await keyed.ok(["release", "--version", "1.5.0"]);
    expect(namesIn(keyed, "dist/1.5.0")).toEqual([BAD]);
    const again = ["--out", "again", "--previous-release", "dist/1.4.2", "--allow-lower-sequence"];
    expect(refusal(await release(keyed, BAD, ...again), 1)).toContain("was withdrawn on");
  });
});

describe("a signed record", () => {
  it("withdraws a release whose mark is gone, on a machine without the logs", async () => {
    const p = elsewhere(made, TRUSTING, "dist");
    for (const args of [
      ["verify", `dist/${BAD}`],
      ["verify", SUIT],
      ["verify", SUIT, "--key", "A.jwk"],
    ])
      expect(await refused(p, args), args.join(" ")).toContain(`version ${BAD} was withdrawn on `);
    expect((await p.run(["verify", SUIT, "--key", "A.jwk", "--json"])).json).toMatchObject({ code: 247, reason: "WITHDRAWN" });
    expect((await p.ok(["verify", "dist", "--json"])).json["withdrawn"]).toMatchObject([{ version: BAD, reason: REASON }]);
    await p.ok(["verify", "dist/1.4.0"]);
    expect((await p.ok(["report", `dist/${BAD}`, "--out", "page.html"])).stderr).toContain("was withdrawn on");
    expect((await p.ok(["report", SUIT, "--out", "one.html", "--key", "A.jwk"])).stderr).toContain("was withdrawn on");
    expect(p.get("one.html").toString()).toContain(`"reason":"${REASON}"`);
    // one folder alone, and the last release from elsewhere
    const alone = elsewhere(made, TRUSTING, `dist/${BAD}`);
    cpSync(made.at("dist/1.4.2/release.json"), alone.at("newest.json"));
    await alone.ok(["verify", `dist/${BAD}`]);
    for (const what of [`dist/${BAD}`, SUIT])
      expect(await refused(alone, ["verify", what, "--previous-release", "newest.json"])).toContain("was withdrawn on");
    expect(await refused(alone, ["verify", SUIT, "--key", "A.jwk", "--previous-release", "newest.json"], 2)).toContain(
      "--previous-release is for",
    );
  });

  it("beside an envelope elsewhere refuses it for every command that uses it, with keys and with a product file", async () => {
    const p = elsewhere(made, TRUSTING);
    mkdirSync(p.at("sent"));
    cpSync(made.at("dist", BAD), p.at("sent", BAD), { recursive: true });
    cpSync(made.at("dist/1.4.2"), p.at("sent/1.4.2"), { recursive: true });
    const suit = `sent/${BAD}/gateway-puck-${BAD}.suit`;
    for (const by of [
      ["--key", "A.jwk"],
      ["--product", "firmseal.toml"],
    ])
      for (const args of [
        ["verify", suit],
        ["extract", suit, "--out", "image.bin"],
      ])
        expect(await refused(p, [...args, ...by]), args.join(" ")).toContain(`version ${BAD} was withdrawn on`);
    expect(await refused(p, ["report", suit, "--out", "r.html", "--product", "firmseal.toml"])).toContain(
      `version ${BAD} was withdrawn on`,
    );
  });

  it("withdraws nothing if nobody has signed it, or a stranger, and that is said", async () => {
    const { withdrawn } = recordOf(made, "dist/1.4.2");
    const good = recordOf(made, "dist/1.4.0").artifacts.flatMap(({ kind, manifest }) => (kind === "envelope" ? [manifest] : []));
    const forged = [...withdrawn, { ...withdrawn[0], version: "1.4.0", sequence: "281492156645376", manifests: good }];
    const unsigned = elsewhere(made, TRUSTING, "dist");
    forge(
      unsigned,
      (r) => {
        r["withdrawn"] = forged;
        r["signatures"] = [];
      },
      "dist/1.4.2",
    );
    const stranger = world(TRUSTING.replaceAll("A.jwk", "B.jwk").replaceAll("A.pem", "B.pem"));
    cpSync(unsigned.at("dist"), stranger.at("old"), { recursive: true });
    stranger.put("last.json", stranger.get("old/1.4.2/release.json"));
    await stranger.ok(["release", "--version", "1.4.2", "--first"]);
    for (const p of [unsigned]) {
      const r = await p.ok(["verify", "dist/1.4.0"]);
      expect(r.stderr).toContain("warning: dist/1.4.2: release.json names 1.4.1, 1.4.0 as withdrawn, and the keys that devices trust");
      await p.ok(["verify", "dist/1.4.0/gateway-puck-1.4.0.suit", "--key", "A.jwk"]);
      await p.ok(["report", "dist/1.4.0", "--out", "page.html"]);
      expect(p.get("page.html").toString()).not.toContain(REASON);
    }
    // nor is it carried into a record that somebody signs
    const r = await stranger.ok(["release", "--version", "1.5.0", "--previous-release", "last.json"]);
    expect(r.stderr).toContain("not believed");
    expect(r.stderr).toMatch(/warning: \S+: release\.json was changed, or is not signed by the keys that devices trust now/);
    expect(namesIn(stranger, "dist/1.5.0")).toEqual([]);
  });

  it("of a key that has ended withdraws no release with a higher number", async () => {
    const thief = world(TRUSTING);
    await released(thief, "1.4.0");
    await released(thief, "2.0.0");
    for (const version of ["1.4.0", "2.0.0"]) await withdraw(thief, version);
    await released(thief, "1.4.5", "--allow-lower-sequence");
    const p = world(brief(PRODUCT).replace("[boards.", '[trust]\nfile = "own.trust"\nroot = "B.jwk"\n\n[boards.'));
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"], until: versionNumber("1.9.0").toString() },
      { key: "C.jwk", roles: ["release"] },
    ];
    const thresholds = { root: 1, release: 1 };
    p.put("own.json", JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "own", sequence: "1", anchors, thresholds }));
    await p.ok(["trust", "create", "--from", "own.json"]);
    await p.ok(["trust", "sign", "own.trust", "--key", "B.pem", "--allow-no-previous-trust"]);
    await released(p, "1.4.0");
    await released(p, "2.0.0", "--key", "C.pem");
    p.put("last.json", thief.get("dist/1.4.5/release.json"));
    const r = await p.ok(["verify", "dist/2.0.0", "--previous-release", "last.json"]);
    expect(r.stderr).toContain("release.json names 2.0.0 as withdrawn, and the keys that devices trust have not signed that: not believed");
    expect(await refused(p, ["verify", "dist/1.4.0", "--previous-release", "last.json"])).toContain("was withdrawn on");
    await released(p, "2.0.1", "--key", "C.pem", "--previous-release", "last.json");
    expect(namesIn(p, "dist/2.0.1")).toEqual(["1.4.0"]);
  });

  it.each<[string, (list: Named[], own: { version: string; sequence: string }) => unknown, string, number]>([
    ["itself", ([one], { version, sequence }) => [{ ...one, version, sequence }], "it withdraws itself", 1],
    ["its number", ([one], { sequence }) => [{ ...one, sequence }], "it withdraws itself", 1],
    ["one twice", ([one]) => [one, one], "it withdraws version 1.4.1 twice", 1],
    ["a manifest twice", ([one]) => [one, { ...one, version: "1.4.0", sequence: "7" }], "twice", 1],
    ["what is not a version", ([one]) => [{ ...one, version: "newest" }], "the version of a withdrawn release is not one", 1],
    ["a number of 65 bits", ([one]) => [{ ...one, sequence: "18446744073709551616" }], "more than 64 bits", 1],
    ["for no reason", ([one]) => [{ ...one, reason: "" }], "is not the record of a release", 1],
    ["with a terminal escape", ([one]) => [{ ...one, reason: "\u001b[31m" }], "control or formatting character", 1],
    ["without manifests", ([one]) => [{ ...one, manifests: [] }], "is not the record of a release", 1],
    ["as an object", ([one]) => one, "is not the record of a release", 1],
    ["10,000 releases", ([one]) => Array(10_000).fill(one), "names 10000 withdrawn releases, and 1024 are the most", 1],
  ])("that names %s is refused everywhere", async (_, change, said, exit) => {
    const p = elsewhere(made, TRUSTING, "dist");
    forge(
      p,
      (r) => {
        r["withdrawn"] = change(r["withdrawn"] as Named[], r as never);
      },
      "dist/1.4.2",
    );
    for (const args of [
      ["verify", "dist/1.4.2"],
      ["release", "--version", "1.5.0"],
    ])
      expect(await refused(p, args, exit), args.join(" ")).toContain(said);
  });
});

describe("the mark of a withdrawn release", () => {
  it("counts for a copy of the release elsewhere, and for an envelope in or beside its folder", async () => {
    const marked = copyOf(made);
    await withdraw(marked);
    rmSync(marked.at("dist/1.4.2"), { recursive: true });
    const p = elsewhere(marked, TRUSTING, "dist");
    cpSync(p.at("dist", BAD), p.at("copy", BAD), { recursive: true });
    rmSync(p.at("copy", BAD, "withdrawn.json"));
    expect(await refused(p, ["verify", `copy/${BAD}`])).toContain("was withdrawn on");
    expect(await refused(p, ["verify", SUIT, "--key", "A.jwk"])).toContain("was withdrawn on");
    cpSync(p.at(SUIT), p.at("dist/beside.suit"));
    expect(await refused(p, ["verify", "dist/beside.suit", "--key", "A.jwk"])).toContain("was withdrawn on");
    expect((await p.ok(["report", SUIT, "--out", "one.html", "--key", "A.jwk"])).stderr).toContain("was withdrawn on");
    for (const what of [`dist/${BAD}`, SUIT])
      expect((await p.ok(["whosigned", what, "--key", "A.jwk"])).stderr, what).toContain("was withdrawn on");
    p.put(`dist/${BAD}/withdrawn.json`, "{");
    expect(await refused(p, ["verify", SUIT, "--key", "A.jwk"])).toContain("is not the mark of this release");
    // a release.json of something else says nothing
    p.folder("other");
    cpSync(p.at("copy", BAD, `gateway-puck-${BAD}.suit`), p.at("other/x.suit"));
    p.put("other/release.json", "{");
    await p.ok(["verify", "other/x.suit", "--key", "A.jwk"]);
  });
});

describe("the mark of another release", () => {
  it("that names the manifest of a good one withdraws nothing", async () => {
    const p = elsewhere(made, TRUSTING, "dist");
    const good = recordOf(made, "dist/1.4.0").artifacts.find(({ kind }) => kind === "envelope")?.manifest;
    forge(
      p,
      (r) => {
        for (const artifact of r.artifacts) artifact["manifest"] = good;
        r["withdrawn"] = [];
        const { product, vendor, version, role, sequence } = r as { [name: string]: unknown };
        const mark = { $schema: "urn:firmseal:withdrawn:1", product, vendor, version, role, sequence };
        p.put("dist/1.4.2/withdrawn.json", JSON.stringify({ ...mark, time: "2026-01-01T00:00:00.000Z", reason: REASON }));
      },
      "dist/1.4.2",
    );
    for (const args of [
      ["verify", "dist/1.4.0"],
      ["verify", "dist/1.4.0/gateway-puck-1.4.0.suit", "--key", "A.jwk"],
    ])
      await p.ok(args);
  });
});

describe("a device", () => {
  it("that runs a withdrawn release is named by status verify", async () => {
    const p = elsewhere(made, TRUSTING, "dist");
    const envelope = new Uint8Array(p.get(SUIT));
    const { vendor, class: name } = identityUuids("example.com", "gateway-puck");
    const device = memoryDevice({ vendor: [vendor], class: [name] }, [[Uint8Array.of(0)]], 65536);
    const progress = install(envelope, { anchors: [anchor("ed25519", keyA.key)] }, device);
    progress.next();
    const [nonce, secret] = [new Uint8Array(16), new Uint8Array(32).fill(7)];
    p.put("answer.cbor", Uint8Array.from(status(nonce, device, progress.manifest, null, macAttester(secret, utf8("serial-7")))));
    p.put("secret.jwk", JSON.stringify({ kty: "oct", kid: "serial-7", k: Buffer.from(secret).toString("base64url") }));
    const args = ["status", "verify", "answer.cbor", "--nonce", "00".repeat(16), "--secret", "secret.jwk"];
    const r = await p.ok([...args, "--json"]);
    expect(r.json).toMatchObject({ device: "serial-7", withdrawn: { version: BAD, reason: REASON } });
    expect(r.stderr).toContain("serial-7 runs a withdrawn release: version 1.4.1 was withdrawn on");
    rmSync(p.at("dist/1.4.2"), { recursive: true });
    expect((await p.ok([...args, "--json"])).json["withdrawn"]).toBeNull();
  });
});

describe("the audit of a log", () => {
  it("shows what it withdraws, and a release whose record has no entry", async () => {
    const { json } = await made.ok(["audit", "A.pem", "--json"]);
    expect(json).toMatchObject({ withdrawn: [{ version: BAD, reason: REASON }], unrecorded: [] });
    expect((await made.ok(["audit", "A.pem"])).stdout).toContain(`version ${BAD} was withdrawn on`);
    const p = world(TRUSTING);
    await released(p, "1.0.0", "--first");
    // the machine was killed before that entry
    const lines = p.get("A.pem.log").toString().split("\n").slice(0, -1);
    rmSync(stateOf(p.path), { recursive: true });
    rmSync(p.at("dist"), { recursive: true });
    p.put("A.pem.log", `${lines.filter((line) => !line.includes('"record"')).join("\n")}\n`);
    expect((await p.ok(["audit", "A.pem", "--json"])).json["unrecorded"]).toMatchObject([
      { log: expect.stringMatching(/A\.pem\.log$/), version: "1.0.0" },
    ]);
    expect((await p.ok(["audit", "A.pem"])).stdout).toContain("version 1.0.0 has no entry about its release.json");
    await p.ok(["release", "--version", "1.0.0"]);
    expect((await p.ok(["audit", "A.pem", "--json"])).json["unrecorded"]).toEqual([]);
  });
});

describe("a withdrawal that was interrupted", () => {
  it("between two entries is finished by the same command, with one entry for each board", async () => {
    const p = world(`${brief(PRODUCT)}\n[boards.pixl]\nimage = "app.js"\n`);
    await released(p, "1.0.0", "--first");
    await withdraw(p, "1.0.0");
    const log = p.get("A.pem.log").toString();
    const lines = log.split("\n").slice(0, -1);
    const [first] = lines.flatMap((line, i) => (line.includes('"withdraw"') ? [i] : []));
    // the machine was killed after the first entry, or in the middle of the second one
    for (const rest of ["", (lines[(first as number) + 1] as string).slice(0, 120)]) {
      const q = copyOf(p);
      rmSync(q.at("dist/1.0.0/withdrawn.json"));
      rmSync(stateOf(q.path), { recursive: true });
      q.put("A.pem.log", `${lines.slice(0, (first as number) + 1).join("\n")}\n`);
      appendFileSync(q.at("A.pem.log"), rest);
      expect((await q.ok(["withdraw", "1.0.0", "--reason", REASON, "--json"])).json).toMatchObject({ state: "withdrawn" });
      const whole = q
        .get("A.pem.log")
        .toString()
        .split("\n")
        .filter((line) => line.includes('"withdraw"') && line.endsWith("}"));
      const digests = whole.map((line) => (JSON.parse(line) as { digest: string }).digest);
      expect(new Set(digests).size).toBe(digests.length);
      expect(digests).toHaveLength(lines.filter((line) => line.includes('"withdraw"')).length);
      expect(q.has("dist/1.0.0/withdrawn.json")).toBe(true);
      await q.ok(["audit", "A.pem"]);
    }
  });

  it("says for which key nothing was entered, because its log is elsewhere", async () => {
    const p = world(
      brief(PRODUCT).replace(/\[keys\]\n.*/, '[keys]\nrelease = ["A.pem", "B.pem"]\n\n[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2'),
    );
    await released(p, "1.0.0", "--first");
    const apart = elsewhere(p, p.get("firmseal.toml").toString(), "dist");
    cpSync(p.at("A.pem.log"), apart.at("A.pem.log"));
    expect((await withdraw(apart, "1.0.0")).stderr).toContain("B.pem: no entry, for its log is not here");
  });
});

describe("people who sign the same release", () => {
  const TWO = brief(PRODUCT).replace(/\[keys\]\n.*/, '[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2');

  it("sign what is in the folder, and are told what it names and does not name", async () => {
    const p = world(TWO);
    await released(p, "1.0.0", "--first", "--key", "A.pem");
    await p.ok(["sign", "dist/1.0.0", "--key", "B.pem"]);
    await withdraw(p, "1.0.0", "--key", "A.jwk");
    await released(p, "1.1.0", "--key", "A.pem");
    const before = recordOf(p, "dist/1.1.0").withdrawn;
    const bob = elsewhere(p, TWO, "dist");
    rmSync(bob.at("dist/1.0.0/withdrawn.json"));
    // one of two keys is not enough to be believed
    expect((await bob.ok(["verify", "dist/1.0.0"])).stderr).toContain("not believed");
    const r = await bob.ok(["sign", "dist/1.1.0", "--key", "B.pem"]);
    expect(r.stderr).toContain("dist/1.1.0: release.json names 1.0.0 as withdrawn");
    expect(recordOf(bob, "dist/1.1.0").withdrawn).toEqual(before);
    await bob.ok(["verify", "dist/1.1.0"]);
    expect(await refused(bob, ["verify", "dist/1.0.0"])).toContain("was withdrawn on");
    // a list that lost a release before the first signature
    await p.ok(["release", "--version", "1.2.0", "--unsigned"]);
    forge(
      p,
      (record) => {
        record["withdrawn"] = [];
      },
      "dist/1.2.0",
    );
    expect((await p.ok(["sign", "dist/1.2.0", "--key", "A.pem"])).stderr).toContain("release.json does not name 1.0.0 as withdrawn");
  });

  it("is not joined of parts that name different releases", async () => {
    const both = twoBoards('[keys]\nrelease = "A.pem"\n\n[trust]\nkeys = ["A.jwk"]\n');
    const p = world(both);
    await released(p, "1.0.0", "--first");
    const unaware = elsewhere(p, both, "dist");
    await withdraw(p, "1.0.0");
    const aware = elsewhere(p, both, "dist");
    p.folder("parts");
    for (const [job, board] of [
      [unaware, "puck"],
      [aware, "pixl"],
    ] as const) {
      await job.ok(["release", board, "--version", "1.1.0"]);
      cpSync(job.at("dist/1.1.0"), p.at("parts", board), { recursive: true });
    }
    const join = ["release", "--join", "parts/puck", "parts/pixl"];
    expect(await refused(p, join)).toContain("parts/pixl names other withdrawn releases than parts/puck");
    const again = elsewhere(p, both, "dist");
    await again.ok(["release", "puck", "--version", "1.1.0"]);
    rmSync(p.at("parts/puck"), { recursive: true });
    cpSync(again.at("dist/1.1.0"), p.at("parts/puck"), { recursive: true });
    await p.ok(join);
    expect(namesIn(p, "dist/1.1.0")).toEqual(["1.0.0"]);
    await p.ok(["verify", "dist/1.1.0"]);
  });
});
