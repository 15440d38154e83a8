// The devices for `firmseal simulate --device`, one row each.

import type { MakeStore } from "../store.js";
import { filesStore } from "./files.js";
import { flashStore } from "./flash.js";
import { memoryStore } from "./memory.js";
import { storageStore } from "./storage.js";

export const DEVICES: { readonly [name: string]: MakeStore } = {
  flash: (setup) => flashStore(setup),
  storage: (setup) => storageStore(setup),
  files: (setup) => filesStore(setup),
  memory: memoryStore,
};
