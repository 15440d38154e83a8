// Trust files as the signer makes them, against the verifier that reads them.

import { embeddedTrust, errors, open, policyOf, trustFileUnchecked } from "@firmseal/verifier";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AlreadySigned,
  anchorOf,
  attachTrust,
  decodeTrust,
  describeTrust,
  encode,
  encodeTrust,
  type KeyAlg,
  KeyError,
  loadAlg,
  NotRoot,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicKey,
  publicOf,
  ROLES,
  type RoleName,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustDescription,
  trustSigners,
  trustToBeSigned,
  withKid,
} from "../src/index.js";

const key = (n: number, alg: KeyAlg = "ed25519"): PrivateKey => privateKey(alg, new Uint8Array(32).fill(n));
const [root, root2, release, debug, p256] = [key(1), key(2), key(3), key(4), key(5, "es256")];
const VENDOR = new Uint8Array(16).fill(0xaa);
const CLASS = new Uint8Array(16).fill(0xbb);
const device = { vendor: [VENDOR], class: [CLASS] };

const base: TrustDescription = {
  name: "board",
  sequence: 1n,
  anchors: [
    { key: publicOf(root), roles: ["root"] },
    { key: publicOf(root2), roles: ["root"] },
    { key: publicOf(release), roles: ["release", "recovery"], vendor: VENDOR, class: CLASS, since: 3n, until: 2n ** 64n - 1n },
    { key: publicOf(p256), roles: ["release"] },
    { key: publicOf(debug), roles: ["debug"] },
  ],
  thresholds: { root: 2, release: 1, debug: 1, recovery: 1 },
};
const pinned = { anchors: [anchorOf(root), anchorOf(root2)], threshold: 2 };
const signed = (d: TrustDescription, ...by: PrivateKey[]) => signTrustWithoutLog(encodeTrust(d), by.map(signer));
const codeOf = (f: () => unknown): number | undefined => {
  try {
    f();
  } catch (e) {
    return (e as { code?: number }).code;
  }
  return undefined;
};
const releaseBy = async (...keys: PrivateKey[]) => {
  const image = { digest: "00".repeat(32), size: 1, uri: "x.bin" };
  const envelope = encode(singleImage({ sequence: "7", vendor: "example.com", class: "board", ...image }));
  return signEnvelopeWithoutLog(envelope, keys.map(signer));
};

