import { createHash } from "node:crypto";
import { type Description, encode, signEnvelope, signer, singleImage } from "@firmseal/signer";
import { anchor, type Commit, install } from "@firmseal/verifier";
import { flashDevice } from "@firmseal/verifier/device/flash";
import { describe, expect, it } from "vitest";
import { simulateUpdate } from "../../cli/src/commands/verify/simulate.js";
import type { Failure } from "../../keys/src/errors/failure.js";
import { AT_LENGTH, LONG, some } from "../../test-support/src/effort.js";
import { randoms } from "../../test-support/src/randoms.js";
import { FACTS, image, keyA, signImage, standard } from "../../test-support/src/run.js";
import { DEVICES } from "../src/devices/devices.js";
import { filesStore } from "../src/devices/files.js";
import { FlashStore, flashStore, layoutOf } from "../src/devices/flash.js";
import { type Release, Simulation, Unsimulated } from "../src/engine.js";
import { applyOperation, erasedFlash, FLASH_TEARS, FlashModel, type Pages } from "../src/models/flash-model.js";
import { FsModel } from "../src/models/fs-model.js";
import { SharedPages } from "../src/models/shared-pages.js";
import { previousRelease } from "../src/previous.js";
import type { Report } from "../src/report.js";
import type { MakeStore, Setup, Started, Store } from "../src/store.js";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function signed(d: Description, payloads: Release["payloads"] = new Map()): Promise<Release> {
  return { envelope: await signEnvelope(encode(d), [signer(keyA)]), trust: { anchors: [anchor(keyA.alg, keyA.key)] }, payloads };
}

function release(sequence: number, bytes: Uint8Array, uri = "#fw"): Promise<Release> {
  const facts = { sequence, ...uuid, digest: sha256(bytes), size: bytes.length, uri };
  if (uri.startsWith("#")) return signed(singleImage({ ...facts, payload: bytes }));
  return signed(singleImage(facts), new Map([[uri, bytes]]));
}

const setup: Setup = { identity, components: [[hex("00")]], capacity: 8192, envelope: 8192, pageSize: 4096 };

/** The sum of what was found, over the first cuts and those during recovery. */
function total(report: Report) {
  const all = { cuts: 0, old: 0, new: 0, none: 0, mixed: 0, floorFell: 0, stuck: 0 };
  for (const p of report.points) {
    all.cuts += 1 + p.again.cuts;
    for (const name of ["old", "new", "none", "mixed"] as const) all[name] += p.again[name] + (p.boots === name ? 1 : 0);
    all.floorFell += p.again.floorFell + (p.floorFell ? 1 : 0);
    all.stuck += p.again.stuck + (p.converges ? 0 : 1);
  }
  return all;
}

function expectSound(report: Report, cuts: number): void {
  expect(report.faults).toEqual([]);
  const sum = total(report);
  expect(sum).toMatchObject({ cuts: report.cuts + report.cutsDuringRecovery, none: 0, mixed: 0, floorFell: 0, stuck: 0 });
  expect(sum.old + sum.new).toBe(sum.cuts);
  expect(report.leftOut).toBe(0);
  // it was cut, and on both sides of the commit
  expect(sum.cuts).toBeGreaterThan(cuts);
  expect(Math.min(sum.old, sum.new)).toBeGreaterThan(0);
}

// that in Espruino's Storage looks at all of it at each start, and takes its time: storage-device.test.ts has a smaller one;
// micro.test.ts has those with a micro verifier
const kinds: [string, MakeStore][] = [
  ...Object.entries(DEVICES).filter(([name]) => name !== "storage" && !name.endsWith("-micro")),
  ["flash, envelope in RAM", (s) => flashStore(s, false)],
];

