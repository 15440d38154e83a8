// The device in a folder: which records it takes for one, and what its files hold. What a cut of the power leaves is shown by
// packages/simulator/test/simulate.test.ts.

import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { componentName, createFileDevice, type DeviceRecord, type FileSystem, fileDevice, fileSource } from "../src/device/file.js";
import { boot, type Device, errors, install, open } from "../src/index.js";
import { code, ID, identity, image, release, trust } from "./releases.js";

const root = temporaryFolder("firmseal-");

/** A new device in a folder of its own. */
function fresh(capacity = 10_000): string {
  const dir = fs.mkdtempSync(join(root, "d-"));
  createFileDevice(fs, dir, { ...identity, device: [Uint8Array.from([0, 9, 10, 255])] }, capacity);
  return dir;
}
const read = (dir: string): DeviceRecord => JSON.parse(fs.readFileSync(join(dir, "device.json"), "utf8"));
const write = (dir: string, record: unknown): void => fs.writeFileSync(join(dir, "device.json"), JSON.stringify(record));
const id = (...parts: number[][]): Uint8Array[] => parts.map((part) => Uint8Array.from(part));

describe("a new device", () => {
  it("is what its record says", () => {
    const dir = fresh();
    expect(read(dir)).toEqual({
      format: "firmseal-device-1",
      vendor: ["fa6b4a53d5ad5fdfbe9de663e4d41ffe"],
      class: ["1492af1425695e48bf429b2d51f2ab45"],
      device: ["00090aff"],
      floor: "0",
      capacity: 10_000,
      components: {},
      envelope: "",
    });
    const device = fileDevice(fs, dir);
    expect(Array.from(device.identity.device?.[0] ?? [])).toEqual([0, 9, 10, 255]);
    expect([device.floor(), device.envelope(), device.size(ID, false), device.invoked]).toEqual([[0, 0], null, 0, []]);
    expect(fs.readdirSync(dir).sort()).toEqual(["device.json", "slots"]);
    expect(fs.statSync(join(dir, "device.json")).mode & 0o777).toBe(0o600);
  });
  it("is not made if there is one, and not opened if there is none", () => {
    const dir = fresh();
    const before = fs.readFileSync(join(dir, "device.json"), "utf8");
    expect(() => createFileDevice(fs, dir, identity, 1)).toThrow("there is already a device");
    expect(fs.readFileSync(join(dir, "device.json"), "utf8")).toBe(before);
    expect(() => fileDevice(fs, join(root, "nowhere"))).toThrow();
  });
  it("makes its parent folders, and needs none that exist", () => {
    for (const path of ["a/b/c", "a/b/d//", "a\\e", "a/f\\g/h", "a/./i/../j"]) {
      createFileDevice(fs, `${root}/${path}`, identity, 1);
      expect(fs.readdirSync(`${root}/${path}`).sort()).toEqual(["device.json", "slots"]);
    }
    expect(fs.readdirSync(`${root}/a`).sort()).toEqual(process.platform === "win32" ? expect.anything() : ["b", "f\\g", "i", "j"]);
    fs.writeFileSync(join(root, "file"), "");
    expect(() => createFileDevice(fs, join(root, "file"), identity, 1)).toThrow();
    expect(() => createFileDevice(fs, join(root, "file", "x", "y"), identity, 1)).toThrow();
    // whatever another process makes meanwhile
    const raced = { ...fs, existsSync: (path: string) => (path.endsWith("race") ? false : fs.existsSync(path)) };
    createFileDevice(raced, join(root, "race"), identity, 1);
    expect(fileDevice(fs, join(root, "race")).floor()).toEqual([0, 0]);
  });
  it.skipIf(!fs.existsSync("/proc/self"))("is refused below /proc at once: Node's recursive mkdir would not end there", () => {
    for (const path of ["/proc/firmseal", "/proc/firmseal/a/b", "/proc/self/firmseal"])
      expect(() => createFileDevice(fs, path, identity, 1)).toThrow(/ENOENT|EACCES|EPERM/);
  });
  it("has no identifiers of devices if none are given", () => {
    const dir = fs.mkdtempSync(join(root, "d-"));
    createFileDevice(fs, dir, identity, 1);
    expect(read(dir).device).toEqual([]);
  });
});

