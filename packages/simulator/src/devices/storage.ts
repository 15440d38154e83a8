// device/storage.ts of the verifier, on the model of Espruino's Storage.

import { storageDevice } from "@firmseal/verifier/device/storage";
import type { FlashModel } from "../storage-models/flash-model.js";
import { erasedFlash } from "../storage-models/flash-operations.js";
import { powerOn, storageIo } from "../storage-models/storage-model.js";
import type { Setup, Started, Store, Verifier } from "../store.js";
import { FlashStore, type StoreOptions } from "./flash.js";
import { startedTrial } from "./trial.js";

/**
 * How many releases the simulated device has room for without compaction: the two that are kept, and attempts that were
 * cut.
 */
export const STORAGE_ROOM = 6;

/** The code of a device, such as that of a bundle. */
export interface StorageCode {
  storageDevice: typeof storageDevice;
  verifier?: Verifier;
}

/**
 * The store of device/storage.ts. `receiving`: the envelope is streamed to Storage and read from there; otherwise it is
 * in RAM and is stored at the end. `code`: another verifier, and its device.
 */
export function storageStore(
  setup: Setup,
  { receiving = true, roomFor = STORAGE_ROOM, code = { storageDevice } }: StoreOptions<StorageCode> & { roomFor?: number } = {},
): Store {
  const { pageSize } = setup;
  const start = (flash: FlashModel): Started => {
    const io = { ...storageIo(powerOn(flash).storage), page: pageSize };
    const device = code.storageDevice(io, setup.identity, [...setup.components], setup.capacity, 3);
    return startedTrial(device, receiving, code.verifier);
  };
  const release = setup.components.length * setup.capacity + setup.envelope + pageSize;
  const where = (address: number) => `page ${Math.floor(address / pageSize)} of Storage`;
  // a file that was removed has no name any more: nothing finds its bytes
  const content = (flash: FlashModel) => {
    const { storage } = powerOn(flash);
    return storage.list().map((name) => Buffer.from(storage.read(name) ?? "", "latin1"));
  };
  return new FlashStore({ start, where, content }, erasedFlash(Math.ceil((roomFor * release) / pageSize) + 1, pageSize));
}
