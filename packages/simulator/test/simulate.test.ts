// Power cuts at every operation of sound devices, and the simulation itself.

import { install } from "@firmseal/verifier";
import { flashDevice } from "@firmseal/verifier/device/flash";
import { describe, expect, it } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { image } from "../../test-support/src/command-line/run.js";
import { AT_LENGTH, LONG, some } from "../../test-support/src/environment/effort.js";
import { randoms } from "../../test-support/src/randoms.js";
import { DEVICES } from "../src/devices/devices.js";
import { flashStore, layoutOf } from "../src/devices/flash.js";
import { previousRelease } from "../src/previous.js";
import { Simulation, Unsimulated } from "../src/simulation/simulation.js";
import { FlashModel } from "../src/storage-models/flash-model.js";
import { applyOperation, erasedFlash, FLASH_TEARS, type Pages } from "../src/storage-models/flash-operations.js";
import { SharedPages } from "../src/storage-models/shared-pages.js";
import type { MakeStore, Store } from "../src/store.js";
import { expectSound, identity, release, SECOND, setup, signed, uuid } from "./simulate-common.js";

// that in Espruino's Storage looks at all of it at each start, and takes its time: storage-device.test.ts has a smaller one;
// micro.test.ts has those with a micro verifier
const kinds: [string, MakeStore][] = [
  ...Object.entries(DEVICES).flatMap(([name, { make, isMicro }]): [string, MakeStore][] =>
    name === "storage" || isMicro ? [] : [[name, make]],
  ),
  ["flash, envelope in RAM", (s) => flashStore(s, { receiving: false })],
];

/** How many cuts there are at least, those during recovery included. */
const LEAST = LONG ? 400 : 250;

describe("a power cut at any operation, and again during recovery", () => {
  it.each(some(kinds, 3))("leaves the old or the new release on: %s", async (_, make) => {
    const [one, two] = [await release(7, image(5001, 1)), await release(8, image(4099, 2))];
    expectSound(new Simulation(make, setup, one, two).run(SECOND), LEAST);
  });

  // by default those that the others leave out
  it.each(kinds.filter((_, i) => LONG || i % 3 === 1))(
    "leaves the old or the new pair of components, payloads from outside, on: %s",
    async (_, make) => {
      const ids = [[hex("00")], [hex("01")]];
      const pair = (sequence: number, a: Uint8Array, b: Uint8Array) => {
        const on = (i: number, bytes: Uint8Array, uri: string) => [
          { "directive-set-component-index": i },
          {
            "directive-override-parameters": {
              "vendor-identifier": uuid.vendor,
              "class-identifier": uuid.class,
              "image-digest": { hex: sha256Hex(bytes) },
              "image-size": bytes.length,
              uri,
            },
          },
          "condition-vendor-identifier",
          "condition-class-identifier",
        ];
        const both = [...on(0, a, "http://a"), ...on(1, b, "http://b")];
        const then = (command: string) => [0, 1].flatMap((i) => [{ "directive-set-component-index": i }, command]);
        return signed(
          {
            $schema: "urn:firmseal:manifest:1",
            sequence,
            components: [[{ hex: "00" }], [{ hex: "01" }]],
            install: [...both, ...then("directive-fetch"), ...then("condition-image-match")] as never,
            validate: [...both, ...then("condition-image-match")] as never,
            invoke: [{ "directive-set-component-index": 0 }, "directive-invoke"],
          },
          new Map([
            ["http://a", a],
            ["http://b", b],
          ]),
        );
      };
      const [one, two] = [await pair(1, image(300, 1), image(4097, 2)), await pair(2, image(5000, 3), image(1, 4))];
      expectSound(new Simulation(make, { ...setup, components: ids }, one, two).run(SECOND), LEAST);
    },
  );

  it.each(some(kinds, 3))("leaves nothing, or the first release, on a new device: %s", async (_, make) => {
    expectSound(new Simulation(make, setup, null, await release(8, image(4099, 2))).run(SECOND), LEAST);
  });

  it("does so for an image of many pages and for small pages", async () => {
    const [size, least] = LONG ? [60_000, 40_000] : [11_000, 1_000];
    const [one, two] = [await release(1, image(size, 1)), await release(2, image(size + 1, 2))];
    for (const pageSize of LONG ? [512, 4096] : [4096]) {
      const up = (n: number) => Math.ceil(n / pageSize) * pageSize;
      const report = new Simulation(flashStore, { ...setup, capacity: up(size + 1), envelope: up(size + 1000), pageSize }, one, two).run(
        SECOND,
      );
      expectSound(report, least);
    }
  }, 600_000);
});

