// What is known of a published key.

import type { KeyAlg } from "../key/key.js";

export interface TestKey {
  readonly name: string;
  readonly alg: KeyAlg;
  /** In hex: 32 bytes, 65 bytes 04 ‖ x ‖ y, or 60 bytes of HSS/LMS. Of ML-DSA, whose public keys are long, the published seed of 32 bytes. */
  readonly key: string;
  /** Of ML-DSA: SHA-256 of the public key, in hex. */
  readonly digest?: string;
}

export function ecKey(name: string, x: string, y: string): TestKey {
  return { name, alg: "es256", key: `04${x}${y}` };
}

export function edKey(name: string, key: string): TestKey {
  return { name, alg: "ed25519", key };
}

export function hssKey(name: string, key: string): TestKey {
  return { name, alg: "hsslms", key };
}

export function mlDsaKey(name: string, alg: KeyAlg, seed: string, digest: string): TestKey {
  return { name, alg, key: seed, digest };
}
