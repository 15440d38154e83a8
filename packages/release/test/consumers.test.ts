// What consumers accept: each rule of the table with an envelope that it refuses and one that it lets pass, and third-party envelopes.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type BoardRelease,
  boardRelease,
  type Command,
  type Description,
  draftOf,
  EnvelopeDraft,
  privateKey,
  SCHEMA,
  signEnvelopeWithoutLog,
  signer,
  withCoseAlg,
} from "@firmseal/signer";
import { COSE, decodeEnvelope } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { repositoryText } from "../../test-support/src/repository.js";
import { haveVectors, SPEC_P256_PRIVATE, vectorBytes } from "../../test-support/src/vectors.js";
import { algsOf, faultFor } from "../src/consumer/accepts.js";
import { type Consumer, type ConsumerName, consumerNames, consumerOf } from "../src/consumer/consumers.js";
import { coseAlgFor, coseAlgNames, isOtherName, namesFault } from "../src/consumer/cose-alg.js";
import { fitted } from "../src/consumer/recipe.js";
import { checkDraftFor, checkFor } from "../src/internal.js";

const { ALG_ES256, ALG_ESP256, ALG_ED25519, ALG_ML_DSA_65 } = COSE;
const URI = "https://example.com/app.bin";
const BASE: Command = {
  "directive-override-parameters": {
    "vendor-identifier": { domain: "example.com" },
    "class-identifier": { domain: "example.com", name: "board" },
    "image-digest": { hex: "11".repeat(32) },
    "image-size": 4,
  },
};
const FETCH: Command[] = [{ "directive-override-parameters": { uri: URI } }, "directive-fetch", "condition-image-match"];
const all: Command = { "directive-set-component-index": true };

/** A release that every consumer but the micro verifier accepts. */
const plain = (more: Partial<Description> = {}): Description => ({
  $schema: SCHEMA,
  sequence: 1,
  components: [["app"]],
  "shared-sequence": [BASE, "condition-vendor-identifier", "condition-class-identifier"],
  install: FETCH,
  validate: ["condition-image-match"],
  ...more,
});

const several = (n: number, shared: Command[]): Description =>
  plain({
    components: Array.from({ length: n }, (_, i) => [`c${i}`]),
    "shared-sequence": [...shared, BASE, "condition-vendor-identifier", "condition-class-identifier"],
    install: [all, ...FETCH],
    validate: [all, "condition-image-match"],
  });

const slot = (n: number): Command[] => [
  { "directive-override-parameters": { "component-slot": n } },
  "condition-component-slot",
  { "directive-override-parameters": { uri: URI } },
];
/** An alternative for the devices of a class. */
const ofClass = (n: number, uri: string | undefined, ...more: Command[]): Command[] => [
  { "directive-override-parameters": { "class-identifier": `${n}0000000-0000-5000-8000-000000000000` } },
  "condition-class-identifier",
  ...(uri === undefined ? [] : [{ "directive-override-parameters": { uri } }]),
  ...more,
];
const tryEach = (...alternatives: (Command[] | null)[]): Command => ({ "directive-try-each": alternatives });
const then: Command[] = ["directive-fetch", "condition-image-match"];

