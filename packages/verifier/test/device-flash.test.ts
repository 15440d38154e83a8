// The device on raw flash, word by word: its records, and what it does with those that it has not written. flash.test.ts installs on it.

import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import type { FlashLayout } from "../src/device/flash.js";
import { type Device, errors, install } from "../src/index.js";
import { blankFlash, on, PAGE, RECORDS } from "./device-flash-common.js";
import { code, ID, image, release, trust } from "./releases.js";

/** Words of 32 bits, the lowest octet first. */
const words = (b: Uint8Array, n: number): number[] => Array.from({ length: n }, (_, i) => Buffer.from(b).readUInt32LE(4 * i));
function sealed(...all: number[]): Uint8Array {
  const body = Buffer.alloc(4 * all.length + 4);
  all.forEach((w, i) => {
    body.writeUInt32LE(w, 4 * i);
  });
  body.writeUInt32LE(crc32(body.subarray(0, -4)), 4 * all.length);
  return body;
}
/** A flash whose record pages hold this. */
function holding(first: Uint8Array, second: Uint8Array = new Uint8Array(0), pageSize = PAGE): FlashModel {
  const page = (b: Uint8Array) => {
    const out = new Uint8Array(pageSize).fill(255);
    out.set(b);
    return out;
  };
  return new FlashModel([...erasedFlash(6, pageSize), page(first), page(second)]);
}
const MAGIC = 0x46535232;
/** The number of bytes of counters(), and these bytes. */
const COUNTED = 32;
const counted = [9, 8, 7, 6, 5, 4, 3, 2];
/** Sizes in slot 0 and 1 as a record has them. */
const at = (size: number, slot: number): number => 2 * size + slot;
const good = [MAGIC, 4, 0, 7, 0, 2, COUNTED, at(9, 1), 0, at(5, 0), 0, ...counted];
const tried = [...good.slice(0, 4), 3, ...good.slice(5, 8), at(6, 0), at(5, 0), at(4, 1), ...counted];
const journal = (...all: number[]) => {
  const b = Buffer.alloc(4 * all.length);
  all.forEach((w, i) => {
    b.writeUInt32LE(w, 4 * i);
  });
  return Buffer.concat([sealed(...tried), b]);
};
describe("a record in flash", () => {
  it("has generation, floor, tries, and what is current and was before, for each area", async () => {
    const flash = blankFlash();
    const one = await release(1, image(1, 101));
    expect(install(one, trust, on(flash)).next()).toBeUndefined();
    const kept = (): number => on(flash).envelope()?.length ?? 0;
    const n1 = kept();
    expect(n1).toBeGreaterThan(100);
    const counters = () => words(Uint8Array.from(on(flash).counters?.() as ArrayLike<number>), COUNTED / 4);
    const first = [MAGIC, 1, 0, 1, 0, 2, COUNTED, at(n1, 1), 0, at(101, 1), 0, ...counters()];
    expect(words(flash.read(RECORDS[0], 80), 20)).toEqual(words(sealed(...first), 20));
    const two = await release(2n ** 32n + 5n + "", image(2, 102));
    expect(install(two, trust, on(flash)).next()).toBeUndefined();
    const n2 = kept();
    expect(n2).not.toBe(n1);
    const second = [MAGIC, 2, 1, 5, 3, 2, COUNTED, at(n2, 0), at(n1, 1), at(102, 0), at(101, 1), ...counters()];
    expect(words(flash.read(RECORDS[1], 84), 21)).toEqual([...words(sealed(...second), 20), 0xffffffff]);
    const device = on(flash);
    device.start();
    device.start();
    expect(words(flash.read(RECORDS[1] + 80, 16), 4)).toEqual([65535, 65535, 0xffffffff, 0xffffffff]);
    device.confirm();
    device.confirm();
    device.start();
    expect(words(flash.read(RECORDS[1] + 80, 16), 4)).toEqual([65535, 65535, 0, 0xffffffff]);
    expect([on(flash).pending(), on(flash).rolledBack()]).toEqual([false, false]);
  });

  const floorOf = (flash: FlashModel) => on(flash).floor();
  it("of the higher generation rules, in either page", () => {
    const [old, newer] = [sealed(...good), sealed(MAGIC, 5, 0, 8, ...good.slice(4))];
    expect(floorOf(holding(old))).toEqual([0, 7]);
    expect(floorOf(holding(new Uint8Array(0), old))).toEqual([0, 7]);
    expect(floorOf(holding(old, newer))).toEqual([0, 8]);
    expect(floorOf(holding(newer, old))).toEqual([0, 8]);
    expect(floorOf(blankFlash())).toEqual([0, 0]);
  });
  it("with another magic is invalid", () => {
    expect(floorOf(holding(sealed(MAGIC + 1, ...good.slice(1))))).toEqual([0, 0]);
  });
  it("that says it is longer than its page is invalid, and is not read", () => {
    for (const areas of [1000, 2 ** 29, 2 ** 32 - 1])
      expect(floorOf(holding(new Uint8Array(0), sealed(MAGIC, 4, 0, 7, 0, areas, 0)))).toEqual([0, 0]);
    for (const tries of [PAGE / 4, 2 ** 30, 2 ** 32 - 1])
      expect(floorOf(holding(new Uint8Array(0), sealed(...good.slice(0, 4), tries, ...good.slice(5))))).toEqual([0, 0]);
  });
  const small: FlashLayout = {
    components: [{ id: ID, slots: [0, 128], size: 128 }],
    envelopes: { slots: [256, 384], size: 128 },
    records: [768, 896],
    tries: 11,
  };
  const blankSmall = () => new FlashModel(erasedFlash(8, 128));
  it("has up to 128 bytes of counters, and fills their last word", () => {
    const counters = (n: number, ...more: number[]) =>
      on(holding(sealed(...good.slice(0, 6), n, ...good.slice(7, 11), ...more))).counters?.();
    expect(Array.from(counters(5, 0x04030201, 5) as ArrayLike<number>)).toEqual([1, 2, 3, 4, 5]);
    expect(counters(0)).toHaveLength(0);
    expect(counters(128, ...new Array(32).fill(7))).toHaveLength(128);
    for (const n of [129, 132, 2 ** 31, 2 ** 32 - 1]) expect(counters(n, ...new Array(33).fill(7))).toBeNull();
  });
  it("that does not fit its page is refused before anything is erased", () => {
    const flash = blankSmall();
    const device = on(flash, small);
    device.begin(true);
    device.keep([1, 2, 3]);
    const before = flash.operations;
    // the first release needs no tries: 12 words and the journal, and 76 bytes are left
    const commit = (n: number) => ({ sequence: [0, 1] as [number, number], written: [], counters: new Array(n).fill(1) });
    expect(code(() => device.persist(commit(77)))).toBe(errors.STORAGE_FULL);
    expect(flash.operations).toBe(before);
    device.persist(commit(76));
    expect(on(flash, small).counters?.()).toHaveLength(76);
  });
  it("may fill its page, to the last word of its journal", () => {
    const recorded = (tries: number) => holding(new Uint8Array(0), sealed(...good.slice(0, 4), tries, ...good.slice(5)), 128);
    expect(on(recorded(11), small).floor()).toEqual([0, 7]);
    expect(on(recorded(12), small).floor()).toEqual([0, 0]);
    expect(() => on(blankSmall(), { ...small, tries: 12 })).toThrow("a record does not fit a page");
    const device = on(recorded(11), small);
    for (let n = 0; n < 11; n++) device.start();
    expect([device.pending(), on(recorded(11), small).pending()]).toEqual([true, true]);
  });

  it("of an envelope without a byte has none to start", () => {
    for (const size of [0, 1])
      expect(on(holding(sealed(...good.slice(0, 7), at(size, 1), ...good.slice(8)))).envelope()?.length).toBe(size || undefined);
  });

  it.each<[string, number[], boolean, boolean, number]>([
    ["not started", [], true, false, 5],
    ["started twice", [65535, 65535], true, false, 5],
    ["started as often as it may be", [65535, 65535, 65535], true, false, 5],
    ["started once more", [65535, 65535, 65535, 65535], false, true, 4],
    ["started once, by a word that was cut", [0xffff7fff], true, false, 5],
    ["confirmed", [65535, 0], false, false, 5],
    ["confirmed in its last start", [65535, 65535, 65535, 0], false, false, 5],
    ["confirmed by a word that was cut: that is a start", [65535, 65535, 1], true, false, 5],
    ["confirmed by a word that was cut in its last start: that goes back", [65535, 65535, 65535, 1], false, true, 4],
    ["with an erased word in front of a start: it counts as used", [0xffffffff, 65535], true, false, 5],
    ["with nothing left to count with", [0xffffffff, 0xffffffff, 65535], true, false, 5],
    ["with an erased word in front of the one that goes back", [65535, 65535, 0xffffffff, 65535], false, true, 4],
  ])("on trial, %s", (_, log, pending, back, size) => {
    const device = on(holding(journal(...log)));
    expect([device.pending(), device.rolledBack(), device.size(ID, false)]).toEqual([pending, back, size]);
  });
});
describe("on trial", () => {
  async function trial(): Promise<FlashModel> {
    const flash = blankFlash();
    for (const n of [1, 2]) expect(install(await release(n, image(n, 100)), trust, on(flash)).next()).toBeUndefined();
    return flash;
  }
  it("nothing is begun for an installation, received or erased, and a start is", async () => {
    const flash = await trial();
    const device = on(flash);
    const before = flash.operations;
    const next = await release(3, image(3, 100));
    expect(code(() => device.begin(true))).toBe(errors.UNCONFIRMED);
    expect(code(() => device.erase(ID, 1))).toBe(errors.UNCONFIRMED);
    expect(code(() => device.receive(next, next.length, trust))).toBe(errors.UNCONFIRMED);
    expect(code(() => device.keep(next))).toBe(errors.UNCONFIRMED);
    expect(code(() => device.persist({ sequence: [0, 3], written: [], counters: [] }))).toBe(errors.UNCONFIRMED);
    device.begin(false);
    expect([device.slot(ID), flash.operations]).toEqual([0, before]);
  });
  it("an app says nothing before its release has started", async () => {
    const flash = await trial();
    const before = flash.operations;
    on(flash).confirm();
    expect([flash.operations, on(flash).pending()]).toEqual([before, true]);
  });
});
describe("a start", () => {
  it("that cannot be counted goes back at once", () => {
    const flash = holding(journal(65535));
    const device = on(flash);
    expect(device.pending()).toBe(true);
    flash.write = () => {};
    device.start();
    expect({ pending: device.pending(), rolledBack: device.rolledBack() }).toEqual({ pending: false, rolledBack: true });
    expect([device.envelope()?.length, device.size(ID, false)]).toEqual([6, 4]);
  });
  it("after the last try goes back, whether or not that can be written", () => {
    for (const lost of [false, true]) {
      const flash = holding(journal(65535, 65535, 65535));
      if (lost) flash.write = () => {};
      const device = on(flash);
      device.start();
      expect([device.pending(), device.rolledBack(), device.size(ID, false)]).toEqual([false, true, 4]);
      const again = on(flash);
      expect(again.rolledBack()).toBe(!lost);
      again.start();
      expect(again.rolledBack()).toBe(true);
    }
  });
});
it("a journal with a gap continues after it: no word is written twice", () => {
  for (const log of [
    [0xffffffff, 65535],
    [0xffffffff, 0xffffffff, 0xffffffff, 65535],
    [65535, 0xffffffff, 1],
  ]) {
    const flash = holding(journal(...log));
    const device = on(flash);
    device.start();
    expect(() => device.confirm()).not.toThrow();
    expect(on(flash).pending()).toBe(false);
  }
});
describe("a writer", () => {
  it("takes nothing once it was read back, and fills its last word", () => {
    const flash = blankFlash();
    const device: Device = on(flash);
    device.begin(true);
    device.erase(ID, 10);
    device.write(ID, 0, [1, 2, 3, 4, 5]);
    expect(Array.from(flash.read(2 * PAGE, 8))).toEqual([1, 2, 3, 4, 255, 255, 255, 255]);
    expect(device.size(ID, true)).toBe(5);
    expect(Array.from(flash.read(2 * PAGE, 12))).toEqual([1, 2, 3, 4, 5, 255, 255, 255, 255, 255, 255, 255]);
    expect(() => device.write(ID, 5, [6])).toThrow("write beyond the end");
    expect(Array.from(device.read(ID, 3, 2, true))).toEqual([4, 5]);
  });
  it("takes as much as its slot, and erases a page when its first byte comes", () => {
    const flash = blankFlash();
    const device: Device = on(flash);
    const erased = () => flash.log.filter(({ op }) => op === "erase").map(({ address }) => address);
    device.begin(true);
    device.erase(ID, 10);
    expect(erased()).toEqual([]);
    device.write(ID, 0, new Array(PAGE).fill(7));
    expect(erased()).toEqual([2 * PAGE]);
    device.write(ID, PAGE, [1, 2, 3, 4]);
    expect(erased()).toEqual([2 * PAGE, 3 * PAGE]);
    device.write(ID, PAGE + 4, new Array(PAGE - 4).fill(7));
    expect(code(() => device.write(ID, 2 * PAGE, [1]))).toBe(errors.STORAGE_FULL);
    device.write(ID, 2 * PAGE, []);
    expect(device.size(ID, true)).toBe(2 * PAGE);
    device.discard();
    expect(erased()).toEqual([2 * PAGE, 3 * PAGE, 2 * PAGE]);
    expect(Array.from(flash.read(2 * PAGE, 1))).toEqual([255]);
  });
  it("keeps what a start loads in RAM, piece after piece", () => {
    const flash = blankFlash();
    const device: Device = on(flash);
    device.begin(false);
    device.erase(ID, 10);
    device.write(ID, 0, [1, 2, 3]);
    device.write(ID, 3, [4, 5]);
    expect([Array.from(device.read(ID, 0, 5, true)), Array.from(device.read(ID, 2, 2, true)), device.size(ID, true)]).toEqual([
      [1, 2, 3, 4, 5],
      [3, 4],
      5,
    ]);
    expect(flash.operations).toBe(0);
  });
  it("erases nothing to discard if nothing was written", () => {
    const flash = blankFlash();
    const device: Device = on(flash);
    device.begin(true);
    device.erase(ID, 10);
    device.discard();
    expect(flash.operations).toBe(0);
  });
});
