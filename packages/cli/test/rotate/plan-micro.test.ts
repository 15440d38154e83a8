// firmseal rotate plan for cohorts with micro verifiers.

import { describe, expect, it } from "vitest";
import { FACTS } from "../../../test-support/src/command-line/run.js";
import { description, place } from "../all/command-place.js";

describe("rotate plan", () => {
  /** The vendor and class of FACTS. */
  const where = { vendor: "example.com", class: "board-v2" };
  const plan = async (p: ReturnType<typeof place>, cohort: object, ...releases: string[]) => {
    p.put("fleet.json", JSON.stringify({ cohorts: [{ name: "boards", devices: 9, ...where, floor: 5, ...cohort }] }));
    const steps = releases.flatMap((name) => ["--release", name]);
    return p.run(["rotate", "plan", "--fleet", "fleet.json", ...steps, "--fail-on", "none", "--json"]);
  };

  it("knows what devices with a micro verifier refuse", async () => {
    const p = place();
    p.put("text.json", description({ sequence: 9, text: { en: { "manifest-description": "a text" } } }));
    await p.ok(["sign", "text.json", "--key", "A.pem", "--out", "text.suit"]);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "10", "--out", "two.suit"]);
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "11", "--out", "other.suit"]);
    const offered = ["fw.suit", "text.suit", "two.suit", "other.suit", "fw.suit"];
    const outcome = async (verifier: string) => {
      const r = await plan(p, { keys: ["A.jwk"], verifier }, ...offered);
      const [cohort] = r.json["cohorts"] as {
        releases: { installed: boolean; addressed: boolean; refused: { reason: string } | null }[];
      }[];
      return cohort?.releases.map((one) => (one.installed ? "installed" : (one.refused?.reason ?? "")));
    };
    const rest = ["installed", "SIGNATURE_NO_ANCHOR", "ROLLBACK"];
    expect(await outcome("general")).toEqual(["installed", "installed", ...rest]);
    expect(await outcome("micro")).toEqual(["installed", "TEMPLATE_MISMATCH", ...rest]);
  });

  it.each([
    ["a trust file", { trust: "t.trust" }, "reads no trust file"],
    ["features", { keys: ["A.jwk"], features: ["install"] }, "has none"],
    ["a threshold of 3", { keys: ["A.jwk", "B.jwk"], threshold: 3 }, "above 2"],
  ])("refuses a cohort of micro verifiers with %s", async (_, more, words) => {
    const p = place();
    const r = await plan(p, { verifier: "micro", ...more }, "fw.suit");
    expect(r.json).toMatchObject({ ok: false, reason: "FLEET", message: expect.stringContaining(words) });
  });
});
