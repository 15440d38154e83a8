// The keys that open() is given: what is not a policy, and when which of several signers count. The rules have vectors;
// here is what JSON cannot say.

import { describe, expect, it } from "vitest";
import { array, type Block, bytes, envelope, int, manifest, publicKey } from "../../../test-vectors/src/pieces/assemble.js";
import { memoryDevice } from "../src/device/memory.js";
import { type Anchor, anchor, type Bytes, boot, errors, install, open, type Sequence, sha256, type Trust } from "../src/index.js";
import { HASH_SHA_256 } from "../src/spec/cose.js";
import { envelopeOf, refusalOf } from "./refusals.js";
import { release, trust as releaseTrust } from "./releases.js";

const [a, b] = [anchor("ed25519", publicKey("a")), anchor("ed25519", publicKey("b"))];
const NONE = [errors.TRUST_POLICY, -1];

describe("a policy", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["no anchors", {}],
    ["anchors that are not a list", { anchors: {} }],
    ["null for anchors", { anchors: null }],
    ["null among the anchors", { anchors: [a, null] }],
    ["an anchor without an algorithm", { anchors: [{ key: a.key }] }],
    ["an anchor without a key", { anchors: [{ alg: a.alg }] }],
    ["a threshold of text", { anchors: [a], threshold: "1" }],
    ["a threshold of null", { anchors: [a], threshold: null }],
    ["a threshold of NaN", { anchors: [a], threshold: Number.NaN }],
    ["a threshold of 2 for one key and its copy", { anchors: [a, { ...a }], threshold: 2 }],
    ["a threshold of 3 for two keys", { anchors: [a, b, a], threshold: 3 }],
    ["a floor of null", { anchors: [a], floor: null }],
    ["a floor without its low half", { anchors: [a], floor: [0] }],
    ["a floor of text", { anchors: [a], floor: ["0", "0"] }],
    ["a floor below 0", { anchors: [a], floor: [-1, 0] }],
    ["a floor whose high half is wide", { anchors: [a], floor: [2 ** 32, 0] }],
    ["a floor whose high half is a fraction", { anchors: [a], floor: [0.5, 0] }],
    ["a floor of NaN", { anchors: [a], floor: [0, Number.NaN] }],
    ["a limit of null", { anchors: [{ ...a, since: null }] }],
    ["a limit that is a number", { anchors: [{ ...a, until: 7 }] }],
    ["a limit of text", { anchors: [{ ...a, since: "7" }] }],
    ["a limit without its low half", { anchors: [{ ...a, until: [0] }] }],
    ["a jump null", { anchors: [a], jump: null }],
    ["a jump without its low half", { anchors: [a], jump: [0] }],
    ["a vendor of null", { anchors: [{ ...a, vendor: null }] }],
    ["a vendor of text", { anchors: [{ ...a, vendor: "" }] }],
    ["a class that is a number", { anchors: [{ ...a, class: 0 }] }],
    ["a class of 15 bytes", { anchors: [{ ...a, class: new Uint8Array(15) }] }],
    ["an invalid limit on the second anchor", { anchors: [a, { ...b, since: [0, -1] }] }],
  ])("with %s is refused, whatever is opened", async (_, trust) => {
    const read = () => expect.fail("a byte was read");
    expect(refusalOf(open, { length: 100, read }, trust)).toEqual(NONE);
    expect(refusalOf(open, await envelopeOf(), trust)).toEqual(NONE);
  });

  it.each([null, 0, 1, 2.5, 3, "", "true", {}, []])("is not opened with %j for whether the envelope is its own", async (own) => {
    const read = () => expect.fail("a byte was read");
    for (const from of [{ length: 100, read }, await envelopeOf()])
      expect(refusalOf(open, from, { anchors: [a] }, undefined, own)).toEqual(NONE);
  });

  it.each<[string, Trust]>([
    ["one key", { anchors: [a] }],
    ["one of two keys", { anchors: [b, a], threshold: 1 }],
    ["one key and its copy", { anchors: [a, { ...a }], threshold: 1 }],
    ["a floor of 0", { anchors: [a], floor: [0, 0] }],
    ["a floor that is reached", { anchors: [a], floor: [0, 7] }],
    ["limits that are reached", { anchors: [{ ...a, since: [0, 7], until: [0, 7] }] }],
    ["the widest limits", { anchors: [{ ...a, since: [0, 0], until: [2 ** 32 - 1, 2 ** 32 - 1] }] }],
    ["need and floor undefined", { anchors: [a], threshold: undefined as never, floor: undefined as never }],
  ])("may be %s", async (_, trust) => {
    expect(open(await envelopeOf(), trust).sequence).toEqual([0, 7]);
  });
});

