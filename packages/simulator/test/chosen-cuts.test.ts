import { createHash } from "node:crypto";
import { encode, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { anchor } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { image, keyA } from "../../test-support/src/command-line/run.js";
import { type FlashStore, flashStore } from "../src/devices/flash.js";
import { storageStore } from "../src/devices/storage.js";
import { nodeHost } from "../src/host.js";
import { bootOn, installOn, type Release } from "../src/simulation/start-install.js";
import type { Cut, MakeStore, Setup } from "../src/store.js";

const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
const setup: Setup = { identity, components: [[hex("00")]], capacity: 8192, envelope: 8192, pageSize: 4096 };
const trust = { anchors: [anchor(keyA.alg, keyA.key)] };

async function release(sequence: number): Promise<Release> {
  const payload = image(5001, sequence);
  const digest = createHash("sha256").update(payload).digest("hex");
  const envelope = await signEnvelopeWithoutLog(encode(singleImage({ sequence, ...uuid, digest, size: 5001, uri: "#fw", payload })), [
    signer(keyA),
  ]);
  return { envelope, trust, payloads: new Map() };
}

const words = ({ operation, what, tear }: Cut) => `${operation} ${what} ${tear}`;
const contentOf = (cut: Cut) => Buffer.concat((cut.left() as FlashStore).pages as Uint8Array[]).toString("latin1");

describe("chosen cuts", () => {
  const kinds: [string, MakeStore][] = [
    ["flash", flashStore],
    ["flash, envelope in RAM", (s) => flashStore(s, { receiving: false })],
    ["Storage", storageStore],
  ];
  it.each(kinds)("leave what the same cuts of the whole list leave, from every store of the course, on: %s", async (_, make) => {
    const [one, two] = [await release(7), await release(8)];
    const first = make(setup).power();
    installOn(first.start(), one);
    const from = first.off();
    const machine = from.power();
    installOn(machine.start(), two);
    const started = machine.start();
    bootOn(started, setup, trust);
    started.confirm?.();
    // the stores after its first cuts take the same course
    const stores = [from];
    for (const cut of machine.cuts(from)) {
      const store = cut.left();
      if (stores.length < 12 && machine.sameCourse(store)) stores.push(store);
    }
    expect(stores.length).toBeGreaterThan(1);
    const all = machine.cutCount();
    const every = Array.from({ length: all }, (_, i) => i);
    for (const store of stores) {
      const wanted = [...machine.cuts(store)].map(words);
      expect(wanted).toHaveLength(all);
      const contents: string[] = [];
      for (const cut of machine.cuts(store)) contents.push(createHash("sha256").update(contentOf(cut)).digest("hex"));
      for (const chosen of [every, every.filter((i) => i % 7 === 3), [all - 1], []]) {
        const cuts = [...(machine.someCuts?.(store, chosen) ?? [])];
        expect(cuts.map(words)).toEqual(chosen.map((i) => wanted[i]));
        expect(cuts.map((cut) => createHash("sha256").update(contentOf(cut)).digest("hex"))).toEqual(chosen.map((i) => contents[i]));
      }
    }
  });
});

describe("the hash functions of the simulation", () => {
  it("hash pieces of all sizes as one message, whatever happens to a piece afterwards", () => {
    for (const sizes of [
      [],
      [0],
      [1, 2, 3],
      [9000, 1, 9000, 16384, 5],
      [...Array<number>(40).fill(1000), 20000, 7],
      [16384, 1],
      [8192, 8192, 8192],
    ]) {
      const hash = nodeHost.sha256.create();
      const whole = createHash("sha256");
      for (const [i, n] of sizes.entries()) {
        const piece = new Uint8Array(n).map((_, j) => (j * 31 + i) & 255);
        whole.update(piece);
        hash.update(i % 2 ? [...piece] : piece);
        piece.fill(0);
      }
      expect(Buffer.from(hash.digest() as Uint8Array).toString("hex")).toBe(whole.digest("hex"));
    }
  });
});
