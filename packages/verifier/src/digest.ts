// SUIT_Digest, and the hash functions that can answer for it.

import { array, bstr, feed, int, type Reader, type Slice, take } from "./cbor.js";
import { refuse } from "./refuse.js";
import { HASH_SHA_256, HASH_SHA_384, HASH_SHA_512, HASH_SHAKE128, HASH_SHAKE256 } from "./spec/cose.js";
import { CBOR_TYPE, DIGEST_ALG, DIGEST_LENGTH, NOT_SUPPORTED } from "./spec/errors.js";
import type { Bytes, Hash, Host } from "./types.js";

/** SUIT_Digest: a COSE hash algorithm and the digest. */
export interface Digest {
  alg: number;
  bytes: Bytes;
}

/** Bytes of a digest of algorithm `alg`. 0: the algorithm is known, but none of ours; -1: unknown. */
export function digestLength(alg: number): number {
  if (alg === HASH_SHA_256) return 32;
  if (alg === HASH_SHA_384) return 48;
  if (alg === HASH_SHA_512) return 64;
  return alg === HASH_SHAKE128 || alg === HASH_SHAKE256 ? 0 : -1;
}

/** SUIT_Digest = [alg, bytes]; an extension behind them is refused (M37 §10). */
export function digest(r: Reader): Digest {
  var at = r.at,
    n = array(r),
    alg,
    length,
    s;
  if (n !== 2) refuse(CBOR_TYPE, at);
  at = r.at;
  alg = int(r);
  length = digestLength(alg);
  if (length < 0) refuse(DIGEST_ALG, at);
  if (length === 0) refuse(NOT_SUPPORTED, at);
  at = r.at;
  s = bstr(r);
  if (s.n !== length) refuse(DIGEST_LENGTH, at);
  return { alg: alg, bytes: take(r, s.at, s.n) };
}

/** The host's hash function for a COSE algorithm; refused where the bundle has none. */
export function hashOf(host: Host, alg: number): Hash {
  var hash = alg === HASH_SHA_256 ? host.sha256 : alg === HASH_SHA_384 ? host.sha384 : host.sha512;
  if (!hash) refuse(NOT_SUPPORTED, -1);
  return hash as Hash;
}

/** The digest of a stretch of the input, by the COSE hash `alg`. */
export function digestSlice(r: Reader, slice: Slice, host: Host, alg: number): Bytes {
  var state = hashOf(host, alg).create();
  feed(r, slice, state);
  return state.digest();
}
