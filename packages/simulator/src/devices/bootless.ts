// A micro verifier without boot(), on the model of Espruino's Storage: the boot file starts what it has installed.

import { storageBoot, type storageDevice } from "@firmseal/verifier/device/storage";
import type { Setup, Store, Verifier } from "../store.js";
import { storageStore } from "./storage.js";

/** What a bundle without boot() exports. */
export interface BootlessCode {
  storageDevice: typeof storageDevice;
  install: Verifier["install"];
}

/** Compares the text that the boot file has returned with the image, and counts as the start. */
const started: Verifier["boot"] = (text, _trust, device) => ({
  manifest: { sequence: device.floor() },
  next() {
    const id = [Uint8Array.of(0)];
    const image = Buffer.from(Uint8Array.from(device.read(id, 0, device.size(id, false), false)));
    if (!image.equals(text as Uint8Array)) throw new Error("the boot file has started another text");
    device.invoke(id, undefined);
  },
});

/** Returns the store of a device whose verifier has no boot(). `code`: that of its bundle. */
export function bootlessStore(setup: Setup, code: BootlessCode): Store {
  const device: typeof storageDevice = (io, ...more) => {
    // on a board, the boot file comes before the device is opened
    const text = storageBoot(io, {});
    return Object.assign(code.storageDevice(io, ...more), {
      start: () => (text ? Buffer.from(text, "latin1") : null),
      invoke: () => true,
    });
  };
  return storageStore(setup, { receiving: false, code: { storageDevice: device, verifier: { install: code.install, boot: started } } });
}
