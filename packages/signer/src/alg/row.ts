// What this package knows about a signature algorithm: one value of type Row for each, in a file of its own. key/key.ts
// has the table of the rows; nothing else in this package names an algorithm. Custody facts (tokens, services, foreign
// file formats) are in custody.ts of the package keys.

import type { Alg } from "@firmseal/verifier";

/**
 * Where the parts of a key are in a COSE_Key (RFC 9053 §7, 8778 §3, 9964 §3) and in a JWK (RFC 7518 §6.2, 8037, 9964
 * §3). With a curve, the public key is x (or 04 ‖ x ‖ y if `coordinate` is set), and the secret is d. Without a curve,
 * the public key is pub and the secret is priv.
 */
export interface KeyForm {
  /** COSE key type and curve. */
  readonly kty: number;
  readonly crv?: number;
  /** Absent if JOSE has no such key. `also`: other values of `alg` that are accepted when a key is read. */
  readonly jwk?: { readonly kty: string; readonly crv?: string; readonly alg: string; readonly also?: readonly string[] };
  /** Length in bytes of each coordinate, x and y. */
  readonly coordinate?: number;
  /** Whether `alg` is a required part of the key (RFC 9964 §3). */
  readonly bound?: true;
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
  readonly form: KeyForm;
  /** How OpenSSH names such keys: the type, and the curve that a key of this type repeats (RFC 8709 §4, RFC 5656 §3.1). */
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

export function attempt<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}
