// Approvals of a release by those whom the product file names, before anybody signs it.

import { cpSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyName } from "@firmseal/keys";
import { publicOf } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { keyB, keyC, logEntries, type Place, type Result, words } from "../../../../test-support/src/command-line/run.js";
import { filesIn, refusal, release, released, twoBoards, world } from "../product-place.js";

/** A signs. B and C may approve. */
const APPROVED = twoBoards(`[keys]
release = "A.pem"

[trust]
keys = ["A.jwk"]

[approval]
keys = ["B.jwk", "C.jwk"]
`);

const FOLDER = "dist/1.0.0";

const BOTH = APPROVED.replace('"C.jwk"]', '"C.jwk"]\nthreshold = 2');

const fileOf = (key: Parameters<typeof publicOf>[0], folder = FOLDER) => `${folder}.${keyName(publicOf(key)).slice(0, 16)}.approval`;
const [OF_B, OF_C] = [fileOf(keyB), fileOf(keyC)];

/** A place with the unsigned release 1.0.0. */
async function made(product = APPROVED): Promise<Place> {
  const p = world(product);
  await released(p, "1.0.0", "--first");
  return p;
}

const approve = (p: Place, key: string, folder = FOLDER, ...more: string[]) => p.ok(["approve", folder, "--key", `${key}.pem`, ...more]);

const sign = (p: Place, ...more: string[]) => p.run(["sign", FOLDER, "--key", "A.pem", ...more]);

/** What people see before they approve or sign. */
const REVIEW = /^( {2}|board |no earlier release is known here)/;

/** A refusal: nothing is written, signed or entered. */
async function refused(p: Place, args: readonly string[], exit = 1): Promise<string> {
  const before = p.tree();
  const r = await p.run([...args]);
  const lines = words(r).filter((line) => !REVIEW.test(line));
  expect([r.exit, lines], String(r)).toEqual([exit, [expect.stringMatching(/^firmseal: /), expect.stringMatching(/^hint: /)]]);
  expect(p.tree(), String(r)).toEqual(before);
  return lines[0] as string;
}

const SIGN = ["sign", FOLDER, "--key", "A.pem"];

const hintOf = (r: Result) => String(r).match(/hint: (.*)/)?.[1];

