// The devices for `firmseal simulate --device`, one row each.

import { flashDevice } from "@firmseal/verifier/device/flash";
import { storageDevice } from "@firmseal/verifier/device/storage";
import * as micro from "@firmseal/verifier/micro";
import type { MakeStore } from "../store.js";
import { filesStore } from "./files.js";
import { flashStore } from "./flash.js";
import { memoryStore } from "./memory.js";
import { storageStore } from "./storage.js";

/** The ready-made devices of the verifier with simulated storage, by name. */
export const DEVICES: { readonly [name: string]: MakeStore } = {
  flash: (setup) => flashStore(setup),
  storage: (setup) => storageStore(setup),
  files: (setup) => filesStore(setup),
  memory: memoryStore,
  // they receive nothing in pieces
  "flash-micro": (setup) => flashStore(setup, false, { flashDevice, verifier: micro }),
  "storage-micro": (setup) => storageStore(setup, false, undefined, { storageDevice, verifier: micro }),
};
