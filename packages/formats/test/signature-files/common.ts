// What the tests of signature files share.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { vectorBytes } from "../../../test-support/src/vectors.js";
import { type FormatFile, type FormatKey, formatKey, signScheme, toolKey } from "../../src/index.js";

/** Signs with a key until the file is finished. */
export function signed(file: FormatFile, secret: KeyObject, key: FormatKey = formatKey(secret)): FormatFile {
  const { message, scheme } = file.toBeSigned(key);
  const next = file.withSignature(key, signScheme(secret, scheme, message));
  return next.unfinished ? signed(next, secret, key) : next;
}

/** A private key of Ed25519. */
export function ed25519(seed: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
    format: "der",
    type: "pkcs8",
  });
}

/** New keys. */
export const KEYS = {
  ed25519: generateKeyPairSync("ed25519").privateKey,
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
};

export const vector = (name: string): Uint8Array => vectorBytes(`field/detached/${name}`);

const text = (name: string) => Buffer.from(vector(name)).toString();

/** A public key of the vectors: of a tool, or PEM. */
export const keyIn = (name: string): FormatKey => (name.endsWith(".pem") ? formatKey(text(name)) : toolKey(text(name)));

/** The private key of minisign: its seed is at 62. */
export const minisignSecret = (): KeyObject => secretAt("TEST-ONLY-minisign.key", 62);

/** The private key of signify: letters, rounds, salt and checksum are 32 bytes, the number 8. */
export const signifySecret = (): KeyObject => secretAt("TEST-ONLY-signify.sec", 40);

function secretAt(name: string, at: number): KeyObject {
  const bytes = Buffer.from(text(name).split("\n")[1] as string, "base64");
  return ed25519(bytes.subarray(at, at + 32));
}

/** The private key of OpenSSH: its seed is before the last copy of the public key. */
export function sshSecret(): KeyObject {
  const bytes = Buffer.from(text("TEST-ONLY-ssh-ed25519").replace(/-----[^\n]*\n|\s/g, ""), "base64");
  const at = bytes.lastIndexOf(keyIn("TEST-ONLY-ssh-ed25519.pub").spki.subarray(12));
  return ed25519(bytes.subarray(at - 32, at));
}
