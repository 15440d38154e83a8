// The numbers of COSE that SUIT uses: RFC 9052, 9053, 9054, 8778, 9459, 9864, 9964.

// Message tags (RFC 9052 §2)
export const TAG_MAC0 = 17;
export const TAG_SIGN1 = 18;
export const TAG_ENCRYPT = 96;
export const TAG_MAC = 97;
export const TAG_SIGN = 98;

// Header labels (RFC 9052 §3.1)
export const HEADER_ALG = 1;
export const HEADER_CRIT = 2;
export const HEADER_CONTENT_TYPE = 3;
export const HEADER_KID = 4;
export const HEADER_IV = 5;

// Hash algorithms (RFC 9054)
export const HASH_SHA_256 = -16;
export const HASH_SHAKE128 = -18;
export const HASH_SHA_384 = -43;
export const HASH_SHA_512 = -44;
export const HASH_SHAKE256 = -45;

// Signature and MAC algorithms (RFC 9053, 9864; HSS-LMS RFC 8778; ML-DSA RFC 9964)
export const ALG_HMAC_256_256 = 5;
export const ALG_ES256 = -7;
export const ALG_EDDSA = -8;
export const ALG_ESP256 = -9;
export const ALG_ED25519 = -19;
export const ALG_ES384 = -35;
export const ALG_ES512 = -36;
export const ALG_HSS_LMS = -46;
export const ALG_ML_DSA_44 = -48;
export const ALG_ML_DSA_65 = -49;
export const ALG_ML_DSA_87 = -50;
export const ALG_ESP384 = -51;
export const ALG_ESP512 = -52;
export const ALG_ED448 = -53;

/**
 * All algorithms that a signature may name, even if this build lacks them; their order does not matter. Espruino's
 * indexOf() matches a needle whose beginning is the end of the text: so the last character is one that no algorithm
 * has.
 */
export const SIGNATURE_ALGS =
  " " +
  ALG_ED25519 +
  " " +
  ALG_EDDSA +
  " " +
  ALG_ESP256 +
  " " +
  ALG_ES256 +
  " " +
  ALG_ES384 +
  " " +
  ALG_ES512 +
  " " +
  ALG_HSS_LMS +
  " " +
  ALG_ML_DSA_44 +
  " " +
  ALG_ML_DSA_65 +
  " " +
  ALG_ML_DSA_87 +
  " " +
  ALG_ESP384 +
  " " +
  ALG_ESP512 +
  " " +
  ALG_ED448 +
  " .";

// Key types and curves (RFC 9053 §7; HSS-LMS RFC 8778 §6; AKP RFC 9964 §3), key parameters (RFC 9052 §7.1)
export const KEY_KTY = 1;
export const KEY_KID = 2;
export const KEY_ALG = 3;
export const KEY_CRV = -1;
export const KEY_X = -2;
export const KEY_Y = -3;
export const KEY_D = -4;
export const KEY_K = -1;
export const KEY_PUB = -1;
export const KEY_PRIV = -2;
export const KTY_OKP = 1;
export const KTY_EC2 = 2;
export const KTY_SYMMETRIC = 4;
export const KTY_HSS_LMS = 5;
export const KTY_AKP = 7;
export const CRV_P256 = 1;
export const CRV_ED25519 = 6;

/** What is in a COSE_Key besides the bytes of the key. */
export interface CoseKeyForm {
  /** The algorithms whose keys have this form. */
  algs: number[];
  kty: number;
  /** If absent, the public key is `pub` (-1). Otherwise it is x (-2), and y (-3) if `coordinate` is set. */
  crv?: number;
  /** Length in bytes of each coordinate. The raw key is 04 ‖ x ‖ y. */
  coordinate?: number;
  /** Whether `alg` is a required member (RFC 9964 §3). */
  bound?: true;
}

/** The public keys of each algorithm in a COSE_Key (RFC 9053 §7.1, 7.2; RFC 8778 §6; RFC 9964 §3). */
export const KEY_FORMS: CoseKeyForm[] = [
  { algs: [ALG_ED25519, ALG_EDDSA], kty: KTY_OKP, crv: CRV_ED25519 },
  { algs: [ALG_ESP256, ALG_ES256], kty: KTY_EC2, crv: CRV_P256, coordinate: 32 },
  { algs: [ALG_HSS_LMS], kty: KTY_HSS_LMS },
  { algs: [ALG_ML_DSA_44, ALG_ML_DSA_65, ALG_ML_DSA_87], kty: KTY_AKP, bound: true },
];
