import { createHash } from "node:crypto";
import { encode, privateKey, sign, signer, singleImage } from "@firmseal/signer";
import { anchor, boot, errors, install, type Refusal, type Source } from "@firmseal/verifier";
import { espruinoIo } from "@firmseal/verifier/device/espruino";
import { type StartedApp, type StorageDevice, type StorageIo, storageBoot, storageDevice, storageSource } from "@firmseal/verifier/device/storage";
import { sha256 } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { blank, FlashMisuse, type Pages, PowerCut, TEARS, type Tear } from "../src/simulate/flash-model.js";
import { E, powerOn, StorageModel, storageIo } from "../src/simulate/storage-model.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const key = privateKey("hmac256", hex("0b".repeat(32)));
const trust = { anchors: [anchor("hmac256", key.key)] };
const identity = { vendor: [hex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")], class: [hex("1492af1425695e48bf429b2d51f2ab45")] };
const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
const ID = [hex("00")];
const TRIES = 2;

const app = (version: number, n: number) => `app(${version});//`.padEnd(n, String.fromCharCode(97 + version));
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

function release(sequence: number, text: string, uri = "#app"): Promise<Uint8Array> {
  const payload = bytes(text);
  const facts = { sequence, ...uuid, digest: createHash("sha256").update(payload).digest("hex"), size: payload.length, uri };
  return sign(encode(singleImage(uri.startsWith("#") ? { ...facts, payload } : facts)), [signer(key)]);
}
