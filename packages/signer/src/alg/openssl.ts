// Ed25519 by OpenSSL, where Node's crypto is at hand: in constant time, which JavaScript cannot promise of numbers that depend on a secret, and
// many times as fast. Without it (a browser, or an OpenSSL that was built or set up without Ed25519) a library signs; the signature is the same.

import type * as Crypto from "node:crypto";

type Process = { getBuiltinModule?(name: "node:crypto"): typeof Crypto | undefined };

/** PKCS#8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

// not an import: the signer is for browsers, too
const crypto = (globalThis as { process?: Process }).process?.getBuiltinModule?.("node:crypto");

function keyOf(crypto: typeof Crypto, secret: Uint8Array): Crypto.KeyObject | undefined {
  const der = Buffer.alloc(48);
  der.set(HEAD);
  der.set(secret, HEAD.length);
  try {
    return crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  } finally {
    der.fill(0);
  }
}

/** The public key of 32 bytes of secret (RFC 8032 §5.1.5): 32 bytes; undefined where OpenSSL is not there for it. */
export function derive(secret: Uint8Array): Uint8Array | undefined {
  const key = crypto && keyOf(crypto, secret);
  return key && Uint8Array.from(crypto.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32));
}

/** The signature (RFC 8032 §5.1.6): 64 bytes; undefined where OpenSSL is not there for it. */
export function sign(tbs: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  const key = crypto && keyOf(crypto, secret);
  return key && Uint8Array.from(crypto.sign(null, tbs, key));
}