describe("a release that somebody must approve", () => {
  it("is made without a signature, approved, and then signed", async () => {
    const p = world(APPROVED);
    const first = await released(p, "1.0.0", "--first", "--json");
    expect(first.json).toMatchObject({
      state: "incomplete",
      signers: [],
      log: [],
      approval: { complete: false, needed: 1, approvers: [] },
    });
    expect(logEntries(p, "A.pem.log")).toEqual([]);
    const again = words(await released(p, "1.0.0"));
    expect(again).toContainEqual(expect.stringMatching(/^dist\/1\.0\.0: 0 of 1 approved, still to approve: es256 \w+…, ed25519 \w+…$/));
    expect(again).toContain(`have it approved: firmseal approve ${FOLDER} --key APPROVER`);

    expect(refusal(await sign(p), 1)).toContain(`${FOLDER}: 0 of 1 approved, still to approve: `);
    const missing = await p.run(["verify", FOLDER, "--missing"]);
    expect([missing.exit, String(missing)]).toEqual([1, expect.stringContaining("0 of 1 approved")]);
    expect(hintOf(missing)).toBe(
      `each approver: firmseal approve ${FOLDER} --key KEY; then each signer: firmseal sign ${FOLDER} --key KEY`,
    );

    const folder = filesIn(join(p.path, FOLDER));
    const approved = await approve(p, "B");
    expect(words(approved)).toContain(`${FOLDER}: 1 of 1 approved`);
    expect(filesIn(join(p.path, FOLDER))).toEqual(folder);
    expect(logEntries(p, "B.pem.log")).toMatchObject([{ operation: "approve" }]);
    const left = await p.run(["verify", FOLDER, "--missing", "--json"]);
    expect(left.json).toMatchObject({ reason: "SIGNATURE_THRESHOLD", approval: { complete: true, approvers: [{ alg: "es256" }] } });

    const done = await sign(p, "--json");
    expect(done.json).toMatchObject({ ok: true, approval: { complete: true }, signatures: [{ complete: true }, { complete: true }] });
    expect((await p.ok(["verify", FOLDER, "--missing"])).stderr).not.toContain("warning: ");
    await p.ok(["verify", "dist"]);
    // somebody may have signed it by a product file that requires no approval
    cpSync(p.at(FOLDER), p.at("bare/1.0.0"), { recursive: true });
    const bare = await p.ok(["verify", "bare/1.0.0", "--missing"]);
    expect(bare.stderr).toMatch(/^warning: bare\/1\.0\.0: 0 of 1 approved, still to approve: .*; it is signed all the same: ask /m);
    // the release before it says who signed, after a higher one too
    await released(p, "1.1.0");
    await p.ok(["verify", FOLDER, "--missing"]);
    // and one more person approves it
    await p.ok(["approve", FOLDER, "--key", "C.pem"]);
    // C might have approved it in place of B: the log requires neither of them
    for (const entry of logEntries(p, "A.pem.log")) expect(entry).not.toHaveProperty("approvers");
  });

  it("shows the words of explain and of diff, the same to who approves, signs and plans", async () => {
    const p = await made();
    const review = (r: Result) => {
      const lines = words(r);
      const begin = lines.indexOf("board pixl:");
      const end = lines.findLastIndex((line) => line.startsWith("  ") || line.startsWith("no earlier release"));
      return lines.slice(begin, end + 1);
    };
    const first = review(await approve(p, "B"));
    expect(first.at(-1)).toBe("no earlier release is known here, so nothing is compared");
    expect(review(await sign(p))).toEqual(first);
    p.put("app.js", "print(2)\n");
    const planned = review(await release(p, "1.1.0", "--dry-run"));
    await released(p, "1.1.0");
    const second = review(await approve(p, "B", "dist/1.1.0"));
    const signed = review(await p.ok(["sign", "dist/1.1.0", "--key", "A.pem"]));
    expect([planned, signed]).toEqual([second, second]);
    const shown = async (...args: string[]) => (await p.ok(args)).stdout.trimEnd().split("\n");
    const explained = (await shown("explain", "dist/1.1.0")).slice(1);
    const differing = await shown("diff", FOLDER, "dist/1.1.0");
    expect(second).toEqual([...explained, ...differing]);
    expect(differing).toContainEqual(expect.stringMatching(/^pixl, compared with 1\.0\.0 /));
  });

  it("takes an approval from another place, also before the folder is there", async () => {
    const p = await made();
    cpSync(join(p.path, FOLDER), join(p.path, "usb"), { recursive: true });
    await approve(p, "C", "usb", "--out", "c.approval");
    rmSync(join(p.path, "dist"), { recursive: true });
    const done = await released(p, "1.0.0", "--first", "--approval", "c.approval", "--json");
    expect(done.json).toMatchObject({ state: "released", approval: { complete: true, approvers: [{ alg: "ed25519" }] } });
  });

  it("is for every signer, also for one whose signature was made elsewhere", async () => {
    const p = await made(APPROVED.replace('"A.jwk"]', '"A.jwk", "C.jwk"]\nthreshold = 2'));
    cpSync(join(p.path, FOLDER), join(p.path, "copy"), { recursive: true });
    await approve(p, "B", "copy");
    await p.ok(["sign", "copy", "--key", "C.pem"]);
    const attach = ["attach", FOLDER, "--from", "copy"];
    expect(await refused(p, attach)).toContain(`${FOLDER}: 0 of 1 approved`);
    await p.ok([...attach, "--approval", fileOf(keyB, "copy")]);
    cpSync(join(p.path, fileOf(keyB, "copy")), join(p.path, OF_B));
    await p.ok(SIGN);
    await p.ok(["verify", FOLDER]);
  });

  it("may also be approved as a whole where only the signer asks for it", async () => {
    const p = await made(
      APPROVED.replace(/\[approval\][\s\S]*?\n\n/, "")
        .replace('release = "A.pem"\n', "")
        .replace('"A.jwk"]', '"A.jwk", "C.jwk"]\nthreshold = 2'),
    );
    await approve(p, "B");
    expect(await refused(p, [...SIGN, "--approver", "B.jwk"])).toContain("is missing");
    await p.ok([...SIGN, "--approver", "B.jwk", "--approval", OF_B]);
    expect(logEntries(p, "A.pem.log")).toMatchObject([
      { operation: "sign", approvers: [expect.any(String)] },
      { operation: "sign", approvers: [expect.any(String)] },
      { operation: "record" },
    ]);
  });

  it("needs two people where two are required, and the log then requires both", async () => {
    const p = await made(BOTH);
    await approve(p, "B");
    expect(await refused(p, SIGN)).toContain("1 of 2 approved, still to approve: ed25519 ");
    // one person twice
    cpSync(join(p.path, OF_B), join(p.path, OF_C));
    expect(await refused(p, SIGN)).toContain("1 of 2 approved");
    expect(await refused(p, [...SIGN, "--approval", OF_B])).toContain("1 of 2 approved");
    rmSync(join(p.path, OF_C));
    await approve(p, "C");
    await p.ok(SIGN);
    expect(logEntries(p, "A.pem.log")[0]).toMatchObject({ approvers: [keyName(publicOf(keyB)), keyName(publicOf(keyC))] });
    // the product file can be edited, and the log remembers
    p.put("firmseal.toml", APPROVED.replace(/\[approval\][\s\S]*?\n\n/, ""));
    p.put("app.js", "print(2)\n");
    expect(await refused(p, ["release", "--version", "1.1.0"])).toContain("this key signs with the approval of ");
  });
});

