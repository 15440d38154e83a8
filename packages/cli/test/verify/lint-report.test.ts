// Waivers of lint, and its reports: SARIF is held against its schema.

import { createRequire } from "node:module";
import { ALL_RULES } from "@firmseal/release/internal";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, expectHarmless, FACTS, image, standard } from "../../../test-support/src/command-line/run.js";
import { described, fetched, linted, mcubootImage, PRODUCT, product, signed } from "./lint-place.js";

describe("waivers", () => {
  const waiver = (lines: string) => `[[policy.waivers]]\nrule = "no-sbom"\n${lines}\n`;

  it("accept a finding until their last day, and the report says so", async () => {
    const p = standard();
    product(p, waiver('reason = "it comes in June"\nuntil = 2999-06-30'));
    await signed(p, 7);
    const { findings, exit } = await linted(p, ["fw.suit", "--fail-on", "note"]);
    expect({ findings, exit }).toMatchObject({
      exit: 0,
      findings: [{ rule: "L40", waived: { reason: "it comes in June", until: "2999-06-30" } }],
    });
    expect((await p.ok(["lint", "fw.suit"])).stdout).toContain("waived until 2999-06-30 (it comes in June)");
  });

  it.each([
    ["no reason", "until = 2999-06-30", "has no reason"],
    ["an empty reason", 'reason = " "\nuntil = 2999-06-30', "has no reason"],
    ["no end", 'reason = "later"', "has no end date (until)"],
    ["an end that is over", 'reason = "later"\nuntil = "2020-01-01"', "has expired on 2020-01-01"],
  ])("do not count with %s, and are findings", async (_, lines, words) => {
    const p = standard();
    product(p, waiver(lines));
    await signed(p, 7);
    const { findings, exit } = await linted(p, ["fw.suit"]);
    expect({ findings, exit }).toMatchObject({
      exit: 1,
      findings: [{ rule: "L40" }, { rule: "L90", severity: "error", path: "firmseal.toml", message: `the waiver of no-sbom ${words}` }],
    });
    expect(findings[0]).not.toHaveProperty("waived");
  });

  it("of their own rules do not count: an expired one would waive itself", async () => {
    const p = standard();
    product(p, `${waiver("")}[[policy.waivers]]\nrule = "L90"\nreason = "all"\nuntil = 2999-01-01\n`);
    await signed(p, 7);
    const { findings } = await linted(p, ["fw.suit"]);
    expect(findings.map(({ rule, waived }) => [rule, waived])).toEqual([
      ["L40", undefined],
      ["L90", undefined],
      ["L91", undefined],
    ]);
  });

  it("with a last day that is not a day are refused, with the form of a day", async () => {
    const p = standard();
    await signed(p, 7);
    product(p, waiver('reason = "later"\nuntil = "soon"'));
    // a file that cannot be read may name a ledger
    expect(expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "8"]), 1)).toContain("until: the value");
    expect(expectFailure(await p.run(["lint", "fw.suit"]), 1)).toContain(
      "until: the value does not have the right form (The last day, as YYYY-MM-DD)",
    );
  });

  it("of a rule that does not exist are refused, with the nearest word", async () => {
    const p = standard();
    product(p, '[[policy.waivers]]\nrule = "no-sbomb"\n');
    await signed(p, 7);
    expect(expectFailure(await p.run(["lint", "fw.suit"]), 1)).toMatch(
      /^firmseal: firmseal\.toml:15:\d+: "no-sbomb" is not a rule of firmseal lint.*no-sbom/,
    );
  });
});

