// What key custody knows about a signature algorithm: one row for each, for tokens, services, and files of other
// programs. An absent member means that this kind of custody has no such key. The signer's row describes the key
// itself. A missing row does not compile.

import { createPublicKey, type KeyObject } from "node:crypto";
import { algWords, isStateful, jwkFormOf, type KeyAlg, keyAlgs } from "@firmseal/signer";

export interface Custody {
  /**
   * The name of such a key in Node: asymmetricKeyType and the curve. Absent if the OpenSSL in Node 20 does not support
   * it.
   */
  readonly node?: { readonly type: string; readonly curve?: string };
  /** AlgorithmIdentifier of PKCS#8 and SPKI, for keys that are encoded here: the DER of its content, in hex. */
  readonly identifier?: string;
  /** SPKI up to the raw key, in hex: a file that is this and a raw key is read without OpenSSL. */
  readonly spki?: string;
  /** PKCS#8 up to the secret, which ends it, in hex: a file that is this and a secret is read without OpenSSL. */
  readonly pkcs8?: string;
  /**
   * The start of PKCS#8 version 2, and the bytes between the secret and the public key, for keys that OpenSSL does not
   * read. In hex.
   */
  readonly pkcs8v2?: { readonly head: string; readonly middle: string };
  /** The first bytes of each raw public key. */
  readonly begins?: readonly number[];
  /** For ECDSA: signatures also exist in DER, and tokens and services sign a digest. */
  readonly ecdsa?: { readonly digest: "sha256" };
  /**
   * PKCS#11 (OASIS, versions 2.40 and 3.1): key type, mechanisms, and the curves (CKA_EC_PARAMS, in hex) as modules
   * expect and report them.
   */
  readonly pkcs11?: {
    readonly kind: number;
    readonly generate: number;
    readonly sign: number;
    readonly curves: readonly string[];
    readonly shown?: readonly string[];
    /** The version that introduced it, if not all versions have it. */
    readonly since?: string;
  };
  /** Whether exec: supports such keys. */
  readonly exec?: true;
}

// SEQUENCE { 2.16.840.1.101.3.4.3.17, .18, .19 }, and no parameters (RFC 9881 §2)
const mlDsa = (last: string): Custody => ({ identifier: `300b060960864801650304${last}` });

export const CUSTODY: Readonly<Record<KeyAlg, Custody>> = {
  ed25519: {
    node: { type: "ed25519" },
    // RFC 8410 §4
    spki: "302a300506032b6570032100",
    pkcs8: "302e020100300506032b657004220420",
    // RFC 8410 §7: with the public key after the private one, as Rust tools write it
    pkcs8v2: { head: "3051020101300506032b657004220420", middle: "812100" },
    pkcs11: {
      // CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA: without parameter it is Ed25519 over the message
      // (PKCS#11 3.1 §6.3.14)
      kind: 0x40,
      generate: 0x1055,
      sign: 0x1057,
      // 1.3.101.112 (RFC 8410, PKCS#11 3.1), "edwards25519" (3.0); shown also 1.3.6.1.4.1.11591.15.1 (before both)
      curves: ["06032b6570", "130c656477617264733235353139"],
      shown: ["06092b06010401da470f01"],
      since: "3.0",
    },
    exec: true,
  },
  es256: {
    node: { type: "ec", curve: "prime256v1" },
    // RFC 5480 §2
    spki: "3059301306072a8648ce3d020106082a8648ce3d030107034200",
    begins: [4],
    ecdsa: { digest: "sha256" },
    // CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, which signs a digest as it is given (§6.3.12); 1.2.840.10045.3.1.7
    pkcs11: { kind: 0x3, generate: 0x1040, sign: 0x1041, curves: ["06082a8648ce3d030107"] },
    exec: true,
  },
  // id-alg-hss-lms-hashsig without parameters (RFC 9708 §4); the number of levels, 1 to 8 in four bytes
  hsslms: { identifier: "300d060b2a864886f70d0109100311", begins: [0, 0] },
  "ml-dsa-44": mlDsa("0311"),
  "ml-dsa-65": mlDsa("0312"),
  "ml-dsa-87": mlDsa("0313"),
};

/** The algorithms whose row has this member. */
export function algsWith(what: keyof Custody): KeyAlg[] {
  return keyAlgs.filter((alg) => CUSTODY[alg][what] !== undefined);
}

/** An algorithm on a curve, in the words from which services make their names for it. */
export interface CurveAlg {
  readonly alg: KeyAlg;
  /** The name of the curve in a JWK (RFC 7518 §6.2.1.1, RFC 8037 §2), such as P-256. */
  readonly curve: string;
  /** The name without hyphen, in capitals, such as P256. */
  readonly plain: string;
  /** The name of the algorithm in JOSE (RFC 7518 §3.1), such as ES256. */
  readonly jose: string;
  readonly ecdsa?: Custody["ecdsa"];
}

/** The algorithms that services can have: those on curves. What a service has in fact is what it answers. */
export const CURVE_ALGS: readonly CurveAlg[] = keyAlgs.flatMap((alg) => {
  const { crv, alg: jose } = jwkFormOf(alg) ?? {};
  if (crv === undefined || jose === undefined) return [];
  return { alg, curve: crv, plain: crv.replace("-", "").toUpperCase(), jose, ecdsa: CUSTODY[alg].ecdsa };
});

/** The row of CURVE_ALGS for the algorithm of a key. Returns undefined if it is not on a curve. */
export function curveAlgOf(alg: KeyAlg): CurveAlg | undefined {
  return CURVE_ALGS.find((one) => one.alg === alg);
}

/** The names of the keys whose row has this member: "Ed25519 or P-256". */
export function wordsFor(what: keyof Custody): string {
  return algWords(algsWith(what));
}

/** The kinds of private keys in files, except those with state. */
export const SIGNING_KEYS = algWords(keyAlgs.filter((alg) => !isStateful(alg)));

/** The hint for people with another kind of key. */
export const UNSUPPORTED = `keys for signing are ${SIGNING_KEYS}; firmseal keygen makes one`;

/** prime-field (X9.62), with which the parameters of a curve begin that are written out. */
const PRIME_FIELD = Buffer.from("06072a8648ce3d0101", "hex");

/**
 * Whether a key has the parameters of its curve instead of the name, which RFC 5480 §2.1.1 forbids: readers that
 * compare them incompletely take another curve for the named one. OpenSSL writes such a key as it was.
 */
export function hasExplicitCurve(key: KeyObject): boolean {
  if (key.asymmetricKeyType !== "ec") return false;
  const spki = (key.type === "private" ? createPublicKey(key) : key).export({ format: "der", type: "spki" });
  return spki.includes(PRIME_FIELD);
}

/** The algorithm of a key that OpenSSL has read. Returns undefined if it is not supported, or its curve has no name. */
export function algOfNode(key: KeyObject): KeyAlg | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (hasExplicitCurve(key)) return undefined;
  const curve = asymmetricKeyDetails?.namedCurve;
  return keyAlgs.find((alg) => CUSTODY[alg].node?.type === asymmetricKeyType && CUSTODY[alg].node?.curve === curve);
}