describe("an approval is refused", () => {
  it("of another content, another version, another product, or a changed folder", async () => {
    const p = await made();
    await approve(p, "B");
    p.put("app.js", "print(2)\n");
    await released(p, "1.1.0", "--previous-release", FOLDER);
    const other = `${OF_B} approves a different release`;
    const again = ["sign", "dist/1.1.0", "--key", "A.pem", "--approval"];
    expect(await refused(p, [...again, OF_B])).toContain(other);
    cpSync(join(p.path, OF_B), join(p.path, fileOf(keyB, "dist/1.1.0")));
    expect(await refused(p, again.slice(0, -1))).toContain("approves a different release");
    // the same version and number with other content
    rmSync(join(p.path, "dist/1.0.0"), { recursive: true });
    rmSync(join(p.path, "dist/1.1.0"), { recursive: true });
    const remade = await released(p, "1.0.0", "--first");
    expect(String(remade)).toContain(other);
    expect(await refused(p, SIGN)).toContain(other);
    expect(hintOf(await sign(p))).toBe(`have it approved: firmseal approve ${FOLDER} --key APPROVER`);
    // a product of another name
    p.put("app.js", "print(1)\n");
    p.put(
      "other.toml",
      APPROVED.replace('name = "gateway"', 'name = "router"').replace("[boards.puck]\n", '[boards.puck]\nclass = "gateway-puck"\n'),
    );
    p.put("keep.approval", p.get(OF_B));
    rmSync(join(p.path, "dist"), { recursive: true });
    await released(p, "1.0.0", "--first", "--product", "other.toml", "--out", "else");
    expect(await refused(p, ["sign", "else/1.0.0", "--key", "A.pem", "--product", "other.toml", "--approval", "keep.approval"])).toContain(
      "keep.approval approves a different release",
    );
  });

  it("by a key that is not named, that signs, or that has signed", async () => {
    const p = await made();
    expect(await refused(p, ["approve", FOLDER, "--key", "A.pem"])).toContain("A.pem is not a key that firmseal.toml names for approvals");
    const own = APPROVED.replace('"A.jwk"]', '"A.jwk", "B.jwk"]').replace("[approval]", "threshold = 2\n\n[approval]");
    p.put("firmseal.toml", own.replace('"C.jwk"]', '"A.jwk"]'));
    rmSync(join(p.path, "dist"), { recursive: true });
    await released(p, "1.0.0", "--first");
    await approve(p, "A");
    expect(await refused(p, SIGN)).toContain("an approver also signs, so no other person has checked it");
    await p.ok(["sign", FOLDER, "--key", "B.pem"]);
    expect(await refused(p, ["approve", FOLDER, "--key", "B.pem"])).toContain("an approver also signs");
    const again = await p.run(["approve", FOLDER, "--key", "B.pem"]);
    expect(hintOf(again)).toBe(`another person must approve it: firmseal verify ${FOLDER} --missing names them`);
    // signed by C, whom the product file does not name
    p.put("firmseal.toml", own.replace('"B.jwk", "C.jwk"', '"C.jwk"'));
    await approve(p, "C", FOLDER, "--out", "c.approval");
    p.put("firmseal.toml", own.replace('"B.jwk", "C.jwk"', '"A.jwk"'));
    expect(await refused(p, [...SIGN, "--approval", "c.approval"])).toContain(
      "is not signed by a person whom [approval] of the product file names",
    );
  });

  it("that is damaged, huge, or missing, and nothing signs without it", async () => {
    const p = await made();
    p.put("bad.approval", "{}");
    expect(await refused(p, [...SIGN, "--approval", "bad.approval"])).toContain("bad.approval is not an approval");
    writeFileSync(join(p.path, "huge.approval"), new Uint8Array(1 << 20));
    expect(await refused(p, [...SIGN, "--approval", "huge.approval"], 2)).toContain("huge.approval");
    expect(await refused(p, [...SIGN, "--approval", "--log"], 2)).toContain("option '--approval <file>': its value is missing");
    expect(await refused(p, [...SIGN, "--approval", "gone"], 3)).toContain("gone");
    p.put(OF_B, "");
    expect(await refused(p, SIGN)).toContain(`${OF_B} is not an approval`);
    rmSync(join(p.path, OF_B));
    // every other way to a signature
    p.put("app.js", "print(2)\n");
    expect(await refused(p, ["release", "--version", "1.1.0", "--key", "A.pem"])).toContain("dist/1.1.0: 0 of 1 approved");
    expect(await refused(p, ["tbs", FOLDER, "--key", "A.jwk", "--out", "."])).toContain("0 of 1 approved");
    expect(await refused(p, ["sign", "--board", "puck", "--version", "1.1.0"])).toContain("people approve a release of all boards");
    expect(await refused(p, [...SIGN, "--allow-no-approval"])).toContain("0 of 1 approved");
  });

  it("before it follows a link, or replaces what is not an approval", async () => {
    const p = await made();
    p.put("notes.txt", "mine\n");
    symlinkSync("../notes.txt", join(p.path, OF_B));
    expect(await refused(p, ["approve", FOLDER, "--key", "B.pem"], 2)).toMatch(/link|not an approval/);
    expect(await refused(p, ["approve", FOLDER, "--key", "C.pem", "--out", "notes.txt"], 2)).toContain("is not an approval or a status");
    expect(await refused(p, ["approve", FOLDER, "--key", "C.pem", "--out", `${FOLDER}/c.approval`], 2)).toContain(
      "in the folder of a release",
    );
    expect(await refused(p, ["approve", "A.pem", "--key", "C.pem", "--product", "firmseal.toml"], 2)).toContain(
      "--product is for the folder of a release",
    );
  });
});

