// Nothing ever needs a whole image or a whole envelope in RAM: how much is read and written at a time, counted at every border.

import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
// the model is the command line's, for `firmseal simulate`
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { createFileDevice, fileDevice } from "../src/device/file.js";
import { type FlashDevice, type FlashLayout, flashDevice } from "../src/device/flash.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, type Device, errors, type Host, install, open, type Refusal, type Source, sha256 } from "../src/index.js";
import { ID, identity, image, release, trust } from "./releases.js";

const PAGE = 4096;
const SIZE = 12_289;
const bytes = image(1, SIZE);
const envelopeOf = (uri: string, text = "") => release(1, bytes, uri, text ? { en: { "update-description": text } } : undefined);

/** The largest amounts that were asked for at once, by border, and how much in all. */
class Watch {
  readonly largest: { [border: string]: number } = {};
  readonly total: { [border: string]: number } = {};

  note(border: string, n: number): void {
    this.largest[border] = Math.max(this.largest[border] ?? 0, n);
    this.total[border] = (this.total[border] ?? 0) + n;
  }

  source(envelope: Uint8Array, chunk?: number): Source {
    return {
      length: envelope.length,
      ...(chunk && { chunk }),
      read: (offset, n) => {
        this.note("envelope", n);
        return envelope.slice(offset, offset + n);
      },
    };
  }

  device<D extends Device>(device: D): D {
    const { read, write } = device;
    device.read = (id, offset, n, fresh) => {
      this.note("read", n);
      return read.call(device, id, offset, n, fresh);
    };
    device.write = (id, offset, some) => {
      this.note("write", some.length);
      write.call(device, id, offset, some);
    };
    return device;
  }

  /** Hashing, where an engine's own one-shot function would need all of its input at once. */
  host: Host = {
    sha256: {
      create: () => {
        const state = sha256.create();
        return {
          update: (some) => {
            this.note("hash", some.length);
            state.update(some);
          },
          digest: () => state.digest(),
        };
      },
      once: (some) => {
        this.note("hash", some.length);
        return (sha256.once as (b: ArrayLike<number>) => ArrayLike<number>)(some);
      },
    },
  };
}

const folder = temporaryFolder("firmseal-stream-");

const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 40 * PAGE], size: 40 * PAGE }],
  envelopes: { slots: [80 * PAGE, 125 * PAGE], size: 45 * PAGE },
  records: [170 * PAGE, 171 * PAGE],
};

function flash(watch?: Watch): FlashDevice {
  const model = new FlashModel(erasedFlash(172, PAGE));
  const driver = {
    pageSize: PAGE,
    read: (address: number, n: number) => {
      watch?.note("flash read", n);
      return model.read(address, n);
    },
    write: (address: number, some: ArrayLike<number>) => {
      watch?.note("flash write", some.length);
      model.write(address, some);
    },
    erase: (address: number) => model.erase(address),
  };
  return flashDevice(driver, identity, layout, () => true);
}

let folders = 0;
const devices: [string, (watch: Watch) => Device, chunk: number][] = [
  ["memory", () => memoryDevice(identity, [ID], 200_000), 1024],
  [
    "files",
    () => {
      const dir = join(folder, String(folders++));
      createFileDevice(fs, dir, identity, 200_000);
      const device = fileDevice(fs, dir);
      device.chunk = 2048;
      return device;
    },
    2048,
  ],
  ["flash", (watch) => flash(watch), 1024],
];

const contents = (device: Device) => Uint8Array.from(device.read(ID, 0, SIZE, false));