const DESCRIPTIONS = {
  plain: plain(),
  invoke: plain({ invoke: ["directive-invoke"] }),
  inside: plain({ install: [{ "directive-override-parameters": { uri: "#app" } }, ...then], payloads: { "#app": "1234" } }),
  severed: plain({ sever: ["install"] }),
  text: plain({ text: { en: { "update-description": "a text" } } }),
  "severed text": plain({ text: { en: { "update-description": "a text" } }, sever: ["text"] }),
  slots: plain({ install: [tryEach(slot(0), slot(1)), ...then] }),
  "same slot": plain({ install: [tryEach(slot(0), slot(0)), ...then] }),
  // a device can have several classes
  "a URI for each class": plain({ install: [tryEach(ofClass(1, URI), ofClass(2, `${URI}2`)), ...then] }),
  "a URI for one class only": plain({ install: [BASE, tryEach(ofClass(1, URI), ofClass(2, undefined)), ...then] }),
  "a fetch for each class": plain({ install: [tryEach(ofClass(1, URI, ...then), ofClass(2, `${URI}2`, ...then))] }),
  "first that matches": plain({ install: [tryEach(["condition-image-match"], FETCH)] }),
  nil: plain({ install: [tryEach(slot(0), slot(1), null), ...then] }),
  nested: plain({
    install: [tryEach([...slot(0), tryEach(slot(0), slot(1))], slot(1)), ...then],
  }),
  sequence: plain({ install: [{ "directive-run-sequence": FETCH }] }),
  "two components": several(2, [all]),
  "three components": several(3, [all]),
  "four components": several(4, [all]),
  "index not first": several(2, ["condition-abort", all]),
  "no shared sequence": { ...plain({ install: [BASE, ...FETCH] }), "shared-sequence": undefined } as unknown as Description,
  "manifest of SHA-384": plain({ digest: "sha-384" }),
  "image of SHA-512": plain({
    "shared-sequence": [
      BASE,
      { "directive-override-parameters": { "image-digest": { algorithm: "sha-512", hex: "11".repeat(64) } } },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ],
  }),
  "URI of 255 bytes": plain({ install: [{ "directive-override-parameters": { uri: URI.padEnd(255, "x") } }, ...then] }),
  "URI of 256 bytes": plain({ install: [{ "directive-override-parameters": { uri: URI.padEnd(256, "x") } }, ...then] }),
  "soft failure": plain({ install: [{ "directive-override-parameters": { "soft-failure": true } }, ...FETCH] }),
  "strict order": plain({ install: [{ "directive-override-parameters": { "strict-order": true } }, ...FETCH] }),
  "reference URI": plain({ "reference-uri": "https://example.com/1.suit" }),
} satisfies { [name: string]: Description };

type Name = keyof typeof DESCRIPTIONS;

/** What each consumer refuses, and what it says. It accepts the others. */
const REFUSED: { readonly [consumer in Exclude<ConsumerName, "micro">]: { readonly [name in Name]?: RegExp } } = {
  "ariel-os": {
    invoke: /has invoke/,
    inside: /payload #app is in the envelope/,
    severed: /install is severed/,
    "severed text": /text is severed/,
    nil: /ends with nil/,
    nested: /in another one/,
    sequence: /directive-run-sequence/,
    "index not first": /does not begin with directive-set-component-index/,
    "no shared sequence": /no shared sequence/,
    "soft failure": /parameter soft-failure/,
    "strict order": /parameter strict-order/,
  },
  libcsuit: {
    "same slot": /two alternatives/,
    "a URI for one class only": /two alternatives/,
    "a fetch for each class": /two alternatives/,
    "first that matches": /two alternatives/,
    "four components": /4 components; the limit is 3/,
    "manifest of SHA-384": /digest of sha-384/,
    "image of SHA-512": /image digest uses sha-512/,
    "URI of 256 bytes": /256 bytes; the limit is 255/,
    "soft failure": /parameter soft-failure/,
  },
  generic: {
    "manifest of SHA-384": /digest of sha-384/,
    "image of SHA-512": /image digest uses sha-512/,
  },
};

const faultOf = (row: Consumer, bytes: Uint8Array, algs: readonly number[]) => faultFor(row, bytes, decodeEnvelope(bytes), algs);

