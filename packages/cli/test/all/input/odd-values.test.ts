// Whatever a description, a trust description or a fleet contains, the answer is one line and a hint, and never
// "internal error".

import { encodeTrust } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../../release/src/input/limits.js";
import { readFleet } from "../../../../release/src/rotation/fleet.js";
import { encodeDescription } from "../../../../release/src/signing/description.js";
import { readDescription } from "../../../../release/src/trust/description.js";
import { expectFailure, FACTS, standard } from "../../../../test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../../../../test-support/src/environment/effort.js";
import { failureOf } from "../../../src/show/failure-of.js";
import { writeJson } from "../../../src/show/ui.js";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const p = standard();
const sha256: Json = { "algorithm-id": "sha256", "digest-bytes": "00".repeat(32) };
const uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

const DESCRIPTION: Json = {
  $schema: "urn:firmseal:manifest:1",
  sequence: 1,
  components: [["a", { hex: "00" }]],
  "shared-sequence": [
    {
      "directive-override-parameters": {
        "vendor-identifier": { domain: "example.com" },
        "class-identifier": { domain: "example.com", name: "b" },
        "device-identifier": uuid,
        "image-digest": { hex: "00".repeat(32) },
        "image-size": 3,
      },
    },
    "condition-vendor-identifier",
  ],
  install: [
    { "directive-override-parameters": { uri: "#a", image: { payload: "#a" }, content: "x" } },
    "directive-fetch",
    { "directive-try-each": [["condition-image-match"], null] },
    { "directive-run-sequence": [{ "directive-set-component-index": [0] }] },
  ],
  payloads: { "#a": "xyz" },
  text: { en: { "manifest-description": "d", components: [{ component: 0, "vendor-name": "v" }] } },
  sever: ["install"],
  digest: "sha-384",
  "reference-uri": "http://x",
};

const OF_THE_OLD_TOOL: Json = {
  "manifest-version": 1,
  "manifest-sequence-number": 1,
  "digest-algorithm": "x",
  "include-json": true,
  "reference-uri": "http://x",
  severable: true,
  description: { en: { "manifest-description": "x" } },
  components: [
    {
      "install-id": ["00"],
      "download-id": ["01"],
      "load-id": ["02"],
      "install-digest": sha256,
      "download-digest": sha256,
      "load-digest": sha256,
      "install-size": 1,
      "load-size": 3,
      "vendor-id": uuid,
      "class-id": uuid,
      uri: "http://x",
      slot: 1,
      bootable: true,
      loadable: true,
      "install-on-download": false,
      description: { en: { "vendor-domain": "x" } },
    },
    { "install-id": ["00"], slot: 2, uri: "http://y" },
  ],
};

const TRUST: Json = {
  $schema: "urn:firmseal:trust:1",
  name: "x",
  sequence: 1,
  anchors: [
    { key: p.at("A.jwk"), roles: ["root"] },
    { key: p.at("B.jwk"), roles: ["release"], vendor: "example.com", class: "b", since: 1, until: "7" },
  ],
  thresholds: { root: 1, release: 1 },
};

const FLEET: Json = { cohorts: [{ name: "a", devices: 1, trust: "t.trust", vendor: "example.com", class: "b", floor: 1 }] };

/** Half of a surrogate pair, a NUL, an object that has no text, invalid numbers, names of what every object has. */
const ODD: readonly Json[] = [
  null,
  true,
  -1,
  1e300,
  "",
  "\ud800",
  "a\0b",
  "__proto__",
  "x".repeat(5000),
  [],
  [[]],
  {},
  { toString: 1 },
  { "\ud800": 1 },
  { hex: "0" },
  { file: "\0" },
  { domain: "\ud800" },
  Array(300).fill("condition-abort"),
];

/** The value with each of its members, in turn, replaced by each odd one. */
function* variants(value: Json): Generator<Json> {
  yield* ODD;
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value))
    for (const other of variants(member)) {
      const copy = structuredClone(value) as { [name: string]: Json };
      copy[name] = other;
      yield copy;
    }
}

const READERS: [string, Json, (bytes: Uint8Array) => unknown][] = [
  ["a description", DESCRIPTION, (bytes) => encodeDescription(bytes, "x.json")],
  ["a description of the old tool", OF_THE_OLD_TOOL, (bytes) => encodeDescription(bytes, "x.json")],
  [
    "a trust description",
    TRUST,
    async (bytes) => encodeTrust(await readDescription(bytes, "x.json", 1n, { publicOnly: true, secret: async () => new Uint8Array(1) })),
  ],
  ["a fleet", FLEET, (bytes) => readFleet(p.at(p.put("fleet.json", bytes)))],
];

describe("odd values", () => {
  it.each(READERS)("in %s", async (_, value, read) => {
    const faults = new Set<string>();
    let n = 0;
    for (const variant of variants(value)) {
      n++;
      try {
        await read(Buffer.from(JSON.stringify(variant)));
      } catch (e) {
        const { code, message, hint } = failureOf(e);
        if (code === "ERR_INTERNAL" || message.length > LIMITS.message || hint === "") faults.add(`${message}: ${JSON.stringify(variant)}`);
      }
    }
    expect([...faults].slice(0, 5)).toEqual([]);
    expect(n).toBeGreaterThan(50);
  });

  it.each([
    [
      "half of a surrogate pair in a description",
      { $schema: "urn:firmseal:manifest:1", sequence: 1, components: [["\ud800"]] },
      1,
      "surrogate",
    ],
    [
      "an object in the JSON of the old tool",
      { ...OF_THE_OLD_TOOL, components: [{ "install-id": ["00"] }], "reference-uri": { toString: 1 } },
      1,
      "/reference-uri",
    ],
    [
      "a NUL in the name of a file",
      { $schema: "urn:firmseal:manifest:1", sequence: 1, components: [[]], payloads: { "#a": { file: "a\0b" } } },
      3,
      "NUL",
    ],
  ] as const)("%s, by the command line", async (_, value, exit, says) => {
    p.put("d.json", JSON.stringify(value));
    expect(expectFailure(await p.run(["create", "--from", "d.json"]), exit)).toContain(says);
    expect(expectFailure(await p.run(["sign", "d.json", "--key", "A.pem"]), exit)).toContain(says);
  });

  it("half of a surrogate pair in the name of a trust file", async () => {
    p.put("t.json", JSON.stringify({ ...(TRUST as object), name: "\ud800" }));
    expect(expectFailure(await p.run(["trust", "create", "--from", "t.json"]), 1)).toContain("name");
  });

  it.skipIf(!LONG)(`more JSON than a string can hold${AT_LENGTH}`, () => {
    const long = "x".repeat(2 ** 26);
    expect(() => writeJson({ all: Array(9).fill(long) })).toThrow("too long for one JSON text");
  });

  it("many boards in one UF2, in a line that can be read", async () => {
    const { uf2Block, FAMILY_PRESENT } = await import("../../../../test-support/src/image-writers.js");
    const block = (number: number) => ({
      flags: FAMILY_PRESENT,
      address: 256 * number,
      number,
      total: 999,
      family: number + 1,
      data: new Uint8Array(256),
    });
    p.put("many.uf2", Buffer.concat(Array.from({ length: 999 }, (_, i) => uf2Block(block(i)))));
    const line = expectFailure(await p.run(["sign", "many.uf2", "--key", "A.pem", ...FACTS, "--seq", "1"]), 1);
    expect(line).toContain("999 board families");
    expect(line).toContain("and 991 more");
    expect(line.length).toBeLessThan(300);
  });
});
