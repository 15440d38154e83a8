// Random descriptions: what is written is read back, and the verifier accepts it.

import * as spec from "@firmseal/verifier/tools";
import { decodeEnvelope, MANIFEST_NAMES, toHex } from "@firmseal/verifier/tools";
import { Encoder, Tag } from "cbor-x";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCharacter } from "../../test-support/src/characters.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { array, bstr, checkItem, copyBytes, enter, input, int, map, skip, startReading } from "../../verifier/src/cbor/reader.js";
import { Tagged as BuiltTagged, encodeCbor as builtCbor } from "../lib/cbor.js";
import { violations as built } from "../lib/description/schema.js";
import { type Encodable, encodeCbor, Tagged } from "../src/cbor.js";
import { fits } from "../src/description/fits.js";
import { type Violation, violations } from "../src/description/schema.js";
import { type Command, type Description, encode, reattach, resolve, SCHEMA, sever, splitEnvelope } from "../src/index.js";
import { least, text, untagged, uuid } from "./encode-common.js";

const content = (): Uint8Array => {
  const s = bstr();
  return Uint8Array.from(copyBytes(input, s.at, s.n));
};
// Random descriptions. What only a device can judge is kept right: indices exist, payloads are fetched, the nesting is shallow.

const octets = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 20 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 40 }).map((b) => ({ hex: toHex(b) })),
);
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
/** The value with one member, at any depth, that is another or is not there. `where`: which one, modulo their number. */
function changed(value: unknown, where: number, into: unknown): unknown {
  const copy: unknown = structuredClone(value);
  const places: (() => void)[] = [];
  const visit = (holder: unknown) => {
    if (typeof holder !== "object" || holder === null) return;
    const members = holder as { [name: string]: unknown };
    for (const name of Object.keys(members)) {
      places.push(() => {
        if (into === undefined && !Array.isArray(holder)) delete members[name];
        else members[name] = into;
      });
      visit(members[name]);
    }
  };
  visit(copy);
  places[where % places.length]?.();
  return copy;
}

describe("random descriptions", () => {
  it("changed at one place, are valid or not also for what the build makes of the schema, with the same faults", () => {
    const faults = (all: readonly Violation[]) =>
      all.map(({ instancePath, keyword, params, message }) => ({ instancePath, keyword, params, message }));
    let wrong = 0;
    fc.assert(
      fc.property(descriptions, fc.nat(10_000), fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }), (d, where, into) => {
        const json: unknown = JSON.parse(JSON.stringify(d, (_, v: unknown) => (ArrayBuffer.isView(v) ? "" : v)));
        const other = changed(json, where, into);
        const expected = faults(violations(other, "manifest"));
        if (expected.length > 0) wrong++;
        expect(faults(built(other, "manifest"))).toEqual(expected);
      }),
      { numRuns: LONG ? 2_000 : 150 },
    );
    expect(wrong).toBeGreaterThan(100);
  });

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
      { numRuns: LONG ? 150 : 25 },
    );
  });

  it("survive JSON, except for octets given as such", async () => {
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

it("writes what cbor-x writes, in src/ and as the build makes it", () => {
  // 1, 2, 3, 5 and 9 bytes
  const integer = fc.oneof(
    fc.integer({ min: -300, max: 300 }),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.integer({ min: -(2 ** 32), max: 2 ** 32 - 1 }),
    fc.constantFrom(...[23, 255, 65_535, 2 ** 32 - 1].flatMap((last) => [last, last + 1, -1 - last, -2 - last])),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  );
  const values = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      integer,
      fc.string({ unit: anyCharacter, maxLength: 300 }),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 30 }),
      fc.array(fc.tuple(fc.oneof(integer, fc.string({ maxLength: 9 })), tie("value")), { maxLength: 30 }).map((pairs) => new Map(pairs)),
      fc.record({ tag: fc.nat(70_000), value: tie("value") }),
    ),
  })).value;
  /** The value, with tags of one of the modules. `sort`: for cbor-x, which writes maps as they are, and numbers of more than 32 bits as floats. */
  const withTags = (value: unknown, tagged: (tag: number, inside: unknown) => unknown, sort = false): unknown => {
    const inner = (one: unknown) => withTags(one, tagged, sort);
    if (Array.isArray(value)) return value.map(inner);
    if (value instanceof Map) {
      const pairs = [...value].map(([key, one]) => [inner(key), inner(one)] as const);
      return new Map(sort ? pairs.sort(([a], [b]) => Buffer.compare(library.encode(a), library.encode(b))) : pairs);
    }
    if (sort && (typeof value === "bigint" || typeof value === "number"))
      return value >= -(2 ** 32) && value < 2 ** 32 ? Number(value) : BigInt(value);
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
    const { tag, value: inside } = value as { tag: number; value: unknown };
    return tagged(tag, inner(inside));
  };
  const library = new Encoder({
    mapsAsObjects: false,
    useRecords: false,
    tagUint8Array: false,
    variableMapSize: true,
    // its types do not have it
    ...{ useTag259ForMaps: false },
  });
  const outcome = (encodes: () => Uint8Array) => {
    try {
      return toHex(encodes());
    } catch (e) {
      return String(e);
    }
  };
  fc.assert(
    fc.property(values, (value) => {
      const all = withTags(value, (tag, inside) => new Tagged(tag, inside as Encodable)) as Encodable;
      const own = withTags(value, (tag, inside) => new BuiltTagged(tag, inside as Encodable)) as Encodable;
      const written = outcome(() => encodeCbor(all));
      expect(outcome(() => builtCbor(own))).toBe(written);
      if (written.startsWith("TypeError: a map key is given twice")) return;
      expect(written).toBe(toHex(library.encode(withTags(value, (tag, inside) => new Tag(inside, tag), true))));
    }),
    { numRuns: LONG ? 5_000 : 300 },
  );
});

it("the schema check counts characters, compares types, and throws for an unknown keyword", () => {
  expect(["\u{1f512}", "\u{1f512}\u{1f512}"].map((text) => fits(text, { minLength: 2 }))).toEqual([false, true]);
  expect([1, "1", 1.5, null, [], {}].map((value) => fits(value, { type: ["integer", "null"] }))).toEqual([
    true,
    false,
    false,
    true,
    false,
    false,
  ]);
  expect(
    [
      [1, "1"],
      [1, 1],
    ].map((list) => fits(list, { uniqueItems: true })),
  ).toEqual([true, false]);
  for (const keyword of ["maxLength", "anyOf", "constructor"]) expect(() => fits("", { [keyword]: 1 })).toThrow(`a schema with ${keyword}`);
});
