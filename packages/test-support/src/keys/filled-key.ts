import { type PrivateKey, privateKey } from "@firmseal/signer";

/** The Ed25519 key whose secret is 32 times the octet `n`. */
export const filledKey = (n: number): PrivateKey => privateKey("ed25519", new Uint8Array(32).fill(n));
