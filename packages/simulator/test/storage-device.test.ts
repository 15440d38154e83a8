import { createHash } from "node:crypto";
import { boot, errors, install, open, type Refusal, type Source } from "@firmseal/verifier";
import { storageBoot } from "@firmseal/verifier/device/storage";
import { describe, expect, it } from "vitest";
import { ALL, LEAST, LONG } from "../../test-support/src/environment/effort.js";
import { storageStore } from "../src/devices/storage.js";
import { Simulation } from "../src/simulation/simulation.js";
import { FlashModel, PowerCut } from "../src/storage-models/flash-model.js";
import { fragileIn, powerOn, StorageModel, storageIo } from "../src/storage-models/storage-model.js";
import { app, bytes, deviceOn, ID, identity, release, running, TRIES, trust } from "./storage-board.js";

const code = (run: () => unknown): number => {
  try {
    run();
  } catch (e) {
    return (e as Refusal).code ?? (e as Error).message;
  }
  return 0;
};
describe("the device in Espruino's Storage", () => {
  it("starts what it has installed, keeps it once it is confirmed, and does not ask again", async () => {
    const board = await running();
    // there is nothing to go back to from the first release
    expect(board.device.pending()).toBe(false);
    board.install(await release(8, app(8)));
    expect(board.device.pending()).toBe(true);
    const { text, app: started } = board.start();
    expect(text).toBe(app(8));
    expect(started?.read(0)).toBe(app(8));
    started?.confirm();
    for (let i = 0; i <= TRIES + 1; i++) expect(board.start().text).toBe(app(8));
    expect(board.device.pending()).toBe(false);
    expect(board.device.floor()).toEqual([0, 8]);
  });

  it("gives nobody the bytes of an envelope that arrives while another one is being installed", async () => {
    const board = await running();
    const [good, evil] = [app(8), app(9, app(8).length)];
    const legit = await release(8, good, "coap://example.com/app");
    // a copy of it that vouches for the attacker's payload; nobody has signed it
    const forged = Uint8Array.from(legit);
    const at = Buffer.from(forged).indexOf(createHash("sha256").update(bytes(good)).digest());
    forged.set(createHash("sha256").update(bytes(evil)).digest(), at);
    const send = (envelope: Uint8Array) => {
      for (let i = 0; i < envelope.length; i += 20) board.device.receive(envelope.slice(i, i + 20), envelope.length, trust);
    };
    send(legit);
    const progress = install(board.device.received() as Source, trust, board.device);
    expect(progress.next()).toMatchObject({ uri: "coap://example.com/app" });
    progress.next(bytes(evil));
    const writes = board.flash.operations;
    expect(code(() => send(forged))).toBe(errors.DIGEST_MANIFEST);
    expect(board.flash.operations).toBe(writes);
    // nor those of one that is good: it takes the device over
    send(await release(9, app(9)));
    expect(code(() => progress.next(true))).toBe(errors.RUN_OUTCOME);
    expect(board.start().text).toBe(app(7));
  });

  it("returns one source for what it has received, however often it is asked", async () => {
    const board = await running();
    const envelope = await release(8, app(8));
    board.device.receive(envelope, envelope.length, trust);
    const source = board.device.received() as Source;
    expect(board.device.received()).toBe(source);
    expect(install(source, trust, board.device).next()).toBeUndefined();
    const kept = board.device.envelope() as Source;
    expect(kept.length).toBeLessThan(envelope.length - app(8).length);
    expect(open(kept, trust).digest).toEqual(open(envelope, trust).digest);
  });

  it("opens the envelope that it has kept, and returns the texts that boot() has verified", async () => {
    const board = await running();
    board.install(await release(8, app(8)));
    const device = deviceOn(board.io);
    boot(device.start() as never, trust, device).next();
    expect(device.invoked).toEqual([app(8)]);
    device.confirm();
    expect(device.pending()).toBe(false);
  });

  it("makes room by removing what no rollback needs, and what has been received", async () => {
    const board = await running();
    board.device.makeRoom();
    expect(board.start().text).toBe(app(7));
    const eight = await release(8, app(8));
    board.install(eight);
    // on trial, release 7 may come back
    expect(code(() => board.device.makeRoom())).toBe(errors.UNCONFIRMED);
    board.start().app?.confirm();
    const files = () => ["0a", "0b", "1a", "1b"].filter((name) => board.io.storage.read(`firmseal.${name}`) !== undefined);
    expect(files()).toEqual(["0a", "0b", "1a", "1b"]);
    const nine = await release(9, app(9));
    board.device.receive(nine, nine.length, trust);
    expect(board.device.received()).not.toBe(null);
    board.device.makeRoom();
    expect(files()).toHaveLength(2);
    expect(code(() => board.device.received())).not.toBe(0);
    expect(board.start().text).toBe(app(8));
    expect(code(() => install(eight.slice(0, 9), trust, board.device))).not.toBe(0);
    board.install(nine);
    expect(board.start().text).toBe(app(9));
  });

  it("ends an installation when it makes room", async () => {
    const board = await running();
    const progress = install(await release(8, app(8), "coap://example.com/app"), trust, board.device);
    expect(progress.next()).toMatchObject({ uri: "coap://example.com/app" });
    progress.next(bytes(app(8)).slice(0, 1000));
    board.device.makeRoom();
    expect(code(() => progress.next(bytes(app(8)).slice(1000)))).toBe(errors.RUN_OUTCOME);
    // also one that has written nothing yet
    const second = install(await release(8, app(8)), trust, board.device);
    board.device.makeRoom();
    const writes = board.flash.operations;
    expect(code(() => second.next())).toBe(errors.RUN_OUTCOME);
    expect(board.flash.operations).toBe(writes);
    expect(board.start().text).toBe(app(7));
  });

  it("goes back after as many starts without confirmation as it may try, and keeps the floor", async () => {
    const board = await running();
    board.install(await release(8, app(8)));
    for (let i = 0; i < TRIES; i++) expect(board.start().text).toBe(app(8));
    const back = board.start();
    expect(back.text).toBe(app(7));
    expect(board.device.rolledBack()).toBe(true);
    expect(board.device.floor()).toEqual([0, 8]);
    // what came back says nothing about what failed
    back.app?.confirm();
    expect(board.start().text).toBe(app(7));
    expect(code(() => install(new Uint8Array(0), trust, board.device))).not.toBe(0);
    const old = await release(7, app(7));
    expect(code(() => install(old, trust, board.device))).toBe(errors.ROLLBACK);
    board.install(await release(9, app(9)));
    const next = board.start();
    expect(next.text).toBe(app(9));
    next.app?.confirm();
    expect(board.start().text).toBe(app(9));
  });

  it("can be confirmed in the last start, and not before the first", async () => {
    const board = await running();
    const { app: old } = board.start();
    board.install(await release(8, app(8)));
    // release 7 still runs, and does not know that it is not meant
    old?.confirm();
    board.device.confirm();
    expect(deviceOn(board.io).pending()).toBe(true);
    board.start();
    board.start().app?.confirm();
    for (let i = 0; i < 3; i++) expect(board.start().text).toBe(app(8));
  });

  it("accepts no release while one is on trial", async () => {
    const board = await running();
    const [eight, nine] = [await release(8, app(8)), await release(9, app(9))];
    board.install(eight);
    const { pages } = board.flash;
    expect(code(() => install(nine, trust, board.device))).toBe(errors.UNCONFIRMED);
    expect(code(() => board.device.receive(nine, nine.length, trust))).toBe(errors.UNCONFIRMED);
    expect(board.flash.pages).toEqual(pages);
    board.start().app?.confirm();
    board.install(nine);
  });

  it("never goes back without a request", async () => {
    const board = await running();
    board.device = deviceOn(board.io, 0);
    board.install(await release(8, app(8)));
    for (let i = 0; i < 5; i++) expect(board.start().text).toBe(app(8));
  });

  it("does not start an image that was changed, and while on trial starts the previous one", async () => {
    const board = await running();
    board.install(await release(8, app(8)));
    const change = (text: string) => {
      const at = Buffer.concat(board.flash.pages).indexOf(text.slice(0, 40), 0, "latin1");
      const pages = board.flash.pages.map((p) => Uint8Array.from(p));
      (pages[Math.floor((at + 100) / 4096)] as Uint8Array)[(at + 100) % 4096] = 65;
      board.flash = new FlashModel(pages);
    };
    // the envelope of a release has its image too: the one that counts precedes it
    change(app(8));
    expect(board.start().text).toBe(app(7));
    change(app(7));
    expect(board.start()).toEqual({ text: "", app: undefined });
  });

  it("refuses with a number when Storage is full, does not compact it, and continues after compaction", async () => {
    const board = await running();
    let n = 8;
    let refused = 0;
    for (; refused === 0; n++) {
      const next = await release(n, app(n));
      const { pages } = board.flash;
      refused = code(() => install(next, trust, board.device).next());
      if (refused !== 0) expect(board.device.floor()).toEqual([0, n - 1]);
      else board.start().app?.confirm();
      if (refused !== 0) board.flash.pages = pages;
    }
    expect(refused).toBe(errors.STORAGE_FULL);
    expect(n).toBeGreaterThan(10);
    expect((board.io.storage as StorageModel).compactions).toBe(0);
    expect(board.flash.log.every((o) => o.op === "write")).toBe(true);
    expect(board.start().text).toBe(app(n - 2));
    (board.io.storage as StorageModel).compact();
    board.install(await release(n, app(n)));
    expect(board.start().text).toBe(app(n));
  });

  it("takes chunks of any size, and writes no word of flash twice", async () => {
    const envelope = await release(8, app(8, 1003), "coap://example.com/app");
    for (const size of [1, 3, 7, 8, 20, 256, 1003]) {
      const board = await running();
      board.flash.log.length = 0;
      for (let at = 0; at < envelope.length; at += size) board.device.receive(envelope.slice(at, at + size), envelope.length, trust);
      const progress = install(board.device.received(), trust, board.device);
      expect(progress.next()).toMatchObject({ uri: "coap://example.com/app", size: 1003 });
      for (let at = 0; at < 1003; at += size) progress.next(bytes(app(8, 1003)).slice(at, at + size));
      expect(progress.next(true)).toBeUndefined();
      const words = board.flash.log.flatMap((o) =>
        o.op === "write" ? Array.from({ length: o.bytes.length / 4 }, (_, i) => o.address + 4 * i) : [],
      );
      // all but the names of what was removed, which were written by another start
      expect(new Set(words).size).toBe(words.length);
      expect(board.start().text).toBe(app(8, 1003));
      expect(open(deviceOn(board.io).envelope() as Source, trust).digest).toEqual(open(envelope, trust).digest);
    }
  });

  it("has the 64 bits of the floor, and raises it to the highest number there is", async () => {
    const board = await running();
    const high = "18446744073709551615";
    board.install(await release("9007199254740993", app(8)));
    expect(board.device.floor()).toEqual([2097152, 1]);
    board.start().app?.confirm();
    board.install(await release(high, app(9)));
    expect(board.device.floor()).toEqual([4294967295, 4294967295]);
  });

  it("uses names that are not part of any identifier, and forgets what was refused", async () => {
    const board = await running();
    const names = () => (board.io.storage as StorageModel).list().sort();
    const before = names();
    expect(before).toEqual(["firmseal.0a", "firmseal.1a", "firmseal.r0"]);
    const envelope = await release(8, app(8), "http://a/b");
    const progress = install(envelope, trust, board.device);
    progress.next();
    progress.next(bytes(app(9)));
    expect(code(() => progress.next(true))).toBe(errors.IMAGE_MISMATCH);
    expect(names()).toEqual(before);
    expect(board.start().text).toBe(app(7));
  });

  it("does not let a session undo what another one has installed", async () => {
    const board = await running();
    const [first, second] = [deviceOn(board.io), deviceOn(board.io)];
    const a = install(await release(8, app(8), "http://a/b"), trust, first);
    const b = install(await release(9, app(9), "http://a/b"), trust, second);
    a.next();
    a.next(bytes(app(8)));
    b.next();
    b.next(bytes(app(9)));
    b.next(true);
    expect(code(() => a.next(true))).not.toBe(0);
    expect(board.start().text).toBe(app(9));
  });

  it("gives back the room of a header that was cut", async () => {
    const board = await running();
    const envelope = await release(8, app(8));
    board.flash.cutAfter(3, "nothing");
    expect(() => board.install(envelope)).toThrow();
    board.start();
    const torn = () => (board.io.storage as StorageModel).list().filter((name) => name.endsWith("\xff"));
    expect(torn()).toHaveLength(1);
    board.install(envelope);
    expect(torn()).toEqual([]);
  });
});
describe("a power cut", () => {
  const payloads = new Map();
  const small = { identity, components: [ID], capacity: 1024, envelope: 1024, pageSize: 1024 };
  const sized = async (sequence: number, n: number) => ({ envelope: await release(sequence, app(sequence, n)), trust, payloads });

  // at full length none is left out
  const second = ALL ? undefined : LONG ? 20 : 2;
  it.skipIf(LEAST).each([true, false])(
    "anywhere, and again during recovery, leaves the old or the new app (envelope received: %s)",
    async (receiving) => {
      const simulation = new Simulation((setup) => storageStore(setup, { receiving }), small, await sized(7, 500), await sized(8, 300));
      const report = simulation.run(second);
      expect(report.faults).toEqual([]);
      expect(report.cuts).toBeGreaterThan(90);
      expect(report.cutsDuringRecovery).toBeGreaterThan(ALL ? 3000 : LONG ? 1000 : 150);
    },
    600_000,
  );

  it("in the middle of the first word of a header makes the firmware erase Storage, in its last page: the device has none there", async () => {
    const board = await running();
    const storage = board.io.storage as StorageModel;
    const envelope = await release(8, app(8));
    const filler = (n: number) => storage.write("filler", "x", 0, storage.getFree() - 32 - n);
    filler(4096 + 2001 + 36);
    expect(code(() => board.install(envelope))).toBe(errors.STORAGE_FULL);
    filler(4000);
    for (const [n, tear, lost] of [
      [board.flash.operations, "bits", true],
      [board.flash.operations + 1, "bits", false],
      [board.flash.operations, "nothing", false],
    ] as const) {
      const flash = new FlashModel(board.flash.pages);
      const there = new StorageModel(flash);
      flash.cutAfter(n - board.flash.operations, tear);
      expect(() => there.write("other", "y", 0, 500)).toThrow(PowerCut);
      expect(fragileIn(flash)).toEqual(new Set([0]));
      expect(powerOn(new FlashModel(flash.pages)).lost).toBe(lost);
    }
  });

  it("during compaction can cost files: the device never asks for one", async () => {
    const board = await running();
    board.install(await release(8, app(8)));
    board.start().app?.confirm();
    board.install(await release(9, app(9)));
    board.start().app?.confirm();
    const { pages } = board.flash;
    const count = new FlashModel(pages);
    new StorageModel(count).compact();
    let lost = 0;
    for (let n = 0; n < count.operations; n++) {
      const flash = new FlashModel(pages);
      flash.cutAfter(n, "nothing");
      expect(() => new StorageModel(flash).compact()).toThrow(PowerCut);
      if (storageBoot(storageIo(powerOn(new FlashModel(flash.pages)).storage), {}) !== app(9)) lost++;
    }
    expect(lost).toBeGreaterThan(0);
  });
});
