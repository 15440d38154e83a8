// firmseal inspect.

import { describe, expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { description, place } from "../all/command-place.js";

describe("inspect", () => {
  it("shows an envelope on stdout, signed or not", async () => {
    const p = place();
    p.put(
      "d.json",
      description({
        text: { en: { "manifest-description": "what it is", components: [{ component: 0, "vendor-name": "Example" }] } },
        sever: ["text", "install"],
      }),
    );
    await p.ok(["create", "--from", "d.json"]);
    for (const name of ["fw.suit", "d.suit"]) {
      const tree = await p.ok(["inspect", name]);
      expect(tree.stderr).toBe("");
      expect(tree.stdout).toContain("the image must match its digest");
      const diag = await p.ok(["inspect", name, "--diag"]);
      expect(diag.stdout).toMatch(/^107\(\{/);
      expect(diag.stdout).toContain("/ manifest / 3: <<");
      const json = (await p.ok(["inspect", name, "--json"])).json;
      expect(json).toMatchObject({ ok: true, code: 0, verified: false, sequence: name === "fw.suit" ? "7" : "3", components: [["00"]] });
      expect((await p.ok(["inspect", "-", "--json"], { input: p.get(name) })).json).toEqual(json);
    }
    const json = (await p.ok(["inspect", "d.suit", "--json"])).json as { severed: unknown[]; text: object[]; signatures: unknown[] };
    expect(json.severed).toHaveLength(2);
    expect(json.signatures).toEqual([]);
    expect(json.text[0]).toMatchObject({ language: "en", "manifest-description": "what it is" });
    expectFailure(await p.run(["inspect", "fw.bin"]), 1);
  });
});
