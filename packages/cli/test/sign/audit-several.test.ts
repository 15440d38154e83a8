// Logs of copies, brought together: what each of them gave out, and both did.

import { cpSync, mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { conflicts } from "../../../keys/src/signing-log/compare.js";
import type { Entry } from "../../../keys/src/signing-log/entry.js";
import {
  expectExit,
  expectFailure,
  expectHarmless,
  FACTS,
  image,
  logEntries,
  type Place,
  type Result,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { HssPlace, leavesOf } from "../../../test-support/src/keys/hss-place.js";

/** Refused, in words and in JSON; the conflicts. */
async function refused(
  p: Place,
  args: readonly string[],
  o: { env?: { [name: string]: string } } = {},
): Promise<{ line: string; json: Result["json"] }> {
  const before = p.tree();
  const r = await p.run(["audit", ...args], o);
  expectExit(r, 1);
  expect(r.stderr.split("\n")).toEqual([expect.stringMatching(/^firmseal: /), expect.stringMatching(/^hint: /), ""]);
  expectHarmless(r.stdout);
  const { json } = await p.run(["audit", ...args, "--json"], o);
  expect(json).toMatchObject({ ok: false, code: 213, reason: "LOG", exit: 1 });
  expect(p.tree()).toEqual(before);
  const line = r.stderr.split("\n")[0] as string;
  expect(r.stdout).toContain(line.replace(/^firmseal: (A\.pem\.log: )?/, "").replace(/; and \d+ more$/, ""));
  return { line, json };
}

describe.concurrent("the logs of two copies", () => {
  it("of an HSS/LMS key show a leaf that both used", async () => {
    const p = new HssPlace();
    p.keepsLogs = true;
    const ci = { env: { FIRMSEAL_STATE: p.at("other machine") } };
    mkdirSync(p.at("other machine"), { mode: 0o700 });
    await p.keygen("5/4");
    await p.ok(p.signArgs("1.suit"));
    // leaf 0 is that of both, and each continues from there
    for (const name of ["", ".state", ".tree0", ".log"]) cpSync(p.at(`k.hss${name}`), p.at(`c.hss${name}`));
    await p.ok(["hss", "adopt", "c.hss", "--no-other-copy-signs"], ci);
    await p.ok(p.signArgs("2.suit"));
    p.put("fw.bin", image(200));
    await p.ok(["sign", "fw.bin", "--key", "c.hss", ...FACTS, "--seq", "2", "--out", "c2.suit"], ci);
    await p.ok(["sign", "fw.bin", "--key", "c.hss", ...FACTS, "--seq", "3", "--out", "c3.suit"], ci);
    expect(logEntries(p, "k.hss.log").map((e) => e.leaf)).toEqual(["0", "1"]);
    expect(logEntries(p, "c.hss.log").map((e) => e.leaf)).toEqual(["0", "1", "2"]);
    // what the log says is what signed
    const raw = await p.raw();
    const used = (await p.signatures(["1.suit", "2.suit"])).map((s) => leavesOf(raw, s)[0]?.leaf);
    expect(used).toEqual([0, 1]);
    for (const one of ["k.hss", "k.hss.log"]) expect((await p.ok(["audit", one])).stdout).toContain("sign leaf 1");
    const { line, json } = await refused(p, ["k.hss.log", "c.hss.log"]);
    expect(line).toMatch(/^firmseal: leaf 1 of key [0-9a-f]{16}… was used twice: entry 2 of k\.hss\.log, entry 2 of c\.hss\.log$/);
    expect(json["conflicts"]).toMatchObject([
      {
        what: "leaf",
        number: "1",
        key: expect.stringMatching(/^[0-9a-f]{64}$/),
        entries: [
          { log: "k.hss.log", entry: 2 },
          { log: "c.hss.log", entry: 2 },
        ],
      },
    ]);
    // even if a third machine examines the log, which has seen neither
    const third = { env: { FIRMSEAL_STATE: p.at("third") } };
    mkdirSync(p.at("third"), { mode: 0o700 });
    expect((await refused(p, ["c.hss.log", "k.hss.log"], third)).line).toContain("leaf 1 of key");
  }, 120_000);

  it("report a sequence number with two manifests, unless that was allowed or they are the same", async () => {
    const [p, q] = [standard(), standard()];
    for (const one of [p, q]) one.keepsLogs = true;
    const sign = (one: Place, seq: number, more: readonly string[] = []) =>
      one.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", String(seq), ...more]);
    for (const one of [p, q]) await sign(one, 7);
    p.put("q.log", q.get("A.pem.log"));
    // the same manifest, signed twice
    const both = await p.ok(["audit", "A.pem.log", "q.log", "--json"]);
    expect(both.json).toMatchObject({ ok: true, conflicts: [], logs: [{ ok: true }, { ok: true }] });
    q.put("fw.bin", image(99));
    await sign(q, 8);
    await sign(p, 8);
    await q.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "another", "--seq", "8", "--out", "x.suit"]);
    p.put("q.log", q.get("A.pem.log"));
    const { line, json } = await refused(p, ["A.pem.log", "q.log"]);
    expect(line).toMatch(/^firmseal: sequence number 8 of key [0-9a-f]{16}… was used twice: entry 2 of A\.pem\.log, entry 2 of q\.log$/);
    expect(json["conflicts"]).toMatchObject([
      { what: "sequence", number: "8", scope: [logEntries(p, "q.log")[1]?.scope?.[0]], key: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    // a log of its own key as well, and the same log twice
    await p.ok(["audit", "A.pem.log", "A.pem.log"]);
    p.put("fw.bin", image(55));
    await sign(p, 8, ["--allow-sequence-reuse", "--out", "again.suit"]);
    await p.ok(["audit", "A.pem"]);
    // what this machine has seen must still be in its own log
    p.put("whole.log", p.get("A.pem.log"));
    p.put("A.pem.log", p.get("A.pem.log").toString().split("\n").slice(0, 2).join("\n").concat("\n"));
    expect((await refused(p, ["A.pem.log", "whole.log"])).line).toContain("ends at entry 2, but entry 3 was seen");
  }, 120_000);

  it("report a number with two trust files", async () => {
    const [p, q] = [standard(), standard()];
    for (const [i, one] of [p, q].entries()) {
      one.keepsLogs = true;
      const anchors = [
        { key: "A.jwk", roles: ["root"] },
        { key: i ? "B.jwk" : "C.jwk", roles: ["release"] },
      ];
      const list = { $schema: "urn:firmseal:trust:1", name: "board", sequence: 3, anchors, thresholds: { root: 1, release: 1 } };
      one.put("t.json", JSON.stringify(list));
      await one.ok(["trust", "create", "--from", "t.json"]);
      await one.ok(["trust", "sign", "t.trust", "--key", "A.pem"]);
    }
    p.put("q.log", q.get("A.pem.log"));
    const { line, json } = await refused(p, ["A.pem.log", "q.log"]);
    expect(line).toMatch(/^firmseal: trust file number 3 of key [0-9a-f]{16}… was used twice: entry 1 of A\.pem\.log, entry 1 of q\.log$/);
    expect(json["conflicts"]).toMatchObject([{ what: "trust", number: "3", scope: ["trust:board"], entries: [{}, {}] }]);
    // an envelope is looked up all the same
    expectFailure(await p.run(["audit", "A.pem.log", "--envelope", "fw.bin"]), 1);
  });
});

describe("what counts as used twice", () => {
  let hashes = 0;
  const entry = (e: Partial<Entry>): Entry => ({
    v: 1,
    n: 1,
    time: "2026-01-01T00:00:00.000Z",
    user: "u",
    host: "h",
    operation: "sign",
    prev: "",
    hash: String(hashes++),
    key: "k",
    ...e,
  });
  const found = (...logs: Partial<Entry>[][]) =>
    conflicts(logs.map((entries, i) => ({ path: String(i), all: entries.map(entry) }))).map((c) => [c.what, c.number, c.entries.length]);

  it("is by key, by devices and by line, and not for entries of before", () => {
    expect(found([{ leaf: "1" }], [{ leaf: "1" }], [{ leaf: "1" }])).toEqual([["leaf", "1", 3]]);
    expect(found([{ leaf: "1" }, { leaf: "01" }])).toEqual([["leaf", "1", 2]]);
    expect(found([{ leaf: "1" }], [{ leaf: "1", key: "other" }])).toEqual([]);
    expect(found([{}], [{}])).toEqual([]);
    const one = { sequence: "5", digest: "a", scope: ["v/c", "v/d"] };
    // one conflict, however many devices it is about
    expect(found([one], [{ ...one, digest: "b" }])).toEqual([["sequence", "5", 2]]);
    expect(found([one], [{ ...one, digest: "b", key: "other" }])).toEqual([["sequence", "5", 2]]);
    expect(found([one], [{ ...one, digest: "b", scope: ["v/e"] }])).toEqual([]);
    expect(found([one], [{ ...one, digest: "b", sequence: "6" }])).toEqual([]);
    expect(found([one], [{ ...one, digest: "b", overrides: ["allow-sequence-reuse"] }])).toEqual([]);
    expect(found([one], [one])).toEqual([]);
    const list = { operation: "trust sign", sequence: "5", digest: "a", scope: ["trust:board"] };
    expect(found([list], [{ ...list, digest: "b" }])).toEqual([["trust", "5", 2]]);
    expect(found([list], [{ ...list, digest: "b", scope: ["trust:lock"] }])).toEqual([]);
    // before they had a scope
    expect(found([{ ...list, scope: undefined }] as never, [{ ...list, digest: "b", scope: undefined }] as never)).toEqual([]);
  });

  it("is found with work that grows with the entries", () => {
    let reads = 0;
    const many = (from: number) =>
      Array.from({ length: 20_000 }, (_, i) => ({
        leaf: String(i),
        sequence: String(i),
        get digest() {
          reads++;
          return `${from}`;
        },
        scope: ["v/c"],
      }));
    expect(found(many(1), many(2))).toHaveLength(40_000);
    expect(reads).toBeGreaterThanOrEqual(40_000);
    expect(reads).toBeLessThan(40 * 40_000);
  });
});
