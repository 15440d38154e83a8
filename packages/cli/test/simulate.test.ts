import { createHash } from "node:crypto";
import { type Description, encode, type PrivateKey, sign, signer, singleImage } from "@firmseal/signer";
import { anchor } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { DEVICES } from "../src/simulate/devices.js";
import { type Release, Simulation } from "../src/simulate/engine.js";
import type { Setup } from "../src/simulate/store.js";
import { image, keyA } from "./run.js";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function signed(d: Description, key: PrivateKey = keyA, payloads: Release["payloads"] = new Map()): Promise<Release> {
  return { envelope: await sign(encode(d), [signer(key)]), trust: { anchors: [anchor(key.alg, key.key)] }, payloads };
}

function release(sequence: number, bytes: Uint8Array): Promise<Release> {
  return signed(singleImage({ sequence, ...uuid, digest: sha256(bytes), size: bytes.length, uri: "#fw", payload: bytes }));
}

const setup: Setup = { identity, components: [[hex("00")]], capacity: 8192, envelope: 8192, pageSize: 4096 };

describe("a power cut", () => {
  it.each(Object.keys(DEVICES))("leaves the old or the new release on the device %s, also when it is cut again", async (name) => {
    const [one, two] = [await release(7, image(5001, 1)), await release(8, image(4099, 2))];
    const t = Date.now();
    const report = new Simulation(DEVICES[name] as never, setup, one, two).run();
    console.log(
      name,
      report.cuts,
      report.cutsDuringRecovery,
      report.courses,
      report.faultCount,
      Date.now() - t,
      JSON.stringify(report.faults.slice(0, 5), null, 1),
    );
    expect(report.faults).toEqual([]);
    expect(report.cuts).toBeGreaterThan(20);
    expect(report.cutsDuringRecovery).toBeGreaterThan(400);
  });
});