describe("[approval] of a product file", () => {
  const faults: [string, string, string][] = [
    ["more people than keys", 'keys = "B.jwk"\nthreshold = 2', "2 people must approve, and keys names 1"],
    ["no key", "keys = []", "approval.keys"],
    ["an empty name", 'keys = ""', "approval.keys"],
    ["nobody", "threshold = 1", "keys"],
    ["none of them", 'keys = "B.jwk"\nthreshold = 0', "threshold"],
    ["a program", 'keys = "exec:approve"', "only files can approve"],
    ["stdin", 'keys = "-"', "only files can approve"],
    ["an unknown member", 'keys = "B.jwk"\nexpires = "2027-01-01"', 'unknown member "expires"'],
  ];
  it.each(faults)("is refused with %s", async (_, text, what) => {
    const p = world(APPROVED.replace('keys = ["B.jwk", "C.jwk"]', text));
    expect(await refused(p, ["release", "--version", "1.0.0", "--first"])).toContain(what);
  });

  it("is refused with one person twice, a missing file, or no key that devices trust", async () => {
    const p = world(APPROVED.replace('"C.jwk"]', '"B.pem"]'));
    expect(await refused(p, ["release", "--version", "1.0.0", "--first"])).toContain("two of the approvers are one person");
    expect(String(await p.run(["doctor"]))).toContain("two of the approvers are one person");
    p.put("firmseal.toml", APPROVED.replace('"C.jwk"]', '"gone.pub"]'));
    expect(await refused(p, ["release", "--version", "1.0.0", "--first"], 3)).toContain("[approval] keys: gone.pub: file not found");
    p.put("firmseal.toml", APPROVED.replace(/\[trust\][\s\S]*?\n\n/, ""));
    expect(await refused(p, ["release", "--version", "1.0.0", "--first"])).toContain("trust names no key");
    p.put("firmseal.toml", `${APPROVED}\n[sequence]\nsource = "log"\n`);
    expect(await refused(p, ["release", "--version", "1.0.0", "--first"])).toContain("people approve a release with its number");
  });

  it("is checked by doctor", async () => {
    const p = world(APPROVED);
    const said = (await p.run(["doctor"])).stdout.split("\n");
    expect(said).toContainEqual(expect.stringMatching(/^ok +approval firmseal\.toml: 1 of 2 must approve a release before it is signed$/));
  });
});
