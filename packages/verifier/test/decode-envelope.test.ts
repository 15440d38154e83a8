// A look into an envelope: what decodeEnvelope() says, also of what open() refuses, and the texts for people.

import { describe, expect, it } from "vitest";
import {
  array,
  ascii,
  bytes,
  C0,
  digest,
  type EnvelopeSpec,
  envelope,
  IMAGE,
  int,
  type ManifestSpec,
  manifest,
  map,
  NIL,
  type Pair,
  type Piece,
  payload,
  tag,
  text,
  update,
} from "../../../test-vectors/src/pieces/assemble.js";
import { open } from "../src/index.js";
import * as E from "../src/spec/errors.generated.js";
import { ENV_DELEGATION, ENV_MANIFEST, MAN_TEXT, TAG_ENVELOPE } from "../src/spec/suit.js";
import { decodeEnvelope } from "../src/tools/envelope.js";
import { refusalOf } from "./refusals.js";
import { trust } from "./releases.js";

const octets = (b: Piece) => Uint8Array.from(b);
const made = async (m: Piece, e: EnvelopeSpec = {}) => octets(await envelope(m, e));
const large = (n: number): Piece => bytes(new Uint8Array(n));

/** An envelope of a manifest with this text, in it or severed from it. */
const withText = (content: Piece, m: ManifestSpec = {}) => made(manifest({ ...m, more: [[MAN_TEXT, bytes(content)]] }));
const withSeveredText = (content: Piece) =>
  made(manifest({ more: [[MAN_TEXT, digest(bytes(content))]] }), { rest: [[int(MAN_TEXT), bytes(content)]] });

describe("an UnverifiedEnvelope", () => {
  it("has what was signed, and who claims to have signed it", async () => {
    const content = manifest();
    const { message, digest: sum, signatures, absent, text } = decodeEnvelope(await made(content, { blocks: [{}, { key: "b" }] }));
    expect(message).toEqual(octets(digest(bytes(content))));
    expect(sum).toEqual({ alg: -16, bytes: octets(digest(bytes(content))).slice(-32) });
    expect(signatures).toHaveLength(2);
    expect([absent, text]).toEqual([[], []]);
  });
  it("has nothing signed if there is no wrapper", () => {
    const bare = octets(tag(TAG_ENVELOPE, map([int(ENV_MANIFEST), bytes(manifest())])));
    const { message, digest: sum, signatures, manifest: m } = decodeEnvelope(bare);
    expect([message, sum, signatures, m.sequence]).toEqual([null, null, [], [0, 7]]);
    expect(refusalOf(open, bare, trust)[0]).toBe(E.ENVELOPE_NO_WRAPPER);
  });
  it("skips a delegation chain, which open() does not support", async () => {
    const chain: Pair = [int(ENV_DELEGATION), bytes(array())];
    const [head, ...rest] = await envelope(manifest(), { tag: null });
    expect(head).toBe(0xa2);
    const b = octets([0xa3, ...chain.flat(), ...rest]);
    expect(decodeEnvelope(b).envelope.severed).toEqual([]);
    expect(refusalOf(open, b, trust)[0]).toBe(E.NOT_SUPPORTED);
  });
  it("says where each payload is, with and without its name", async () => {
    const [a, b] = [payload(), payload([9, 9, 9], "#b")];
    const [name, content] = a;
    const whole = [...name, ...content];
    const e = await made(update(), { rest: [a] });
    const [found, ...none] = decodeEnvelope(e).envelope.payloads;
    const of = ({ at, n }: { at: number; n: number }) => Array.from(e.slice(at, at + n));
    expect(none).toEqual([]);
    expect(found?.uri).toBe("#fw");
    expect([found?.whole, found?.content].map((s) => s && of(s))).toEqual([whole, [...IMAGE]]);
    expect([found?.whole.n, found?.content.n]).toEqual([whole.length, IMAGE.length]);
    expect(refusalOf(decodeEnvelope, await made(update(), { rest: [b, a] }))[0]).toBe(E.PAYLOAD_UNREFERENCED);
  });
  it("may be of a manifest that is larger than a device can hold", async () => {
    const e = await withText(map([text("en"), map([int(1), text(new Array(70_000).fill(97))])]));
    expect(decodeEnvelope(e).text[0]?.texts[0]?.text).toHaveLength(70_000);
    expect(refusalOf(open, e, trust)[0]).toBe(E.HEAD_LENGTH);
    expect(refusalOf(open, e, trust, { memory: 71_000 })).toEqual([0, 0]);
  });
});

