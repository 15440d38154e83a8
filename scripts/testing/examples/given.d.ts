// What the examples leave to their reader. scripts/testing/examples/run.mjs has the values.

import type { MakeStore } from "@firmseal/simulator";
import type { Bytes, Trust, TrustStore } from "@firmseal/verifier";
import type { FlashDevice } from "@firmseal/verifier/device/flash";

declare global {
  const envelope: Uint8Array, unsigned: Uint8Array, image: Uint8Array, message: Uint8Array, signature: Uint8Array;
  const publicKey: Uint8Array, seed: Uint8Array, secret: Uint8Array, serial: Uint8Array, nonce: Uint8Array, answer: Bytes;
  const vendorUuid: Uint8Array, classUuid: Uint8Array;
  const trust: Trust, store: TrustStore, device: FlashDevice;
  const hubStore: MakeStore;
}
