// The device on raw flash goes back after failed starts.

import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { applyOperation, FLASH_TEARS, type Pages } from "../../simulator/src/storage-models/flash-operations.js";
import { LEAST } from "../../test-support/src/environment/effort.js";
import { formatSequence } from "../src/base/number.js";
import { errors, install } from "../src/index.js";
import { type Board, careful, empty, on, put, restart, starts } from "./flash-common.js";
import { code, image, release, trust } from "./releases.js";

describe("going back after failed starts", () => {
  const [one, two, three] = [image(1, 1000), image(2, 1001), image(3, 1002)];

  async function updated(): Promise<Board> {
    let b = on(empty(), careful);
    put(b.device, await release(1, one));
    expect(b.device.pending()).toBe(false);
    b = restart(b, careful);
    put(b.device, await release(2, two));
    return restart(b, careful);
  }

  it("starts a release three times, then the previous one; the floor stays", async () => {
    let b = await updated();
    for (let n = 0; n < 3; n++) {
      expect([b.device.pending(), starts(b)]).toEqual([true, two]);
      b = restart(b, careful);
    }
    for (let n = 0; n < 5; n++) {
      const started = starts(b);
      expect([b.device.pending(), b.device.rolledBack(), started, formatSequence(b.device.floor())]).toEqual([false, true, one, "2"]);
      // the one before is not put in doubt by what it says about itself
      b.device.confirm();
      b = restart(b, careful);
    }
    const [old, same, next] = [await release(1, one), await release(2, two), await release(3, three)];
    expect(code(() => install(old, trust, b.device))).toBe(errors.ROLLBACK);
    put(b.device, same);
    b = restart(b, careful);
    expect([b.device.pending(), starts(b)]).toEqual([true, two]);
    b.device.confirm();
    b = restart(b, careful);
    put(b.device, next);
    b = restart(b, careful);
    expect(starts(b)).toEqual(three);
  });

  it("does not count a release as confirmed if the flash has not kept the mark", async () => {
    const b = await updated();
    const given3 = await release(3, three);
    starts(b);
    const { write } = b.flash;
    const worn: [address: number, bytes: ArrayLike<number>][] = [];
    b.flash.write = (address, bytes) => void worn.push([address, bytes]);
    expect(() => b.device.confirm()).toThrow("the mark was not written");
    expect(worn.length).toBe(1);
    b.flash.write = write;
    // the release to go back to is still there, and is not overwritten
    expect(b.device.pending()).toBe(true);
    expect(code(() => install(given3, trust, b.device).next())).toBe(errors.UNCONFIRMED);
    let after = b;
    for (let n = 0; n < 2; n++) {
      after = restart(after, careful);
      expect(starts(after)).toEqual(two);
    }
    after = restart(after, careful);
    expect([starts(after), after.device.rolledBack()]).toEqual([one, true]);
    // once more, and it counts
    const again = await updated();
    starts(again);
    again.device.confirm();
    expect(restart(again, careful).device.pending()).toBe(false);
  });

  it("stays with a release that confirmed itself, in its last start too", async () => {
    for (const count of [1, 2, 3]) {
      let b = await updated();
      for (let n = 0; n < count; n++) {
        if (n) b = restart(b, careful);
        starts(b);
      }
      b.device.confirm();
      for (let n = 0; n < 5; n++) {
        b = restart(b, careful);
        expect([b.device.pending(), b.device.rolledBack(), starts(b)]).toEqual([false, false, two]);
      }
    }
  });

  it("lets another device on the same flash confirm, in the last start too", async () => {
    for (const count of [1, 2, 3]) {
      let b = await updated();
      for (let n = 0; n < count; n++) {
        if (n) b = restart(b, careful);
        starts(b);
      }
      // the boot file has one, and the app another
      const { device } = on(b.flash, careful);
      expect([device.pending(), device.rolledBack()]).toEqual([true, false]);
      device.confirm();
      b = restart(b, careful);
      expect([starts(b), b.device.rolledBack()]).toEqual([two, false]);
    }
  });

  it("does not overwrite the way back while a release is not confirmed", async () => {
    const b = await updated();
    const next = await release(3, three);
    expect(code(() => install(next, trust, b.device).next())).toBe(errors.UNCONFIRMED);
    expect(code(() => b.device.receive(next, next.length, trust))).toBe(errors.UNCONFIRMED);
    expect(b.flash.operations).toBe(0);
    starts(b);
    b.device.confirm();
    put(b.device, next);
    expect(starts(restart(b, careful))).toEqual(three);
  });

  it("has no way back on its first release", async () => {
    let b = on(empty(), careful);
    put(b.device, await release(1, one));
    for (let n = 0; n < 10; n++) {
      b = restart(b, careful);
      expect(starts(b)).toEqual(one);
    }
  });

  it("keeps the previous one if the next update is cut anywhere", async () => {
    let b = await updated();
    for (let n = 0; n < 4; n++) {
      starts(b);
      b = restart(b, careful);
    }
    const next = await release(3, three);
    const from = b.flash.pages;
    const run = new FlashModel(from);
    put(on(run, careful).device, next);
    let pages = from;
    let seen = 0;
    for (const operation of run.log) {
      for (const tear of FLASH_TEARS) {
        const after = on(new FlashModel(applyOperation(pages, operation, tear)), careful);
        const now = starts(after);
        expect([now, formatSequence(after.device.floor())]).toEqual(after.device.rolledBack() ? [one, "2"] : [three, "3"]);
        after.device.confirm();
        put(after.device, next);
        expect(starts(restart(after, careful))).toEqual(three);
        seen++;
      }
      pages = applyOperation(pages, operation);
    }
    expect(seen).toBeGreaterThan(60);
  });

  it.skipIf(LEAST)("survives cuts while starts are counted and confirmed, three in a row", async () => {
    const first = await updated();
    let seen = 0;
    const go = (pages: Pages, depth: number): void => {
      for (const cut of [0, 1])
        for (const tear of FLASH_TEARS) {
          const b = on(new FlashModel(pages), careful);
          b.flash.cutAfter(cut, tear);
          try {
            starts(b);
            b.device.confirm();
          } catch (e) {
            expect((e as Error).name).toBe("PowerCut");
          }
          const after = on(new FlashModel(b.flash.pages), careful);
          const floor = formatSequence(after.device.floor());
          const started = starts(after);
          expect([after.device.rolledBack() ? one : two, "2"]).toEqual([started, floor]);
          seen++;
          if (depth > 1) go(b.flash.pages, depth - 1);
        }
    };
    go(first.flash.pages, 3);
    expect(seen).toBe(8 + 64 + 512);
  });
});
