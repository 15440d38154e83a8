// CBOR that was made to hurt: deep, long, lying about its length. What comes back is a numbered refusal, after a number of steps that grows
// with the input and with memory that the input itself would fill.

import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  array,
  bytes,
  C0,
  digest,
  envelope,
  head,
  int,
  manifest,
  map,
  type Pair,
  type Piece,
  payload,
  publicKey,
  seq,
  tag,
  text,
  update,
} from "../../../test-vectors/src/pieces/assemble.js";
import { hex } from "../../test-support/src/bytes.js";
import { LEAST, LONG, some } from "../../test-support/src/environment/effort.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { checkItem } from "../src/cbor/reader.js";
import { anchor, type Bytes, open, type Source } from "../src/index.js";
import * as errors from "../src/spec/errors.generated.js";
import {
  COM_COMPONENTS,
  COM_SHARED_SEQUENCE,
  COND_ABORT,
  DIR_FETCH,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_TRY_EACH,
  MAN_INSTALL,
  MAN_REFERENCE_URI,
  MAN_TEXT,
  PARAM_URI,
} from "../src/spec/suit.js";
import { decodeEnvelope } from "../src/tools/envelope.js";

const SIZE = 65536;
const trust = { anchors: [anchor("ed25519", publicKey("a"))] };
const numbers = new Set<number>(Object.values(errors));

/** The number of the refusal, 0 where there is none. Anything else that is thrown is thrown on. */
function refusal(f: () => void): number {
  try {
    f();
    return 0;
  } catch (e) {
    const { code, at } = e as { code?: unknown; at?: unknown };
    if (typeof code !== "number" || !numbers.has(code) || typeof at !== "number") throw e;
    return code;
  }
}

const fill = (n: number, ...piece: number[]): Piece =>
  Array.from({ length: n - (n % piece.length) }, (_, i) => piece[i % piece.length] as number);
const times = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));
/** n different keys of five bytes each, in order. */
const longMap = (n: number, from = 1): Piece => map(...times(n, (i): Pair => [[0x1a, from, (i >> 8) & 255, i & 255, 0], [0]]));

/** Whole inputs, for the reader alone. */
const items: [string, Piece][] = [
  ["nothing", []],
  ["arrays in arrays", fill(SIZE, 0x81)],
  ["maps as values of maps", fill(SIZE, 0xa1, 0x00)],
  ["maps as keys of maps", fill(SIZE, 0xa1)],
  ["tags on tags", fill(SIZE, 0xd8, 0x70)],
  ["tags in arrays", fill(SIZE, 0x81, 0xd8, 0x70)],
  ["a byte string of 2^40", [...head(2, 2n ** 40n), ...fill(SIZE - 9, 0)]],
  ["a text string of 2^40", [...head(3, 2n ** 40n), ...fill(SIZE - 9, 0x61)]],
  ["an array of 2^40", [...head(4, 2n ** 40n), ...fill(SIZE - 9, 0)]],
  ["a map of 2^40", [...head(5, 2n ** 40n), ...fill(SIZE - 9, 0)]],
  ["an array of 2^64 - 1", [...head(4, 2n ** 64n - 1n), ...fill(SIZE - 9, 0)]],
  ["a string of 2^53", [...head(2, 2n ** 53n), ...fill(SIZE - 9, 0)]],
  [
    "arrays of all that is left",
    times(SIZE / 4, (i) => [0x99, ...int(0).slice(1), ((SIZE - 4 * i) >> 8) & 255, (SIZE - 4 * i) & 255, 0]).flat(),
  ],
  ["a long array", [...head(4, SIZE - 3), ...fill(SIZE - 3, 0)]],
  ["a long array of empty maps", [...head(4, SIZE - 3), ...fill(SIZE - 3, 0xa0)]],
  ["a long map", longMap(10_000)],
  ["a long map, the last key twice", [...longMap(10_000).slice(0, -6), ...longMap(9_999).slice(-6), 0]],
  ["a map of one long key", map([text(fill(SIZE - 8, 0x61)), [0]])],
  ["a key in a key in a key", [...fill(7, 0xa1), ...text(fill(SIZE - 20, 0x61)), ...fill(7, 0)]],
  ["many long keys with one beginning", map(...times(60, (i): Pair => [text([...fill(1000, 0x61), i + 32]), [0]]))],
  ["a bignum", tag(2, bytes(fill(SIZE - 8, 0xff)))],
  ["many bignums", [...head(4, SIZE / 4 - 2), ...fill(SIZE - 8, 0xc2, 0x42, 0xff, 0xff)]],
  ["a long text", text(fill(SIZE - 8, 0xf0, 0x9f, 0x94, 0x91))],
  ["a long text, cut in its last character", text(fill(SIZE - 8, 0xf0, 0x9f, 0x94, 0x91).slice(0, -1))],
  ["indefinite arrays", fill(SIZE, 0x9f)],
  ["indefinite maps", fill(SIZE, 0xbf)],
  ["an indefinite string", [0x5f, ...fill(SIZE - 2, 0x41, 0x00), 0xff]],
  ["breaks", fill(SIZE, 0xff)],
  ["reserved heads", fill(SIZE, 0x1c)],
  ["floats", [...head(4, SIZE / 4), ...fill(SIZE - 4, 0xf9, 0x7e, 0x00)]],
  ["undefined", fill(SIZE, 0xf7)],
  ["zeros", fill(SIZE, 0)],
];

