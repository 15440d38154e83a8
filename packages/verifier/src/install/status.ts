// The status of a device: what it runs and which keys it trusts, in answer to a server that sends a nonce. One tagged
// COSE_Mac0 (RFC 9052 §6.2) or COSE_Sign1 (§4.2) with the claims as its payload; docs/reference/status.md describes the
// format. Included in bundles on request.

import { hmacSha256 } from "../alg/hmac.js";
import { concat, octetsOf } from "../base/bytes.js";
import { isHalf, isSequence } from "../base/number.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Bytes, Host, Sequence } from "../base/types.js";
import { BSTR, MAP, NINT, TSTR, UINT } from "../cbor/reader.js";
import { MAX_SIGNATURE, sigStructure, stringHead } from "../cose/message.js";
import { sha256 } from "../hash/sha256.js";
import type { Manifest } from "../manifest/manifest.js";
import { ALG_HMAC_256_256, HEADER_ALG, HEADER_KID, TAG_MAC0, TAG_SIGN1 } from "../spec/cose.js";
import { DEVICE_FAULT, STATUS_NONCE, TRUST_POLICY } from "../spec/errors.generated.js";
import {
  MAX_NONCE,
  MIN_NONCE,
  STATE_CONFIRMED,
  STATE_ROLLED_BACK,
  STATE_TRIAL,
  STATUS_CHALLENGE,
  STATUS_CONTEXT,
  STATUS_DIGEST,
  STATUS_FLOORS,
  STATUS_SEQUENCE,
  STATUS_STATE,
  STATUS_TRUST_NAME,
  STATUS_TRUST_SEQUENCE,
  STATUS_VERIFIER,
  STATUS_VERSION,
  VERIFIER_VERSION,
} from "../spec/status.js";
import { ROLE_RECOVERY, ROLE_RELEASE } from "../spec/trust.js";
import type { TrustStore } from "../trust/trust-list.js";
import type { Device, TrialDevice } from "./device.js";

/**
 * Authenticates a status: a MAC key, or a secure element that signs. `cose`: the COSE algorithm, 5 for HMAC 256/256
 * (RFC 9053 §3.1), a negative number for a signature. `sign` gets the MAC_structure or Sig_structure (RFC 9052 §6.3,
 * §4.4) and returns the tag or the signature.
 */
export interface Attester {
  cose: number;
  kid?: Bytes | undefined;
  sign(message: Bytes): Bytes;
}

/**
 * Makes an attester with a secret that only this device and the server know.
 *
 * @param key - The secret, 32 bytes.
 * @param kid - At most 64 bytes, with which the server finds the secret.
 * @param host - Hash functions. Default: our own.
 * @returns The attester, for status().
 */
export function macAttester(key: Bytes, kid?: Bytes, host?: Host): Attester {
  var raw = octetsOf(key, 32),
    hash = (host && host.sha256 && host.sha256.create ? host.sha256 : sha256) as typeof sha256;
  return {
    cose: ALG_HMAC_256_256,
    kid: kid,
    sign: function (message) {
      return hmacSha256(raw, message, hash);
    },
  };
}

/** The head of a CBOR item with the given major type and a 64-bit argument, in its shortest form (RFC 8949 §4.2.1). */
function itemHead(major: number, high: number, low: number): Bytes {
  // 32 bits, and the octets of each half
  var out = high
    ? [91, high >>> 24, (high >> 16) & 255, (high >> 8) & 255, high & 255, low >>> 24, (low >> 16) & 255, (low >> 8) & 255, low & 255]
    : (stringHead(low) as number[]);
  out[0] += (major - BSTR) * 32;
  return out;
}

function asciiBytes(text: string): Bytes {
  var out = [],
    i;
  for (i = 0; i < text.length; i++) out.push(text.charCodeAt(i));
  return out;
}

function number(n: number): Bytes {
  return n < 0 ? itemHead(NINT, 0, -1 - n) : itemHead(UINT, 0, n);
}

function sequence(s: Sequence): Bytes {
  markAt(-1);
  if (!isSequence(s)) refuse(DEVICE_FAULT);
  return itemHead(UINT, s[0], s[1]);
}