describe("what a consumer accepts", () => {
  describe.each(Object.keys(REFUSED) as (keyof typeof REFUSED)[])("%s", (name) => {
    it.each(Object.keys(DESCRIPTIONS) as Name[])("%s", (which) => {
      const { bytes } = draftOf(DESCRIPTIONS[which]);
      const row = consumerOf(name);
      const fault = faultOf(row, bytes, [(row.algs as readonly number[])[0] as number]);
      const wanted = REFUSED[name][which];
      if (wanted === undefined) expect(fault).toBeUndefined();
      else {
        expect(fault?.what).toMatch(wanted);
        expect(fault?.hint).toMatch(/^[a-z].{8,}[^.]$/);
      }
    });

    it("catches at least one of these, and lets the plain one pass", () => {
      expect(Object.keys(REFUSED[name]).length).toBeGreaterThan(1);
      expect(REFUSED[name]).not.toHaveProperty("plain");
    });
  });

  it.each([
    ["ariel-os", [ALG_ES256], undefined],
    ["ariel-os", [ALG_ESP256], "a signature names algorithm esp256, not es256"],
    ["ariel-os", [ALG_ES256, ALG_ES256], "it has 2 signatures; the limit is 1"],
    ["libcsuit", [ALG_ESP256], undefined],
    ["libcsuit", [ALG_ES256, ALG_ESP256], undefined],
    ["libcsuit", [ALG_ED25519], "a signature names algorithm ed25519, not esp256 or es256"],
    ["libcsuit", Array.from({ length: 7 }, () => ALG_ESP256), "it has 7 signatures; the limit is 6"],
    ["generic", [ALG_ED25519], undefined],
    ["generic", [ALG_ED25519, ALG_ML_DSA_65], "a signature names algorithm ml-dsa-65, not esp256, ed25519 or hss-lms"],
    ["generic", [ALG_ES256], "a signature names algorithm es256, not esp256, ed25519 or hss-lms"],
  ] as const)("%s with signatures %j", (name, algs, what) => {
    expect(faultOf(consumerOf(name), draftOf(DESCRIPTIONS.plain).bytes, algs)?.what).toBe(what);
  });

  it("the check of an unsigned envelope counts the existing signatures, and those to come", async () => {
    const draft = draftOf(DESCRIPTIONS.plain);
    await expect(checkDraftFor("ariel-os", draft, [])).resolves.toBeUndefined();
    await expect(checkDraftFor("ariel-os", draft, [ALG_ESP256])).rejects.toMatchObject({ code: "ERR_CONSUMER", number: 217, exit: 1 });
    const once = await signEnvelopeWithoutLog(draft.bytes, [withCoseAlg(signer(privateKey("es256", SPEC_P256_PRIVATE)), ALG_ES256)]);
    checkFor("ariel-os", once);
    await expect(checkDraftFor("ariel-os", EnvelopeDraft.read(once), [ALG_ES256])).rejects.toThrow("2 signatures");
    expect(() => checkFor("generic", once)).toThrow("not for generic: a signature names algorithm es256");
    expect(() => checkFor("micro", once)).toThrow("not for a micro verifier");
  });
});

describe.skipIf(!haveVectors)("third-party envelopes (third-party vectors)", () => {
  const fault = (name: ConsumerName, bytes: Uint8Array) =>
    faultOf(
      consumerOf(name),
      bytes,
      decodeEnvelope(bytes).signatures.map(({ alg }) => alg),
    )?.what;

  it("the sample of Dress-Up is for ariel-os", () => {
    const sample = vectorBytes("field/dress-up/minimal.suit");
    expect(fault("ariel-os", sample)).toBeUndefined();
    expect(fault("generic", sample)).toContain("es256");
  });

  it.each(["exp0", "exp1", "exp3"])("%s of libcsuit is for libcsuit", (one) => {
    expect(fault("libcsuit", vectorBytes(`suit/libcsuit/suit_manifest_${one}.suit`))).toBeUndefined();
  });

  // those that start the image: the parser of ariel-os does not
  it.each([
    ["example0", /has invoke/, undefined],
    ["example1", undefined, undefined],
    ["example2", /has invoke/, undefined],
    ["example3", undefined, undefined],
    ["example4", /has invoke/, undefined],
    ["example5", /has invoke/, undefined],
  ] as const)("%s of the draft", (example, ariel, libcsuit) => {
    const bytes = vectorBytes(`suit/manifest-spec/${example}.signed.suit`);
    const found = { ariel: fault("ariel-os", bytes), libcsuit: fault("libcsuit", bytes) };
    if (ariel) expect(found.ariel).toMatch(ariel);
    else expect(found.ariel).toBeUndefined();
    expect(found.libcsuit).toBe(libcsuit);
  });
});

