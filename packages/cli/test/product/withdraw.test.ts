// firmseal withdraw: an entry of the log for each board, a mark in the folder, and what refuses the release from then on.

import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { logEntries, type Place, words } from "../../../test-support/src/command-line/run.js";
import { brief, copyOf, PRODUCT, refusal, release, released, world } from "./product-place.js";

const REASON = "loses its settings";
const LAST = "1.4.1";
const withdraw = (p: Place, what = LAST, reason = REASON, ...more: string[]) => p.run(["withdraw", what, "--reason", reason, ...more]);
const withdrawn = (p: Place, ...more: string[]) => p.ok(["withdraw", LAST, "--reason", REASON, ...more]);

/** A refusal, after which nothing is written. */
async function refused(p: Place, args: readonly string[], exit: number): Promise<string> {
  const before = p.tree();
  const said = refusal(await p.run(args), exit);
  expect(p.tree()).toEqual(before);
  return said;
}

/** Leaves only the files of the release: another machine, which has neither the logs nor what this one has seen. */
function elsewhere(p: Place): Place {
  const other = world(brief(PRODUCT));
  cpSync(p.at("dist"), other.at("dist"), { recursive: true });
  return other;
}

let made: Place;
beforeAll(async () => {
  made = world(brief(PRODUCT));
  await released(made, "1.4.0", "--first");
  made.put("app.js", "print(2)\n");
  await released(made, LAST);
});

