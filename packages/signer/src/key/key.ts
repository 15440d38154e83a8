// Keys. Every key in this package has passed publicKey() or privateKey(), the only functions that check its length,
// curve and range.

import { sha256 } from "@firmseal/verifier";
import { KEY_ALG, KEY_CRV, KEY_KTY, KEY_PUB, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import { coseAlg, coseFormOf, type KeyAlg, loadedRow, rowOf } from "../alg/algorithms.js";
import { secretCopy } from "../bytes.js";
import { encodeCbor } from "../cbor.js";
import { KeyError, unlessThrown } from "../key-error.js";

/**
 * A checked public key: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), 60 or 52 bytes (HSS/LMS, RFC 8554 §6.1), or
 * 1,312, 1,952 or 2,592 bytes (ML-DSA-44, -65, -87). `kid` is the COSE key identifier.
 */
export interface PublicKey {
  readonly alg: KeyAlg;
  readonly key: Uint8Array;
  readonly kid?: Uint8Array;
}

/**
 * A private key. `secret` has 32 bytes: the Ed25519 seed, the big-endian P-256 scalar d, or the ML-DSA seed ξ. It is
 * not enumerable, so logging, JSON.stringify() or spreading the object exposes only the public part.
 */
export interface PrivateKey extends PublicKey {
  readonly secret: Uint8Array;
}

/**
 * Checks a raw public key.
 *
 * @param alg - The algorithm.
 * @param key - 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), 60 or 52 bytes (HSS/LMS), or 1,312, 1,952 or 2,592
 *   bytes (ML-DSA).
 * @param kid - The key identifier. Default: none.
 * @returns The key.
 * @throws KeyError `length`, or `point` if it is not on the curve (invalid-curve attack), not canonical, or of small
 *   order.
 */
export function publicKey(alg: KeyAlg, key: Uint8Array, kid?: Uint8Array): PublicKey {
  const row = rowOf(alg);
  if (!row.publicLengths.includes(key.length))
    throw new KeyError("length", `a public key of ${alg} has ${row.publicLengths.join(" or ")} bytes, not ${key.length}`);
  row.check(key);
  return { alg, key: Uint8Array.from(key), ...(kid && { kid: Uint8Array.from(kid) }) };
}

/**
 * Makes a private key from its secret bytes.
 *
 * @param alg - The algorithm.
 * @param secret - 32 bytes: Ed25519 seed, big-endian P-256 scalar, or ML-DSA seed ξ (FIPS 204 Algorithm 6).
 * @param kid - The key identifier. Default: none.
 * @returns The key, for signer().
 * @throws KeyError `length`, or `range` if a scalar is 0 or not below n, and NotLoaded for ML-DSA before loadAlg().
 * @example
 * ```ts
 * import { privateKey, signer } from "@firmseal/signer";
 *
 * const key = privateKey("ed25519", crypto.getRandomValues(new Uint8Array(32)));
 * const signature = await signer(key).sign(new TextEncoder().encode("message"));
 * ```
 */
export function privateKey(alg: KeyAlg, secret: Uint8Array, kid?: Uint8Array): PrivateKey {
  const derive = derivationOf(alg, secret);
  const own = secretCopy(secret);
  // Always derive the public key here: an Ed25519 signer that accepts a foreign public key reveals its private key with
  // two signatures (RUSTSEC-2022-0093).
  const key = { ...publicKey(alg, derive(own), kid) };
  return Object.defineProperty(key, "secret", { value: own, enumerable: false }) as PrivateKey;
}

/** What derives the public key of a secret. Throws the refusals of privateKey(), but for the range. */
function derivationOf(alg: KeyAlg, secret: Uint8Array): (secret: Uint8Array) => Uint8Array {
  const { derive, secretLength } = loadedRow(alg);
  // HSS/LMS keys have state
  if (!derive) throw new KeyError("unsupported", `a private key of ${alg} has state, and is not kept in memory`);
  if (secret.length !== secretLength)
    throw new KeyError("length", `a private key of ${alg} has ${secretLength} bytes, not ${secret.length}`);
  return derive;
}

/** The public key of a private key, derived again. Throws the refusals of privateKey(). */
export function derivedAgain({ alg, secret, kid }: PrivateKey): PublicKey {
  return publicKey(alg, derivationOf(alg, secret)(secret), kid);
}

/**
 * Tells a private key from a public one.
 *
 * @param key - The key.
 * @returns Whether it includes its private part.
 */
export function isPrivate(key: PublicKey): key is PrivateKey {
  return (key as Partial<PrivateKey>).secret !== undefined;
}

/**
 * Expands an ML-DSA private key (FIPS 204 Algorithm 24). The result is only compared with the copy that a file holds
 * beside the seed (RFC 9881 §6); it is neither written nor used to sign.
 *
 * @param key - The private key.
 * @returns 2,560, 4,032 or 4,896 bytes.
 * @throws KeyError `unsupported` for other algorithms.
 */
export function expandedKey(key: PrivateKey): Uint8Array {
  const { expand } = loadedRow(key.alg);
  if (!expand) throw new KeyError("unsupported", `private keys of ${key.alg} have one form only`);
  return expand(key.secret);
}

/**
 * Removes the private part of a key.
 *
 * @param key - The key, public or private.
 * @returns The same key without its private part.
 */
export function publicOf(key: PublicKey): PublicKey {
  return { alg: key.alg, key: key.key, ...(key.kid && { kid: key.kid }) };
}

/**
 * Gives a key another key identifier.
 *
 * @param key - The key. It does not change.
 * @param kid - The identifier.
 * @returns The key with it.
 */
export function withKid<K extends PublicKey>(key: K, kid: Uint8Array): K;

export function withKid(key: PublicKey, kid: Uint8Array): PublicKey {
  return isPrivate(key) ? privateKey(key.alg, key.secret, kid) : publicKey(key.alg, key.key, kid);
}

/** The coordinates of a point 04 ‖ x ‖ y. A key without coordinates is returned unchanged. */
export function coordinatesOf({ alg, key }: PublicKey): [x: Uint8Array, y?: Uint8Array] {
  const n = coseFormOf(alg).coordinate;
  return n === undefined ? [key] : [key.subarray(1, 1 + n), key.subarray(1 + n)];
}

/** The members of a COSE_Key that its thumbprint covers (RFC 9679 §4). All are public. */
export function requiredMembers(key: PublicKey): Map<number, number | Uint8Array> {
  const { kty, crv, bound } = coseFormOf(key.alg);
  const [x, y] = coordinatesOf(key);
  const out = new Map<number, number | Uint8Array>([[KEY_KTY, kty]]);
  if (bound) out.set(KEY_ALG, coseAlg(key.alg));
  if (crv === undefined) return out.set(KEY_PUB, x);
  out.set(KEY_CRV, crv).set(KEY_X, x);
  return y ? out.set(KEY_Y, y) : out;
}

/**
 * Computes y of the point with this x. Throws KeyError if there is none, or if the keys of the algorithm have no second
 * coordinate.
 */
export function decompress(alg: KeyAlg, x: Uint8Array | undefined, odd: boolean): Uint8Array {
  const { family, decompress } = rowOf(alg);
  const { coordinate } = coseFormOf(alg);
  if (x?.length !== coordinate) throw new KeyError("length", `the x of a key on ${family} has ${coordinate} bytes`);
  const y = x && unlessThrown(() => decompress?.(x, odd));
  if (!y) throw new KeyError("point", `the public key is not a point of ${family}`);
  return y;
}

/** The raw keys of twinsOf(), which are not checked. */
export function twinBytes({ alg, key }: PublicKey): Uint8Array[] {
  return rowOf(alg).twins?.(key) ?? [];
}

/**
 * Finds all other public keys that the secret of this key signs for.
 *
 * @param key - The key.
 * @returns The negative point, or a tree at another level.
 */
export function twinsOf(key: PublicKey): PublicKey[] {
  return twinBytes(key).map((twin) => publicKey(key.alg, twin));
}

/**
 * Computes the COSE Key Thumbprint (RFC 9679 §3) with SHA-256. A private key and its public key have the same one,
 * regardless of the kid.
 *
 * @param key - The key.
 * @returns 32 bytes.
 */
export function thumbprint(key: PublicKey): Uint8Array {
  // of the verifier, which is always loaded
  const state = sha256.create();
  state.update(encodeCbor(requiredMembers(key)));
  return Uint8Array.from(state.digest());
}
