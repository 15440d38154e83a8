// A clock that is far off: it would put a wrong time into a log, which only grows.

import { describe, expect, it, vi } from "vitest";
import { expectExit, expectFailure, logEntries, type Place } from "../../../test-support/src/command-line/run.js";
import { brief, copyOf, PRODUCT, refusal, released, world } from "./product-place.js";

async function runOn(p: Place, now: number, args: string[]) {
  const clock = vi.spyOn(Date, "now").mockReturnValue(now);
  return await p.run(args).finally(() => clock.mockRestore());
}

const later = (days: number) => Date.now() + days * 24 * 3600_000;

describe("a clock that is far off", () => {
  it("is refused by release before it reads an image, in itself and by the log", async () => {
    const p = world();
    await released(p, "1.0.0");
    const tree = p.tree();
    const args = ["release", "--version", "1.0.1"];
    expect(expectFailure(await runOn(p, Date.UTC(1970, 0, 2), args), 3)).toContain("says 1970-01-02, which is in the past");
    expect(refusal(await runOn(p, Date.UTC(2025, 0, 2), args), 3)).toContain("says 2025-01-02, but the signing log has an entry of");
    expect(refusal(await runOn(p, later(500), args), 3)).toContain("days after the last entry of the signing log");
    await runOn(p, later(399), [...args, "--dry-run"]);
    expect(p.tree()).toEqual(tree);
  });

  it("is refused by every command that writes a log, and allowed by name", async () => {
    const p = world(`${brief(PRODUCT)}\n[trust]\nkeys = ["A.jwk", "C.jwk"]\n`);
    await released(p, "1.0.0");
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"] },
    ];
    const list = { $schema: "urn:firmseal:trust:1", name: "line", anchors, thresholds: { root: 1, release: 1 } };
    for (const [name, sequence] of [
      ["one", 1],
      ["two", 2],
      ["three", 3],
    ] as const) {
      p.put(`${name}.json`, JSON.stringify({ ...list, sequence }));
      await p.ok(["trust", "create", "--from", `${name}.json`]);
    }
    await p.ok(["trust", "sign", "one.trust", "--key", "B.pem"]);
    await p.ok(["approve", "one.trust", "--key", "C.pem"]);
    const image = ["app.js", "--vendor", "example.com", "--class", "x", "--seq", "9"];
    for (const [log, ...command] of [
      ["A", "sign", "--board", "puck", "--version", "1.0.1"],
      ["A", "sign", ...image, "--key", "A.pem"],
      ["C", "approve", "dist/1.0.0/gateway-puck-1.0.0.suit", "--key", "C.pem", "--out", "new.approval"],
      ["C", "sign", "dist/1.0.0", "--key", "C.pem"],
      ["B", "trust", "sign", "two.trust", "--key", "B.pem", "--previous-trust", "one.trust"],
      ["B", "trust", "tbs", "three.trust", "--key", "B.jwk", "--previous-trust", "two.trust", "--log", "B.pem.log"],
      ["A", "keys", "move", "A.pem", "C.pem"],
    ] as const) {
      const before = p.tree();
      // far in the future, and far in the past
      expect(expectFailure(await runOn(p, later(500), [...command]), 3), command.join(" ")).toContain("days after the last entry");
      expect(expectFailure(await runOn(p, later(-30), [...command]), 3)).toContain("but the signing log has an entry of");
      expect(expectFailure(await runOn(p, Date.UTC(1970, 0, 2), [...command]), 3)).toContain("which is in the past");
      expect(p.tree()).toEqual(before);
      const done = expectExit(await runOn(p, later(500), [...command, "--allow-clock"]), 0);
      expect(done.stderr).toContain("it is entered because of --allow-clock");
      expect(logEntries(p, `${log}.pem.log`).at(-1)).toMatchObject({ overrides: ["allow-clock"] });
      // the way out: with the right clock, one signature that says so, and the log goes on
      const at = logEntries(p, `${log}.pem.log`).length;
      expect(expectFailure(await p.run(["approve", "one.trust", "--key", `${log}.pem`, "--out", "x.approval"]), 3)).toContain(
        "but the signing log has an entry of",
      );
      for (const more of [["--allow-clock"], []])
        await p.ok([
          "approve",
          "one.trust",
          "--key",
          `${log}.pem`,
          "--out",
          "x.approval",
          ...more,
          ...(log === "B" ? ["--allow-no-previous-trust"] : []),
        ]);
      const [wrong, right, next] = logEntries(p, `${log}.pem.log`).slice(at - 1);
      expect(right.overrides).toContain("allow-clock");
      expect(next.overrides ?? []).not.toContain("allow-clock");
      expect(Date.parse(wrong.time)).toBeGreaterThan(Date.parse(right.time));
      await p.ok(["audit", `${log}.pem`]);
    }
  });

  it("is refused by audit too, where it adds an entry", async () => {
    const p = world(brief(PRODUCT));
    await released(p, "1.0.0");
    const other = copyOf(p);
    const early = p.get("A.pem.log");
    await released(p, "1.0.1");
    await released(other, "1.0.2");
    p.put("other.log", other.get("A.pem.log"));
    for (const [log, ...command] of [
      ["joined.log", "A.pem.log", "other.log", "--merge-out", "joined.log"],
      ["A.pem.log", "A.pem", "--accept-restored"],
    ] as const) {
      if (log === "A.pem.log") p.put(log, early);
      const before = p.tree();
      expect(expectFailure(await runOn(p, later(500), ["audit", ...command]), 3)).toContain("days after the last entry");
      expect(p.tree()).toEqual(before);
      await runOn(p, later(500), ["audit", ...command, "--allow-clock"]);
      expect(logEntries(p, log).at(-1)).toMatchObject({ overrides: ["allow-clock"] });
    }
    expect(expectFailure(await p.run(["audit", "A.pem", "--allow-clock"]), 2)).toContain("nothing is entered in a log");
  });
});
