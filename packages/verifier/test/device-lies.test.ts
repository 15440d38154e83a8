// Storage and flash that answer wrongly, differently the second time, or with an error. A device with such parts may lose
// its release. It starts nothing that nobody signed, it ends, it throws refusals only, and its floor stays.

import { describe, expect, it } from "vitest";
import type { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { randoms } from "../../test-support/src/randoms.js";
import { type Flash, flashDevice } from "../src/device/flash.js";
import { type StorageIo, storageBoot, storageDevice } from "../src/device/storage.js";
import { boot, type Device, install, type Refusal } from "../src/index.js";
import { careful, empty } from "./flash-common.js";
import { ID, identity, image, release, trust } from "./releases.js";
import { blankIo, latin, ROOM } from "./storage-files.js";

const RUNS = LONG ? 100 : 20;
const OLD = image(1, 700);
const NEW = image(2, 900);

/** What a part throws when it does not answer. */
const BROKEN = new Error("the part does not answer");

/** Which reads are wrong, and how. Counts all reads, so that a loop would be noticed. */
class Lies {
  reads = 0;
  active = false;
  private readonly next: () => number;
  constructor(
    seed: number,
    private readonly share: number,
  ) {
    this.next = randoms(seed);
  }
  pick = (n: number) => Math.floor(this.next() * n);
  /** Whether this read is wrong. */
  now(): boolean {
    if (++this.reads > 200_000) throw new Error("does not end");
    return this.active && this.next() < this.share;
  }
}

/** Does something with a device. Only refusals and the error of the part may come out. */
function attempt(f: () => unknown): void {
  try {
    f();
  } catch (e) {
    if (e !== BROKEN && typeof (e as Refusal).code !== "number") throw e;
    if (e !== BROKEN && !(Number((e as Refusal).code) > 0)) throw e;
  }
}

/** An installation and two starts while the parts lie. */
function live(device: () => Device & { start(): unknown }, envelope: Uint8Array): void {
  attempt(() => install(envelope, trust, device()).next());
  for (let i = 0; i < 2; i++)
    attempt(() => {
      const d = device();
      const kept = d.start() as Uint8Array | null;
      if (kept) boot(kept, trust, d).next();
    });
}

const SEEDS = Array.from({ length: RUNS }, (_, i) => i);
const SHARES = [0.002, 0.02, 0.2];

describe("flash", () => {
  const lying = (model: FlashModel, lies: Lies): Flash => ({
    pageSize: model.pageSize,
    read(address, n) {
      const bytes = Array.from(model.read(address, n)) as unknown[];
      if (!lies.now()) return Uint8Array.from(bytes as number[]);
      const at = lies.pick(n);
      const wrong: (() => unknown)[] = [
        () => Uint8Array.from(bytes.map((b, i) => (i === at ? (b as number) ^ (1 << lies.pick(8)) : (b as number)))),
        () => bytes.map((b, i) => (i === at ? [256, -1, 0.5, Number.NaN, "1", undefined, 2 ** 32][lies.pick(7)] : b)),
        () => bytes.slice(0, at),
        () => [...bytes, 0],
        () => new Uint8Array(n),
        () => new Uint8Array(n).fill(255),
        () => [],
        () => {
          throw BROKEN;
        },
      ];
      return wrong[lies.pick(wrong.length)]?.() as Uint8Array;
    },
    write: (address, bytes) => model.write(address, Uint8Array.from(bytes)),
    erase: (address) => model.erase(address),
  });

  it.each(SHARES)("one read in 1 / %s is wrong", async (share) => {
    const [one, two] = [await release(1, OLD), await release(2, NEW)];
    for (const seed of SEEDS) {
      const lies = new Lies(seed, share);
      const model = empty();
      const started: string[] = [];
      const flash = lying(model, lies);
      const device = () =>
        flashDevice(flash, identity, careful, (_id, _args, address, size) => started.push(latin(model.read(address, size))) > 0);
      install(one, trust, device()).next();
      lies.active = true;
      live(device, two);
      lies.active = false;
      const d = device();
      expect(d.floor()[1]).toBeGreaterThanOrEqual(1);
      attempt(() => {
        const kept = d.start();
        if (kept) boot(kept, trust, d).next();
      });
      for (const text of started) expect([latin(OLD), latin(NEW)]).toContain(text);
    }
  });
});

describe("a record on flash", () => {
  it("has the numbers that its check value covers, not those of the read before", async () => {
    const model = empty();
    const start = () => flashDevice(model, identity, careful, () => true);
    install(await release(1, OLD), trust, start()).next();
    install(await release(2, NEW), trust, start()).next();
    const [, newer = 0] = careful.records;
    const seen: number[] = [];
    const flash: Flash = {
      pageSize: model.pageSize,
      read(address, n) {
        const bytes = Uint8Array.from(model.read(address, n));
        // the number of tries, which says whether a release is confirmed
        if (address === newer && seen.push(n) === 1) bytes[16] = 0;
        return bytes;
      },
      write: (address, bytes) => model.write(address, Uint8Array.from(bytes)),
      erase: (address) => model.erase(address),
    };
    expect(start().floor()).toEqual([0, 2]);
    expect(start().pending()).toBe(true);
    // a page that reads like that has no record: the older one applies
    expect(flashDevice(flash, identity, careful, () => true).floor()).toEqual([0, 1]);
    expect(seen.length).toBeGreaterThan(1);
  });
});

describe("Storage", () => {
  const lying = (io: StorageIo, lies: Lies): StorageIo => ({
    ...io,
    storage: {
      read(name, offset, n) {
        const text = io.storage.read(name, offset, n);
        if (!lies.now()) return text;
        const have = text ?? "";
        const at = lies.pick(have.length + 1);
        const wrong: (() => string | undefined)[] = [
          () => have.slice(0, at) + String.fromCharCode(lies.pick(256)) + have.slice(at + 1),
          () => have.slice(0, at) + String.fromCharCode(256 + lies.pick(65_000)) + have.slice(at + 1),
          () => have.slice(0, at),
          () => `${have}x`,
          () => "",
          () => undefined,
          () => {
            throw BROKEN;
          },
        ];
        return wrong[lies.pick(wrong.length)]?.();
      },
      write: (name, data, offset, size) => (lies.now() ? false : io.storage.write(name, data, offset, size)),
      erase: (name) => io.storage.erase(name),
      getFree: () => (lies.now() ? ([0, -1, 1e9, Number.NaN][lies.pick(4)] as number) : io.storage.getFree()),
    },
  });

  it.each(SHARES)("one read in 1 / %s is wrong", async (share) => {
    const [one, two] = [await release(1, OLD), await release(2, NEW)];
    for (const seed of SEEDS) {
      const lies = new Lies(seed, share);
      const honest = blankIo();
      const io = lying(honest, lies);
      const started: string[] = [];
      const device = () => storageDevice(io, identity, [ID], ROOM, 2);
      install(one, trust, device()).next();
      lies.active = true;
      live(device, two);
      attempt(() => storageBoot(io, {}));
      lies.active = false;
      expect(device().floor()[1]).toBeGreaterThanOrEqual(1);
      started.push(storageBoot(honest, {}));
      const d = device();
      attempt(() => {
        const kept = d.envelope();
        if (kept) boot(kept, trust, d).next();
      });
      started.push(...d.invoked);
      for (const text of started) expect(["", latin(OLD), latin(NEW)]).toContain(text);
    }
  });
});
