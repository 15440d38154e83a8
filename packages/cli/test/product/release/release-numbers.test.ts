// No machine and no job makes two releases of a product with the same number.

import { cpSync, renameSync, rmSync } from "node:fs";
import { versionNumber } from "@firmseal/keys";
import { describe, expect, it } from "vitest";
import { expectExit, firmseal, logEntries, type Place, type Result, words } from "../../../../test-support/src/command-line/run.js";
import { LONG, OF_SOME, some } from "../../../../test-support/src/environment/effort.js";
import { brief, PRODUCT as FULL, filesIn, forge, refusal, release, released, world as worldOf } from "../product-place.js";

const PRODUCT = brief(FULL);
const world = (product = PRODUCT) => worldOf(product);

/** The manifests that were signed, by number: two with the same number would be two releases that nobody can tell apart. */
function signedNumbers(...places: Place[]): Map<string, Set<string>> {
  const out = new Map<string, Set<string>>();
  for (const p of places)
    for (const e of logEntries(p).filter((one) => !["move", "record"].includes(one.operation))) {
      const key = `${e.sequence} ${e.scope.join()}`;
      out.set(key, (out.get(key) ?? new Set()).add(e.digest));
    }
  return out;
}

const expectOneEach = (...places: Place[]) => expect([...signedNumbers(...places)].filter(([, digests]) => digests.size > 1)).toEqual([]);

