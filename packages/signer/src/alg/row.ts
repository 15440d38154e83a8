// What this package knows about a signature algorithm: one value of type AlgRow for each, in a file
// of its own or with its family. algorithms.ts has the table of the rows. Custody facts (tokens,
// services, foreign file formats) are in algorithms.ts of the package keys.

import type { Alg } from "@firmseal/verifier";

/**
 * Such a key in a JWK (RFC 7518 §6.2, 8037, 9964 §3). `also`: other values of `alg` that are accepted when a key is
 * read.
 */
export interface JwkForm {
  readonly kty: string;
  readonly crv?: string;
  readonly alg: string;
  readonly also?: readonly string[];
}

export interface AlgRow {
  /** The usual name for such keys: a curve or a family of algorithms. */
  readonly family: string;
  /** The COSE algorithm number to write. */
  readonly cose: number;
  /**
   * The verification, for open(). Every new signature is also verified with it; for all algorithms but ML-DSA, this
   * code is independent of the code that signs.
   */
  readonly alg: Alg;
  /** The permitted lengths in bytes of a raw public key. */
  readonly publicLengths: readonly number[];
  /** Length in bytes of a raw signature. Absent if a signature encodes its own length. */
  readonly signatureLength?: number;
  /** Absent if JOSE has no such key. Its COSE_Key: KEY_FORMS of the verifier, by the number above. */
  readonly jwk?: JwkForm;
  /**
   * How OpenSSH names such keys: the type, and the curve that a key of this type repeats (RFC 8709 §4, RFC 5656 §3.1).
   */
  readonly ssh?: { readonly type: string; readonly curve?: string };
  /** Throws KeyError for a key that has the right length but must not be used. */
  check(key: Uint8Array): void;
  /**
   * Computes y from x and the parity of y. Absent for keys without coordinates. Throws if the curve has no such point.
   */
  decompress?(x: Uint8Array, odd: boolean): Uint8Array;
  /**
   * Computes the public key from the secret. Absent if private keys have state: this package does not hold such keys.
   */
  derive?(secret: Uint8Array): Uint8Array;
  /** Length in bytes of a secret. Absent together with derive(). */
  readonly secretLength?: number;
  /** Computes the expanded private key, which some files hold beside the secret. */
  expand?(secret: Uint8Array): Uint8Array;
  /** The raw signature. */
  sign?(tbs: Uint8Array, secret: Uint8Array): Uint8Array;
  /**
   * All other public keys that the same secret signs for: the holder of one private key holds theirs too. Absent if
   * there are none.
   */
  twins?(key: Uint8Array): Uint8Array[];
  /** Whether prepare() can make a table of multiples for the keys of this algorithm. */
  readonly tables?: true;
  /**
   * Loads the implementation, if it is too expensive to load for everybody. Until then derive, expand, sign and
   * alg.verify throw.
   */
  load?(): Promise<void>;
  loaded?(): boolean;
}
