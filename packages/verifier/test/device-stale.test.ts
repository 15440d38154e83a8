// Two objects of one device: once one has committed, the other writes nothing more. What was not current when it began
// may be what starts now, or the release to go back to.

import * as nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { createFileDevice, type FileSystem, fileDevice } from "../src/device/file.js";
import { type Flash, flashDevice } from "../src/device/flash.js";
import type { EspruinoStorage } from "../src/device/storage.js";
import { type Bytes, boot, type Device, errors, install, type Source } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { bootMicro, installMicro } from "../src/install/micro/install.js";
import { careful, empty, layout } from "./flash-common.js";
import { code, ID, identity, image, release, trust } from "./releases.js";
import { blankIo, on as onStorage } from "./storage-files.js";

const [one, two, three] = [image(1, 900), image(2, 901), image(3, 902)];

/** By kind: opens the device, and reads what starts. */
type Open = (tries?: boolean) => Device & Partial<TrialDevice>;
const kinds: [string, () => { open: Open; image(device: Device): string }][] = [
  [
    "flash",
    () => {
      const flash = empty();
      return {
        open: (tries) => flashDevice(flash, identity, tries ? careful : layout, () => true),
        image: (d) => text(d),
      };
    },
  ],
  [
    "Storage",
    () => {
      const io = blankIo(32);
      return { open: (tries) => onStorage(io, tries ? 2 : 0), image: (d) => text(d) };
    },
  ],
  [
    "a folder",
    () => {
      const path = temporaryFolder("stale-");
      createFileDevice(nodeFs as unknown as FileSystem, path, identity, 4096);
      return { open: () => fileDevice(nodeFs as unknown as FileSystem, path), image: (d) => text(d) };
    },
  ],
];
const text = (d: Device) => Buffer.from(Uint8Array.from(d.read(ID, 0, d.size(ID, false), false))).toString("hex");
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const verifiers = [
  ["a general verifier", install, boot],
  ["a micro verifier", installMicro, bootMicro],
] as const;

describe.each(kinds)("on %s", (_kind, make) => {
  it.each(verifiers)("%s in the middle of a payload changes nothing that was committed since", async (_, put, start) => {
    const [first, second] = [await release(1, one, "a:1"), await release(2, two, "a:2")];
    for (const done of [0, 100, 896, 900]) {
      const { open, image: current } = make();
      const late = put(first, trust, open() as never);
      late.next();
      for (let at = 0; at < done; at += 100) late.next(one.subarray(at, Math.min(at + 100, done)));
      const other = put(second, trust, open() as never);
      other.next();
      other.next(two);
      other.next(true);
      const [piece, end] = [one.subarray(done), true].map((outcome) => code(() => late.next(outcome as Uint8Array)));
      // less than a word waits for more, and writes nothing
      if (done < 896) expect(piece, `after ${done} bytes`).toBeGreaterThan(0);
      expect(end).toBeGreaterThan(0);
      const after = open();
      expect([after.floor(), current(after)]).toEqual([[0, 2], hexOf(two)]);
      const envelope = after.envelope?.();
      expect(start(envelope as never, trust, after as never).next()).toBeUndefined();
    }
  });

  it("a commit that failed does not stop the next session of the same device", async () => {
    const { open } = make();
    const device = open();
    const { persist } = device;
    let fails = true;
    device.persist = (commit) => {
      if (fails) throw new Error("no");
      persist(commit);
    };
    const first = await release(1, one);
    expect(code(() => install(first, trust, device).next())).toBe(errors.DEVICE_FAULT);
    fails = false;
    install(first, trust, device).next();
    expect(open().floor()).toEqual([0, 1]);
  });
});

/** Those that receive envelopes, and have releases on trial. */
const receiving = kinds.filter(([kind]) => kind !== "a folder");

