// What a stranger can make a device do before anything is authenticated, and what a device keeps of a release.

import { encode, encodeTrust, privateKey, readTrust, signEnvelope, signer, signTrust, singleImage } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
// the models are the command line's, for `firmseal simulate`
import { erasedFlash, FlashModel } from "../../simulator/src/models/flash-model.js";
import { powerOn, type StorageModel, storageIo } from "../../simulator/src/models/storage-model.js";
import { hex } from "../../test-support/src/vectors.js";
import { type FlashLayout, flashDevice } from "../src/device/flash.js";
import { recordSize, sealOf } from "../src/device/flash-record.js";
import { isLater, nextGeneration } from "../src/device/generation.js";
import { memoryDevice } from "../src/device/memory.js";
import { type StartedApp, storageBoot, storageDevice } from "../src/device/storage.js";
import { anchor, boot, errors, install, open, type Source, type Trust, trustFileUnchecked } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { type Arrival, arrive } from "../src/install/receive.js";
import { code, digest, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const PAGE = 4096;
const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 4 * PAGE], size: 4 * PAGE }],
  envelopes: { slots: [8 * PAGE, 12 * PAGE], size: 4 * PAGE },
  records: [16 * PAGE, 17 * PAGE],
  tries: 3,
};

interface Board {
  flash: FlashModel;
  device: TrialDevice;
}

const boards: [string, (flash?: FlashModel) => Board][] = [
  ["raw flash", (flash = new FlashModel(erasedFlash(18, PAGE))) => ({ flash, device: flashDevice(flash, identity, layout, () => true) })],
  [
    "Storage",
    (flash = new FlashModel(erasedFlash(32, PAGE))) => {
      const io = storageIo(powerOn(flash).storage);
      return { flash, device: storageDevice(io, identity, [ID], 4 * PAGE, 3) };
    },
  ],
];

function send(b: Board, envelope: Uint8Array, { packet = 64, length = envelope.length, whom = trust as Trust, memory = 65536 } = {}): void {
  for (let at = 0; at < envelope.length; at += packet) b.device.receive(envelope.slice(at, at + packet), length, whom, { memory });
}

