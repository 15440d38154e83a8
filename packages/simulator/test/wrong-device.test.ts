// Devices with one fault each, which the simulation must find.

import type { Commit } from "@firmseal/verifier";
import { flashDevice } from "@firmseal/verifier/device/flash";
import { describe, expect, it } from "vitest";
import { image } from "../../test-support/src/command-line/run.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { filesStore } from "../src/devices/files.js";
import { FlashStore, layoutOf } from "../src/devices/flash.js";
import { Simulation, Unsimulated } from "../src/simulation/simulation.js";
import { FlashModel } from "../src/storage-models/flash-model.js";
import { erasedFlash } from "../src/storage-models/flash-operations.js";
import { FsModel } from "../src/storage-models/fs-model.js";
import type { MakeStore, Started } from "../src/store.js";
import { identity, release, setup, total } from "./simulate-common.js";

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

  /** The flash device on a flash that erases pages in its own way. */
  const erasing = (erase: (flash: FlashModel, address: number) => void): MakeStore =>
    wrong((flash) =>
      started(
        device({
          pageSize: flash.pageSize,
          read: (address, n) => flash.read(address, n),
          write: (address, bytes) => flash.write(address, bytes),
          erase: (address) => erase(flash, address),
        }),
      ),
    );

  /** `second`: the cuts during each recovery that are tried by default. */
  async function caught(make: MakeStore, second = 4): Promise<ReturnType<typeof total>> {
    const report = new Simulation(make, setup, await release(7, image(5001, 1)), await release(8, image(4099, 2))).run(
      LONG ? undefined : second,
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

  it("both records are in one page that is erased at once", async () => {
    const both = erasing((flash, address) => {
      if (inRecords(address)) for (const record of layout.records) flash.erase(record);
      else flash.erase(address);
    });
    const sum = await caught(both);
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
    const lazy = erasing((flash, address) => {
      if (flash.read(address, 1)[0] !== 255) flash.erase(address);
    });
    // few second cuts leave such a page behind
    expect((await caught(lazy, 90)).stuck).toBeGreaterThan(0);
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
