// Keys whose private halves are published: in specifications, in test suites, in the trees of boot loaders. Whoever signs a release
// with one signs it with everybody's key. Only the public halves are here; each was computed from the published private one.

import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex } from "./bytes.js";
import { type PublicKey, privateKey, publicKey, publicOf } from "./key.js";
import type { TestKey } from "./test-key.js";
import { ncsKeys } from "./test-keys-ncs.js";
import { specKeys } from "./test-keys-specs.js";
import { treeKeys } from "./test-keys-trees.js";

export type { TestKey };

/** Every published key that is known here. */
export const testKeys: readonly TestKey[] = [...specKeys, ...treeKeys, ...ncsKeys];

/** The name of a published test key, whatever its kid; undefined for any other. */
export function testKeyName(key: PublicKey): string | undefined {
  // of a P-256 key the x alone: its negative, which anybody can work out, has the same
  const own = (hex: string) => (key.alg === "es256" ? hex.slice(0, 66) : hex);
  const hex = own(toHex(key.key));
  const found = testKeys.filter((t) => t.alg === key.alg);
  if (!found[0]?.digest) return found.find((t) => own(t.key) === hex)?.name;
  const digest = toHex(sha256(key.key));
  return found.find((t) => t.digest === digest)?.name;
}

/** The key itself. Throws NotLoaded for ML-DSA before loadAlg(). */
export function testKeyPublic(t: TestKey): PublicKey {
  return t.digest === undefined ? publicKey(t.alg, fromHex(t.key)) : publicOf(privateKey(t.alg, fromHex(t.key)));
}
