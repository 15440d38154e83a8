// The device on raw flash: what is committed, an envelope that is received, and layouts.

import { describe, expect, it } from "vitest";
import type { FlashDevice } from "../src/device/flash.js";
import { errors, install, type Source } from "../src/index.js";
import { blankFlash, layout, on, PAGE, RECORDS } from "./device-flash-common.js";
import { refusalOf } from "./refusals.js";
import { code, ID, image, release, trust } from "./releases.js";

describe("what is committed", () => {
  const commit = (device: FlashDevice, n: number, ...envelope: number[]) => {
    const kept = device.keep(envelope) as Source;
    device.persist({ sequence: [0, n], written: [], counters: [] });
    return kept;
  };
  it("has no lower floor, and is what was kept", () => {
    const flash = blankFlash();
    const device = on(flash, { ...layout, tries: 0 });
    expect(Array.from(commit(device, 5, 1, 2, 3).read(0, 3))).toEqual([1, 2, 3]);
    expect(() => commit(device, 4, 1)).toThrow("the floor would go down");
    expect(Array.from(device.envelope()?.read(0, 3) ?? [])).toEqual([1, 2, 3]);
    commit(device, 5, 9, 8, 7, 6, 5);
    const after = on(flash, { ...layout, tries: 0 });
    expect([Array.from(after.envelope()?.read(1, 3) ?? []), after.envelope()?.length]).toEqual([[8, 7, 6], 5]);
  });
  it("has an envelope, and each envelope counts once", () => {
    const device = on(blankFlash(), { ...layout, tries: 0 });
    expect(() => device.persist({ sequence: [0, 1], written: [], counters: [] })).toThrow("no envelope was kept");
    commit(device, 1, 1);
    expect(() => device.persist({ sequence: [0, 2], written: [], counters: [] })).toThrow("no envelope was kept");
    device.keep([1]);
    device.discard();
    expect(() => device.persist({ sequence: [0, 2], written: [], counters: [] })).toThrow("no envelope was kept");
  });
  it("is not a record if flash has changed it on its way", () => {
    const later = blankFlash();
    commit(on(later), 1, 1, 2, 3);
    const { write } = later;
    later.write = (address, b) => write.call(later, address, address === RECORDS[1] + 44 ? Array.from(b, (x) => x & 0xfe) : b);
    expect(() => commit(on(later), 2, 255, 255, 255)).toThrow("the record was not written");
    expect(on(later).floor()).toEqual([0, 1]);
    for (const part of [0, 44]) {
      const flash = blankFlash();
      const { write } = flash;
      flash.write = (address, b) => write.call(flash, address, address === RECORDS[0] + part ? Array.from(b, (x) => x & 0xfe) : b);
      expect(() => commit(on(flash), 1, 255, 255, 255)).toThrow("the record was not written");
      expect(on(flash).floor()).toEqual([0, 0]);
      const seal = Array.from(flash.read(RECORDS[0] + 44, 4));
      if (part === 0) expect(seal, "the seal of a record that is wrong in itself").toEqual([255, 255, 255, 255]);
    }
  });
  it("is not an envelope that flash has changed on its way, in any of its pieces", async () => {
    const given = await release(1, image(1, 100), "a:1");
    const progressOf = (device: FlashDevice) => {
      const progress = install(given, trust, device);
      progress.next();
      progress.next(image(1, 100));
      return progress;
    };
    const whole = blankFlash();
    progressOf(on(whole)).next(true);
    const kept = Array.from(whole.read(5 * PAGE, given.length));
    for (const changed of [0, 1, 64, 65, given.length - 8]) {
      const flash = blankFlash();
      const { write } = flash;
      flash.write = (address, b) => {
        const first = changed + 5 * PAGE - address;
        write.call(
          flash,
          address,
          Array.from(b, (x, i) => (i === first ? x & (x - 1) : x)),
        );
      };
      // a bit that is set has come out as 0
      expect(kept[changed]).toBeGreaterThan(0);
      const progress = progressOf(on(flash));
      expect(
        code(() => progress.next(true)),
        `${changed}`,
      ).toBe(errors.DEVICE_FAULT);
      expect(on(flash).floor()).toEqual([0, 0]);
    }
  });
  it("leaves the components that were not written", async () => {
    const more = [Uint8Array.of(9)];
    const two = { ...layout, components: [{ id: more, slots: [0, PAGE] as [number, number], size: PAGE }, ...layout.components] };
    two.components[1] = { id: ID, slots: [2 * PAGE, 3 * PAGE], size: PAGE };
    two.tries = 0;
    const flash = blankFlash();
    for (const n of [1, 2]) {
      install(await release(n, image(n, 100 + n)), trust, on(flash, two)).next();
      const d = on(flash, two);
      d.begin(true);
      expect([d.slot(ID), d.slot(more)]).toEqual([n === 1 ? 0 : 1, 1]);
    }
    const device = on(flash, two);
    commit(device, 3, 1, 2, 3);
    const after = on(flash, two);
    expect([after.size(ID, false), after.slot(ID), after.size(more, false), after.slot(more)]).toEqual([102, 0, 0, 0]);
    after.begin(true);
    expect([after.slot(ID), after.slot(more)]).toEqual([1, 1]);
  });
});
describe("an envelope that is received", () => {
  it("exists once it is whole, until another one begins", async () => {
    const device = on(blankFlash());
    expect(refusalOf(device.received)[0]).toBe(errors.CBOR_TRUNCATED);
    const [one, two] = [await release(1, image(1, 100)), await release(2, image(2, 101))];
    device.receive(one, one.length, trust);
    const source = device.received();
    expect(Uint8Array.from(source.read(0, 3))).toHaveLength(3);
    expect([device.received() === source, source.chunk]).toEqual([true, undefined]);
    device.receive(two, two.length, trust);
    expect(() => source.read(0, 1)).toThrow("another envelope is being received");
    expect(install(device.received(), trust, device).next()).toBeUndefined();
    expect([device.floor(), device.size(ID, false)]).toEqual([[0, 2], 101]);
  });
  it("stays in place if it is what is kept, and nothing else does", async () => {
    const envelope = await release(1, image(1, 100), "a:1");
    const other = envelope.map((x, i) => (i === 90 ? x ^ 1 : x));
    for (const [kept, itself] of [
      [null, true],
      [envelope, true],
      [envelope.slice(1), false],
      ["shorter", false],
      [Uint8Array.from([...envelope, 0]), false],
      [other, false],
    ] as const) {
      const flash = blankFlash();
      const device = on(flash);
      device.receive(envelope, envelope.length, trust);
      const source = device.received() as Source;
      const whole = Uint8Array.from(source.read(0, source.length));
      const { operations } = flash;
      // the arriving bytes are assembled again, and then differ from those that came
      const given = kept === envelope ? whole : kept === "shorter" ? whole.slice(0, -1) : (kept ?? source);
      const there = device.keep(given) as Source;
      expect(flash.operations === operations, `${kept?.length}`).toBe(itself);
      const expected = itself ? whole : (given as Uint8Array);
      expect(Uint8Array.from(there.read(0, there.length))).toEqual(expected);
      if (!itself) expect(() => source.read(0, 1)).toThrow("another envelope is being received");
    }
  });
  it("may fill its area to the last byte", async () => {
    const device = on(blankFlash());
    const received = async (n: number) => {
      const envelope = await release(1, image(1, n));
      device.receive(envelope, envelope.length, trust);
      return device.received().length;
    };
    const more = PAGE - (await received(1000));
    expect(await received(1000 + more)).toBe(PAGE);
    const big = await release(1, image(1, 1000 + more + 1));
    expect(code(() => device.receive(big, big.length, trust))).toBe(errors.STORAGE_FULL);
  });
  it("is refused if it does not fit its area", async () => {
    const flash = blankFlash();
    const big = await release(1, image(1, PAGE));
    expect(code(() => on(flash).receive(big, big.length, trust))).toBe(errors.STORAGE_FULL);
    expect(flash.operations).toBe(0);
  });
  it("is read by as many bytes as the device says", async () => {
    const device = on(blankFlash());
    device.chunk = 128;
    const one = await release(1, image(1, 100));
    device.receive(one, one.length, trust);
    expect(device.received().chunk).toBe(128);
  });
});
describe("a layout", () => {
  it("of 2^31 bytes, or of none, is refused", () => {
    for (const size of [2 ** 31, 0, Number.NaN, PAGE + 1])
      expect(() => on(blankFlash(), { ...layout, envelopes: { slots: [8 * PAGE, 2 ** 32], size } }), String(size)).toThrow("whole pages");
  });
  it("may have its stretches side by side, and not one byte nearer", () => {
    expect(() => on(blankFlash())).not.toThrow();
    for (const slots of [
      [PAGE, 2 * PAGE],
      [0, PAGE],
      [0, 3 * PAGE],
      [2 * PAGE, 2 * PAGE],
    ] as [number, number][])
      expect(() => on(blankFlash(), { ...layout, components: [{ id: ID, slots, size: 2 * PAGE }] }), String(slots)).toThrow("overlaps");
  });
  it("has no component but its own", () => {
    const device = on(blankFlash());
    expect([device.capacity(ID), device.capacity([]), device.capacity([[1]]), device.capacity([...ID, ...ID])]).toEqual([
      2 * PAGE,
      -1,
      -1,
      -1,
    ]);
  });
});