function text(major: number, bytes: Bytes): Bytes {
  return concat([itemHead(major, 0, bytes.length), bytes]);
}

/** A map with these encoded values. The keys are ascending, each from 0 to 23. */
function mapOf(keys: number[], values: Bytes[]): Bytes {
  var pieces = [itemHead(MAP, 0, keys.length)],
    i;
  for (i = 0; i < keys.length; i++) pieces.push(number(keys[i]), values[i]);
  return concat(pieces);
}

/** The floor of releases; on a device with a floor for each role (device/roles.ts), all of them. */
function floorsOf(device: Device): Bytes {
  var last = (device as { currentRole?: unknown }).currentRole ? ROLE_RECOVERY : ROLE_RELEASE,
    roles: number[] = [],
    floors: Bytes[] = [],
    i;
  for (i = ROLE_RELEASE; i <= last; i++) {
    roles.push(i);
    floors.push(sequence(device.floor(i)));
  }
  return mapOf(roles, floors);
}

function claims(nonce: Bytes, device: Device, release: Manifest | null, store: TrustStore | null): Bytes {
  var trial = device as TrialDevice,
    state = trial.pending && trial.pending() ? STATE_TRIAL : trial.rolledBack && trial.rolledBack() ? STATE_ROLLED_BACK : STATE_CONFIRMED,
    keys = [STATUS_VERSION, STATUS_CHALLENGE, STATUS_VERIFIER, STATUS_STATE, STATUS_FLOORS],
    values = [number(1), text(BSTR, nonce), text(TSTR, asciiBytes(VERIFIER_VERSION)), number(state), floorsOf(device)];
  if (release) {
    keys.push(STATUS_DIGEST, STATUS_SEQUENCE);
    // SUIT_Digest: [alg, bytes]
    values.push(concat([[130], number(release.digest.alg), text(BSTR, release.digest.bytes)]), sequence(release.sequence));
  }
  if (store) {
    keys.push(STATUS_TRUST_NAME, STATUS_TRUST_SEQUENCE);
    values.push(text(TSTR, store.name), sequence(store.sequence));
  }
  return mapOf(keys, values);
}

/**
 * Creates the status of a device. The answer reveals which release runs, so send it only to the server.
 *
 * @param nonce - 8 to 64 random bytes from the server.
 * @param device - The device.
 * @param release - The running manifest from open() or boot(), or null.
 * @param store - The current trust file, or null for embedded keys.
 * @param attester - From macAttester(), or your own.
 * @returns The status, as bytes for the server.
 * @throws STATUS_NONCE for other lengths of `nonce`.
 * @example
 * ```ts
 * import { macAttester, open, status } from "@firmseal/verifier";
 *
 * const answer = status(nonce, device, open(envelope, trust), null, macAttester(secret, serial));
 * ```
 */
export function status(nonce: Bytes, device: Device, release: Manifest | null, store: TrustStore | null, attester: Attester): Bytes {
  var cose = attester && attester.cose,
    isMac = cose === ALG_HMAC_256_256,
    keys = [HEADER_ALG],
    values,
    headers,
    payload,
    signature,
    i;
  markAt(-1);
  if (!nonce || !(nonce.length >= MIN_NONCE) || !(nonce.length <= MAX_NONCE)) refuse(STATUS_NONCE);
  if (!isMac && !(cose < 0 && isHalf(-cose))) refuse(TRUST_POLICY);
  values = [number(cose)];
  if (attester.kid) {
    keys.push(HEADER_KID);
    values.push(text(BSTR, octetsOf(attester.kid, attester.kid.length)));
  }
  headers = mapOf(keys, values);
  payload = claims(octetsOf(nonce, nonce.length), device, release, store);
  signature = attester.sign(sigStructure(isMac ? "MAC0" : "Signature1", [headers, asciiBytes(STATUS_CONTEXT), payload]));
  i = signature ? signature.length : 0;
  markAt(-1);
  if (!(i > 0 && i <= MAX_SIGNATURE)) refuse(DEVICE_FAULT);
  return concat([
    [192 + (isMac ? TAG_MAC0 : TAG_SIGN1), 132],
    text(BSTR, headers),
    [160],
    text(BSTR, payload),
    text(BSTR, octetsOf(signature, i)),
  ]);
}