describe("a power cut at any operation, and again during recovery", () => {
  it.each(some(kinds, 2))("leaves the old or the new release on: %s", async (_, make) => {
    const [one, two] = [await release(7, image(5001, 1)), await release(8, image(4099, 2))];
    expectSound(new Simulation(make, setup, one, two).run(), 400);
  });

  it.each(kinds)("leaves the old or the new pair of components, payloads from outside, on: %s", async (_, make) => {
    const ids = [[hex("00")], [hex("01")]];
    const pair = (sequence: number, a: Uint8Array, b: Uint8Array) => {
      const on = (i: number, bytes: Uint8Array, uri: string) => [
        { "directive-set-component-index": i },
        {
          "directive-override-parameters": {
            "vendor-identifier": uuid.vendor,
            "class-identifier": uuid.class,
            "image-digest": { hex: sha256(bytes) },
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
    expectSound(new Simulation(make, { ...setup, components: ids }, one, two).run(), 400);
  });

  it.each(some(kinds, 2))("leaves nothing, or the first release, on a new device: %s", async (_, make) => {
    expectSound(new Simulation(make, setup, null, await release(8, image(4099, 2))).run(), 400);
  });

  it("does so for an image of many pages and for small pages", async () => {
    const [size, least] = LONG ? [60_000, 40_000] : [11_000, 4_000];
    const [one, two] = [await release(1, image(size, 1)), await release(2, image(size + 1, 2))];
    for (const pageSize of LONG ? [512, 4096] : [4096]) {
      const up = (n: number) => Math.ceil(n / pageSize) * pageSize;
      const report = new Simulation(flashStore, { ...setup, capacity: up(size + 1), envelope: up(size + 1000), pageSize }, one, two).run();
      expectSound(report, least);
    }
  }, 600_000);
});

/** A device with a fault: it has to be found, or the simulation could not find any. */
describe("a wrong device is caught:", () => {
  const layout = layoutOf(setup);
  const inRecords = (address: number) => address >= Math.min(...layout.records);

  /** The flash device, its flash or itself changed by `change`. */
  function wrong(start: (flash: FlashModel) => Started): MakeStore {
    const pages = erasedFlash((Math.max(...layout.records) + setup.pageSize) / setup.pageSize, setup.pageSize);
    return () => new FlashStore({ start, where: (address) => String(address) }, pages);
  }
  const device = (flash: Parameters<typeof flashDevice>[0], changed = layout) => flashDevice(flash, identity, changed, () => true);
  const started = (d: ReturnType<typeof device>): Started => ({ device: d, envelope: d.start(), confirm: () => d.confirm() });

  async function caught(make: MakeStore): Promise<ReturnType<typeof total>> {
    const report = new Simulation(make, setup, await release(7, image(5001, 1)), await release(8, image(4099, 2))).run(
      LONG ? undefined : 90,
    );
    expect(report.faultCount).toBeGreaterThan(0);
    expect(report.faults.length).toBeGreaterThan(0);
    return total(report);
  }

  it("the record is written before the images", async () => {
    const late = (flash: FlashModel) => {
      // what goes to the slots is held back until a record has been finished
      let held: (() => void)[] = [];
      const ram = new FlashModel(flash.pages);
      const d = device({
        pageSize: flash.pageSize,
        read: (address, n) => (held.length > 0 ? ram : flash).read(address, n),
        write(address, bytes) {
          ram.write(address, bytes);
          if (!inRecords(address)) held.push(() => flash.write(address, bytes));
          else {
            flash.write(address, bytes);
            if (bytes.length !== 4) return;
            for (const go of held) go();
            held = [];
          }
        },
        erase(address) {
          ram.erase(address);
          if (inRecords(address)) flash.erase(address);
          else held.push(() => flash.erase(address));
        },
      });
      return started(d);
    };
    expect((await caught(wrong(late))).none).toBeGreaterThan(0);
  });

  it("both records lie in one page that is erased at once", async () => {
    const both = (flash: FlashModel) =>
      started(
        device({
          pageSize: flash.pageSize,
          read: (address, n) => flash.read(address, n),
          write: (address, bytes) => flash.write(address, bytes),
          erase(address) {
            if (inRecords(address)) for (const record of layout.records) flash.erase(record);
            else flash.erase(address);
          },
        }),
      );
    const sum = await caught(wrong(both));
    expect(sum.none).toBeGreaterThan(0);
    expect(sum.floorFell).toBeGreaterThan(0);
  });

  it("the floor is kept apart, and rises too late", async () => {
    const late = (flash: FlashModel) => {
      const d = device(flash);
      const { floor } = d;
      d.floor = () => (d.pending() ? [0, 0] : floor());
      return started(d);
    };
    expect((await caught(wrong(late))).floorFell).toBeGreaterThan(0);
  });

  it("it writes to the slot that is current", async () => {
    const swapped = (flash: FlashModel) => {
      // reads of slot b lead to slot a for what is installed: one slot only
      const [a, b] = layout.components.flatMap((c) => c.slots) as [number, number];
      const one = (address: number) => (address >= b && address < b + setup.capacity ? address - b + a : address);
      return started(
        device({
          pageSize: flash.pageSize,
          read: (address, n) => flash.read(one(address), n),
          write: (address, bytes) => flash.write(one(address), bytes),
          erase: (address) => flash.erase(one(address)),
        }),
      );
    };
    expect((await caught(wrong(swapped))).none).toBeGreaterThan(0);
  });

  it("it does not erase a page that begins like an erased one", async () => {
    const lazy = (flash: FlashModel) =>
      started(
        device({
          pageSize: flash.pageSize,
          read: (address, n) => flash.read(address, n),
          write: (address, bytes) => flash.write(address, bytes),
          erase(address) {
            if (flash.read(address, 1)[0] !== 255) flash.erase(address);
          },
        }),
      );
    expect((await caught(wrong(lazy))).stuck).toBeGreaterThan(0);
  });

  it("it writes a word twice", async () => {
    const twice = (flash: FlashModel) => {
      const d = device(flash);
      const { persist } = d;
      d.persist = (commit: Commit) => {
        persist(commit);
        flash.write(Math.max(...layout.records), [0, 0, 0, 0]);
      };
      return started(d);
    };
    const make = wrong(twice);
    const [one, two] = [await release(7, image(5001, 1)), await release(8, image(4099, 2))];
    // even with no cut at all
    expect(() => new Simulation(make, setup, one, two)).toThrow(Unsimulated);
  });

  /** The device in a folder, on a file system that forgets some calls. */
  function forgetful(forgets: (path: string) => boolean): MakeStore {
    class Forgetful extends FsModel {
      private readonly paths = new Map<number, string>();
      override openSync(path: string, flags: string): number {
        const fd = super.openSync(path, flags);
        this.paths.set(fd, path);
        return fd;
      }
      override fsyncSync(fd: number): void {
        if (!forgets(this.paths.get(fd) as string)) super.fsyncSync(fd);
      }
    }
    return (s) => filesStore(s, Forgetful);
  }

  it.each([
    ["image", (path: string) => path.endsWith(".a") || path.endsWith(".b")],
    ["envelope", (path: string) => path.endsWith(".suit.new")],
    ["record", (path: string) => path.endsWith(".json.new")],
    ["folder of the slots", (path: string) => path === "/device/slots"],
    ["folder", (path: string) => path === "/device"],
  ])("the %s is not synced", async (_, forgets) => {
    await caught(forgetful(forgets));
  });
});

describe("the simulation itself", () => {
  const two = () => Promise.all([release(7, image(5001, 1)), release(8, image(4099, 2))]);

  it.skipIf(!LONG)(`finds the same as when every course is really run${AT_LENGTH}`, async () => {
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
    });
    const whole = new Simulation((s) => stubborn(flashStore(s)), setup, one, update).run(9);
    expect(whole.points).toEqual(plain.points);
    expect(runs).toBeGreaterThan(900);
    expect(plain.courses).toBeLessThan(runs / 3);
  });

  it("cuts where a real cut would leave the same behind, byte for byte", async () => {
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
    for (const n of [0, 1, 5]) {
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

  it("trusts the keys of a made-up release for that one only", async () => {
    const previous = await previousRelease([0, 8], identity, setup.components, 6001, 2);
    const [, update] = await two();
    expect(previous.trust).toMatchObject({ threshold: 2 });
    expectSound(new Simulation(flashStore, setup, previous, update).run(), 400);
    const forged = { ...previous, trust: update.trust };
    expect(() => new Simulation(flashStore, setup, previous, forged)).toThrow(Unsimulated);
    const again = await previousRelease([0, 8], identity, setup.components, 6001, 2);
    expect(again.trust.anchors[0]?.key).not.toEqual(previous.trust.anchors[0]?.key);
  });
});

describe("firmseal simulate", () => {
  it("prints a table, and says how many cuts there were", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    for (const name of Object.keys(DEVICES)) {
      const few = name.startsWith("storage") ? ["--second-cuts", LONG ? "20" : "4"] : LONG ? [] : ["--second-cuts", "16"];
      const r = await p.ok(["simulate", "fw.suit", "--device", name, "--key", "A.jwk", ...few]);
      expect(r.stdout).toMatch(/^operation {2}the power is cut in +cuts {2}starts +cuts again {2}starts\n0/);
      expect(r.stdout).toMatch(/ old \d, new \d /);
      const [, cuts, again] = /^([\d,]+) cuts of the power, and ([\d,]+) more/m.exec(r.stderr) ?? [];
      expect(Number(cuts?.replace(",", ""))).toBeGreaterThan(15);
      expect(Number(again?.replace(",", ""))).toBeGreaterThan(LONG ? 200 : 150);
      expect(r.stderr).toContain("update 7 over a made-up release 6");
    }
  }, 180_000);

  it("tells each cut in JSON, from the release that was there", async () => {
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
  });

  it("fails, and tells the first cuts that do not end well, where a device is wrong", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const table = DEVICES as { [name: string]: MakeStore };
    // a cut of the power is all that this one needs to lose everything
    table["wrong"] = (s) => {
      const wrap = (store: Store): Store => ({
        power() {
          const machine = store.power();
          return {
            start: () => machine.start(),
            *cuts() {
              for (const cut of machine.cuts(store)) yield { ...cut, left: () => wrap(DEVICES["flash"]?.(s) as Store) };
            },
            cutCount: () => machine.cutCount(),
            sameCourse: () => false,
            off: () => wrap(machine.off()),
          };
        },
      });
      return wrap(flashStore(s));
    };
    try {
      const o = { key: [p.at("A.jwk")], threshold: 1, json: true, secondCuts: 0 };
      const failure = await simulateUpdate(p.at("fw.suit"), { ...o, device: "wrong" }).catch((e: unknown) => e);
      expect(failure).toMatchObject({
        exit: 1,
        reason: "POWER_CUT",
        code: 207,
        message: expect.stringMatching(/^\d+ cuts do not end well/),
      });
      const { faults, faultCount, cuts } = (failure as Failure).facts as { faults: object[]; faultCount: number; cuts: number };
      expect(faultCount).toBe(cuts);
      expect(faults).toHaveLength(20);
      expect(faults[0]).toMatchObject({ operation: 0, tear: "nothing", boots: "none", fault: "nothing is installed", floorFell: true });
    } finally {
      delete table["wrong"];
    }
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
    expect(await refused("outside.suit", ...flash)).toEqual([1, "PAYLOAD_ABSENT"]);
    expect(await refused("fw.suit", "--device", "flash", "--key", "B.jwk")).toEqual([1, "SIGNATURE_NO_ANCHOR"]);
    expect(await refused("fw.suit", ...flash, "--vendor", "example.org", "--class", "board-v2")).toEqual([1, "VENDOR_MISMATCH"]);
    expect(await refused("fw.suit", ...flash, "--vendor", "example.com")).toEqual([2, "USAGE"]);
    expect(await refused("fw.suit", "--device", "toaster", "--key", "A.jwk")).toEqual([2, "USAGE"]);
    expect(await refused("fw.suit", ...flash, "--page-size", "1001")).toEqual([2, "USAGE"]);
    expect(await refused("fw.suit", "--device", "files", "--key", "A.jwk", "--page-size", "4096")).toEqual([2, "USAGE"]);
    expect(p.names()).toEqual(["A.jwk", "A.pem", "B.jwk", "B.pem", "C.jwk", "C.pem", "fw.bin", "fw.suit", "older.suit", "outside.suit"]);
  });
});
