// ML-DSA (FIPS 204) in COSE (RFC 9964): pure mode with an empty context string. A private key is the 32-byte seed ξ.
// The library is loaded when the first ML-DSA key is used, so that signing with Ed25519 does not wait for it. For tools
// and for machines with enough memory; no device bundle contains it.

import type { Alg } from "@firmseal/verifier";
import { COSE, rawKey } from "@firmseal/verifier/tools";
import { unlessThrown } from "../key-error.js";
import type { AlgRow } from "./row.js";

type MlDsaModule = typeof import("@noble/post-quantum/ml-dsa.js");
type ParameterSet = "ml_dsa44" | "ml_dsa65" | "ml_dsa87";

let mlDsaModule: MlDsaModule | undefined;

async function loadMlDsa(): Promise<void> {
  mlDsaModule ??= await import("@noble/post-quantum/ml-dsa.js");
}

/** An ML-DSA operation was called before `loadAlg()`. This is a mistake of the caller, not a fault of a key. */
export class NotLoaded extends TypeError {
  constructor() {
    super('ML-DSA is loaded on demand: await loadAlg("ml-dsa-65") first');
  }
}

function loadedMlDsa(set: ParameterSet) {
  if (!mlDsaModule) throw new NotLoaded();
  return mlDsaModule[set];
}

// Hedged signing (FIPS 204 §3.4, its default), unlike our Ed25519 and ES256. With deterministic ML-DSA, a fault while
// the mask y is sampled yields two valid signatures of one message whose difference reveals the key, and verifying the
// signature does not detect it. The manifest and its digest are reproducible; the signature is not. If the random
// number generator fails, what remains is the deterministic variant, which is still secure.
const entropy = () => crypto.getRandomValues(new Uint8Array(32));

function mlDsaRow(set: ParameterSet, cose: number, publicLength: number, signatureLength: number): AlgRow {
  const bytes = (b: ArrayLike<number>) => (b instanceof Uint8Array ? b : Uint8Array.from(b));
  const alg: Alg = {
    ids: [cose],
    // every string of this length is a public key (FIPS 204 §5.3, Algorithm 23: pkDecode cannot fail)
    valid: (key) => key.length === publicLength,
    verify(key, message, signature) {
      const raw = rawKey(key);
      if (raw.length !== publicLength || signature.length !== signatureLength) return false;
      const mathematics = loadedMlDsa(set);
      return unlessThrown(() => mathematics.verify(bytes(signature), bytes(message), bytes(raw))) ?? false;
    },
  };
  return {
    family: "ML-DSA",
    cose,
    alg,
    publicLengths: [publicLength],
    signatureLength,
    jwk: { kty: "AKP", alg: `ML-DSA-${set.slice(-2)}` },
    check() {},
    secretLength: 32,
    derive(secret) {
      const { publicKey, secretKey } = loadedMlDsa(set).keygen(secret);
      secretKey.fill(0);
      return publicKey;
    },
    expand: (secret) => loadedMlDsa(set).keygen(secret).secretKey,
    sign(tbs, secret) {
      const { secretKey } = loadedMlDsa(set).keygen(secret);
      try {
        return loadedMlDsa(set).sign(tbs, secretKey, { extraEntropy: entropy() });
      } finally {
        secretKey.fill(0);
      }
    },
    load: loadMlDsa,
    loaded: () => mlDsaModule !== undefined,
  };
}

// FIPS 204 table 2: bytes of a public key and of a signature
export const mlDsa44Row = mlDsaRow("ml_dsa44", COSE.ALG_ML_DSA_44, 1312, 2420);
export const mlDsa65Row = mlDsaRow("ml_dsa65", COSE.ALG_ML_DSA_65, 1952, 3309);
export const mlDsa87Row = mlDsaRow("ml_dsa87", COSE.ALG_ML_DSA_87, 2592, 4627);
