// Keys of node:crypto for tests.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

export interface DrawnPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const KINDS = {
  ed25519: ["ed25519", {}],
  ed448: ["ed448", {}],
  x25519: ["x25519", {}],
  p256: ["ec", { namedCurve: "P-256" }],
  p384: ["ec", { namedCurve: "P-384" }],
  secp256k1: ["ec", { namedCurve: "secp256k1" }],
  rsa: ["rsa", { modulusLength: 2048 }],
  "rsa of 1,024 bits": ["rsa", { modulusLength: 1024 }],
} as const;

/**
 * Draws a key pair. As text first: while Node 20 exports a key of generateKeyPairSync(), a collection of garbage can
 * wait forever for the lock of that key.
 */
export function drawnPair(kind: keyof typeof KINDS): DrawnPair {
  const [type, options] = KINDS[kind];
  const { privateKey } = generateKeyPairSync(type as "ed25519", {
    ...options,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(privateKey) };
}
