// Envelopes around anything, signed with the published test key "a".

import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { array, bytes, int, map, NIL, tag, text } from "../../test-vectors/src/pieces/assemble.js";
import { tidied } from "./loose.js";

// RFC 8032 §7.1, test 1, as PKCS#8
const KEY: KeyObject = createPrivateKey({
  key: Buffer.from("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"),
  format: "der",
  type: "pkcs8",
});
const BUCKET = [0xa1, 0x01, 0x32];

/** A signature over a Sig_structure. */
export const signed = (structure: ArrayLike<number>): Uint8Array => Uint8Array.from(sign(null, Uint8Array.from(structure), KEY));

/** `manifest` in a signed envelope; `rest` are keys and values by turns. All are encoded items. */
export function sealed(manifest: Uint8Array, rest: readonly Uint8Array[] = []): Uint8Array {
  const whole = Buffer.from(bytes(manifest));
  const digest = array(int(-16), bytes(createHash("sha256").update(whole).digest()));
  const structure = array(text("Signature1"), bytes(BUCKET), bytes([]), bytes(digest));
  const block = tag(18, array(bytes(BUCKET), map(), NIL, bytes(signed(structure))));
  const pairs = new Map<string, Uint8Array>();
  for (let i = 0; i + 1 < rest.length; i += 2) pairs.set(Buffer.from(rest[i] as Uint8Array).toString("latin1"), rest[i + 1] as Uint8Array);
  pairs.set("\x02", Uint8Array.from(bytes(array(bytes(digest), bytes(block)))));
  pairs.set("\x03", whole);
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  const count = sorted.length < 24 ? [0xa0 + sorted.length] : [0xb8, Math.min(255, sorted.length)];
  return Buffer.concat([
    Uint8Array.of(0xd8, 0x6b, ...count),
    ...sorted.slice(0, 255).flatMap(([key, value]) => [Buffer.from(key, "latin1"), value]),
  ]);
}

/** The envelope of an input in the loose form: a manifest, then pairs. undefined if it is empty. */
export function sealedLoose(input: Uint8Array): Uint8Array | undefined {
  const [manifest, ...rest] = tidied(input);
  return manifest && sealed(manifest, rest);
}
