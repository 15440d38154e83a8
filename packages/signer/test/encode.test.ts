// Descriptions and what becomes of them: the schema, every name and its number, numbers at the borders, severed elements, files.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { anchor, errors, open, type Refusal } from "@firmseal/verifier";
import * as spec from "@firmseal/verifier/tools";
import { COMMAND_NAMES, COMPONENT_TEXT_NAMES, decodeEnvelope, MANIFEST_NAMES, PARAMETER_NAMES, TEXT_NAMES } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/effort.js";
import { array, bstr, checkItem, copyBytes, enter, here, input, int, map, skip, startReading } from "../../verifier/src/cbor/reader.js";
import { violations as built } from "../lib/description/schema.js";
import schema from "../schema/manifest.schema.json" with { type: "json" };
import { type Violation, violations } from "../src/description/schema.js";
import {
  type Command,
  classUuid,
  type Description,
  DescriptionError,
  encode,
  formatUuid,
  importSuitTool,
  isDescription,
  parseUuid,
  privateKey,
  reattach,
  resolve,
  SCHEMA,
  sever,
  signEnvelope,
  signer,
  singleImage,
  splitEnvelope,
  toHex,
  validate,
  vendorUuid,
} from "../src/index.js";

const key = privateKey("ed25519", new TextEncoder().encode("firmseal encode test, 32 bytes.."));
const trust = { anchors: [anchor("ed25519", key.key)] };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const ZERO = "00".repeat(32);

const least = (more: object = {}): Description => ({ $schema: SCHEMA, sequence: 1, components: [[{ hex: "00" }]], ...more }) as Description;
const withCommands = (...commands: unknown[]) => least({ validate: commands });

/** Where a description is wrong, as JSON Pointer. */
function wrongAt(value: unknown, use: (value: never) => unknown = validate): string {
  try {
    use(value as never);
  } catch (e) {
    if (e instanceof DescriptionError) return e.path;
    throw e;
  }
  return "accepted";
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (e) {
    return Object.entries(errors).find(([, code]) => code === (e as Refusal).code)?.[0];
  }
  return undefined;
}

/** The items of an encoded sequence or parameter map: number and, for each, the bytes of what follows. */
function pairs(bytes: Uint8Array, isMap: boolean): [number, Uint8Array][] {
  startReading(bytes);
  const n = isMap ? map() : array() / 2;
  return Array.from({ length: n }, () => {
    const code = int();
    const at = here;
    skip();
    return [code, Uint8Array.from(copyBytes(input, at, here - at))];
  });
}

function section(d: Description, code: number): Uint8Array {
  const outline = decodeEnvelope(encode(d));
  const element = outline.manifest.commands.find((c) => c.number === code);
  if (!element) throw new Error("no such section");
  return Uint8Array.from(copyBytes(outline.envelope.input, element.inside.at, element.inside.n));
}

const content = (): Uint8Array => {
  const s = bstr();
  return Uint8Array.from(copyBytes(input, s.at, s.n));
};

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
      "a UUID that is none",
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
    const text = readFileSync(new URL("../lib/description/schema.js", import.meta.url), "utf8");
    expect(text).not.toMatch(/\bimport\b|\b__require\(/);
  });

  it("what no schema can say is refused by encode(), at its place", () => {
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

  it("refuses text that is no Unicode", () => {
    expect(() => encode(least({ text: { en: { "update-description": "\ud800" } } }))).toThrow(/surrogate/);
  });
});