describe("a record", () => {
  const good: DeviceRecord = { ...read(fresh()), components: { "00": { slot: 0, size: 0 } } };
  it.each<[string, object]>([
    ["as it was written", {}],
    ["with the highest floor", { floor: "18446744073709551615" }],
    ["with no identifier", { vendor: [], class: [], device: [] }],
    ["with several identifiers", { vendor: ["00ff", "0a"] }],
    ["of a device that holds nothing", { capacity: 0 }],
    ["with an envelope a", { envelope: "a" }],
    ["with an envelope b", { envelope: "b" }],
    ["with components", { components: { none: { slot: 0, size: 0 }, _: { slot: 1, size: 7 }, "0a-_-ff00": { slot: 1, size: 1 } } }],
  ])("%s is taken", (_, more) => {
    const dir = fresh();
    write(dir, { ...good, ...more });
    expect(fileDevice(fs, dir).record).toEqual({ ...good, ...more });
  });

  const part = (more: object) => ({ components: { "00": { slot: 0, size: 0, ...more } } });
  it.each<[string, object]>([
    ["another format", { format: "firmseal-device-2" }],
    ["no format", { format: undefined }],
    ["a vendor that is not a list", { vendor: null }],
    ["a vendor without a length", { vendor: {} }],
    ["a vendor in capitals", { vendor: ["FA"] }],
    ["an odd number of digits", { class: ["000"] }],
    ["an empty identifier", { class: [""] }],
    ["something before the digits", { device: ["x00"] }],
    ["something behind the digits", { device: ["00x"] }],
    ["a second identifier that is wrong", { vendor: ["00", "0"] }],
    ["no device", { device: undefined }],
    ["a negative capacity", { capacity: -1 }],
    ["a capacity that is not a number", { capacity: "x" }],
    ["no capacity", { capacity: undefined }],
    ["no components", { components: null }],
    ["an envelope c", { envelope: "c" }],
    ["an envelope of two letters", { envelope: "ab" }],
    ["a floor beyond 64 bits", { floor: "18446744073709551616" }],
    ["a floor with a sign", { floor: "-1" }],
    ["a component that leads out of the folder", { components: { "../00": { slot: 0, size: 0 } } }],
    ["a component whose name goes on", { components: { "00/x": { slot: 0, size: 0 } } }],
    ["a component without a name", { components: { "": { slot: 0, size: 0 } } }],
    ["a component that ends with a hyphen", { components: { "00-": { slot: 0, size: 0 } } }],
    ["a slot 2", part({ slot: 2 })],
    ["a slot that is text", part({ slot: "0" })],
    ["a negative size", part({ size: -1 })],
    ["a size that is not a number", part({ size: null, slot: 1, x: 1 })],
    ["a second component that is wrong", { components: { "00": { slot: 0, size: 0 }, "01": { slot: 3, size: 0 } } }],
  ])("with %s is invalid", (name, more) => {
    const dir = fresh();
    write(dir, { ...good, ...more });
    // null counts as 0 in a comparison
    if (name === "a size that is not a number") write(dir, { ...good, ...part({ size: "x" }) });
    expect(() => fileDevice(fs, dir)).toThrow();
  });
  it("that is null or not JSON is invalid", () => {
    const dir = fresh();
    write(dir, null);
    expect(() => fileDevice(fs, dir)).toThrow("not a device record");
    fs.writeFileSync(join(dir, "device.json"), "{");
    expect(() => fileDevice(fs, dir)).toThrow();
  });
});

describe("components", () => {
  it("have a name each", () => {
    expect(componentName(id([0, 255], [10]))).toBe("00ff-0a");
    expect(componentName(id([]))).toBe("_");
    expect(componentName(id([], [1]))).toBe("_-01");
    expect(componentName([])).toBe("none");
  });
  it("have names of 200 characters at most", () => {
    const device = fileDevice(fs, fresh(77));
    expect(device.capacity(id(new Array(100).fill(1)))).toBe(77);
    expect(device.capacity(id(new Array(101).fill(1)))).toBe(-1);
  });
});

