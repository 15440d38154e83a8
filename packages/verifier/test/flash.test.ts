import { singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { applyOperation, FLASH_TEARS, type Pages } from "../../simulator/src/storage-models/flash-operations.js";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { formatSequence } from "../src/base/number.js";
import { type FlashDevice, type FlashLayout, flashDevice } from "../src/device/flash.js";
import { boot, errors, install } from "../src/index.js";
import { careful, empty, layout, on, PAGE, put, restart, starts } from "./flash-common.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

/** Streams an envelope to flash and installs it from there. */
function stream(device: FlashDevice, envelope: Uint8Array, packet = 100): void {
  for (let at = 0; at < envelope.length; at += packet) device.receive(envelope.slice(at, at + packet), envelope.length, trust);
  expect(install(device.received(), trust, device).next()).toBeUndefined();
}
describe("the device on raw flash", () => {
  it("installs to the slot that is not current, and starts the bytes at their address", async () => {
    let b = on(empty());
    expect(b.device.envelope()).toBeNull();
    for (const [n, way] of [put, stream, put, stream].entries()) {
      const bytes = image(n, 3000 + 7 * n);
      way(b.device, await release(n + 1, bytes));
      b = restart(b);
      expect(starts(b)).toEqual(bytes);
      expect(b.device.slot(ID)).toBe(1 - (n % 2));
      expect(formatSequence(b.device.floor())).toBe(String(n + 1));
    }
  });

  it("keeps all 64 bits of the floor", async () => {
    for (const sequence of ["4294967296", "9007199254740993", "18446744073709551615"]) {
      const b = on(empty());
      put(b.device, await release(sequence, image(1, 10)));
      expect(formatSequence(restart(b).device.floor())).toBe(sequence);
    }
  });

  it("takes chunks of any size, and writes whole words of them", async () => {
    const bytes = image(3, 4097);
    const envelope = await release(1, bytes, "coap://example.com/fw");
    for (const size of [1, 2, 3, 4, 5, 1000, 4095, 4096, 4097]) {
      const b = on(empty());
      const progress = install(envelope, trust, b.device);
      progress.next();
      for (let at = 0; at < bytes.length; at += size) progress.next(bytes.slice(at, at + size));
      progress.next(true);
      expect(progress.done).toBe(true);
      expect(starts(restart(b))).toEqual(bytes);
    }
  });

  it("writes nothing when it is made, whatever a cut has left behind", async () => {
    const b = on(empty());
    put(b.device, await release(1, image(1, 5000)));
    const second = await release(2, image(2, 5001));
    const run = new FlashModel(b.flash.pages);
    put(on(run).device, second);
    let pages: Pages = b.flash.pages;
    let seen = 0;
    for (const operation of run.log) {
      for (const tear of FLASH_TEARS) {
        const after = on(new FlashModel(applyOperation(pages, operation, tear)));
        starts(after);
        expect(after.flash.operations).toBe(0);
        seen++;
      }
      pages = applyOperation(pages, operation);
    }
    expect(seen).toBeGreaterThan(80);
  });

  it("falls back to the previous record if any bit of the newest is wrong, and to none if both are wrong", async () => {
    const b = on(empty());
    put(b.device, await release(1, image(1, 100)));
    put(b.device, await release(2, image(2, 101)));
    const page = (n: number, at: number, bit: number) =>
      b.flash.pages.map((p, i) => (i === n ? Uint8Array.from(p, (x, j) => (j === at ? x ^ (1 << bit) : x)) : p));
    const size = 4 * 11;
    for (let at = 0; at < size; at++)
      for (let bit = 0; bit < 8; bit++) {
        expect(formatSequence(on(new FlashModel(page(13, at, bit))).device.floor())).toBe("1");
        expect(formatSequence(on(new FlashModel(page(12, at, bit))).device.floor())).toBe("2");
      }
    const neither = page(13, 5, 1).map((p, i) => (i === 12 ? new Uint8Array(PAGE) : p));
    expect(on(new FlashModel(neither)).device.envelope()).toBeNull();
    expect(starts(on(new FlashModel(page(13, 5, 1))))).toEqual(image(1, 100));
  });

  it("keeps floor and images when a component is added to the layout", async () => {
    const b = on(empty());
    put(b.device, await release(5, image(1, 100)));
    const more: FlashLayout = {
      ...layout,
      components: [...layout.components, { id: [hex("01")], slots: [14 * PAGE, 15 * PAGE], size: PAGE }],
    };
    const after = restart(b, more);
    expect([formatSequence(after.device.floor()), after.device.size([hex("01")], false), after.device.capacity([hex("02")])]).toEqual([
      "5",
      0,
      -1,
    ]);
    expect(starts(after)).toEqual(image(1, 100));
    put(after.device, await release(6, image(2, 100)));
    expect(starts(restart(after, more))).toEqual(image(2, 100));
  });

  it("leaves nothing of a refused image that could be mistaken for an image", async () => {
    const b = on(empty());
    put(b.device, await release(1, image(1, 100)));
    const progress = install(await release(2, image(2, 6000), "http://a/b"), trust, b.device);
    progress.next();
    progress.next(image(3, 6000));
    expect(code(() => progress.next(true))).toBe(errors.IMAGE_MISMATCH);
    expect(b.flash.read(0, PAGE).every((x) => x === 255)).toBe(true);
    expect(starts(restart(b))).toEqual(image(1, 100));
  });

  it("does not let an envelope be replaced while it is installed", async () => {
    const b = on(empty());
    const [good, other] = [await release(1, image(1, 100), "http://a/b"), await release(9, image(9, 100))];
    b.device.receive(good, good.length, trust);
    const progress = install(b.device.received(), trust, b.device);
    progress.next();
    progress.next(image(1, 100));
    b.device.receive(other, other.length, trust);
    // the device belongs to the session that looked at what arrived
    expect(code(() => progress.next(true))).toBe(errors.RUN_OUTCOME);
    const after = restart(b);
    expect([after.device.envelope(), formatSequence(after.device.floor())]).toEqual([null, "0"]);
  });

  it("does not undo what another object of the same flash has committed meanwhile", async () => {
    const b = on(empty());
    const slow = install(await release(1, image(1, 100), "http://a/b"), trust, b.device);
    slow.next();
    slow.next(image(1, 100));
    put(on(b.flash).device, await release(2, image(2, 100)));
    expect(code(() => slow.next(true))).not.toBe(0);
    expect(formatSequence(restart(b).device.floor())).toBe("2");
  });

  it("loads to RAM when it boots, and writes nothing to flash", async () => {
    const bytes = image(4, 50);
    const d = singleImage({ sequence: 1, ...uuid, digest: sha256Hex(bytes), size: 50, uri: "#f", payload: bytes });
    const ids = [ID, [hex("01")]];
    const on1 = { "directive-set-component-index": 1 };
    const load = [
      on1,
      {
        "directive-override-parameters": {
          "vendor-identifier": uuid.vendor,
          "class-identifier": uuid.class,
          "image-digest": { hex: sha256Hex(bytes) },
          "image-size": 50,
          "source-component": 0,
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
      "directive-copy",
      "condition-image-match",
    ];
    const at0 = (commands: unknown) => [{ "directive-set-component-index": 0 }, ...(commands as unknown[])];
    const envelope = await signed({
      ...d,
      components: [[{ hex: "00" }], [{ hex: "01" }]],
      "shared-sequence": at0(d["shared-sequence"]) as never,
      install: at0(d.install) as never,
      validate: at0(d.validate) as never,
      load: load as never,
      invoke: [on1, "directive-invoke"],
    });
    const l: FlashLayout = {
      ...layout,
      components: [...layout.components, { id: ids[1] as never, slots: [14 * PAGE, 15 * PAGE], size: PAGE }],
    };
    const seen: [number, number, Uint8Array][] = [];
    const flash = empty();
    const device: FlashDevice = flashDevice(flash, identity, l, (id, _args, address, size) => {
      seen.push([address, size, Uint8Array.from(device.read(id, 0, size, true))]);
      return true;
    });
    put(device, envelope);
    const before = flash.operations;
    boot(device.start() as never, trust, device).next();
    expect(seen).toEqual([[-1, 50, bytes]]);
    expect(flash.operations).toBe(before);
  });

  it("refuses a layout that does not fit", () => {
    const wrong: Partial<FlashLayout>[] = [
      { records: [12 * PAGE, 12 * PAGE] },
      { records: [12 * PAGE, 13 * PAGE + 4] },
      { records: [12 * PAGE, -PAGE] },
      { records: [3 * PAGE, 13 * PAGE] },
      { envelopes: { slots: [8 * PAGE, 9 * PAGE], size: 2 * PAGE } },
      { envelopes: { slots: [8 * PAGE, 10 * PAGE], size: 2 * PAGE - 4 } },
      { envelopes: { slots: [8 * PAGE, 10 * PAGE], size: 0 } },
      { components: [{ id: ID, slots: [0, 2 * PAGE], size: 4 * PAGE }] },
      { tries: 1100 },
    ];
    for (const change of wrong) expect(() => on(empty(), { ...layout, ...change }), JSON.stringify(change)).toThrow(/layout|record/);
  });

  it("leaves alone what another device on this flash has made current meanwhile", async () => {
    const b = on(empty());
    put(b.device, await release(1, image(1, 600)));
    const old = on(b.flash);
    put(on(b.flash).device, await release(2, image(2, 600)));
    const envelope = await release(3, image(3, 600));
    expect(code(() => install(envelope, trust, old.device).next())).toBe(errors.DEVICE_FAULT);
    expect(starts(restart(b))).toEqual(image(2, 600));
  });

  it("leaves it alone even if that happens between its last byte and its commit", async () => {
    const b = on(empty());
    put(b.device, await release(1, image(1, 600)));
    const [one, two] = [on(b.flash).device, on(b.flash).device];
    const envelope = await release(2, image(2, 600));
    const { persist } = one;
    one.persist = (commit) => {
      put(two, envelope);
      persist(commit);
    };
    expect(code(() => install(envelope, trust, one).next())).toBe(errors.DEVICE_FAULT);
    expect(starts(restart(b))).toEqual(image(2, 600));
  });

  it("is not confirmed by the app that installed it, before it has started", async () => {
    let b = on(empty(), careful);
    put(b.device, await release(1, image(1, 600)));
    expect(starts(b)).toEqual(image(1, 600));
    b.device.confirm();
    put(b.device, await release(2, image(2, 600)));
    b.device.confirm();
    expect(b.device.pending()).toBe(true);
    for (let i = 0; i < 3; i++) {
      b = restart(b, careful);
      expect(starts(b)).toEqual(image(2, 600));
    }
    b = restart(b, careful);
    expect(starts(b)).toEqual(image(1, 600));
    expect(b.device.rolledBack()).toBe(true);
  });

  it("is written to in order, and not past its end", () => {
    const { device } = on(empty());
    device.begin(true);
    device.erase(ID, 4 * PAGE);
    device.write(ID, 0, image(1, 5));
    expect(() => device.write(ID, 4, image(1, 5))).toThrow("out of order");
    expect(code(() => device.write(ID, 5, image(1, 4 * PAGE)))).toBe(errors.STORAGE_FULL);
    expect(device.size(ID, true)).toBe(5);
    expect(Array.from(device.read(ID, 1, 4, true))).toEqual(Array.from(image(1, 5).slice(1)));
  });
});