/** The map behind tag 107, d8 6b: checkItem() is about the inside, where there are no tags. */
function untagged(envelope: Uint8Array): Uint8Array {
  expect(toHex(envelope.subarray(0, 2))).toBe("d86b");
  return envelope.subarray(2);
}

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
      // soft-failure has a meaning inside of a sequence only, which is no matter of encoding
      const [pair] = pairs(section(withCommands({ "directive-override-parameters": { [name]: value } }), spec.MAN_VALIDATE), false);
      expect(pair?.[0]).toBe(spec.DIR_OVERRIDE_PARAMETERS);
      expect(pairs(pair?.[1] ?? new Uint8Array(), true).map(([c, v]) => [c, toHex(v)])).toEqual([[code("PARAM_", name), hex]]);
    });
  }

  it("every parameter of the schema is among these, but image", () => {
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

  it("the digest of the manifest is by the hash that was asked for", () => {
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

describe("identifiers", () => {
  it("are UUID5 of domain and name", () => {
    expect(formatUuid(vendorUuid("arm.com"))).toBe("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
    expect(formatUuid(vendorUuid("ARM.com"))).toBe("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
    expect(formatUuid(vendorUuid("nordicsemi.com"))).toBe("7617daa5-71fd-5a85-8f94-e28d735ce9f4");
    expect(classUuid(vendorUuid("arm.com"), "a")).not.toEqual(classUuid(vendorUuid("arm.com"), "A"));
  });

  it("in text, either case, and nothing else", () => {
    const text = "0f0e0d0c-0b0a-0908-0706-050403020100";
    expect(formatUuid(parseUuid(text.toUpperCase()))).toBe(text);
    for (const bad of ["", text.slice(1), `{${text}}`, text.replaceAll("-", ""), `${text} `, text.replace("f", "g")])
      expect(() => parseUuid(bad)).toThrow(TypeError);
  });
});

describe("sequence numbers", () => {
  const cases: [number | string, string][] = [
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [2 ** 31 - 1, "1a7fffffff"],
    [2 ** 31, "1a80000000"],
    [2 ** 32 - 1, "1affffffff"],
    [2 ** 32, "1b0000000100000000"],
    [2 ** 53 - 1, "1b001fffffffffffff"],
    ["2147483648", "1a80000000"],
    ["4294967296", "1b0000000100000000"],
    ["9007199254740992", "1b0020000000000000"],
    ["9007199254740993", "1b0020000000000001"],
    ["9223372036854775808", "1b8000000000000000"],
    ["18446744073709551615", "1bffffffffffffffff"],
  ];
  for (const [sequence, hex] of cases) {
    it(`${typeof sequence} ${sequence}`, async () => {
      const envelope = encode(least({ sequence }));
      const manifest = pairs(splitEnvelope(envelope).manifest, true);
      expect(toHex(manifest.find(([k]) => k === spec.MAN_SEQUENCE_NUMBER)?.[1] ?? [])).toBe(hex);
      const m = open(await signEnvelope(envelope, [signer(key)]), trust);
      expect((BigInt(m.sequence[0]) << 32n) | BigInt(m.sequence[1])).toBe(BigInt(sequence));
    });
  }
});

describe("severed elements", () => {
  const d = least({
    install: [{ "directive-override-parameters": { uri: "http://x/y" } }, "condition-abort"],
    "payload-fetch": ["condition-abort"],
    text: { en: { "update-description": "x".repeat(100) } },
    sever: ["install", "payload-fetch", "text"],
  });

  it("travel in the envelope, can be taken off and put back; signatures stay good", async () => {
    const full = await signEnvelope(encode(d), [signer(key)]);
    expect([...splitEnvelope(full).severed.keys()].sort((a, b) => a - b)).toEqual([16, 20, 23]);
    expect(open(full, trust).absent).toEqual([]);
    const bare = sever(full);
    expect(splitEnvelope(bare).severed.size).toBe(0);
    expect(open(bare, trust).absent).toEqual([16, 20, 23]);
    expect(toHex(reattach(bare, full))).toBe(toHex(full));
    const some = sever(full, [spec.MAN_TEXT]);
    expect([...splitEnvelope(some).severed.keys()].sort((a, b) => a - b)).toEqual([16, 20]);
    expect(toHex(reattach(bare, some))).toBe(toHex(some));
    expect(toHex(sever(full, []))).toBe(toHex(full));
    expect(toHex(splitEnvelope(full).manifest)).toBe(toHex(splitEnvelope(bare).manifest));
    // the same without severing is another manifest
    expect(toHex(splitEnvelope(encode({ ...d, sever: [] })).manifest)).not.toBe(toHex(splitEnvelope(full).manifest));
  });

  it("take the payloads with them that they alone fetch", () => {
    const fetch = (uri: string): Command[] => [{ "directive-override-parameters": { uri } }, "directive-fetch"];
    const full = encode(least({ install: fetch("#a"), load: fetch("#b"), sever: ["install"], payloads: { "#a": "aaa", "#b": "bbb" } }));
    const bare = sever(full);
    decodeEnvelope(bare);
    expect([...splitEnvelope(bare).payloads.keys()]).toEqual(["#b"]);
    expect(toHex(reattach(bare, full))).toBe(toHex(full));
  });

  it("of another release are not taken", async () => {
    const full = await signEnvelope(encode(d), [signer(key)]);
    const other = encode({ ...d, text: { en: { "update-description": "other" } } });
    expect(refusal(() => reattach(sever(full), other))).toBe("DIGEST_SEVERED");
    expect(refusal(() => reattach(encode(least()), full))).toBe("SEVERED_UNCOVERED");
  });
});

describe("payloads", () => {
  for (const n of [0, 1, 23, 24, 255, 256, 65535, 65536, 200_000]) {
    it(`${n} bytes`, async () => {
      const payload = Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 255);
      const d = singleImage({
        sequence: 1,
        vendor: "example.com",
        class: "b",
        digest: sha256(payload),
        size: n,
        uri: "#firmware",
        payload,
      });
      const signed = await signEnvelope(encode(d), [signer(key)]);
      checkItem(untagged(signed));
      const parts = splitEnvelope(signed);
      expect(parts.payloads.get("#firmware")).toEqual(payload);
      expect(open(signed, trust).payloads.map((p) => p.content.n)).toEqual([n]);
    });
  }
});

describe("resolve()", () => {
  const store: { [path: string]: Uint8Array } = { a: Uint8Array.of(1, 2, 3), b: new TextEncoder().encode("bb"), empty: new Uint8Array() };
  const files = {
    hash: async (path: string, algorithm: string) => ({
      digest: new Uint8Array(
        createHash(algorithm.replace("-", ""))
          .update(store[path] as Uint8Array)
          .digest(),
      ),
      size: (store[path] as Uint8Array).length,
    }),
    read: async (path: string) => store[path] as Uint8Array,
  };

  it("puts digests, sizes and contents where files are named, wherever that is", async () => {
    const image = (ref: object) => ({ "directive-override-parameters": { image: ref } });
    const set = (ref: object) => ({ "directive-override-parameters": { "image-digest": ref } });
    const d = least({
      components: [[{ file: "b" }]],
      "shared-sequence": [image({ file: "a" })],
      validate: [
        { "directive-try-each": [[image({ file: "a", algorithm: "sha-512" })], ["condition-abort"], null] },
        { "directive-run-sequence": [set({ file: "empty" })] },
        set({ payload: "#p", algorithm: "sha-384" }),
      ],
      load: [
        { "directive-override-parameters": { content: { file: "a" }, "invoke-args": { file: "b" }, "fetch-args": { hex: "00" } } },
        { "condition-abort": 1 },
      ],
      install: [image({ payload: "#p" }), { "directive-override-parameters": { uri: "#p" } }, "directive-fetch"],
      payloads: { "#p": { file: "a" } },
    });
    const before = JSON.stringify(d);
    const out = await resolve(d, files);
    expect(JSON.stringify(d)).toBe(before);
    const hash = (alg: string, path: string) =>
      createHash(alg)
        .update(store[path] as Uint8Array)
        .digest("hex");
    const sized = (algorithm: string, path: string) => ({
      "directive-override-parameters": {
        "image-digest": { algorithm, hex: hash(algorithm.replace("-", ""), path) },
        "image-size": (store[path] as Uint8Array).length,
      },
    });
    expect(out.components).toEqual([[store["b"]]]);
    expect(out["shared-sequence"]).toEqual([sized("sha-256", "a")]);
    expect(out.validate).toEqual([
      { "directive-try-each": [[sized("sha-512", "a")], ["condition-abort"], null] },
      { "directive-run-sequence": [set({ algorithm: "sha-256", hex: hash("sha256", "empty") })] },
      set({ algorithm: "sha-384", hex: hash("sha384", "a") }),
    ]);
    expect(out.load?.[0]).toEqual({
      "directive-override-parameters": { content: store["a"], "invoke-args": store["b"], "fetch-args": { hex: "00" } },
    });
    expect(out.install?.[0]).toEqual(sized("sha-256", "a"));
    expect(out.payloads).toEqual({ "#p": store["a"] });
    expect(splitEnvelope(encode(out)).payloads.get("#p")).toEqual(store["a"]);
    // nothing is left to resolve
    expect(
      toHex(encode(await resolve(out, { hash: () => Promise.reject(new Error("asked")), read: () => Promise.reject(new Error("asked")) }))),
    ).toBe(toHex(encode(out)));
  });

  it("an error of the file system comes through; a payload that is not there is told", async () => {
    const d = withCommands({ "directive-override-parameters": { image: { file: "x" } } });
    const gone = Object.assign(new Error("no such file"), { code: "ENOENT" });
    await expect(resolve(d, { ...files, hash: () => Promise.reject(gone) })).rejects.toBe(gone);
    for (const payload of ["#x", "__proto__", "constructor"])
      await expect(resolve(withCommands({ "directive-override-parameters": { image: { payload } } }), files)).rejects.toThrow(
        DescriptionError,
      );
    await expect(resolve({ $schema: SCHEMA }, files)).rejects.toThrow(DescriptionError);
  });

  it("keeps a payload whose URI is a name that objects have", async () => {
    const d = JSON.parse(
      `{"$schema":"${SCHEMA}","sequence":1,"components":[[]],"install":[{"directive-override-parameters":{"uri":"__proto__","image":{"payload":"__proto__"}}},"directive-fetch"],"payloads":{"__proto__":"abc"}}`,
    ) as Description;
    const envelope = encode(await resolve(d, files));
    expect(splitEnvelope(envelope).payloads.get("__proto__")).toEqual(new TextEncoder().encode("abc"));
  });
});

describe("the import of old descriptions", () => {
  it("refuses what it cannot carry over, and changes no object but its own", () => {
    const anything = fc.object({
      key: fc.constantFrom(
        "components",
        "manifest-version",
        "manifest-sequence-number",
        "install-id",
        "description",
        "en",
        "slot",
        "uri",
        "install-digest",
        "__proto__",
        "constructor",
      ),
      maxDepth: 4,
    });
    const source = fc.record(
      {
        "manifest-version": fc.constant(1),
        "manifest-sequence-number": fc.nat(),
        components: fc.array(
          fc.oneof(
            anything,
            fc.record(
              {
                "install-id": fc.array(fc.constantFrom("00", "0", "zz")),
                description: anything,
                uri: fc.string(),
                slot: fc.nat(3),
                bootable: fc.boolean(),
              },
              { requiredKeys: ["install-id"] },
            ),
          ),
          { maxLength: 3 },
        ),
        description: anything,
      },
      { requiredKeys: ["manifest-version", "manifest-sequence-number", "components"] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), source), (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        try {
          encode(importSuitTool(parsed).description);
        } catch (e) {
          if (!(e instanceof DescriptionError) && typeof (e as Refusal).code !== "number") throw e;
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect(Object.keys(Object)).toEqual([]);
      }),
      { numRuns: LONG ? 500 : 100 },
    );
  });

  it("refuses a language that is a name of objects", () => {
    const text =
      '{"manifest-version":1,"manifest-sequence-number":1,"components":[{"install-id":["00"]}],"description":{"__proto__":{"update-description":"x"}}}';
    expect(wrongAt(JSON.parse(text), (v) => encode(importSuitTool(v).description))).toBe("/text");
    expect(({} as { [name: string]: unknown })["update-description"]).toBeUndefined();
  });
});

// Random descriptions. What only a device can judge is kept right: indices exist, payloads are fetched, the nesting is shallow.

const octets = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 40 }).map((b) => ({ hex: toHex(b) })),
);
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatUuid);
const domain = fc.domain();
const uriText = fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((c) => String.fromCharCode(c)), minLength: 1, maxLength: 30 });
const hashName = fc.constantFrom("sha-256", "sha-384", "sha-512");
const BYTES: { [name: string]: number } = { "sha-256": 32, "sha-384": 48, "sha-512": 64 };
const size = fc.oneof(fc.nat(300), fc.maxSafeNat());
const digestValue = hashName.chain((algorithm) =>
  fc
    .uint8Array({ minLength: BYTES[algorithm] as number, maxLength: BYTES[algorithm] as number })
    .map((b) => ({ algorithm, hex: toHex(b) })),
);
const text = fc.string({ unit: "binary", maxLength: 300 });

