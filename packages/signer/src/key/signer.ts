// What signs: a private key in memory, or one elsewhere. Every signature is verified before it is returned.

import type { Alg, Anchor, Bytes } from "@firmseal/verifier";
import { equalBytes } from "@firmseal/verifier/tools";
import { coseAlgs, keyAlgOf, loadedRow, rowOf } from "../alg/algorithms.js";
import { forgetKeyObject } from "../alg/openssl.js";
import { KeyError } from "../key-error.js";
import { derivedAgain, isPrivate, type PrivateKey, type PublicKey } from "./key.js";

/**
 * Signs with a private key in this process, in a token or in a service. `sign` resolves to the raw signature: 64 bytes
 * for Ed25519 and P-256, or an ML-DSA or HSS/LMS (RFC 8554 §6.2) signature.
 */
export interface Signer {
  /** The COSE algorithm number in the protected header: ALG_ED25519, ALG_ESP256, ALG_HSS_LMS, ALG_ML_DSA_65 … */
  readonly alg: number;
  readonly kid?: Uint8Array;
  readonly publicKey: Uint8Array;
  sign(tbs: Uint8Array): Promise<Uint8Array>;
}

/**
 * Makes a signer for a private key in memory. Ed25519 and P-256 signatures have 64 bytes, R ‖ S (RFC 8032 §5.1.6) or r
 * ‖ s (RFC 9053 §2.1), and are deterministic. ML-DSA signatures (2,420, 3,309 or 4,627 bytes; RFC 9964 §4) differ each
 * time. The signer reads `key.secret` for each signature and keeps no copy: it stops working once those bytes are
 * overwritten with zeros.
 *
 * @param key - The private key.
 * @returns The signer. Its `sign` rejects with KeyError `signature` if the signature does not verify.
 * @throws KeyError `mismatch` if the two halves of the key do not match.
 */
export function signer(key: PrivateKey): Signer {
  if (!isPrivate(key)) throw new KeyError("format", "a private key is needed to sign, this one is public");
  const { alg, key: pub, kid } = derivedAgain(key);
  if (!equalBytes(pub, key.key)) throw new KeyError("mismatch", "the public key does not match the private key");
  const { secret } = key;
  const isZero = () => secret.every((byte) => byte === 0);
  // the published ML-DSA keys include the seed of zeros (RFC 9964 appendix A)
  const wasZero = isZero();
  const row = loadedRow(alg);
  return {
    alg: row.cose,
    publicKey: pub,
    ...(kid && { kid }),
    async sign(tbs) {
      // a copy, so that the verified bytes are the signed bytes
      const message = Uint8Array.from(tbs);
      if (!wasZero && isZero()) throw new KeyError("range", "the private key was wiped");
      const signature = row.sign?.(message, secret);
      // A deterministic signature with one wrong bit reveals the private key together with a correct one (fault
      // attack), so verify each before it is returned.
      if (!signature || !row.alg.verify(pub, message, signature, {})) {
        throw new KeyError("signature", "the signature is wrong: do not trust this machine with the key");
      }
      keepVerified({ alg: row.alg, key: pub, message, signature });
      return signature;
    },
  };
}

/**
 * Overwrites the secret of a private key with zeros, and drops the key object of OpenSSL. Its signers no longer sign.
 *
 * @param key - The private key.
 */
export function wipePrivateKey({ secret }: PrivateKey): void {
  secret.fill(0);
  forgetKeyObject(secret);
}

/**
 * Makes a signer for a private key elsewhere: in a token, a service or a program. Every signature is verified; if one
 * is invalid, the signer rejects with KeyError `signature`.
 *
 * @param key - The public key.
 * @param sign - Returns the raw signature of `tbs`.
 * @returns The signer.
 * @example
 * ```ts
 * import { createPrivateKey, sign } from "node:crypto";
 * import { readFileSync } from "node:fs";
 * import { foreignSigner, privateKey, publicOf, signEnvelopeWithoutLog } from "@firmseal/signer";
 *
 * // `seal` stands for your token or service
 * const seal = async (tbs: Uint8Array) => new Uint8Array(sign(null, tbs, createPrivateKey(readFileSync("plain.pem"))));
 * const key = publicOf(privateKey("ed25519", seed));
 * const signed = await signEnvelopeWithoutLog(unsigned, [foreignSigner(key, seal)]);
 * ```
 */
