// Keys for images of ESP32 chips, and signing with them.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type FormatFile, formatKey, signScheme } from "../../src/index.js";

/** New private keys for the tests that need no vectors. */
export const KEYS = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey,
  rsaOther: generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey,
  p192: generateKeyPairSync("ec", { namedCurve: "prime192v1" }).privateKey,
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p256Other: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
};

/** Signs a file with each key in turn. */
export function signWith(file: FormatFile, ...secrets: readonly KeyObject[]): FormatFile {
  return secrets.reduce((one, secret) => {
    const key = formatKey(secret);
    const { message, scheme } = one.toBeSigned(key);
    return one.withSignature(key, signScheme(secret, scheme, message));
  }, file);
}