describe.each(devices)("a payload in chunks, on the device in %s,", (_, make, chunk) => {
  it.each([1, 3, 63, 64, 4095, 4096, 4097, SIZE])("of %i bytes, is written as it comes and read back by the chunk", async (size) => {
    const watch = new Watch();
    const device = make(watch);
    const progress = install(await envelopeOf("coap://a/b"), trust, watch.device(device), watch.host);
    expect(progress.next()).toMatchObject({ size: SIZE });
    for (let at = 0; at < SIZE; at += size) progress.next(bytes.subarray(at, at + size));
    progress.next(true);
    expect(progress.done).toBe(true);
    expect(watch.largest).toMatchObject({ write: size, read: chunk, hash: chunk });
    // written once, read back once, and hashed only then: the hashes of the envelope are of a few hundred bytes
    expect([watch.total["write"], watch.total["read"]]).toEqual([SIZE, SIZE]);
    expect(watch.total["hash"]).toBeLessThan(SIZE + 1000);
    if (watch.largest["flash write"]) expect(watch.largest["flash write"]).toBeLessThanOrEqual(size + 3 > 1024 ? size + 3 : 1024);
    expect(contents(device)).toEqual(bytes);
  });

  it("that do not stop are cut off before the first excess byte is written", async () => {
    const watch = new Watch();
    const progress = install(await envelopeOf("coap://a/b"), trust, watch.device(make(watch)), watch.host);
    progress.next();
    let refused = 0;
    for (let n = 0; n < 1000 && !refused; n++) {
      try {
        progress.next(image(n, 1000));
      } catch (e) {
        refused = (e as Refusal).code;
      }
    }
    expect(refused).toBe(errors.PAYLOAD_SIZE);
    expect(watch.total["write"]).toBe(SIZE - (SIZE % 1000));
  });

  it("that are right on their way and differ in storage are not committed", async () => {
    const watch = new Watch();
    const device = watch.device(make(watch));
    const { read } = device;
    device.read = (id, offset, n, fresh) => {
      const out = Uint8Array.from(read.call(device, id, offset, n, fresh));
      if (fresh && offset + n === SIZE) out[n - 1] = (out[n - 1] as number) ^ 128;
      return out;
    };
    const progress = install(await envelopeOf("coap://a/b"), trust, device, watch.host);
    progress.next();
    progress.next(bytes);
    expect(() => progress.next(true)).toThrow("firmseal refusal");
    expect(device.floor()).toEqual([0, 0]);
    expect(device.size(ID, false)).toBe(0);
  });
});

describe("an envelope that is read through a window", () => {
  it.each(devices)("is never requested whole, payload inside: device in %s", async (name, make, chunk) => {
    const watch = new Watch();
    const device = watch.device(make(watch));
    const envelope = await envelopeOf("#fw", "a long text ".repeat(2000));
    install(watch.source(envelope), trust, device, watch.host).next();
    expect(watch.largest["envelope"]).toBeLessThanOrEqual(1024);
    expect(watch.largest).toMatchObject({ write: 1024, read: chunk });
    // a manifest is in RAM: where all of it fits a chunk of the envelope that is kept, a file here, it is hashed in one call
    expect(watch.largest["hash"]).toBeLessThanOrEqual(Math.max(1024, chunk, name === "files" ? 25_000 : 0));
    // each byte of it was read, once, but for the signature, which is kept
    expect(watch.total["envelope"]).toBeGreaterThan(SIZE);
    expect(watch.total["envelope"]).toBeLessThan(envelope.length + 300);
    expect(contents(device)).toEqual(bytes);
  });

  it.each([16, 100, 256, 5000])("and stays within a chunk of %i bytes if the source asks for that", async (chunk) => {
    const watch = new Watch();
    const device = watch.device(flash(watch));
    device.chunk = chunk;
    install(watch.source(await envelopeOf("#fw"), chunk), trust, device, watch.host).next();
    // the reader has a window of 64 bytes, and a signature and its header are read in one piece
    expect(watch.largest["envelope"]).toBeLessThanOrEqual(Math.max(chunk, 128));
    expect(watch.largest).toMatchObject({ write: chunk, read: chunk });
    // what is kept of the envelope is in RAM, and goes to flash in one piece
    expect(watch.largest["flash write"]).toBeLessThanOrEqual(Math.max(chunk + 3, 300));
    expect(contents(device)).toEqual(bytes);
  });

  it("is in flash from the first byte on: received, installed and booted from there", async () => {
    const watch = new Watch();
    const device = watch.device(flash(watch));
    const envelope = await envelopeOf("#fw");
    for (let at = 0; at < envelope.length; at += 20) device.receive(envelope.slice(at, at + 20), envelope.length, trust, watch.host);
    install(device.received(), trust, device, watch.host).next();
    boot(device.start() as Source, trust, device, watch.host).next();
    for (const border of ["flash read", "flash write", "read", "write", "hash"]) expect(watch.largest[border]).toBeLessThanOrEqual(1024);
    // what a start wants is written over it at the end: signature and manifest, and not the payload
    expect(watch.total["flash write"]).toBeLessThan(envelope.length + SIZE + 400);
    const kept = device.envelope() as Source;
    expect(kept.length).toBeLessThan(envelope.length - SIZE);
    expect(open(kept, trust).digest).toEqual(open(envelope, trust).digest);
  });
});
