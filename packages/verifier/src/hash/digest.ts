// SUIT_Digest and the hash functions for it.

import { concat, equalConstantTime, octetsOf } from "../base/bytes.js";
import { HAS_GENERAL, HAS_ONCE, HAS_PLAIN, HAS_SHA256, HAS_SHA512 } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Hash, HashState, Host, Joined } from "../base/types.js";
import { array, bstr, chunkOf, copySlice, feed, type Input, input, int, type Slice } from "../cbor/reader.js";
import { HASH_SHA_256, HASH_SHA_384, HASH_SHA_512, HASH_SHAKE128, HASH_SHAKE256 } from "../spec/cose.js";
import { CBOR_TYPE, DIGEST_ALG, DIGEST_LENGTH, NOT_SUPPORTED } from "../spec/errors.generated.js";
import { sha256 } from "./sha256.js";
import { sha384, sha512 } from "./sha512.js";
import { startSmall } from "./small.js";

/** SUIT_Digest: a COSE hash algorithm and the digest. */
export interface Digest {
  alg: number;
  bytes: Bytes;
}

/** Reads SUIT_Digest = [alg, bytes]. Refuses extensions (M37 §10). */
export function readDigest(): Digest {
  var alg, n, s;
  if (array() !== 2) refuse(CBOR_TYPE);
  alg = int();
  if (alg === HASH_SHAKE128 || alg === HASH_SHAKE256) refuse(NOT_SUPPORTED);
  n = alg === HASH_SHA_256 ? 32 : alg === HASH_SHA_384 ? 48 : alg === HASH_SHA_512 ? 64 : 0;
  if (!n) refuse(DIGEST_ALG);
  // check its length first: it is not verified yet, and may be as long as the input
  s = bstr();
  if (s.n !== n) refuse(DIGEST_LENGTH);
  return { alg: alg, bytes: copySlice(input, s) };
}

/** Whether two digests are of one algorithm and equal. The bytes of one of them are our own copy. */
export function sameDigest(a: Digest, b: Digest): boolean {
  return a.alg === b.alg && equalConstantTime(a.bytes, b.bytes);
}

/** The host's hash function for a COSE hash algorithm, or undefined. */
function hostHash(host: Host, alg: number): Partial<Hash> | undefined {
  return alg === HASH_SHA_256 ? host.sha256 : alg === HASH_SHA_384 ? host.sha384 : host.sha512;
}

/**
 * Starts a hash with the host's function or ours; refuses if there is none. Some engines have a one-shot function only.
 * A micro verifier has ours unless it was made for a host that has one.
 */
export function hashing(host: Host, alg: number): HashState {
  var hash: Partial<Hash> | false | undefined;
  if (!HAS_GENERAL && !HAS_PLAIN) {
    if (alg === HASH_SHA_256) return HAS_SHA256 ? startSmall(64) : (host.sha256 as Hash).create();
    return HAS_SHA512 ? startSmall(128) : (host.sha512 as Hash).create();
  }
  if (!HAS_GENERAL)
    return (alg === HASH_SHA_256 ? (HAS_SHA256 ? sha256 : (host.sha256 as Hash)) : HAS_SHA512 ? sha512 : (host.sha512 as Hash)).create();
  hash = hostHash(host, alg);
  if (!hash || !hash.create) hash = HAS_SHA256 && alg === HASH_SHA_256 ? sha256 : HAS_SHA512 && (alg === HASH_SHA_384 ? sha384 : sha512);
  if (!HAS_SHA512 && !hash) refuse(NOT_SUPPORTED);
  return (hash as Hash).create();
}

/** SHA-256 of `bytes` in RAM. For micro verifiers. */
export function digestOf(bytes: Bytes, host: Host): Bytes {
  var state;
  if (!HAS_ONCE) return ((host.sha256 as Hash).joined as Joined)([bytes]);
  if (!HAS_SHA256) return ((host.sha256 as Hash).once as (bytes: Bytes) => Bytes)(bytes);
  state = hashing(host, HASH_SHA_256);
  state.update(bytes);
  return state.digest();
}

/** SHA-256 of the concatenation of `pieces`, with the host's one-shot function if it has one. */
export function digestPieces(pieces: Bytes[], host: Host): Bytes {
  var hash = host.sha256,
    state,
    i;
  // copied: two of these are compared with each other, and what is not a byte must not equal itself
  if (hash && hash.joined) return octetsOf(hash.joined(pieces), 32);
  if (!HAS_SHA256 && hash && hash.once) return octetsOf(hash.once(concat(pieces)), 32);
  state = hashing(host, HASH_SHA_256);
  for (i = 0; i < pieces.length; i++) state.update(pieces[i]);
  return octetsOf(state.digest(), 32);
}

/** The digest of a range of an input, with the COSE hash algorithm `alg`. */
export function digestSlice(src: Input, slice: Slice, host: Host, alg: number): Bytes {
  var hash = hostHash(host, alg),
    state: HashState;
  // in one call, if the host has a one-shot function and the range fits one chunk
  if (hash && hash.once && slice.n <= chunkOf(src)) return hash.once(copySlice(src, slice));
  state = hashing(host, alg);
  feed(src, slice, function (bytes) {
    state.update(bytes);
  });
  return state.digest();
}
