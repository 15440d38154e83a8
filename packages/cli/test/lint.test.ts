// Every rule of lint has a release that it catches and one that it lets pass; waivers, exit codes, and SARIF, which is held
// against its schema.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { ALL_RULES } from "@firmseal/release";
import { privateKey, signEnvelope, signer } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { published } from "../../test-support/src/published.js";
import { expectFailure, expectHarmless, FACTS, image, type Place, signImage, standard } from "../../test-support/src/run.js";

const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
const CLASSES = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "14399a69-1d48-5c86-90d6-82564bf630a2"] as const;
const PRODUCT = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[sequence]
source = "given"

[boards.main]
class = "board-v2"
image = "fw.bin"
slots = { a = 8192, b = 8192 }
`;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const override = (parameters: object) => ({ "directive-override-parameters": parameters });
const identity = (classId: string = CLASSES[0]) => [
  override({ "vendor-identifier": VENDOR, "class-identifier": classId }),
  "condition-vendor-identifier",
  "condition-class-identifier",
];
const fetched = (uri: string) => [override({ uri, image: { payload: uri } }), "directive-fetch", "condition-image-match"];

interface Described {
  shared?: unknown[];
  install: unknown[];
  [member: string]: unknown;
}

/** An unsigned release; its payloads are their own names. */
async function described(p: Place, name: string, { shared = identity(), install, ...more }: Described): Promise<string> {
  const uris = [...new Set(JSON.stringify([shared, install]).match(/#[a-z0-9]+/g) ?? [])];
  const payloads = Object.fromEntries(uris.map((uri) => [uri, uri]));
  const all = {
    $schema: "urn:firmseal:manifest:1",
    sequence: 3,
    components: [[{ hex: "00" }]],
    "shared-sequence": shared,
    install,
    ...more,
  };
  p.put(`${name}.json`, JSON.stringify({ ...all, ...(uris.length > 0 && { payloads }) }));
  await p.ok(["create", "--from", `${name}.json`]);
  return `${name}.suit`;
}

/** A release that starts its image. `before`: commands before the fetch. */
const started = (p: Place, name: string, uri: string, before: unknown[] = []) =>
  described(p, name, {
    sequence: name === "old" ? 2 : 3,
    install: [...before, ...fetched(uri)],
    validate: [override({ image: { payload: uri } }), "condition-image-match"],
    invoke: ["directive-invoke"],
  });

/** A release of an image, and of a second component: the same image, or a copy of the image that was there before. */
function twoComponents(p: Place, name: string, uri: string, isCopy = false): Promise<string> {
  const at = (i: number) => ({ "directive-set-component-index": i });
  const [image, old] = [override({ uri, image: { payload: uri } }), override({ "image-digest": { hex: sha256("#old") }, "image-size": 4 })];
  const copied = [at(1), old, override({ "source-component": 0 }), "directive-copy", "condition-image-match"];
  return described(p, name, {
    sequence: name === "old" ? 2 : 3,
    components: [["app"], ["kept"]],
    shared: [{ "directive-set-component-index": true }, ...identity()],
    install: [...(isCopy ? copied : [at(1), ...fetched(uri)]), at(0), ...fetched(uri)],
    validate: [at(0), image, "condition-image-match", at(1), isCopy ? old : image, "condition-image-match"],
    invoke: [at(0), "directive-invoke"],
  });
}

/** board.trust: A and C sign releases, C up to number 9; B signs debug builds. */
async function trust(p: Place): Promise<readonly string[]> {
  await p.ok(["keygen", "--out", "root.pem", "--no-passphrase"]);
  p.put("root.pub", (await p.ok(["pubkey", "root.pem"])).stdout);
  const anchors = [
    { key: "root.pub", roles: ["root"] },
    { key: "A.jwk", roles: ["release"] },
    { key: "C.jwk", roles: ["release"], until: 9 },
    { key: "B.jwk", roles: ["debug"] },
  ];
  const list = { $schema: "urn:firmseal:trust:1", name: "board", sequence: 1, anchors, thresholds: { root: 1, release: 1, debug: 1 } };
  p.put("board.json", JSON.stringify(list));
  await p.ok(["trust", "create", "--from", "board.json"]);
  await p.ok(["trust", "sign", "board.trust", "--key", "root.pem"]);
  return ["--trust", "board.trust", "--root", "root.pub"];
}

const signedBy = (p: Place, key: string, seq = 7) =>
  p.ok(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", String(seq), "--out", "fw.suit"]);

async function signed(p: Place, seq: number | string, out = "fw.suit", more: readonly string[] = []): Promise<string> {
  await signImage(p, seq, out, more);
  return out;
}

/** An app image of ESP-IDF with this version in its descriptor. */
function espImage(version: string): Uint8Array {
  const out = image(600);
  out.set([0xe9, 1], 0);
  out.fill(0, 2, 24);
  new DataView(out.buffer).setUint32(32, 0xabcd5432, true);
  out.fill(0, 48, 80);
  out.set(Buffer.from(version), 48);
  return out;
}

/** The same for MCUboot. */
function mcubootImage(major: number, minor: number, patch: number): Uint8Array {
  const out = image(600);
  const view = new DataView(out.buffer);
  out.fill(0, 0, 32);
  view.setUint32(0, 0x96f3b83d, true);
  view.setUint16(8, 32, true);
  out.set([major, minor, patch], 20);
  return out;
}

const product = (p: Place, more = "") => p.put("firmseal.toml", PRODUCT + more);

/** Arguments of lint for a release. */
type Case = (p: Place) => Promise<readonly string[]>;

const CASES: { readonly [rule: string]: readonly [catches: Case, passes: Case, message: RegExp] } = {
  "test-key": [
    async (p) => {
      const key = privateKey("ed25519", Buffer.from(published["rfc8032-test-1"] as string, "hex"));
      await described(p, "fw", { install: fetched("#f") });
      p.put("fw.suit", await signEnvelope(p.get("fw.suit"), [signer(key)]));
      return ["fw.suit"];
    },
    async (p) => [await signed(p, 7)],
    /published test key rfc8032-test-1/,
  ],
  "debug-role": [
    async (p) => {
      await signedBy(p, "B.pem");
      return ["fw.suit", ...(await trust(p))];
    },
    async (p) => [await signed(p, 7), ...(await trust(p))],
    /^signed by .*, which has the role debug in board\.trust$/,
  ],
  "key-retiring": [
    async (p) => {
      await signedBy(p, "C.pem");
      return ["fw.suit", ...(await trust(p))];
    },
    async (p) => [await signed(p, 7), ...(await trust(p))],
    /counts up to sequence number 9 \(board\.trust\)/,
  ],
  "number-not-raised": [
    async (p) => [await signed(p, 7), "--previous", await signed(p, 8, "old.suit")],
    async (p) => [await signed(p, 9), "--previous", await signed(p, 8, "old.suit")],
    /7 is not higher than 8 of old\.suit/,
  ],
  "number-jump": [
    async (p) => [await signed(p, String(2 ** 33)), "--previous", await signed(p, 8, "old.suit")],
    async (p) => [await signed(p, String(2 ** 32 + 8)), "--previous", await signed(p, 8, "old.suit")],
    /^8589934592 is 8589934584 above 8$/,
  ],
  "version-and-number": [
    async (p) => [
      await signed(p, 9, "fw.suit", ["--version", "1.1.0"]),
      "--previous",
      await signed(p, 8, "old.suit", ["--version", "1.2.0"]),
    ],
    async (p) => [
      await signed(p, 9, "fw.suit", ["--version", "1.2.1"]),
      "--previous",
      await signed(p, 8, "old.suit", ["--version", "1.2.0"]),
    ],
    /^version 1\.1\.0 has the number 9, and 1\.2\.0 \(old\.suit\) has 8$/,
  ],
  "board-missing": [
    async (p) => [
      await described(p, "fw", {
        shared: identity()
          .filter((_, i) => i !== 2)
          .map((one) => (typeof one === "string" ? one : override({ "vendor-identifier": VENDOR }))),
        install: fetched("#f"),
      }),
    ],
    async (p) => [await described(p, "fw", { install: fetched("#f") })],
    /^is for cfbff0d1-9375-5685-968c-48ce8b15ae17\/- \(vendor\/class\)$/,
  ],
  "board-unknown": [
    async (p) => {
      product(p);
      await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "board-v3", "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit"];
    },
    async (p) => {
      product(p);
      return [await signed(p, 7)];
    },
    /which is not a board of gateway/,
  ],
  "slot-too-small": [
    async (p) => {
      product(p);
      p.put("fw.bin", image(8193));
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p);
      p.put("fw.bin", image(8192));
      return [await signed(p, 7)];
    },
    /#firmware has 8193 bytes, and its slot on board main has 8192/,
  ],
  refused: [
    async (p) => [await described(p, "fw", { install: [...fetched("#f"), "directive-invoke"] })],
    async (p) => [await described(p, "fw", { install: fetched("#f") })],
    /\(INVOKE_MISPLACED\)/,
  ],
  "plain-transfer": [
    async (p) => [await described(p, "fw", { install: [override({ uri: "http://example.com/fw" }), "directive-fetch"] })],
    async (p) => [
      await described(p, "fw", {
        install: [
          override({ uri: "http://example.com/fw", "image-digest": { hex: "00".repeat(32) }, "image-size": 9 }),
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    /^fetches http:\/\/example\.com\/fw and sets no digest for it$/,
  ],
  "dead-alternative": [
    async (p) => [
      await described(p, "fw", {
        install: [
          {
            "directive-try-each": [0, 0].map((slot, i) => [
              override({ "component-slot": slot }),
              "condition-component-slot",
              override({ uri: `#f${i}`, image: { payload: `#f${i}` } }),
            ]),
          },
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    async (p) => [
      await described(p, "fw", {
        install: [
          {
            "directive-try-each": [0, 1].map((slot, i) => [
              override({ "component-slot": slot }),
              "condition-component-slot",
              override({ uri: `#f${i}`, image: { payload: `#f${i}` } }),
            ]),
          },
          "directive-fetch",
          "condition-image-match",
        ],
      }),
    ],
    /^alternative 2 of 2 never runs: alternative 1 runs in its place$/,
  ],
  "never-verified": [
    async (p) => [await described(p, "fw", { install: fetched("#f").slice(0, 2) })],
    async (p) => [
      await described(p, "fw", {
        install: fetched("#f").slice(0, 2),
        validate: [override({ image: { payload: "#f" } }), "condition-image-match"],
      }),
    ],
    /^component 00 is written and never compared/,
  ],
  "power-cut": [
    // the old image is kept as a copy. Once the new one is there, the release cannot be installed again
    async (p) => [await twoComponents(p, "fw", "#f", true), "--previous", await twoComponents(p, "old", "#old")],
    async (p) => [await twoComponents(p, "fw", "#f"), "--previous", await twoComponents(p, "old", "#old")],
    /^without a power cut, a second installation fails: /,
  ],
  "payload-missing": [
    async (p) => [await signed(p, 7, "fw.suit", ["--uri", "https://example.com/none.bin"])],
    async (p) => [await signed(p, 7, "fw.suit", ["--uri", "https://example.com/fw.bin"])],
    /^not looked at: https:\/\/example\.com\/none\.bin$/,
  ],
  "no-sbom": [
    async (p) => [await signed(p, 7)],
    async (p) => {
      p.put("fw.cdx.json", "{}");
      return [await signed(p, 7)];
    },
    /no SPDX or CycloneDX file/,
  ],
  "image-without-version": [
    async (p) => {
      p.put("fw.bin", mcubootImage(0, 0, 0));
      return [await signed(p, 7)];
    },
    async (p) => {
      p.put("fw.bin", espImage("v1.2.0-3-gabcdef"));
      return [await signed(p, 7)];
    },
    /^#firmware: the header of MCUboot names no version$/,
  ],
  "image-version-differs": [
    async (p) => {
      p.put("fw.bin", espImage("1.1.9"));
      return [await signed(p, 7, "fw.suit", ["--version", "1.2.0"])];
    },
    async (p) => {
      p.put("fw.bin", mcubootImage(1, 2, 0));
      return [await signed(p, 7, "fw.suit", ["--version", "1.2.0"])];
    },
    /names version 1\.1\.9, and the release is 1\.2\.0$/,
  ],
  "cnsa2-signature": [
    async (p) => {
      await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/8,5/8", "--out", "h.hss", "--no-passphrase"]);
      await p.ok(["sign", "fw.bin", "--key", "h.hss", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit", "--policy", "cnsa2"];
    },
    async (p) => {
      await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/8", "--out", "h.hss", "--no-passphrase"]);
      await p.ok(["sign", "fw.bin", "--key", "h.hss", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
      return ["fw.suit", "--policy", "cnsa2"];
    },
    /^is signed with .* with several trees only$/,
  ],
  "cnsa2-hash": [
    async (p) => [await signed(p, 7), "--policy", "cnsa2"],
    async (p) => {
      const digest = { image: { payload: "#f", algorithm: "sha-384" } };
      return [
        await described(p, "fw", {
          digest: "sha-512",
          install: [override({ uri: "#f", ...digest }), "directive-fetch", "condition-image-match"],
        }),
        "--policy",
        "cnsa2",
      ];
    },
    /^the digest of the manifest is sha-256$/,
  ],
  "waiver-invalid": [
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "the supplier sends it in June"\nuntil = 2026-01-31\n');
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "no-sbom"\nreason = "the supplier sends it in June"\nuntil = 2999-01-31\n');
      return [await signed(p, 7)];
    },
    /^the waiver of L40 has expired on 2026-01-31$/,
  ],
  "waiver-unused": [
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L41"\nreason = "no version"\nuntil = "2999-01-31"\n');
      return [await signed(p, 7)];
    },
    async (p) => {
      product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "no version"\nuntil = "2999-01-31"\n');
      return [await signed(p, 7)];
    },
    /^the waiver of L41 waives nothing$/,
  ],
};

interface Found {
  findings: { rule: string; name: string; severity: string; message: string; path: string; waived?: { reason: string } }[];
  skipped: { name: string; why: string }[];
}

async function linted(p: Place, args: readonly string[]): Promise<Found & { exit: number | null }> {
  const r = await p.run(["lint", ...args, "--json"]);
  expect(r.json, args.join(" ")).toMatchObject({ verified: false });
  return { ...(r.json as unknown as Found), exit: r.exit };
}

describe("every rule", () => {
  it("has a case here", () => {
    expect(Object.keys(CASES).sort()).toEqual(ALL_RULES.map(({ name }) => name).sort());
    expect(new Set(ALL_RULES.map(({ id }) => id)).size).toBe(ALL_RULES.length);
  });

  it.each(ALL_RULES.map(({ name, id, severity }) => ({ name, id, severity })))(
    "$id $name catches one release and lets another pass",
    async ({ name, id, severity }) => {
      const [catches, passes, message] = CASES[name] as (typeof CASES)[string];
      const bad = standard();
      const { findings, exit } = await linted(bad, await catches(bad));
      const found = findings.filter((one) => one.name === name);
      expect(found).toMatchObject([{ rule: id, severity, message: expect.stringMatching(message) }, ...found.slice(1).map(() => ({}))]);
      if (severity === "error") expect(exit).toBe(1);
      const good = standard();
      const passed = await linted(good, await passes(good));
      expect(passed.findings.filter((one) => one.name === name)).toEqual([]);
      expect(passed.skipped.filter((one) => one.name === name)).toEqual([]);
    },
  );
});

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
    ["no end", 'reason = "later"', "has no end: until"],
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

  it("in SARIF fits its schema, with findings, waivers and rules that could not look", async () => {
    const p = standard();
    product(p, '[[policy.waivers]]\nrule = "L40"\nreason = "later"\nuntil = 2999-01-31\n');
    p.put("fw.bin", image(9000));
    await signed(p, 7);
    const r = await p.run(["lint", "fw.suit", "--format", "sarif"]);
    expect(r.exit).toBe(1);
    const log = JSON.parse(r.stdout);
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

  it("of a release without findings fits it too, and names what it looked at", async () => {
    const p = standard();
    p.put("fw.spdx.json", "{}");
    await signed(p, 7, "a b.suit");
    const log = JSON.parse((await p.ok(["lint", "a b.suit", "--format", "sarif"])).stdout);
    expect(fits(log)).toBe(true);
    expect(log.runs[0]).toMatchObject({ results: [], artifacts: [{ location: { uri: "a%20b.suit" } }] });
  });

  it("stays well-formed, and drives no terminal, with text that turns words around", async () => {
    const p = standard();
    p.put("firmseal.toml", PRODUCT.replace("given", "version"));
    const text = { en: { components: [{ component: 0, "component-version": "1\u202e\u001b[2J" }] } };
    await described(p, "evil", { install: fetched("#f"), text });
    for (const format of ["sarif", "text", "json"]) {
      const { stdout, stderr } = await p.run(["lint", "evil.suit", "--format", format]);
      expectHarmless(stdout);
      expectHarmless(stderr);
      if (format === "sarif") expect(fits(JSON.parse(stdout))).toBe(true);
      else expect(stdout).toMatch(/is version 1/);
    }
  });

  it("in JSON is the one of --json, also on failure", async () => {
    const p = standard();
    await signed(p, 7);
    for (const more of [[], ["--fail-on", "note"]]) {
      const as = async (form: readonly string[]) => (await p.run(["lint", "fw.suit", ...more, ...form])).stdout;
      expect(JSON.parse(await as(["--format", "json"]))).toMatchObject({ ok: more.length === 0, findings: [{ rule: "L40" }] });
      expect(await as(["--format=json"])).toBe(await as(["--json"]));
    }
  });

  it.each([
    ["error", 0],
    ["warning", 1],
    ["note", 1],
  ])("fails from the severity of --fail-on on: %s", async (severity, exit) => {
    const p = standard();
    p.put("fw.cdx.json", "{}");
    p.put("fw.bin", mcubootImage(0, 0, 0));
    await signed(p, 7);
    const r = await p.run(["lint", "fw.suit", "--fail-on", severity]);
    expect(r.exit).toBe(exit);
    expect(r.stdout).toContain("fw.suit: warning: #firmware: the header of MCUboot names no version [L41 image-without-version]");
    if (exit === 1) expect(r.stderr).toMatch(/^firmseal: fw\.suit: L41 image-without-version: .*\nhint: Set PROJECT_VER/m);
  });
});

describe("lint", () => {
  it("looks at all releases of a folder, each against the one before for its devices", async () => {
    const p = standard();
    for (const [folder, seq] of [
      ["old", 7],
      ["new", 7],
    ] as const) {
      p.folder(folder);
      for (const name of ["board-v2", "board-v3"])
        await p.ok([
          "sign",
          "fw.bin",
          "--key",
          "A.pem",
          "--vendor",
          "example.com",
          "--class",
          name,
          "--seq",
          String(seq + (folder === "new" && name === "board-v3" ? 1 : 0)),
          "--out",
          `${folder}/${name}.suit`,
          ...(folder === "new" ? ["--version", "2.0.0"] : []),
        ]);
    }
    const { findings } = await linted(p, ["new", "--previous", "old"]);
    expect(findings.filter(({ rule }) => rule === "L10")).toMatchObject([
      { path: "new/board-v2.suit", message: "sequence number 7 is not higher than 7 of old/board-v2.suit" },
    ]);
  });

  it("finds a release that does not start, and one that cannot be installed over the one before", async () => {
    const p = standard();
    const found = async (rule: string, ...args: string[]) => (await linted(p, args)).findings.filter((one) => one.rule === rule);
    const cuts = (...args: string[]) => found("L34", ...args);
    await described(p, "dead", { install: fetched("#f"), invoke: ["directive-invoke"] });
    expect([...(await found("L30", "dead.suit")), ...(await cuts("dead.suit"))]).toMatchObject([{ rule: "L30" }]);
    const before = [override({ "image-digest": { hex: sha256("#new") }, "image-size": 4 }), "condition-image-match"];
    await started(p, "fw", "#f", before);
    expect(await cuts("fw.suit", "--previous", await started(p, "old", "#old"))).toMatchObject([
      { message: "without a power cut, the installation fails: an image does not match its signed digest" },
    ]);
    // a made-up release before is not the one that it is for
    expect(await cuts("fw.suit")).toEqual([]);
  });

  it("lets the same release be looked at again after it was published", async () => {
    const p = standard();
    await signed(p, 7);
    expect((await linted(p, ["fw.suit", "--previous", "fw.suit"])).findings.map(({ rule }) => rule)).toEqual(["L40"]);
  });

  it("takes release, release before and policy from the product file", async () => {
    const p = standard();
    p.keepsLogs = true;
    product(p, '[policy]\nsbom = "bom.json"\nsuite = "cnsa2"\n');
    p.put("bom.json", "{}");
    await p.ok(["release", "--version", "1.0.0", "--seq", "5"]);
    await p.ok(["release", "--version", "1.1.0", "--seq", "6"]);
    const { findings, skipped, exit } = await linted(p, []);
    expect({ exit, findings: findings.map(({ rule, path }) => [rule, path]), skipped: skipped.map(({ name }) => name) }).toEqual({
      exit: 1,
      findings: ["L50", "L51", "L51"].map((rule) => [rule, "dist/1.1.0/gateway-main-1.1.0.suit"]),
      skipped: ["debug-role", "key-retiring"],
    });
    // what is there already is compared with what was before it
    expect((await linted(p, ["dist/1.0.0"])).findings.filter(({ rule }) => rule === "L10")).toEqual([]);
  });

  it("finds a number that is not the one of the version", async () => {
    const p = standard();
    product(p);
    p.put("firmseal.toml", PRODUCT.replace("given", "version"));
    await signed(p, 7, "fw.suit", ["--version", "1.2.0"]);
    expect((await linted(p, ["fw.suit"])).findings).toMatchObject([
      { rule: "L12", message: "is version 1.2.0, and 7 is not the number of that version" },
      { rule: "L40" },
    ]);
    await signImage(p, 7, "fw.suit");
    expect((await linted(p, ["fw.suit"])).findings[0]).toMatchObject({ rule: "L12", message: expect.stringMatching(/^names no version/) });
  });

  it("reads an envelope from stdin", async () => {
    const p = standard();
    await signed(p, 7);
    const r = await p.run(["lint", "-", "--json"], { input: p.get("fw.suit") });
    expect(r.json).toMatchObject({ ok: true, releases: ["-"], findings: [{ rule: "L40" }] });
    expect((r.json as unknown as Found).skipped.map(({ name }) => name)).not.toContain("power-cut");
  });

  it("says what it did not look at", async () => {
    const p = standard();
    await signed(p, 7, "fw.suit", ["--uri", "https://example.com/elsewhere.bin"]);
    const { stderr } = await p.ok(["lint", "fw.suit"]);
    expect(stderr).toContain("not checked: L34 power-cut: put the payloads beside the envelope, or give them: --payload FILE");
    expect(stderr).toContain("not checked: L10 number-not-raised: give the release before: --previous FILE");
    const { skipped } = await linted(p, ["fw.suit", "--payload", "fw.bin"]);
    expect(skipped.map(({ name }) => name)).not.toContain("power-cut");
  });

  it("finds a payload that is not the one that was signed", async () => {
    const p = standard();
    await signed(p, 7, "fw.suit", ["--uri", "https://example.com/fw.bin"]);
    p.put("fw.bin", image(5000, 2));
    expect((await linted(p, ["fw.suit"])).findings[0]).toMatchObject({ rule: "L30", message: expect.stringContaining("IMAGE_MISMATCH") });
  });

  it.each([
    ["no release", [], 2, "no release is named, and there is no product file here"],
    ["a folder without releases", ["empty"], 2, "empty: has no release"],
    ["something else", ["fw.bin"], 1, "fw.bin: not a SUIT envelope"],
    ["a file that is not there", ["none.suit"], 3, "none.suit"],
    ["a release before for others", ["fw.suit", "--previous", "v3.suit"], 2, "v3.suit: is not for the devices of fw.suit"],
    ["a product file that is not there", ["fw.suit", "--product", "none.toml"], 3, "none.toml"],
    ["two forms", ["fw.suit", "--format", "sarif", "--json"], 2, ""],
    ["a root without a trust file", ["fw.suit", "--root", "A.jwk"], 2, "a root is for a trust file"],
    ["an unknown severity", ["fw.suit", "--fail-on", "fatal"], 2, "--fail-on"],
    ["a payload for a folder", [".", "--payload", "fw.bin"], 2, "--payload is for one envelope"],
  ])("refuses %s", async (_, args, exit, words) => {
    const p = standard();
    p.folder("empty");
    await signed(p, 7);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "example.com", "--class", "board-v3", "--seq", "1", "--out", "v3.suit"]);
    const r = await p.run(["lint", ...args]);
    if (args.includes("--json")) expect(r.json).toMatchObject({ exit, message: "--json and --format sarif exclude each other" });
    else expect(expectFailure(r, exit)).toContain(words);
  });
});
