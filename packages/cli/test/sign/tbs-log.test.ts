// tbs and attach with the log of the key: they refuse what sign refuses, and enter nothing.

import { rmSync } from "node:fs";
import { signer } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FACTS, keyA, logEntries, type Place, standard } from "../../../test-support/src/command-line/run.js";
import { refused } from "../trust/trust-place.js";

/** A place with an unsigned envelope of number 7, for each key a signature over it, and releases of key A. */
async function place(...numbers: number[]): Promise<Place> {
  const p = standard();
  p.keepsLogs = true;
  await p.ok(["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", "7", "--out", "seven.tbs", "--envelope-out", "seven.suit"]);
  p.put("seven.sig", await signer(keyA).sign(p.get("seven.tbs")));
  p.put("new.bin", "another image");
  for (const n of numbers)
    await p.ok(["sign", "new.bin", "--key", "A.pem", ...FACTS, "--seq", String(n), "--out", "new.suit", "--replace"]);
  return p;
}

const commands = (key: string) => [
  ["tbs", "seven.suit", "--key", key, "--out", "again.tbs"],
  ["attach", "seven.suit", "--key", key, "--signature", "seven.sig", "--out", "done.suit"],
];

/** Refused with both commands and both names of the key, and allowed by an override, with a warning. */
async function judged(p: Place, code: number, line: RegExp, override: string): Promise<void> {
  const entries = logEntries(p).length;
  for (const key of ["A.jwk", "A.pem"])
    for (const args of commands(key)) {
      await refused(p, args, code, line);
      const r = await p.ok([...args, override]);
      expect(r.stderr).toContain(`it is accepted because of ${override}`);
      for (const name of ["again.tbs", "done.suit"]) if (p.has(name)) rmSync(p.at(name));
    }
  expect(logEntries(p)).toHaveLength(entries);
}

describe.concurrent("tbs and attach, with the log of the key here, refuse", () => {
  it("a lower number, one of another manifest, and one that is far ahead", async () => {
    await judged(await place(8), 212, /sequence number 7 is lower than 8, which was already signed/, "--allow-lower-sequence");
    await judged(await place(7), 212, /sequence number 7 was signed for another manifest/, "--allow-sequence-reuse");
    const p = await place(1);
    const far = ["tbs", "fw.bin", "--key", "A.jwk", ...FACTS, "--seq", String(2 ** 40), "--out", "far.tbs", "--envelope-out", "far.suit"];
    await refused(p, far, 212, /more than 2\^32 higher than the last, 1/);
    await p.ok([...far, "--allow-sequence-jump"]);
  });

  it("a key that another one continues, and one that has signed trust files", async () => {
    const p = await place(1);
    await p.ok(["keys", "move", "A.pem", "C.pem"]);
    for (const args of commands("A.jwk")) await refused(p, args, 214, /continues its numbers, so it does not sign alone/);
    const q = await place();
    const anchors = [
      { key: "A.jwk", roles: ["root"] },
      { key: "B.jwk", roles: ["release"] },
    ];
    q.put(
      "t.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "board", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
    );
    await q.ok(["trust", "create", "--from", "t.json"]);
    await q.ok(["trust", "sign", "t.trust", "--key", "A.pem"]);
    await judged(q, 214, /has signed a trust file as a root/, "--allow-root-key");
  });

  it("what lacks an approval that the log requires", async () => {
    const p = await place();
    await p.ok(["sign", "new.bin", "--key", "C.pem", ...FACTS, "--seq", "5", "--out", "five.suit"]);
    await p.ok(["approve", "five.suit", "--key", "B.pem"]);
    await p.ok(["sign", "five.suit", "--key", "A.pem", "--out", "done.suit", "--approver", "B.jwk", "--approval", "five.approval"]);
    rmSync(p.at("done.suit"));
    await judged(p, 215, /this key signs with the approval of/, "--allow-no-approval");
    for (const args of commands("A.jwk"))
      await refused(p, [...args, "--approver", "B.jwk", "--approval", "five.approval"], 215, /approves something else/);
    await p.ok(["approve", "seven.suit", "--key", "B.pem"]);
    for (const args of commands("A.jwk")) await p.ok([...args, "--approver", "B.jwk", "--approval", "seven.approval"]);
  });

  it("a log that has changed, or that is beside the key and new on this machine", async () => {
    const p = await place(8);
    const log = p.get("A.pem.log");
    p.put("A.pem.log", "");
    for (const args of commands("A.jwk")) await refused(p, args, 213, /the log of the key has changed/, 3);
    const q = await place();
    q.put("A.pem.log", log);
    for (const args of commands("A.pem")) await refused(q, args, 212, /7 is lower than 8/);
    q.put("other.log", log);
    rmSync(q.at("A.pem.log"));
    for (const args of commands("A.jwk")) await refused(q, [...args, "--log", "other.log"], 212, /7 is lower than 8/);
    for (const args of commands("A.jwk")) await q.ok(args);
  });
});
