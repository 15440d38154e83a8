// The number of the floor belongs to one manifest, on every ready-made device: even after a way back, a power cut, and an update of the verifier.

import * as nodeFs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash, type Pages } from "../../simulator/src/storage-models/flash-operations.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { createFileDevice, type FileSystem, fileDevice } from "../src/device/file.js";
import { type FlashLayout, flashDevice } from "../src/device/flash.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, type Device, errors, install, type Trust } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { code, ID, identity, image, release, trust } from "./releases.js";
import { blankIo, on as onStorage } from "./storage-files.js";

const PAGE = 2048;
const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 2 * PAGE], size: 2 * PAGE }],
  envelopes: { slots: [4 * PAGE, 5 * PAGE], size: PAGE },
  records: [6 * PAGE, 7 * PAGE],
  tries: 3,
};
const onFlash = (flash: FlashModel, tries = 3) => flashDevice(flash, identity, { ...layout, tries }, () => true);

function folder(): string {
  const path = temporaryFolder("counters-");
  createFileDevice(nodeFs as unknown as FileSystem, path, identity, 4096);
  return path;
}
const onFolder = (path: string) => fileDevice(nodeFs as unknown as FileSystem, path);

/** Each device as it is after a start: none of them keeps what it knows in the program alone. */
const devices: [string, () => () => Device][] = [
  [
    "memory",
    () =>
      (
        (device) => () =>
          device
      )(memoryDevice(identity, [ID], 4096)),
  ],
  [
    "files",
    () =>
      (
        (path) => () =>
          onFolder(path)
      )(folder()),
  ],
  [
    "flash",
    () =>
      (
        (flash) => () =>
          onFlash(flash, 0)
      )(new FlashModel(erasedFlash(8, PAGE))),
  ],
  [
    "storage",
    () =>
      (
        (io) => () =>
          onStorage(io, 0)
      )(blankIo()),
  ],
];

describe("the number of the floor", () => {
  it.each(devices)("is for the installed manifest alone: %s", async (_, make) => {
    const start = make();
    const [ten, stolen, eleven] = [await release(10, image(1, 900)), await release(10, image(2, 900)), await release(11, image(3, 900))];
    install(ten, trust, start()).next();
    expect(code(() => install(stolen, trust, start()).next())).toBe(errors.SEQUENCE_TAKEN);
    // the same again, and then still no other
    install(ten, trust, start()).next();
    expect(code(() => install(stolen, trust, start()).next())).toBe(errors.SEQUENCE_TAKEN);
    install(eleven, trust, start()).next();
    expect(code(() => install(stolen, trust, start()).next())).toBe(errors.ROLLBACK);
    expect(code(() => install(ten, trust, start()).next())).toBe(errors.ROLLBACK);
  });

  it("is refused by receive() before anything is erased", async () => {
    const flash = new FlashModel(erasedFlash(8, PAGE));
    install(await release(10, image(1, 900)), trust, onFlash(flash, 0)).next();
    const before = flash.log.length;
    const stolen = await release(10, image(2, 900));
    expect(code(() => onFlash(flash, 0).receive(stolen, stolen.length, trust))).toBe(errors.SEQUENCE_TAKEN);
    expect(flash.log.length).toBe(before);
  });

  it("is taken if another installation has come in between", async () => {
    const device = memoryDevice(identity, [ID], 4096);
    const progress = install(await release(10, image(1, 900), "https://x/1"), trust, device);
    progress.next();
    progress.next(image(1, 900));
    device.sequence = [0, 10];
    device.counted = new Uint8Array(28);
    expect(code(() => progress.next(true))).toBe(errors.SEQUENCE_TAKEN);
  });
});

/** A release that is installed with receive(), on a flash that stops at operation `n`. */
function received(flash: FlashModel, envelope: Uint8Array, n: number, who: Trust): boolean {
  let left = n;
  const step = (go: () => void) => {
    if (left-- <= 0) throw new Error("the power fails");
    go();
  };
  const device = flashDevice(
    {
      pageSize: PAGE,
      read: (address, count) => flash.read(address, count),
      write: (address, bytes) => step(() => flash.write(address, bytes)),
      erase: (address) => step(() => flash.erase(address)),
    },
    identity,
    layout,
    () => true,
  );
  try {
    for (let at = 0; at < envelope.length; at += 200) device.receive(envelope.slice(at, at + 200), envelope.length, who);
    install(device.received(), who, device).next();
    return true;
  } catch (e) {
    if ((e as { code?: number }).code !== errors.DEVICE_FAULT) throw e;
    return false;
  }
}

describe("a release that failed its tries", () => {
  it("can be installed again, whatever was cut meanwhile, but no other with its number", async () => {
    const flash = new FlashModel(erasedFlash(8, PAGE));
    const [seven, eight, other] = [await release(7, image(1, 900)), await release(8, image(2, 900)), await release(8, image(3, 900))];
    install(seven, trust, onFlash(flash)).next();
    install(eight, trust, onFlash(flash)).next();
    const failing = onFlash(flash);
    for (let i = 0; i < 4; i++) failing.start();
    const back: Pages = onFlash(flash).rolledBack() ? flash.pages.map((p) => p.slice()) : [];
    expect(back).toHaveLength(8);
    let n = 0;
    for (let done = false; !done; n++) {
      const cut = new FlashModel(back.map((p) => p.slice()));
      done = received(cut, eight, n, trust);
      const after: TrialDevice = onFlash(cut);
      if (!done) expect(boot(after.start() as never, trust, after).manifest.sequence).toEqual([0, 7]);
      else expect(after.pending()).toBe(true);
      if (done) break;
      expect(code(() => install(other, trust, onFlash(cut)).next())).toBe(errors.SEQUENCE_TAKEN);
      expect(received(cut, eight, 1e9, trust)).toBe(true);
    }
    expect(n).toBeGreaterThan(5);
  });
});

describe("a device that has lost its counters", () => {
  it("accepts no release with the number that it has, and any with a higher one", async () => {
    const path = folder();
    const start = () => onFolder(path);
    install(await release(7, image(1, 900)), trust, start()).next();
    const text = nodeFs.readFileSync(join(path, "device.json"), "utf8");
    nodeFs.writeFileSync(join(path, "device.json"), text.replace(/ *"counters".*\n/, ""));
    expect([start().counters?.(), start().floor()]).toEqual([null, [0, 7]]);
    const [seven, eight] = [await release(7, image(1, 900)), await release(8, image(2, 900))];
    expect(code(() => install(seven, trust, start()).next())).toBe(errors.SEQUENCE_TAKEN);
    install(eight, trust, start()).next();
    expect(start().floor()).toEqual([0, 8]);
    install(eight, trust, start()).next();
  });
});