const good = privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
const other = privateKey("ed25519", hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
const bytes = image(1, 1000);
const check = "condition-image-match";

/** A release with the signatures of `n` strangers in front of the good one, or behind it. */
async function withJunk(n: number, front = true, sequence = 1, description = {}): Promise<Uint8Array> {
  const d = singleImage({ sequence, ...uuid, digest: digest(bytes), size: bytes.length, uri: "#firmware", payload: bytes });
  const unsigned = encode({ ...d, ...description });
  const strangers = Array.from({ length: n }, (_, i) =>
    signer(
      privateKey(
        "ed25519",
        Uint8Array.from({ length: 32 }, () => i + 1),
      ),
    ),
  );
  return signEnvelope(unsigned, front ? [...strangers, signer(good)] : [signer(good), ...strangers]);
}

let plain: Uint8Array;
beforeAll(async () => {
  plain = await release(2, bytes);
});

describe.each(boards)("an envelope that arrives: %s", (_, make) => {
  it("is taken in pieces of any size, and installed", async () => {
    const envelope = await release(1, bytes);
    for (const packet of [1, 7, 64, 200, 5000]) {
      const b = make();
      send(b, envelope, { packet });
      expect(install(b.device.received(), trust, b.device).next()).toBeUndefined();
      expect(b.device.floor()).toEqual([0, 1]);
    }
  });

  it("costs no flash before it is authenticated and fits", async () => {
    const good = await release(2, bytes);
    const forged = Uint8Array.from(good);
    forged[200] = (forged[200] as number) ^ 1;
    const wrongClass = await signed(
      singleImage({
        ...{ sequence: 2, ...uuid, class: "1492af14-2569-5e48-bf42-9b2d51f2ab46" },
        ...{ digest: digest(bytes), size: bytes.length, uri: "#firmware", payload: bytes },
      }),
    );
    const large = image(5, 5 * PAGE);
    const cases: [string, Uint8Array, number, object?][] = [
      ["junk", Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255), errors.CBOR_TYPE],
      [
        "a stranger's",
        await signEnvelope(
          encode(singleImage({ sequence: 2, ...uuid, digest: digest(bytes), size: 1000, uri: "#firmware", payload: bytes })),
          [signer(other)],
        ),
        errors.SIGNATURE_INVALID,
      ],
      ["a changed one", forged, errors.DIGEST_MANIFEST],
      ["another class", wrongClass, errors.CLASS_MISMATCH],
      ["an older one", await release(0, bytes), errors.ROLLBACK],
      ["an image that fits no slot", await release(2, large), errors.PAYLOAD_SIZE],
      ["a length that nothing explains", good, errors.PAYLOAD_SIZE, { length: 1e9 }],
      ["a length of 2^32", good, errors.PAYLOAD_SIZE, { length: 2 ** 32 }],
      ["more than was announced", good, errors.PAYLOAD_SIZE, { length: 50 }],
      ["junk in front of the signature", await withJunk(7), errors.SIGNATURE_COUNT],
      ["a head that does not fit the RAM", good, errors.HEAD_LENGTH, { memory: 100 }],
    ];
    const b = make();
    send(b, await release(1, bytes));
    install(b.device.received(), trust, b.device).next();
    const current = make(new FlashModel(b.flash.pages));
    const before = current.flash.pages;
    for (const [name, envelope, expected, how] of cases) {
      const found = code(() => send(current, envelope, how));
      if (name === "junk") expect(found, name).not.toBe(0);
      else expect(found, name).toBe(expected);
    }
    expect(current.flash.operations).toBe(0);
    expect(current.flash.pages).toEqual(before);
    // and the next good one is taken as if nothing had been
    current.device.start();
    current.device.confirm();
    send(current, good);
    expect(install(current.device.received(), trust, current.device).next()).toBeUndefined();
  });

  it("costs no RAM for packets that are empty", () => {
    const device = memoryDevice(identity, [ID], 100);
    const shelf = { begin() {}, write() {} };
    let a: Arrival | null = null;
    for (let i = 0; i < 1000; i++) a = arrive(a, [], 500, trust, {}, device, shelf);
    expect(a?.pieces).toEqual([]);
  });

  it("costs no RAM and no hash for what is signed and is no digest, for each of its signatures", () => {
    const string = (b: number[]) => [0x59, b.length >> 8, b.length & 255, ...b];
    // a COSE_Sign1 with alg -19, and a signature of ones
    const block = string([0xd2, 0x84, 0x43, 0xa1, 0x01, 0x32, 0xa0, 0xf6, 0x58, 64, ...Array(64).fill(1)]).slice(2);
    const wrapper = [
      0x89,
      ...string(Array(60000).fill(7)),
      ...Array(8)
        .fill([0x58, ...block])
        .flat(),
    ];
    const envelope = Uint8Array.from([0xa2, 0x02, ...string(wrapper), 0x03, 0x41, 0xa0]);
    expect(code(() => open(envelope, trust))).toBe(errors.DIGEST_LENGTH);
  });

  it("is not handed out before it is there, and begins anew after that", async () => {
    const b = make();
    const envelope = await release(1, bytes);
    expect(code(() => b.device.received())).toBe(errors.CBOR_TRUNCATED);
    send(b, envelope.slice(0, 700), { length: envelope.length });
    expect(code(() => b.device.received())).toBe(errors.CBOR_TRUNCATED);
    send(b, envelope);
    expect(install(b.device.received(), trust, b.device).next()).toBeUndefined();
  });

  it("refuses a packet of what is no octet", async () => {
    const b = make();
    const envelope = [...(await release(1, bytes))] as unknown[];
    envelope[30] = Number.NaN;
    expect(code(() => b.device.receive(envelope as never, envelope.length, trust))).toBe(errors.CBOR_OCTET);
    expect(b.flash.operations).toBe(0);
  });

  it("leaves two signatures at most that were not verified, behind the good one, and no payload, to the starts to come", async () => {
    const [plain, junk] = [await withJunk(0), await withJunk(3)];
    for (const [envelope, others] of [
      [plain, 0],
      [junk, 2],
      [await withJunk(3, false), 2],
      [await withJunk(7, false), 2],
      [await withJunk(1, false), 1],
    ] as const) {
      const b = make();
      send(b, envelope);
      install(b.device.received(), trust, b.device).next();
      const kept = make(new FlashModel(b.flash.pages)).device.start() as Source;
      const { signatures } = open(kept, trust);
      expect(signatures.map((s) => !!s.good)).toEqual([true, ...Array.from({ length: others }, () => false)]);
      expect(kept.length).toBeLessThan(plain.length - bytes.length + 100 * others);
    }
  });

  it("does not become current where another one begins to arrive while it is opened once more", async () => {
    const nothing = { ...singleImage({ sequence: 2, ...uuid, digest: digest(bytes), size: bytes.length, uri: "#f" }), install: [check] };
    const [update, next] = [await signed(nothing as never), await release(3, image(3, 800))];
    for (const end of [next.length, next.length - 300]) {
      const b = make();
      send(b, await release(1, bytes));
      install(b.device.received(), trust, b.device).next();
      b.device.start();
      b.device.confirm();
      const { keep } = b.device;
      b.device.keep = (envelope) => {
        const stored = keep(envelope);
        b.device.receive(next.slice(0, end), next.length, trust);
        return stored;
      };
      expect(code(() => install(update, trust, b.device).next())).not.toBe(0);
      const after = make(new FlashModel(b.flash.pages));
      expect(after.device.floor()).toEqual([0, 1]);
      expect(boot(after.device.start() as Source, trust, after.device).next()).toBeUndefined();
    }
  });

  it("cannot be started where storage keeps something else: the release before stays", async () => {
    const b = make();
    send(b, await release(1, bytes));
    install(b.device.received(), trust, b.device).next();
    const next = make(new FlashModel(b.flash.pages));
    next.device.start();
    next.device.confirm();
    // without a payload the envelope is kept as it came: what keep() gives is read from flash
    const { keep } = next.device;
    next.device.keep = (envelope) => {
      const lies = keep(envelope) as Source;
      return { ...lies, read: (at, n) => Uint8Array.from(lies.read(at, n), (x, i) => (at + i === 90 ? x ^ 1 : x)) };
    };
    expect(code(() => install(sourceOf(plain), trust, next.device).next())).not.toBe(0);
    const after = make(new FlashModel(next.flash.pages));
    expect(after.device.floor()).toEqual([0, 1]);
    expect(open(after.device.start() as Source, trust).sequence).toEqual([0, 1]);
  });
});

