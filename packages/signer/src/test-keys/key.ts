// Facts about a published test key.

import type { KeyAlg } from "../alg/algorithms.js";

/** A key whose private half is published, so that anybody can sign with it. */
export interface TestKey {
  readonly name: string;
  readonly alg: KeyAlg;
  /**
   * In hex: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), or 60 bytes (HSS/LMS). For ML-DSA, whose public keys are
   * long, the published 32-byte seed.
   */
  readonly key: string;
  /** For ML-DSA: SHA-256 of the public key, in hex. */
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
