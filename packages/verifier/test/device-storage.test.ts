// The device in Espruino's Storage, octet by octet: its records, their marks, and what it does with files that it has not written.
// packages/simulator/test/storage-device.test.ts installs on it.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { blank, FlashModel } from "../../simulator/src/models/flash-model.js";
import { powerOn, type StorageModel, storageIo } from "../../simulator/src/models/storage-model.js";
import { type StartedApp, type StorageIo, storageBoot, storageDevice } from "../src/device/storage.js";
import { boot, errors, install, open, type Source } from "../src/index.js";
import { code, ID, identity, image, release, trust } from "./releases.js";

const ROOM = 3000;
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const u32 = (n: number) => String.fromCharCode(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
const sha = (text: string) => createHash("sha256").update(text, "latin1").digest().toString("latin1");
const blankIo = (pages = 16): StorageIo => storageIo(powerOn(new FlashModel(blank(pages, 4096))).storage);
const on = (io: StorageIo, tries = 2, ids = [ID]) => storageDevice(io, identity, ids, ROOM, tries);
const names = (io: StorageIo) => (io.storage as StorageModel).list().sort();

/** What lies in a slot. */
const lies = (text: string) => u32(text.length) + sha(text);
interface Part {
  now: number;
  before: number;
  slots: [string, string];
}
const UNMARKED = "\xff".repeat(8);
const MARK = "\0".repeat(8);

/** A record with the marks `marks`, of which the first is the confirmation. */
function record(
  parts: Part[],
  { magic = "f1", tries = 2, generation = 5, floor = [1, 2], marks = [] as string[], sum = "", more = "\xff" } = {},
): string {
  let body = magic + String.fromCharCode(tries, parts.length) + u32(generation) + floor.map(u32).join("");
  for (const p of parts) body += u32(p.now) + u32(p.before) + p.slots.map(lies).join("");
  return body + (sum || sha(body).slice(0, 8)) + Array.from({ length: tries + 2 }, (_, i) => marks[i] ?? UNMARKED).join("") + more;
}

/** Storage that holds files. Those of the parts are named as the records name them. */
function holding(files: { [name: string]: string }): StorageIo {
  const io = blankIo();
  for (const [name, text] of Object.entries(files)) io.storage.write(name, text, 0, text.length);
  return io;
}

const envelopes: Part = { now: 1, before: 0, slots: ["old", "newer"] };
const images: Part = { now: 0, before: 1, slots: ["app(8)", "app(77)"] };
const lying = { "firmseal.0a": "old", "firmseal.0b": "newer", "firmseal.1a": "app(8)", "firmseal.1b": "app(77)" };
const parts = [envelopes, images];

const state = (io: StorageIo) => {
  const d = on(io);
  return [d.floor(), d.pending(), d.rolledBack(), d.envelope()?.length, d.size(ID, false)];
};

describe("a record", () => {
  it("tells floor, envelope and images", () => {
    const io = holding({ ...lying, "firmseal.r0": record(parts, { tries: 0 }) });
    const d = on(io);
    expect(state(io)).toEqual([[1, 2], false, false, 5, 6]);
    expect(latin(Uint8Array.from(d.envelope()?.read(0, 5) ?? []))).toBe("newer");
    expect(latin(Uint8Array.from(d.envelope()?.read(1, 3) ?? []))).toBe("ewe");
    expect(latin(Uint8Array.from(d.read(ID, 1, 4, false)))).toBe("pp(8");
    expect([d.envelope()?.chunk, d.chunk]).toEqual([256, 256]);
  });

  it("counts all bits of its numbers", () => {
    const [high, low] = [0x81020304, 0xfffefdfc];
    expect(on(holding({ "firmseal.r1": record(parts, { floor: [high, low] }) })).floor()).toEqual([high, low]);
  });

  const untried = { tries: 0 };
  it.each<[string, string]>([
    ["another first letter", record(parts, { ...untried, magic: "g1" })],
    ["another version", record(parts, { ...untried, magic: "f2" })],
    ["another check value", record(parts, { ...untried, sum: "12345678" })],
    [
      "a check value whose last octet is wrong",
      record(parts, { ...untried, sum: `${sha(record(parts, untried).slice(0, 176)).slice(0, 7)}\0` }),
    ],
    ["an octet too many", record(parts, { ...untried, more: "\xff\xff" })],
    ["an octet too few", record(parts, { ...untried, more: "" })],
  ])("with %s is none", (_, text) => {
    for (const name of ["firmseal.r0", "firmseal.r1"]) {
      const io = holding({ [name]: text });
      expect(state(io)).toEqual([[0, 0], false, false, undefined, 0]);
      expect(storageBoot(io, {})).toBe("");
    }
  });

  it("of the later generation rules, in either file", () => {
    const [old, later] = [record(parts, { floor: [0, 1] }), record(parts, { floor: [0, 2], generation: 6 })];
    expect(on(holding({ "firmseal.r0": old, "firmseal.r1": later })).floor()).toEqual([0, 2]);
    expect(on(holding({ "firmseal.r0": later, "firmseal.r1": old })).floor()).toEqual([0, 2]);
    expect(on(holding({ "firmseal.r0": old, "firmseal.r1": `x${later.slice(1)}` })).floor()).toEqual([0, 1]);
  });

  it.each<[string, string[], boolean, boolean, number]>([
    ["not started", [], true, false, 5],
    ["started once", [UNMARKED, MARK], true, false, 5],
    ["started as often as it may be", [UNMARKED, MARK, MARK], true, false, 5],
    ["started once more: the way back", [UNMARKED, MARK, MARK, MARK], false, true, 3],
    ["started once, by a mark that was cut in its last bit", [UNMARKED, `${"\xff".repeat(7)}\xfe`], true, false, 5],
    ["confirmed", [MARK, MARK], false, false, 5],
    ["confirmed by a mark that was cut", [`\x7f${"\xff".repeat(7)}`, MARK, MARK], false, false, 5],
    ["confirmed, whatever was marked behind", [MARK, MARK, MARK, MARK], false, false, 5],
  ])("on trial, %s", (_, marks, pending, back, length) => {
    const io = holding({ ...lying, "firmseal.r0": record(parts, { marks }) });
    expect(state(io)).toEqual([[1, 2], pending, back, length, back ? 7 : 6]);
  });

  it("gets one mark for each start, and one when it is confirmed, at its place", () => {
    const io = holding({ ...lying, "firmseal.r1": record(parts) });
    const marks = () => {
      const text = io.storage.read("firmseal.r1") as string;
      const at = text.length - 1 - 4 * 8;
      return [0, 1, 2, 3].map((i) => text.slice(at + 8 * i, at + 8 * i + 8)).map((m) => (m === MARK ? 1 : m === UNMARKED ? 0 : m));
    };
    const d = on(io);
    d.confirm();
    expect(marks()).toEqual([0, 0, 0, 0]);
    expect(latin(Uint8Array.from((d.start() as Source).read(0, 5)))).toBe("newer");
    expect(marks()).toEqual([0, 1, 0, 0]);
    d.start();
    expect([marks(), d.pending()]).toEqual([[0, 1, 1, 0], true]);
    d.confirm();
    expect([marks(), d.pending(), d.rolledBack()]).toEqual([[1, 1, 1, 0], false, false]);
    d.confirm();
    d.start();
    expect(marks()).toEqual([1, 1, 1, 0]);
    const other = holding({ ...lying, "firmseal.r1": record(parts) });
    const back = on(other);
    for (let i = 0; i < 3; i++) back.start();
    expect([back.rolledBack(), back.pending(), back.envelope()?.length, back.slot(ID)]).toEqual([true, false, 3, 1]);
    expect(other.storage.read("firmseal.r1")?.slice(-9)).toBe(`${MARK}\xff`);
  });

  it("knows nothing of components that were added since, and the next one does", async () => {
    const more = [Uint8Array.of(1)];
    const io = blankIo();
    install(await release(1, image(1, 300)), trust, on(io, 0)).next();
    const d = on(io, 0, [ID, more]);
    expect([d.size(ID, false), d.size(more, false), d.capacity(more), d.capacity([])]).toEqual([300, 0, ROOM, -1]);
    install(await release(2, image(2, 301)), trust, d).next();
    const after = on(io, 0, [ID, more]);
    expect([after.floor(), after.size(ID, false), after.size(more, false), after.slot(ID), after.slot(more)]).toEqual([
      [0, 2],
      301,
      0,
      1,
      1,
    ]);
  });
});

describe("what others have left", () => {
  it("is a fault where a file is missing or too short, and nothing where nothing is read", () => {
    for (const text of ["app", ""]) {
      const { "firmseal.1a": _, ...rest } = lying;
      const d = on(holding({ ...rest, ...(text && { "firmseal.1a": text }), "firmseal.r0": record(parts, { tries: 0 }) }));
      expect(code(() => d.read(ID, 0, 6, false))).toBe(errors.DEVICE_FAULT);
      expect(d.read(ID, 0, 0, false)).toHaveLength(0);
    }
  });
  it("says nothing about a component that its record does not have", () => {
    for (let low = 0; low < 16; low++) {
      const d = on(holding({ "firmseal.r0": record(parts, { tries: 0, floor: [0, low] }) }), 0, [ID, [Uint8Array.of(1)]]);
      expect([d.slot([Uint8Array.of(1)]), d.size([Uint8Array.of(1)], false)]).toEqual([1, 0]);
    }
  });
  it("goes back to the slot before, whatever the floor is", () => {
    for (const low of [2, 3]) {
      const d = on(holding({ ...lying, "firmseal.r0": record(parts, { floor: [0, low], marks: [UNMARKED, MARK, MARK, MARK] }) }));
      expect([d.envelope()?.length, d.slot(ID), d.size(ID, false)]).toEqual([3, 1, 7]);
    }
  });
  it("is on trial: nothing is begun, kept or received", async () => {
    const io = holding({ ...lying, "firmseal.r0": record(parts) });
    const d = on(io);
    const next = await release("4294967305", image(1, 10));
    const { operations } = (io.storage as StorageModel).flash;
    expect(code(() => d.begin(true))).toBe(errors.UNCONFIRMED);
    expect(code(() => d.keep([1, 2, 3]))).toBe(errors.UNCONFIRMED);
    expect(code(() => d.receive(next, next.length, trust))).toBe(errors.UNCONFIRMED);
    expect(code(() => d.begin(false))).toBe(0);
    expect((io.storage as StorageModel).flash.operations).toBe(operations);
  });
  it("counts as failed where a start cannot be counted", () => {
    const io = holding({ ...lying, "firmseal.r0": record(parts) });
    io.storage.write = () => true;
    const d = on(io);
    expect((d.start() as Source).length).toBe(3);
    expect([d.pending(), d.rolledBack()]).toEqual([false, true]);
  });
  it("is not undone, nor removed, by a session that began before", async () => {
    const io = blankIo();
    const [a, b] = [on(io, 0), on(io, 0)];
    a.begin(true);
    a.keep([1, 2, 3]);
    a.erase(ID, 10);
    install(await release(1, image(1, 100)), trust, b).next();
    expect(code(() => a.persist({ sequence: [0, 2], written: [] }))).toBe(errors.DEVICE_FAULT);
    a.discard();
    expect(storageBoot(io, {})).toBe(latin(image(1, 100)));
    expect(on(io).floor()).toEqual([0, 1]);
  });
});

describe("the boot file", () => {
  const boots = (files: { [name: string]: string }, io = holding(files)) => {
    const root: { firmsealApp?: StartedApp } = {};
    return { text: storageBoot(io, root), app: root.firmsealApp, io };
  };
  it("starts component 0, and gives the others", () => {
    const modules: Part = { now: 1, before: 0, slots: ["m(1)", "m(22)"] };
    const files = { ...lying, "firmseal.2a": "m(1)", "firmseal.2b": "m(22)" };
    const { text, app } = boots({ ...files, "firmseal.r0": record([...parts, modules]) });
    expect([text, app?.read(0), app?.read(1)]).toEqual(["app(8)", "app(8)", "m(22)"]);
    const changed = boots({ ...files, "firmseal.2b": "m(23)", "firmseal.r0": record([...parts, modules], { tries: 0 }) });
    expect([changed.text, changed.app]).toEqual(["", undefined]);
    // a part that holds nothing has nothing to compare
    const empty: Part = { now: 0, before: 0, slots: ["", ""] };
    expect(boots({ ...lying, "firmseal.r0": record([...parts, empty], { tries: 0 }) }).text).toBe("app(8)");
  });
  it("takes the release before when every try of an image that does not fit is used up", () => {
    for (const text of ["app(9)", "app(8", ""]) {
      const { "firmseal.1a": _, ...rest } = lying;
      const { text: started, io } = boots({ ...rest, ...(text && { "firmseal.1a": text }), "firmseal.r0": record(parts) });
      expect([started, on(io).rolledBack()]).toEqual(["app(77)", true]);
    }
  });
  it("starts nothing where neither fits", () => {
    const { text, app } = boots({ ...lying, "firmseal.1a": "app(9)", "firmseal.1b": "app(78)", "firmseal.r0": record(parts) });
    expect([text, app]).toEqual(["", undefined]);
  });
});

describe("a session", () => {
  it("writes in order, to the component that it has begun, and reads back what waits", () => {
    const two = [Uint8Array.of(1)];
    const d = on(blankIo(), 0, [ID, two]);
    d.begin(true);
    d.erase(ID, 20);
    d.write(ID, 0, [1, 2, 3]);
    expect(d.size(ID, true)).toBe(3);
    d.write(ID, 3, [4, 5, 6, 7, 8, 9, 10]);
    expect(d.size(ID, true)).toBe(10);
    for (const at of [9, 11, 0]) expect(code(() => d.write(ID, at, [1]))).toBe(errors.DEVICE_FAULT);
    expect(code(() => d.write(two, 10, [1]))).toBe(errors.DEVICE_FAULT);
    expect(Array.from(d.read(ID, 0, 10, true))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    d.write(ID, 10, [11, 12, 13]);
    d.erase(two, 5);
    expect([d.size(two, true), d.size(ID, true)]).toEqual([0, 13]);
    expect(Array.from(d.read(ID, 8, 5, true))).toEqual([9, 10, 11, 12, 13]);
    d.write(two, 0, [1, 2]);
    expect([d.size(two, true), d.size(ID, true)]).toEqual([2, 13]);
    expect(code(() => d.write(ID, 13, [1]))).toBe(errors.DEVICE_FAULT);
    // what waited has gone to its own file
    expect(Array.from(d.read(two, 0, 2, true))).toEqual([1, 2]);
    expect(code(() => d.keep([9, 9, 9]))).toBe(0);
    expect(code(() => d.write(two, 2, [1]))).toBe(errors.DEVICE_FAULT);
  });
  it("loads nothing in a start, and has no slot to write then", async () => {
    const io = blankIo();
    const d = on(io, 0);
    d.begin(true);
    expect(d.slot(ID)).toBe(0);
    install(await release(1, image(1, 10)), trust, d).next();
    d.begin(true);
    expect(d.slot(ID)).toBe(1);
    d.begin(false);
    expect(d.slot(ID)).toBe(0);
    expect(code(() => d.erase(ID, 10))).toBe(errors.NOT_SUPPORTED);
  });
  it("erases what it has begun when it is discarded, and not what it has received", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const envelope = await release(1, image(1, 100), "a:1");
    d.receive(envelope, envelope.length, trust);
    const source = d.received();
    d.begin(true);
    d.erase(ID, 20);
    expect(names(io)).toEqual(["firmseal.0a", "firmseal.1a"]);
    d.discard();
    expect(names(io)).toEqual(["firmseal.0a"]);
    expect(d.received()).toBe(source);
    expect(code(() => d.write(ID, 0, [1]))).not.toBe(0);
  });
  it("discards what it has begun of any component", () => {
    const two = [Uint8Array.of(1)];
    const io = blankIo();
    const d = on(io, 0, [ID, two]);
    expect(d.invoked).toEqual([]);
    d.begin(true);
    d.erase(two, 20);
    expect(names(io)).toEqual(["firmseal.2a"]);
    d.discard();
    expect(names(io)).toEqual([]);
  });
  it("commits what it has received, where it lies, and gives its image to a start", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const bytes = image(1, 100);
    const envelope = await release(1, bytes, "a:1");
    d.receive(envelope, envelope.length, trust);
    const progress = install(d.received(), trust, d);
    progress.next();
    progress.next(bytes);
    expect(progress.next(true)).toBeUndefined();
    const start = on(io, 0);
    boot(start.start() as Source, trust, start).next();
    expect(start.invoked).toEqual([latin(bytes)]);
    expect(names(io)).toEqual(["firmseal.0a", "firmseal.1a", "firmseal.r0"]);
  });
  it("commits nothing that did not come to be", () => {
    const io = blankIo();
    const d = on(io, 0);
    d.begin(true);
    d.keep([1, 2, 3]);
    const { write } = io.storage;
    io.storage.write = (name, data, offset, size) =>
      name.startsWith("firmseal.r") && data.length ? true : write.call(io.storage, name, data, offset, size);
    expect(code(() => d.persist({ sequence: [0, 1], written: [] }))).toBe(errors.DEVICE_FAULT);
    expect(on(io).floor()).toEqual([0, 0]);
  });
  it("commits nothing without an envelope, nor a lower floor", async () => {
    const io = blankIo();
    const d = on(io, 0);
    d.begin(true);
    expect(code(() => d.persist({ sequence: [0, 1], written: [] }))).toBe(errors.DEVICE_FAULT);
    expect(names(io)).toEqual([]);
    d.keep([1, 2, 3]);
    d.persist({ sequence: [0, 5], written: [] });
    d.begin(true);
    expect(code(() => d.persist({ sequence: [0, 6], written: [] }))).toBe(errors.DEVICE_FAULT);
    d.keep([1, 2, 3, 4]);
    expect(code(() => d.persist({ sequence: [0, 4], written: [] }))).toBe(errors.DEVICE_FAULT);
    expect(on(io).floor()).toEqual([0, 5]);
    d.persist({ sequence: [0, 5], written: [] });
    expect(on(io).envelope()?.length).toBe(4);
  });
  it("keeps what was received where it lies when it is that, and writes anything else", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const envelope = await release(1, image(1, 100), "a:1");
    d.receive(envelope, envelope.length, trust);
    const source = d.received() as Source;
    const received = Uint8Array.from(source.read(0, source.length));
    const { operations } = (io.storage as StorageModel).flash;
    for (const same of [source, received]) expect(d.keep(same)).toBe(source);
    expect((io.storage as StorageModel).flash.operations).toBe(operations);
    for (const other of [
      received.slice(1),
      Uint8Array.from([...received, 0]),
      Uint8Array.from([...received, 0, 0]),
      received.map((b, i) => (i === 90 ? b ^ 1 : b)),
    ]) {
      const one = on(io, 0);
      one.receive(envelope, envelope.length, trust);
      const before = one.received() as Source;
      const kept = one.keep(other) as Source;
      expect(Uint8Array.from(kept.read(0, kept.length))).toEqual(other);
      expect(code(() => before.read(0, 1))).toBe(errors.DEVICE_FAULT);
    }
  });
});

