// Keys whose private halves are published: in specifications, in test suites, in the trees of boot loaders. Whoever signs a release
// with one signs it with everybody's key. Only the public halves are here; each was computed from the published private one.

import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex } from "../bytes.js";
import { type PublicKey, privateKey, publicKey, publicOf, twinsOf } from "../key/key.js";
import type { TestKey } from "./key.js";
import { ncsKeys } from "./ncs.js";
import { specKeys } from "./specs.js";
import { treeKeys } from "./trees.js";

export type { TestKey };

/** Every published key that is known here. */
export const testKeys: readonly TestKey[] = [...specKeys, ...treeKeys, ...ncsKeys];

/** The name of a published test key, or of another one that signs with its secret, whatever its kid; undefined for any other. */
export function testKeyName(key: PublicKey): string | undefined {
  const hex = toHex(key.key);
  const found = testKeys.filter((t) => t.alg === key.alg);
  if (found[0]?.digest) {
    const digest = toHex(sha256(key.key));
    return found.find((t) => t.digest === digest)?.name;
  }
  const twins = twinsOf(key).map((twin) => toHex(twin.key));
  return (found.find((t) => t.key === hex) ?? found.find((t) => twins.includes(t.key)))?.name;
}

/** The key itself. Throws NotLoaded for ML-DSA before loadAlg(). */
export function testKeyPublic(t: TestKey): PublicKey {
  return t.digest === undefined ? publicKey(t.alg, fromHex(t.key)) : publicOf(privateKey(t.alg, fromHex(t.key)));
}

/** All public keys that a published secret signs for, the key itself first. Throws NotLoaded for ML-DSA before loadAlg(). */
export function testKeyForms(t: TestKey): PublicKey[] {
  const own = testKeyPublic(t);
  return [own, ...twinsOf(own)];
}