export function foreignSigner(key: PublicKey, sign: (tbs: Uint8Array) => Promise<Uint8Array>): Signer {
  const row = rowOf(key.alg);
  return {
    alg: row.cose,
    publicKey: key.key,
    ...(key.kid && { kid: key.kid }),
    async sign(tbs) {
      const message = Uint8Array.from(tbs);
      await row.load?.();
      // copies, so that the verified bytes are the requested ones, even if the callee or the caller changes its array
      const signature = Uint8Array.from(await sign(Uint8Array.from(message)));
      if (!row.alg.verify(key.key, message, signature, {}))
        throw new KeyError("signature", "the returned signature is not by this key over these bytes");
      keepVerified({ alg: row.alg, key: key.key, message, signature });
      return signature;
    },
  };
}

/**
 * Makes the trust anchor of a key, for open().
 *
 * @param key - The key, public or private.
 * @returns The anchor.
 * @throws NotLoaded for ML-DSA before loadAlg(), because open() cannot wait.
 */
export function anchorOf(key: PublicKey): Anchor {
  const { alg } = loadedRow(key.alg);
  // no known key fails here after publicKey(), but a key that devices refuse must not become an anchor
  if (!alg.valid(key.key)) throw new KeyError("point", "no device trusts this public key");
  return { alg, key: key.key, ...(key.kid && { kid: key.kid }) };
}

/** A signature that the verifier has accepted. */
interface Verified {
  alg: Alg;
  key: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

/**
 * The signatures that were verified last. A signing program opens the result at once, which asks for the same bytes
 * under the same key again. An envelope has at most 8 signatures.
 */
const verifiedLast: Verified[] = [];

const VERIFIED_KEPT = 8;

function keepVerified({ alg, key, message, signature }: Verified): void {
  // copies: what was verified must stay what it was
  verifiedLast.push({ alg, key: Uint8Array.from(key), message: Uint8Array.from(message), signature: Uint8Array.from(signature) });
  if (verifiedLast.length > VERIFIED_KEPT) verifiedLast.shift();
}

/** The algorithm, which does not compute again what it has just accepted. */
function rememberingAlg(alg: Alg): Alg {
  const isKnown = (key: ArrayLike<number>, message: Bytes, signature: Bytes) =>
    verifiedLast.some(
      (one) => one.alg === alg && equalBytes(one.key, key) && equalBytes(one.message, message) && equalBytes(one.signature, signature),
    );
  return {
    ...alg,
    verify: (key, message, signature, host) =>
      ("table" in key ? false : isKnown(key, message, signature)) || alg.verify(key, message, signature, host),
  };
}

/** The trust anchor of the key of a signer. Throws TypeError for an unknown algorithm. */
export async function anchorOfSigner(signer: Pick<Signer, "alg" | "publicKey">): Promise<Anchor> {
  const name = keyAlgOf(signer.alg);
  const row = name && rowOf(name);
  if (!row) throw new TypeError(`no verifier for COSE algorithm ${signer.alg}`);
  await row.load?.();
  return { alg: rememberingAlg(row.alg), key: signer.publicKey };
}

/**
 * Lets the signatures of a signer name another COSE algorithm number for the same algorithm.
 *
 * @param signer - The signer. It does not change.
 * @param cose - One of coseAlgs().
 * @returns The signer with that number.
 * @throws KeyError `unsupported` for another number.
 */
export function withCoseAlg<S extends Signer>(signer: S, cose: number): S {
  const alg = keyAlgOf(signer.alg);
  if (alg === undefined || !coseAlgs(alg).includes(cose))
    throw new KeyError("unsupported", `COSE algorithm ${cose} is not for keys of ${alg ?? signer.alg}`);
  return { ...signer, alg: cose };
}