describe("what is written", () => {
  it("is a record with all that lies there, in the file that does not rule", async () => {
    const io = blankIo();
    const [one, two] = [image(1, 301), image(2, 302)];
    install(await release(1, one), trust, on(io)).next();
    const kept = () =>
      latin(
        Uint8Array.from(
          on(io)
            .envelope()
            ?.read(0, on(io).envelope()?.length ?? 0) ?? [],
        ),
      );
    const first = kept();
    const lone = (text: string): Part => ({ now: 0, before: 1, slots: [text, ""] });
    expect(io.storage.read("firmseal.r0")).toBe(record([lone(first), lone(latin(one))], { tries: 0, generation: 1, floor: [0, 1] }));
    install(await release("4294967303", two), trust, on(io)).next();
    const second = kept();
    const both = (a: string, b: string): Part => ({ now: 1, before: 0, slots: [a, b] });
    expect(io.storage.read("firmseal.r1")).toBe(
      record([both(first, second), both(latin(one), latin(two))], { generation: 2, floor: [1, 7] }),
    );
    expect(names(io)).toEqual(["firmseal.0a", "firmseal.0b", "firmseal.1a", "firmseal.1b", "firmseal.r0", "firmseal.r1"]);
    const d = on(io);
    d.start();
    d.confirm();
    d.begin(true);
    d.keep([1, 2, 3]);
    d.persist({ sequence: [1, 7], written: [] });
    expect(io.storage.read("firmseal.r0")).toBe(
      record(
        [
          { now: 0, before: 1, slots: ["\x01\x02\x03", second] },
          { now: 1, before: 1, slots: [latin(one), latin(two)] },
        ],
        {
          generation: 3,
          floor: [1, 7],
        },
      ),
    );
  });

  it("has room to the octet, and the last page is left", () => {
    for (const page of [undefined, 1024])
      for (const [less, outcome] of [
        [0, 0],
        [1, errors.STORAGE_FULL],
      ] as const) {
        const io: StorageIo = { ...blankIo(), ...(page && { page }) };
        io.storage.getFree = () => 100 + 40 + (page ?? 4096) - less;
        const d = on(io);
        d.begin(true);
        expect(code(() => d.erase(ID, 100))).toBe(outcome);
        expect(names(io)).toEqual(outcome ? [] : ["firmseal.1a"]);
      }
  });

  it("is a file of odd size, and none for nothing", () => {
    for (const [n, size] of [
      [100, 101],
      [101, 101],
      [0, undefined],
    ] as const) {
      const io = blankIo();
      const d = on(io);
      d.begin(true);
      d.erase(ID, n);
      expect(io.storage.read("firmseal.1a")?.length).toBe(size);
    }
    const io = blankIo();
    const d = on(io);
    d.begin(true);
    (d.erase as (id: Uint8Array[]) => void)(ID);
    expect(io.storage.read("firmseal.1a")?.length).toBe(ROOM | 1);
  });

  it("is tried twice where the header does not come out, and refused then", () => {
    for (const [failures, outcome] of [
      [1, 0],
      [2, errors.DEVICE_FAULT],
    ] as const)
      for (const answer of [false, true]) {
        const io = blankIo();
        const { write } = io.storage;
        let left: number = failures;
        io.storage.write = (...args) => (left-- > 0 ? answer : write.apply(io.storage, args));
        const d = on(io);
        d.begin(true);
        expect(code(() => d.erase(ID, 100))).toBe(outcome);
      }
  });

  it("takes the place of what was cut in its name", () => {
    const io = blankIo();
    const erased: string[] = [];
    io.storage.erase = (name) => void erased.push(name);
    const d = on(io);
    d.begin(true);
    d.erase(ID, 9);
    const full = "firmseal.1a".padEnd(28, "\0");
    expect(erased).toEqual(["firmseal.1a", ...[0, 4, 8, 12, 16, 20, 24].map((n) => full.slice(0, n) + "\xff".repeat(28 - n))]);
  });

  it("goes there by eight octets, and what waits when it is asked for", () => {
    const io = blankIo();
    const { write } = io.storage;
    const pieces: [number, number][] = [];
    io.storage.write = (name, data, offset, size) => {
      if (data.length) pieces.push([offset ?? 0, data.length]);
      return write.call(io.storage, name, data, offset, size);
    };
    const d = on(io);
    d.begin(true);
    d.erase(ID, 30);
    for (const [at, n] of [
      [0, 7],
      [7, 2],
      [9, 16],
      [25, 1],
    ] as const)
      d.write(ID, at, image(1, 26).slice(at, at + n));
    expect(pieces).toEqual([
      [0, 8],
      [8, 16],
    ]);
    const digest = createHash("sha256").update(image(1, 26)).digest();
    expect(Uint8Array.from(d.digest(ID, true, -16) ?? [])).toEqual(Uint8Array.from(digest));
    expect(pieces[2]).toEqual([24, 2]);
    expect(d.digest(ID, true, -44)).toBeUndefined();
    io.storage.write = () => false;
    expect(code(() => d.write(ID, 26, image(1, 8)))).toBe(errors.DEVICE_FAULT);
  });

  it("goes there by eight octets as it arrives, too", async () => {
    const io = blankIo();
    const { write } = io.storage;
    const pieces: [number, number][] = [];
    io.storage.write = (name, data, offset, size) => {
      if (data.length) pieces.push([(offset ?? 0) % 8, data.length % 8]);
      return write.call(io.storage, name, data, offset, size);
    };
    const d = on(io, 0);
    const envelope = await release(1, image(1, 500));
    for (let at = 0; at < envelope.length; at += 13) d.receive(envelope.slice(at, at + 13), envelope.length, trust);
    expect(pieces.length).toBeGreaterThan(10);
    for (const piece of pieces) expect(piece).toEqual([0, 0]);
    expect(open(d.received(), trust).sequence).toEqual([0, 1]);
  });

  it("is refused where a session has begun in the middle of an envelope", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const envelope = await release(1, image(1, 500));
    expect(code(() => d.received())).toBe(errors.CBOR_TRUNCATED);
    d.receive(envelope.slice(0, 700), envelope.length, trust);
    d.begin(true);
    d.erase(ID, 10);
    expect(code(() => d.receive(envelope.slice(700), envelope.length, trust))).toBe(errors.DEVICE_FAULT);
    // and is given up
    expect(code(() => d.received())).toBe(errors.CBOR_TRUNCATED);
  });

  it("is read from the envelope that was received last", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const [one, two] = [await release(1, image(1, 100), "a:1"), await release(2, image(2, 101), "a:2")];
    d.receive(one, one.length, trust);
    const source = d.received() as Source;
    expect([source.chunk, open(source, trust).sequence]).toEqual([256, [0, 1]]);
    d.receive(two, two.length, trust);
    expect(code(() => source.read(0, 1))).toBe(errors.DEVICE_FAULT);
    expect(open(d.received(), trust).sequence).toEqual([0, 2]);
  });
});
