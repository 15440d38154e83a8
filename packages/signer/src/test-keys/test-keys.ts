// Keys whose private halves are published: in specifications, in test suites, in the trees of boot loaders. Whoever signs a release
// with one signs it with everybody's key. Only the public halves are here; each was computed from the published private one.

import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex } from "../bytes.js";
import { type KeyAlg, type PublicKey, privateKey, publicKey, publicOf } from "../key/key.js";
import type { TestKey } from "./key.js";
import { ncsKeys } from "./ncs.js";
import { specKeys } from "./specs.js";
import { treeKeys } from "./trees.js";

export type { TestKey };

/** Every published key that is known here. */
export const testKeys: readonly TestKey[] = [...specKeys, ...treeKeys, ...ncsKeys];

/**
 * What is the same in all public keys that one secret signs for. P ↦ -P is the secret d ↦ n - d, which whoever has one has too: of P-256 x
 * stays, of Ed25519 all but the sign of x (RFC 8032 §5.1.2). A tree of HSS/LMS signs at any level (RFC 8554 §6.1: the number of levels, then
 * the tree).
 */
function secretsMark(alg: KeyAlg, hex: string): string {
  if (alg === "es256") return hex.slice(0, 66);
  if (alg === "ed25519") return `${hex.slice(0, 62)}${(Number.parseInt(hex.slice(62), 16) & 0x7f).toString(16)}`;
  return alg === "hsslms" ? hex.slice(8) : hex;
}

/** The name of a published test key, or of another one that signs with its secret, whatever its kid; undefined for any other. */
export function testKeyName(key: PublicKey): string | undefined {
  const hex = toHex(key.key);
  const found = testKeys.filter((t) => t.alg === key.alg);
  if (found[0]?.digest) {
    const digest = toHex(sha256(key.key));
    return found.find((t) => t.digest === digest)?.name;
  }
  const mark = secretsMark(key.alg, hex);
  return (found.find((t) => t.key === hex) ?? found.find((t) => secretsMark(t.alg, t.key) === mark))?.name;
}

/** The key itself. Throws NotLoaded for ML-DSA before loadAlg(). */
export function testKeyPublic(t: TestKey): PublicKey {
  return t.digest === undefined ? publicKey(t.alg, fromHex(t.key)) : publicOf(privateKey(t.alg, fromHex(t.key)));
}

/** Of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3). */
const P256_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
/** RFC 8554 §6: levels of HSS. */
const MOST_LEVELS = 8;

/** All public keys that a published secret signs for, the key itself first. Throws NotLoaded for ML-DSA before loadAlg(). */
export function testKeyForms(t: TestKey): PublicKey[] {
  const own = testKeyPublic(t);
  const others: Uint8Array[] = [];
  if (t.alg === "ed25519") others.push(own.key.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte)));
  else if (t.alg === "es256") {
    const y = P256_PRIME - BigInt(`0x${t.key.slice(66)}`);
    others.push(fromHex(t.key.slice(0, 66) + y.toString(16).padStart(64, "0")));
  } else if (t.alg === "hsslms")
    for (let levels = 1; levels <= MOST_LEVELS; levels++)
      if (own.key[3] !== levels) others.push(own.key.map((byte, i) => (i === 3 ? levels : byte)));
  return [own, ...others.map((key) => publicKey(t.alg, key))];
}