const sourceOf = (envelope: Uint8Array): Source => ({ length: envelope.length, read: (at, n) => envelope.slice(at, at + n) });

/** A Source that gives `first` once for each octet, and `then` whenever it is asked for one again. */
function fickle(first: Uint8Array, then: Uint8Array): Source & { again: number } {
  const seen = new Uint8Array(first.length);
  const source = {
    length: first.length,
    again: 0,
    read: (at: number, n: number) =>
      Uint8Array.from({ length: n }, (_, i) => {
        const was = seen[at + i];
        seen[at + i] = 1;
        if (was) source.again++;
        return (was ? then : first)[at + i] as number;
      }),
  };
  return source;
}

describe("a Source that changes its mind", () => {
  it("is read once: what is believed is what was verified", async () => {
    const evil = Uint8Array.from(plain, (x) => x ^ 255);
    const source = fickle(plain, evil);
    const m = open(source, trust);
    expect(source.again).toBe(0);
    expect(m.sequence).toEqual([0, 2]);
  });

  it("installs what was signed or nothing, and never what it says later", async () => {
    const elsewhere = await release(2, bytes, "coap://a/b");
    const evil = await release(2, image(9, 1000), "coap://a/b");
    const device = memoryDevice(identity, [ID], 5000);
    const progress = install(fickle(elsewhere, evil), trust, device);
    progress.next();
    progress.next(image(9, 1000));
    expect(code(() => progress.next(true))).toBe(errors.IMAGE_MISMATCH);
    const second = memoryDevice(identity, [ID], 5000);
    const honest = install(fickle(elsewhere, evil), trust, second);
    honest.next();
    honest.next(bytes);
    // what is kept is read again, and then it is something else
    expect(code(() => honest.next(true))).not.toBe(0);
    expect(second.floor()).toEqual([0, 0]);
  });
});

describe("a Source that is read in place, dangerously", () => {
  const inPlace = (envelope: Uint8Array): Source => ({ ...sourceOf(envelope), dangerouslyReadInPlace: true });

  it("takes no RAM for the head", () => {
    expect(code(() => open(sourceOf(plain), trust, { memory: 100 }))).toBe(errors.HEAD_LENGTH);
    expect(open(inPlace(plain), trust, { memory: 100 }).sequence).toEqual([0, 2]);
  });

  it("is read once where it is a trust file: of those nothing is read in place", async () => {
    const list = (sequence: bigint, signing: typeof good) => {
      const bytes = encodeTrust({ name: "line", sequence, anchors: [{ key: good, roles: ["root"] }], thresholds: { root: 1 } });
      const other = encodeTrust({ name: "line", sequence, anchors: [{ key: signing, roles: ["root"] }], thresholds: { root: 1 } });
      return signTrust(bytes, [signer(signing)], readTrust(other).store);
    };
    const [real, forged] = [await list(1n, good), await list(9n, other)];
    const source = { ...fickle(real, forged), dangerouslyReadInPlace: true };
    const store = trustFileUnchecked(source, trust);
    expect([store.sequence, Uint8Array.from(store.file ?? [])]).toEqual([[0, 1], real]);
  });
});

