// A board with raw flash that starts, installs and receives.

import { expect } from "vitest";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { type FlashDevice, type FlashLayout, flashDevice } from "../src/device/flash.js";
import { boot, type Device, install } from "../src/index.js";
import { ID, identity, trust } from "./releases.js";

export const PAGE = 4096;

/** 0..4 and 4..8 slots of 00, 8..10 and 10..12 envelopes, 12 and 13 records; 14 and 15 are left. */
export const layout: FlashLayout = {
  components: [{ id: ID, slots: [0, 4 * PAGE], size: 4 * PAGE }],
  envelopes: { slots: [8 * PAGE, 10 * PAGE], size: 2 * PAGE },
  records: [12 * PAGE, 13 * PAGE],
};
export const careful: FlashLayout = { ...layout, tries: 3 };
export const empty = () => new FlashModel(erasedFlash(16, PAGE));

export interface Board {
  flash: FlashModel;
  device: FlashDevice;
  /** The bytes at the addresses that were started. */
  started: Uint8Array[];
}

export function on(flash: FlashModel, l = layout): Board {
  const started: Uint8Array[] = [];
  const device = flashDevice(flash, identity, l, (_id, _args, address, size) => started.push(flash.read(address, size)) > 0);
  return { flash, device, started };
}

export const restart = (b: Board, l = layout) => on(new FlashModel(b.flash.pages), l);

/** Starts what is there; undefined: nothing is. */
export function starts(b: Board): Uint8Array | undefined {
  const envelope = b.device.start();
  if (!envelope) return undefined;
  boot(envelope, trust, b.device).next();
  expect(b.started).toHaveLength(1);
  return b.started[0];
}

export function put(device: Device, envelope: Uint8Array): void {
  expect(install(envelope, trust, device).next()).toBeUndefined();
}
