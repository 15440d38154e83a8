// Two logs of one key in one file: what was used twice shows, whether a person has appended one or audit --merge-out has joined them.

import { readFileSync, writeFileSync } from "node:fs";
import { thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../../keys/src/signing-log/entry.js";
import { appendEntry, readLog } from "../../../keys/src/signing-log/log-file.js";
import {
  expectExit,
  expectFailure,
  FACTS,
  image,
  keyA,
  logEntries,
  type Place,
  type Result,
  standard,
  words,
} from "../../../test-support/src/command-line/run.js";

let images = 1;
function sign(p: Place, seq: number | string, more: readonly string[] = []): Promise<Result> {
  p.put("fw.bin", image(300, images++));
  return p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", String(seq), "--replace", ...more]);
}

/** The line of a finding of audit, which shows the log as well. */
async function finding(p: Place, ...args: string[]): Promise<string> {
  const r = await p.run(["audit", ...args]);
  expectExit(r, 1);
  return words(r)[0] as string;
}

/** Two machines with a copy of one key, which have signed the first release together. */
async function copies(): Promise<[Place, Place]> {
  const [p, q] = [standard(), standard()];
  for (const one of [p, q]) one.keepsLogs = true;
  expectExit(await sign(p, 1), 0);
  return [p, q];
}

async function copied(p: Place, q: Place): Promise<void> {
  q.put("A.pem.log", p.get("A.pem.log"));
}

describe.concurrent("a log that a person has appended to another", () => {
  it("does not hide a number that was used twice", async () => {
    const [p, q] = await copies();
    await copied(p, q);
    expectExit(await sign(p, 2), 0);
    expectExit(await sign(q, 2), 0);
    const begun = readFileSync(p.at("A.pem.log"), "utf8").split("\n")[0]?.length as number;
    p.put("A.pem.log", Buffer.concat([p.get("A.pem.log"), q.get("A.pem.log").subarray(begun + 1)]));
    expect(await finding(p, "A.pem")).toContain("sequence number 2 of key");
    expect((await p.run(["audit", "A.pem"])).stdout).toContain("entry 2 came too late: another one has its place");
    expect((await p.run(["audit", "A.pem", "--json"])).json).toMatchObject({
      ok: false,
      reason: "LOG",
      conflicts: [{ what: "sequence", number: "2", entries: [{ entry: 2 }, { entry: 2 }] }],
      logs: [{ late: [{ line: 3, entry: { sequence: "2" } }] }],
    });
  });

  it("does not hide a leaf that was used twice, and its numbers are not used again", async () => {
    const [p, q] = await copies();
    await copied(p, q);
    const facts = { time: "2026-01-01T00:00:00.000Z", user: "u", host: "h", operation: "sign", key: toHex(thumbprint(keyA)) };
    for (const [one, sequence] of [
      [p, "2"],
      [q, "9"],
    ] as const)
      appendEntry(readLog(one.at("A.pem.log")), {
        ...facts,
        leaf: "7",
        sequence,
        scope: logEntries(p)[0]?.scope,
        digest: `sha-256:${sequence}`,
      } as Entry);
    const line = q.get("A.pem.log").toString().split("\n")[1];
    writeFileSync(p.at("A.pem.log"), `${line}\n`, { flag: "a" });
    expect(await finding(p, "A.pem.log")).toContain("leaf 7 of key");
    const next = await sign(p, "next", ["--json"]);
    expect(next.json["sequence"]).toBe("10");
  });
});

describe.concurrent("audit --merge-out", () => {
  it("writes one log of two, which is intact, says what it is, and goes on", async () => {
    const [p, q] = await copies();
    await copied(p, q);
    for (const seq of [2, 3]) expectExit(await sign(p, seq), 0);
    for (const seq of [10, 11, 12]) expectExit(await sign(q, seq), 0);
    p.put("other.log", q.get("A.pem.log"));
    const before = [p.get("A.pem.log"), p.get("other.log")];
    const r = await p.ok(["audit", "A.pem", "other.log", "--merge-out", "both.log"]);
    expect(r.stderr).toContain("both.log: both logs in one, written");
    expect(r.stderr).toContain("both.log: good, 7 entries");
    expect(r.stdout).toContain("another log was joined");
    expect([p.get("A.pem.log"), p.get("other.log")]).toEqual(before);
    expect(p.get("both.log").subarray(0, before[0]?.length)).toEqual(before[0]);
    expect(
      logEntries(p, "both.log")
        .map((e) => e.operation)
        .at(-1),
    ).toBe("join");
    const again = await p.ok(["audit", "both.log", "A.pem.log", "other.log", "--json"]);
    expect(again.json).toMatchObject({ conflicts: [], logs: [{ faults: [], late: [] }, {}, {}] });
    // in place of the log of the key, on both machines
    p.put("A.pem.log", p.get("both.log"));
    q.put("A.pem.log", p.get("both.log"));
    expect((await sign(q, 12)).stderr).toContain("12 was signed for another manifest");
    expect((await sign(p, "next", ["--json"])).json["sequence"]).toBe("13");
    expect((await p.ok(["audit", "A.pem"])).stderr).toContain("good, 8 entries");
    // whatever is changed in it shows
    const text = p.get("A.pem.log").toString();
    p.put("A.pem.log", text.replace('"sequence":"11"', '"sequence":"31"'));
    expect(await finding(p, "A.pem")).toContain("line 5: entry 3 was changed");
    const lines = text.split("\n");
    p.put("A.pem.log", [...lines.slice(0, 4), ...lines.slice(5)].join("\n"));
    expect(await finding(p, "A.pem")).toContain("entry 4 does not follow entry 3");
  });

  it("names what both have used, in the log that it has written as well", async () => {
    const [p, q] = await copies();
    await copied(p, q);
    expectExit(await sign(p, 2), 0);
    expectExit(await sign(q, 2), 0);
    p.put("other.log", q.get("A.pem.log"));
    const line = /sequence number 2 of key [0-9a-f]{16}… was used twice: entry 2 of both\.log \((\S+)\), entry 2 of both\.log \((\S+)\)/;
    const r = await p.run(["audit", "A.pem", "other.log", "--merge-out", "both.log", "--json"]);
    expectExit(r, 1);
    expect(r.json).toEqual(expect.objectContaining({ ok: false, reason: "LOG", merged: "both.log" }));
    // both have one number and one file: the time says which line it is
    const times = logEntries(p, "both.log").flatMap((e) => (e.n === 2 ? [e.time] : []));
    expect(line.exec(r.json["message"] as string)?.slice(1)).toEqual(times);
    expect(await finding(p, "both.log")).toMatch(line);
  });

  it("refuses what is not two intact logs of one key, and writes nothing", async () => {
    const [p, q] = await copies();
    await copied(p, q);
    expectExit(await sign(p, 2), 0);
    expectExit(await sign(q, 3), 0);
    p.put("other.log", q.get("A.pem.log"));
    await p.ok(["sign", "fw.suit", "--key", "B.pem", "--out", "b.suit"]);
    p.put("changed.log", q.get("A.pem.log").toString().replace('"sequence":"3"', '"sequence":"4"'));
    p.put("cut.log", `${q.get("A.pem.log").toString().split("\n")[1]}\n`);
    const merge = (...refs: string[]) => ["audit", ...refs, "--merge-out", "new.log"];
    for (const [args, exit, line] of [
      [merge("A.pem"), 2, /joins two logs, and one is given/],
      [merge("A.pem", "other.log", "B.pem"), 2, /joins two logs, and 3 are given/],
      [merge("A.pem", "B.pem"), 2, /have no key in common/],
      [merge("A.pem", "A.pem.log"), 2, /has no entry that .* lacks/],
      [merge("A.pem", "changed.log"), 1, /entry 2 was changed/],
      [merge("A.pem", "cut.log"), 1, /entry 2 is not the first entry/],
      [[...merge("A.pem", "other.log"), "--accept-restored"], 2, /--merge-out joins logs without faults/],
      [["audit", "A.pem", "other.log", "--merge-out", "-"], 2, /cannot go to stdout/],
      [["audit", "A.pem", "other.log", "--merge-out", "fw.bin"], 2, /exists already/],
    ] as const) {
      const before = p.tree();
      expect(expectFailure(await p.run(args), exit), args.join(" ")).toMatch(line);
      expect(p.tree()).toEqual(before);
    }
    // a log that was restored is joined by being the first
    const [start] = q.get("A.pem.log").toString().split("\n") as [string];
    q.put("A.pem.log", `${start}\n`);
    await q.ok(["audit", "A.pem", "--accept-restored"]);
    expectExit(await sign(q, 5), 0);
    p.put("restored.log", q.get("A.pem.log"));
    expect(expectFailure(await p.run(merge("A.pem", "restored.log")), 1)).toContain("restored.log cannot be joined");
    await p.ok(merge("restored.log", "A.pem"));
  });
});