describe.each(receiving)("on %s, with trials,", (kind, make) => {
  it("what is received goes nowhere", async () => {
    const { open, image: current } = make();
    const [first, second] = [await release(1, one), await release(2, two)];
    const late = open() as TrialDevice;
    late.receive(first.subarray(0, 700), first.length, trust);
    install(second, trust, open()).next();
    expect(code(() => late.receive(first.subarray(700), first.length, trust))).toBe(errors.DEVICE_FAULT);
    expect([open().floor(), current(open())]).toEqual([[0, 2], hexOf(two)]);
  });

  it("discarding erases neither what starts nor what the device goes back to", async () => {
    const { open } = make();
    const [first, second, third] = [await release(1, one), await release(2, two), await release(3, three, "a:3")];
    const late = open(true);
    const progress = install(third, trust, late);
    progress.next();
    progress.next(three.subarray(0, 500));
    // the first release has no trial, the second one has
    install(first, trust, open(true)).next();
    install(second, trust, open(true)).next();
    expect(code(() => progress.next(three.subarray(500)))).toBeGreaterThan(0);
    late.discard();
    for (const expected of [two, two, two, one].slice(kind === "Storage" ? 1 : 0)) {
      const device = open(true) as TrialDevice;
      boot(device.start() as never, trust, device).next();
      expect(text(device)).toBe(hexOf(expected));
    }
  });
});

it("remains of a record that was cut are not taken for the record that replaced them", async () => {
  const first = await release(1, one, "a:1");
  const whole = empty();
  const run = install(
    first,
    trust,
    flashDevice(whole, identity, layout, () => true),
  );
  run.next();
  run.next(one);
  run.next(true);
  const cut = new FlashModel(erasedFlash(16, whole.pageSize));
  // everything but the last word, which makes the record apply
  cut.cutAfter(whole.operations - 1, "nothing");
  const broken = install(
    first,
    trust,
    flashDevice(cut, identity, layout, () => true),
  );
  broken.next();
  broken.next(one);
  expect(code(() => broken.next(true))).toBe(errors.DEVICE_FAULT);
  const flash = new FlashModel(cut.pages);
  const open = () => flashDevice(flash, identity, layout, () => true);
  const late = install(first, trust, open());
  late.next();
  const other = install(first, trust, open());
  other.next();
  other.next(one);
  other.next(true);
  expect(code(() => late.next(two.subarray(0, 900)))).toBe(errors.DEVICE_FAULT);
  expect(text(open())).toBe(hexOf(one));
});

describe("on Storage, an object that has not seen a commit", () => {
  /** Installs, with the payload from outside. */
  const put = (envelope: Uint8Array | Source, payload: Uint8Array, device: Device, by: typeof install = install) => {
    const progress = by(envelope as never, trust, device as never);
    for (const outcome of [undefined, payload, true]) progress.next(outcome as never);
  };

  it.each([0, 2])("does not install what it has received: it may be current now (%i tries)", async (tries) => {
    const io = blankIo(64);
    const first = await release(1, one, "a:1");
    const late = onStorage(io, tries);
    late.receive(first, first.length, trust);
    const received = late.received();
    put(first, one, onStorage(io, tries));
    expect(code(() => put(received, one, late))).toBe(errors.DEVICE_FAULT);
    const device = onStorage(io, tries);
    expect(boot(device.start() as never, trust, device).next()).toBeUndefined();
  });

  it.each(verifiers)("neither starts nor confirms, and goes on writing nothing (%s)", async (_, by, start) => {
    for (const call of ["start", "confirm"] as const) {
      const io = blankIo(64);
      const late = onStorage(io);
      const progress = by(await release(1, one, "a:1"), trust, late as never);
      progress.next();
      put(await release(2, two, "a:2"), two, onStorage(io), by as typeof install);
      expect(code(() => late[call]())).toBe(errors.DEVICE_FAULT);
      expect(code(() => progress.next(one))).toBe(errors.DEVICE_FAULT);
      const device = onStorage(io);
      expect(start(device.start() as never, trust, device as never).next()).toBeUndefined();
      expect(text(device)).toBe(hexOf(two));
    }
  });

  it("a record that can't be read after it was written keeps its images", async () => {
    const io = blankIo(64);
    let unread = 0;
    const storage: EspruinoStorage = {
      getFree: () => io.storage.getFree(),
      erase: (name) => io.storage.erase(name),
      read: (name, ...rest) => (name.startsWith("firmseal.r") && unread-- > 0 ? undefined : io.storage.read(name, ...rest)),
      write: (name, data, ...rest) => {
        if (name === "firmseal.r0" && data) unread = 5;
        return io.storage.write(name, data, ...rest);
      },
    };
    const first = await release(1, one);
    expect(code(() => install(first, trust, onStorage({ ...io, storage })).next())).toBe(errors.DEVICE_FAULT);
    const device = onStorage(io);
    expect(boot(device.start() as never, trust, device).next()).toBeUndefined();
  });
});

