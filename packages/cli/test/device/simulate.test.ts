// firmseal simulate: the table, the JSON, and what it refuses.

import { renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Failure } from "../../../keys/src/errors/failure.js";
import { DEVICES, type SimulatedDevice } from "../../../simulator/src/devices/devices.js";
import { flashStore } from "../../../simulator/src/devices/flash.js";
import type { Store } from "../../../simulator/src/store.js";
import { expectExit, FACTS, image, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { LONG, OF_SOME, some } from "../../../test-support/src/environment/effort.js";
import { simulateUpdate } from "../../src/commands/device/simulate.js";

describe("firmseal simulate", () => {
  // contract.test.ts and micro.test.ts have all devices
  it(`prints a table, and says how many cuts there were${OF_SOME}`, async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    for (const name of some(Object.keys(DEVICES), 2)) {
      const few = name.startsWith("storage") ? ["--second-cuts", LONG ? "20" : "4"] : LONG ? [] : ["--second-cuts", "16"];
      const r = await p.ok(["simulate", "fw.suit", "--device", name, "--key", "A.jwk", ...few]);
      expect(r.stdout).toMatch(/^operation {2}the power is cut in +cuts {2}starts +cuts again {2}starts\n0/);
      expect(r.stdout).toMatch(/ old \d, new \d /);
      const [, cuts, again] = /^([\d,]+) power cuts, and ([\d,]+) more/m.exec(r.stderr) ?? [];
      expect(Number(cuts?.replace(",", ""))).toBeGreaterThan(15);
      expect(Number(again?.replace(",", ""))).toBeGreaterThan(LONG ? 200 : 150);
      expect(r.stderr).toContain("sequence number 7, over a generated release with sequence number 6");
    }
  }, 180_000);

  it("lists each cut in JSON, from the release that was there", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    p.put("fw.bin", image(3000, 9));
    await signImage(p, 9, "new.suit", ["--uri", "http://a/fw.bin"]);
    const args = [
      "simulate",
      "new.suit",
      "--device",
      "flash",
      "--key",
      "A.jwk",
      "--previous-release",
      "fw.suit",
      "--json",
      "--second-cuts",
      "2",
    ];
    const { json } = await p.ok([...args, "--payload", "fw.bin", ...FACTS]);
    expect(json).toMatchObject({
      ok: true,
      code: 0,
      device: "flash",
      sequence: "9",
      previous: { sequence: "7", madeUp: false },
      faults: [],
    });
    const points = json["points"] as { boots: string; floor: string; converges: boolean }[];
    expect(points).toHaveLength(json["cuts"] as number);
    expect(json["cutsDuringRecovery"]).toBe(2 * points.length);
    expect(json["leftOut"]).toBeGreaterThan(0);
    for (const point of points) expect(`${point.boots} ${point.floor} ${point.converges}`).toMatch(/^(old 7|new 9) true$/);
    expect(new Set(points.map((x) => x.boots))).toEqual(new Set(["old", "new"]));
    // the payload is beside the envelope, as for verify
    expect((await p.ok([...args, ...FACTS])).json).toEqual(json);
  });

  it("fails, and lists the first cuts that end badly, if a device is wrong", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const table = DEVICES as { [name: string]: SimulatedDevice };
    // a cut of the power is all that this one needs to lose everything
    const make: SimulatedDevice["make"] = (s) => {
      const wrap = (store: Store): Store => ({
        power() {
          const machine = store.power();
          return {
            start: () => machine.start(),
            *cuts() {
              for (const cut of machine.cuts(store)) yield { ...cut, left: () => wrap(flashStore(s)) };
            },
            cutCount: () => machine.cutCount(),
            sameCourse: () => false,
            off: () => wrap(machine.off()),
          };
        },
        content: () => store.content(),
      });
      return wrap(flashStore(s));
    };
    table["wrong"] = { make, hasPages: true, isMicro: false };
    try {
      const o = { key: [p.at("A.jwk")], threshold: 1, json: true, secondCuts: 0 };
      const failure = await simulateUpdate(p.at("fw.suit"), { ...o, device: "wrong" }).catch((e: unknown) => e);
      expect(failure).toMatchObject({
        exit: 1,
        reason: "POWER_CUT",
        number: 207,
        message: expect.stringMatching(/^\d+ cuts end badly/),
      });
      const { faults, faultCount, cuts } = (failure as Failure).facts as { faults: object[]; faultCount: number; cuts: number };
      expect(faultCount).toBe(cuts);
      expect(faults).toHaveLength(20);
      expect(faults[0]).toMatchObject({ operation: 0, tear: "nothing", boots: "none", fault: "nothing is installed", floorFell: true });
    } finally {
      delete table["wrong"];
    }
  });

  it("accepts a page size for every device whose storage has pages, and for no other", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const sizes: { [device: string]: unknown } = {};
    for (const name of Object.keys(DEVICES)) {
      const size = ["--page-size", "8192", "--second-cuts", "0"];
      const r = await p.run(["simulate", "fw.suit", "--device", name, "--key", "A.jwk", ...size, "--json"]);
      sizes[name] = r.exit === 0 ? r.json["pageSize"] : r.json["reason"];
    }
    expect(sizes).toEqual({
      ...{ flash: 8192, storage: 8192, files: "USAGE", memory: "USAGE" },
      ...{ "flash-micro": 8192, "storage-micro": 8192 },
    });
  });

  it("refuses what could not be installed even without a cut", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    await signImage(p, 6, "older.suit");
    await signImage(p, 8, "outside.suit", ["--uri", "http://a/fw.bin"]);
    const refused = async (...args: string[]) => {
      const r = await p.run(["simulate", ...args, "--json"]);
      return [r.exit, r.json["reason"]];
    };
    const flash = ["--device", "flash", "--key", "A.jwk"];
    expect(await refused("older.suit", ...flash, "--previous-release", "fw.suit")).toEqual([1, "ROLLBACK"]);
    // the payload is not beside the envelope
    p.folder("alone");
    renameSync(p.at("outside.suit"), p.at("alone/outside.suit"));
    expect(await refused("alone/outside.suit", ...flash)).toEqual([1, "PAYLOAD_ABSENT"]);
    expect(await refused("fw.suit", "--device", "flash", "--key", "B.jwk")).toEqual([1, "SIGNATURE_NO_ANCHOR"]);
    expect(await refused("fw.suit", ...flash, "--vendor", "example.org", "--class", "board-v2")).toEqual([1, "VENDOR_MISMATCH"]);
    expect(await refused("fw.suit", ...flash, "--vendor", "example.com")).toEqual([2, "USAGE"]);
    expect(await refused("fw.suit", "--device", "toaster", "--key", "A.jwk")).toEqual([2, "USAGE"]);
    expect(await refused("fw.suit", ...flash, "--page-size", "1001")).toEqual([2, "USAGE"]);
    const withoutPages = await p.run(["simulate", "fw.suit", "--device", "files", "--key", "A.jwk", "--page-size", "4096", "--json"]);
    expectExit(withoutPages, 2);
    expect(withoutPages.json["hint"]).toEqual("drop it, or simulate flash, storage, flash-micro or storage-micro");
    expect(p.names()).toEqual(["A.jwk", "A.pem", "B.jwk", "B.pem", "C.jwk", "C.pem", "alone", "fw.bin", "fw.suit", "older.suit"]);
  });
});
