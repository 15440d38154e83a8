// HMAC with SHA-256 and a 256-bit tag: RFC 2104, FIPS 198-1; in COSE "HMAC 256/256" (RFC 9053 §3.1). This key is the
// only secret that a device may hold.

import { copied, equalConstantTime, rawKey } from "../base/bytes.js";
import type { Alg, Bytes, Hash, HashState, Host, Prepared } from "../base/types.js";
import { sha256 } from "../hash/sha256.js";
import { ALG_HMAC_256_256 } from "../spec/cose.js";

/** SHA-256 of the key, padded to a block and XORed with `pad`, followed by `bytes`. */
function keyed(key: Bytes, pad: number, bytes: Bytes, hash: Hash): Bytes {
  var block: number[] = [];
  var s = hash.create();
  var i: number;
  // Octets: 8 bits.
  for (i = 0; i < 64; i++) block[i] = (i < key.length ? key[i] : 0) ^ pad;
  s.update(block);
  s.update(bytes);
  return s.digest();
}

/**
 * The HMAC of `message`, 32 bytes (RFC 2104 §2). `key` may have any length; if it is longer than a SHA-256 block (64
 * bytes), its hash is used. `hash` is SHA-256, ours or the engine's.
 */
export function hmacSha256(key: Bytes, message: Bytes, hash: Hash): Bytes {
  var s: HashState;
  if (key.length > 64) {
    s = hash.create();
    s.update(key);
    key = s.digest();
  }
  return keyed(key, 0x5c, keyed(key, 0x36, message, hash), hash);
}

/** Whether a key has exactly 32 bytes: RFC 9053 §3.1 requires a key as long as the tag. */
function valid(key: Bytes): boolean {
  // a text, or an array without numbers, would count as a key of zeros
  return !!copied(key, 32);
}

/**
 * Verifies a tag of exactly 32 bytes. Returns false for anything else and never throws. The comparison always covers
 * all 32 bytes, so that its time does not reveal how many of them are correct.
 */
function verify(key: Bytes | Prepared, message: Bytes, tag: Bytes, host: Host): boolean {
  var raw = copied(rawKey(key), 32);
  // equalConstantTime() returns true only for equal bytes
  return (
    !!raw &&
    !!message &&
    !!tag &&
    tag.length === 32 &&
    equalConstantTime(hmacSha256(raw, message, host && host.sha256 && host.sha256.create ? (host.sha256 as Hash) : sha256), tag)
  );
}

/**
 * HMAC with SHA-256 (RFC 2104, RFC 9053 §3.1). Key: 32 bytes, a shared secret. Tag: 32 bytes. COSE algorithm 5 (HMAC
 * 256/256).
 */
export var hmac256: Alg = { ids: [ALG_HMAC_256_256], valid: valid, verify: verify };