const nestedRuns = (n: number): Piece => (n === 0 ? seq([COND_ABORT, 0]) : seq([DIR_RUN_SEQUENCE, bytes(nestedRuns(n - 1))]));

const PLACES = [
  "manifest",
  "common",
  "reference-uri",
  "install",
  "text",
  "protected header",
  "unprotected header",
  "value of a header",
  "wrapper",
  "digest",
];

/** Envelopes that are right outside, and hurt further in. Signed, so that open() has to go all the way. */
async function envelopes(size: number, places: readonly string[] = PLACES): Promise<[string, Piece][]> {
  const section = (commands: Piece) => manifest({ sections: { [MAN_INSTALL]: commands } });
  const header = (h: Piece) => ({ blocks: [{ unprotected: h }] });
  const out: [string, Piece][] = [];
  const add = async (name: string, ...rest: Parameters<typeof envelope>) => {
    const e = await envelope(...rest);
    if (e.length <= size + 1024) out.push([name, e]);
  };
  await add("a good one", update(), { rest: [payload()] });
  for (const [name, item] of items) {
    const short = item.slice(0, size - 512);
    const put = async (place: string, ...rest: Parameters<typeof envelope>) => {
      if (places.includes(place)) await add(`${place}: ${name}`, ...rest);
    };
    await put("manifest", short);
    await put("common", manifest({ common: short }));
    await put("reference-uri", manifest({ more: [[MAN_REFERENCE_URI, short]] }));
    await put("install", section(short));
    await put("text", manifest({ more: [[MAN_TEXT, bytes(short)]] }));
    await put("protected header", manifest(), { blocks: [{ protected: short }] });
    await put("unprotected header", manifest(), header(short));
    await put("value of a header", manifest(), header(map([int(99), short])));
    await put("wrapper", manifest(), { wrapper: () => short });
    await put("digest", manifest(), { digest: short });
  }
  const n = Math.floor(size / 12);
  await add("many headers in both buckets", manifest(), { blocks: [{ protected: longMap(n / 2), unprotected: longMap(n / 2, 2) }] });
  await add("many components", manifest({ components: times(n, (i) => array(bytes([i >> 8, i & 255]))) }));
  await add("many parts of a component", manifest({ components: [array(...times(n, () => bytes([0])))] }));
  await add("many payloads", manifest(), { rest: times(n, (i): Pair => [text(`#${String(i).padStart(5, "0")}`), bytes([])]) });
  await add("many commands", section(seq(...times(n, () => [COND_ABORT, 0] as const))));
  await add("many alternatives", section(seq([DIR_TRY_EACH, array(...times(n, () => bytes(seq([COND_ABORT, 0]))))])));
  await add("many sequences side by side", section(seq(...times(n, () => [DIR_RUN_SEQUENCE, bytes(seq([COND_ABORT, 0]))] as const))));
  await add("sequences nested", section(nestedRuns(Math.floor(size / 32))));
  await add("many indices", section(seq([DIR_SET_COMPONENT_INDEX, array(...times(n, () => int(0)))])));
  await add("many parameters", section(seq([DIR_OVERRIDE_PARAMETERS, map(...times(200, (i): Pair => [int(PARAM_URI + i), int(0)]))])));
  await add("many URIs", section(seq(...times(n, () => [DIR_OVERRIDE_PARAMETERS, map([int(PARAM_URI), text("a:")])] as const))));
  await add("a long URI", section(seq([DIR_OVERRIDE_PARAMETERS, map([int(PARAM_URI), text(fill(size - 600, 0x61))])], [DIR_FETCH, 2])));
  await add(
    "many languages",
    manifest({ more: [[MAN_TEXT, bytes(map(...times(n, (i): Pair => [text(String(i).padStart(5, "a")), map()])))]] }),
  );
  await add(
    "a long shared sequence",
    manifest({
      common: map([int(COM_COMPONENTS), array(C0)], [int(COM_SHARED_SEQUENCE), bytes(seq(...times(n, () => [COND_ABORT, 0] as const)))]),
    }),
  );
  await add("many signatures", manifest(), {
    wrapper: () => array(bytes(digest(bytes(manifest()))), ...times(n, () => bytes([0xd2, 0x80]))),
  });
  return out;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

interface Watched {
  input: Bytes | Source;
  /** How often a byte of the input has been read. */
  steps: () => number;
  /** How often a Source has been asked, and for how many bytes in all. */
  reads: () => number;
  returned: () => number;
}

/** The input in RAM, or as a Source, with every look at it counted. */
function watch(bytes: Uint8Array, asSource: boolean): Watched {
  let steps = 0;
  let reads = 0;
  let returned = 0;
  // plain arrays: what a typed array holds is copied by the engine, and nobody sees it
  const handler: ProxyHandler<number[]> = {
    get(target, name) {
      if (name === "length") return target.length;
      if (typeof name === "string" && /^\d+$/.test(name)) steps++;
      return target[name as never];
    },
  };
  const source: Source = {
    length: bytes.length,
    read(offset, n) {
      reads++;
      returned += n;
      return new Proxy([...bytes.subarray(offset, offset + n)], handler);
    },
  };
  return { input: asSource ? source : new Proxy([...bytes], handler), steps: () => steps, reads: () => reads, returned: () => returned };
}

const calls: [string, (input: Bytes | Source) => void][] = [
  ["check", checkItem],
  ["open", (e) => open(e, trust)],
  ["decodeEnvelope", decodeEnvelope],
];

/** Items that are hostile by their length only: deterministic CBOR all the same. */
const harmless = [
  "a long array",
  "a long array of empty maps",
  "a long map",
  "a map of one long key",
  "many long keys with one beginning",
  "a long text",
];
describe("hostile CBOR of 64 KB", () => {
  it.each(items)("%s: refused with a number", (name, item) => {
    const input = Uint8Array.from(item);
    expect(input.length).toBeLessThanOrEqual(SIZE);
    if (!harmless.includes(name)) expect(refusal(() => checkItem(input))).not.toBe(0);
    else refusal(() => checkItem(input));
    expect(refusal(() => open(input, trust))).not.toBe(0);
    expect(refusal(() => decodeEnvelope(input))).not.toBe(0);
  });

  it.skipIf(LEAST)("inside an envelope: refused with a number, or of no effect", async () => {
    for (const [name, piece] of await envelopes(LONG ? SIZE : SIZE / 4, ["manifest", "unprotected header"])) {
      const input = Uint8Array.from(piece);
      for (const [call, f] of calls) expect(() => refusal(() => f(input)), `${call}: ${name}`).not.toThrow();
    }
  });

  let made: Promise<[string, Uint8Array][]> | undefined;
  const all = (): Promise<[string, Uint8Array][]> => {
    // a third comes by every place: there are ten
    made ??= envelopes(4096).then((more) => [...some(items, 2), ...some(more, 3)].map(([name, piece]) => [name, Uint8Array.from(piece)]));
    return made;
  };

  /** Calls `judge` for every input, with every call. */
  const each = async (judge: (what: string, bytes: Uint8Array, f: (input: Bytes | Source) => void) => void) => {
    for (const [name, bytes] of await all()) for (const [call, f] of calls) judge(`${call}: ${name}`, bytes, f);
  };

  const inRam = (what: string, bytes: Uint8Array, f: (input: Bytes | Source) => void): void => {
    const { input, steps } = watch(bytes, false);
    refusal(() => f(input));
    expect(steps(), what).toBeLessThanOrEqual(4 * bytes.length);
  };
  const ofSource = (what: string, bytes: Uint8Array, f: (input: Bytes | Source) => void): void => {
    const { input, reads, returned } = watch(bytes, true);
    refusal(() => f(input));
    expect(reads(), what).toBeLessThanOrEqual(bytes.length);
    // a window of 64 bytes may reach over the end of what is read through it
    expect(returned(), what).toBeLessThanOrEqual(4 * bytes.length + 512);
  };
  /**
   * What take() returns of a Source is read when keys are compared, and that is counted here: so it must be linear,
   * too.
   */
  const compared = (what: string, bytes: Uint8Array, f: (input: Bytes | Source) => void): void => {
    const { input, steps } = watch(bytes, true);
    refusal(() => f(input));
    expect(steps(), what).toBeLessThanOrEqual(4 * bytes.length);
  };

  it.skipIf(LEAST)("reads each byte in RAM at most four times", () => each(inRam));
  it.skipIf(LEAST)("reads each byte of a Source four times at most, in fewer calls than there are bytes", () => each(ofSource));
  it.skipIf(LEAST)("compares keys in linear time", () => each(compared));

  it.skipIf(LEAST)("allocates nothing larger than the input", async () => {
    const inputs = await all();
    const Native = Uint8Array;
    let largest = 0;
    let total = 0;
    class Counted extends Native {
      constructor(...all: [number]) {
        super(...all);
        // a view of other bytes allocates nothing
        if (all.length > 1) return;
        largest = Math.max(largest, this.length);
        total += this.length;
      }
    }
    vi.stubGlobal("Uint8Array", Counted);
    for (const [name, input] of inputs)
      for (const [call, f] of calls) {
        largest = total = 0;
        refusal(() => f(input));
        // a hash has a block of its own, and the digits of a scalar have 262
        expect(largest, `${call}: ${name}`).toBeLessThanOrEqual(Math.max(input.length, 262));
        expect(total, `${call}: ${name}`).toBeLessThanOrEqual(8 * input.length + 4096);
      }
    expect(total).toBeGreaterThan(0);
  });
});

describe.skipIf(!haveVectors)("RFC 8949 (third-party vectors)", () => {
  it("appendix F: every malformed item is refused", () => {
    const all = Object.values(vectorJson<{ [kind: string]: string[] }>("cbor/rfc8949-appendix-f.json")).flat();
    expect(all).toHaveLength(94);
    for (const item of all)
      expect(
        refusal(() => checkItem(hex(item))),
        item,
      ).not.toBe(0);
  });

  it("appendix A: what is deterministic and of SUIT's kinds is read, all else is refused", () => {
    const all = vectorJson<{ hex: string; roundtrip: boolean }[]>("cbor/rfc8949-appendix-a.json");
    expect(all).toHaveLength(82);
    let read = 0;
    for (const { hex: item, roundtrip } of all) {
      // tags and bignums c0..df; simple values, undefined and floats f0, f7..fb
      const other = /^(c|d|f0|f[7-9ab])/.test(item);
      const code = refusal(() => checkItem(hex(item)));
      if (roundtrip && !other) {
        expect(code, item).toBe(0);
        read++;
      } else expect(code, item).not.toBe(0);
    }
    expect(read).toBe(37);
  });
});

describe("whatever comes in", () => {
  const runs = { numRuns: LONG || LEAST ? 500 : 100 };
  /** Bytes that look like CBOR more often than chance would have it. */
  const heads = fc.array(
    fc.oneof(
      fc.constantFrom(0x00, 0x18, 0x40, 0x41, 0x58, 0x60, 0x61, 0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa2, 0xd8, 0x6b, 0x70, 0xf4, 0xf6),
      fc.nat(255),
    ),
    { maxLength: 200 },
  );

  it("random bytes: a numbered refusal, or nothing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), heads), (input) => {
        for (const [, f] of calls) refusal(() => f(input));
      }),
      runs,
    );
  });

  it("octets in RAM and a Source are read alike", () => {
    fc.assert(
      fc.property(heads, (input) => {
        const source: Source = { length: input.length, read: (offset, n) => input.slice(offset, offset + n) };
        for (const [, f] of calls) expect(refusal(() => f(source))).toBe(refusal(() => f(input)));
      }),
      runs,
    );
  });

  it("a good envelope with bytes exchanged, taken out and put in: a numbered refusal", async () => {
    const good = Uint8Array.from(await envelope(update(), { rest: [payload()] }));
    const edit = fc.record({ at: fc.nat(good.length - 1), cut: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const changed = Array.from(good);
        for (const { at, cut, put } of edits) changed.splice(at, cut, ...put);
        for (const [, f] of calls) refusal(() => f(changed));
      }),
      runs,
    );
  });

  it("every item that the reader accepts is accepted again, and nothing may follow it", () => {
    fc.assert(
      fc.property(heads, (input) => {
        if (refusal(() => checkItem(input)) !== 0) return;
        expect(refusal(() => checkItem(input))).toBe(0);
        expect(refusal(() => checkItem([...input, 0]))).toBe(errors.CBOR_TRAILING);
      }),
      runs,
    );
  });
});