describe("the size of pieces that a Source asks for", () => {
  it("is 1,024 where it is no number that can be meant", () => {
    for (const chunk of [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53, "7"]) {
      const device = memoryDevice(identity, [ID], 5000);
      expect(install({ ...sourceOf(plain), chunk: chunk as number }, trust, device).next()).toBeUndefined();
      expect(device.floor()).toEqual([0, 2]);
    }
  });
});

describe("what a start fetches", () => {
  it("is kept with the envelope", async () => {
    const facts = { sequence: 1, ...uuid, digest: digest(bytes), size: bytes.length, uri: "#firmware", payload: bytes };
    const { install: fetch, ...rest } = singleImage(facts);
    const d = { ...rest, validate: [], load: fetch, invoke: ["directive-invoke"] } as unknown as typeof rest & { install: never };
    for (const strangers of [[], [signer(other)]]) {
      const envelope = await signEnvelope(encode({ ...d, validate: ["condition-vendor-identifier"] } as never), [
        ...strangers,
        signer(good),
      ]);
      for (const [, make] of boards.slice(0, 1)) {
        const b = make();
        send(b, envelope);
        install(b.device.received(), trust, b.device).next();
        const after = make(new FlashModel(b.flash.pages));
        const progress = boot(after.device.start() as Source, trust, after.device);
        expect(progress.next()).toBeUndefined();
        expect(progress.manifest.signatures.map((s) => !!s.good)).toEqual([true, ...strangers.map(() => false)]);
      }
    }
  });
});

describe("what a start fetches, of an envelope that somebody changed on its way", () => {
  const facts = { sequence: 1, ...uuid, digest: digest(bytes), size: bytes.length, uri: "#firmware", payload: bytes };
  const { install: fetch, payloads, ...rest } = singleImage(facts);
  const made = (load: unknown, integrated: object = { payloads }) =>
    signed({ ...rest, ...integrated, validate: ["condition-vendor-identifier"], load, invoke: ["directive-invoke"] } as never);
  const otherwise = [{ "directive-try-each": [["condition-image-match"], fetch] }];

  it("is held against its digest before the release becomes current", async () => {
    for (const load of [fetch, otherwise]) {
      const envelope = await made(load);
      const changed = envelope.map((x, i) => (i === envelope.length - 5 ? x ^ 1 : x));
      for (const [, make] of boards.slice(0, 1)) {
        const b = make();
        send(b, changed);
        expect(code(() => install(b.device.received(), trust, b.device).next())).toBe(errors.IMAGE_UNVERIFIED);
        expect(b.device.floor()).toEqual([0, 0]);
        send(b, envelope);
        expect(install(b.device.received(), trust, b.device).next()).toBeUndefined();
        expect(boot(b.device.start() as Source, trust, b.device).next()).toBeUndefined();
      }
    }
  });

  it("has to be there where it can be nowhere else", async () => {
    const device = memoryDevice(identity, [ID], 5000);
    const without = await made(fetch, {});
    expect(code(() => install(without, trust, device).next())).toBe(errors.PAYLOAD_ABSENT);
    expect(device.floor()).toEqual([0, 0]);
    device.payloads = { "#firmware": bytes };
    expect(install(without, trust, device).next()).toBeUndefined();
    expect(boot(device.envelope as Uint8Array, trust, device).next()).toBeUndefined();
  });

  it("may depend on the slot that will be current then", async () => {
    const at = (slot: number) => [{ "directive-override-parameters": { "component-slot": slot } }, "condition-component-slot"];
    // nothing is written by the installation, so the slot stays what it is
    const load = [
      {
        "directive-try-each": [
          [...at(0), ...(fetch as unknown[])],
          [...at(7), "condition-abort"],
        ],
      },
    ];
    const device = memoryDevice(identity, [ID], 5000);
    expect(install(await made(load), trust, device).next()).toBeUndefined();
    expect(boot(device.envelope as Uint8Array, trust, device).next()).toBeUndefined();
  });
});