describe("a report", () => {
  const { resolve } = createRequire(import.meta.url);
  // the schema of OASIS, and the Ajv that knows its old dialect
  const ofSchema = createRequire(resolve("@microsoft/jest-sarif/package.json"));
  const Ajv = ofSchema("ajv") as new (
    o: object,
  ) => { addMetaSchema(s: object): void; compile(s: object): ((v: unknown) => boolean) & { errors?: unknown } };
  const ajv = new Ajv({ schemaId: "auto", unknownFormats: "ignore" });
  ajv.addMetaSchema(ofSchema("ajv/lib/refs/json-schema-draft-04.json") as object);
  const fits = ajv.compile(ofSchema("./lib/schemas/sarif-2.1.0-rtm.5.json") as object);

  it("in SARIF fits its schema, with findings, waivers and rules that were not checked", async () => {
    const p = standard();
    product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "later"\nuntil = 2999-01-31\n');
    p.put("fw.bin", image(9000));
    await signed(p, 7);
    const r = await p.run(["lint", "fw.suit", "--sarif-out", "lint.sarif"]);
    expectExit(r, 1);
    expect(r.stdout).toContain("[L22 ");
    const log = JSON.parse(p.get("lint.sarif").toString());
    expect({ valid: fits(log), errors: fits.errors }).toEqual({ valid: true, errors: null });
    const [run] = log.runs;
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(ALL_RULES.map(({ id }) => id));
    const place = (line: number) => [{ physicalLocation: { artifactLocation: { uri: "firmseal.toml" }, region: { startLine: line } } }];
    expect(run.results).toMatchObject([
      {
        ruleId: "L22",
        level: "error",
        locations: place(10),
        relatedLocations: [{ physicalLocation: { artifactLocation: { uri: "fw.suit" } } }],
      },
      { ruleId: "L40", level: "note", suppressions: [{ kind: "external", justification: "later (until 2999-01-31)" }] },
    ]);
    expect(run.invocations[0].toolExecutionNotifications.map((one: { associatedRule: { id: string } }) => one.associatedRule.id)).toContain(
      "L10",
    );
    // a mistake would be seen
    expect(fits({ ...log, version: "2.0" })).toBe(false);
    run.results[0].level = "fatal";
    expect(fits(log)).toBe(false);
  });

  it("of a release without findings fits it too, and names what was checked", async () => {
    const p = standard();
    p.put("fw.spdx.json", '{ "spdxVersion": "SPDX-2.3" }');
    await signed(p, 7, "a b.suit");
    await p.ok(["lint", "a b.suit", "--sarif-out", "lint.sarif", "--json"]);
    const log = JSON.parse(p.get("lint.sarif").toString());
    expect(fits(log)).toBe(true);
    expect(log.runs[0]).toMatchObject({ results: [], artifacts: [{ location: { uri: "a%20b.suit" } }] });
  });

  it("stays well-formed, and sends no control characters, with text that reverses words", async () => {
    const p = standard();
    p.put("firmseal.toml", PRODUCT.replace("given", "version"));
    const text = { en: { components: [{ component: 0, "component-version": "1\u202e\u001b[2J" }] } };
    await described(p, "evil", { install: fetched("#f"), text });
    for (const more of [[], ["--json"]]) {
      const { stdout, stderr } = await p.run(["lint", "evil.suit", "--sarif-out", "lint.sarif", ...more]);
      const sarif = p.get("lint.sarif").toString();
      for (const text of [stdout, stderr, sarif]) expectHarmless(text);
      expect(fits(JSON.parse(sarif))).toBe(true);
      expect(stdout).toMatch(/is version 1/);
    }
  });

  it("in JSON has the findings, also on failure", async () => {
    const p = standard();
    await signed(p, 7);
    for (const more of [[], ["--fail-on", "note"]]) {
      const { json } = await p.run(["lint", "fw.suit", ...more, "--json"]);
      expect(json).toMatchObject({ ok: more.length === 0, findings: [{ rule: "L40" }] });
    }
  });

  it("names the most serious finding on failure, and how many others there are", async () => {
    const p = standard();
    product(p, '[[policy.waivers]]\nrule = "no-sbom"\nuntil = 2999-06-30\n');
    await signed(p, 7);
    // a note comes first
    const { findings } = await linted(p, ["fw.suit", "--fail-on", "note"]);
    expect(findings.map(({ severity }) => severity)).toEqual(["note", "error"]);
    const { stderr } = await p.run(["lint", "fw.suit", "--fail-on", "note"]);
    expect(stderr).toMatch(/^firmseal: firmseal\.toml: L90 .* has no reason, and 1 more\nhint: /m);
  });

  it.each([
    ["error", 0],
    ["warning", 1],
    ["note", 1],
  ])("fails from the severity of --fail-on on: %s", async (severity, exit) => {
    const p = standard();
    p.put("fw.cdx.json", '{ "bomFormat": "CycloneDX" }');
    p.put("fw.bin", mcubootImage(0, 0, 0));
    await signed(p, 7);
    const r = await p.run(["lint", "fw.suit", "--fail-on", severity]);
    expectExit(r, exit);
    expect(r.stdout).toContain("fw.suit: warning: #firmware: the header of MCUboot names no version [L41 image-without-version]");
    if (exit === 1) expect(r.stderr).toMatch(/^firmseal: fw\.suit: L41 image-without-version: .*\nhint: Set PROJECT_VER/m);
  });
});
