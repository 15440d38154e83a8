import {
  type Bridge,
  bridge,
  decodeTrust,
  encode,
  encodeTrust,
  type PrivateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustEntry,
} from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { filledKey } from "../../test-support/src/keys/filled-key.js";
import { type MemoryDevice, memoryDevice } from "../src/device/memory.js";
import { anchor, boot, embeddedTrust, errors, install, nextTrust, open, policyOf, trustFileUnchecked, updatedTrust } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { TRUST_COMPONENT } from "../src/install/trust-update.js";
import { code, ID, identity, image, uuid } from "./releases.js";

const [root, root2, one, two, three] = [1, 2, 3, 4, 5].map(filledKey) as [PrivateKey, PrivateKey, PrivateKey, PrivateKey, PrivateKey];

interface List {
  roots?: PrivateKey[];
  threshold?: number;
  name?: string;
  signers?: PrivateKey[];
}

function trusted(sequence: bigint, releases: PrivateKey[], { roots = [root], threshold = 1, name = "line", signers = roots }: List = {}) {
  const anchors: TrustEntry[] = [
    ...roots.map((k): TrustEntry => ({ key: k, roles: ["root"] })),
    ...releases.map((k): TrustEntry => ({ key: k, roles: ["release"] })),
  ];
  const bytes = encodeTrust({ name, sequence, anchors, thresholds: { root: 1, release: threshold } });
  // both roots may sign every list
  const both = anchors.concat([root, root2].filter((k) => !roots.includes(k)).map((k) => ({ key: k, roles: ["root"] })));
  return signTrustWithoutLog(
    bytes,
    signers.map(signer),
    decodeTrust(encodeTrust({ name, sequence, anchors: both, thresholds: { root: 1, release: 1 } })).store,
  );
}

const payload = image(1, 500);

function release(sequence: number, trust: Uint8Array, keys: PrivateKey[]): Promise<Uint8Array> {
  const facts: Bridge = { sequence, ...uuid, trust, image: { digest: sha256Hex(payload), size: payload.length, uri: "#fw", payload } };
  return signEnvelopeWithoutLog(encode(bridge(facts)), keys.map(signer));
}

/** A device that trusts `first` and has installed a release which carried `next`. */
async function after(first: Uint8Array, next: Uint8Array, keys: PrivateKey[]): Promise<MemoryDevice> {
  const device = memoryDevice(identity, [ID, TRUST_COMPONENT], 4096);
  install(await release(1, next, keys), policyOf(embeddedTrust(first), 2, identity), device).next();
  return device;
}

const follow = (first: Uint8Array, device: MemoryDevice) => nextTrust(embeddedTrust(first), device, device.envelope as Uint8Array, 2);

