// Every change of a signed envelope is refused: bits of each byte flipped, each place cut, each byte inserted, bytes
// appended. The refusal is always a numbered one: a TypeError or RangeError would be a hole that happens to be closed.

import { type Alg, type Anchor, anchor, ed25519, es256, install, open } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { ALL, LONG } from "../../packages/test-support/src/environment/effort.js";
import { haveVectors, SPEC_P256, vectorBytes } from "../../packages/test-support/src/vectors.js";
import * as errors from "../../packages/verifier/src/spec/errors.generated.js";
import { COND_IMAGE_MATCH, DIR_FETCH, MAN_INSTALL, MAN_TEXT, MAN_VALIDATE } from "../../packages/verifier/src/spec/suit.js";
import { deviceOf, drive } from "../play/play.js";
import {
  bytes,
  CLASS,
  digest,
  digestParam,
  envelope,
  IMAGE,
  int,
  manifest,
  override,
  payload,
  publicKey,
  seq,
  sharedOf,
  sizeParam,
  text,
  update,
  uriParam,
  VENDOR,
} from "../src/pieces/assemble.js";

const numbers = new Set<number>(Object.values(errors));
const hex = (b: ArrayLike<number>): string => Buffer.from(b as Uint8Array).toString("hex");
/** Bytes as a text that is made quickly. */
const known = (b: ArrayLike<number>): string => Buffer.from(b as Uint8Array).toString("latin1");

/**
 * An algorithm that remembers its answers: most changes leave what was signed as it was, and P-256 in ES5 takes its
 * time.
 */
function remembering(alg: Alg): Alg {
  const answers = new Map<string, boolean>();
  return {
    ids: alg.ids,
    valid: alg.valid,
    verify(key, message, signature, host) {
      const id = `${message.length} ${known(message)}${known(signature)}`;
      const before = answers.get(id);
      if (before !== undefined) return before;
      const answer = alg.verify(key, message, signature, host);
      answers.set(id, answer);
      return answer;
    },
  };
}

/** All bits of a byte with LONG; by default three, others in each byte. */
const bitsOf = (at: number): number[] => (LONG ? [0, 1, 2, 3, 4, 5, 6, 7] : [at, at + 3, at + 6].map((bit) => bit % 8));

function withByte(original: Uint8Array, at: number, byte: number): Uint8Array {
  const out = new Uint8Array(original.length + 1);
  out.set(original.subarray(0, at));
  out[at] = byte;
  out.set(original.subarray(at), at + 1);
  return out;
}

/** What is inserted there: by default a third, others at each place. */
const octetsAt = (at: number): number[] => every.filter((_, i) => LONG || (at + i) % 3 === 0);

function* changes(original: Uint8Array): Generator<[string, Uint8Array]> {
  for (let at = 0; at < original.length; at++)
    for (const bit of bitsOf(at)) {
      const changed = original.slice();
      changed[at] = (changed[at] as number) ^ (1 << bit);
      yield [`bit ${bit} of byte ${at}`, changed];
    }
  for (let n = 0; n < original.length; n++) yield [`the first ${n} bytes`, original.slice(0, n)];
  for (let at = 0; at < original.length; at++)
    for (const byte of octetsAt(at)) yield [`byte ${byte} inserted at ${at}`, withByte(original, at, byte)];
  for (let byte = 0; byte < 256; byte++) yield [`byte ${byte} appended`, withByte(original, original.length, byte)];
}

/** What was accepted, and what was refused without a number. */
function judge(original: Uint8Array, accept: (envelope: Uint8Array) => void): { accepted: string[]; broken: string[]; refused: number } {
  accept(original);
  const accepted: string[] = [];
  const broken: string[] = [];
  let refused = 0;
  for (const [what, changed] of changes(original)) {
    try {
      accept(changed);
      accepted.push(what);
    } catch (e) {
      const r = e as { code?: unknown; at?: unknown; cause?: unknown };
      if (
        e instanceof TypeError ||
        e instanceof RangeError ||
        r.cause !== undefined ||
        typeof r.at !== "number" ||
        !numbers.has(r.code as number)
      )
        broken.push(`${what}: ${String(e)}`);
      else refused++;
    }
  }
  return { accepted, broken, refused };
}

// by default one octet of each major type, and what ends or has no meaning; in CI every fifth as well; where there is
// time every octet
const kinds = [0x00, 0x20, 0x41, 0x61, 0x81, 0xa1, 0xc1, 0xf6, 0xff];
const octets = Array.from({ length: 256 }, (_, byte) => byte);
const every = ALL ? octets : LONG ? octets.filter((byte) => byte % 5 === 0 || kinds.includes(byte)) : kinds;
const clean = { accepted: [], broken: [] };

describe("every change of an envelope is refused", () => {
  const anchors: Anchor[] = [{ alg: remembering(ed25519), key: publicKey("a") }];

  // an integrated payload is covered by its image digest, so that the installation is the judge
  const installs = (e: Uint8Array): void => {
    const device = deviceOf({ vendor: [hex(VENDOR)], class: [hex(CLASS)], components: [["00"]] });
    drive(install(e, { anchors }, device));
    expect(device.parts[0]?.slots[1]).toEqual(IMAGE);
  };

  it("an update with an integrated payload: open() and the installation, to its end", async () => {
    const original = Uint8Array.from(await envelope(update(), { rest: [payload()] }));
    const result = judge(original, installs);
    expect(result).toMatchObject(clean);
    expect(result.refused).toBe(original.length * (bitsOf(0).length + 1 + octetsAt(0).length) + 256);
  });

  const install2 = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  const severed = manifest({
    shared: sharedOf(digestParam(IMAGE), sizeParam(IMAGE.length)),
    sections: { [MAN_VALIDATE]: seq([COND_IMAGE_MATCH, 15]) },
    more: [
      [MAN_INSTALL, digest(bytes(install2))],
      [MAN_TEXT, digest(bytes(text("t")))],
    ],
  });
  it.each([
    ["with its severed elements", true],
    ["without them", false],
  ])("a severed envelope %s", async (_, full) => {
    const original = Uint8Array.from(
      await envelope(severed, {
        rest: full ? [[int(MAN_INSTALL), bytes(install2)], [int(MAN_TEXT), bytes(text("t"))], payload()] : [],
      }),
    );
    expect(judge(original, full ? installs : (e) => open(e, { anchors }))).toMatchObject(clean);
  });

  it("two signatures, both needed", async () => {
    const two = [...anchors, { alg: remembering(ed25519), key: publicKey("b") }];
    const original = Uint8Array.from(await envelope(manifest(), { blocks: [{}, { key: "b" }] }));
    expect(judge(original, (e) => open(e, { anchors: two, threshold: 2 }))).toMatchObject(clean);
  });

  it.skipIf(!haveVectors).each(["example2.signed.suit", "example2.signed.severed.suit"])("official example 2: %s", (name) => {
    const trust = { anchors: [{ alg: remembering(es256), key: SPEC_P256 }] };
    expect(judge(vectorBytes(`suit/manifest-spec/${name}`), (e) => open(e, trust))).toMatchObject(clean);
  });

  it("the anchors above are good ones", () => {
    expect(anchor("ed25519", publicKey("a")).alg.ids).toEqual(ed25519.ids);
  });
});
