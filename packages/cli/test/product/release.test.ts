// firmseal release: the table of boards, roles, and what happens if a release cannot be made or is made twice at once.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import stringWidth from "fast-string-width";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, expectHarmless, logEntries, type Place } from "../../../test-support/src/command-line/run.js";
import { KILLS, LONG, OF_SOME, some } from "../../../test-support/src/environment/effort.js";
import { brief, filesIn, PRODUCT, refusal, release, released, rulesOf, untouched, world } from "./product-place.js";

describe("the table of boards", () => {
  const p = world();
  const shown = async (o: object = {}) => (await p.ok(["release", "--version", "1.0.0", "--dry-run"], o)).stdout;

  it(`has a bar for each slot if there is room, and otherwise a share in words${OF_SOME}`, async () => {
    const wide = await shown({ columns: 160 });
    expect(wide).toMatch(/^esp32 a +build\/a-7f3\.bin +3,000 {2}#\.{9} {3}5% {2}https/m);
    for (const columns of some([60, 80, 100], 3)) {
      const text = await shown({ columns });
      expectHarmless(text);
      expect(text).toContain("#.........");
      // a path is whole, so that it can be copied
      const lines = text.split("\n").filter((line) => !/^(reads|would write) /.test(line));
      for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    }
    for (const o of some([{}, { columns: 50 }], 2)) {
      const text = await shown(o);
      expect(text).toMatch(/ 5%/);
      expect(text).not.toContain("#...");
    }
    const { json } = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--json"], { columns: 100 });
    expect(json["boards"]).toMatchObject([{ images: [{ slotSize: 65536 }, { slotSize: 65536 }] }, { images: [{ slotSize: null }] }]);
  });

  it("follows lines of progress, each of which stays in place on a terminal", async () => {
    const { stderr } = await p.ok(["release", "--version", "1.0.0", "--dry-run"], { columns: 80 });
    expect(stderr).toContain("\r\u001b[Kesp32: cutting the power\n");
    const lines = stderr.split("\n").map((line) => line.replaceAll("\u001b", "ESC").replace("\r", ""));
    expect(lines).toContainEqual(expect.stringMatching(/^ESC\[2AESC\[Kesp32: \d+ power cuts, and \d+ during recovery: each ends well$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ESC\[Kpuck: \d+ power cuts, and/));
    const dumb = await p.ok(["release", "--version", "1.0.0", "--dry-run"], { columns: 80, env: { TERM: "dumb" } });
    expect(dumb.stderr).not.toContain("\u001b[");
    expect(dumb.stderr).toMatch(/^esp32: \d+ power cuts/m);
    const quiet = await p.ok(["release", "--version", "1.0.0", "--dry-run", "--quiet"], { columns: 80 });
    expect(quiet.stderr).toBe("");
  });
});

describe("--role", () => {
  const withRoles = `${PRODUCT.replace('release = "A.pem"', 'release = "A.pem"\ndebug = "C.pem"')}\n[trust]\nfile = "line.trust"\nroot = "B.jwk"\n`;
  async function place(): Promise<Place> {
    const p = world(withRoles);
    const anchors = [
      { key: "B.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"] },
      { key: "C.jwk", roles: ["debug"] },
    ];
    const thresholds = { root: 1, release: 1, debug: 1 };
    p.put("line.json", JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds }));
    await p.ok(["trust", "create", "--from", "line.json"]);
    await p.ok(["trust", "sign", "line.trust", "--key", "B.pem"]);
    return p;
  }

  it("signs in a role of the trust file, apart from releases for the field", async () => {
    const p = await place();
    await released(p, "1.0.0");
    // its numbers are its own
    const { json } = await released(p, "0.9.0", "--role", "debug", "--first", "--json");
    expect(json).toMatchObject({ folder: "dist/debug/0.9.0", role: "debug", state: "released" });
    expect(rulesOf(await released(p, "0.9.0", "--role", "debug", "--json"))).toEqual(["L40", "L40"]);
    const record = JSON.parse(p.get("dist/debug/0.9.0/release.json").toString());
    expect(record).toMatchObject({ role: "debug", artifacts: [{ file: "gateway-esp32-0.9.0-debug.suit" }, {}, {}, {}] });
    await p.ok(["verify", "dist/debug/0.9.0", "--role", "debug", "--product", "firmseal.toml"]);
    await p.ok(["verify", "dist"]);
    // neither is taken for the other
    for (const [path, role, words] of [
      ["dist/debug/0.9.0", "release", "is signed in the role debug, not release"],
      ["dist/1.0.0", "debug", "is signed in the role release, not debug"],
    ] as const) {
      expect(refusal(await p.run(["verify", path, "--role", role, "--product", "firmseal.toml"]), 1)).toContain(words);
      expect(refusal(await release(p, "1.1.0", "--role", role, "--previous-release", path), 1)).toContain(words);
    }
  });

  it("is refused without a trust file, without a key for it, and with a key of another role", async () => {
    expect(expectFailure(await release(world(), "1.0.0", "--role", "debug"), 2)).toContain("has no trust file");
    const p = await place();
    const none = await release(p, "1.0.0", "--role", "recovery");
    expect(expectFailure(none, 1)).toContain("names no recovery key");
    expect(none.stderr).toContain("if people sign elsewhere: firmseal release --version VERSION --role recovery --unsigned\n");
    p.put("firmseal.toml", withRoles.replace("C.pem", "A.pem"));
    expect(refusal(await release(p, "1.0.0", "--role", "debug"), 1)).toContain("has the role release in line.trust, not debug");
    p.put("firmseal.toml", withRoles.replace('release = "A.pem"', 'release = "C.pem"'));
    expect(refusal(await release(p, "1.0.0"), 1)).toContain("has the role debug in line.trust, not release");
    untouched(p);
  });
});

describe("a release that cannot be made", () => {
  it.each(["env:NOT_SET", "exec:./gone", "pkcs11:token=gone;object=fw?module-path=/gone.so", "vault:fw"])(
    "without the key %s is refused, and leaves nothing",
    async (ref) => {
      const p = world(`${PRODUCT.replace("A.pem", ref)}\n[trust]\nkeys = "A.jwk"\n`);
      const r = await release(p, "1.0.0");
      expect(r.exit, String(r)).toBeGreaterThan(0);
      refusal(r, r.exit as number);
      expect(p.has("dist")).toBe(false);
    },
  );

  it("without a folder, or without rights on it, is refused, and uses no number", async () => {
    const p = world();
    p.put("dist", "a file");
    expect(refusal(await release(p, "1.0.0"), 3)).toContain("dist");
    rmSync(p.at("dist"));
    // root has all rights
    if (process.getuid?.() !== 0) {
      mkdirSync(p.at("dist"), 0o555);
      expect(refusal(await release(p, "1.0.0"), 3)).toContain("dist");
    }
    expect(logEntries(p)).toEqual([]);
  });
});

describe("two runs in one folder", () => {
  it("make one complete release, no matter which is first", async () => {
    const p = world(brief(PRODUCT));
    const runs = await Promise.all(
      (LONG ? [0, 1, 2] : [0, 1]).map(() => p.run(["release", "--version", "1.0.0", "--first", "--json"], { program: true })),
    );
    for (const r of runs) expectExit(r, 0);
    expect(runs.filter((r) => r.json["state"] === "released")).toHaveLength(1);
    expect(readdirSync(p.at("dist"))).toEqual(["1.0.0"]);
    await p.ok(["verify", "dist"]);
  }, 120_000);

  it(
    "killed at any moment leave no folder or a whole one, and the next run finishes",
    async () => {
      const whole = world(brief(PRODUCT));
      const begun = Date.now();
      await whole.ok(["release", "--version", "1.0.0", "--first"], { program: true });
      const lasts = Date.now() - begun;
      const expected = filesIn(whole.at("dist/1.0.0"));
      const kills = Math.max(LONG ? 4 : 2, KILLS);
      for (let i = 0; i < kills; i++) {
        const p = world(brief(PRODUCT));
        const at = (lasts * (i + 0.5)) / kills;
        await p.run(["release", "--version", "1.0.0", "--first"], {
          program: true,
          started: (pid) =>
            void setTimeout(() => {
              try {
                process.kill(pid, "SIGKILL");
              } catch {
                /* it was faster */
              }
            }, at),
        });
        if (p.has("dist/1.0.0")) expect(filesIn(p.at("dist/1.0.0"))).toEqual(expected);
        // the folder around it may be there
        expectExit(await released(p, "1.0.0", "--first", "--json"), 0);
        expect(filesIn(p.at("dist/1.0.0"))).toEqual(expected);
        expect(logEntries(p)).toHaveLength(LONG ? 3 : 2);
        await p.ok(["verify", "dist"]);
      }
    },
    60_000 + KILLS * 10_000,
  );
});
