// audit --jsonl: an object for each entry, with what the check says; and that the output of audit is one text, however
// it is written.

import { describe, expect, it } from "vitest";
import { type Entry, lineOf } from "../../../keys/src/signing-log/entry.js";
import { expectExit, FACTS, image, logEntries, type Place, type Result, standard } from "../../../test-support/src/command-line/run.js";

let images = 1;
async function sign(p: Place, seq: number): Promise<void> {
  p.put("fw.bin", image(300, images++));
  await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", String(seq), "--replace"]);
}

async function three(): Promise<Place> {
  const p = standard();
  p.keepsLogs = true;
  for (const seq of [1, 2, 3]) await sign(p, seq);
  return p;
}

const objects = ({ stdout }: Result) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.concurrent("audit --jsonl", () => {
  it("has what the log has and nothing else, and ends with what holds for all of it", async () => {
    const p = await three();
    const entries = logEntries(p);
    expect(objects(await p.ok(["audit", "A.pem", "--jsonl"]))).toEqual([
      ...entries.map((entry, i) => ({ log: p.at("A.pem.log"), line: i + 1, check: "good", entry })),
      { log: p.at("A.pem.log"), ok: true, entries: 3, torn: 0, hash: entries.at(-1)?.hash },
    ]);
  });

  it("says which lines are faults, late or accepted, what no line has, and what was used twice", async () => {
    const p = await three();
    const text = p.get("A.pem.log").toString();
    const lines = text.split("\n");
    p.put("A.pem.log", `${lines[0]}\n${lines[1]?.replace('"sequence":"2"', '"sequence":"3"')}\n${lines[2]}\nword\n`);
    const faulty = await p.run(["audit", "A.pem", "--jsonl"]);
    expectExit(faulty, 1);
    expect(faulty.stderr).toContain("line 2: entry 2 was changed: its hash does not match, and 2 more");
    expect(objects(faulty)).toMatchObject([
      { line: 1, check: "good" },
      { line: 2, check: "fault", what: "entry 2 was changed: its hash does not match", entry: { n: 2, sequence: "3" } },
      { line: 3, check: "good", entry: { n: 3 } },
      { line: 4, check: "fault", what: "not an entry" },
      { line: 0, check: "fault", what: expect.stringContaining("it differs from what was seen") },
      { log: p.at("A.pem.log"), ok: false, entries: 3 },
      { conflict: { what: "sequence", number: "3" } },
    ]);
    // the number that is there twice now stays
    expectExit(await p.run(["audit", "A.pem", "--accept-restored"]), 1);
    expect(objects(await p.run(["audit", "A.pem", "--jsonl"])).slice(1, 5)).toMatchObject([
      { line: 2, check: "accepted" },
      { line: 3, check: "good" },
      { line: 4, check: "accepted", what: "not an entry" },
      { line: 5, check: "good", entry: { operation: "accept-restored" } },
    ]);
    const late = lineOf({ ...(JSON.parse(lines[2] as string) as Entry), hash: undefined, sequence: "4" } as never).text;
    p.put("A.pem.log", `${text}${late}`);
    expect(objects(await p.run(["audit", "A.pem.log", "--jsonl"]))[3]).toMatchObject({ line: 4, check: "late", entry: { sequence: "4" } });
  });

  it("escapes what could move a terminal, and does not go with --json", async () => {
    const p = await three();
    p.put("A.pem.log", p.get("A.pem.log").toString().replace('"operation":"sign"', '"operation":"\u202e\u0085"'));
    const shown = await p.run(["audit", "A.pem.log", "--jsonl"]);
    expectExit(shown, 1);
    expect(shown.stdout).toContain("\\u202e\\u0085");
    expect(objects(shown)[0]).toMatchObject({ entry: { operation: "\u202e\u0085" } });
    const both = await p.run(["audit", "A.pem", "--json", "--jsonl"]);
    expectExit(both, 2);
    expect(both.json["message"]).toBe("--json writes one object, and --jsonl one for each entry");
  });
});
