// Releases to install, and the device that they are for.

import { type Description, encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { hex, patterned, sha256Hex } from "../../test-support/src/bytes.js";
import { anchor, type Refusal } from "../src/index.js";

const key = privateKey("ed25519", hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
export const trust = { anchors: [anchor("ed25519", key.key)] };
export const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };
export const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };
/** The component of singleImage(). */
export const ID = [hex("00")];

export const image = (seed: number, n: number) => patterned(n, seed);
export const signed = (d: Description) => signEnvelopeWithoutLog(encode(d), [signer(key)]);

/** One image, in the envelope where `uri` is one of its own. */
export function release(sequence: number | string, bytes: Uint8Array, uri = "#firmware", text?: Description["text"]): Promise<Uint8Array> {
  const facts = { sequence, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri, ...(text && { text }) };
  return signed(singleImage(uri.startsWith("#") ? { ...facts, payload: bytes } : facts));
}

/** The number with which something is refused; 0 where it is not. */
export function code(run: () => unknown): number {
  try {
    run();
  } catch (e) {
    return (e as Refusal).code;
  }
  return 0;
}
