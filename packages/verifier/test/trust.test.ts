// What a device makes of a trust file beyond its verdict, and bounds that are too long for a vector. The rules themselves have vectors.

import { describe, expect, it } from "vitest";
import { array, bytes, int, map, type Pair, publicKey, unhex } from "../../../test-vectors/src/pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, RELEASE, ROOT } from "../../../test-vectors/src/pieces/trust-file.js";
import { type Anchor, anchor, ed25519, embeddedTrust, open, policyOf, sha512, trustFileUnchecked } from "../src/index.js";
import {
  ANCHOR_KEY,
  TRUST_ALG,
  TRUST_KEY,
  TRUST_LIMIT,
  TRUST_NAME,
  TRUST_POLICY,
  TRUST_THRESHOLD,
  TRUST_UNUSABLE,
} from "../src/spec/errors.generated.js";
import { ROLE_RELEASE } from "../src/spec/trust.js";
import { trustPayload } from "../src/trust/trust-list.js";
import { envelopeOf, refusalOf } from "./refusals.js";

const file = async (f: FileFields = {}): Promise<Uint8Array> => Uint8Array.from(await fileOf(listOf(f)));
const root = { anchors: [anchor("ed25519", publicKey("a"))] };

/** A list with a key of n bytes. */
const filled = (n: number) =>
  listOf({ anchors: [ROOT, listed("b", [ROLE_RELEASE], { alg: int(-9999), key: bytes(new Array(n).fill(1)) })] });
/** The longest key that a list may have. */
const fits = 65535 - filled(65000).length + 65000;

describe("a trust file", () => {
  it("gives a threshold for each role, 0 for one that nobody has", async () => {
    expect(embeddedTrust(await file()).thresholds).toEqual([0, 1, 1, 0, 0]);
  });

  it("is not accepted as the first one by roots whose name or number has a wrong form", async () => {
    const first = await file();
    for (const sequence of [null, 0, "", [0], ["0", "0"], [0, -1], [0, Number.NaN], {}])
      expect(refusalOf(trustFileUnchecked, first, { ...root, sequence })[0], JSON.stringify(sequence)).toBe(TRUST_POLICY);
    for (const name of [null, 0, "", "line", {}, new Uint8Array(0)])
      expect(refusalOf(trustFileUnchecked, first, { ...root, name })[0], JSON.stringify(name)).toBe(TRUST_NAME);
    expect(trustFileUnchecked(first, { ...root, sequence: [0, 0] }).name.length).toBeGreaterThan(0);
  });

  it("has a list of 65,535 bytes at most", async () => {
    const whole = async (n: number) => Uint8Array.from(await fileOf(filled(n)));
    const host = { memory: 100_000 };
    expect(trustFileUnchecked(await whole(fits), root, host).payload.length).toBe(65535);
    expect(refusalOf(trustFileUnchecked, await whole(fits + 1), root, host)[0]).toBe(TRUST_LIMIT);
    // with its signature, it needs more memory than there is by default
    expect(refusalOf(embeddedTrust, await whole(fits))[0]).toBe(TRUST_LIMIT);
  });

  it("is verified with the hash of the host, if there is one", async () => {
    let asked = 0;
    const create = () => {
      asked++;
      return sha512.create();
    };
    trustFileUnchecked(await file(), root, { sha512: { create } });
    expect(asked).toBe(1);
  });

  it("accepts no key for a vendor or a class if the device has neither", async () => {
    const store = embeddedTrust(
      await file({ anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: [[int(6), bytes(new Array(16).fill(1))]] })] }),
    );
    expect(refusalOf(policyOf, store, ROLE_RELEASE, {})).toEqual([TRUST_UNUSABLE, -1]);
    expect(policyOf(embeddedTrust(await file({ anchors: [ROOT, RELEASE] })), ROLE_RELEASE, {} as never).anchors).toHaveLength(1);
  });
});

