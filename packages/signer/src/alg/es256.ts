// ECDSA on P-256 with SHA-256 (FIPS 186-5), signed deterministically (RFC 6979).

import { es256 as alg } from "@firmseal/verifier";
import { COSE } from "@firmseal/verifier/tools";
import { p256 } from "@noble/curves/nist.js";
import { KeyError, unlessThrown } from "../key-error.js";
import { HASHES } from "./hash.js";
import type { AlgRow } from "./row.js";

// The defaults of the library, spelled out because they matter. RFC 6979 without extra entropy makes a release
// reproducible. High S values are left alone: RFC 6979 yields them, and COSE verifiers accept them (RFC 9053 §2.1). The
// message may be an image of some megabytes, so OpenSSL hashes it where there is one.
const ecdsa = { prehash: false, lowS: false, format: "compact", extraEntropy: false } as const;

const noPoint = () => new KeyError("point", "the public key is not a point of P-256");
const outOfRange = () => new KeyError("range", "the private key is not in the range of P-256, 1 to n - 1");

export const es256Row: AlgRow = {
  family: "P-256",
  cose: COSE.ALG_ESP256,
  alg,
  publicLengths: [65],
  signatureLength: 64,
  jwk: { kty: "EC", crv: "P-256", alg: "ES256" },
  ssh: { type: "ecdsa-sha2-nistp256", curve: "nistp256" },
  check(key) {
    if (key[0] !== 4 || !unlessThrown(() => p256.Point.fromBytes(key))) throw noPoint();
  },
  decompress: (x, odd) =>
    p256.Point.fromBytes(Uint8Array.of(odd ? 3 : 2, ...x))
      .toBytes(false)
      .subarray(33),
  secretLength: 32,
  derive(secret) {
    if (!p256.utils.isValidSecretKey(secret)) throw outOfRange();
    return p256.getPublicKey(secret, false);
  },
  sign: (tbs, secret) => p256.sign(HASHES["sha-256"].hash(tbs), secret, ecdsa),
  // the secret d ↦ n - d gives the public key P ↦ -P: x does not change
  twins: (key) => [p256.Point.fromBytes(key).negate().toBytes(false)],
};
