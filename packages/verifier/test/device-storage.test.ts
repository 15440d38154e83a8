// The device in Espruino's Storage, octet by octet: its records, their marks, what it does with files that it has not written, and how it starts.
// device-storage-session.test.ts writes them, and packages/simulator/test/storage-device.test.ts installs on it.

import { describe, expect, it } from "vitest";
import type { StorageModel } from "../../simulator/src/storage-models/storage-model.js";
import { type StartedApp, type StorageIo, storageBoot } from "../src/device/storage.js";
import { errors, install, type Source } from "../src/index.js";
import { code, ID, image, release, trust } from "./releases.js";
import { blankIo, holding, latin, MARK, on, type Part, ROOM, record, sha, UNMARKED } from "./storage-files.js";

const envelopes: Part = { now: 1, before: 0, slots: ["old", "newer"] };
const images: Part = { now: 0, before: 1, slots: ["app(8)", "app(77)"] };
const lying = { "firmseal.0a": "old", "firmseal.0b": "newer", "firmseal.1a": "app(8)", "firmseal.1b": "app(77)" };
const parts = [envelopes, images];

const state = (io: StorageIo) => {
  const d = on(io);
  return [d.floor(), d.pending(), d.rolledBack(), d.envelope()?.length, d.size(ID, false)];
};

describe("a record in Storage", () => {
  it("has floor, envelope and images", () => {
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
    ["another version", record(parts, { ...untried, magic: "f1" })],
    ["another check value", record(parts, { ...untried, sum: "12345678" })],
    [
      "a check value whose last octet is wrong",
      record(parts, { ...untried, sum: `${sha(record(parts, untried).slice(0, 178)).slice(0, 7)}\0` }),
    ],
    ["an octet too many", record(parts, { ...untried, end: "\xff\xff" })],
    ["an octet too few", record(parts, { ...untried, end: "" })],
  ])("with %s is invalid", (_, text) => {
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
  it("is a fault if a file is missing or too short, and nothing if nothing is read", () => {
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
  it("goes back to the previous slot, whatever the floor is", () => {
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
  it("counts as failed if a start cannot be counted", () => {
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
    expect(code(() => a.persist({ sequence: [0, 2], written: [], counters: new Uint8Array(28) }))).toBe(errors.DEVICE_FAULT);
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
    const without = boots({ ...lying, "firmseal.r0": record([...parts, empty], { tries: 0 }) });
    expect([without.text, without.app?.read(1)]).toEqual(["app(8)", ""]);
  });
  it("gives nothing of a file that is removed later", () => {
    const { app, io } = boots({ ...lying, "firmseal.r0": record(parts) });
    io.storage.erase("firmseal.1a");
    expect(app?.read(0)).toBe("");
  });
  it("gives the app what confirms it", () => {
    const { app, io } = boots({ ...lying, "firmseal.r0": record(parts) });
    expect(on(io).pending()).toBe(true);
    app?.confirm();
    expect(on(io).pending()).toBe(false);
  });
  it("starts the previous release when every try of an image that does not fit is used up", () => {
    for (const text of ["app(9)", "app(8", ""]) {
      const { "firmseal.1a": _, ...rest } = lying;
      const { text: started, io } = boots({ ...rest, ...(text && { "firmseal.1a": text }), "firmseal.r0": record(parts) });
      expect([started, on(io).rolledBack()]).toEqual(["app(77)", true]);
    }
  });
  it("starts nothing if neither fits", () => {
    const { text, app } = boots({ ...lying, "firmseal.1a": "app(9)", "firmseal.1b": "app(78)", "firmseal.r0": record(parts) });
    expect([text, app]).toEqual(["", undefined]);
  });
});
