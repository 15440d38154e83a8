// What a device makes of a trust file beyond its verdict, and bounds that are too long for a vector. The rules themselves have vectors.

import { describe, expect, it } from "vitest";
import { bytes, int, publicKey, unhex } from "../../../test-vectors/src/pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, RELEASE, ROOT } from "../../../test-vectors/src/pieces/trust-file.js";
import { type Anchor, anchor, ed25519, embeddedTrust, open, policyOf, sha512, trustFileUnchecked } from "../src/index.js";
import { ANCHOR_KEY, TRUST_LIMIT, TRUST_UNUSABLE } from "../src/spec/errors.js";
import { ROLE_RELEASE } from "../src/spec/trust.js";
import { envelopeOf, refusalOf } from "./refusals.js";

const file = async (f: FileFields = {}): Promise<Uint8Array> => Uint8Array.from(await fileOf(listOf(f)));
const root = { anchors: [anchor("ed25519", publicKey("a"))] };

describe("a trust file", () => {
  it("gives a threshold for each role, 0 for one that nobody has", async () => {
    expect(embeddedTrust(await file()).thresholds).toEqual([0, 1, 1, 0, 0]);
  });

  it("has a list of 65,535 bytes at most", async () => {
    const filled = (n: number) =>
      listOf({ anchors: [ROOT, listed("b", [ROLE_RELEASE], { alg: int(-9999), key: bytes(new Array(n).fill(1)) })] });
    const fits = 65535 - filled(65000).length + 65000;
    const whole = async (n: number) => Uint8Array.from(await fileOf(filled(n)));
    const host = { memory: 100_000 };
    expect(trustFileUnchecked(await whole(fits), root, host).payload.length).toBe(65535);
    expect(refusalOf(trustFileUnchecked, await whole(fits + 1), root, host)[0]).toBe(TRUST_LIMIT);
  });

  it("is verified with the hash of the host, where there is one", async () => {
    let asked = 0;
    const create = () => {
      asked++;
      return sha512.create();
    };
    trustFileUnchecked(await file(), root, { sha512: { create } });
    expect(asked).toBe(1);
  });

  it("lets in no key that is for a vendor or a class where the device says neither", async () => {
    const store = embeddedTrust(
      await file({ anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: [[int(6), bytes(new Array(16).fill(1))]] })] }),
    );
    expect(refusalOf(policyOf, store, ROLE_RELEASE, {})).toEqual([TRUST_UNUSABLE, -1]);
    expect(policyOf(embeddedTrust(await file({ anchors: [ROOT, RELEASE] })), ROLE_RELEASE, {} as never).anchors).toHaveLength(1);
  });
});

describe("an anchor that was not made by anchor()", () => {
  // y = 2 is no point; the identity has order 1
  it.each([["02".padEnd(64, "0")], ["01".padEnd(64, "0")]])("is told apart from a bad signature: %s", async (key) => {
    const bad: Anchor = { alg: ed25519, key: unhex(key) };
    const signed = await envelopeOf({ blocks: [{ key: "b" }] });
    expect(refusalOf(open, signed, { anchors: [bad] })[0]).toBe(ANCHOR_KEY);
    expect(refusalOf(open, signed, { anchors: [anchor("ed25519", publicKey("a")), bad] })[0]).toBe(ANCHOR_KEY);
  });
});