describe("the trust file that a release brings", () => {
  it("is returned if the roots have signed it, each time until it is stored, and then no more", async () => {
    const first = await trusted(1n, [one]);
    const next = await trusted(2n, [one, two]);
    const device = await after(first, next, [one]);
    for (let i = 0; i < 2; i++) expect(Uint8Array.from(follow(first, device) ?? [])).toEqual(next);
    expect(follow(next, device)).toBeNull();
  });

  it("is ignored if it is damaged, old, of another line, or not signed by the roots", async () => {
    const first = await trusted(5n, [one]);
    for (const bad of [
      new Uint8Array(40),
      await trusted(4n, [one]),
      await trusted(5n, [one, two]),
      await trusted(6n, [one], { name: "another" }),
      // by a root of its own alone: anybody with a release key could say so
      await trusted(6n, [one], { roots: [root2] }),
      (await trusted(6n, [one])).map((b, i, all) => (i === all.length - 1 ? b ^ 1 : b)),
    ])
      expect(follow(first, await after(first, bad, [one]))).toBeNull();
  });

  it("is ignored if the current release would not be valid under it, because it could no longer start", async () => {
    const first = await trusted(1n, [one]);
    expect(follow(first, await after(first, await trusted(2n, [two]), [one]))).toBeNull();
    expect(follow(first, await after(first, await trusted(2n, [one, two], { threshold: 2 }), [one]))).toBeNull();
    expect(follow(first, await after(first, await trusted(2n, [two]), [one, two]))).not.toBeNull();
  });

  it("ends the sessions that began before it was returned, and no later ones", async () => {
    const given = await trusted(1n, [one, two]);
    // the next list revokes a key, which has signed a release that is being installed
    const revoking = await trusted(2n, [one]);
    const device = await after(given, revoking, [one]);
    const store = embeddedTrust(given);
    const facts = { sequence: 2, ...uuid, digest: sha256Hex(payload), size: payload.length, uri: "https://x/f" };
    const envelope = await signEnvelopeWithoutLog(encode(singleImage(facts)), [signer(two)]);
    const begin = () => {
      const progress = install(envelope, policyOf(store, 2, identity), device);
      progress.next();
      progress.next(payload);
      return progress;
    };
    const current = device.envelope as Uint8Array;
    for (const adopt of [() => nextTrust(store, device, current, 2), () => updatedTrust(store, revoking, current, 2, identity)]) {
      const progress = begin();
      expect(adopt()).not.toBeNull();
      expect(code(() => progress.next(true))).toBe(errors.RUN_OUTCOME);
      expect(device.floor()).toEqual([0, 1]);
    }
    // nor does the list that applies already
    const later = embeddedTrust(revoking);
    const going = install(current, policyOf(later, 2, identity), memoryDevice(identity, [ID, TRUST_COMPONENT], 4096));
    expect(nextTrust(later, device, current, 2)).toBeNull();
    expect(code(() => going.next())).toBe(0);
    // what was refused ends nothing
    const progress = begin();
    expect(code(() => updatedTrust(store, new Uint8Array(9), current, 2, identity))).not.toBe(0);
    // the new list could not be stored: the old one still applies
    expect(progress.next(true)).toBeUndefined();
    expect(device.floor()).toEqual([0, 2]);
  });

  it("stays while the device may go back to the previous release", async () => {
    const first = await trusted(1n, [one]);
    const device = await after(first, await trusted(2n, [one, two]), [one]);
    let pending = true;
    Object.assign(device as unknown as TrialDevice, { pending: () => pending });
    expect(follow(first, device)).toBeNull();
    pending = false;
    expect(follow(first, device)).not.toBeNull();
  });

  it("stays if the component does not exist or is empty, or if storage returns something else", async () => {
    const first = await trusted(1n, [one]);
    const none = memoryDevice(identity, [ID], 4096);
    const empty = memoryDevice(identity, [ID, TRUST_COMPONENT], 4096);
    // and nothing is read where nothing lies
    for (const device of [none, empty]) {
      device.read = () => expect.fail("it was read");
      expect(nextTrust(embeddedTrust(first), device, new Uint8Array(), 2)).toBeNull();
    }
    const device = await after(first, await trusted(2n, [one, two]), [one]);
    const { read } = device;
    let reads = 0;
    device.read = (...args) => {
      reads++;
      return read(...args);
    };
    expect(follow(first, device)).not.toBeNull();
    // read once: what is verified is what is given
    expect(reads).toBe(1);
    for (const short of [[], read(TRUST_COMPONENT, 0, 20, false), undefined as never]) {
      device.read = () => short;
      expect(follow(first, device)).toBeNull();
    }
    // a good file, but not as long as it is said to be
    const next = read(TRUST_COMPONENT, 0, device.size(TRUST_COMPONENT, false), false);
    device.read = () => next;
    expect(follow(first, device)).not.toBeNull();
    const { size } = device;
    for (const more of [1, -1]) {
      device.size = (id, fresh) => size(id, fresh) + more;
      expect(follow(first, device)).toBeNull();
    }
    device.size = size;
    // a fault of the device is not an answer
    device.read = () => {
      throw new Error("flash");
    };
    expect(() => follow(first, device)).toThrow("flash");
    device.read = () => next;
    Object.defineProperty(device, "identity", {
      get: () => {
        throw new Error("no identity");
      },
    });
    expect(() => follow(first, device)).toThrow("no identity");
  });

  it("is one that a device can reach from the first through three lists, if the roots of the first have signed it too", async () => {
    const first = await trusted(1n, [one]);
    const third = await trusted(3n, [one, three], { roots: [root2], signers: [root, root2] });
    expect(follow(first, await after(first, third, [one]))).not.toBeNull();
    const alone = await trusted(3n, [one, three], { roots: [root2] });
    expect(follow(first, await after(first, alone, [one]))).toBeNull();
    expect(code(() => policyOf(embeddedTrust(third), 1, identity))).toBe(errors.TRUST_UNUSABLE);
  });
});