describe("on flash, an object that has not seen the journal", () => {
  /** Flash of which a second write clears more bits, as most parts allow. */
  function permissive(): Flash {
    const bytes = new Uint8Array(16 * layout.components[0]!.size).fill(255);
    return {
      pageSize: 4096,
      read: (at, n) => bytes.slice(at, at + n),
      write: (at, from) => {
        for (let i = 0; i < from.length; i++) bytes[at + i]! &= from[i] as number;
      },
      erase: (at) => bytes.fill(255, at, at + 4096),
    };
  }

  it.each(["confirm", "start"] as const)("%s() does not write a word that another object has written", async (call) => {
    const flash = permissive();
    const open = () => flashDevice(flash, identity, careful, () => true);
    for (const [i, bytes] of [one, two].entries()) install(await release(i + 1, bytes), trust, open()).next();
    for (let i = 0; i < (careful.tries as number); i++) open().start();
    const late = open();
    // goes back, and writes over the release that failed; or confirms it
    const other = open();
    if (call === "start") other.confirm();
    else {
      other.start();
      const progress = install(await release(3, three, "a:3"), trust, other);
      progress.next();
      progress.next(three.subarray(0, 500));
    }
    expect(code(() => late[call]())).toBe(errors.DEVICE_FAULT);
    const device = open();
    expect(boot(device.start() as never, trust, device).next()).toBeUndefined();
    expect(text(device)).toBe(hexOf(call === "start" ? two : one));
  });
});

describe.each(receiving)("on %s", (kind, make) => {
  it("received() refuses what another installation has discarded", async () => {
    const device = make().open() as TrialDevice;
    const [first, second] = [await release(1, one), await release(2, two)];
    device.receive(second, second.length, trust);
    install(first, trust, device).next();
    expect(code(() => device.received())).toBe(errors.CBOR_TRUNCATED);
  });

  it("a bit that no one reads twice alike, in the record that the next commit replaces, stops no update", async () => {
    const [first, second, third] = await Promise.all([release(1, one), release(2, two), release(3, three)]);
    let reads = 0;
    let weak = true;
    /** Every other read of the bytes is wrong. */
    const flickering = <T extends string | Bytes>(bytes: T | undefined): T | undefined => {
      if (!weak || !bytes || reads++ % 2 === 0 || bytes.length < 60) return bytes;
      if (typeof bytes === "string") return (bytes.slice(0, 40) + String.fromCharCode(bytes.charCodeAt(40) ^ 1) + bytes.slice(41)) as T;
      return Uint8Array.from(bytes, (b, i) => (i === 40 ? b ^ 1 : b)) as unknown as T;
    };
    for (let phase = 0; phase < 3; phase++) {
      const [flash, io] = [empty(), blankIo(64)];
      // the older record is in the first page, or file
      const worn: Flash = {
        pageSize: flash.pageSize,
        read: (at, n) => (at === layout.records[0] ? (flickering(flash.read(at, n)) as Bytes) : flash.read(at, n)),
        write: (at, bytes) => flash.write(at, bytes),
        erase: (at) => {
          if (at === layout.records[0]) weak = false;
          flash.erase(at);
        },
      };
      const storage: EspruinoStorage = {
        getFree: () => io.storage.getFree(),
        read: (name, from, n) =>
          name === "firmseal.r0" && from === undefined ? flickering(io.storage.read(name)) : io.storage.read(name, from, n),
        write: (name, ...rest) => io.storage.write(name, ...rest),
        erase: (name) => {
          if (name === "firmseal.r0") weak = false;
          io.storage.erase(name);
        },
      };
      const open = (isWorn: boolean) =>
        kind === "flash"
          ? flashDevice(isWorn ? worn : flash, identity, layout, () => true)
          : onStorage(isWorn ? { ...io, storage } : io, 0);
      for (const envelope of [first, second]) install(envelope, trust, open(false)).next();
      [reads, weak] = [phase, true];
      install(third, trust, open(true)).next();
      expect(open(false).floor()).toEqual([0, 3]);
    }
  });
});
