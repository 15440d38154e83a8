// Keys whose private halves are published in specifications, test suites or source trees of boot loaders. Anybody can
// sign with such a key. Only the public halves are stored here; each was computed from the published private key.

import { fromHex, toHex } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { type PublicKey, privateKey, publicKey, publicOf, twinBytes, twinsOf } from "../key/key.js";
import type { TestKey } from "./key.js";
import { ncsKeys } from "./ncs.js";
import { specKeys } from "./specs.js";
import { treeKeys } from "./trees.js";

export type { TestKey };

/** All known test keys. */
export const testKeys: readonly TestKey[] = [...specKeys, ...treeKeys, ...ncsKeys];

/**
 * Recognizes a published test key, also by other public keys of the same secret, with any kid.
 *
 * @param key - The key.
 * @returns Its name, or undefined for all other keys.
 */
export function testKeyName(key: PublicKey): string | undefined {
  const hex = toHex(key.key);
  const found = testKeys.filter((t) => t.alg === key.alg);
  if (found[0]?.digest) {
    const digest = toHex(sha256(key.key));
    return found.find((t) => t.digest === digest)?.name;
  }
  const twins = twinBytes(key).map(toHex);
  return (found.find((t) => t.key === hex) ?? found.find((t) => twins.includes(t.key)))?.name;
}

/**
 * Makes the public key of a test key.
 *
 * @param t - The test key.
 * @returns The public key.
 * @throws NotLoaded for ML-DSA before loadAlg().
 */
export function testKeyPublic(t: TestKey): PublicKey {
  return t.digest === undefined ? publicKey(t.alg, fromHex(t.key)) : publicOf(privateKey(t.alg, fromHex(t.key)));
}

/**
 * Lists all public keys that a published secret signs for.
 *
 * @param t - The test key.
 * @returns The keys, starting with the key itself.
 * @throws NotLoaded for ML-DSA before loadAlg().
 */
export function testKeyForms(t: TestKey): PublicKey[] {
  const own = testKeyPublic(t);
  return [own, ...twinsOf(own)];
}