describe("a list whose keys are for another class of the same device", () => {
  const other = hex("00112233445566778899aabbccddeeff");
  const both = { vendor: identity.vendor, class: [...identity.class, other] };
  const scoped = (sequence: bigint, k: PrivateKey, scope: object) => {
    const anchors: TrustEntry[] = [
      { key: root, roles: ["root"] },
      { key: k, roles: ["release"], ...scope },
    ];
    const bytes = encodeTrust({ name: "line", sequence, anchors, thresholds: { root: 1, release: 1 } });
    return signTrustWithoutLog(bytes, [signer(root)], decodeTrust(bytes).store);
  };

  it("is not taken over: the current release could no longer start", async () => {
    const first = await scoped(1n, one, {});
    for (const [scope, taken] of [
      [{ class: other }, false],
      [{ class: identity.class[0] }, true],
    ] as const) {
      const next = await scoped(2n, two, scope);
      const device = memoryDevice(both, [ID, TRUST_COMPONENT], 4096);
      install(await release(1, next, [one, two]), policyOf(embeddedTrust(first), 2, both), device).next();
      const kept = follow(first, device);
      expect(!!kept).toBe(taken);
      expect(boot(device.envelope as Uint8Array, policyOf(embeddedTrust(kept ?? first), 2, both), device).next()).toBeUndefined();
    }
  });
});

describe("signatures of keys that a device does not know", () => {
  const keys = (from: number, n: number) => Array.from({ length: n }, (_, i) => filledKey(from + i));
  const first = keys(20, 3);
  const next = keys(30, 3);
  const lists = async () =>
    [await trusted(1n, first, { threshold: 2 }), await trusted(2n, next, { threshold: 2 })] as [Uint8Array, Uint8Array];

  it("do not stop a bridge from one set of keys to another one, in any order", async () => {
    const [before, after_] = await lists();
    for (const order of [
      [0, 1, 2, 3],
      [2, 3, 0, 1],
      [0, 2, 1, 3],
    ]) {
      const four = [...first.slice(0, 2), ...next.slice(0, 2)];
      const device = await after(
        before,
        after_,
        order.map((i) => four[i] as PrivateKey),
      );
      expect(device.floor()).toEqual([0, 1]);
      expect(Uint8Array.from(follow(before, device) ?? [])).toEqual(after_);
      expect(boot(device.envelope as Uint8Array, policyOf(embeddedTrust(after_), 2, identity), device).next()).toBeUndefined();
    }
  });

  it("do not keep a device from its next list if a stranger has put them into the release that brings it", async () => {
    const [before, after_] = [await trusted(1n, [one]), await trusted(2n, [two])];
    const device = await after(before, after_, [one, ...keys(40, 6), two]);
    expect(Uint8Array.from(follow(before, device) ?? [])).toEqual(after_);
    expect(boot(device.envelope as Uint8Array, policyOf(embeddedTrust(after_), 2, identity), device).next()).toBeUndefined();
  });

  it("do not stop a trust file: every available root may sign it", async () => {
    const roots = keys(50, 9);
    const before = await trusted(1n, [one], { roots: roots.slice(0, 3) });
    const list = encodeTrust({
      name: "line",
      sequence: 5n,
      anchors: [...roots.slice(6).map((k): TrustEntry => ({ key: k, roles: ["root"] })), { key: two, roles: ["release"] }],
      thresholds: { root: 1, release: 1 },
    });
    const all = encodeTrust({
      name: "line",
      sequence: 5n,
      anchors: roots.map((k): TrustEntry => ({ key: k, roles: ["root"] })),
      thresholds: { root: 1 },
    });
    const signers = [3, 4, 5, 6, 7, 0, 1].map((i) => signer(roots[i] as PrivateKey));
    const late = await signTrustWithoutLog(list, signers, decodeTrust(all).store);
    expect(trustFileUnchecked(late, embeddedTrust(before)).sequence).toEqual([0, 5]);
  });

  it("do not stop a signer who adds a signature after many others", async () => {
    let envelope: Uint8Array = encode(bridge({ sequence: 1, ...uuid, trust: await trusted(1n, [one]) } as Bridge));
    for (const k of keys(60, 8)) envelope = await signEnvelopeWithoutLog(envelope, [signer(k)]);
    expect(open(envelope, { anchors: keys(60, 8).map((k) => anchor("ed25519", k.key)), threshold: 8 }).signers).toHaveLength(8);
  });
});
