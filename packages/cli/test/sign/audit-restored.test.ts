// A log that was lost and accepted as it is: what bound the key before binds it still.

import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  FACTS,
  image,
  logEntries,
  type Place,
  type Result,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { refused } from "../trust/trust-place.js";

function place(): Place {
  const p = standard();
  p.keepsLogs = true;
  return p;
}

let images = 1;
function sign(p: Place, seq: number | string, more: readonly string[] = []): Promise<Result> {
  p.put("fw.bin", image(300, images++));
  return p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", String(seq), "--replace", ...more]);
}

async function signed(p: Place, seq: number | string, more: readonly string[] = []): Promise<void> {
  const r = await sign(p, seq, more);
  expectExit(r, 0);
}

/** The log is gone, and a person has accepted that. */
async function lost(p: Place, name = "A.pem"): Promise<void> {
  rmSync(p.at(`${name}.log`));
  await p.ok(["audit", name, "--accept-restored"]);
}

const list = (p: Place, sequence: number, keys: readonly string[] = ["B.jwk"]) => {
  const anchors = [{ key: "A.jwk", roles: ["root"] }, ...keys.map((key) => ({ key, roles: ["release"] }))];
  p.put(
    `${sequence}.json`,
    JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "board", sequence, anchors, thresholds: { root: 1, release: 1 } }),
  );
  return p.ok(["trust", "create", "--from", `${sequence}.json`]);
};

describe.concurrent("after --accept-restored, a key is still bound", () => {
  it("by the highest number of each kind of device", async () => {
    const p = place();
    const other = ["--vendor", "example.com", "--class", "other"];
    await signed(p, 50);
    for (let seq = 1; seq <= 40; seq++)
      await p.ok(["sign", "fw.bin", "--key", "A.pem", ...other, "--seq", String(seq), "--out", "o.suit", "--replace"]);
    await signed(p, 51);
    await lost(p);
    for (const [seq, line] of [
      [51, "sequence number 51 was signed for another manifest"],
      [50, "sequence number 50 is lower than 51"],
      [52 + 2 ** 32, "more than 2^32 higher than the last, 51"],
    ] as const)
      expect(expectFailure(await sign(p, seq), 1)).toContain(line);
    const lower = ["sign", "fw.bin", "--key", "A.pem", ...other, "--seq", "39", "--out", "o.suit", "--replace"];
    expect(expectFailure(await p.run(lower), 1)).toContain("39 is lower than 40");
    // numbers that nobody here has seen may be in the field all the same
    expect(expectFailure(await sign(p, "next"), 1)).toContain("does not know the used sequence numbers");
    await signed(p, 52);
    await lost(p);
    expect(expectFailure(await sign(p, 51), 1)).toContain("51 is lower than 52");
    expect(logEntries(p).map((e) => e.operation)).toEqual(["accept-restored"]);
  });

  it("by its role: a root signs no release, and no second list of a number, and sees what changes", async () => {
    const p = place();
    for (const sequence of [1, 2]) await list(p, sequence);
    await p.ok(["trust", "sign", "1.trust", "--key", "A.pem"]);
    await p.ok(["trust", "sign", "2.trust", "--key", "A.pem", "--previous-trust", "1.trust"]);
    await lost(p);
    const release = await sign(p, 9);
    expect(expectFailure(release, 1)).toContain("A.pem has signed a trust file as a root");
    await list(p, 3, ["B.jwk", "C.jwk"]);
    const next = ["trust", "sign", "3.trust", "--key", "A.pem"];
    for (const more of [[], ["--previous-trust", "1.trust"]])
      await refused(p, [...next, ...more], 212, /trust file 2 was signed last with this key/);
    await p.ok([...next, "--previous-trust", "2.trust"]);
  });

  it("by those who must approve", async () => {
    const p = place();
    p.put("un.json", JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 1, components: [[]] }));
    await p.ok(["create", "--from", "un.json", "--out", "un.suit"]);
    await p.ok(["approve", "un.suit", "--key", "B.pem", "--allow-no-device"]);
    await p.ok([
      "sign",
      "un.suit",
      "--key",
      "A.pem",
      "--allow-no-device",
      "--out",
      "done.suit",
      "--approver",
      "B.jwk",
      "--approval",
      "un.approval",
    ]);
    await signed(p, 8, ["--allow-no-approval"]);
    await lost(p);
    expect(expectFailure(await sign(p, 9), 1)).toContain("this key signs with the approval of");
  });

  it("by the key that continues its numbers", async () => {
    const p = place();
    await signed(p, 7);
    await p.ok(["keys", "move", "A.pem", "C.pem"]);
    await lost(p);
    expect(expectFailure(await sign(p, 9), 1)).toContain("continues its numbers, so it does not sign alone");
    await p.ok(["keys", "move", "C.pem", "A.pem"]);
    await signed(p, 9);
    await lost(p, "C.pem");
    expect(expectFailure(await p.run(["sign", "fw.bin", "--key", "C.pem", ...FACTS, "--seq", "10", "--replace"]), 1)).toContain(
      "does not sign alone",
    );
  });
});
