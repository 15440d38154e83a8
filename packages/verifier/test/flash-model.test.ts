// The model of flash that the tests use.

import { describe, expect, it } from "vitest";
import { FlashMisuse, FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import type { FLASH_TEARS } from "../../simulator/src/storage-models/flash-operations.js";
import { empty, PAGE } from "./flash-common.js";
import { image } from "./releases.js";

describe("the model of flash", () => {
  it("clears bits once, and throws where real flash would be damaged", () => {
    const flash = empty();
    flash.write(8, [1, 2, 3, 4]);
    expect(() => flash.write(8, [1, 2, 3, 4])).toThrow(FlashMisuse);
    expect(() => flash.write(6, [1, 2, 3, 4])).toThrow(FlashMisuse);
    expect(() => flash.write(12, [1, 2, 3])).toThrow(FlashMisuse);
    expect(() => flash.erase(4)).toThrow(FlashMisuse);
    expect(() => flash.erase(16 * PAGE)).toThrow(FlashMisuse);
    expect(() => flash.read(16 * PAGE - 1, 2)).toThrow(FlashMisuse);
    flash.erase(0);
    flash.write(8, [5, 6, 7, 8]);
    expect(Array.from(flash.read(7, 6))).toEqual([255, 5, 6, 7, 8, 255]);
    // across pages, in one piece
    const long = image(1, 400);
    flash.write(2 * PAGE - 200, long);
    expect(flash.read(2 * PAGE - 200, 400)).toEqual(long);
  });

  it("gets as far as it says when the power is cut, and does nothing afterwards", () => {
    const left = (tear: (typeof FLASH_TEARS)[number], bytes: Uint8Array, n = 0) => {
      const flash = empty();
      flash.cutAfter(n, tear);
      expect(() => flash.write(0, bytes)).toThrow("power");
      expect(() => flash.read(0, 1)).toThrow("power");
      expect(() => flash.erase(0)).toThrow("power");
      return new FlashModel(flash.pages).read(0, bytes.length);
    };
    const long = image(5, 200).map((x) => x & 0x7e);
    const erased = (n: number) => new Uint8Array(n).fill(255);
    expect(left("nothing", long)).toEqual(erased(200));
    expect(left("whole", long)).toEqual(long);
    expect(left("words", long)).toEqual(Uint8Array.from([...long.slice(0, 100), ...erased(100)]));
    const bits = left("bits", long);
    const torn = bits.findIndex((x, i) => x !== long[i]) & ~3;
    expect(torn).toBeGreaterThan(0);
    expect(torn).not.toBe(100);
    expect(bits.slice(0, torn)).toEqual(long.slice(0, torn));
    expect(bits.slice(torn + 4)).toEqual(erased(196 - torn));
    const [word, wanted] = [bits.slice(torn, torn + 4), long.slice(torn, torn + 4)];
    expect(word).not.toEqual(wanted);
    expect(word).not.toEqual(erased(4));
    word.forEach((x, i) => {
      expect(x & (wanted[i] as number)).toBe(wanted[i]);
    });
    // a short write is cut at each of its words
    const short = image(6, 12);
    for (const n of [0, 1, 2])
      expect(left("nothing", short, n)).toEqual(Uint8Array.from([...short.slice(0, 4 * n), ...erased(12 - 4 * n)]));
  });

  it("erases the first half, or some bits, when it is cut", () => {
    const erase = (tear: (typeof FLASH_TEARS)[number]) => {
      const flash = empty();
      flash.write(0, image(7, PAGE));
      const again = new FlashModel(flash.pages);
      again.cutAfter(0, tear);
      expect(() => again.erase(0)).toThrow("power");
      return new FlashModel(again.pages).read(0, PAGE);
    };
    const [before, erased] = [image(7, PAGE), new Uint8Array(PAGE).fill(255)];
    expect(erase("nothing")).toEqual(before);
    expect(erase("whole")).toEqual(erased);
    expect(erase("words")).toEqual(Uint8Array.from([...erased.slice(0, PAGE / 2), ...before.slice(PAGE / 2)]));
    const bits = erase("bits");
    expect(bits).not.toEqual(before);
    expect(bits).not.toEqual(erased);
    expect(bits.every((x, i) => (x & (before[i] as number)) === before[i])).toBe(true);
  });
});
