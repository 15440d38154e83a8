// A session at its edges: what next() takes and when, and what a session does whose device has gone on to another one.

import { describe, expect, it } from "vitest";
import { type MemoryDevice, memoryDevice } from "../src/device/memory.js";
import { errors, install } from "../src/index.js";
import { refusalOf } from "./refusals.js";
import { ID, identity, image, release, trust } from "./releases.js";

const OUTCOME = [errors.RUN_OUTCOME, -1];
const device = (capacity = 1000): MemoryDevice => memoryDevice(identity, [ID], capacity);
const outside = () => release(7, image(1, 20), "a:1");

describe("next()", () => {
  it("takes no outcome before there is an effect, and wants one where there is", async () => {
    for (const outcome of [true, false, image(1, 20)])
      expect(refusalOf(install(await outside(), trust, device()).next, outcome)).toEqual(OUTCOME);
    const waiting = install(await outside(), trust, device());
    expect(waiting.next()?.uri).toBe("a:1");
    expect(refusalOf(waiting.next, undefined)).toEqual(OUTCOME);
    // and is over
    expect(refusalOf(waiting.next, image(1, 20))).toEqual(OUTCOME);
  });
  it("gives nothing more once it is done", async () => {
    const progress = install(await outside(), trust, device());
    progress.next();
    progress.next(image(1, 20));
    expect(progress.done).toBe(false);
    expect(progress.next(true)).toBeUndefined();
    expect([progress.done, progress.next(), progress.next(true), progress.next(false)]).toEqual([true, undefined, undefined, undefined]);
  });
  it("takes as many bytes as are due, in pieces", async () => {
    for (const [size, code] of [
      [20, 0],
      [21, errors.PAYLOAD_SIZE],
    ] as const) {
      const progress = install(await outside(), trust, device());
      progress.next();
      progress.next(image(1, 20).slice(0, 15));
      expect(refusalOf(progress.next, new Uint8Array(size - 15))[0]).toBe(code);
    }
  });
});

describe("a session whose device has another one", () => {
  it("touches nothing any more", async () => {
    const d = device();
    const old = install(await outside(), trust, d);
    old.next();
    const now = install(await release(8, image(2, 30), "a:2"), trust, d);
    now.next();
    expect(refusalOf(old.next, image(1, 20))).toEqual(OUTCOME);
    now.next(image(2, 30));
    expect(now.next(true)).toBeUndefined();
    expect(d.parts[0]?.slots[d.parts[0].current]).toEqual([...image(2, 30)]);
  });
  it("also where that one has begun within a call, and discards nothing of its", async () => {
    const d = device();
    const later = await release(8, image(2, 30), "a:2");
    let discarded = 0;
    d.fetch = () => {
      d.fetch = () => undefined;
      install(later, trust, d);
      d.discard = () => void discarded++;
      return image(1, 20);
    };
    expect(refusalOf(install(await outside(), trust, d).next)[0]).not.toBe(0);
    expect([discarded, d.sequence]).toEqual([0, [0, 0]]);
  });
  it("is refused before it begins to write", async () => {
    const d = device(64);
    d.erase = () => expect.fail("it was erased");
    const big = await release(7, image(1, 65));
    expect(refusalOf(() => install(big, trust, d))).toEqual([errors.PAYLOAD_SIZE, -1]);
  });
});
