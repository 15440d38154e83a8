// Key files as minisign writes them, with limits that cost next to nothing.

import { scryptSync } from "node:crypto";
import type { PrivateKey, PublicKey } from "@firmseal/signer";
import { blake2b } from "@noble/hashes/blake2.js";

const NUMBER = Buffer.from("0123456789abcdef", "hex");

export function minisignPublic(key: PublicKey): string {
  const line = Buffer.concat([Buffer.from("Ed"), NUMBER, key.key]).toString("base64");
  return `untrusted comment: minisign public key ${NUMBER.toString("hex")}\n${line}\n`;
}

export function minisignSecret(key: PrivateKey, passphrase?: string): string {
  const body = Buffer.concat([NUMBER, key.secret, key.key]);
  const plain = Buffer.concat([body, blake2b(Buffer.concat([Buffer.from("Ed"), body]), { dkLen: 32 })]);
  const salt = Buffer.alloc(32, 7);
  const limits = Buffer.alloc(16);
  let sealed = plain;
  if (passphrase !== undefined) {
    // N = 2^10, r = 8, p = 1
    limits.writeBigUInt64LE(32768n, 0);
    limits.writeBigUInt64LE(2n ** 20n, 8);
    const stream = scryptSync(passphrase, salt, plain.length, { N: 1024, r: 8, p: 1 });
    sealed = Buffer.from(plain.map((byte, i) => byte ^ (stream[i] as number)));
  }
  const head = Buffer.concat([Buffer.from(passphrase === undefined ? "Ed\0\0B2" : "EdScB2", "latin1"), salt, limits]);
  return `untrusted comment: minisign encrypted secret key\n${Buffer.concat([head, sealed]).toString("base64")}\n`;
}
