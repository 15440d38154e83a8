// A floor for each role: what is installed in one role neither raises nor lowers the floor of another, on every ready-made device, after a way back,
// a power cut, and on a device that had one floor before.

import * as nodeFs from "node:fs";
import { encode, encodeTrust, type PrivateKey, signEnvelopeWithoutLog, signer, signTrustWithoutLog, singleImage } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { DEVICES, type SimulatedDevice } from "../../simulator/src/devices/devices.js";
import { Simulation } from "../../simulator/src/simulation/simulation.js";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import type { Machine, MakeStore, Store } from "../../simulator/src/store.js";
import { sha256Hex } from "../../test-support/src/bytes.js";
import { LEAST, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { filledKey } from "../../test-support/src/keys/filled-key.js";
import { createFileDevice, type FileSystem, fileDevice } from "../src/device/file.js";
import { flashDevice } from "../src/device/flash.js";
import { memoryDevice } from "../src/device/memory.js";
import { roleFloors } from "../src/device/roles.js";
import { boot, type Device, embeddedTrust, errors, install, policyOf, type Source, type TrustStore } from "../src/index.js";
import type { Commit, TrialDevice } from "../src/install/device.js";
import { code, ID, identity, image, uuid } from "./releases.js";
import { blankIo, on as onStorage } from "./storage-files.js";

const [root, releaseKey, debugKey] = [1, 2, 3].map(filledKey) as [PrivateKey, PrivateKey, PrivateKey];
const [RELEASE, DEBUG, RECOVERY] = [2, 3, 4];
const IDS = [ID];
const PAGE = 4096;

let store: TrustStore;
beforeAll(async () => {
  const anchors = [
    { key: root, roles: ["root" as const] },
    { key: releaseKey, roles: ["release" as const, "recovery" as const] },
    { key: debugKey, roles: ["debug" as const] },
  ];
  const thresholds = { root: 1, release: 1, recovery: 1, debug: 1 };
  store = embeddedTrust(await signTrustWithoutLog(encodeTrust({ name: "line", sequence: 1n, anchors, thresholds }), [signer(root)]));
});

const policy = (role = RELEASE) => policyOf(store, role, identity);
function made(sequence: number, k = releaseKey, bytes = image(1, 500)): Promise<Uint8Array> {
  const file = {
    sequence,
    ...uuid,
    digest: sha256Hex(bytes),
    size: bytes.length,
    uri: "#f",
    payload: bytes,
  };
  return signEnvelopeWithoutLog(encode(singleImage(file)), [signer(k)]);
}

const layout = (tries: number) => ({
  components: IDS.map((id, i) => ({ id, slots: [2 * i * PAGE, (2 * i + 1) * PAGE] as [number, number], size: PAGE })),
  envelopes: { slots: [4 * PAGE, 5 * PAGE] as [number, number], size: PAGE },
  records: [6 * PAGE, 7 * PAGE] as [number, number],
  tries,
});

/** By kind: makes a device, and opens it again as after a start. */
const devices: [string, (tries: number) => () => Device][] = [
  [
    "memory",
    () => {
      const kept = memoryDevice(identity, IDS, 4096);
      // each start has an object of its own, as those of the other devices are
      return () => Object.create(kept) as Device;
    },
  ],
  [
    "flash",
    (tries) => {
      const flash = new FlashModel(erasedFlash(8, PAGE));
      return () => flashDevice(flash, identity, layout(tries), () => true);
    },
  ],
  [
    "storage",
    (tries) => {
      const io = blankIo(32);
      return () => onStorage(io, tries, IDS);
    },
  ],
  [
    "files",
    () => {
      const path = temporaryFolder("roles-");
      createFileDevice(nodeFs as unknown as FileSystem, path, identity, 4096);
      return () => fileDevice(nodeFs as unknown as FileSystem, path);
    },
  ],
];

describe.each(devices)("roleFloors() on %s", (_, make) => {
  it("keeps the floor of a role, whatever is installed in another", async () => {
    const open = make(0);
    const start = () => roleFloors(open());
    const into = (envelope: Uint8Array, role: number) => code(() => install(envelope, policy(role), start()).next());
    const ten = await made(10);
    expect([start().currentRole(), start().floor(), start().counters?.()]).toEqual([RELEASE, [0, 0], null]);
    expect(into(ten, RELEASE)).toBe(0);
    expect([start().currentRole(), start().floor(DEBUG), start().counters?.(DEBUG)]).toEqual([RELEASE, [0, 0], null]);
    const debug = await made(1000, debugKey, image(2, 400));
    expect(into(debug, DEBUG)).toBe(0);
    expect([start().currentRole(), start().floor(), start().floor(DEBUG), start().floor(RECOVERY)]).toEqual([
      DEBUG,
      [0, 10],
      [0, 1000],
      [0, 0],
    ]);
    // a start in the role that was installed, and in no other
    const envelope = () => {
      const device = start() as unknown as { envelope: Uint8Array | (() => Source) };
      return typeof device.envelope === "function" ? device.envelope() : device.envelope;
    };
    expect(boot(envelope(), policy(start().currentRole()), start()).next()).toBeUndefined();
    expect(code(() => boot(envelope(), policy(RELEASE), start()))).toBe(errors.SIGNATURE_INVALID);
    // neither goes down, and the number of each is that of its own manifest
    expect(into(await made(9), RELEASE)).toBe(errors.ROLLBACK);
    expect(into(await made(10, releaseKey, image(3, 300)), RELEASE)).toBe(errors.SEQUENCE_TAKEN);
    expect(into(await made(999, debugKey), DEBUG)).toBe(errors.ROLLBACK);
    expect(into(await made(1000, debugKey), DEBUG)).toBe(errors.SEQUENCE_TAKEN);
    expect(into(ten, RELEASE)).toBe(0);
    expect(into(await made(3), RECOVERY)).toBe(0);
    expect(into(await made(11), RELEASE)).toBe(0);
    expect([start().currentRole(), start().floor(), start().floor(DEBUG), start().floor(RECOVERY)]).toEqual([
      RELEASE,
      [0, 11],
      [0, 1000],
      [0, 3],
    ]);
    expect(into(await made(999, debugKey), DEBUG)).toBe(errors.ROLLBACK);
    expect(into(debug, DEBUG)).toBe(0);
    expect(into(await made(2), RECOVERY)).toBe(errors.ROLLBACK);
  });

  it("counts what was installed before for every role", async () => {
    const open = make(0);
    install(await made(50), policy(), open()).next();
    for (const role of [RELEASE, DEBUG, RECOVERY]) expect(roleFloors(open()).floor(role)).toEqual([0, 50]);
    const low = await made(49, debugKey);
    expect(code(() => install(low, policy(DEBUG), roleFloors(open())).next())).toBe(errors.ROLLBACK);
    install(await made(51, debugKey), policy(DEBUG), roleFloors(open())).next();
    const after = roleFloors(open());
    expect([after.floor(), after.floor(DEBUG), after.floor(RECOVERY)]).toEqual([
      [0, 50],
      [0, 51],
      [0, 50],
    ]);
  });
});

describe.each(devices.filter(([name]) => name === "flash" || name === "storage"))("a way back on %s", (_, make) => {
  it("leads to the role and the floors of before; the number of the failed release stays used in its role", async () => {
    const open = make(2);
    const start = () => roleFloors(open() as TrialDevice);
    install(await made(10), policy(), start()).next();
    install(await made(20), policy(), start()).next();
    let device = start();
    device.start();
    device.confirm();
    install(await made(5, debugKey, image(2, 400)), policy(DEBUG), start()).next();
    expect(start().currentRole()).toBe(DEBUG);
    for (let i = 0; i < 3; i++) start().start();
    device = start();
    expect([device.rolledBack(), device.currentRole(), device.floor(), device.floor(DEBUG)]).toEqual([true, RELEASE, [0, 20], [0, 5]]);
    expect(boot(device.envelope() as Source, policy(device.currentRole()), device).next()).toBeUndefined();
    expect(code(() => install(new Uint8Array(), policy(), start()))).not.toBe(0);
    const [other, low] = [await made(5, debugKey, image(4, 100)), await made(19)];
    expect(code(() => install(other, policy(DEBUG), start()).next())).toBe(errors.SEQUENCE_TAKEN);
    expect(code(() => install(low, policy(), start()).next())).toBe(errors.ROLLBACK);
    install(await made(21), policy(), start()).next();
    expect([start().currentRole(), start().floor(), start().floor(DEBUG)]).toEqual([RELEASE, [0, 21], [0, 5]]);
  });
});

it("a device without counters is refused", () => {
  const device = memoryDevice(identity, IDS, 128);
  delete device.counters;
  expect(code(() => roleFloors(device))).toBe(errors.DEVICE_FAULT);
});

it("on flash whose pages have no room for the floors, nothing is committed", async () => {
  const flash = new FlashModel(erasedFlash(24, 128));
  const small = {
    components: [{ id: ID, slots: [0, 512] as [number, number], size: 512 }],
    envelopes: { slots: [1024, 1792] as [number, number], size: 768 },
    records: [2560, 2688] as [number, number],
  };
  const open = () => flashDevice(flash, identity, small, () => true);
  const [ten, debug] = [await made(10), await made(5, debugKey)];
  install(ten, policy(), roleFloors(open())).next();
  expect(code(() => install(debug, policy(DEBUG), roleFloors(open())).next())).toBe(errors.STORAGE_FULL);
  expect([roleFloors(open()).floor(), roleFloors(open()).currentRole()]).toEqual([[0, 10], RELEASE]);
});

describe("the counters of a device with roles", () => {
  const SUM = Array.from({ length: 28 }, (_, i) => i + 1);
  const counters = (role: number) => [...SUM, role, 0, 0, role];
  /** What is kept for a role with a floor below 256: the floor, then its counters. */
  const eight = (floor: number) => [0, 0, 0, 0, 0, 0, 0, floor];
  const entry = (role: number, floor: number) => [...eight(floor), ...counters(role)];
  const START = counters(RELEASE);
  /** The beginning after a commit in `role`, with the highest epoch of all. */
  const led = (role: number, back: number, floor: number, epoch = role) => [
    ...SUM,
    role,
    0,
    0,
    epoch,
    back,
    ...eight(floor),
    role,
    0,
    0,
    role,
  ];
  /** A device that keeps plain numbers. `back`: it has gone back. */
  function plain(bytes: number[] | null, floor: number, back = false) {
    const kept = { floor: [0, floor] as [number, number], counters: bytes as ArrayLike<number> | null, reset: undefined as unknown };
    const device = {
      identity,
      floor: () => kept.floor,
      counters: () => kept.counters,
      rolledBack: () => back,
      persist: (commit: Commit) =>
        Object.assign(kept, { floor: commit.sequence, counters: Array.from(commit.counters), reset: commit.reset }),
    };
    return { kept, device: roleFloors(device as unknown as Device) };
  }
  const commit = (role: number, sequence: [number, number], more = {}) => ({ sequence, written: [], counters: counters(role), ...more });

  it("keep each bit of a floor, and each counter of the other roles", () => {
    const { kept, device } = plain(START, 1);
    device.persist(commit(RELEASE, [0x81828384, 0xf5f6f7f8]));
    device.persist(commit(DEBUG, [0, 7]));
    expect([device.floor(RELEASE), device.floor(DEBUG)]).toEqual([
      [0x81828384, 0xf5f6f7f8],
      [0, 7],
    ]);
    for (const role of [RELEASE, DEBUG]) expect(Array.from(device.counters?.(role) ?? [])).toEqual(counters(role));
    const first = [0x81, 0x82, 0x83, 0x84, 0xf5, 0xf6, 0xf7, 0xf8, ...counters(RELEASE)];
    // what was installed before counts for every role
    const recovery = [...eight(1), ...SUM, RECOVERY, 0, 0, RELEASE];
    expect(kept.counters).toEqual([...led(DEBUG, RELEASE, 7), ...first, ...recovery]);
    // the floor of a device without roles is the highest
    expect(kept.floor).toEqual([0x81828384, 0xf5f6f7f8]);
    expect(kept.counters).toHaveLength(125);
  });

  it("may lack a role: it has no floor and no counters then, and gets none by the commit of another", () => {
    const { kept, device } = plain([...led(DEBUG, RELEASE, 7), ...entry(RELEASE, 9)], 9);
    expect([device.floor(), device.floor(DEBUG), device.floor(RECOVERY)]).toEqual([
      [0, 9],
      [0, 7],
      [0, 0],
    ]);
    expect(Array.from(device.counters?.() ?? [])).toEqual(counters(RELEASE));
    expect(device.counters?.(RECOVERY)).toBeNull();
    device.persist(commit(RELEASE, [0, 10]));
    expect(kept.counters).toEqual([...led(RELEASE, DEBUG, 10, DEBUG), ...entry(DEBUG, 7)]);
    device.persist(commit(RECOVERY, [0, 1]));
    expect(kept.counters).toEqual([...led(RECOVERY, RELEASE, 1), ...entry(RELEASE, 10), ...entry(DEBUG, 7)]);
    expect(kept.floor).toEqual([0, 10]);
  });

  it("begin without any floor, and a policy without a trust file is one of releases", () => {
    const { kept, device } = plain(null, 0);
    expect([device.floor(), device.counters?.(), device.currentRole()]).toEqual([[0, 0], null, RELEASE]);
    device.persist({ sequence: [0, 3], written: [], counters: SUM });
    expect(kept.counters).toEqual([...SUM, RELEASE, 0, 0, 0, RELEASE, ...eight(3), RELEASE, 0, 0, 0]);
    expect([device.floor(), device.floor(DEBUG)]).toEqual([
      [0, 3],
      [0, 0],
    ]);
  });

  it("of which a device keeps a part only count with the highest floor for every role", () => {
    const whole = [...led(DEBUG, RELEASE, 7), ...entry(RELEASE, 9)];
    for (const n of [32, 33, 41, 44, 46, 84]) {
      const { device } = plain(whole.slice(0, n), 9);
      expect([device.floor(), device.floor(DEBUG), device.currentRole()]).toEqual([[0, 9], [0, 9], DEBUG]);
    }
    const { device } = plain(null, 9);
    expect([device.floor(RECOVERY), device.counters?.(RECOVERY)]).toEqual([[0, 9], null]);
    // what nobody kept is of no manifest
    device.persist(commit(RELEASE, [0, 10]));
    expect(Array.from(device.counters?.(DEBUG) ?? [])).toEqual([...new Array(28).fill(0), DEBUG, 0, 0, 0]);
  });

  it("name the role of the release that a device went back to", () => {
    const bytes = [...led(DEBUG, RECOVERY, 7), ...entry(RECOVERY, 9)];
    expect([false, true].map((back) => plain(bytes, 9, back).device.currentRole())).toEqual([DEBUG, RECOVERY]);
    // nobody kept it
    expect(plain(counters(DEBUG), 9, true).device.currentRole()).toBe(DEBUG);
    const { kept, device } = plain(bytes, 9, true);
    device.persist(commit(RELEASE, [0, 1]));
    expect(kept.counters?.[32]).toBe(RECOVERY);
  });

  it("go below a floor only if counting begins again", () => {
    const { kept, device } = plain([...led(RELEASE, RELEASE, 9), ...entry(DEBUG, 7)], 9);
    const before = kept.counters;
    for (const [role, n] of [
      [RELEASE, 8],
      [DEBUG, 6],
    ] as const)
      expect(code(() => device.persist(commit(role, [0, n])))).toBe(errors.DEVICE_FAULT);
    expect([kept.counters, kept.floor]).toEqual([before, [0, 9]]);
    device.persist(commit(RELEASE, [0, 9]));
    device.persist(commit(RELEASE, [0, 8], { reset: true }));
    expect([device.floor(), kept.floor, kept.reset]).toEqual([[0, 8], [0, 8], true]);
  });

  it("tell firmware without roles the highest epoch, so that it resets no floor again", () => {
    const { kept, device } = plain(null, 0);
    const of = (role: number, epoch: number) => [...SUM, role, 1, 2, epoch];
    for (const [role, sequence, epoch] of [
      [RELEASE, 7, 3],
      [DEBUG, 60, 0],
      [RECOVERY, 5, 2],
    ] as const)
      device.persist({ sequence: [0, sequence], written: [], counters: of(role, epoch) });
    expect(Array.from(kept.counters ?? []).slice(0, 32)).toEqual(of(RECOVERY, 3));
    // each role keeps its own
    for (const [role, epoch] of [
      [RELEASE, 3],
      [DEBUG, 0],
      [RECOVERY, 2],
    ] as const)
      expect(Array.from(device.counters?.(role) ?? [])).toEqual(of(role, epoch));
  });

  it("have no place for a role that signs no releases", () => {
    const { kept, device } = plain(START, 1);
    for (const role of [1, 5, 255]) expect(code(() => device.persist(commit(role, [0, 9])))).toBe(errors.DEVICE_FAULT);
    expect(kept.counters).toBe(START);
  });
});

/** The stores of a simulated device, with a floor for each role. `seen`: the floors of releases at each start. */
function withRoles(make: MakeStore, seen: Set<number>): MakeStore {
  const machine = (m: Machine): Machine => ({
    start() {
      const started = m.start();
      const device = roleFloors(started.device);
      const { floor } = device;
      seen.add(floor(RELEASE)[1]);
      // the update is of the role debug
      device.floor = (role = DEBUG) => floor(role);
      return started;
    },
    *cuts(from) {
      for (const cut of m.cuts((from as Wrapped).inner)) yield { ...cut, left: () => wrap(cut.left()) };
    },
    cutCount: () => m.cutCount(),
    sameCourse: (from) => m.sameCourse((from as Wrapped).inner),
    off: () => wrap(m.off()),
  });
  interface Wrapped extends Store {
    readonly inner: Store;
  }
  const wrap = (inner: Store): Wrapped => ({ inner, power: () => machine(inner.power()), content: () => inner.content() });
  return (setup) => wrap(make(setup));
}

/** By default the first and the last: trust-epoch.test.ts has Storage. */
const kinds = ["flash", "storage", "files"];

describe("a debug release over a release, cut at each operation and at some of each recovery", () => {
  it.each(LEAST ? kinds : some(kinds, 2))(
    "leaves one of the two, and the floor of releases as it was: %s",
    async (name) => {
      const setup = { identity, components: IDS, capacity: 4096, envelope: 4096, pageSize: 4096 };
      const none = new Map();
      const before = { envelope: await made(1000), trust: policy(), payloads: none };
      const debug = { envelope: await made(7, debugKey, image(2, 400)), trust: policy(DEBUG), payloads: none };
      const seen = new Set<number>();
      const report = new Simulation(withRoles((DEVICES[name] as SimulatedDevice).make, seen), setup, before, debug).run(2);
      expect(report.cuts).toBeGreaterThan(10);
      expect(report.faults).toEqual([]);
      expect([...seen]).toEqual([0, 1000]);
      expect(new Set(report.points.map((p) => p.floor))).toEqual(new Set(["0", "7"]));
    },
    120_000,
  );
});
