// Boards that receive an envelope, and envelopes with junk in them.

import { privateKey } from "@firmseal/signer";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { powerOn, storageIo } from "../../simulator/src/storage-models/storage-model.js";
import { hex } from "../../test-support/src/bytes.js";
import { type FlashLayout, flashDevice } from "../src/device/flash.js";
import { storageDevice } from "../src/device/storage.js";
import type { Trust } from "../src/index.js";
import type { TrialDevice } from "../src/install/device.js";
import { ID, identity, image, release, trust } from "./releases.js";

export const PAGE = 4096;
export const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 4 * PAGE], size: 4 * PAGE }],
  envelopes: { slots: [8 * PAGE, 12 * PAGE], size: 4 * PAGE },
  records: [16 * PAGE, 17 * PAGE],
  tries: 3,
};

export interface Board {
  flash: FlashModel;
  device: TrialDevice;
}

export const boards: [string, (flash?: FlashModel) => Board][] = [
  ["raw flash", (flash = new FlashModel(erasedFlash(18, PAGE))) => ({ flash, device: flashDevice(flash, identity, layout, () => true) })],
  [
    "Storage",
    (flash = new FlashModel(erasedFlash(32, PAGE))) => {
      const io = storageIo(powerOn(flash).storage);
      return { flash, device: storageDevice(io, identity, [ID], 4 * PAGE, 3) };
    },
  ],
];

export function send(
  b: Board,
  envelope: Uint8Array,
  { packet = 64, length = envelope.length, whom = trust as Trust, memory = 65536 } = {},
): void {
  for (let at = 0; at < envelope.length; at += packet) b.device.receive(envelope.slice(at, at + packet), length, whom, { memory });
}

export const good = privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
export const other = privateKey("ed25519", hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
export const bytes = image(1, 1000);
export const plain: Uint8Array = await release(2, bytes);
