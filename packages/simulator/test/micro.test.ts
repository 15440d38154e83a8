// Power cuts under a micro verifier: the code is that of a bundle, in which what a micro verifier does not need is left out.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import type { Host } from "@firmseal/verifier";
import { type StartedApp, storageBoot, type storageDevice } from "@firmseal/verifier/device/storage";
import { describe, expect, it } from "vitest";
import { readMicroVectors } from "../../../test-vectors/index.mjs";
import { playable } from "../../bundler/src/index.js";
import { hex, patterned, sha256 as sha256Of } from "../../test-support/src/bytes.js";
import { ALL, LONG } from "../../test-support/src/environment/effort.js";
import { bootlessStore } from "../src/devices/bootless.js";
import { DEVICES, type SimulatedDevice } from "../src/devices/devices.js";
import { flashStore } from "../src/devices/flash.js";
import { storageStore } from "../src/devices/storage.js";
import { simulate } from "../src/simulate.js";
import { Simulation } from "../src/simulation/simulation.js";
import type { Release } from "../src/simulation/start-install.js";
import { FlashModel } from "../src/storage-models/flash-model.js";
import { erasedFlash } from "../src/storage-models/flash-operations.js";
import { E, powerOn, storageIo } from "../src/storage-models/storage-model.js";
import type { MakeStore, Setup, Verifier } from "../src/store.js";

const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
const key = privateKey("ed25519", hex("0b".repeat(32)));
const image = patterned;

const code = new Function(`return ${playable({ algs: ["ed25519"], features: ["flash", "storage"], micro: ["sha256"] })}`)();
const sha256 = (bytes: ArrayLike<number>) => sha256Of(Uint8Array.from(bytes));
// a host that has only what a board has: SHA-256 in one call
const host: Host = { sha256: { once: sha256 } };
const verifier: Verifier = {
  install: (input, trust, device) => code.install(input, trust, device, host),
  boot: (input, trust, device) => code.boot(input, trust, device, host),
};

