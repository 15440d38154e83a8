// What Espruino offers natively, as hashes for the verifier and for its Storage device.

import { HAS_SHA512 } from "../features.js";
import { sha256 } from "../hash/sha256.js";
import { sha384, sha512 } from "../hash/sha512.js";
import type { Bytes, Hash, Host } from "../types.js";
import type { EspruinoE, EspruinoStorage, StorageIo } from "./storage.js";

type NativeHash = (data: string | Bytes | (number | Bytes)[]) => ArrayBuffer;

/** require("crypto"), as far as a board has it. */
export interface EspruinoCrypto {
  SHA256?: NativeHash;
  SHA384?: NativeHash;
  SHA512?: NativeHash;
}

export interface EspruinoIo extends StorageIo {
  host: Host;
}

/** The native call is one-shot: what arrives in pieces is hashed by ours. */
function add(host: Host, name: "sha256" | "sha384" | "sha512", own: Hash, native: NativeHash | undefined): void {
  function once(data: Bytes | (number | Bytes)[]): Bytes {
    return new Uint8Array((native as NativeHash)(data));
  }
  if (native) host[name] = { create: own.create, once: once, joined: once };
}

/**
 * What a Storage device stands on, and the `host` for open(), install() and boot(): `espruinoIo(require("Storage"), E, require("crypto"))`.
 * `crypto` may be left out, or lack hashes: ours are there.
 */
export function espruinoIo(storage: EspruinoStorage, E: EspruinoE, crypto?: EspruinoCrypto): EspruinoIo {
  var native: EspruinoCrypto = crypto || {},
    host: Host = {};
  add(host, "sha256", sha256, native.SHA256);
  if (HAS_SHA512) {
    add(host, "sha384", sha384, native.SHA384);
    add(host, "sha512", sha512, native.SHA512);
  }
  return {
    storage: storage,
    E: E,
    sha256: function (text) {
      var state, at;
      try {
        // in place where flash is mapped into memory; else it wants the whole text on the stack
        if (native.SHA256) return new Uint8Array(native.SHA256(text));
      } catch (_) {
        // the stack is too small: ours needs 256 bytes
      }
      state = sha256.create();
      for (at = 0; at < text.length; at += 256) state.update(E.toUint8Array(text.substring(at, at + 256)));
      return state.digest();
    },
    host: host,
  };
}