describe("signers with limits", () => {
  const signed = (sequence: number | bigint, ...blocks: Block[]) =>
    envelope(manifest({ sequence }), { blocks }).then((e) => Uint8Array.from(e));
  const limited = (since?: Sequence, until?: Sequence): Anchor => ({ ...a, ...(since && { since }), ...(until && { until }) });
  it("count from since to until, both included", async () => {
    for (const [sequence, since, until, good] of [
      [6, [0, 7], undefined, false],
      [7, [0, 7], undefined, true],
      [7, undefined, [0, 7], true],
      [8, undefined, [0, 7], false],
      [2n ** 32n, [0, 2 ** 32 - 1], undefined, true],
      [2n ** 32n, undefined, [0, 2 ** 32 - 1], false],
      [2n ** 32n - 1n, [1, 0], undefined, false],
    ] as [number | bigint, Sequence | undefined, Sequence | undefined, boolean][]) {
      const e = await signed(sequence, {});
      expect(refusalOf(open, e, { anchors: [limited(since, until)] })[0], `${sequence}`).toBe(good ? 0 : errors.ANCHOR_WINDOW);
    }
  });
  it("are all checked if one may not count, otherwise only as many as are needed", async () => {
    const e = await signed(7, {}, { key: "b" });
    expect(open(e, { anchors: [a, b] }).signers).toEqual([0]);
    for (const first of [limited([0, 8]), limited(undefined, [0, 6])]) expect(open(e, { anchors: [first, b] }).signers).toEqual([1]);
    // the limit of a later one makes the verifier check all of them
    expect(open(e, { anchors: [a, { ...b, since: [0, 1] }] }).signers).toEqual([0, 1]);
    expect(open(e, { anchors: [a, { ...b, until: [0, 9] }] }).signers).toEqual([0, 1]);
  });
});

it("the digest in the wrapper is read up to 128 bytes, and not copied if it is longer", async () => {
  // each signature takes a copy of it
  for (const [n, at] of [
    [128, 11],
    [129, 7],
  ] as const) {
    const digest = array(int(HASH_SHA_256), bytes(new Array(n - 4).fill(1)));
    expect(digest).toHaveLength(n);
    expect(refusalOf(open, await envelopeOf({ digest }), { anchors: [a] })).toEqual([errors.DIGEST_LENGTH, at]);
  }
});

describe("the hash of the host", () => {
  it("is used for the manifest, and ours if there is none", async () => {
    let asked = 0;
    const once = (bytes: Bytes) => {
      asked++;
      const state = sha256.create();
      state.update(bytes);
      return state.digest();
    };
    const e = await envelopeOf();
    open(e, { anchors: [a] });
    open(e, { anchors: [a] }, undefined);
    expect(asked).toBe(0);
    open(e, { anchors: [a] }, { sha256: { once } });
    expect(asked).toBe(1);
    expect(refusalOf(open, e, { anchors: [a] }, { sha256: { once: () => new Uint8Array(32) } })[0]).toBe(errors.DIGEST_MANIFEST);
    expect(refusalOf(open, e, { anchors: [a] }, { sha256: { once: () => new Uint8Array(0) } })[0]).toBe(errors.DIGEST_MANIFEST);
  });
});

describe("a session", () => {
  const identity = { vendor: [], class: [] };
  it("begins with a floor that is a number", async () => {
    const e = await release(7, Uint8Array.from([1, 2, 3]));
    for (const floor of [null, undefined, [], [0], ["0", "0"], [0, -1], [0, 2 ** 32], [0.5, 0], [Number.NaN, 0]]) {
      const device = memoryDevice(identity, [[[0]]], 10);
      device.floor = () => floor as never;
      device.begin = () => expect.fail("it began");
      expect(refusalOf(install, e, releaseTrust, device)[0], String(floor)).toBe(errors.DEVICE_FAULT);
    }
  });
  it("does not check the floor when it starts the current release", async () => {
    const device = memoryDevice(identity, [[[0]]], 10);
    device.dangerouslySkipIdentity = true;
    device.sequence = [0, 8];
    const e = await release(7, Uint8Array.from([1, 2, 3]));
    expect(refusalOf(install, e, releaseTrust, device)[0]).toBe(errors.ROLLBACK);
    expect(refusalOf(boot, e, releaseTrust, device)[0]).not.toBe(errors.ROLLBACK);
  });
});