describe("a list", () => {
  const algs = [ed25519];
  const read = (f: FileFields) => trustPayload(algs, Uint8Array.from(listOf(f)));
  const refused = (f: FileFields) => refusalOf(read, f)[0];
  /** Families of release keys, each with its threshold and its algorithms. */
  const families = (...all: [number, number[]][]): Pair => [
    int(8),
    map([int(ROLE_RELEASE), array(...all.map(([n, ids]) => array(int(n), ...ids.map(int))))]),
  ];
  const releaseKeys = (n: number) =>
    Array.from({ length: n }, (_, i) => listed("b", [ROLE_RELEASE], { key: bytes(new Array(32).fill(i)) }));

  it("of 65,535 bytes is read, and of one more is not", () => {
    const payload = (n: number) => Uint8Array.from(filled(n));
    expect(trustPayload(algs, payload(fits)).payload.length).toBe(65535);
    expect(refusalOf(trustPayload, algs, payload(fits + 1))[0]).toBe(TRUST_LIMIT);
  });

  it("has an epoch that fits three bytes", () => {
    const epoch = (n: number): Pair => [int(7), array(int(n), int(1))];
    expect(read({ more: [epoch(0xffffff)] }).epoch).toBe(0xffffff);
    expect(refused({ more: [epoch(0x1000000)] })).toBe(TRUST_LIMIT);
  });

  it("has a jump and families for the roles that it names alone", () => {
    const store = read({ more: [[int(6), map([int(ROLE_RELEASE), int(9)])], families([1, [-19]])] });
    expect([...store.jumps]).toEqual([undefined, undefined, [0, 9]]);
    expect([...store.families]).toEqual([undefined, undefined, [{ threshold: 1, ids: [-19], known: true }]]);
  });

  it("has at most 16 families, each of at most 15 algorithms", () => {
    const many = read({ more: [families(...Array.from({ length: 16 }, (): [number, number[]] => [1, [-19]]))] });
    expect(many.families[ROLE_RELEASE]).toHaveLength(16);
    const ids = Array.from({ length: 15 }, (_, i) => -19 - i);
    expect(read({ more: [families([1, ids])] }).families[ROLE_RELEASE]?.[0]?.ids).toEqual(ids);
  });

  it("knows a family by each number of an existing algorithm, and 0 is not one", () => {
    const known = (id: number) => {
      const anchors = [ROOT, listed("b", [ROLE_RELEASE], { alg: int(id) })];
      return read({ anchors, more: [families([1, [id]])] }).families[ROLE_RELEASE]?.[0]?.known;
    };
    expect([-8, -19, -9].map(known)).toEqual([true, true, false]);
    expect(refused({ more: [families([1, [-19, 0]])] })).toBe(TRUST_ALG);
  });

  it("requires no more signatures of a family than an envelope has", () => {
    const anchors = [ROOT, ...releaseKeys(9)];
    expect(read({ anchors, more: [families([8, [-19]])] }).families[ROLE_RELEASE]?.[0]?.threshold).toBe(8);
    expect(refused({ anchors, more: [families([9, [-19]])] })).toBe(TRUST_THRESHOLD);
  });

  it("has its name before what it need not have", () => {
    expect(refused({ name: null, more: [[int(6), map([int(ROLE_RELEASE), int(9)])]] })).toBe(TRUST_KEY);
  });
});

describe("an anchor that was not made by anchor()", () => {
  // y = 2 is not a point; the identity has order 1
  it.each([["02".padEnd(64, "0")], ["01".padEnd(64, "0")]])("is told apart from a bad signature: %s", async (key) => {
    const bad: Anchor = { alg: ed25519, key: unhex(key) };
    const signed = await envelopeOf({ blocks: [{ key: "b" }] });
    expect(refusalOf(open, signed, { anchors: [bad] })[0]).toBe(ANCHOR_KEY);
    expect(refusalOf(open, signed, { anchors: [anchor("ed25519", publicKey("a")), bad] })[0]).toBe(ANCHOR_KEY);
  });
});
