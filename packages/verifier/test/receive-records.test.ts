// An envelope that is received: its records and marks, and a trust file in it.

import { encode, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { powerOn, type StorageModel, storageIo } from "../../simulator/src/storage-models/storage-model.js";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { flashDevice } from "../src/device/flash.js";
import { COUNTED, recordSize, sealOf } from "../src/device/flash-record.js";
import { isLater, nextGeneration } from "../src/device/generation.js";
import { memoryDevice } from "../src/device/memory.js";
import { type StartedApp, storageBoot, storageDevice } from "../src/device/storage.js";
import { anchor, boot, install, open, type Source } from "../src/index.js";
import { bytes, good, layout, other, PAGE } from "./receive-common.js";
import { ID, identity, image, release, trust, uuid } from "./releases.js";

describe("a release that brings a trust file", () => {
  it("keeps the signatures of keys that are not trusted yet, after the valid one", async () => {
    const list = image(3, 100);
    const d = singleImage({ sequence: 1, ...uuid, digest: sha256Hex(list), size: list.length, uri: "#t", payload: list });
    const bridge = { ...d, components: [["trust"]] } as unknown as typeof d;
    const envelope = await signEnvelopeWithoutLog(encode(bridge), [signer(other), signer(good)]);
    const device = memoryDevice(identity, [[hex("7472757374")]], 5000);
    install(envelope, trust, device).next();
    const m = open(device.envelope as Uint8Array, trust);
    expect(m.signatures.map((s) => !!s.good)).toEqual([true, false]);
    expect(open(device.envelope as Uint8Array, { anchors: [anchor("ed25519", other.key)] }).sequence).toEqual([0, 1]);
  });
});
describe("records and marks", () => {
  it("wrap around at 2^32 - 1, and block no update", () => {
    expect([nextGeneration(0), nextGeneration(7), nextGeneration(4294967295)]).toEqual([1, 8, 1]);
    for (const n of [1, 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      expect([isLater(nextGeneration(n), n), isLater(n, nextGeneration(n)), isLater(n, n)]).toEqual([true, false, false]);
    }
  });

  it("of Storage take the place of one with the highest number there is", async () => {
    const io = storageIo(powerOn(new FlashModel(erasedFlash(32, PAGE))).storage);
    const on = () => storageDevice(io, identity, [ID], 4 * PAGE, 0);
    install(await release(1, bytes), trust, on()).next();
    // the record as somebody else has left it: the same, with the generation 2^32 - 1
    const name = ["firmseal.r0", "firmseal.r1"].find((n) => io.storage.read(n)) as string;
    const text = io.storage.read(name) as string;
    const body = `${text.slice(0, 4)}\xff\xff\xff\xff${text.slice(8, -25)}`;
    const whole = text.length;
    const sum = Buffer.from(io.sha256(body) as Uint8Array)
      .toString("latin1")
      .slice(0, 8);
    io.storage.erase(name);
    io.storage.write(name, body + sum, 0, whole);
    expect(on().floor()).toEqual([0, 1]);
    for (const sequence of [2, 3, 4]) {
      const envelope = await release(sequence, image(sequence, 900));
      install(envelope, trust, on()).next();
      expect(on().floor()).toEqual([0, sequence]);
    }
  });

  it("of raw flash, too", async () => {
    const once = { ...layout, tries: 0 };
    const flash = new FlashModel(erasedFlash(18, PAGE));
    install(
      await release(1, bytes),
      trust,
      flashDevice(flash, identity, once, () => true),
    ).next();
    const page = [16, 17].find((p) => (flash.pages[p] as Uint8Array)[0] !== 255) as number;
    const record = Uint8Array.from(flash.pages[page] as Uint8Array);
    const size = recordSize(2, COUNTED);
    record.fill(255, 4, 8);
    record.set(sealOf(record.slice(0, size - 4)) as Uint8Array, size - 4);
    let pages = flash.pages.map((p, i) => (i === page ? record : p));
    for (const sequence of [2, 3, 4]) {
      const after = new FlashModel(pages);
      install(
        await release(sequence, image(sequence, 900)),
        trust,
        flashDevice(after, identity, once, () => true),
      ).next();
      pages = after.pages as never;
      expect(flashDevice(new FlashModel(pages), identity, once, () => true).floor()).toEqual([0, sequence]);
    }
  });

  it("let nothing start uncounted if a mark cannot be written: the previous release starts at once", async () => {
    const flash = new FlashModel(erasedFlash(32, PAGE));
    const model = powerOn(flash).storage as StorageModel;
    const io = storageIo(model);
    const on = () => storageDevice(io, identity, [ID], 4 * PAGE, 3);
    install(await release(1, bytes), trust, on()).next();
    const second = image(2, 900);
    install(await release(2, second), trust, on()).next();
    const { write } = io.storage;
    let tries = 0;
    io.storage.write = (name, data, offset, size) => {
      // the marks of the record that rules
      if (size === undefined) {
        tries++;
        return true;
      }
      return write.call(io.storage, name, data, offset, size);
    };
    const root: { firmsealApp?: StartedApp } = {};
    expect(storageBoot(io, root)).toBe(Buffer.from(bytes).toString("latin1"));
    expect(tries).toBe(1);
    expect(boot(on().start() as Source, trust, on()).manifest.sequence).toEqual([0, 1]);
  });
});