describe("an installation", () => {
  it("goes to slots and envelopes in turn", async () => {
    const dir = fresh();
    for (const [n, slot, envelope] of [
      [1, 1, "a"],
      [2, 0, "b"],
      [3, 1, "a"],
    ] as const) {
      const device = fileDevice(fs, dir);
      device.begin(true);
      expect(device.slot(ID)).toBe(slot);
      expect(install(await release(n, image(n, 100 + n)), trust, device).next()).toBeUndefined();
      expect(read(dir)).toMatchObject({ floor: String(n), envelope, components: { "00": { slot, size: 100 + n } } });
      expect(fs.readFileSync(join(dir, "slots", slot ? "00.b" : "00.a"))).toEqual(Buffer.from(image(n, 100 + n)));
      const kept = fs.readFileSync(join(dir, `envelope.${envelope}.suit`));
      expect(open(kept, trust).sequence).toEqual([0, n]);
      // the same object continues with what is current now
      expect(device.slot(ID)).toBe(1 - slot);
      device.begin(false);
      expect([device.slot(ID), device.size(ID, false), device.envelope()?.length]).toEqual([slot, 100 + n, kept.length]);
      expect(Array.from(device.read(ID, 1, 2, false))).toEqual(Array.from(image(n, 100 + n).slice(1, 3)));
      const start = fileDevice(fs, dir);
      boot(start.envelope() as never, trust, start).next();
      expect(start.invoked).toEqual(["00"]);
    }
    expect(fs.readdirSync(dir).sort()).toEqual(["device.json", "envelope.a.suit", "envelope.b.suit", "slots"]);
  });

  it("leaves nothing of what was refused, and what was current", async () => {
    const dir = fresh();
    install(await release(1, image(1, 100)), trust, fileDevice(fs, dir)).next();
    const device = fileDevice(fs, dir);
    const slow = install(await release(2, image(2, 200), "http://a/b"), trust, device);
    slow.next();
    slow.next(image(2, 200).slice(0, 50));
    expect(fs.readdirSync(join(dir, "slots")).sort()).toEqual(["00.a", "00.b"]);
    expect([device.size(ID, true), Array.from(device.read(ID, 48, 2, true))]).toEqual([50, Array.from(image(2, 200).slice(48, 50))]);
    expect(code(() => slow.next(false))).toBe(errors.PAYLOAD_ABSENT);
    expect(fs.readdirSync(join(dir, "slots"))).toEqual(["00.b"]);
    expect(read(dir).floor).toBe("1");
  });

  it("fetches what the device has, and no member of Object", async () => {
    const device = fileDevice(fs, fresh());
    device.payloads = { "a:1": image(1, 10) };
    expect(device.fetch?.("a:1")).toEqual(image(1, 10));
    expect(device.fetch?.("toString")).toBeUndefined();
    expect(install(await release(1, image(1, 10), "a:1"), trust, device).next()).toBeUndefined();
  });

  it("counts what is written again once", () => {
    const device: Device = fileDevice(fs, fresh());
    device.begin(true);
    device.erase(ID, 10);
    device.write(ID, 0, [1, 2, 3, 4]);
    device.write(ID, 1, [9]);
    expect([device.size(ID, true), Array.from(device.read(ID, 0, 4, true))]).toEqual([4, [1, 9, 3, 4]]);
    device.erase(ID, 10);
    expect(device.size(ID, true)).toBe(0);
    device.discard();
  });

  it("loads to a file of its own when it boots", () => {
    const dir = fresh();
    const device: Device = fileDevice(fs, dir);
    device.begin(false);
    device.erase(ID, 10);
    expect(fs.readdirSync(join(dir, "slots"))).toEqual(["00.ram"]);
    device.discard();
    expect(fs.readdirSync(join(dir, "slots"))).toEqual([]);
  });

  it("leaves the components that it does not write", async () => {
    const dir = fresh();
    const components = { "01": { slot: 1, size: 3 }, _: { slot: 0, size: 0 } } as const;
    write(dir, { ...read(dir), components });
    install(await release(1, image(1, 100)), trust, fileDevice(fs, dir)).next();
    expect(read(dir).components).toEqual({ ...components, "00": { slot: 1, size: 100 } });
  });

  it("mistakes no file for a leftover that another session has made current", async () => {
    const dir = fresh();
    const old: Device = fileDevice(fs, dir);
    old.begin(true);
    old.erase(ID, 10);
    install(await release(1, image(1, 100)), trust, fileDevice(fs, dir)).next();
    old.discard();
    expect(fs.readFileSync(join(dir, "slots", "00.b"))).toEqual(Buffer.from(image(1, 100)));
    const late: Device = fileDevice(fs, dir);
    late.begin(true);
    late.erase(ID, 10);
    late.discard();
    expect(fs.readdirSync(join(dir, "slots"))).toEqual(["00.b"]);
  });

  it("does nothing once another session has changed the record", async () => {
    const dir = fresh();
    const old: Device = fileDevice(fs, dir);
    install(await release(1, image(1, 100)), trust, fileDevice(fs, dir)).next();
    old.begin(true);
    expect(() => old.erase(ID, 10)).toThrow("the device has changed meanwhile");
    expect(() => old.persist({ sequence: [0, 9], written: [], counters: [] })).toThrow("the device has changed meanwhile");
    expect(read(dir).floor).toBe("1");
  });
});

