// What an algorithm of the verifier is asked while it opens our test vectors.

import { readIndex, readVector } from "../../test-vectors/index.mjs";
import { outcome } from "../../test-vectors/play/judge.ts";

/**
 * Every call of `alg.verify` for a key and a signature of these lengths, once, while the verifier opens the vectors
 * that have the feature: key, message, signature, and `valid` if the key is not one with a table, which may be another
 * key's.
 */
export function vectorCalls(alg, feature, keyLength, signatureLength) {
  const found = new Map();
  const { verify } = alg;
  alg.verify = (key, message, signature, host) => {
    const valid = verify(key, message, signature, host);
    const raw = key.key ?? key;
    if (raw.length === keyLength && signature.length === signatureLength) {
      const c = { key: Buffer.from(raw), message: Buffer.from(message), signature: Buffer.from(signature) };
      if (raw === key) c.valid = valid;
      found.set(Buffer.concat([c.key, c.signature, c.message]).toString("hex"), c);
    }
    return valid;
  };
  try {
    for (const { file, features } of readIndex().vectors) if (features.includes(feature)) outcome(readVector(file));
  } finally {
    alg.verify = verify;
  }
  return [...found.values()];
}