describe("the simulation itself", () => {
  const two = () => Promise.all([release(7, image(5001, 1)), release(8, image(4099, 2))]);

  it.skipIf(!LONG)(`finds the same as a run of every course${AT_LENGTH}`, async () => {
    const [one, update] = await two();
    const plain = new Simulation(flashStore, setup, one, update).run(9);
    let runs = 0;
    const stubborn = (store: Store): Store => ({
      power() {
        runs++;
        const machine = store.power();
        return {
          start: () => machine.start(),
          *cuts() {
            for (const cut of machine.cuts(store)) yield { ...cut, left: () => stubborn(cut.left()) };
          },
          cutCount: () => machine.cutCount(),
          sameCourse: () => false,
          off: () => stubborn(machine.off()),
        };
      },
      content: () => store.content(),
    });
    const whole = new Simulation((s) => stubborn(flashStore(s)), setup, one, update).run(9);
    expect(whole.points).toEqual(plain.points);
    expect(runs).toBeGreaterThan(900);
    expect(plain.courses).toBeLessThan(runs / 3);
  });

  it("leaves what a real cut leaves, byte for byte", async () => {
    const [, update] = await two();
    const layout = layoutOf(setup);
    const run = (flash: FlashModel) => {
      const d = flashDevice(flash, identity, layout, () => true);
      install(update.envelope, update.trust, d).next();
    };
    const start = erasedFlash(10, setup.pageSize);
    const whole = new FlashModel(start);
    run(whole);
    let pages: Pages = start;
    for (const [n, operation] of whole.log.entries()) {
      for (const tear of FLASH_TEARS) {
        const flash = new FlashModel(start);
        flash.cutAfter(n, tear);
        expect(() => run(flash)).toThrow("firmseal refusal");
        expect(flash.operations).toBe(n);
        expect(
          Buffer.concat(flash.pages as Uint8Array[]).equals(Buffer.concat(applyOperation(pages, operation, tear) as Uint8Array[])),
        ).toBe(true);
      }
      pages = applyOperation(pages, operation);
    }
    expect(whole.operations).toBeGreaterThan(20);
  });

  it("says how many cuts it left out, and tries the first and the last", async () => {
    const [one, update] = await two();
    const all = new Simulation(flashStore, setup, one, update).run();
    for (const n of LONG ? [0, 1, 5] : [0, 1]) {
      const some = new Simulation(flashStore, setup, one, update).run(n);
      expect(some.cuts).toBe(all.cuts);
      expect(some.cutsDuringRecovery).toBe(n * all.cuts);
      expect(some.cutsDuringRecovery + some.leftOut).toBe(all.cutsDuringRecovery);
    }
  });

  it("gets the same pages, shared or not, whatever is written and erased", () => {
    const shared = new SharedPages();
    const flashes = [
      new FlashModel(erasedFlash(4, 256)),
      new FlashModel(erasedFlash(4, 256), shared),
      new FlashModel(erasedFlash(4, 256), shared),
    ];
    const next = randoms(7);
    const random = (n: number) => Math.floor(next() * n);
    for (let i = 0; i < 400; i++) {
      const address = random(256) * 4;
      const length = Math.min(random(60) * 4, 1024 - address);
      const bytes = image(Math.max(1, length), i % 3).subarray(0, length);
      for (const flash of flashes) {
        if (i % 5 === 0) flash.erase(Math.floor(address / 256) * 256);
        else flash.program(address, bytes);
      }
      const [plain, ...others] = flashes.map(({ pages }) => Buffer.concat(pages as Uint8Array[]));
      for (const other of others) expect(other.equals(plain as Buffer)).toBe(true);
    }
    // and really shares them
    expect(flashes[1]?.pages.some((page, n) => page === flashes[2]?.pages[n])).toBe(true);
  });

  it("trusts the keys of a generated release for that one only", async () => {
    const previous = await previousRelease([0, 8], identity, setup.components, 6001, 2);
    const [, update] = await two();
    expect(previous.trust).toMatchObject({ threshold: 2 });
    expectSound(new Simulation(flashStore, setup, previous, update).run(SECOND), LEAST);
    const forged = { ...previous, trust: update.trust };
    expect(() => new Simulation(flashStore, setup, previous, forged)).toThrow(Unsimulated);
    const again = await previousRelease([0, 8], identity, setup.components, 6001, 2);
    expect(again.trust.anchors[0]?.key).not.toEqual(previous.trust.anchors[0]?.key);
  });
});
