// What this package knows of a signature algorithm: one value of type Row each, in a file of its own; the table of them is in key/key.ts.
// Nothing else here names an algorithm. What keys/ knows besides (tokens, services, files of others) is in its table custody.ts.

import type { Alg } from "@firmseal/verifier";

/**
 * Where the parts of a key stand in a COSE_Key (RFC 9053 §7, 8778 §3, 9964 §3) and in a JWK (RFC 7518 §6.2, 8037, 9964 §3). With a curve, the
 * public key is x, or 04 ‖ x ‖ y where there is `coordinate`, and the secret is d. Without one, the public key is pub and the secret priv.
 */
export interface KeyForm {
  /** COSE: key type, and curve. */
  readonly kty: number;
  readonly crv?: number;
  /** Left out where JOSE has none. `also`: other names that `alg` may have in a key that is read. */
  readonly jwk?: { readonly kty: string; readonly crv?: string; readonly alg: string; readonly also?: readonly string[] };
  /** The bytes of x and of y. */
  readonly coordinate?: number;
  /** Whether the key is nothing without `alg` (RFC 9964 §3). */
  readonly bound?: true;
}

export interface AlgRow {
  /** What people call such keys: a curve, or a family of algorithms. */
  readonly family: string;
  /** The COSE algorithm number that is written. */
  readonly cose: number;
  /** For open(); and what is signed is verified with it, which for all but ML-DSA is other code than what has signed. */
  readonly alg: Alg;
  /** The lengths that a raw public key may have. */
  readonly publicLengths: readonly number[];
  /** The length of every raw signature. Left out where a signature says it in itself. */
  readonly signatureLength?: number;
  readonly form: KeyForm;
  /** Throws KeyError for a key of the right length that must not be used. */
  check(key: Uint8Array): void;
  /** y of the point with this x, by the sign of y. Only where there is a coordinate. Throws where there is no such point. */
  decompress?(x: Uint8Array, odd: boolean): Uint8Array;
  /** The public key of the secret. Left out where private keys have state: this package does not hold them. */
  derive?(secret: Uint8Array): Uint8Array;
  /** The bytes of a secret. Left out with derive(). */
  readonly secretLength?: number;
  /** The private key in the long form that some files hold beside the secret. */
  expand?(secret: Uint8Array): Uint8Array;
  /** The raw signature. */
  sign?(tbs: Uint8Array, secret: Uint8Array): Uint8Array;
  /** Every other public key that the same secret signs for: who has one private key has theirs. Left out where there is none. */
  twins?(key: Uint8Array): Uint8Array[];
  /** Whether the verifier has tables for its keys: prepare(). */
  readonly tables?: true;
  /** Fetches the mathematics, where that costs too much for those who do not use it. Before, derive, expand, sign and alg.verify throw. */
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
