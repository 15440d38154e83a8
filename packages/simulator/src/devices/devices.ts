// The devices for `firmseal simulate --device`, one row each.

import { flashDevice } from "@firmseal/verifier/device/flash";
import { storageDevice } from "@firmseal/verifier/device/storage";
import * as micro from "@firmseal/verifier/micro";
import type { MakeStore, Setup, Store } from "../store.js";
import { type BootlessCode, bootlessStore } from "./bootless.js";
import { filesStore } from "./files.js";
import { flashStore } from "./flash.js";
import { memoryStore } from "./memory.js";
import { STORAGE_ROOM, storageStore } from "./storage.js";

/** A ready-made device of the verifier with simulated storage. */
export interface SimulatedDevice {
  make: MakeStore;
  /** Whether its storage has pages of `pageSize` bytes. */
  hasPages: boolean;
  /** Whether its verifier is a micro verifier. */
  isMicro: boolean;
  /** Releases that its storage has room for, if cuts can fill it. */
  room?: number;
  /** The device with the code of a bundle without boot(). Missing if it needs boot(). */
  bootless?: (setup: Setup, code: BootlessCode) => Store;
}

const STORAGE = { hasPages: true, room: STORAGE_ROOM };

const ROWS = {
  flash: { make: (setup) => flashStore(setup), hasPages: true, isMicro: false },
  storage: { make: (setup) => storageStore(setup), ...STORAGE, isMicro: false },
  files: { make: (setup) => filesStore(setup), hasPages: false, isMicro: false },
  memory: { make: memoryStore, hasPages: false, isMicro: false },
  // they receive nothing in pieces
  "flash-micro": {
    make: (setup) => flashStore(setup, { receiving: false, code: { flashDevice, verifier: micro } }),
    hasPages: true,
    isMicro: true,
  },
  "storage-micro": {
    make: (setup) => storageStore(setup, { receiving: false, code: { storageDevice, verifier: micro } }),
    ...STORAGE,
    isMicro: true,
    bootless: bootlessStore,
  },
} satisfies { [name: string]: SimulatedDevice };

/** The ready-made devices of the verifier with simulated storage, by name. */
export const DEVICES: { readonly [name in keyof typeof ROWS]: SimulatedDevice } & { readonly [name: string]: SimulatedDevice } = ROWS;
