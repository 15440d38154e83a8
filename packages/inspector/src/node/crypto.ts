// What the simulator uses of node:crypto.

import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { Buffer } from "./buffer.js";

const HASHES = { sha256, sha384, sha512 };

export function createHash(name: keyof typeof HASHES) {
  const state = HASHES[name].create();
  const hash = {
    update(data: Uint8Array | string) {
      state.update(typeof data === "string" ? new TextEncoder().encode(data) : data);
      return hash;
    },
    digest(encoding?: "hex") {
      const bytes = Buffer.from(state.digest());
      return encoding ? bytes.toString(encoding) : bytes;
    },
  };
  return hash;
}

export const randomBytes = (n: number) => crypto.getRandomValues(new Uint8Array(n));
