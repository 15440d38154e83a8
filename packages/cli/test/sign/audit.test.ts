// Every use of a key is in its log before it signs; logs that were cut, edited or restored from a copy are detected.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../../keys/src/signing-log/entry.js";
import {
  expectExit,
  expectFailure,
  expectHarmless,
  FACTS,
  image,
  keyA,
  keyB,
  keyC,
  logEntries,
  type Place,
  privateJwk,
  quicklyEncrypted,
  type Result,
  standard,
  stateOf,
  words,
} from "../../../test-support/src/command-line/run.js";

const nameA = toHex(thumbprint(keyA));
const nameB = toHex(thumbprint(keyB));

function place(): Place {
  const p = standard();
  p.keepsLogs = true;
  return p;
}

/** Signs an image that no other is, with A.pem. */
let images = 1;
function sign(p: Place, seq: number | string, more: readonly string[] = [], key = "A.pem"): Promise<Result> {
  p.put("fw.bin", image(300, images++));
  return p.run(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", String(seq), ...more]);
}

async function signed(p: Place, seq: number | string, more: readonly string[] = [], key = "A.pem"): Promise<Result> {
  const r = await sign(p, seq, more, key);
  expect(r.stderr).not.toContain("firmseal:");
  expectExit(r, 0);
  return r;
}

describe.concurrent("the log of a key", () => {
  it("shows who signed what, when, and with which number, and nothing secret", async () => {
    const p = place();
    const before = Date.now();
    const r = await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--json"], {
      env: { GITHUB_RUN_ID: "1234567", SECRET_TOKEN: "do not log this" },
    });
    const [entry] = logEntries(p) as [Entry];
    expect(entry).toMatchObject({
      v: 1,
      n: 1,
      user: userInfo().username,
      host: hostname(),
      job: "GITHUB_RUN_ID=1234567",
      key: nameA,
      operation: "sign",
      sequence: "7",
      // the UUIDs of the README
      scope: ["cfbff0d1-9375-5685-968c-48ce8b15ae17/7ef25e26-57d5-563d-bec7-161eb72060bb"],
      digest: expect.stringMatching(/^sha-256:[0-9a-f]{64}$/),
      tbs: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(Date.parse(entry.time)).toBeGreaterThanOrEqual(before);
    expect(p.get("A.pem.log").toString()).not.toContain("do not log");
    expect(r.json["log"]).toEqual([{ path: p.at("A.pem.log"), entry: 1, hash: entry.hash }]);
    expect(statSync(p.at("A.pem.log")).mode & 0o777).toBe(0o600);
    expect(p.names().filter((n) => n.includes("lock"))).toEqual([]);
    // an invalid job number is left out
    await p.ok(["sign", "fw.suit", "--key", "B.pem"], { env: { GITHUB_RUN_ID: "\u001b[31m", CI_JOB_ID: "99" } });
    expect(logEntries(p, "B.pem.log")[0]?.job).toBe("CI_JOB_ID=99");
    expect(logEntries(p, "B.pem.log")[0]?.digest).toBe(entry.digest);
  });

  it("is shown and verified without the key, by its name, by the log's, and by the public key", async () => {
    const p = place();
    await signed(p, 1);
    await signed(p, "next");
    for (const ref of ["A.pem", "A.pem.log", "A.jwk"]) {
      const r = await p.ok(["audit", ref]);
      expectHarmless(r.stdout);
      expect(r.stdout).toMatch(
        /^entry +time +who +what +product +sequence +manifest +key\n +1 .* sign +cfbff0d1\/[0-9a-f]{8} +1 .*\n +2 .* sign +cfbff0d1\/[0-9a-f]{8} +2 /,
      );
      expect(r.stderr).toMatch(/A\.pem\.log: good, 2 entries\n$/);
      const { json } = await p.ok(["audit", ref, "--json"]);
      expect(json).toMatchObject({ ok: true, logs: [{ ok: true, faults: [], torn: 0, hash: logEntries(p)[1]?.hash }] });
      expect((json["logs"] as { entries: unknown }[])[0]?.entries).toEqual(logEntries(p));
    }
    // an encrypted key is not opened for it
    p.put("e.pem", quicklyEncrypted(keyC, "x"));
    await p.ok(["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "3", "--passphrase-env", "P"], { env: { P: "x" } });
    await p.ok(["audit", "e.pem", "A.pem"]);
    expect(expectFailure(await p.run(["audit", "B.jwk"]), 3)).toContain("no signing log for this key");
    expectFailure(await p.run(["audit", "nothing.pem"]), 3);
    expectFailure(await p.run(["audit", "fw.bin"]), 2);
  });

  it("gives each of several keys its own passphrase, as keys move does", async () => {
    const p = place();
    p.put("e.pem", quicklyEncrypted(keyC, "x"));
    p.put("f.pem", quicklyEncrypted(keyB, "y"));
    const env = { P: "x", Q: "y" };
    const both = ["--passphrase-env", "P", "--passphrase-env", "Q"];
    await p.ok(["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "3", "--out", "e.suit", "--log", "e.log", "--passphrase-env", "P"], {
      env,
    });
    await p.ok(["sign", "fw.bin", "--key", "f.pem", ...FACTS, "--seq", "4", "--out", "f.suit", "--log", "f.log", "--passphrase-env", "Q"], {
      env,
    });
    const { json } = await p.ok(["audit", "e.pem", "f.pem", ...both, "--json"], { env });
    expect(json["logs"]).toMatchObject([{ entries: [{ sequence: "3" }] }, { entries: [{ sequence: "4" }] }]);
    p.put("g.pem", quicklyEncrypted(keyA, "y"));
    await p.ok(["keys", "move", "e.pem", "g.pem", "--log", "e.log", ...both], { env });
  });

  it("says whether an envelope was signed", async () => {
    const p = place();
    await signed(p, 1, ["--out", "one.suit"]);
    await p.ok(["sign", "one.suit", "--key", "C.pem", "--out", "both.suit"]);
    await signed(p, 2, ["--out", "other.suit"], "B.pem");
    for (const name of ["one.suit", "both.suit"])
      expect((await p.ok(["audit", "A.pem", "--envelope", name])).stderr).toContain(`${name} was signed, see entry 1`);
    const r = await p.run(["audit", "A.pem", "--envelope", "other.suit", "--json"]);
    expectExit(r, 1);
    expect(r.json).toEqual(expect.objectContaining({ ok: false, reason: "LOG", code: 213 }));
    await p.ok(["audit", "A.pem", "B.pem", "--envelope", "other.suit"]);
    await p.ok(["create", "--from", "-", "--out", "u.suit"], {
      input: '{"$schema":"urn:firmseal:manifest:1","sequence":1,"components":[[]]}',
    });
    expect(words(await p.run(["audit", "A.pem", "--envelope", "u.suit"]))).toEqual([
      "firmseal: --envelope u.suit: the log has no signature of this manifest",
      expect.stringMatching(/^hint: /),
    ]);
  });

  it("is in the state folder for a key from stdin, and where --log says", async () => {
    const p = place();
    const key = privateJwk(keyA);
    await p.ok(["sign", "fw.bin", "--key", "-", ...FACTS, "--seq", "1"], { input: key });
    expect(p.names().filter((n) => n.endsWith(".log"))).toEqual([]);
    expect(readFileSync(`${stateOf(p.path)}/${nameA}.log`, "utf8")).toContain('"n":1');
    await p.ok(["audit", "A.jwk"]);

    const q = place();
    q.folder("logs");
    await q.ok(["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "next", "--first", "--log", "logs/team.log"]);
    expect(logEntries(q, "logs/team.log").map((e) => [e.n, e.key])).toEqual([
      [1, nameA],
      [2, nameB],
    ]);
    await q.ok(["audit", "logs/team.log"]);
    await q.ok(["audit", "B.jwk"]);
    // one key, one log: beside the key there is none
    expect(expectFailure(await sign(q, 9), 3)).toMatch(/ends at entry 0, but entry 1 was seen \(in .*team\.log\)/);
    // by way of a link to its folder is where the key is
    const s = place();
    mkdirSync(s.at("keys"));
    renameSync(s.at("A.pem"), s.at("keys/A.pem"));
    symlinkSync("keys", s.at("link"));
    await s.ok(["sign", "fw.bin", "--key", "link/A.pem", ...FACTS, "--seq", "1"]);
    expect(s.has("keys/A.pem.log")).toBe(true);
  });

  it("has to be written, or nothing is signed", async () => {
    const p = place();
    p.put("a file", "");
    p.folder("A.pem.log");
    const before = p.tree();
    for (const [more, exit] of [
      [[], 2],
      [["--log", "nowhere/log"], 3],
      [["--log", "a file/log"], 3],
      [["--log", "fw.bin"], 2],
      [["--log", "-"], 2],
      [["--log", "A.pem"], 2],
      [["--log", "C.pem"], 2],
    ] as const) {
      const r = await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", ...more]);
      expectFailure(r, exit);
      expect(p.tree(), more.join(" ")).toEqual(before);
    }
    const other = await p.run(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1"], { env: { FIRMSEAL_STATE: p.at("a file") } });
    expect(expectFailure(other, 3)).toContain("a file: a part of the path is not a folder");
    expect(other.stderr).toContain("FIRMSEAL_STATE");
    // a folder that accepts no other one: reported immediately
    if (existsSync("/proc/self")) {
      const sign = ["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1"];
      const r = await p.run(sign, { env: { FIRMSEAL_STATE: "/proc/none/state" }, program: true, limit: 20_000 });
      expect(expectFailure(r, 3)).toContain("/proc/none/state");
    }
    mkdirSync(p.at("open"), { mode: 0o777 });
    const { chmodSync } = await import("node:fs");
    chmodSync(p.at("open"), 0o777);
    expect(
      expectFailure(
        await p.run(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1"], { env: { FIRMSEAL_STATE: p.at("open") } }),
        3,
      ),
    ).toContain("other users may write to it");
    // nor is it replaced by what is signed
    expectFailure(await p.run(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1", "--out", "B.pem.log"]), 2);
  });

  it("does not grow if the input is refused", async () => {
    const p = place();
    await signed(p, 5);
    const before = p.get("A.pem.log");
    const envelope = p.get("fw.suit");
    p.put("broken.suit", Buffer.concat([envelope.subarray(0, -1), Buffer.from([envelope[envelope.length - 1]! ^ 1])]));
    expectFailure(await p.run(["sign", "fw.suit", "--key", "A.pem"]), 1);
    expectFailure(await p.run(["sign", "broken.suit", "--key", "A.pem"]), 1);
    expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", "--key", "A.pem", ...FACTS, "--seq", "9"]), 1);
    expectFailure(await sign(p, 4), 1);
    expect(p.get("A.pem.log").equals(before)).toBe(true);
  });
});

describe.concurrent("a log that was changed", () => {
  /** What sign and audit say, and that nothing is signed. */
  async function refused(p: Place, line: RegExp): Promise<void> {
    const before = p.tree().filter((l) => !l.startsWith("fw.bin "));
    const r = await sign(p, 90);
    expect(expectFailure(r, 3)).toMatch(line);
    expect(r.stderr).toContain("--accept-restored");
    const a = await p.run(["audit", "A.pem", "--json"]);
    expectExit(a, 1);
    expect(a.json).toEqual(expect.objectContaining({ ok: false, reason: "LOG", exit: 1 }));
    expect(a.json["message"]).toMatch(line);
    expect(p.tree().filter((l) => !l.startsWith("fw.bin "))).toEqual(before);
  }

  async function three(): Promise<Place> {
    const p = place();
    for (const seq of [1, 2, 3]) await signed(p, seq);
    return p;
  }

  it("because a copy was put back: refused, until that is accepted in the log itself", async () => {
    const p = await three();
    copyFileSync(p.at("A.pem.log"), p.at("copy"));
    await signed(p, 4);
    await signed(p, 5);
    renameSync(p.at("copy"), p.at("A.pem.log"));
    await refused(p, /ends at entry 3, but entry 5 was seen/);
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    expect(logEntries(p).map((e) => [e.n, e.operation])).toEqual([
      [1, "sign"],
      [2, "sign"],
      [3, "sign"],
      [6, "accept-restored"],
    ]);
    // 4 and 5 are in the field, and the log does not know
    expect(expectFailure(await sign(p, "next"), 1)).toContain("does not know the used sequence numbers");
    await signed(p, 6);
    expect((await signed(p, "next", ["--json"])).json["sequence"]).toBe("7");
    expect((await p.ok(["audit", "A.pem"])).stderr).toContain("good, 6 entries");
    expect(expectFailure(await p.run(["audit", "A.pem", "--accept-restored"]), 2)).toContain("this log has no fault");
  });

  it("because it is gone, even the file itself", async () => {
    const p = await three();
    rmSync(p.at("A.pem.log"));
    expect(expectFailure(await sign(p, 90), 3)).toContain("ends at entry 0, but entry 3 was seen");
    const gone = await p.run(["audit", "A.pem"]);
    expectExit(gone, 1);
    expect(gone.stdout).toEqual(expect.stringMatching(/^the log ends at entry 0, but entry 3 was seen/));
    expect(words(gone)).toHaveLength(2);
    p.put("A.pem.log", "");
    await refused(p, /ends at entry 0, but entry 3 was seen/);
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    await signed(p, 4);
    expect(logEntries(p).map((e) => e.n)).toEqual([4, 5]);
  });

  it("because an entry was changed, or the last one cut", async () => {
    const p = await three();
    const whole = p.get("A.pem.log").toString();
    p.put("A.pem.log", whole.replace('"sequence":"2"', '"sequence":"1"'));
    await refused(p, /entry 2 was changed/);
    p.put("A.pem.log", whole.slice(0, -20));
    await refused(p, /ends at entry 2, but entry 3 was seen/);
    p.put("A.pem.log", whole.split("\n").slice(1).join("\n"));
    await refused(p, /entry 2 is not the first entry/);
    await p.ok(["audit", "A.pem", "--accept-restored"]);
    expect((await p.ok(["audit", "A.pem"])).stdout).toContain("accepted: line 1: entry 2 is not the first entry");
    await signed(p, 9);
  });

  it("because a different one was made instead", async () => {
    const p = await three();
    const q = await three();
    await signed(q, 4);
    writeFileSync(p.at("A.pem.log"), q.get("A.pem.log"));
    await refused(p, /entry 3 differs from the one that was seen/);
  });

  it("continues by itself only after an entry that was cut short before anything was signed", async () => {
    const p = await three();
    const whole = p.get("A.pem.log").toString();
    p.put("A.pem.log", `${whole}{"v":1,"n":4,"time":"202`);
    expect((await p.ok(["audit", "A.pem"])).stdout).toContain("cut short while it was written (24 bytes)");
    await signed(p, 4);
    // nothing is taken away from a log: what was cut short stays, and the entry behind it says so
    expect((await p.ok(["audit", "A.pem", "--json"])).json).toMatchObject({
      logs: [{ entries: [{}, {}, {}, { n: 4, torn: 24 }], torn: 0 }],
    });
    expect(p.get("A.pem.log").toString().startsWith(`${whole}{"v":1,"n":4,"time":"202\0\n{`)).toBe(true);
  });
});

describe.concurrent("the sequence number", () => {
  it("next: is the number after the highest that any of the keys has signed for this kind of device", async () => {
    const p = place();
    const seqOf = (r: Result) => r.json["sequence"];
    // nothing is known of a key without entries, which may have signed elsewhere
    const before = p.names();
    const refused = await sign(p, "next");
    expect(expectFailure(refused, 1)).toContain("the log of the key is empty here, and the key may have signed elsewhere");
    for (const way of ["--log FILE", "--seq N", "--first"]) expect(words(refused)[1]).toContain(way);
    expect(p.names()).toEqual(before);
    expect(expectFailure(await sign(p, 1, ["--first"]), 2)).toContain("--first is for --seq next");
    expect(seqOf(await signed(p, "next", ["--first", "--json"]))).toBe("1");
    expect(expectFailure(await sign(p, "next", ["--first"]), 1)).toContain("this is not the first");
    expect(seqOf(await signed(p, 41, ["--json"]))).toBe("41");
    expect(seqOf(await signed(p, "next", ["--json", "--key", "B.pem"]))).toBe("42");
    await signed(p, 50, [], "B.pem");
    expect(seqOf(await signed(p, "next", ["--json", "--key", "B.pem"]))).toBe("51");
    expect(
      seqOf(
        await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "x", "--seq", "next", "--replace", "--json"]),
      ),
    ).toBe("1");
  });

  it("of a version below one that was signed is refused, even if the number is higher", async () => {
    const p = place();
    const sign = (version: string, name: string, ...more: string[]) =>
      p.run(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", name, "--version", version, ...more, "--replace"]);
    expectExit(await sign("1.4.3", "board"), 0);
    const LOWER = "version 1.4.0 is lower than 1.4.3, which was already signed: devices install it as the newer release";
    for (const number of ["next", "281492156940000"]) {
      const r = await sign("1.4.0", "board", "--seq", number);
      expect(expectFailure(r, 1)).toContain(LOWER);
      expect(r.stderr).toContain("--allow-lower-sequence");
    }
    expect(logEntries(p)).toHaveLength(1);
    // another class has versions of its own, and a later version is not lower
    for (const [version, name, ...more] of [
      ["1.4.0", "other"],
      ["1.4.4-rc.1", "board"],
      ["1.4.0", "board", "--seq", "next", "--allow-lower-sequence"],
    ] as const)
      expectExit(await sign(version, name, ...more), 0);
    expect(logEntries(p).at(-1)).toMatchObject({ version: "1.4.0", overrides: ["allow-lower-sequence"] });
  });

  it("that is lower, already used or far ahead is refused, and each is allowed by its name", async () => {
    const p = place();
    await signed(p, 7);
    for (const [seq, option, line] of [
      [6, "--allow-lower-sequence", "sequence number 6 is lower than 7, which was already signed: devices refuse it"],
      [7, "--allow-sequence-reuse", "sequence number 7 was signed for another manifest"],
      [8 + 2 ** 32, "--allow-sequence-jump", "sequence number 4294967304 is more than 2^32 higher than the last, 7"],
    ] as const) {
      const before = p.get("fw.suit");
      const r = await sign(p, seq);
      expect(expectFailure(r, 1)).toContain(line);
      expect(r.stderr).toContain(option);
      expect((await sign(p, seq, ["--json"])).json).toMatchObject({ ok: false, code: 212, reason: "SEQUENCE", exit: 1 });
      expect(p.get("fw.suit").equals(before)).toBe(true);
      const allowed = await signed(p, seq, [option, "--replace"]);
      expect(allowed.stderr).toContain(`warning: sequence number ${seq} is signed because of ${option}`);
      expect(logEntries(p).at(-1)).toMatchObject({ overrides: [option.slice(2)] });
    }
  });

  it("of the same manifest may be signed again, by anybody", async () => {
    const p = place();
    const args = ["sign", "fw.bin", ...FACTS, "--seq", "7", "--key"];
    for (const key of ["A.pem", "A.pem", "B.pem"]) await p.ok([...args, key]);
    await signed(p, 9, ["--out", "nine.suit"]);
    // an older release gets another signature
    await p.ok(["sign", "fw.suit", "--key", "C.pem"]);
    p.put("fw.bin", image(5000));
    await p.ok([...args, "A.pem", "--out", "again.suit"]);
  });

  it("in an envelope or a description is checked as well", async () => {
    const p = place();
    await signed(p, 7);
    await signed(p, 6, ["--out", "six.suit"], "B.pem");
    expect(expectFailure(await p.run(["sign", "six.suit", "--key", "A.pem"]), 1)).toContain("6 is lower than 7");
    const identity = { "vendor-identifier": { domain: "example.com" }, "class-identifier": { domain: "example.com", name: "board-v2" } };
    const shared = [{ "directive-override-parameters": identity }, "condition-vendor-identifier", "condition-class-identifier"];
    p.put(
      "d.json",
      JSON.stringify({
        $schema: "urn:firmseal:manifest:1",
        sequence: 5,
        components: [[{ hex: "00" }]],
        "shared-sequence": shared,
        validate: ["condition-vendor-identifier"],
      }),
    );
    expect(expectFailure(await p.run(["sign", "d.json", "--key", "A.pem"]), 1)).toContain("5 is lower than 7");
  });

  it("has what a root has signed, which does not count among the numbers of releases", async () => {
    const p = place();
    const anchors = [
      { key: "A.jwk", roles: ["root"] },
      { key: "B.jwk", roles: ["release"] },
    ];
    const list = { $schema: "urn:firmseal:trust:1", name: "board", sequence: 40, anchors, thresholds: { root: 1, release: 1 } };
    p.put("t.json", JSON.stringify(list));
    await p.ok(["trust", "create", "--from", "t.json"]);
    const done = await p.ok(["trust", "sign", "t.trust", "--key", "A.pem", "--json"]);
    expect(done.json).toMatchObject({ ok: true, log: [{ entry: 1 }] });
    expect(logEntries(p)).toMatchObject([{ n: 1, operation: "trust sign", sequence: "40", key: nameA }]);
    expect(logEntries(p)[0]?.scope).toEqual(["trust:board"]);
    // a second time it signs nothing, and enters nothing; nor does a key that is not a root
    expectFailure(await p.run(["trust", "sign", "t.trust", "--key", "A.pem"]), 1);
    expectFailure(await p.run(["trust", "sign", "t.trust", "--key", "B.pem"]), 1);
    expect(logEntries(p)).toHaveLength(1);
    expect(p.has("B.pem.log")).toBe(false);
    await signed(p, "next", ["--allow-root-key"]);
    expect(logEntries(p)).toMatchObject([{ n: 1 }, { n: 2, operation: "sign", sequence: "1", overrides: ["allow-root-key"] }]);
    await p.ok(["audit", "A.pem"]);
  });
});
