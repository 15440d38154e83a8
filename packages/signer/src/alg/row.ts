// What this package knows of a signature algorithm: one value of type Row each, in a file of its own; the table of them is in key.ts.

import type { Alg } from "@firmseal/verifier";
import type { Encodable } from "../cbor.js";

export interface AlgRow {
  /** The COSE algorithm number that is written. */
  readonly cose: number;
  /** For open(); and what is signed is verified with it, which for all but ML-DSA is other code than what has signed. */
  readonly alg: Alg;
  /** The lengths that a raw public key may have. */
  readonly publicLengths: readonly number[];
  /** The length of every raw signature. Left out where a signature says it in itself. */
  readonly signatureLength?: number;
  /** Throws KeyError for a key of the right length that must not be used. */
  check(key: Uint8Array): void;
  /** The members of the public COSE_Key that RFC 9679 §4 calls required. */
  members(key: Uint8Array): Map<Encodable, Encodable>;
  /** The public key of 32 bytes of secret. Left out where private keys are not held by this package. */
  derive?(secret: Uint8Array): Uint8Array;
  /** The private key in the long form that some files hold beside the secret. */
  expand?(secret: Uint8Array): Uint8Array;
  /** The raw signature. */
  sign?(tbs: Uint8Array, secret: Uint8Array): Uint8Array;
  /** Fetches the mathematics, where that costs too much for those who do not use it. Before, all of the above but check and members throw. */
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
