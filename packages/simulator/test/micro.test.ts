// Power cuts under a micro verifier: the code is that of a bundle, in which what a micro verifier does not need is left out.

import { createHash } from "node:crypto";
import { encode, privateKey, signEnvelope, signer, singleImage } from "@firmseal/signer";
import type { Host } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { playable } from "../../bundler/src/index.js";
import { ALL, LONG } from "../../test-support/src/effort.js";
import { DEVICES } from "../src/devices/devices.js";
import { flashStore } from "../src/devices/flash.js";
import { storageStore } from "../src/devices/storage.js";
import { type Release, Simulation } from "../src/engine.js";
import { simulate } from "../src/simulate.js";
import type { MakeStore, Setup, Verifier } from "../src/store.js";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
const key = privateKey("ed25519", hex("0b".repeat(32)));
const image = (n: number, seed: number) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);

const code = new Function(`return ${playable({ algs: ["ed25519"], features: ["flash", "storage"], micro: ["sha256"] })}`)();
const sha256 = (bytes: ArrayLike<number>) => new Uint8Array(createHash("sha256").update(Uint8Array.from(bytes)).digest());
// a host that has only what a board has: SHA-256 in one call
const host: Host = { sha256: { once: sha256 } };
const verifier: Verifier = {
  install: (input, trust, device) => code.install(input, trust, device, host),
  boot: (input, trust, device) => code.boot(input, trust, device, host),
};

async function release(sequence: number, bytes: Uint8Array, uri?: string): Promise<Release> {
  const facts = { sequence, ...uuid, digest: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  const description = singleImage(uri ? { ...facts, uri } : { ...facts, uri: "#firmware", payload: bytes });
  const envelope = await signEnvelope(encode(description), [signer(key)]);
  return { envelope, trust: { anchors: [code.anchor("ed25519", key.key)] }, payloads: new Map(uri ? [[uri, bytes]] : []) };
}

const setup: Setup = { identity, components: [[hex("00")]], capacity: 1024, envelope: 1024, pageSize: 1024 };
// at full length none is left out
const second = ALL ? undefined : LONG ? 20 : 10;
const kinds: [string, MakeStore][] = [
  ["raw flash", (s) => flashStore(s, false, { flashDevice: code.flashDevice, verifier })],
  ["Espruino's Storage", (s) => storageStore(s, false, undefined, { storageDevice: code.storageDevice, verifier })],
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
    const { report } = await simulate(DEVICES[name] as MakeStore, await release(8, image(503, 2)), identity, { secondCuts: 1 });
    expect(report.faults).toEqual([]);
    expect(report.cuts).toBeGreaterThan(20);
  });
});