describe("a release that brings a trust file", () => {
  it("keeps the signatures of keys that are not trusted yet, behind the good one", async () => {
    const list = image(3, 100);
    const d = singleImage({ sequence: 1, ...uuid, digest: digest(list), size: list.length, uri: "#t", payload: list });
    const bridge = { ...d, components: [["trust"]] } as unknown as typeof d;
    const envelope = await signEnvelope(encode(bridge), [signer(other), signer(good)]);
    const device = memoryDevice(identity, [[hex("7472757374")]], 5000);
    install(envelope, trust, device).next();
    const m = open(device.envelope as Uint8Array, trust);
    expect(m.signatures.map((s) => !!s.good)).toEqual([true, false]);
    expect(open(device.envelope as Uint8Array, { anchors: [anchor("ed25519", other.key)] }).sequence).toEqual([0, 1]);
  });
});

describe("records and marks", () => {
  it("go round at 2^32 - 1, and block no update", () => {
    expect([nextGeneration(0), nextGeneration(7), nextGeneration(4294967295)]).toEqual([1, 8, 1]);
    for (const n of [1, 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      expect([isLater(nextGeneration(n), n), isLater(n, nextGeneration(n)), isLater(n, n)]).toEqual([true, false, false]);
    }
  });

  it("of Storage take the place of one with the highest number there is", async () => {
    const io = storageIo(powerOn(new FlashModel(erasedFlash(32, PAGE))).storage);
    const on = () => storageDevice(io, identity, [ID], 4 * PAGE, 0);
    install(await release(1, bytes), trust, on()).next();
    // the record as somebody else has left it: the same, with the generation 2^32 - 1
    const name = ["firmseal.r0", "firmseal.r1"].find((n) => io.storage.read(n)) as string;
    const text = io.storage.read(name) as string;
    const body = `${text.slice(0, 4)}\xff\xff\xff\xff${text.slice(8, -25)}`;
    const whole = text.length;
    const sum = Buffer.from(io.sha256(body) as Uint8Array)
      .toString("latin1")
      .slice(0, 8);
    io.storage.erase(name);
    io.storage.write(name, body + sum, 0, whole);
    expect(on().floor()).toEqual([0, 1]);
    for (const sequence of [2, 3, 4]) {
      const envelope = await release(sequence, image(sequence, 900));
      install(envelope, trust, on()).next();
      expect(on().floor()).toEqual([0, sequence]);
    }
  });

  it("of raw flash, too", async () => {
    const once = { ...layout, tries: 0 };
    const flash = new FlashModel(erasedFlash(18, PAGE));
    install(
      await release(1, bytes),
      trust,
      flashDevice(flash, identity, once, () => true),
    ).next();
    const page = [16, 17].find((p) => (flash.pages[p] as Uint8Array)[0] !== 255) as number;
    const record = Uint8Array.from(flash.pages[page] as Uint8Array);
    const size = recordSize(2);
    record.fill(255, 4, 8);
    record.set(sealOf(record.slice(0, size - 4)) as Uint8Array, size - 4);
    let pages = flash.pages.map((p, i) => (i === page ? record : p));
    for (const sequence of [2, 3, 4]) {
      const after = new FlashModel(pages);
      install(
        await release(sequence, image(sequence, 900)),
        trust,
        flashDevice(after, identity, once, () => true),
      ).next();
      pages = after.pages as never;
      expect(flashDevice(new FlashModel(pages), identity, once, () => true).floor()).toEqual([0, sequence]);
    }
  });

  it("let nothing start uncounted where a mark does not take: the release before starts, and the end comes at once", async () => {
    const flash = new FlashModel(erasedFlash(32, PAGE));
    const model = powerOn(flash).storage as StorageModel;
    const io = storageIo(model);
    const on = () => storageDevice(io, identity, [ID], 4 * PAGE, 3);
    install(await release(1, bytes), trust, on()).next();
    const second = image(2, 900);
    install(await release(2, second), trust, on()).next();
    const { write } = io.storage;
    let tries = 0;
    io.storage.write = (name, data, offset, size) => {
      // the marks of the record that rules
      if (size === undefined) {
        tries++;
        return true;
      }
      return write.call(io.storage, name, data, offset, size);
    };
    const root: { firmsealApp?: StartedApp } = {};
    expect(storageBoot(io, root)).toBe(Buffer.from(bytes).toString("latin1"));
    expect(tries).toBe(1);
    expect(boot(on().start() as Source, trust, on()).manifest.sequence).toEqual([0, 1]);
  });
});