const parametersOf = (components: number, uris: fc.Arbitrary<string>) =>
  fc
    .record(
      {
        "vendor-identifier": fc.oneof(
          uuid,
          domain.map((d) => ({ domain: d })),
        ),
        "class-identifier": fc.oneof(
          uuid,
          fc.tuple(domain, fc.string({ minLength: 1 })).map(([d, name]) => ({ domain: d, name })),
        ),
        "device-identifier": uuid,
        "image-digest": digestValue,
        "image-size": size,
        "component-slot": size,
        "strict-order": fc.boolean(),
        "soft-failure": fc.boolean(),
        content: octets,
        uri: uris,
        "source-component": fc.nat(components - 1),
        "invoke-args": octets,
        "fetch-args": octets,
      },
      { requiredKeys: [] },
    )
    .filter((p) => Object.keys(p).length > 0);

const SAFE = [
  "condition-vendor-identifier",
  "condition-class-identifier",
  "condition-device-identifier",
  "condition-image-match",
  "condition-component-slot",
  "condition-check-content",
  "condition-abort",
];
const ACTS = ["directive-write", "directive-fetch", "directive-copy", "directive-invoke", "directive-swap"];

function commandsOf(components: number, uris: fc.Arbitrary<string>, names: string[], depth: number): fc.Arbitrary<Command[]> {
  const name = fc.constantFrom(...names);
  const simple: fc.Arbitrary<unknown>[] = [
    name,
    fc.tuple(name, fc.nat(15)).map(([n, policy]) => ({ [n]: policy })),
    fc
      .oneof(fc.nat(components - 1), fc.constant(true), fc.uniqueArray(fc.nat(components - 1), { minLength: 1 }))
      .map((index) => ({ "directive-set-component-index": index })),
    parametersOf(components, uris).map((p) => ({ "directive-override-parameters": p })),
  ];
  if (depth > 0) {
    const inner = commandsOf(components, uris, names, depth - 1);
    simple.push(
      inner.map((list) => ({ "directive-run-sequence": list })),
      fc.tuple(inner, inner, fc.boolean()).map(([a, b, none]) => ({ "directive-try-each": none ? [a, b, null] : [a, b] })),
    );
  }
  return fc.array(fc.oneof(...simple), { minLength: 1, maxLength: 5 }) as fc.Arbitrary<Command[]>;
}

