// Descriptions and their encoding: the schema, every name and its number, numbers at the borders, severed elements,
// files.

import { readFileSync } from "node:fs";
import * as spec from "@firmseal/verifier/tools";
import {
  COMMAND_NAMES,
  COMPONENT_TEXT_NAMES,
  decodeEnvelope,
  MANIFEST_NAMES,
  PARAMETER_NAMES,
  TEXT_NAMES,
  toHex,
} from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { violations as built } from "../lib/description/schema.js";
import schema from "../schema/manifest.schema.json" with { type: "json" };
import { type Violation, violations } from "../src/description/schema.js";
import { type Command, classUuid, encode, isDescription, SCHEMA, vendorUuid } from "../src/index.js";
import { least, pairs, refusal, section, withCommands, wrongAt } from "./encode-common.js";

const ZERO = "00".repeat(32);
describe("the schema", () => {
  it("is published with the package under the name that descriptions give", () => {
    expect(schema.$id).toBe(SCHEMA);
    expect(isDescription({ $schema: SCHEMA })).toBe(true);
    expect(isDescription({ $schema: "../x/manifest.schema.json" })).toBe(true);
    for (const other of [null, 1, [], {}, { $schema: 1 }, { $schema: "urn:other" }]) expect(isDescription(other)).toBe(false);
  });

  it("knows every command, parameter and text that can be written, and no other", () => {
    const names = (table: { [code: number]: string }) => new Set(Object.values(table));
    const forms = schema.$defs.command.oneOf as { enum?: string[]; properties?: object }[];
    const commands = new Set(forms.flatMap((f) => f.enum ?? Object.keys(f.properties ?? {})));
    for (const name of commands) expect(names(COMMAND_NAMES)).toContain(name);
    for (const name of Object.keys(schema.$defs.parameters.properties))
      if (name !== "image") expect(names(PARAMETER_NAMES)).toContain(name);
    for (const name of Object.keys(schema.$defs.text.properties)) if (name !== "components") expect(names(TEXT_NAMES)).toContain(name);
    for (const name of Object.keys(schema.$defs.text.properties.components.items.properties))
      if (name !== "component") expect(names(COMPONENT_TEXT_NAMES)).toContain(name);
  });

  const wrong: [string, unknown, string][] = [
    ["no object", 1, ""],
    ["null", null, ""],
    ["nothing in it", {}, ""],
    ["no components", { $schema: SCHEMA, sequence: 1 }, ""],
    ["an unknown member", least({ extra: 1 }), ""],
    ["another schema", least({ $schema: "urn:other" }), "/$schema"],
    ["a negative sequence number", least({ sequence: -1 }), "/sequence"],
    ["one that is no integer", least({ sequence: 1.5 }), "/sequence"],
    ["one that a double cannot hold", least({ sequence: 2 ** 53 }), "/sequence"],
    ["one with a leading zero", least({ sequence: "01" }), "/sequence"],
    ["one in hexadecimal", least({ sequence: "0x1" }), "/sequence"],
    ["an empty list of components", least({ components: [] }), "/components"],
    ["17 components", least({ components: Array.from({ length: 17 }, (_, i) => [String(i)]) }), "/components"],
    ["6 parts of a component", least({ components: [["1", "2", "3", "4", "5", "6"]] }), "/components/0"],
    ["half a byte", least({ components: [[{ hex: "0" }]] }), "/components/0/0/hex"],
    ["a number for octets", least({ components: [[7]] }), "/components/0/0"],
    ["an empty section", least({ install: [] }), "/install"],
    ["a section that is no list", least({ install: "directive-fetch" }), "/install"],
    ["an unknown command", withCommands("condition-image-match", "directive-explode"), "/validate/1"],
    ["a command without its argument", withCommands("directive-try-each"), "/validate/0"],
    ["a policy of 5 bits", withCommands({ "condition-abort": 16 }), "/validate/0/condition-abort"],
    ["two commands in one", withCommands({ "condition-abort": 1, "directive-copy": 1 }), "/validate/0"],
    ["one alternative", withCommands({ "directive-try-each": [["condition-abort"]] }), "/validate/0/directive-try-each"],
    ["an empty alternative", withCommands({ "directive-try-each": [["condition-abort"], []] }), "/validate/0/directive-try-each/1"],
    [
      "a command in an alternative",
      withCommands({ "directive-try-each": [["condition-abort"], ["x"]] }),
      "/validate/0/directive-try-each/1/0",
    ],
    ["an index of 16", withCommands({ "directive-set-component-index": 16 }), "/validate/0/directive-set-component-index"],
    ["an index twice", withCommands({ "directive-set-component-index": [1, 1] }), "/validate/0/directive-set-component-index"],
    ["index false", withCommands({ "directive-set-component-index": false }), "/validate/0/directive-set-component-index"],
    ["no parameter", withCommands({ "directive-override-parameters": {} }), "/validate/0/directive-override-parameters"],
    ["an unknown parameter", withCommands({ "directive-override-parameters": { colour: 1 } }), "/validate/0/directive-override-parameters"],
    [
      "a text that is not a UUID",
      withCommands({ "directive-override-parameters": { "device-identifier": "x" } }),
      "/validate/0/directive-override-parameters/device-identifier",
    ],
    [
      "a URI with a space",
      withCommands({ "directive-override-parameters": { uri: "a b" } }),
      "/validate/0/directive-override-parameters/uri",
    ],
    [
      "a negative size",
      withCommands({ "directive-override-parameters": { "image-size": -1 } }),
      "/validate/0/directive-override-parameters/image-size",
    ],
    [
      "a text for strict-order",
      withCommands({ "directive-override-parameters": { "strict-order": "yes" } }),
      "/validate/0/directive-override-parameters/strict-order",
    ],
    ["an unknown hash", least({ digest: "md5" }), "/digest"],
    ["a section that is not severable", least({ validate: ["condition-abort"], sever: ["validate"] }), "/sever/0"],
    ["severed twice", least({ install: ["condition-abort"], sever: ["install", "install"] }), "/sever"],
    ["a language that is none", least({ text: { "e n": { "update-description": "x" } } }), "/text"],
    ["an empty text", least({ text: { en: {} } }), "/text/en"],
    ["a text that is a number", least({ text: { en: { "update-description": 1 } } }), "/text/en/update-description"],
    ["a payload's URI with a space", least({ payloads: { "a b": "x" } }), "/payloads"],
    ["nested without end", least({ validate: nested(100) }), ""],
  ];
  const told = (all: readonly Violation[]) =>
    all.map(({ instancePath, keyword, params, message, parentSchema: part }) => {
      // what the words of a refusal are made of
      const allowed = Object.keys(part?.properties ?? {});
      return { instancePath, keyword, params, message, allowed, about: part?.description };
    });
  for (const [name, value, path] of wrong) {
    it(`refuses ${name} at ${path || "the top"}; so does what the build makes of it, in the same words`, () => {
      expect(wrongAt(value)).toBe(path);
      expect(told(built(value, "manifest"))).toEqual(told(violations(value, "manifest")));
    });
  }

  it("needs no Ajv in what the build makes of it", () => {
    for (const name of ["schema", "schema-why"]) {
      const text = readFileSync(new URL(`../lib/description/${name}.js`, import.meta.url), "utf8");
      expect(text.replace('from"./schema-why.js"', "")).not.toMatch(/\bfrom"|\bimport\(|\b__require\(/);
    }
  });

  it("asks a short validator first, which has no messages", () => {
    const read = (name: string) => readFileSync(new URL(`../lib/description/${name}.js`, import.meta.url), "utf8");
    expect(read("schema").length).toBeLessThan(read("schema-why").length * 0.6);
    expect(read("schema")).not.toContain("must be");
    expect(read("schema-why")).toContain("must be");
  });

  it("what no schema can express is refused by encode(), with its place", () => {
    const at = (value: unknown) => wrongAt(value, encode);
    expect(at(least({ sequence: "18446744073709551616" }))).toBe("/sequence");
    expect(at(withCommands({ "directive-override-parameters": { "image-digest": { hex: "00" } } }))).toBe(
      "/validate/0/directive-override-parameters/image-digest",
    );
    expect(at(withCommands({ "directive-override-parameters": { "image-digest": { algorithm: "sha-512", hex: ZERO } } }))).toBe(
      "/validate/0/directive-override-parameters/image-digest",
    );
    expect(at(withCommands({ "directive-override-parameters": { "image-digest": { file: "x" } } }))).toBe(
      "/validate/0/directive-override-parameters/image-digest",
    );
    expect(at(withCommands({ "directive-override-parameters": { image: { file: "x" } } }))).toBe(
      "/validate/0/directive-override-parameters/image",
    );
    expect(at(withCommands({ "directive-override-parameters": { content: { file: "x" } } }))).toBe(
      "/validate/0/directive-override-parameters/content",
    );
    expect(at(withCommands({ "directive-run-sequence": [{ "directive-override-parameters": { content: { file: "x" } } }] }))).toBe(
      "/validate/0/directive-run-sequence/0/directive-override-parameters/content",
    );
    expect(at(least({ components: [[{ file: "x" }]] }))).toBe("/components/0/0");
    expect(at(least({ payloads: { "#a": { file: "x" } } }))).toBe("/payloads/#a");
    expect(at(least({ sever: ["text"] }))).toBe("/sever");
    expect(at(least({ text: { en: { components: [{ component: 1, "vendor-name": "x" }] } } }))).toBe("/text/en/components/0");
  });

  it("and what a device would refuse, by the verifier", () => {
    expect(refusal(() => encode(least({ components: [["a"], ["a"]] })))).toBe("COMPONENT_LIST");
    expect(refusal(() => encode(least({ "shared-sequence": ["directive-fetch"] })))).toBe("SHARED_COMMAND");
    expect(refusal(() => encode(least({ payloads: { "#x": "x" } })))).toBe("PAYLOAD_UNREFERENCED");
    expect(refusal(() => encode(least({ validate: nested(20) })))).toBe("CBOR_DEPTH");
    // two alternatives at least, and nothing but the last may be none (M37 §8.4.10.2)
    for (const list of [
      [["condition-abort"], null],
      [null, ["condition-abort"], ["condition-abort"]],
    ])
      expect(refusal(() => encode(withCommands({ "directive-try-each": list })))).toBe("COMMAND_ARGUMENT");
  });

  it("refuses text that is not Unicode", () => {
    expect(() => encode(least({ text: { en: { "update-description": "\ud800" } } }))).toThrow(/surrogate/);
  });
});
function nested(n: number): Command[] {
  let out: Command[] = ["condition-abort"];
  for (let i = 0; i < n; i++) out = [{ "directive-run-sequence": out }];
  return out;
}
describe("names and their numbers", () => {
  const code = (prefix: string, name: string) =>
    (spec as unknown as { [name: string]: number })[prefix + name.toUpperCase().replaceAll("-", "_")];
  const policies = (schema.$defs.command.oneOf[0] as { enum: string[] }).enum;

  for (const name of policies) {
    it(name, () => {
      const number = name.startsWith("condition-") ? code("COND_", name.slice(10)) : code("DIR_", name.slice(10));
      expect(number).toBeTypeOf("number");
      for (const policy of [0, 2, 15]) {
        const [pair] = pairs(section(withCommands({ [name]: policy }), spec.MAN_VALIDATE), false);
        expect(pair).toEqual([number, Uint8Array.of(policy)]);
      }
      const [plain] = pairs(section(withCommands(name), spec.MAN_VALIDATE), false);
      expect(plain?.[0]).toBe(number);
      // the name alone stands for a policy of four bits
      expect(plain?.[1][0]).toBeLessThan(16);
    });
  }

  const two = { components: [["a"], ["b"]] };
  it("set-component-index: one, several, all", () => {
    for (const [value, hex] of [
      [0, "00"],
      [1, "01"],
      [[0, 1], "820001"],
      [true, "f5"],
    ] as const) {
      const [pair] = pairs(section(least({ ...two, validate: [{ "directive-set-component-index": value }] }), spec.MAN_VALIDATE), false);
      expect([pair?.[0], toHex(pair?.[1] ?? [])]).toEqual([spec.DIR_SET_COMPONENT_INDEX, hex]);
    }
  });

  it("try-each and run-sequence hold sequences in byte strings", () => {
    const bytes = section(
      withCommands(
        { "directive-try-each": [[{ "condition-abort": 1 }], [{ "condition-abort": 2 }], null] },
        { "directive-run-sequence": [{ "condition-abort": 3 }] },
      ),
      spec.MAN_VALIDATE,
    );
    expect(pairs(bytes, false).map(([c, v]) => [c, toHex(v)])).toEqual([
      [spec.DIR_TRY_EACH, "8343820e0143820e02f6"],
      [spec.DIR_RUN_SEQUENCE, "43820e03"],
    ]);
  });

  const uuid = "0f0e0d0c-0b0a-0908-0706-050403020100";
  const parameters: [string, unknown, string][] = [
    ["vendor-identifier", uuid, "500f0e0d0c0b0a09080706050403020100"],
    ["vendor-identifier", { domain: "arm.com" }, "50fa6b4a53d5ad5fdfbe9de663e4d41ffe"],
    ["class-identifier", uuid, "500f0e0d0c0b0a09080706050403020100"],
    ["class-identifier", { domain: "arm.com", name: "x" }, `50${toHex(classUuid(vendorUuid("arm.com"), "x"))}`],
    ["device-identifier", uuid.toUpperCase(), "500f0e0d0c0b0a09080706050403020100"],
    ["image-digest", { hex: ZERO }, `5824822f5820${ZERO}`],
    ["image-digest", { algorithm: "sha-384", hex: "00".repeat(48) }, `583582382a5830${"00".repeat(48)}`],
    ["image-digest", { algorithm: "sha-512", hex: "00".repeat(64) }, `584582382b5840${"00".repeat(64)}`],
    ["image-size", 0, "00"],
    ["image-size", 2 ** 31, "1a80000000"],
    ["image-size", 2 ** 32, "1b0000000100000000"],
    ["image-size", 2 ** 53 - 1, "1b001fffffffffffff"],
    ["component-slot", 24, "1818"],
    ["strict-order", true, "f5"],
    ["strict-order", false, "f4"],
    ["soft-failure", true, "f5"],
    ["content", "é", "42c3a9"],
    ["content", { hex: "00FF" }, "4200ff"],
    ["uri", "#a", "622361"],
    ["source-component", 0, "00"],
    ["invoke-args", { hex: "" }, "40"],
    ["fetch-args", "x", "4178"],
  ];
  for (const [name, value, hex] of parameters) {
    it(`${name} = ${JSON.stringify(value).slice(0, 40)}`, () => {
      // soft-failure has a meaning inside of a sequence only, which the encoding does not check
      const [pair] = pairs(section(withCommands({ "directive-override-parameters": { [name]: value } }), spec.MAN_VALIDATE), false);
      expect(pair?.[0]).toBe(spec.DIR_OVERRIDE_PARAMETERS);
      expect(pairs(pair?.[1] ?? new Uint8Array(), true).map(([c, v]) => [c, toHex(v)])).toEqual([[code("PARAM_", name), hex]]);
    });
  }

  it("every parameter of the schema is among these, except image", () => {
    const tried = new Set(parameters.map(([name]) => name));
    expect(new Set(Object.keys(schema.$defs.parameters.properties))).toEqual(new Set([...tried, "image"]));
  });

  it("sections, texts and the rest of the manifest", () => {
    const d = least({
      "reference-uri": "http://x/y",
      validate: ["condition-abort"],
      load: ["condition-abort"],
      invoke: ["condition-abort"],
      "payload-fetch": ["condition-abort"],
      install: ["condition-abort"],
      text: {
        en: {
          "manifest-description": "m",
          "update-description": "u",
          "manifest-json-source": "j",
          "manifest-yaml-source": "y",
          components: [
            {
              component: 0,
              "vendor-name": "1",
              "model-name": "2",
              "vendor-domain": "3",
              "model-info": "4",
              "component-description": "5",
              "component-version": "6",
            },
          ],
        },
      },
    });
    const m = decodeEnvelope(encode(d));
    expect(m.manifest.commands.map((c) => c.number).sort((a, b) => a - b)).toEqual([7, 8, 9, 16, 20]);
    expect(m.manifest.commands.map((c) => MANIFEST_NAMES[c.number])).toEqual(["validate", "load", "invoke", "payload-fetch", "install"]);
    expect(m.manifest.referenceUri).toBe("http://x/y");
    const utf8 = (b: ArrayLike<number>) => Buffer.from(Uint8Array.from(b)).toString();
    const [en] = m.text;
    expect(en?.texts.map((t) => [t.key, utf8(t.text)])).toEqual([
      [1, "m"],
      [2, "u"],
      [3, "j"],
      [4, "y"],
    ]);
    expect(en?.components[0]?.texts.map((t) => [t.key, utf8(t.text)])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, String(n)]));
  });

  it("the digest of the manifest is by the requested hash", () => {
    for (const [digest, alg, n] of [
      ["sha-256", -16, 32],
      ["sha-384", -43, 48],
      ["sha-512", -44, 64],
    ] as const) {
      const m = decodeEnvelope(encode(least({ digest, install: ["condition-abort"], sever: ["install"] })));
      expect([m.digest?.alg, m.digest?.bytes.length]).toEqual([alg, n]);
      expect([m.manifest.digests[0]?.sum.alg, m.manifest.digests[0]?.sum.bytes.length]).toEqual([alg, n]);
    }
  });
});