describe("no two releases have the same number", () => {
  const log = PRODUCT.replace("[keys]", '[sequence]\nsource = "log"\n\n[keys]');
  const previous = PRODUCT.replace("[keys]", '[sequence]\nsource = "previous"\n\n[keys]');

  it("on a fresh runner: a version has its number everywhere, and a higher version a higher one", async () => {
    const [old, fresh] = [world(), world()];
    await released(old, "1.0.0");
    // the same build of the same version is the same release
    await released(fresh, "1.0.0");
    expect(filesIn(fresh.at("dist/1.0.0"))).toEqual(filesIn(old.at("dist/1.0.0")));
    const next = world();
    next.put("app.js", "print(2)\n");
    // nothing here shows whether it was published with other content
    const { stderr } = await next.run(["release", "--version", "1.0.1"]);
    expect(stderr).toMatch(/^firmseal: no earlier release is known here, so 1\.0\.1 may have been published elsewhere/m);
    expect([next.has("dist"), logEntries(next)]).toEqual([false, []]);
    const { json } = await released(next, "1.0.1", "--first", "--json");
    expect(BigInt(json["sequence"] as string)).toBe(versionNumber("1.0.1"));
    // the log of the key shows what was released before
    rmSync(next.at("dist"), { recursive: true });
    await next.ok(["release", "--version", "1.0.2"]);
    expectOneEach(old, fresh, next);
  });

  it("on a fresh runner that is shown the last release: a rebuild that differs is refused, and so is a lower version", async () => {
    const [old, fresh] = [world(), world()];
    await released(old, "1.1.0");
    cpSync(old.at("dist"), fresh.at("published"), { recursive: true });
    fresh.put("app.js", "print(2)\n");
    for (const path of ["published", "published/1.1.0"]) {
      expect(refusal(await release(fresh, "1.1.0", "--previous-release", path), 1)).toContain(
        "has version 1.1.0 of board puck with other content",
      );
      expect(refusal(await release(fresh, "1.0.9", "--previous-release", path), 1)).toContain("version 1.0.9 is lower than 1.1.0");
    }
    expect(refusal(await release(fresh, "1.0.9", "--previous-release", "published/1.1.0/gateway-puck-1.1.0.suit"), 1)).toContain(
      "is lower than 1.1.0",
    );
    expect([fresh.has("dist"), logEntries(fresh)]).toEqual([false, []]);
    await released(fresh, "1.1.1", "--previous-release", "published");
    expectOneEach(old, fresh);
  });

  it("with a log that is lost: numbers from the log do not silently begin again", async () => {
    const p = world(log);
    expect(refusal(await p.run(["release", "--version", "1.0.0"]), 1)).toContain("the log of the key is empty here");
    expect(p.has("dist")).toBe(false);
    expect((await released(p, "1.0.0", "--first", "--json")).json["sequence"]).toBe("1");
    expect((await released(p, "1.0.1", "--json")).json["sequence"]).toBe("2");
    renameSync(p.at("A.pem.log"), p.at("lost.log"));
    // this machine has seen it
    expect(refusal(await release(p, "1.0.2"), 3)).toContain(`ends at entry 0, but entry ${LONG ? 6 : 4} was seen`);
    // another machine has not, and is asked
    const fresh = world(log);
    cpSync(p.at("dist"), fresh.at("dist"), { recursive: true });
    expect(refusal(await release(fresh, "1.0.2"), 1)).toContain("the log of the key is empty here");
    expect(refusal(await release(fresh, "1.0.2", "--seq", "3"), 2)).toContain("the sequence numbers of gateway come from log");
    cpSync(p.at("lost.log"), fresh.at("A.pem.log"));
    expect((await released(fresh, "1.0.2", "--json")).json["sequence"]).toBe("3");
    expectOneEach(fresh);
  });

  it(`from the version: --first is refused after the first release, and a repeated job is not${OF_SOME}`, async () => {
    const p = world();
    await released(p, "1.0.0", "--first");
    expect((await released(p, "1.0.0", "--first", "--json")).json["state"]).toBe("unchanged");
    expect(refusal(await release(p, "1.0.1", "--first"), 1)).toContain("dist/1.0.0 was released before, so this is not the first release");
    await released(p, "1.0.1");
    // as the example for GitLab checks a build, whether a release is known or not
    const check = ["0.0.0", "--first", "--allow-lower-sequence", "--dry-run"] as const;
    const q = world(previous);
    await released(q, "1.0.0", "--first");
    for (const one of some([p, q, world(), world(previous)], 2))
      expect((await released(one, ...check)).stderr).toContain("would be released");
    // who approves it must see what --first leaves out
    for (const [one, ...more] of [[p], [world(), "--first"], [world()]] as const)
      expect(words(await released(one, "1.0.2", "--dry-run", ...more))).toContain(
        one === p ? "compared with 1.0.1: dist/1.0.1" : "no earlier release is compared",
      );
    expect((await released(p, "1.0.2", "--dry-run", "--json")).json).toMatchObject({ compared: true, previous: { version: "1.0.1" } });
    expect((await released(world(), "1.0.2", "--dry-run", "--json")).json).toMatchObject({ compared: false, previous: null });
  });

  it("from the last release: it is exceeded, and without one a person says that this is the first", async () => {
    const p = world(previous);
    expect(refusal(await p.run(["release", "--version", "1.0.0"]), 1)).toContain("no earlier release is here");
    expect((await released(p, "1.0.0", "--first", "--json")).json["sequence"]).toBe("1");
    expect((await released(p, "1.0.1", "--json")).json["sequence"]).toBe("2");
    expect(refusal(await release(p, "1.0.2", "--first"), 1)).toContain("this is not the first release");
    const fresh = world(previous);
    cpSync(p.at("dist/1.0.1"), fresh.at("last"), { recursive: true });
    expect((await released(fresh, "1.0.2", "--previous-release", "last", "--json")).json["sequence"]).toBe("3");
    expect(refusal(await release(world(previous), "1.0.0", "--previous-release", "gone"), 3)).toContain("file not found");
    expectOneEach(p, fresh);
  });

  it("given by hand: required, and compared with the last", async () => {
    const p = world(PRODUCT.replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]'));
    expect(refusal(await release(p, "1.0.0"), 2)).toContain("--seq is missing");
    await released(p, "1.0.0", "--seq", "7");
    expect(refusal(await release(p, "1.0.1", "--seq", "7"), 1)).toContain("sequence number 7 of 1.0.1 is not higher than 7 of 1.0.0");
    await released(p, "1.0.1", "--seq", "8");
    expectOneEach(p);
  });

  it("after a forged record with a number near the end: refused with its folder and the way out", async () => {
    const given = PRODUCT.replace("[keys]", '[sequence]\nsource = "given"\n\n[keys]');
    const [last, tooHigh] = ["the last one: no release can follow it", "is not higher than"];
    for (const [product, number, refused, ...more] of [
      [PRODUCT, 2n ** 64n - 1n, tooHigh],
      [given, 2n ** 64n - 1n, tooHigh, "--seq", "2"],
      [previous, 2n ** 64n - 1n, last],
      [previous, 2n ** 64n - 1n, last, "--allow-sequence-jump"],
      [previous, 2n ** 64n - 3n, "almost the last one"],
      [previous, 2n ** 64n - 999n, "is more than 2^32 higher than the last, 1"],
      [log, 2n ** 64n - 1n, last],
      [log, 2n ** 64n - 3n, "almost the last one"],
    ] as const) {
      const p = world(product);
      await released(p, "1.0.0", ...(product === given ? ["--seq", "1"] : []), "--quiet");
      cpSync(p.at("dist/1.0.0"), p.at("dist/1.0.1"), { recursive: true });
      forge(
        p,
        (record) => {
          for (const one of [record, ...record.artifacts]) Object.assign(one, { version: "1.0.1", sequence: String(number) });
        },
        "dist/1.0.1",
      );
      const before = p.tree();
      const r = await release(p, "1.1.0", ...more);
      const line = refusal(r, 1);
      for (const one of [refused, String(number), "dist/1.0.1"]) expect(line).toContain(one);
      expect(r.stderr).toMatch(/^hint: remove what your keys did not sign: see firmseal verify dist\/1\.0\.1(?:;|$)/m);
      expect(p.tree()).toEqual(before);
      expect((await p.run(["verify", "dist/1.0.1"])).exit).toBe(1);
      rmSync(p.at("dist/1.0.1"), { recursive: true });
      await released(p, "1.1.0", ...more, "--quiet");
    }
  });

  it("beside a forged record with a low number: no hint leads to the removal of a good release", async () => {
    const p = world(PRODUCT.replace("[keys]", '[trust]\nkeys = "A.jwk"\n\n[keys]'));
    for (const version of ["1.0.0", "1.0.1"]) await released(p, version, "--quiet", ...(version === "1.0.0" ? ["--first"] : []));
    cpSync(p.at("dist/1.0.0"), p.at("dist/2.0.0"), { recursive: true });
    forge(
      p,
      (record) => {
        for (const one of [record, ...record.artifacts]) Object.assign(one, { version: "2.0.0" });
      },
      "dist/2.0.0",
    );
    const hint = async (...args: string[]) => {
      const r = await p.run(args);
      refusal(r, 1);
      return words(r).find((line) => line.startsWith("hint: "));
    };
    const see = "hint: remove what your keys did not sign: see firmseal verify";
    expect(await hint("verify", "dist/1.0.0")).toBe(`${see} dist/2.0.0`);
    expect(await hint("verify", "dist/1.0.1")).toBe(`${see} dist/1.0.0 and firmseal verify dist/2.0.0`);
    expect(await hint("verify", "dist")).toBe(`${see} dist/1.0.0 and firmseal verify dist/2.0.0`);
    expect(await hint("release", "--version", "1.0.2")).toBe(
      `hint: give a higher version, or allow it: --allow-lower-sequence; ${see.slice(6)} dist/2.0.0`,
    );
    // its version is given
    expect(await hint("sign", "dist/1.0.1", "--key", "A.pem")).toBe(`hint: allow it: --allow-lower-sequence; ${see.slice(6)} dist/2.0.0`);
    expect(await hint("verify", "dist/2.0.0")).not.toContain("remove");
    rmSync(p.at("dist/2.0.0"), { recursive: true });
    await p.ok(["verify", "dist"]);
  });

  describe("two jobs with the same version and image", () => {
    /** The same release once more, in a workspace of its own, with the same key and the same log. */
    const workspace = (p: Place, name: string, product: string) => {
      p.folder(name);
      cpSync(p.at("build"), p.at(`${name}/build`), { recursive: true });
      p.put(`${name}/app.js`, p.get("app.js"));
      p.put(`${name}/firmseal.toml`, product.replace("A.pem", "../A.pem"));
      return name;
    };
    const job = (p: Place, folder: string) =>
      firmseal(["release", "--version", "1.0.0", "--json", "--first"], {
        cwd: p.at(folder),
        program: true,
        env: { FIRMSEAL_STATE: p.at("state") },
      });
    const sources = some([PRODUCT, log, previous], 2);

    it.each([
      ["in sequence", false],
      ["in parallel", true],
    ])(
      `end the same way, %s, with one entry${OF_SOME}`,
      async (_, isParallel) => {
        for (const product of sources)
          for (const isOne of [true, false]) {
            const p = world(product);
            const places = isOne ? ["", "", ""] : ["one", "two", "three"].map((name) => workspace(p, name, product));
            const done: Result[] = [];
            if (isParallel) done.push(...(await Promise.all(places.map((place) => job(p, place)))));
            else for (const place of places) done.push(await job(p, place));
            for (const r of done) expectExit(r, 0);
            const states = done.map(({ json }) => json["state"] as string).sort();
            expect(states).toEqual(isOne ? ["released", "unchanged", "unchanged"] : ["released", "released", "released"]);
            const [first, ...others] = places.map((place) => filesIn(p.at(place, "dist/1.0.0")));
            for (const other of others) expect(other).toEqual(first);
            expect(logEntries(p)).toHaveLength(LONG ? 3 : 2);
          }
      },
      240_000,
    );

    it("on another machine with the same log, which then counts the entry too", async () => {
      const p = world();
      await released(p, "1.0.0");
      const folder = workspace(p, "other", PRODUCT);
      expectExit(await job(p, folder), 0);
      expect(logEntries(p)).toHaveLength(LONG ? 3 : 2);
      const lines = p.get("A.pem.log");
      rmSync(p.at("A.pem.log"));
      p.put("app.js", "print(2)\n");
      const { stderr, exit } = await firmseal(["release", "--version", "1.0.1"], {
        cwd: p.at(folder),
        env: { FIRMSEAL_STATE: p.at("state") },
      });
      expect([exit, stderr]).toEqual([3, expect.stringContaining(`was seen`)]);
      p.put("A.pem.log", lines);
    });

    it("if the folder of the first one is lost, even a used number is not counted again", async () => {
      const p = world(log);
      await released(p, "0.9.0", "--first");
      const { json } = await released(p, "1.0.0", "--json");
      const before = filesIn(p.at("dist/1.0.0"));
      rmSync(p.at("dist/1.0.0"), { recursive: true });
      expect((await released(p, "1.0.0", "--json")).json["sequence"]).toBe(json["sequence"]);
      expect(filesIn(p.at("dist/1.0.0"))).toEqual(before);
      expect(logEntries(p)).toHaveLength(LONG ? 6 : 4);
      // another build of it is another release
      rmSync(p.at("dist/1.0.0"), { recursive: true });
      p.put("app.js", "print(2)\n");
      expect((await released(p, "1.0.0", "--json")).json["sequence"]).toBe("3");
      expectOneEach(p);
    });
  });

  it("in two parallel jobs", async () => {
    for (const [product, more] of some(
      [
        [log, []],
        [PRODUCT, ["--first"]],
      ] as [string, string[]][],
      2,
    )) {
      const p = world(product);
      if (product === log) await released(p, "0.9.0", "--first");
      const jobs = [0, 1, 2].map((i) => {
        // workspaces of their own, one key and one log
        p.folder(`job${i}`);
        cpSync(p.at("build"), p.at(`job${i}/build`), { recursive: true });
        p.put(`job${i}/app.js`, `print(${i})\n`);
        p.put(`job${i}/firmseal.toml`, product.replace("A.pem", "../A.pem"));
        return firmseal(["release", "--version", "1.0.0", "--json", ...more], {
          cwd: p.at(`job${i}`),
          program: true,
          env: { FIRMSEAL_STATE: p.at("state") },
        });
      });
      const done = await Promise.all(jobs);
      const exits = done.map(({ exit }) => exit).sort();
      // of one version with other content, one is released; with numbers of the log, each has its own
      if (product === PRODUCT) expect(exits).toEqual([0, 1, 1]);
      else expect(new Set(done.map(({ json }) => json["sequence"])).size).toBe(3);
      expectOneEach(p);
    }
  }, 120_000);
});
