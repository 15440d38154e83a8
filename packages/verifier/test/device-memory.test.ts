// The device in memory: what happens to its two slots.

import { describe, expect, it } from "vitest";
import { memoryDevice } from "../src/device/memory.js";
import { install } from "../src/index.js";
import { ID, identity, image, release, trust } from "./releases.js";

const MORE = [Uint8Array.of(1), Uint8Array.of(2)];
const device = () => memoryDevice(identity, [ID, MORE], 500);

describe("a device in memory", () => {
  it("has the components that it was made with, and nothing in them", () => {
    const d = device();
    expect([d.capacity(ID), d.capacity(MORE), d.capacity([]), d.capacity([Uint8Array.of(1)])]).toEqual([500, 500, -1, -1]);
    expect([d.size(ID, false), d.floor(), d.installing, d.invoked, d.envelope]).toEqual([0, [0, 0], false, [], null]);
    expect(() => d.erase([Uint8Array.of(1)], 3)).toThrow("no such component");
  });

  it("writes beside what is current when it installs, and only in memory when it boots", async () => {
    const d = device();
    for (const [n, slot] of [
      [1, 1],
      [2, 0],
    ] as const) {
      d.begin(true);
      expect(d.slot?.(ID)).toBe(slot);
      install(await release(n, image(n, 100 + n)), trust, d).next();
      d.begin(false);
      expect([d.slot?.(ID), d.size(ID, false)]).toEqual([slot, 100 + n]);
    }
    const slots = [Array.from(image(2, 102)), Array.from(image(1, 101))];
    expect(d.parts[0]?.slots).toEqual(slots);
    d.erase(ID, 3);
    d.write(ID, 0, [1, 2, 3]);
    expect([d.read(ID, 1, 2, true), d.size(ID, true), d.size(ID, false)]).toEqual([[2, 3], 3, 102]);
    d.discard();
    expect(d.parts[0]?.slots).toEqual(slots);
  });

  it("forgets what it has begun, and nothing of what it has not", async () => {
    const d = device();
    for (const n of [1, 2, 3]) install(await release(n, image(n, 10)), trust, d).next();
    const [one, more] = [Array.from(image(3, 10)), d.parts[1]?.slots];
    d.begin(true);
    expect(d.parts[0]?.slots).toEqual([Array.from(image(2, 10)), one]);
    d.erase(ID, 3);
    d.write(ID, 0, [1, 2, 3]);
    d.keep([9]);
    expect([d.parts[0]?.slots, d.kept]).toEqual([[[1, 2, 3], one], Uint8Array.of(9)]);
    d.discard();
    expect([d.parts[0]?.slots, d.parts[1]?.slots, d.kept]).toEqual([[[], one], more, null]);
  });

  it("fetches what it was given, and no member of Object", () => {
    const d = device();
    d.payloads = { "a:1": [1, 2] };
    expect([d.fetch?.("a:1"), d.fetch?.("a:2"), d.fetch?.("toString")]).toEqual([[1, 2], undefined, undefined]);
  });
});
