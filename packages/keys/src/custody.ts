// What custody knows of a signature algorithm: one row each, for tokens, services, and the files of other programs. Left out: the kind of
// custody has no such key. What a key is made of is in the signer's row. A row that is forgotten does not compile.

import type { KeyObject } from "node:crypto";
import { isStateful, type KeyAlg, keyAlgs, keyWords } from "@firmseal/signer";

export interface Custody {
  /** As Node names such a key: asymmetricKeyType and the curve beside it. Left out: the OpenSSL in Node 20 does not know it. */
  readonly node?: { readonly type: string; readonly curve?: string };
  /** AlgorithmIdentifier of PKCS#8 and SPKI, where they are read and written here: the DER of its content, in hex. */
  readonly identifier?: string;
  /** How PKCS#8 version 2 begins, and what stands between the secret and the public key behind it, where OpenSSL does not read it. In hex. */
  readonly pkcs8v2?: { readonly head: string; readonly middle: string };
  /** How each raw public key begins. */
  readonly begins?: readonly number[];
  /** ECDSA: others have signatures in DER as well, and tokens and services sign a digest. */
  readonly ecdsa?: { readonly digest: "sha256" };
  readonly openssh?: { readonly type: string; readonly curve?: string };
  /** PKCS#11 (OASIS, version 2.40 and 3.1): type of key, mechanisms, and the curve (CKA_EC_PARAMS, in hex) as modules want and show it. */
  readonly pkcs11?: {
    readonly kind: number;
    readonly generate: number;
    readonly sign: number;
    readonly curves: readonly string[];
    readonly shown?: readonly string[];
    /** The version that brought it, where not all have it. */
    readonly since?: string;
  };
  /** Names of the specification of a key, and of the algorithm. */
  readonly aws?: { readonly spec: string; readonly alg: "ECDSA_SHA_256" | "ED25519_SHA_512" };
  readonly gcp?: string;
  readonly azure?: { readonly curve: string; readonly alg: string };
  /** Whether a program may have such a key: exec. */
  readonly exec?: true;
}

// SEQUENCE { 2.16.840.1.101.3.4.3.17, .18, .19 }, and no parameters (RFC 9881 §2)
const mlDsa = (last: string): Custody => ({ identifier: `300b060960864801650304${last}` });

export const CUSTODY: Readonly<Record<KeyAlg, Custody>> = {
  ed25519: {
    node: { type: "ed25519" },
    // RFC 8410 §7: with the public key behind the private one, as Rust tools write it
    pkcs8v2: { head: "3051020101300506032b657004220420", middle: "812100" },
    openssh: { type: "ssh-ed25519" },
    pkcs11: {
      // CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA: without parameter it is Ed25519 over the message (PKCS#11 3.1 §6.3.14)
      kind: 0x40,
      generate: 0x1055,
      sign: 0x1057,
      // 1.3.101.112 (RFC 8410, PKCS#11 3.1), "edwards25519" (3.0); shown also 1.3.6.1.4.1.11591.15.1 (before both)
      curves: ["06032b6570", "130c656477617264733235353139"],
      shown: ["06092b06010401da470f01"],
      since: "3.0",
    },
    aws: { spec: "ECC_NIST_EDWARDS25519", alg: "ED25519_SHA_512" },
    gcp: "EC_SIGN_ED25519",
    exec: true,
  },
  es256: {
    node: { type: "ec", curve: "prime256v1" },
    begins: [4],
    ecdsa: { digest: "sha256" },
    openssh: { type: "ecdsa-sha2-nistp256", curve: "nistp256" },
    // CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, which signs a digest as it is given (§6.3.12); 1.2.840.10045.3.1.7
    pkcs11: { kind: 0x3, generate: 0x1040, sign: 0x1041, curves: ["06082a8648ce3d030107"] },
    aws: { spec: "ECC_NIST_P256", alg: "ECDSA_SHA_256" },
    gcp: "EC_SIGN_P256_SHA256",
    azure: { curve: "P-256", alg: "ES256" },
    exec: true,
  },
  // id-alg-hss-lms-hashsig without parameters (RFC 9708 §4); the number of levels, 1 to 8 in four bytes
  hsslms: { identifier: "300d060b2a864886f70d0109100311", begins: [0, 0] },
  "ml-dsa-44": mlDsa("0311"),
  "ml-dsa-65": mlDsa("0312"),
  "ml-dsa-87": mlDsa("0313"),
};

/** The algorithms whose row has this. */
export function algsWith(what: keyof Custody): KeyAlg[] {
  return keyAlgs.filter((alg) => CUSTODY[alg][what] !== undefined);
}

/** "Ed25519 or P-256": the keys whose row has this. */
export function wordsFor(what: keyof Custody): string {
  return keyWords(algsWith(what));
}

/** What private keys in files are, but for those with state. */
export const SIGNING_KEYS = keyWords(keyAlgs.filter((alg) => !isStateful(alg)));

/** For people who hold another kind of key. */
export const UNSUPPORTED = `keys for signing are ${SIGNING_KEYS}; \`firmseal keygen\` makes one`;

/** The algorithm of a key that OpenSSL has read; undefined: none of those that are signed with here. */
export function algOfNode({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyAlg | undefined {
  const curve = asymmetricKeyDetails?.namedCurve;
  return keyAlgs.find((alg) => CUSTODY[alg].node?.type === asymmetricKeyType && CUSTODY[alg].node?.curve === curve);
}
