// A board with Espruino's Storage that starts and installs.

import { createHash } from "node:crypto";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { anchor, install, type Progress } from "@firmseal/verifier";
import { type StartedApp, type StorageIo, storageBoot, storageDevice } from "@firmseal/verifier/device/storage";
import { expect } from "vitest";
import { fromLatin1, hex } from "../../test-support/src/bytes.js";
import { FlashModel } from "../src/storage-models/flash-model.js";
import { erasedFlash } from "../src/storage-models/flash-operations.js";
import { powerOn, storageIo } from "../src/storage-models/storage-model.js";

export const key = privateKey("ed25519", hex("0b".repeat(32)));
export const trust = { anchors: [anchor(key.alg, key.key)] };
export const identity = { vendor: [hex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")], class: [hex("1492af1425695e48bf429b2d51f2ab45")] };
export const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
export const ID = [hex("00")];
export const TRIES = 2;
export const ROOM = 5000;
export const app = (version: number, n = 2001) => `app(${version});//`.padEnd(n, String.fromCharCode(97 + (version % 26)));
export const bytes = fromLatin1;

export function release(sequence: number | string, text: string, uri = "#app"): Promise<Uint8Array> {
  const payload = bytes(text);
  const facts = { sequence, ...uuid, digest: createHash("sha256").update(payload).digest("hex"), size: payload.length, uri };
  return signEnvelopeWithoutLog(encode(singleImage(uri.startsWith("#") ? { ...facts, payload } : facts)), [signer(key)]);
}

export const deviceOn = (io: StorageIo, tries = TRIES) => storageDevice(io, identity, [ID], ROOM, tries);

/** A board, on flash of 16 pages. `start()` is what happens when it is switched on: the text that runs, and what the app is given. */
export class Board {
  flash = new FlashModel(erasedFlash(16, 4096));
  io = storageIo(powerOn(this.flash).storage);
  device = deviceOn(this.io);
  start(): { text: string; app: StartedApp | undefined } {
    this.flash = new FlashModel(this.flash.pages);
    this.io = storageIo(powerOn(this.flash).storage);
    const root: { firmsealApp?: StartedApp } = {};
    const text = storageBoot(this.io, root);
    this.device = deviceOn(this.io);
    return { text, app: root.firmsealApp };
  }
  install(envelope: Uint8Array): Progress {
    const progress = install(envelope, trust, this.device);
    expect(progress.next()).toBeUndefined();
    return progress;
  }
}

/** A board that runs release 7. */
export async function running(): Promise<Board> {
  const board = new Board();
  board.install(await release(7, app(7)));
  expect(board.start().text).toBe(app(7));
  return board;
}
