// Native functions of Espruino, for the verifier and for the Storage device.

import { HAS_GENERAL, HAS_HOST512, HAS_ONCE, HAS_SHA256 } from "../base/features.js";
import type { Bytes, Hash, Host } from "../base/types.js";
import { sha256 } from "../hash/sha256.js";
import type { EspruinoE, EspruinoStorage, StorageIo } from "./storage.js";

/** require("crypto"), as far as a board has it. */
export interface EspruinoCrypto {
  SHA256?(data: string | Bytes | (number | Bytes)[]): ArrayBuffer;
  SHA512?(data: Bytes[]): ArrayBuffer;
}

/** What espruinoIo() returns. */
export interface EspruinoIo extends StorageIo {
  host: Host;
}

/**
 * Makes the object that a Storage device needs, and the `host` for open(), install() and boot().
 *
 * @param storage - `require("Storage")`.
 * @param E - The global `E`.
 * @param crypto - `require("crypto")`. If it is absent or lacks the hash, our own is used.
 * @returns The object, with `host`.
 */
export function espruinoIo(storage: EspruinoStorage, E: EspruinoE, crypto?: EspruinoCrypto): EspruinoIo {
  var host: Host = {};

  function native(data: string | Bytes | (number | Bytes)[]): Bytes {
    return new Uint8Array((crypto as Required<EspruinoCrypto>).SHA256(data));
  }

  /** The host's hash, which takes a text as well. kernel() gives one to boards without a native one. */
  function once(text: string): Bytes {
    return ((host.sha256 as Hash).joined as (data: unknown) => Bytes)(text);
  }

  // the native call is one-shot, so data in pieces is hashed by our own function
  if (crypto && crypto.SHA256)
    host.sha256 = HAS_SHA256
      ? { create: sha256.create, once: native, joined: native }
      : HAS_ONCE
        ? { once: native, joined: native }
        : { joined: native };
  // only Ed25519 hashes with it, 120 bytes in three pieces, none of which changes meanwhile
  if (HAS_HOST512 && !HAS_GENERAL && crypto && crypto.SHA512)
    host.sha512 = {
      create: function () {
        var pieces: Bytes[] = [];
        return {
          update: function (bytes: Bytes) {
            pieces.push(bytes);
          },
          digest: function () {
            return new Uint8Array((crypto.SHA512 as (data: Bytes[]) => ArrayBuffer)(pieces));
          },
        };
      },
    };
  return {
    storage: storage,
    E: E,
    host: host,
    sha256: function (text) {
      var hash = host.sha256,
        state,
        at;
      if (!HAS_SHA256) return once(text);
      try {
        // in place if flash is mapped into memory; otherwise it needs the whole text on the stack
        if (hash) return once(text);
      } catch (_) {
        // the stack is too small: our own function needs 256 bytes
      }
      state = sha256.create();
      for (at = 0; at < text.length; at += 256) state.update(E.toUint8Array(text.substring(at, at + 256)));
      return state.digest();
    },
  };
}
