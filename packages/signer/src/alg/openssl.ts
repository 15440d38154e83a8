// Ed25519 by OpenSSL, where Node's crypto is at hand: in constant time, which JavaScript cannot promise of numbers that depend on a secret.
// Without it (a browser, or an OpenSSL that was built or set up without Ed25519) a library signs; the signature is the same. The key is made
// anew for each signature, which costs as much as the library takes to sign: one that is kept would outlive the zeros that its owner writes over it.

/** What is used of node:crypto. Its own types are not imported, nor is it: the signer is for browsers, too. */
interface Crypto {
  createPrivateKey(key: { key: Uint8Array; format: "der"; type: "pkcs8" }): object;
  createPublicKey(key: object): { export(form: { format: "der"; type: "spki" }): Uint8Array };
  sign(algorithm: null, data: Uint8Array, key: object): Uint8Array;
}

/** PKCS#8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
const crypto = process?.getBuiltinModule?.("node:crypto") as Crypto | undefined;

/** What `use` makes of the key; undefined where OpenSSL is not there for it. */
function withNodeKey(secret: Uint8Array, use: (openssl: Crypto, key: object) => Uint8Array): Uint8Array | undefined {
  if (!crypto) return undefined;
  const der = new Uint8Array(new ArrayBuffer(48));
  der.set(PKCS8_HEAD);
  der.set(secret, PKCS8_HEAD.length);
  let key: object;
  try {
    key = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  } finally {
    der.fill(0);
  }
  return Uint8Array.from(use(crypto, key));
}

/** The public key of 32 bytes of secret (RFC 8032 §5.1.5): 32 bytes; undefined where a library has to work it out. */
export function nodePublicKey(secret: Uint8Array): Uint8Array | undefined {
  return withNodeKey(secret, (openssl, key) => openssl.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32));
}

/** The signature (RFC 8032 §5.1.6): 64 bytes; undefined where a library has to sign. */
export function nodeSign(tbs: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  return withNodeKey(secret, (openssl, key) => openssl.sign(null, tbs, key));
}