describe("which COSE algorithm a signature names", () => {
  const p256 = privateKey("es256", SPEC_P256_PRIVATE);
  const ed = privateKey("ed25519", new Uint8Array(32).fill(5));
  const ml = { alg: "ml-dsa-65" as const, key: new Uint8Array(1952) };

  it("names can be chosen where there are two", () => {
    expect([...coseAlgNames].sort()).toEqual(["ed25519", "eddsa", "es256", "esp256"]);
  });

  const KEYS = { p256, ed, ml };
  it.each([
    ["p256", {}, "esp256"],
    ["ed", {}, "ed25519"],
    ["p256", { coseAlg: ["es256"] }, "es256"],
    ["ed", { coseAlg: ["es256", "eddsa"] }, "eddsa"],
    ["p256", { for: "ariel-os" as const }, "es256"],
    ["p256", { for: "libcsuit" as const }, "esp256"],
    ["p256", { for: "libcsuit" as const, coseAlg: ["es256"] }, "es256"],
    ["p256", { for: "micro" as const, coseAlg: ["es256"] }, "es256"],
    ["ml", {}, "ml-dsa-65"],
  ] as const)("%s, %j: %s", (key, choice, name) => {
    expect(algsOf({ ...consumerOf("generic"), algs: [coseAlgFor(KEYS[key], choice)] })).toBe(name);
  });

  it.each([
    [
      "ed",
      { for: "ariel-os" as const },
      "not for ariel-os: the signature would name ed25519, not es256",
      /P-256 key: firmseal keygen --alg es256/,
    ],
    [
      "p256",
      { for: "ariel-os" as const, coseAlg: ["esp256"] },
      "not for ariel-os: the signature would name esp256, not es256",
      /`coseAlg`/,
    ],
    ["ml", { for: "generic" as const }, "not for generic: the signature would name ml-dsa-65, not esp256, ed25519 or hss-lms", /keygen/],
  ] as const)("%s, %j: %s", (key, choice, message, hint) => {
    expect(() => coseAlgFor(KEYS[key], choice)).toThrow(
      expect.objectContaining({ message, hint: expect.stringMatching(hint), code: "ERR_CONSUMER" }),
    );
  });

  it("refuses two names for one kind of key, and a name for no key", () => {
    expect(namesFault(["es256", "eddsa"], [p256, ed])).toBeUndefined();
    expect(namesFault(["es256", "eddsa"], [p256])).toBeUndefined();
    expect(namesFault(["es256", "eddsa"], [ml])?.what).toBe("es256 and eddsa: none of the signing keys is a P-256 key");
    expect(namesFault(["es256", "esp256"], [p256])?.what).toBe("es256 and esp256 are for the same keys");
    expect(namesFault(["eddsa"], [p256])?.what).toBe("eddsa: none of the signing keys is an Ed25519 key");
    expect([isOtherName(ALG_ES256, "esp256"), isOtherName(ALG_ESP256, "esp256"), isOtherName(ALG_ED25519, "esp256")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("refuses a number of another algorithm", () => {
    expect(() => withCoseAlg(signer(p256), ALG_ED25519)).toThrow("COSE algorithm -19 is not for keys of es256");
  });
});

/** Images of 4 and 5 bytes: for two slots, and for a second component. */
const image = (content: string, uri: string) => {
  const bytes = Buffer.from(content);
  return {
    digest: createHash("sha256").update(bytes).digest("hex"),
    size: bytes.length,
    uri,
    ...(uri.startsWith("#") && { payload: bytes }),
  };
};
const release = (more: Partial<BoardRelease>): BoardRelease => ({
  sequence: 7,
  vendor: "example.com",
  classes: ["board-a"],
  components: [{ images: [image("zero", "https://example.com/0.bin")] }],
  ...more,
});
const BIG = release({
  classes: ["board-a", "board-b"],
  components: [
    { images: [image("zero", "https://example.com/0.bin"), image("first", "https://example.com/1.bin")] },
    { component: ["radio"], images: [image("radio", "https://example.com/radio.bin")] },
  ],
  text: { en: { components: [{ component: 0, "component-version": "1.4.2" }] } },
});

/** The files in conformance/consumers, which scripts/consumers.mjs gives to the parsers. If one changes, it must be tried again. */
const TRIED: readonly [file: string, consumer: ConsumerName, BoardRelease, cose?: number][] = [
  ["ariel-os-one-image", "ariel-os", release({})],
  ["ariel-os-two-slots-classes-and-components", "ariel-os", BIG],
  ["libcsuit-one-image", "libcsuit", release({})],
  ["libcsuit-an-image-inside", "libcsuit", release({ components: [{ images: [image("zero", "#firmware")] }] })],
  ["libcsuit-two-slots-classes-and-components", "libcsuit", BIG],
  ["libcsuit-one-image-as-ES256", "libcsuit", release({}), ALG_ES256],
];

describe("the recipes", () => {
  it.each(TRIED)("%s is the envelope that was tried", async (file, name, facts, cose) => {
    const key = privateKey("es256", SPEC_P256_PRIVATE);
    const unsigned = draftOf(fitted(boardRelease(facts), consumerOf(name))).bytes;
    const bytes = await signEnvelopeWithoutLog(unsigned, [withCoseAlg(signer(key), cose ?? coseAlgFor(key, { for: name }))]);
    checkFor(name, bytes);
    const tried = readFileSync(new URL(`../../../conformance/consumers/${file}.suit`, import.meta.url));
    expect(Buffer.from(bytes).toString("hex")).toBe(tried.toString("hex"));
  });

  it("leave out only what the consumer does not accept", () => {
    const usual = boardRelease(BIG);
    expect(fitted(usual, consumerOf("generic"))).toEqual(usual);
    expect(fitted(usual, consumerOf("libcsuit"))).toEqual(usual);
    const { text, ...plainer } = usual;
    expect(text).toBeDefined();
    expect(fitted(usual, consumerOf("micro"))).toEqual(plainer);
    const { invoke, ...rest } = usual;
    expect(invoke).toBeDefined();
    expect(fitted(usual, consumerOf("ariel-os"))).toEqual(rest);
  });
});

describe("the one table", () => {
  it("is what the schema of product files offers", () => {
    const { $defs } = JSON.parse(repositoryText("packages/release/schema/product.schema.json"));
    expect($defs.consumer.enum).toEqual(consumerNames);
    expect([...$defs.coseAlg.items.enum].sort()).toEqual([...coseAlgNames].sort());
    expect([...(/\((.*)\)/.exec($defs.coseAlg.pattern)?.[1]?.split("|") ?? [])].sort()).toEqual([...coseAlgNames].sort());
  });

  it("is the table of docs/reference/consumers.md", () => {
    const rows = consumerNames.map((name) => {
      const row = consumerOf(name);
      return `| \`${name}\` | ${row.title} | ${algsOf(row)} | ${row.givenUp} | ${row.tried} |`;
    });
    const page = repositoryText("docs/reference/consumers.md").split("\n");
    expect(page.filter((line) => line.startsWith("| `")).slice(0, rows.length)).toEqual(rows);
  });
});
