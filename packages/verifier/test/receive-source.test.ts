// Sources that change their mind, and what a start fetches.

import { decodeTrust, encode, encodeTrust, signEnvelopeWithoutLog, signer, signTrustWithoutLog, singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { sha256Hex, sourceOf } from "../../test-support/src/bytes.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, errors, install, open, type Source, trustFileUnchecked } from "../src/index.js";
import { boards, bytes, good, other, plain, send } from "./receive-common.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

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
  it("is read once: what is accepted is what was verified", async () => {
    const evil = Uint8Array.from(plain, (x) => x ^ 255);
    const source = fickle(plain, evil);
    const m = open(source, trust);
    expect(source.again).toBe(0);
    expect(m.sequence).toEqual([0, 2]);
  });

  it("installs what was signed or nothing, and never what the Source says later", async () => {
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

  it("is read once if it is a trust file: those are never read in place", async () => {
    const list = (sequence: bigint, signing: typeof good) => {
      const bytes = encodeTrust({ name: "line", sequence, anchors: [{ key: good, roles: ["root"] }], thresholds: { root: 1 } });
      const other = encodeTrust({ name: "line", sequence, anchors: [{ key: signing, roles: ["root"] }], thresholds: { root: 1 } });
      return signTrustWithoutLog(bytes, [signer(signing)], decodeTrust(other).store);
    };
    const [real, forged] = [await list(1n, good), await list(9n, other)];
    const source = { ...fickle(real, forged), dangerouslyReadInPlace: true };
    const store = trustFileUnchecked(source, trust);
    expect([store.sequence, Uint8Array.from(store.file ?? [])]).toEqual([[0, 1], real]);
  });
});
describe("the size of pieces that a Source asks for", () => {
  it("is 1,024 if it is not a plausible number", () => {
    for (const chunk of [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53, "7"]) {
      const device = memoryDevice(identity, [ID], 5000);
      expect(install({ ...sourceOf(plain), chunk: chunk as number }, trust, device).next()).toBeUndefined();
      expect(device.floor()).toEqual([0, 2]);
    }
  });
});
describe("what a start fetches", () => {
  it("is kept with the envelope", async () => {
    const facts = { sequence: 1, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes };
    const { install: fetch, ...rest } = singleImage(facts);
    const d = { ...rest, validate: [], load: fetch, invoke: ["directive-invoke"] } as unknown as typeof rest & { install: never };
    for (const strangers of [[], [signer(other)]]) {
      const envelope = await signEnvelopeWithoutLog(encode({ ...d, validate: ["condition-vendor-identifier"] } as never), [
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
describe("what a start fetches from an envelope that was changed on its way", () => {
  const facts = { sequence: 1, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes };
  const { install: fetch, payloads, ...rest } = singleImage(facts);
  const made = (load: unknown, integrated: object = { payloads }) =>
    signed({ ...rest, ...integrated, validate: ["condition-vendor-identifier"], load, invoke: ["directive-invoke"] } as never);
  const otherwise = [{ "directive-try-each": [["condition-image-match"], fetch] }];

  it("is compared with its digest before the release becomes current", async () => {
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

  it("must be there if it can be nowhere else", async () => {
    const device = memoryDevice(identity, [ID], 5000);
    const without = await made(fetch, {});
    expect(code(() => install(without, trust, device).next())).toBe(errors.PAYLOAD_ABSENT);
    expect(device.floor()).toEqual([0, 0]);
    device.payloads = { "#firmware": bytes };
    expect(install(without, trust, device).next()).toBeUndefined();
    expect(boot(device.envelope as Uint8Array, trust, device).next()).toBeUndefined();
  });

  it("may depend on the slot that will then be current", async () => {
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
