// SUIT_Digest, and the hash functions that can answer for it.

import { HAS_SHA512 } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Hash, HashState, Host } from "../base/types.js";
import { array, bstr, chunkOf, copySlice, feed, type Input, input, int, type Slice } from "../cbor/reader.js";
import { HASH_SHA_256, HASH_SHA_384, HASH_SHA_512, HASH_SHAKE128, HASH_SHAKE256 } from "../spec/cose.js";
import { CBOR_TYPE, DIGEST_ALG, DIGEST_LENGTH, NOT_SUPPORTED } from "../spec/errors.js";
import { sha256 } from "./sha256.js";
import { sha384, sha512 } from "./sha512.js";

/** SUIT_Digest: a COSE hash algorithm and the digest. */
export interface Digest {
  alg: number;
  bytes: Bytes;
}

/** SUIT_Digest = [alg, bytes]; an extension behind them is refused (M37 §10). */
export function readDigest(): Digest {
  var alg, n, s;
  if (array() !== 2) refuse(CBOR_TYPE);
  alg = int();
  if (alg === HASH_SHAKE128 || alg === HASH_SHAKE256) refuse(NOT_SUPPORTED);
  n = alg === HASH_SHA_256 ? 32 : alg === HASH_SHA_384 ? 48 : alg === HASH_SHA_512 ? 64 : 0;
  if (!n) refuse(DIGEST_ALG);
  // its length first: nobody has vouched for it, and it may be as long as the input
  s = bstr();
  if (s.n !== n) refuse(DIGEST_LENGTH);
  return { alg: alg, bytes: copySlice(input, s) };
}

/** What the host has for a COSE hash algorithm; undefined where it has nothing. */
function hostHash(host: Host, alg: number): Partial<Hash> | undefined {
  return alg === HASH_SHA_256 ? host.sha256 : alg === HASH_SHA_384 ? host.sha384 : host.sha512;
}

/** A hash in progress, the host's or ours; refused where there is none. An engine may have a hash in one call and no other. */
export function hashing(host: Host, alg: number): HashState {
  var hash: Partial<Hash> | false | undefined = hostHash(host, alg);
  if (!hash || !hash.create) hash = alg === HASH_SHA_256 ? sha256 : HAS_SHA512 && (alg === HASH_SHA_384 ? sha384 : sha512);
  if (!hash) refuse(NOT_SUPPORTED);
  return (hash as Hash).create();
}

/** SHA-256 of `pieces`, one after the other: in one call where the host has one for that. */
export function digestPieces(pieces: Bytes[], host: Host): Bytes {
  var hash = host.sha256,
    state,
    i;
  if (hash && hash.joined) return hash.joined(pieces);
  state = hashing(host, HASH_SHA_256);
  for (i = 0; i < pieces.length; i++) state.update(pieces[i]);
  return state.digest();
}

/** The digest of a stretch of an input, by the COSE hash `alg`. */
export function digestSlice(src: Input, slice: Slice, host: Host, alg: number): Bytes {
  var hash = hostHash(host, alg),
    state: HashState;
  // in one call where the host has one and all of it may be at hand
  if (hash && hash.once && slice.n <= chunkOf(src)) return hash.once(copySlice(src, slice));
  state = hashing(host, alg);
  feed(src, slice, function (bytes) {
    state.update(bytes);
  });
  return state.digest();
}