async function release(sequence: number, bytes: Uint8Array, uri?: string): Promise<Release> {
  const facts = { sequence, ...uuid, digest: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  const description = singleImage(uri ? { ...facts, uri } : { ...facts, uri: "#firmware", payload: bytes });
  const envelope = await signEnvelopeWithoutLog(encode(description), [signer(key)]);
  return { envelope, trust: { anchors: [code.anchor("ed25519", key.key)] }, payloads: new Map(uri ? [[uri, bytes]] : []) };
}

const setup: Setup = { identity, components: [[hex("00")]], capacity: 1024, envelope: 1024, pageSize: 1024 };
// at full length none is left out
const second = ALL ? undefined : LONG ? 20 : 3;
const kinds: [string, MakeStore][] = [
  ["raw flash", (s) => flashStore(s, { receiving: false, code: { flashDevice: code.flashDevice, verifier } })],
  ["Espruino's Storage", (s) => storageStore(s, { receiving: false, code: { storageDevice: code.storageDevice, verifier } })],
];

describe("a power cut at any write and erase, and again during recovery, under a micro verifier", () => {
  it.each(kinds)("leaves the old or the new release on %s", { timeout: 600_000 }, async (_, make) => {
    const report = new Simulation(make, setup, await release(7, image(500, 1)), await release(8, image(300, 2))).run(second);
    expect(report.faults).toEqual([]);
    expect(report.cuts).toBeGreaterThan(20);
    expect(report.cutsDuringRecovery).toBeGreaterThan(150);
    expect(new Set(report.points.map((p) => p.boots))).toEqual(new Set(["old", "new"]));
  });

  it.each(kinds)("the same with an image outside the envelope on %s", { timeout: 600_000 }, async (_, make) => {
    const report = new Simulation(make, setup, null, await release(8, image(300, 2), "https://example.com/fw")).run(second);
    expect(report.faults).toEqual([]);
  });

  it.each(["flash-micro", "storage-micro"])("as firmseal simulate --device %s does it, with a release that it makes up", async (name) => {
    const { report } = await simulate((DEVICES[name] as SimulatedDevice).make, await release(8, image(503, 2)), identity, {
      secondCuts: 1,
    });
    expect(report.faults).toEqual([]);
    expect(report.cuts).toBeGreaterThan(20);
  });
});

describe("a micro verifier without boot(), whose releases the boot file starts", () => {
  const parts = { algs: ["ed25519"], features: ["storage"], micro: ["sha256"], without: ["boot"] } as const;
  const bootless = new Function(`return ${playable(parts)}`)();
  const make =
    (room: boolean): MakeStore =>
    (s) =>
      bootlessStore(s, {
        storageDevice: bootless.storageDevice,
        install: (input, trust, on) => {
          if (room) (on as ReturnType<typeof storageDevice>).makeRoom();
          return bootless.install(input, trust, on, host);
        },
      });

  it.each([
    ["", false],
    [" and makes room first", true],
  ] as const)("leaves the old or the new release at any cut, keeps no envelope%s", { timeout: 600_000 }, async (_, room) => {
    const report = new Simulation(make(room), setup, await release(7, image(500, 1)), await release(8, image(300, 2))).run(second);
    expect(report.faults).toEqual([]);
    expect(report.cuts).toBeGreaterThan(20);
    expect(new Set(report.points.map((p) => p.boots))).toEqual(new Set(["old", "new"]));
    const store = make(room)(setup);
    const machine = store.power();
    const opened = machine.start();
    bootless.install((await release(7, image(500, 1))).envelope, (await release(7, image(500, 1))).trust, opened.device, host).next();
    const { pages } = machine.off() as unknown as { pages: Uint8Array[] };
    const storage = powerOn(new FlashModel(pages)).storage;
    expect(storage.read("firmseal.1a")).toHaveLength(501);
    expect([storage.read("firmseal.0a"), storage.read("firmseal.0b")]).toEqual([undefined, undefined]);
  });

  it("records the digest that is signed: an image that changes after its check does not start", async () => {
    const flash = new FlashModel(erasedFlash(16, 4096));
    const io = () => storageIo(powerOn(flash).storage);
    const opened = bootless.storageDevice(io(), identity, [[hex("00")]], 1024, 2);
    const { floor } = opened;
    let calls = 0;
    opened.floor = () => {
      if (++calls === 2)
        flash.pages = flash.pages.map((page) => {
          const at = Buffer.from(page).indexOf(image(200, 1).subarray(64, 80));
          return at < 0 ? page : page.map((byte, i) => (i === at ? byte & 0 : byte));
        });
      return floor();
    };
    const one = await release(7, image(200, 1));
    bootless.install(one.envelope, { anchors: [bootless.anchor("ed25519", key.key)] }, opened, host).next();
    expect(calls).toBe(2);
    expect(storageBoot(io(), {})).toBe("");
  });

  it("has no boot(), and starts what a verifier with boot() has kept, and the other way round", async () => {
    expect([typeof bootless.boot, typeof code.boot]).toEqual(["undefined", "function"]);
    const flash = new FlashModel(erasedFlash(16, 4096));
    const open = (by: typeof code) => by.storageDevice(storageIo(powerOn(flash).storage), identity, [[hex("00")]], 1024, 2);
    const root: { firmsealApp?: StartedApp } = {};
    const boot = () => Buffer.from(storageBoot(storageIo(powerOn(flash).storage), root), "latin1");
    for (const [n, by] of [code, bootless, bootless, code].entries()) {
      const one = await release(n + 1, image(100 + n, n));
      by.install(one.envelope, { anchors: [by.anchor("ed25519", key.key)] }, open(by), host).next();
      expect(boot()).toEqual(Buffer.from(image(100 + n, n)));
      // the first has nothing to go back to
      expect(open(by).pending()).toBe(n > 0);
      root.firmsealApp?.confirm();
      expect(open(by).floor()).toEqual([0, n + 1]);
      if (n === 2) {
        // on trial, what it may go back to stays
        const two = await release(9, image(50, 9));
        by.install(two.envelope, { anchors: [by.anchor("ed25519", key.key)] }, open(by), host).next();
        expect(() => open(by).makeRoom()).toThrow("firmseal refusal 100");
        for (let i = 0; i < 3; i++) boot();
        expect(boot()).toEqual(Buffer.from(image(102, 2)));
        return;
      }
    }
  });
});

describe("the bundle that ships for Espruino", () => {
  const shipped = createRequire(import.meta.url)("../../verifier/dist/firmseal-micro-hsslms-storage.js");

  /** What Espruino has: one call for a text, for bytes, or for several of them. */
  const crypto = {
    SHA256(data: string | ArrayLike<number> | (number | ArrayLike<number>)[]) {
      const hash = createHash("sha256");
      const add = (part: string | number | ArrayLike<number>): void => {
        if (typeof part === "number") hash.update(Uint8Array.of(part));
        else hash.update(typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part));
      };
      if (Array.isArray(data)) data.forEach(add);
      else add(data as string);
      return Uint8Array.from(hash.digest()).buffer;
    },
  };

  it.each(["hsslms-n32-w4", "hsslms-n24-w4", "hsslms-two-levels-n32"])(
    "installs and starts %s from Storage, and refuses it changed",
    (name) => {
      const v = readMicroVectors().find((one) => one.name === name);
      const flash = new FlashModel(erasedFlash(16, 4096));
      const io = shipped.espruinoIo(powerOn(flash).storage, E, crypto);
      const [key] = v?.trust?.anchors ?? [];
      const whom = { anchors: [shipped.anchor("hsslms", hex(key?.key ?? ""))] };
      const device = shipped.storageDevice(
        io,
        { vendor: [hex("bcc169656f3a53389d83d8b565c63bc7")], class: [hex("0e21754ce8a85902aaa3b172debfb634")] },
        [[hex("00")]],
        600,
        2,
      );
      const envelope = hex(v?.envelope ?? "");
      const changed = Uint8Array.from(envelope);
      changed[100] = (changed[100] as number) ^ 1;
      expect(() => shipped.install(changed, whom, device, io.host)).toThrow("firmseal refusal 60");
      expect(device.envelope()).toBe(null);
      const progress = shipped.install(envelope, whom, device, io.host);
      progress.next();
      expect(progress.done).toBe(true);
      shipped.boot(device.start(), whom, device, io.host).next();
      expect(device.invoked).toHaveLength(1);
      expect(Buffer.from(device.invoked[0], "latin1").equals(Buffer.from(envelope.slice(-40)))).toBe(true);
      expect(device.floor()).toEqual([0, 7]);
    },
  );
});
