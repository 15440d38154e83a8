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

/** SUIT_Digest = [alg, bytes]; an extension behind them is refused (M37 §10). */
export function digest(r: Reader): Digest {
  var at = r.at,
    n = array(r),
    alg,
    s;
  if (n !== 2) refuse(CBOR_TYPE, at);
  at = r.at;
  alg = int(r);
  if (alg === HASH_SHAKE128 || alg === HASH_SHAKE256) refuse(NOT_SUPPORTED, at);
  n = alg === HASH_SHA_256 ? 32 : alg === HASH_SHA_384 ? 48 : alg === HASH_SHA_512 ? 64 : 0;
  if (!n) refuse(DIGEST_ALG, at);
  at = r.at;
  // its length first: nobody has vouched for it, and it may be as long as the input
  s = bstr(r);
  if (s.n !== n) refuse(DIGEST_LENGTH, at);
  return { alg: alg, bytes: take(r, s.at, n) };
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
  feed(r, slice, function (bytes) {
    state.update(bytes);
  });
  return state.digest();
}