/** The file system, with what is done to the files in `dir`, and which of them are open. */
function watch(dir: string) {
  const done: string[] = [];
  const names = new Map<number, string>();
  const watched = {
    ...fs,
    openSync: (path: string, flags: string, mode?: number) => {
      const fd = fs.openSync(path, flags, mode);
      names.set(fd, path.slice(dir.length));
      return fd;
    },
    fsyncSync: (fd: number) => void done.push(`sync ${names.get(fd)}`),
    closeSync: (fd: number) => {
      done.push(`close ${names.get(fd)}`);
      names.delete(fd);
      fs.closeSync(fd);
    },
    renameSync: (a: string, b: string) => {
      done.push(`rename ${a.slice(dir.length)}`);
      fs.renameSync(a, b);
    },
  } as unknown as FileSystem;
  return { done, watched, open: () => [...names.values()].sort() };
}

describe("files", () => {
  /** A file system that reads and writes one byte at a time. */
  const slow = {
    ...fs,
    readSync: (fd: number, b: Uint8Array, at: number, n: number, position: number) => fs.readSync(fd, b, at, Math.min(n, 1), position),
    writeSync: (fd: number, b: Uint8Array, at: number, n: number, position: number) => fs.writeSync(fd, b, at, Math.min(n, 1), position),
  } as unknown as FileSystem;

  it("are read and written whole, however little a call does", async () => {
    const dir = fresh();
    expect(install(await release(1, image(1, 300)), trust, fileDevice(slow, dir)).next()).toBeUndefined();
    expect(Array.from(fileDevice(slow, dir).read(ID, 0, 300, false))).toEqual(Array.from(image(1, 300)));
    expect(read(dir).floor).toBe("1");
  });
  it("that have become shorter are reported", () => {
    const path = join(fresh(), "x");
    fs.writeFileSync(path, "abcd");
    const source = fileSource(fs, path, 5);
    expect(Array.from(source.read(1, 3))).toEqual([98, 99, 100]);
    expect(() => source.read(3, 2)).toThrow("shorter than it was");
  });
  it("are synced before the name of the record moves, and leave no temporary file", () => {
    const dir = fs.mkdtempSync(join(root, "d-"));
    const { done, watched } = watch(dir);
    createFileDevice(watched, dir, identity, 1);
    expect(done).toEqual(["sync /device.json.new", "close /device.json.new", "rename /device.json.new", "sync ", "close "]);
    const failing = { ...fs, renameSync: () => expect.fail("no room") } as unknown as FileSystem;
    const other = fs.mkdtempSync(join(root, "d-"));
    expect(() => createFileDevice(failing, other, identity, 1)).toThrow("no room");
    expect(fs.readdirSync(other)).toEqual(["slots"]);
  });
  it("of a commit are on the disk with their names before the record is", async () => {
    const dir = fresh();
    const { done, watched, open } = watch(dir);
    const device = fileDevice(watched, dir);
    install(await release(1, image(1, 100)), trust, device).next();
    const syncs = done.filter((d) => !d.startsWith("close"));
    expect(syncs).toEqual([
      ...["sync /envelope.a.suit.new", "rename /envelope.a.suit.new"],
      ...["sync /slots/00.b", "sync /slots", "sync "],
      ...["sync /device.json.new", "rename /device.json.new", "sync "],
    ]);
    // what was written is closed, what is read stays open, once
    for (let n = 0; n < 3; n++) device.read(ID, n, 1, false);
    expect(open()).toEqual(["/envelope.a.suit", "/slots/00.b"]);
  });
  it("that are begun again, or discarded, are closed", () => {
    const dir = fresh();
    const { watched, open } = watch(dir);
    const device: Device = fileDevice(watched, dir);
    device.begin(true);
    for (let n = 0; n < 3; n++) device.erase(ID, 10);
    expect(open()).toEqual(["/slots/00.b"]);
    device.discard();
    expect(open()).toEqual([]);
  });
});
