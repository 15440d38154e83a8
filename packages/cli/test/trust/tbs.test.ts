// firmseal trust tbs with the log of the key: it refuses what trust sign refuses.

import { describe, expect, it } from "vitest";
import { logEntries, standard } from "../../../test-support/src/command-line/run.js";
import { refused } from "./trust-place.js";

describe("firmseal trust tbs", () => {
  const place = () => {
    const p = standard();
    p.keepsLogs = true;
    return p;
  };

  it("continues the log beside the key", async () => {
    const [p, q] = [place(), place()];
    const list = async (sequence: number, more: readonly string[]) => {
      const anchors = [{ key: "A.jwk", roles: ["root"] }, ...more.map((key) => ({ key, roles: ["release"] }))];
      const text = JSON.stringify({
        $schema: "urn:firmseal:trust:1",
        name: "board",
        sequence,
        anchors,
        thresholds: { root: 1, release: 1 },
      });
      const name = `${more.length}.trust`;
      for (const one of [p, q]) {
        one.put("d.json", text);
        await one.ok(["trust", "create", "--from", "d.json", "--out", name]);
      }
      return name;
    };
    const [first, second] = [await list(5, ["B.jwk"]), await list(5, ["B.jwk", "C.jwk"])];
    await p.ok(["trust", "sign", first, "--key", "A.pem"]);
    q.put("A.pem.log", p.get("A.pem.log"));
    await refused(q, ["trust", "tbs", second, "--key", "A.pem", "--out", "x.tbs"], 212, /5 was signed for another trust file/);
    await q.ok(["trust", "tbs", first, "--key", "A.pem", "--out", "x.tbs"]);
    expect(logEntries(q, "A.pem.log").map((e) => e.operation)).toEqual(["trust sign", "trust tbs"]);
  });
});