const descriptions: fc.Arbitrary<Description> = fc
  .record({
    components: fc.uniqueArray(
      fc.array(
        fc.uint8Array({ maxLength: 30 }).map((b) => ({ hex: toHex(b) })),
        { maxLength: 5 },
      ),
      { minLength: 1, maxLength: 16, selector: (id) => JSON.stringify(id) },
    ),
    payloads: fc.uniqueArray(fc.tuple(uriText, octets), { maxLength: 4, selector: ([uri]) => uri }),
  })
  .chain(({ components, payloads }) => {
    const n = components.length;
    const uris = payloads.length > 0 ? fc.oneof(uriText, fc.constantFrom(...payloads.map(([u]) => u))) : uriText;
    const section = fc.option(commandsOf(n, uris, [...SAFE, ...ACTS], 2), { nil: undefined });
    const entry = fc.record({
      "manifest-description": text,
      "update-description": text,
      components: fc.uniqueArray(fc.record({ component: fc.nat(n - 1), "vendor-name": text, "component-version": text }), {
        selector: (c) => c.component,
        maxLength: 3,
      }),
    });
    return fc
      .record({
        sequence: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)),
        reference: fc.option(uriText, { nil: undefined }),
        shared: fc.option(commandsOf(n, uris, SAFE, 2), { nil: undefined }),
        validate: section,
        load: section,
        invoke: section,
        fetch: section,
        install: section,
        text: fc.option(fc.dictionary(fc.constantFrom("en", "de", "pt-BR", "zh-Hans-CN"), entry, { minKeys: 1, noNullPrototype: true }), {
          nil: undefined,
        }),
        severed: fc.subarray(["payload-fetch", "install", "text"] as const),
        digest: fc.option(hashName, { nil: undefined }),
      })
      .map((r): Description => {
        const d: { [name: string]: unknown } = { $schema: SCHEMA, sequence: r.sequence, components };
        const put = (name: string, value: unknown) => {
          if (value !== undefined) d[name] = value;
        };
        put("reference-uri", r.reference);
        put("shared-sequence", r.shared);
        put("validate", r.validate);
        put("load", r.load);
        put("invoke", r.invoke);
        put("payload-fetch", r.fetch);
        // each payload is fetched somewhere
        const fetched = payloads.map(([uri]) => ({ "directive-override-parameters": { uri } }));
        put("install", fetched.length > 0 ? [...fetched, ...(r.install ?? [])] : r.install);
        put("text", r.text);
        put("digest", r.digest);
        if (payloads.length > 0) d["payloads"] = Object.fromEntries(payloads);
        const sever = r.severed.filter((name) => d[name] !== undefined);
        if (sever.length > 0) d["sever"] = sever;
        return d as unknown as Description;
      });
  });

