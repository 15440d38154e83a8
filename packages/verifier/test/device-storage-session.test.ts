// A session with the device in Espruino's Storage: what it writes, what it reads back, and what it commits.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { StorageModel } from "../../simulator/src/storage-models/storage-model.js";
import type { StorageIo } from "../src/device/storage.js";
import { boot, errors, install, open, type Source } from "../src/index.js";
import { code, ID, image, release, trust } from "./releases.js";
import { blankIo, latin, names, on, type Part, ROOM, record } from "./storage-files.js";

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
    d.receive(envelope, envelope.length, trust);
    d.received();
    expect(code(() => d.write(ID, 0, [1]))).toBe(errors.DEVICE_FAULT);
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
  it("commits what it has received, in place, and gives its image to a start", async () => {
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
  it("commits nothing that does not exist", () => {
    const io = blankIo();
    const d = on(io, 0);
    d.begin(true);
    d.keep([1, 2, 3]);
    const { write } = io.storage;
    io.storage.write = (name, data, offset, size) =>
      name.startsWith("firmseal.r") && data.length ? true : write.call(io.storage, name, data, offset, size);
    expect(code(() => d.persist({ sequence: [0, 1], written: [], counters: new Uint8Array(28) }))).toBe(errors.DEVICE_FAULT);
    expect(on(io).floor()).toEqual([0, 0]);
  });
  it("commits nothing without an envelope, nor a lower floor", async () => {
    const io = blankIo();
    const d = on(io, 0);
    d.begin(true);
    expect(code(() => d.persist({ sequence: [0, 1], written: [], counters: new Uint8Array(28) }))).toBe(errors.DEVICE_FAULT);
    expect(names(io)).toEqual([]);
    d.keep([1, 2, 3]);
    d.persist({ sequence: [0, 5], written: [], counters: new Uint8Array(28) });
    d.begin(true);
    expect(code(() => d.persist({ sequence: [0, 6], written: [], counters: new Uint8Array(28) }))).toBe(errors.DEVICE_FAULT);
    d.keep([1, 2, 3, 4]);
    expect(code(() => d.persist({ sequence: [0, 4], written: [], counters: new Uint8Array(28) }))).toBe(errors.DEVICE_FAULT);
    expect(on(io).floor()).toEqual([0, 5]);
    d.persist({ sequence: [0, 5], written: [], counters: new Uint8Array(28) });
    expect(on(io).envelope()?.length).toBe(4);
  });
  it("keeps what was received in place if it is that, and writes anything else", async () => {
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
  it("is a record with everything in Storage, in the file that is not current", async () => {
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
    const counters = () => latin(Uint8Array.from(on(io).counters?.() ?? []));
    const first = kept();
    expect(counters()).toHaveLength(33);
    const lone = (text: string): Part => ({ now: 0, before: 1, slots: [text, ""] });
    expect(io.storage.read("firmseal.r0")).toBe(
      record([lone(first), lone(latin(one))], { tries: 0, generation: 1, floor: [0, 1], counted: [counters()] }),
    );
    const before = counters();
    install(await release("4294967303", two), trust, on(io)).next();
    const second = kept();
    const both = (a: string, b: string): Part => ({ now: 1, before: 0, slots: [a, b] });
    expect(io.storage.read("firmseal.r1")).toBe(
      record([both(first, second), both(latin(one), latin(two))], { generation: 2, floor: [1, 7], counted: [before, counters()] }),
    );
    expect(names(io)).toEqual(["firmseal.0a", "firmseal.0b", "firmseal.1a", "firmseal.1b", "firmseal.r0", "firmseal.r1"]);
    const d = on(io);
    d.start();
    d.confirm();
    d.begin(true);
    d.keep([1, 2, 3]);
    const middle = counters();
    d.persist({ sequence: [1, 7], written: [], counters: new Uint8Array(28).fill(9) });
    expect(io.storage.read("firmseal.r0")).toBe(
      record(
        [
          { now: 0, before: 1, slots: ["\x01\x02\x03", second] },
          { now: 1, before: 1, slots: [latin(one), latin(two)] },
        ],
        {
          generation: 3,
          floor: [1, 7],
          counted: ["\t".repeat(28), middle],
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

  it("replaces what was left by a cut under its name", () => {
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

  it("is refused if a session has begun in the middle of an envelope", async () => {
    const io = blankIo();
    const d = on(io, 0);
    const envelope = await release(1, image(1, 500));
    expect(code(() => d.received())).toBe(errors.CBOR_TRUNCATED);
    d.receive(envelope.slice(0, 700), envelope.length, trust);
    d.begin(true);
    // the rest would have room in the file that is open now
    d.erase(ID, ROOM);
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
