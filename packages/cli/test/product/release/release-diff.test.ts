// firmseal release --diff, and a release after one of which only the record is there.

import { cpSync, renameSync, rmSync } from "node:fs";
import { versionNumber } from "@firmseal/keys";
import { beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../../../test-support/src/command-line/run.js";
import { OF_SOME, some } from "../../../../test-support/src/environment/effort.js";
import { brief, filesIn, lintOf, PRODUCT, refusal, release, released, untouched, world } from "../product-place.js";

describe("--diff", () => {
  const p = world();
  beforeAll(async () => {
    await released(p, "1.0.0");
    p.put("app.js", "print(22)\n");
  });
  const paths = ["dist/1.0.0", "dist", "dist/1.0.0/release.json"];

  it.each(some(paths, 3))(`shows what changes since %s, board by board, without a key${OF_SOME}`, async (path) => {
    const r = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", path, "--json"]);
    expect(r.json["changes"]).toMatchObject([
      {
        board: "esp32",
        state: "changed",
        before: { file: "dist/1.0.0/gateway-esp32-1.0.0.suit", version: "1.0.0" },
        difference: { images: [], sequence: { before: String(versionNumber("1.0.0")), after: String(versionNumber("1.1.0")) } },
      },
      { board: "puck", state: "changed", difference: { images: [{ component: "00", before: ["9 bytes, sha-256 cc42155088fca573…"] }] } },
    ]);
  });

  it("says it in words, with the names of the product, also for one envelope", async () => {
    const r = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "dist"]);
    expect(r.stdout).toContain("puck, compared with 1.0.0 (dist/1.0.0/gateway-puck-1.0.0.suit):\n");
    expect(r.stdout).toMatch(/image of component 00: before 9 bytes, sha-256 \S+; after 10 bytes/);
    expect(r.stdout).toContain("vendor example.com, class gateway-esp32-1");
    const one = await p.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "dist/1.0.0/gateway-puck-1.0.0.suit", "--json"]);
    expect((one.json["changes"] as { board: string }[]).map(({ board }) => board)).toEqual(["puck"]);
  });

  it("counts as published: a lower version and a rebuild are refused", async () => {
    const q = world();
    cpSync(p.at("dist"), q.at("published"), { recursive: true });
    q.put("app.js", "print(3)\n");
    expect(refusal(await release(q, "0.9.0", "--diff", "published"), 1)).toContain("is lower than 1.0.0");
    expect(refusal(await release(q, "1.0.0", "--diff", "published"), 1)).toContain("with other content");
    untouched(q);
  });

  it("names boards that only one of them has, and compares nothing that is missing or was changed", async () => {
    const q = world(PRODUCT.replace("[boards.puck]", "[boards.pico]"));
    cpSync(p.at("dist"), q.at("published"), { recursive: true });
    const { json } = await q.ok(["release", "--version", "1.1.0", "--dry-run", "--diff", "published", "--json"]);
    expect((json["changes"] as { board: string; state: string }[]).map(({ board, state }) => [board, state])).toEqual([
      ["esp32", "changed"],
      ["pico", "new"],
      ["puck", "gone"],
    ]);
    const puck = "published/1.0.0/gateway-esp32-1.0.0.suit";
    q.put(puck, "changed");
    expect(refusal(await release(q, "1.1.0", "--diff", "published"), 1)).toContain("has changed since it was released");
    rmSync(q.at(puck));
    expect(refusal(await release(q, "1.1.0", "--diff", "published"), 1)).toContain("is missing, so nothing can be compared");
    untouched(q);
  });
});

describe("a runner that knows nothing", () => {
  it("is shown the last release by its record alone", async () => {
    const [old, fresh] = [world(brief(PRODUCT)), world(brief(PRODUCT))];
    await released(old, "1.0.0");
    fresh.put("last.json", old.get("dist/1.0.0/release.json"));
    const same = await released(fresh, "1.0.0", "--previous-release", "last.json", "--json");
    expect(same.json).toMatchObject({ state: "released", previous: { version: "1.0.0" } });
    expect(filesIn(fresh.at("dist/1.0.0"))).toEqual(filesIn(old.at("dist/1.0.0")));
    rmSync(fresh.at("dist"), { recursive: true });
    fresh.put("app.js", "print(2)\n");
    expect(refusal(await release(fresh, "1.0.0", "--previous-release", "last.json"), 1)).toContain(
      "has version 1.0.0 of board puck with other content",
    );
    const { json } = await released(fresh, "1.0.1", "--previous-release", "last.json", "--json");
    expect(json["previous"]).toMatchObject({ version: "1.0.0", sequence: String(versionNumber("1.0.0")) });
    // rules that compare with the release before have what they need
    expect(lintOf({ json } as unknown as Result).skipped.map(({ rule }) => rule)).not.toContain("L10");
  });

  it("is refused without the release that the product file names; only --first continues without it", async () => {
    const p = world(brief(PRODUCT).replace("[keys]", '[sequence]\nprevious = "published/release.json"\n\n[keys]'));
    expect(refusal(await p.run(["release", "--version", "1.0.0"]), 3)).toContain("published/release.json: file not found");
    expect((await release(p, "1.0.0", "--previous-release", "app.js")).stderr).toContain(
      "app.js: not a SUIT envelope\nhint: give a folder of releases, a release, its release.json, or an envelope\n",
    );
    untouched(p);
    await released(p, "1.0.0", "--first");
    renameSync(p.at("dist/1.0.0"), p.at("published"));
    rmSync(p.at("dist"), { recursive: true });
    p.put("app.js", "print(2)\n");
    // --first does not pass over what is there
    for (const more of [[], ["--first"]]) expect(refusal(await release(p, "1.0.0", ...more), 1)).toContain("with other content");
  });
});
