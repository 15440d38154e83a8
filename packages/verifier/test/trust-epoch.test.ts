// Chains of trust files, limits on jumps, and counting from a new beginning: what a thief has left behind is undone once, and only once.

import * as nodeFs from "node:fs";
import {
  bridge,
  type Command,
  encode,
  encodeTrust,
  type PrivateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustDescription,
  type TrustEntry,
} from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { DEVICES, type SimulatedDevice } from "../../simulator/src/devices/devices.js";
import { Simulation } from "../../simulator/src/simulation/simulation.js";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { sha256Hex } from "../../test-support/src/bytes.js";
import { LEAST, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { filledKey } from "../../test-support/src/keys/filled-key.js";
import { createFileDevice, type FileSystem, fileDevice } from "../src/device/file.js";
import { flashDevice } from "../src/device/flash.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, type Device, embeddedTrust, errors, install, nextTrust, policyOf, trustFileUnchecked, updatedTrust } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { TRUST_COMPONENT } from "../src/install/trust-update.js";
import { code, ID, identity, image, uuid } from "./releases.js";
import { blankIo, on as onStorage } from "./storage-files.js";

const [root, one, two, thief] = [1, 3, 4, 5].map(filledKey) as [PrivateKey, PrivateKey, PrivateKey, PrivateKey];
const TOP = "18446744073709551615";
/** As far as a new device goes. */
const HALF = "9223372036854775808";
const TOP_PAIR = [4294967295, 4294967295];

function trusted(sequence: bigint, releases: PrivateKey[], more: Partial<TrustDescription> = {}, by = [root]): Promise<Uint8Array> {
  const anchors: TrustEntry[] = [{ key: root, roles: ["root"] }, ...releases.map((k): TrustEntry => ({ key: k, roles: ["release"] }))];
  return signTrustWithoutLog(
    encodeTrust({ name: "line", sequence, anchors, thresholds: { root: 1, release: 1 }, ...more }),
    by.map(signer),
  );
}
const joined = (...all: Uint8Array[]) => Uint8Array.from(all.flatMap((b) => [...b]));
const payload = image(1, 500);

/** A release that brings a trust file. */
function described(sequence: number | string, trust: Uint8Array, uri = "#firmware") {
  return bridge({ sequence, ...uuid, trust, image: { digest: sha256Hex(payload), size: payload.length, uri, payload } });
}
const brings = (sequence: number | string, trust: Uint8Array, keys: PrivateKey[]): Promise<Uint8Array> =>
  signEnvelopeWithoutLog(encode(described(sequence, trust)), keys.map(signer));
function plain(sequence: number | string, keys: PrivateKey[], bytes: Uint8Array = payload): Promise<Uint8Array> {
  return signEnvelopeWithoutLog(
    encode(singleImage({ sequence, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#f", payload: bytes })),
    keys.map(signer),
  );
}

const IDS = [ID, TRUST_COMPONENT as Uint8Array[]];
const PAGE = 4096;
const layout = {
  components: IDS.map((id, i) => ({ id, slots: [2 * i * PAGE, (2 * i + 1) * PAGE] as [number, number], size: PAGE })),
  envelopes: { slots: [4 * PAGE, 5 * PAGE] as [number, number], size: PAGE },
  records: [6 * PAGE, 7 * PAGE] as [number, number],
};
const devices: [string, () => () => Device][] = [
  [
    "memory",
    () =>
      (
        (d) => () =>
          d
      )(memoryDevice(identity, IDS, 4096)),
  ],
  [
    "flash",
    () =>
      (
        (f) => () =>
          flashDevice(f, identity, layout, () => true)
      )(new FlashModel(erasedFlash(8, PAGE))),
  ],
  [
    "storage",
    () =>
      (
        (io) => () =>
          onStorage(io, 0, IDS)
      )(blankIo(32)),
  ],
  [
    "files",
    () => {
      const path = temporaryFolder("epoch-");
      createFileDevice(nodeFs as unknown as FileSystem, path, identity, 4096);
      return () => fileDevice(nodeFs as unknown as FileSystem, path);
    },
  ],
];
/** Of devices, for power cuts: by default flash and Storage. */
const kinds = ["flash", "files", "storage", "memory"];
const policy = (file: Uint8Array) => policyOf(embeddedTrust(file), 2, identity);

describe("a chain of trust files", () => {
  it("leads to its last list, from any of them, in one step", async () => {
    const lists = await Promise.all([1n, 2n, 3n, 4n].map((n) => trusted(n, [one])));
    const chain = joined(...lists.slice(1));
    for (const from of lists) expect(trustFileUnchecked(chain, embeddedTrust(from)).sequence).toEqual([0, 4]);
    // what is kept is the last file, and no chain
    expect(Uint8Array.from(trustFileUnchecked(chain, embeddedTrust(lists[0] as Uint8Array)).file ?? [])).toEqual(lists[3]);
  });

  it("goes from root to root if each signed for the next", async () => {
    const b = filledKey(9);
    const roots = (k: PrivateKey): Partial<TrustDescription> => ({
      anchors: [
        { key: k, roles: ["root"] },
        { key: one, roles: ["release"] },
      ],
    });
    const [first, second] = [await trusted(1n, [one]), await trusted(2n, [], roots(root))];
    const both = await trusted(
      3n,
      [],
      {
        anchors: [
          { key: root, roles: ["root"] },
          { key: b, roles: ["root"] },
          { key: one, roles: ["release"] },
        ],
        thresholds: { root: 1, release: 1 },
      },
      [root, b],
    );
    const last = await trusted(4n, [], roots(b), [b]);
    expect(code(() => trustFileUnchecked(last, embeddedTrust(first)))).toBe(errors.TRUST_PREVIOUS);
    expect(trustFileUnchecked(joined(second, both, last), embeddedTrust(first)).sequence).toEqual([0, 4]);
  });

  it("is refused with a gap, in another order, with a fork, as too many, and with one that nobody signed", async () => {
    const [l1, l2, l3, l4] = (await Promise.all([1n, 2n, 3n, 4n].map((n) => trusted(n, [one])))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const fork = await trusted(2n, [two]);
    const before = embeddedTrust(l1);
    const of = (...all: Uint8Array[]) => code(() => trustFileUnchecked(joined(...all), before));
    expect(of(l2, l4)).toBe(errors.TRUST_CHAIN);
    expect(of(l3, l2)).toBe(errors.TRUST_CHAIN);
    expect(of(l2, l2)).toBe(errors.TRUST_CHAIN);
    expect(code(() => trustFileUnchecked(joined(fork, l3), embeddedTrust(l2)))).toBe(errors.TRUST_ROLLBACK);
    expect(of(l2, await trusted(3n, [one], {}, [root]).then((b) => b.map((x, i) => (i === b.length - 1 ? x ^ 1 : x))), l4)).not.toBe(0);
    expect(of(l2, Uint8Array.of(0))).toBe(errors.CBOR_TRAILING);
    const many = await Promise.all(Array.from({ length: 17 }, (_, i) => trusted(BigInt(i + 2), [one])));
    expect(of(...many.slice(0, 16))).toBe(0);
    expect(of(...many)).toBe(errors.TRUST_LIMIT);
  });

  it("moves a device that was away, with one release", async () => {
    const [l1, l2, l3] = (await Promise.all([1n, 2n, 3n].map((n) => trusted(n, n === 3n ? [two] : [one, two])))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const device = memoryDevice(identity, IDS, 4096);
    install(await brings(9, joined(l2, l3), [one, two]), policy(l1), device).next();
    expect(Uint8Array.from(nextTrust(embeddedTrust(l1), device, device.envelope as Uint8Array, 2) ?? [])).toEqual(l3);
  });
});

it("a new device accepts the first file of its own line, from its built-in number on", async () => {
  const file = await trusted(3n, [one]);
  const roots = { anchors: policyRoots(file), threshold: 1 };
  const name = new TextEncoder().encode("line");
  expect(trustFileUnchecked(file, { ...roots, name, sequence: [0, 3] }).sequence).toEqual([0, 3]);
  expect(code(() => trustFileUnchecked(file, { ...roots, name: name.slice(1) }))).toBe(errors.TRUST_NAME);
  expect(code(() => trustFileUnchecked(file, { ...roots, name, sequence: [0, 4] }))).toBe(errors.TRUST_ROLLBACK);
});
function policyRoots(file: Uint8Array) {
  return embeddedTrust(file).anchors.filter((a) => a.roles[0] === 1) as never;
}

it("the running release must be valid under the list, if that is checked", async () => {
  const [l1, l2] = [await trusted(1n, [one]), await trusted(2n, [two])];
  const running = await plain(5, [one]);
  expect(updatedTrust(embeddedTrust(l1), await trusted(2n, [one]), running, 2, identity).sequence).toEqual([0, 2]);
  expect(code(() => updatedTrust(embeddedTrust(l1), l2, running, 2, identity))).toBe(errors.SIGNATURE_INVALID);
  expect(trustFileUnchecked(l2, embeddedTrust(l1)).sequence).toEqual([0, 2]);
});

describe("a limit on jumps", () => {
  it("counts from the device's number, or the caller's if that is higher, and from nothing on a new device", async () => {
    const file = await trusted(1n, [one], { jumps: { release: 100n } });
    const device = memoryDevice(identity, IDS, 4096);
    const to = async (n: number | string, floor?: [number, number]) => {
      const envelope = await plain(n, [one]);
      return code(() => install(envelope, { ...policy(file), ...(floor && { floor }) }, device).next());
    };
    expect(await to("9223372036854775809")).toBe(errors.SEQUENCE_JUMP);
    expect(await to(5000)).toBe(0);
    expect(await to(5101)).toBe(errors.SEQUENCE_JUMP);
    expect(await to(5101, [0, 5001])).toBe(0);
    expect(await to(5201)).toBe(0);
    expect(await to(TOP)).toBe(errors.SEQUENCE_JUMP);
  });

  it("is 2^63 if the list says nothing: no version or time is ever above that", async () => {
    const file = await trusted(1n, [one]);
    for (const [from, n, expected] of [
      [7, TOP, errors.SEQUENCE_JUMP],
      [7, "9223372036854775815", 0],
      [7, "9223372036854775816", errors.SEQUENCE_JUMP],
      // versions of four parts of 16 bits, from 1.0 to 30000.0; nanoseconds since 1970
      ["281474976710656", "8444249301319680000", 0],
      [1, "1800000000000000000", 0],
      ["4294967295", "4294967296", 0],
    ] as const) {
      const device = memoryDevice(identity, IDS, 4096);
      install(await plain(from, [one]), policy(file), device).next();
      const envelope = await plain(n, [one]);
      expect([n, code(() => install(envelope, policy(file), device).next())]).toEqual([n, expected]);
    }
  });
});

describe("counting from a new beginning", () => {
  const lists = async () => ({
    l1: await trusted(1n, [one, thief], { jumps: { release: BigInt(TOP) } }),
    l2: await trusted(2n, [one], { epoch: { number: 1, from: 101n } }),
  });
  /** A device that has installed what the thief has signed. */
  const stolen = async (start: () => Device, l1: Uint8Array) => {
    install(await plain(50, [one]), policy(l1), start()).next();
    install(await plain(TOP, [thief], image(7, 400)), policy(l1), start()).next();
    expect(start().floor()).toEqual(TOP_PAIR);
  };

  it("is known before anything is erased, and takes a list in the component of lists alone", async () => {
    const { l1, l2 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    await stolen(() => device, l1);
    const { erase } = device;
    device.erase = () => expect.fail("it was erased");
    // the last one brings the list as its image
    for (const bad of [await plain(102, [one]), await brings(100, l2, [one]), await plain(102, [one], l2)])
      expect(code(() => install(bad, policy(l1), device))).toBe(errors.ROLLBACK);
    const other = memoryDevice(identity, IDS, 4096);
    install(await plain(102, [one], l2), policy(l1), other).next();
    expect(Array.from(other.counters?.() ?? []).slice(-3)).toEqual([0, 0, 0]);
    device.erase = erase;
    install(await brings(101, l2, [one]), policy(l1), device).next();
    expect(Array.from(device.counters?.() ?? []).slice(-3)).toEqual([0, 0, 1]);
  });

  it("waits for a list that is still arriving, before anything is erased", async () => {
    const { l1, l2 } = await lists();
    // the list is the first payload of the envelope, or the second
    for (const [name, make] of devices.filter(([name]) => name === "flash" || name === "storage"))
      for (const uri of ["#firmware", "#fw"]) {
        const cure = await signEnvelopeWithoutLog(encode(described(101, l2, uri)), [signer(one)]);
        const start = make() as () => TrialDevice;
        await stolen(start, l1);
        const device = start();
        for (const byte of cure) device.receive(Uint8Array.of(byte), cure.length, policy(l1));
        install(device.received(), policy(l1), device).next();
        expect([name, uri, start().floor()]).toEqual([name, uri, [0, 101]]);
      }
  });

  it("needs the list in the envelope: nothing outside it is known before the installation", async () => {
    const { l1, l2 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    await stolen(() => device, l1);
    const { payloads = {}, ...d } = described(101, l2);
    const { "#trust": _, ...inside } = payloads;
    const outside = JSON.parse(JSON.stringify(d).replaceAll("#trust", "https://example.com/list"));
    const envelope = await signEnvelopeWithoutLog(encode({ ...outside, payloads: inside }), [signer(one)]);
    expect(code(() => install(envelope, policy(l1), device))).toBe(errors.ROLLBACK);
  });

  it("needs no more where the list may also be copied from another component", async () => {
    const { l1, l2 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    await stolen(() => device, l1);
    const { install: commands = [], ...d } = described(101, l2);
    const fetches = commands.slice(-3);
    const copies: Command[] = [{ "directive-override-parameters": { "source-component": 0 } }, "directive-copy", "condition-image-match"];
    // first of all: a rehearsal in which nothing matches ends at the first component
    const [ofImage, image, ofList] = commands as [Command, Command, Command];
    const either: Command[] = [ofList, { "directive-try-each": [fetches, copies] }, ofImage, image];
    install(await signEnvelopeWithoutLog(encode({ ...d, install: either }), [signer(one)]), policy(l1), device).next();
    expect(device.floor()).toEqual([0, 101]);
  });

  it("has no part in a start: a release below the floor, to which the device went back, is started", async () => {
    const { l1 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    install(await plain(50, [one]), policy(l1), device).next();
    device.sequence = [0, 60];
    expect(boot(device.envelope as Uint8Array, policy(l1), device).next()).toBeUndefined();
    expect(device.invoked).toHaveLength(1);
  });

  it.each(devices)("happens with the release that brings the list, and once: %s", async (_, make) => {
    const start = make();
    const { l1, l2 } = await lists();
    await stolen(start, l1);
    const [old, low, cure, next] = [
      await plain(102, [one]),
      await brings(100, l2, [one]),
      await brings(101, l2, [one]),
      await brings(105, l2, [one]),
    ];
    // nothing but a release that brings the list, and from its number on
    for (const bad of [old, low, await brings(101, await trusted(2n, [one]), [one])])
      expect(code(() => install(bad, policy(l1), start()).next())).toBe(errors.ROLLBACK);
    // a list that the roots have not signed, one of the thief's own release that would not be good under it
    expect(code(() => install(new Uint8Array(0), policy(l1), start()))).not.toBe(0);
    const unsound = await brings(101, l2, [thief]);
    expect(code(() => install(unsound, policy(l1), start()).next())).toBe(errors.ROLLBACK);
    expect(start().floor()).toEqual(TOP_PAIR);
    install(next, policy(l1), start()).next();
    expect(start().floor()).toEqual([0, 105]);
    // once: also before the new list is kept, nothing lower comes back
    expect(code(() => install(cure, policy(l1), start()).next())).toBe(errors.ROLLBACK);
    install(next, policy(l1), start()).next();
    expect(code(() => install(cure, policy(l2), start()).next())).toBe(errors.ROLLBACK);
    install(await plain(106, [one]), policy(l2), start()).next();
    expect(start().floor()).toEqual([0, 106]);
    const again = await plain(TOP, [thief], image(7, 400));
    expect(code(() => install(again, policy(l2), start()).next())).not.toBe(0);
    // the next epoch of the next list
    const l3 = await trusted(3n, [one], { epoch: { number: 2, from: 10n } });
    install(await brings(10, l3, [one]), policy(l2), start()).next();
    expect(start().floor()).toEqual([0, 10]);
  });

  it("is over on a device that was never harmed, as soon as it has the release", async () => {
    const { l1, l2 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    install(await plain(50, [one]), policy(l1), device).next();
    install(await brings(110, l2, [one]), policy(l1), device).next();
    const lower = await brings(101, l2, [one]);
    expect(code(() => install(lower, policy(l1), device).next())).toBe(errors.ROLLBACK);
  });

  it("needs a device that keeps counters", async () => {
    const { l1, l2 } = await lists();
    const device = memoryDevice(identity, IDS, 4096);
    await stolen(() => device, l1);
    delete device.counters;
    const cure = await brings(101, l2, [one]);
    expect(code(() => install(cure, policy(l1), device).next())).toBe(errors.ROLLBACK);
  });

  it("does not go back", async () => {
    const { l2 } = await lists();
    for (const epoch of [undefined, { number: 1, from: 1n }, { number: 2, from: 1n }]) {
      const file = await trusted(3n, [one], epoch ? { epoch } : {});
      expect(code(() => trustFileUnchecked(file, embeddedTrust(l2)))).toBe(epoch ? 0 : errors.TRUST_EPOCH);
    }
  });

  it.each(LEAST ? kinds : some(kinds, 4))(
    "leaves the thief's release or the one that replaces it, and never a floor in between, after each cut: %s",
    async (name) => {
      const { l1, l2 } = await lists();
      const setup = { identity, components: IDS, capacity: 4096, envelope: 4096, pageSize: 4096 };
      const trust = policy(l1);
      const poison = { envelope: await plain(HALF, [thief], image(7, 400)), trust, payloads: new Map() };
      const cure = { envelope: await brings(101, l2, [one]), trust, payloads: new Map() };
      const report = new Simulation((DEVICES[name] as SimulatedDevice).make, setup, poison, cure).run(2);
      // the floor falls, once: that is what it is for
      expect(report.faults.filter((f) => !f.floorFell)).toEqual([]);
      expect(new Set(report.points.map((p) => p.floor))).toEqual(new Set([HALF, "101"]));
    },
  );
});

it("a key for one device at a time counts only if the manifest asks for that device", async () => {
  const debug = filledKey(11);
  const file = await trusted(1n, [one], {
    anchors: [
      { key: root, roles: ["root"] },
      { key: debug, roles: ["debug"], devices: "single" },
    ],
    thresholds: { root: 1, debug: 1 },
  });
  const me = { ...identity, device: [new Uint8Array(16).fill(5)] };
  const device = memoryDevice(me, IDS, 4096);
  const anybody = await plain(1, [debug]);
  const trust = policyOf(embeddedTrust(file), 3, me);
  expect(code(() => install(anybody, trust, device).next())).toBe(errors.IDENTITY_UNCHECKED);
  const facts = { sequence: 2, ...uuid, digest: sha256Hex(payload), size: payload.length, uri: "#f", payload };
  const d = singleImage(facts);
  const shared = (id: string) => ({
    ...d,
    "shared-sequence": [
      ...(d["shared-sequence"] ?? []),
      { "directive-override-parameters": { "device-identifier": id } },
      "condition-device-identifier",
    ],
  });
  const mine = await signEnvelopeWithoutLog(encode(shared("05050505-0505-0505-0505-050505050505") as never), [signer(debug)]);
  const other = await signEnvelopeWithoutLog(encode(shared("06060606-0606-0606-0606-060606060606") as never), [signer(debug)]);
  expect(code(() => install(other, trust, device).next())).toBe(errors.DEVICE_MISMATCH);
  install(mine, trust, device).next();
  // what was installed in a role starts in that role; counters() says which
  expect(device.counters?.()?.[28]).toBe(3);
  boot(device.envelope as Uint8Array, trust, device).next();
  expect(device.invoked).toHaveLength(1);
});
