// Thresholds for families of algorithms, on devices that have all of the algorithms, one family, and none.

import {
  encode,
  encodeTrust,
  type FamilyEntry,
  type PrivateKey,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustDescription,
} from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { memoryDevice } from "../src/device/memory.js";
import { type Alg, ed25519, errors, es256, install, open, policyOf, type TrustStore, updatedTrust } from "../src/index.js";
import { embeddedTrust, trustFileUnchecked } from "../src/tools/index.js";
import { code, ID, identity, image, uuid } from "./releases.js";

const key = (alg: "ed25519" | "es256", n: number) => privateKey(alg, new Uint8Array(32).fill(n));
const [e1, e2, p1, re, rp] = [key("ed25519", 1), key("ed25519", 2), key("es256", 3), key("ed25519", 4), key("es256", 5)] as [
  PrivateKey,
  PrivateKey,
  PrivateKey,
  PrivateKey,
  PrivateKey,
];
const BOTH: FamilyEntry[] = [
  { algorithms: ["ed25519"], threshold: 1 },
  { algorithms: ["es256"], threshold: 1 },
];
const [ALL, ED, P256]: Alg[][] = [[ed25519, es256], [ed25519], [es256]];

function listOf(sequence: bigint, families: TrustDescription["families"] = { root: BOTH, release: BOTH }, scope = {}): Uint8Array {
  return encodeTrust({
    name: "line",
    sequence,
    anchors: [
      { key: e1, roles: ["root"] },
      { key: e2, roles: ["root"] },
      { key: p1, roles: ["root"] },
      { key: re, roles: ["release"] },
      { key: rp, roles: ["release"], ...scope },
    ],
    thresholds: { root: 1, release: 1 },
    ...(families && { families }),
  });
}
const payload = image(1, 50);
const release = (keys: PrivateKey[]) =>
  signEnvelopeWithoutLog(
    encode(singleImage({ sequence: 1, ...uuid, digest: sha256Hex(payload), size: 50, uri: "#f", payload })),
    keys.map(signer),
  );
const by = (list: Uint8Array, ...keys: PrivateKey[]) => signTrustWithoutLog(list, keys.map(signer));

describe("a list with families", () => {
  it("needs a root of each, and the previous list keeps its own, on a device that has both", async () => {
    const plain = embeddedTrust(ALL as Alg[], await by(listOf(1n, {}), e1));
    const takes = async (before: TrustStore, algs: Alg[] | undefined, ...keys: PrivateKey[]) => {
      const file = await by(listOf(2n), ...keys);
      return code(() => trustFileUnchecked(algs as Alg[], file, before));
    };
    expect(await takes(plain, ALL, e1, e2)).toBe(errors.TRUST_SIGNERS);
    expect(await takes(plain, ALL, p1)).toBe(errors.TRUST_SIGNERS);
    expect(await takes(plain, ALL, e1, p1)).toBe(0);
    // a device that lacks a family counts the other: its own threshold, and that of the family
    expect(await takes(embeddedTrust(ED as Alg[], await by(listOf(1n, {}), e1)), ED, e1)).toBe(0);
    expect(await takes(embeddedTrust(ED as Alg[], await by(listOf(1n, {}), e1)), ED, p1)).toBe(errors.TRUST_PREVIOUS);
    const before = embeddedTrust(ALL as Alg[], await by(listOf(1n), e1, p1));
    const without = await by(listOf(2n, {}), e1, e2);
    expect(code(() => trustFileUnchecked(ALL as Alg[], without, before))).toBe(errors.TRUST_PREVIOUS);
  });

  it("accepts a release that keys of each have signed, as far as the device has them", async () => {
    const file = await by(listOf(1n), e1, p1);
    const opens = async (algs: Alg[] | undefined, ...keys: PrivateKey[]) => {
      const envelope = await release(keys);
      return code(() => open(envelope, policyOf(embeddedTrust(algs as Alg[], file), 2, identity)));
    };
    expect(await opens(ALL, re, rp)).toBe(0);
    expect(await opens(ALL, rp, re)).toBe(0);
    expect(await opens(ALL, re)).toBe(errors.SIGNATURE_FAMILY);
    expect(await opens(ALL, rp)).toBe(errors.SIGNATURE_FAMILY);
    expect(await opens(ED, re)).toBe(0);
    expect(await opens(ED, rp)).toBe(errors.SIGNATURE_NO_ANCHOR);
    expect(await opens(P256, rp)).toBe(0);
    expect(code(() => policyOf(embeddedTrust([], file), 2, identity))).toBe(errors.TRUST_UNUSABLE);
  });

  it("counts a key of a family only for the class that it is for, at an installation and for the list after it", async () => {
    const other = hex("ff".repeat(16));
    const me = { vendor: identity.vendor, class: [...identity.class, other] };
    const scoped = embeddedTrust(ALL as Alg[], await by(listOf(1n, undefined, { class: other }), e1, p1));
    const envelope = await release([re, rp]);
    // the manifest is for the first class of the device, and the key of the second family for the other
    expect(code(() => install(envelope, policyOf(scoped, 2, me), memoryDevice(me, [ID], 4096)))).toBe(errors.IDENTITY_UNCHECKED);
    const free = embeddedTrust(ALL as Alg[], await by(listOf(1n), e1, p1));
    expect(code(() => install(envelope, policyOf(free, 2, me), memoryDevice(me, [ID], 4096)))).toBe(0);
    const next = await by(listOf(2n, undefined, { class: other }), e1, p1);
    expect(code(() => updatedTrust(free, next, envelope, 2, me))).toBe(errors.IDENTITY_UNCHECKED);
    // a device of the first class alone has no key of the second family
    expect(code(() => policyOf(scoped, 2, identity))).toBe(errors.TRUST_UNUSABLE);
  });
});
