// What a stranger can make a device do before anything is authenticated, and what a device keeps of a release.

import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { sha256Hex, sourceOf } from "../../test-support/src/bytes.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, errors, install, open, type Source } from "../src/index.js";
import { type Arrival, arrive } from "../src/install/receive.js";
import { boards, bytes, good, other, PAGE, plain, send } from "./receive-common.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const check = "condition-image-match";
/** A release with the signatures of `n` strangers in front of the good one, or behind it. */
async function withJunk(n: number, front = true, sequence = 1, description = {}): Promise<Uint8Array> {
  const d = singleImage({ sequence, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes });
  const unsigned = encode({ ...d, ...description });
  const strangers = Array.from({ length: n }, (_, i) =>
    signer(
      privateKey(
        "ed25519",
        Uint8Array.from({ length: 32 }, () => i + 1),
      ),
    ),
  );
  return signEnvelopeWithoutLog(unsigned, front ? [...strangers, signer(good)] : [signer(good), ...strangers]);
}
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
        ...{ digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes },
      }),
    );
    const large = image(5, 5 * PAGE);
    const cases: [string, Uint8Array, number, object?][] = [
      ["junk", Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255), errors.CBOR_TYPE],
      [
        "a stranger's",
        await signEnvelopeWithoutLog(
          encode(singleImage({ sequence: 2, ...uuid, digest: sha256Hex(bytes), size: 1000, uri: "#firmware", payload: bytes })),
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

  it("costs no RAM for empty packets", () => {
    const device = memoryDevice(identity, [ID], 100);
    const shelf = { begin() {}, write() {} };
    let a: Arrival | null = null;
    for (let i = 0; i < 1000; i++) a = arrive(a, [], 500, trust, {}, device, shelf);
    expect(a?.pieces).toEqual([]);
  });

  it("costs no RAM and no hash for signed content that is not a digest, for each of its signatures", () => {
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

  it("is not returned before it is complete, and begins again after that", async () => {
    const b = make();
    const envelope = await release(1, bytes);
    expect(code(() => b.device.received())).toBe(errors.CBOR_TRUNCATED);
    send(b, envelope.slice(0, 700), { length: envelope.length });
    expect(code(() => b.device.received())).toBe(errors.CBOR_TRUNCATED);
    send(b, envelope);
    expect(install(b.device.received(), trust, b.device).next()).toBeUndefined();
  });

  it("refuses a packet with a value that is not an octet", async () => {
    const b = make();
    const envelope = [...(await release(1, bytes))] as unknown[];
    envelope[30] = Number.NaN;
    expect(code(() => b.device.receive(envelope as never, envelope.length, trust))).toBe(errors.CBOR_OCTET);
    expect(b.flash.operations).toBe(0);
  });

  it("leaves at most two signatures that were not verified, after the valid one, and no payload, for later starts", async () => {
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

  it("does not become current if another one begins to arrive while it is opened again", async () => {
    const nothing = { ...singleImage({ sequence: 2, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#f" }), install: [check] };
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

  it("cannot be started if storage keeps something else: the previous release stays", async () => {
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