describe("withdraw", () => {
  it("enters each board in the log, marks the folder, and says what the next release must exceed", async () => {
    const p = copyOf(made);
    const before = logEntries(p);
    const r = await withdrawn(p);
    const entries = logEntries(p).slice(before.length);
    const signed = before.filter((e) => e["version"] === LAST && e["operation"] !== "record");
    expect(entries).toMatchObject(
      signed.map(({ digest, sequence, scope, key }) => ({
        operation: "withdraw",
        version: LAST,
        reason: REASON,
        digest,
        sequence,
        scope,
        key,
      })),
    );
    expect(entries[0]).not.toHaveProperty("tbs");
    expect(words(r)).toEqual([
      ...entries.map(({ n }) => expect.stringMatching(new RegExp(`A\\.pem\\.log: entry ${n}$`))),
      "dist/1.4.1/withdrawn.json: the mark of the folder; take the release off every server",
      `gateway 1.4.1 withdrawn: ${REASON}`,
      "devices that run it learn of it only from a release with a higher sequence number",
      ...entries.map(() => expect.stringMatching(/^board \w+: the next release must exceed sequence number 281492156678144$/)),
      expect.stringMatching(
        /^next, with the last good image: firmseal extract dist\/1\.4\.0 --board (?:puck|esp32 --slot 0) --out IMAGE; firmseal release --version 1\.4\.2$/,
      ),
    ]);
    expect(JSON.parse(p.get("dist/1.4.1/withdrawn.json").toString())).toEqual({
      $schema: "urn:firmseal:withdrawn:1",
      product: "gateway",
      vendor: "example.com",
      version: LAST,
      role: "release",
      sequence: "281492156678144",
      time: (entries[0] as { time: string }).time,
      reason: REASON,
    });
    const { stdout } = await p.ok(["audit", "A.pem"]);
    expect(stdout).toMatch(/withdraw +\w+\/\w+ +1\.4\.1/);
  });

  it("writes nothing a second time, and keeps the first reason", async () => {
    const p = copyOf(made);
    expect((await withdrawn(p, "--json")).json).toMatchObject({ ok: true, state: "withdrawn", lastGood: "dist/1.4.0", next: "1.4.2" });
    const before = p.tree();
    const again = await p.ok(["withdraw", "dist/1.4.1", "--reason", ` ${REASON} `]);
    expect(again.stderr).toContain("gateway 1.4.1 was withdrawn before, for the same reason");
    expect(p.tree()).toEqual(before);
    expect(await refused(p, ["withdraw", LAST, "--reason", "something else"], 1)).toContain(`for another reason: ${REASON}`);
  });

  it("says how to take one image of several out, and names a later release instead", async () => {
    const p = world(
      'name = "lamp"\nvendor = "example.com"\nkeys.release = "A.pem"\nboards.hub.image = { a = "build/b.bin", b = "app.js" }\n',
    );
    for (const [version, ...more] of [["1.0.0", "--first"], ["1.1.0"], ["1.2.0"]] as const) await released(p, version, ...more);
    const last = await p.ok(["withdraw", "1.2.0", "--reason", REASON, "--json"]);
    expect(last.json).toMatchObject({ lastGood: "dist/1.1.0", later: null });
    expect(last.json["extract"]).toBe("firmseal extract dist/1.1.0 --board hub --slot 0 --out IMAGE");
    await p.ok((last.json["extract"] as string).split(" ").slice(1));
    expect(p.get("IMAGE")).toEqual(p.get("build/b.bin"));
    const first = await p.ok(["withdraw", "1.0.0", "--reason", REASON]);
    expect(words(first).at(-1)).toBe("devices that run it take a later release, which was not withdrawn: dist/1.1.0");
  });

  it("is finished by the same command if it was killed between entries and mark", async () => {
    const p = copyOf(made);
    await withdrawn(p);
    rmSync(p.at("dist/1.4.1/withdrawn.json"));
    const before = logEntries(p).length;
    expect((await withdrawn(p, "--json")).json).toMatchObject({ state: "withdrawn", log: [] });
    expect(logEntries(p)).toHaveLength(before);
    expect(p.has("dist/1.4.1/withdrawn.json")).toBe(true);
  });

  it("needs the log only, not the folder", async () => {
    const p = copyOf(made);
    rmSync(p.at("dist"), { recursive: true });
    expect((await withdrawn(p, "--json")).json).toMatchObject({ state: "withdrawn", folder: null, lastGood: null });
    // only the log knows: neither this version nor a lower number
    expect(await refused(p, ["release", "--version", LAST], 1)).toContain(`version 1.4.1 was withdrawn on`);
    expect(refusal(await release(p, "1.3.9"), 1)).toContain("is lower than");
    await p.ok(["release", "--version", "1.4.2"]);
  });

  it.each<[string, readonly string[], number, string]>([
    ["an empty reason", [LAST, "--reason", " "], 2, "--reason is empty"],
    ["a reason of two lines", [LAST, "--reason", "one\ntwo"], 2, "--reason has a line break, or a control or formatting character"],
    ["a terminal escape", [LAST, "--reason", "\u001b[31mred"], 2, "--reason has a line break, or a control"],
    ["text that turns around", [LAST, "--reason", "a\u202eb"], 2, "--reason has a line break, or a control"],
    ["a long reason", [LAST, "--reason", "x".repeat(501)], 2, "--reason has more than 500 characters"],
    ["a version that no log knows", ["1.4.7", "--reason", REASON], 1, "no log of a release key knows version 1.4.7"],
    ["what is not a version", ["newest", "--reason", REASON], 2, '"newest" is not a version'],
    ["a version with a letter", ["v1.4.1", "--reason", REASON], 2, 'did you mean "1.4.1"?'],
    ["a folder without a release", ["build", "--reason", REASON], 1, "build has no release"],
    ["a folder that is not there", ["dist/1.9.0", "--reason", REASON], 1, "dist/1.9.0 has no release"],
    ["a file", ["dist/1.4.1/release.json", "--reason", REASON], 1, "dist/1.4.1/release.json has no release"],
    ["a key that has signed nothing", [LAST, "--reason", REASON, "--key", "B.jwk"], 1, "no log of a release key knows"],
    ["a role without a trust file", [LAST, "--reason", REASON, "--role", "debug"], 2, "roles are those of trust files"],
  ])("refuses %s", async (_, args, exit, said) => {
    const p = copyOf(made);
    expect(await refused(p, ["withdraw", ...args], exit)).toContain(said);
  });

  it("refuses a folder of another product, another build under the version, and a damaged mark", async () => {
    const p = copyOf(made);
    p.put("other.toml", PRODUCT.replace('"gateway"', '"fridge"'));
    await p.ok(["release", "--version", "9.0.0", "--first", "--product", "other.toml", "--out", "fridge", "puck"]);
    expect(await refused(p, ["withdraw", "fridge/9.0.0", "--reason", REASON], 1)).toContain("is a release of fridge");
    const text = p.get("dist/1.4.1/release.json").toString();
    p.put("dist/1.4.1/release.json", text.replace(/("manifest": "sha-256:)..../g, "$10000"));
    expect(await refused(p, ["withdraw", LAST, "--reason", REASON], 1)).toContain("no log of a release key knows the manifest of board");
    p.put("dist/1.4.1/release.json", text);
    for (const mark of ["{", "{}", "[]", `{"$schema":"urn:firmseal:withdrawn:1"}`, "x".repeat(20_000)]) {
      p.put("dist/1.4.1/withdrawn.json", mark);
      const exit = mark.length > 100 ? 2 : 1;
      for (const args of [
        ["withdraw", LAST, "--reason", REASON],
        ["verify", "dist/1.4.1"],
        ["release", "--version", "1.4.2"],
      ])
        expect(await refused(p, args, exit), mark).toContain("dist/1.4.1/withdrawn.json");
    }
  });

  it("knows what was withdrawn in the log of the key that continues the numbers", async () => {
    const p = copyOf(made);
    await withdrawn(p);
    await p.ok(["keys", "move", "A.pem", "C.pem"]);
    const carried = logEntries(p, "C.pem.log").filter((e) => e["operation"] === "withdraw");
    expect(carried[0]).toMatchObject({ version: LAST, reason: REASON, withdrawn: expect.stringMatching(/Z$/) });
    p.put("firmseal.toml", p.get("firmseal.toml").toString().replace("A.pem", "C.pem"));
    rmSync(p.at("dist"), { recursive: true });
    expect(await refused(p, ["release", "--version", LAST], 1)).toContain("was withdrawn on");
    await p.ok(["audit", "A.pem", "C.pem"]);
  });
});

describe("a withdrawn release", () => {
  let done: Place;
  beforeAll(async () => {
    done = copyOf(made);
    await withdrawn(done);
  });

  it("is refused by verify and extract, as a folder and as an envelope, here and elsewhere", async () => {
    const p = copyOf(done);
    const suit = "dist/1.4.1/gateway-puck-1.4.1.suit";
    for (const place of [p, elsewhere(p)])
      for (const args of [
        ["verify", "dist/1.4.1"],
        ["verify", suit],
        ["verify", "dist"],
        ["extract", "dist/1.4.1", "--board", "puck", "--out", "x.js"],
      ]) {
        const said = await refused(place, args, 1);
        expect(said, args.join(" ")).toContain("version 1.4.1 was withdrawn on ");
        expect(said).toContain(REASON);
      }
    expect((await p.run(["verify", "dist/1.4.1", "--json"])).json).toMatchObject({ ok: false, code: 247, reason: "WITHDRAWN" });
    // without the mark, only the log of this machine knows
    rmSync(p.at("dist/1.4.1/withdrawn.json"));
    expect(await refused(p, ["verify", "dist/1.4.1"], 1)).toContain("was withdrawn");
    expect(await refused(p, ["verify", suit], 1)).toContain("was withdrawn");
    await elsewhere(p).ok(["verify", "dist/1.4.1"]);
    // a copy of the log may be anywhere
    const other = elsewhere(p);
    other.put("copy.log", p.get("A.pem.log"));
    expect(await refused(other, ["verify", "dist/1.4.1", "--log", "copy.log"], 1)).toContain("was withdrawn");
  });

  it("is only named by verify if a later release is there", async () => {
    const p = copyOf(done);
    await released(p, "1.4.2");
    const r = await p.ok(["verify", "dist", "--json"]);
    expect(r.stderr).toContain("warning: dist: version 1.4.1 was withdrawn on");
    expect(r.json["withdrawn"]).toMatchObject([{ version: LAST, reason: REASON }]);
    await p.ok(["verify", "dist/1.4.2"]);
  });

  it("is not made again, with the same bytes or others, nor by a runner that sees its folder", async () => {
    const p = copyOf(done);
    for (const more of [[], ["--dry-run"], ["--allow-sequence-reuse"], ["--allow-lower-sequence"], ["--out", "again"]])
      expect(await refused(p, ["release", "--version", LAST, ...more], 1)).toContain("version 1.4.1 was withdrawn on");
    p.put("app.js", "print(3)\n");
    expect(await refused(p, ["release", "--version", LAST], 1)).toContain("was withdrawn on");
    const runner = elsewhere(done);
    mkdirSync(runner.at("last"));
    for (const name of ["release.json", "withdrawn.json"]) cpSync(runner.at("dist/1.4.1", name), runner.at("last", name));
    rmSync(runner.at("dist"), { recursive: true });
    expect(await refused(runner, ["release", "--version", LAST, "--previous-release", "last/release.json"], 1)).toContain(
      "was withdrawn on",
    );
    await runner.ok(["release", "--version", "1.4.2", "--previous-release", "last/release.json"]);
  });

  it("is not signed again under its envelope", async () => {
    const p = copyOf(done);
    expect(await refused(p, ["sign", "dist/1.4.1/gateway-puck-1.4.1.suit", "--key", "A.pem", "--out", "x.suit"], 1)).toContain("already");
    expect(await refused(p, ["sign", "app.js", "--key", "A.pem", "--board", "puck", "--version", LAST, "--out", "x.suit"], 1)).toContain(
      "version 1.4.1 was withdrawn on",
    );
  });

  it("stays withdrawn if its log was cut, removed, or accepted without the entry", async () => {
    const p = copyOf(done);
    rmSync(p.at("dist/1.4.1/withdrawn.json"));
    const lines = p.get("A.pem.log").toString().split("\n").slice(0, -1);
    const cut = lines.filter((line) => !line.includes('"withdraw"'));
    p.put("A.pem.log", `${cut.join("\n")}\n`);
    expect(await refused(p, ["verify", "dist/1.4.1"], 1)).toContain("it may have lost which releases were withdrawn");
    rmSync(p.at("A.pem.log"));
    expect(await refused(p, ["verify", "dist/1.4.1"], 1)).toContain("version 1.4.1 was withdrawn");
    p.put("A.pem.log", `${cut.join("\n")}\n`);
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    expect(await refused(p, ["verify", "dist/1.4.1"], 1)).toContain("version 1.4.1 was withdrawn");
    expect(await refused(p, ["release", "--version", LAST], 1)).toContain("version 1.4.1 was withdrawn");
  });

  it("is named by the commands that show it, and by the report page", async () => {
    const p = copyOf(done);
    for (const args of [
      ["explain", "dist/1.4.1", "--board", "puck"],
      ["inspect", "dist/1.4.1", "--board", "puck"],
      ["diff", "dist/1.4.0", "dist/1.4.1"],
      ["install", "dist/1.4.1", "--board", "puck", "--dir", "dev"],
      ["extract", "dist/1.4.1", "--board", "puck", "--allow-unverified", "--out", "x.js"],
      ["report", "dist/1.4.1", "--out", "page.html"],
    ])
      expect((await p.ok(args)).stderr, args.join(" ")).toContain(`warning: dist/1.4.1: version 1.4.1 was withdrawn on`);
    expect(p.get("page.html").toString()).toMatch(new RegExp(`"withdrawn":\\{"time":"[^"]+","reason":"${REASON}"\\}`));
    // the page of a machine that has the log only
    rmSync(p.at("dist/1.4.1/withdrawn.json"));
    await p.ok(["report", "dist/1.4.1", "--out", "log.html"]);
    expect(p.get("log.html").toString()).toContain(REASON);
    expect((await p.ok(["report", "dist/1.4.0", "--out", "good.html"])).stderr).not.toContain("withdrawn");
  });

  it("is a warning of doctor while it is the newest one", async () => {
    const p = copyOf(done);
    const { json } = await p.ok(["doctor", "--json"]);
    expect(json["checks"]).toContainEqual(
      expect.objectContaining({ check: "release", subject: "dist/1.4.1", state: "warning", what: expect.stringContaining(REASON) }),
    );
    await released(p, "1.4.2");
    expect((await p.ok(["doctor"])).stdout).toMatch(/ok +release dist\/1\.4\.2/);
  });

  it("is not the release of a mark that names another one, or of a link", async () => {
    const p = copyOf(done);
    const mark = p.get("dist/1.4.1/withdrawn.json").toString();
    for (const [from, to] of [
      ["1.4.1", "1.4.0"],
      ["gateway", "fridge"],
      [REASON, "\\u001b[31m"],
      ['"release"', '"debug"'],
    ] as const) {
      p.put("dist/1.4.1/withdrawn.json", mark.replace(from, to));
      expect(await refused(elsewhere(p), ["verify", "dist/1.4.1"], 1)).toContain("is not the mark of this release");
    }
    rmSync(p.at("dist/1.4.1/withdrawn.json"));
    writeFileSync(p.at("outside.json"), mark);
    symlinkSync(p.at("outside.json"), p.at("dist/1.4.1/withdrawn.json"));
    expect(await refused(p, ["verify", "dist/1.4.1"], 1)).toContain("was withdrawn");
    expect(readFileSync(p.at("outside.json"), "utf8")).toBe(mark);
  });
});

describe("a release that others make of parts, or sign", () => {
  const JOINED = PRODUCT.replace(/\[boards\.esp32\][\s\S]*(?=\[boards\.puck\])/, '[trust]\nkeys = ["A.jwk"]\n\n').concat(
    '\n[boards.pixl]\nimage = "app.js"\n',
  );

  it("is not joined again under its version, nor signed beside its mark", async () => {
    const p = world(JOINED);
    await released(p, LAST, "--first");
    await withdrawn(p);
    p.folder("parts");
    for (const board of ["puck", "pixl"]) {
      const job = world(JOINED);
      job.put("app.js", "print(4)\n");
      await job.ok(["release", board, "--version", LAST, "--first"]);
      cpSync(job.at("dist", LAST), p.at("parts", board), { recursive: true });
    }
    const join = ["release", "--join", "parts/puck", "parts/pixl", "--out", "joined"];
    expect(await refused(p, join, 1)).toContain("version 1.4.1 was withdrawn on");
    // a machine that has only the joined release, with its mark
    const other = elsewhere(p);
    other.put("firmseal.toml", JOINED);
    rmSync(other.at("dist"), { recursive: true });
    cpSync(p.at("parts"), other.at("parts"), { recursive: true });
    await other.ok(join);
    const mark = p.get("dist/1.4.1/withdrawn.json");
    other.put("joined/1.4.1/withdrawn.json", mark);
    expect(await refused(other, join, 1)).toContain("version 1.4.1 was withdrawn on");
    // the copy that somebody signs has no mark, and the one in the folder of releases has
    cpSync(other.at("joined"), other.at("dist"), { recursive: true });
    rmSync(other.at("joined/1.4.1/withdrawn.json"));
    expect(await refused(other, ["verify", "joined/1.4.1", "--missing"], 1)).toContain("version 1.4.1 was withdrawn on");
  });
});

describe("a release of several people", () => {
  const TWO = brief(PRODUCT).replace(/\[keys\]\n.*/, '[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2');

  it("is withdrawn by one of them, and nobody completes it", async () => {
    const p = world(TWO);
    await released(p, LAST, "--first", "--key", "A.pem");
    for (const folder of ["bob", "tbs"]) p.folder(folder);
    cpSync(p.at("dist/1.4.1"), p.at("bob/1.4.1"), { recursive: true });
    await p.ok(["sign", "bob/1.4.1", "--key", "B.pem"]);
    expect(await refused(p, ["withdraw", LAST, "--reason", REASON], 1)).toContain("keys names no release key");
    expect((await p.run(["withdraw", LAST, "--reason", REASON])).stderr).toContain(
      "firmseal withdraw VERSION --reason TEXT --key SIGNER.pub\n",
    );
    await withdrawn(p, "--key", "A.jwk");
    expect(logEntries(p).at(-1)).toMatchObject({ operation: "withdraw", version: LAST });
    for (const args of [
      ["sign", "dist/1.4.1", "--key", "B.pem"],
      ["attach", "dist/1.4.1", "--from", "bob/1.4.1"],
      ["tbs", "dist/1.4.1", "--key", "B.jwk", "--out", "tbs"],
      ["verify", "dist/1.4.1", "--missing"],
      ["verify", "bob/1.4.1"],
    ])
      expect(await refused(p, args, 1), args.join(" ")).toContain("version 1.4.1 was withdrawn on");
    // the same for the other key: one log says it, and the other one not yet
    expect((await withdraw(p, LAST, REASON, "--key", "A.jwk", "--key", "B.jwk", "--json")).json).toMatchObject({ state: "withdrawn" });
    expect(logEntries(p, "B.pem.log").at(-1)).toMatchObject({ operation: "withdraw", version: LAST });
    await p.ok(["audit", "A.pem.log", "B.pem.log"]);
    expect((await withdraw(p, LAST, REASON, "--key", "A.jwk", "--key", "B.jwk", "--json")).json).toMatchObject({ state: "unchanged" });
  });
});