describe("what open() holds in RAM", () => {
  it("is 65,536 octets at most, and no text that was severed: no device executes it", async () => {
    const e = await withSeveredText(large(70_000));
    expect(refusalOf(open, e, trust)).toEqual([0, 0]);
    // where it may, it is read in place
    const head = await withText(large(70_000));
    const read = (at: number, n: number) => head.slice(at, at + n);
    expect(refusalOf(open, { length: head.length, read }, trust)[0]).toBe(E.HEAD_LENGTH);
    expect(refusalOf(open, { length: head.length, read, dangerouslyReadInPlace: true }, trust)).toEqual([0, 0]);
  });
});

describe("a text", () => {
  const english = (...pairs: Pair[]) => map([text("en"), map(...pairs)]);
  const two = array(bytes([1]), bytes([2]));

  it("is returned by language, for the manifest and its components, in the manifest or severed from it", async () => {
    const content = map(
      [text("de"), map([int(1), text("alles")])],
      [text("en"), map([int(1), text("all")], [int(4), text("yaml")], [C0, map([int(1), text("one")], [int(8), text("v")])], [two, map()])],
    );
    const told = [
      { language: octets(ascii("de")), texts: [{ key: 1, text: octets(ascii("alles")) }], components: [] },
      {
        language: octets(ascii("en")),
        texts: [
          { key: 1, text: octets(ascii("all")) },
          { key: 4, text: octets(ascii("yaml")) },
        ],
        components: [
          {
            id: [Uint8Array.of(0)],
            texts: [
              { key: 1, text: octets(ascii("one")) },
              { key: 8, text: octets(ascii("v")) },
            ],
          },
          { id: [Uint8Array.of(1), Uint8Array.of(2)], texts: [] },
        ],
      },
    ];
    expect(decodeEnvelope(await withText(content, { components: [C0, two] })).text).toEqual(told);
    const severed = map([text("de"), map([int(1), text("alles")])]);
    expect(decodeEnvelope(await withSeveredText(severed)).text).toEqual(told.slice(0, 1));
  });

  it.each([0, 5, 9, 1000, -1, -1000])("may have number %i, which has no meaning or is that of an application", async (key) => {
    const content = english([int(key), text("x")], [C0, map([int(key), text("y")])]);
    const [entry] = decodeEnvelope(await withText(content, { components: [C0, two] })).text;
    expect(entry?.texts).toEqual([{ key, text: octets(ascii("x")) }]);
    expect(entry?.components[0]?.texts).toEqual([{ key, text: octets(ascii("y")) }]);
  });

  it("is read once: what was compared with its digest is what is returned", async () => {
    const e = await withSeveredText(map([text("de"), map([int(1), text("alles")])]));
    const seen = new Array(e.length).fill(0);
    const read = (at: number, n: number) => {
      for (let i = 0; i < n; i++) seen[at + i]++;
      return e.slice(at, at + n);
    };
    expect(decodeEnvelope({ length: e.length, read }).text).toHaveLength(1);
    expect(Math.max(...seen)).toBe(1);
  });

  it.each<[string, Piece, number]>([
    ["of no language", map(), E.CBOR_TYPE],
    ["of two languages in the wrong order", map([text("en"), map()], [text("de"), map()]), E.CBOR_KEY_ORDER],
    ["whose language is a number", map([int(1), map()]), E.CBOR_TYPE],
    ["that is a byte string", english([int(1), bytes([1])]), E.CBOR_TYPE],
    ["that is null", english([int(1), NIL]), E.CBOR_TYPE],
    ["twice", english([int(1), text("x")], [int(1), text("y")]), E.CBOR_KEY_DUPLICATE],
    ["of a component, twice", english([C0, map()], [C0, map()]), E.CBOR_KEY_DUPLICATE],
    ["of a component before the manifest's", english([C0, map()], [int(1), text("x")]), E.CBOR_KEY_ORDER],
    ["of a component with no part", english([array(), map()]), E.TEXT_KEY],
    ["of the first part of a component", english([array(bytes([1])), map()]), E.TEXT_KEY],
    ["of a component and one part more", english([array(bytes([0]), bytes([0])), map()]), E.TEXT_KEY],
    ["of a component that differs in its last part", english([array(bytes([1]), bytes([3])), map()]), E.TEXT_KEY],
    ["with bytes behind it", [...english([int(1), text("x")]), 0], E.CBOR_TRAILING],
  ])("%s is refused", async (_, content, code) => {
    expect(refusalOf(decodeEnvelope, await withText(content, { components: [C0, two] }))[0]).toBe(code);
  });
});