describe("a trust file", () => {
  it("is what was described, once enough roots have signed it", async () => {
    const store = trustFileUnchecked(await signed(base, root, root2), pinned);
    expect(describeTrust(store)).toEqual(base);
    expect(policyOf(store, ROLES.release, device)).toMatchObject({ threshold: 1 });
    expect(policyOf(store, ROLES.release, device).anchors).toHaveLength(2);
    expect(policyOf(store, ROLES.release, { vendor: [CLASS], class: [CLASS] }).anchors).toHaveLength(1);
  });

  it("is not a trust file before anybody has signed it, and not enough with one of two roots", async () => {
    const unsigned = encodeTrust(base);
    expect(codeOf(() => trustFileUnchecked(unsigned, pinned))).toBe(errors.CBOR_TYPE);
    expect(decodeTrust(unsigned).signatures).toEqual([]);
    const one = await signTrustWithoutLog(unsigned, [signer(root2)]);
    expect(codeOf(() => trustFileUnchecked(one, pinned))).toBe(errors.TRUST_PREVIOUS);
    expect(codeOf(() => trustFileUnchecked(one, { anchors: [anchorOf(root2)] }))).toBe(errors.TRUST_SIGNERS);
    expect(trustFileUnchecked(await signTrustWithoutLog(one, [signer(root)]), pinned).sequence).toEqual([0, 1]);
  });

  it("takes signatures of its roots and of those before only, each once, and 8 at most", async () => {
    const next = {
      ...base,
      sequence: 2n,
      anchors: [{ key: publicOf(p256), roles: ["root"] as const }, ...base.anchors.slice(2, 3), ...base.anchors.slice(4)],
      thresholds: { root: 1, release: 1, debug: 1, recovery: 1 },
    };
    const before = trustFileUnchecked(await signed(base, root, root2), pinned);
    for (const other of [release, debug, key(9)]) await expect(signed(base, other)).rejects.toThrow(NotRoot);
    await expect(signed(next, root)).rejects.toThrow(NotRoot);
    await expect(signed(base, root, root)).rejects.toThrow(AlreadySigned);
    const bridge = await signTrustWithoutLog(encodeTrust(next), [p256, root, root2].map(signer), before);
    expect(trustFileUnchecked(bridge, before).sequence).toEqual([0, 2]);
    expect(trustSigners(bridge, [root, release, p256, p256, root2].map(publicOf)).map((k) => k.alg)).toEqual([
      "ed25519",
      "es256",
      "ed25519",
    ]);
    const nine = Array.from({ length: 9 }, (_, i) => key(20 + i));
    const many = { ...base, anchors: [...nine.map((k) => ({ key: publicOf(k), roles: ["root"] as const })), ...base.anchors.slice(2)] };
    await expect(signed(many, ...nine)).rejects.toMatchObject({ code: errors.SIGNATURE_COUNT });
  });

  it("is signed elsewhere over the bytes that tbs writes, and nothing else is accepted", async () => {
    const unsigned = encodeTrust(base);
    const tbs = trustToBeSigned(unsigned, publicOf(root));
    const half = await attachTrust(unsigned, publicOf(root), await signer(root).sign(tbs));
    const whole = await attachTrust(half, publicOf(root2), await signer(root2).sign(trustToBeSigned(half, publicOf(root2))));
    expect(trustFileUnchecked(whole, pinned).sequence).toEqual([0, 1]);
    for (const wrong of [await signer(root2).sign(tbs), new Uint8Array(64), new Uint8Array(), await signer(root).sign(tbs.subarray(1))])
      await expect(attachTrust(unsigned, publicOf(root), wrong)).rejects.toMatchObject({ fault: "signature" });
    expect(() => trustToBeSigned(unsigned, publicOf(release))).toThrow(NotRoot);
  });

  it("names the key identifiers of its roots in the signatures, unless two files have two of them", async () => {
    const a = {
      ...base,
      anchors: [{ key: withKid(publicOf(root), Uint8Array.of(1)), roles: ["root"] as const }, ...base.anchors.slice(1)],
    };
    const b = {
      ...a,
      sequence: 2n,
      anchors: [{ key: withKid(publicOf(root), Uint8Array.of(2)), roles: ["root"] as const }, ...base.anchors.slice(1)],
    };
    const first = await signed(a, root, root2);
    expect(decodeTrust(first).signatures.map((c) => c.kid && Array.from(c.kid))).toEqual([[1], null]);
    const before = trustFileUnchecked(first, pinned);
    const second = await signTrustWithoutLog(encodeTrust(b), [root, root2].map(signer), before);
    expect(decodeTrust(second).signatures.map((c) => c.kid)).toEqual([null, null]);
    expect(trustFileUnchecked(second, before).sequence).toEqual([0, 2]);
  });

  it("never accepts a debug key for a release, whatever else has signed", async () => {
    const store = embeddedTrust(await signed(base, root, root2));
    const policy = policyOf(store, ROLES.release, device);
    for (const by of [[debug], [root], [root, root2], [debug, root]]) expect(() => open([], policy), String(by.length)).toThrow();
    for (const by of [[debug], [root], [debug, root, root2]]) {
      const envelope = await releaseBy(...by);
      expect(() => open(envelope, policy)).toThrow(/refusal (60|61)/);
    }
    expect(open(await releaseBy(debug, release), policy).signers).toEqual([0]);
    // nor is there a way to list it for both
    const listings: RoleName[][] = [
      ["debug", "release"],
      ["debug", "recovery"],
      ["root", "release"],
      ["root", "debug"],
    ];
    for (const roles of listings) {
      const anchors = [...base.anchors.slice(0, 4), { key: publicOf(debug), roles }];
      expect(
        codeOf(() => encodeTrust({ ...base, anchors })),
        roles.join(),
      ).toBe(errors.TRUST_ROLE);
    }
    const twice = [...base.anchors, { key: publicOf(debug), roles: ["release"] as const }];
    expect(codeOf(() => encodeTrust({ ...base, anchors: twice }))).toBe(errors.TRUST_KEY_TWICE);
  });

  it("is refused by number if a bit of it is wrong or a part is missing, and never gives a different result", async () => {
    const one = { ...base, anchors: base.anchors.slice(1), thresholds: { ...base.thresholds, root: 1 } };
    const file = await signed(one, root2);
    const pin = { anchors: [anchorOf(root2)] };
    expect(trustFileUnchecked(file, pin).sequence).toEqual([0, 1]);
    const known = new Set<unknown>(Object.values(errors));
    for (let i = 0; i < file.length; i++) {
      const flipped = file.map((b, at) => (at === i ? b ^ (1 << (i % 8)) : b));
      expect(known.has(codeOf(() => trustFileUnchecked(flipped, pin))), `bit ${i % 8} of byte ${i}`).toBe(true);
      expect(known.has(codeOf(() => trustFileUnchecked(file.subarray(0, i), pin))), `${i} bytes`).toBe(true);
    }
  });

  it("does not list a point of P-256 and its negative: one private key would count twice", () => {
    const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
    const y = BigInt(`0x${Buffer.from(p256.key.subarray(33)).toString("hex")}`);
    const negative = publicKey(
      "es256",
      Uint8Array.from([...p256.key.subarray(0, 33), ...Buffer.from((P - y).toString(16).padStart(64, "0"), "hex")]),
    );
    expect(() => encodeTrust({ ...base, anchors: [...base.anchors, { key: negative, roles: ["release"] }] })).toThrow(KeyError);
  });

  it("lists no key that no device verifies", async () => {
    await loadAlg("ml-dsa-44");
    const anchors = [...base.anchors, { key: publicOf(key(9, "ml-dsa-44")), roles: ["release"] as const }];
    expect(() => encodeTrust({ ...base, anchors })).toThrow("no device verifies ml-dsa-44");
    const hss = publicKey("hsslms", Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 4, ...new Uint8Array(48).fill(7)]));
    expect(
      describeTrust(decodeTrust(encodeTrust({ ...base, anchors: [...base.anchors, { key: hss, roles: ["release"] }] })).store).anchors.at(
        -1,
      )?.key.alg,
    ).toBe("hsslms");
  });

  it("is made from every list that keeps the rules, and from no other, byte for byte the same", () => {
    const names = Object.keys(ROLES) as RoleName[];
    const good: RoleName[][] = [["root"], ["release"], ["debug"], ["recovery"], ["release", "recovery"]];
    const roles = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.subarray(names) });
    const limit = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    const keys = Array.from({ length: 40 }, (_, n) => publicOf(key(n + 1)));
    const lists = fc.array(fc.record({ n: fc.nat(39), roles, until: limit }), { minLength: 1, maxLength: 6 });
    const share = fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 3 }), fc.constant(undefined));
    let made = 0;
    const check = (list: { n: number; roles: RoleName[]; until: bigint | undefined }[], shares: (number | undefined)[]) => {
      const anchors = list.map((a) => ({
        key: keys[a.n] as PublicKey,
        roles: a.roles,
        ...(a.until !== undefined && !a.roles.includes("root") && { until: a.until }),
      }));
      const held = (role: RoleName) => anchors.filter((a) => a.roles.includes(role)).length;
      const thresholds: { [role in RoleName]?: number } = {};
      for (const [i, role] of names.entries()) {
        const n = shares[i];
        if (n !== undefined && (held(role) > 0 || n > 2)) thresholds[role] = n;
      }
      const isAlone = (a: { roles: RoleName[] }) => a.roles.length === 1 || !(a.roles.includes("root") || a.roles.includes("debug"));
      const rules =
        new Set(list.map((a) => a.n)).size === list.length &&
        anchors.every((a) => a.roles.length > 0 && isAlone(a)) &&
        names.every((role) => {
          const n = thresholds[role];
          return n === undefined ? held(role) === 0 : n >= 1 && n <= held(role);
        }) &&
        held("root") > 0;
      const d = { name: "x", sequence: 5n, anchors, thresholds };
      if (!rules) {
        expect(codeOf(() => encodeTrust(d))).toBeGreaterThanOrEqual(errors.TRUST_NONE);
        return;
      }
      made++;
      const bytes = encodeTrust(d);
      expect(encodeTrust(describeTrust(decodeTrust(bytes).store))).toEqual(bytes);
    };
    fc.assert(fc.property(lists, fc.tuple(share, share, share, share), check), { numRuns: 1000, seed: 7 });
    expect(made).toBeGreaterThan(50);
  });
});
