// Ed25519 by OpenSSL, if Node's crypto is available: it runs in constant time, which JavaScript cannot guarantee for
// numbers that depend on a secret. Without it (in a browser, or with an OpenSSL that lacks Ed25519) a library signs,
// and the signature is the same. Importing the key takes longer than signing, so the public key and all signatures of
// one turn of the event loop share a key object, until wipePrivateKey(). It holds a copy of the secret, which OpenSSL
// overwrites when the object is collected as garbage: some time after its owner has overwritten the secret with zeros,
// as it is with an object for one signature. Its parser of DER frees a buffer with the secret that it does not
// overwrite; the next allocations nearly always do.

import { decodeBase64url } from "../base64url.js";

export type HashByNode = "sha1" | "sha256" | "sha384" | "sha512";

/**
 * The part of node:crypto that is used here. The signer also runs in browsers, so it imports neither the module nor its
 * types.
 */
interface Crypto {
  createPrivateKey(key: { key: Uint8Array; format: "der"; type: "pkcs8" }): object;
  createPublicKey(key: object): { export(form: { format: "jwk" }): { readonly x?: string } };
  sign(algorithm: null, data: Uint8Array, key: object): Uint8Array;
  createHash(name: HashByNode): { update(data: Uint8Array): { digest(): Uint8Array; digest(form: "hex"): string } };
  randomFillSync(bytes: Uint8Array): Uint8Array;
}

/** PKCS#8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/** Loaded when it is first needed: a program that verifies alone starts faster without it. */
function openssl(): Crypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.("node:crypto") as Crypto | undefined;
}

/** The key object of a secret. Undefined if OpenSSL cannot make one. */
function imported(crypto: Crypto, secret: Uint8Array): object | undefined {
  const der = new Uint8Array(new ArrayBuffer(48));
  der.set(PKCS8_HEAD);
  der.set(secret, PKCS8_HEAD.length);
  try {
    return crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  } finally {
    der.fill(0);
  }
}

/**
 * The key object of the current turn of the event loop, and the secret that it is of: the array, and the digest of its
 * bytes.
 */
let inUse: { readonly secret: Uint8Array; readonly digest: string; readonly key: object; readonly turn: object } | undefined;

/** Drops the key object of a secret, which its owner has overwritten. */
export function forgetKeyObject(secret: Uint8Array): void {
  if (inUse?.secret === secret) inUse = undefined;
}

/** Keeps a key object until the end of this turn. */
function keepForTurn(secret: Uint8Array, digest: string, key: object): void {
  const { setImmediate } = globalThis as { setImmediate?(run: () => void): void };
  if (!setImmediate) return;
  // the function must not hold the key itself
  const turn = {};
  inUse = { secret, digest, key, turn };
  setImmediate(() => {
    if (inUse?.turn === turn) inUse = undefined;
  });
}

/**
 * Calls `use` with the key. Returns undefined if OpenSSL cannot be used for it. An array whose bytes have changed is
 * another key.
 */
function withNodeKey(secret: Uint8Array, use: (openssl: Crypto, key: object) => Uint8Array): Uint8Array | undefined {
  const crypto = openssl();
  if (!crypto) return undefined;
  const digest = crypto.createHash("sha256").update(secret).digest("hex");
  let key = inUse?.secret === secret && inUse.digest === digest ? inUse.key : undefined;
  if (!key) {
    key = imported(crypto, secret);
    if (!key) return undefined;
    keepForTurn(secret, digest, key);
  }
  return Uint8Array.from(use(crypto, key));
}

/** The 32-byte public key of a 32-byte secret (RFC 8032 §5.1.5). Returns undefined if a library has to compute it. */
export function nodePublicKey(secret: Uint8Array): Uint8Array | undefined {
  // as a JWK: for DER, OpenSSL first looks through all that it can encode
  const publicOf = (openssl: Crypto, key: object) => openssl.createPublicKey(key).export({ format: "jwk" }).x;
  return withNodeKey(secret, (openssl, key) => decodeBase64url(publicOf(openssl, key) as string) as Uint8Array);
}

/**
 * The 64-byte signature (RFC 8032 §5.1.6). Returns undefined if a library has to sign. The caller verifies the
 * signature.
 */
export function nodeSign(tbs: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  return withNodeKey(secret, (openssl, key) => openssl.sign(null, tbs, key));
}

/** The hash of bytes. Returns undefined if a library has to compute it. */
export function nodeHash(name: HashByNode, bytes: Uint8Array): Uint8Array | undefined {
  const digest = openssl()?.createHash(name).update(bytes).digest();
  return digest && Uint8Array.from(digest);
}

/** Random bytes. In Node by the module that signs: the global `crypto` would load Web Crypto as well. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return openssl()?.randomFillSync(bytes) ?? globalThis.crypto.getRandomValues(bytes);
}
