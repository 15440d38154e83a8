// What Espruino offers natively, as hashes for the verifier and for its Storage device.

import type { Bytes, Hash, Host } from "../types.js";
import type { EspruinoE, EspruinoStorage, StorageIo } from "./storage.js";

type NativeHash = (data: string | Bytes) => ArrayBuffer;

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
function add(host: Host, name: "sha256" | "sha384" | "sha512", own: Hash | undefined, native: NativeHash | undefined): void {
  if (!own) return;
  host[name] = own;
  if (native)
    host[name] = {
      create: own.create,
      once: function (bytes) {
        return new Uint8Array(native(bytes));
      },
    };
}

/**
 * What a Storage device stands on, and the `host` for install() and boot(): `espruinoIo(require("Storage"), E, require("crypto"), own)`.
 * `crypto` may be left out, or lack hashes: `own` has them all.
 */
export function espruinoIo(storage: EspruinoStorage, E: EspruinoE, crypto: EspruinoCrypto | undefined, own: Host): EspruinoIo {
  var native: EspruinoCrypto = crypto || {},
    host: Host = {};
  add(host, "sha256", own.sha256, native.SHA256);
  add(host, "sha384", own.sha384, native.SHA384);
  add(host, "sha512", own.sha512, native.SHA512);
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
      state = (own.sha256 as Hash).create();
      for (at = 0; at < text.length; at += 256) state.update(E.toUint8Array(text.substring(at, at + 256)));
      return state.digest();
    },
    host: host,
  };
}