describe("random descriptions", () => {
  it("encode to envelopes that are strict, the same each time, and say what was described", () => {
    fc.assert(
      fc.property(descriptions, (d) => {
        const json: unknown = JSON.parse(JSON.stringify(d, (_, v: unknown) => (ArrayBuffer.isView(v) ? "" : v)));
        expect(built(json, "manifest")).toEqual([]);
        const envelope = encode(d);
        expect(toHex(encode(structuredClone(d)))).toBe(toHex(envelope));
        checkItem(untagged(envelope));
        const parts = splitEnvelope(envelope);
        checkItem(parts.manifest);
        checkItem(parts.digest);
        // a text's keys may be component identifiers, which only decodeEnvelope() takes as keys
        for (const [key, element] of parts.severed) if (key !== spec.MAN_TEXT) checkItem(element);
        const m = decodeEnvelope(envelope);
        expect((BigInt(m.manifest.sequence[0]) << 32n) | BigInt(m.manifest.sequence[1])).toBe(BigInt(d.sequence));
        expect(m.manifest.components.map((id) => id.map(toHex))).toEqual(
          d.components.map((id) => id.map((part) => (part as { hex: string }).hex)),
        );
        expect(m.manifest.referenceUri).toBe(d["reference-uri"] ?? null);
        expect(m.manifest.digests.map((x) => MANIFEST_NAMES[x.number]).sort()).toEqual([...(d.sever ?? [])].sort());
        expect(m.absent).toEqual([]);
        const bytesOf = (v: unknown) =>
          typeof v === "string"
            ? new TextEncoder().encode(v)
            : v instanceof Uint8Array
              ? v
              : Buffer.from((v as { hex: string }).hex, "hex");
        for (const [uri, value] of Object.entries(d.payloads ?? {}))
          expect(toHex(parts.payloads.get(uri) ?? [])).toBe(toHex(bytesOf(value)));
        expect(parts.payloads.size).toBe(Object.keys(d.payloads ?? {}).length);
        for (const element of m.manifest.commands) {
          const list = d[MANIFEST_NAMES[element.number] as "install"] as Command[];
          enter(m.envelope.input, element.inside);
          expect(countCommands()).toBe(list.length);
        }
        for (const { language, texts } of m.text) {
          const given = d.text?.[Buffer.from(Uint8Array.from(language)).toString()];
          expect(texts.map((t) => Buffer.from(Uint8Array.from(t.text)).toString())).toEqual([
            given?.["manifest-description"],
            given?.["update-description"],
          ]);
        }
        const bare = sever(envelope);
        expect(toHex(reattach(bare, envelope))).toBe(toHex(envelope));
      }),
      { numRuns: LONG ? 150 : 50 },
    );
  });

  it("survive JSON, but for octets given as such", async () => {
    await fc.assert(
      fc.asyncProperty(descriptions, async (d) => {
        const asHex = (v: unknown): unknown =>
          v instanceof Uint8Array
            ? { hex: toHex(v) }
            : Array.isArray(v)
              ? v.map(asHex)
              : typeof v === "object" && v !== null
                ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, asHex(x)]))
                : v;
        const text: Description = JSON.parse(JSON.stringify(asHex(d))) as Description;
        const none = () => Promise.reject(new Error("asked"));
        expect(toHex(encode(await resolve(text, { hash: none, read: none })))).toBe(toHex(encode(d)));
      }),
      { numRuns: 60 },
    );
  });
});

function countCommands(): number {
  const n = array();
  for (let i = 0; i < n; i++) skip();
  return n / 2;
}

it("content() reads what encode() wrote", () => {
  startReading(splitEnvelope(encode(least())).manifest);
  expect(map()).toBe(3);
  expect([int(), int(), int(), int(), int()]).toEqual([1, 1, 2, 1, 3]);
  expect(toHex(content())).toBe("a10281814100");
});
