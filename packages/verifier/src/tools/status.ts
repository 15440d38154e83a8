// The server side of a status: reads the message of install/status.ts strictly and verifies it. A device creates
// statuses but never reads one.

import { equalConstantTime } from "../base/bytes.js";
import { mark, markAt, refuse } from "../base/refuse.js";
import type { Anchor, Bytes, Host, Sequence } from "../base/types.js";
import {
  arg,
  array,
  boundedCopy,
  bstr,
  checkEnd,
  enter,
  head,
  input,
  intKey,
  keyRead,
  load,
  map,
  type Slice,
  skip,
  startReading,
  TAG,
  tstr,
  uint,
  uint64,
} from "../cbor/reader.js";
import { type CoseSignature, readSignatures } from "../cose/message.js";
import { verified } from "../cose/verify.js";
import { type Digest, readDigest } from "../hash/digest.js";
import { TAG_MAC0, TAG_SIGN1 } from "../spec/cose.js";
import { CBOR_TYPE, STATUS_CLAIM, STATUS_LIMIT, STATUS_NONCE, STATUS_NONE, STATUS_VERSION_UNKNOWN } from "../spec/errors.generated.js";
import {
  MAX_NONCE,
  MIN_NONCE,
  STATE_ROLLED_BACK,
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
} from "../spec/status.js";
import { ROLE_RECOVERY, ROLE_RELEASE } from "../spec/trust.js";

/** Maximum bytes of a message, of the verifier version, and of the name of a trust file. */
const MAX_MESSAGE = 32768;
const MAX_TEXT = 64;

/** The claims of a device about itself. */
export interface Status {
  /** 8 to 64 bytes, as the server sent them. */
  nonce: Bytes;
  /** The version of the verifier on the device, in UTF-8. */
  verifier: Bytes;
  /** STATE_…: 0 confirmed, 1 on trial, 2 rolled back. */
  state: number;
  /** For each role (ROLE_RELEASE to ROLE_RECOVERY), the lowest sequence number that the device accepts. */
  floors: { [role: number]: Sequence };
  /** Digest and sequence number of the running manifest; undefined if nothing is installed. */
  digest?: Digest;
  sequence?: Sequence;
  /** The current trust file, with its name in UTF-8; undefined if the device has embedded keys. */
  trustName?: Bytes;
  trustSequence?: Sequence;
}

/** A status that has not been verified. */
export interface UnverifiedStatus extends Status {
  signature: CoseSignature;
}

function floorMap(): { [role: number]: Sequence } {
  var n = map(),
    out: { [role: number]: Sequence } = {},
    last: Bytes | null = null;
  for (; n > 0; n--) {
    last = intKey(last);
    if (keyRead < ROLE_RELEASE || keyRead > ROLE_RECOVERY) refuse(STATUS_CLAIM);
    out[keyRead] = uint64();
  }
  if (!out[ROLE_RELEASE]) refuse(STATUS_CLAIM);
  return out;
}

/** Reads the claims in the range `s`. */
function claims(s: Slice): Status {
  var out = {} as Status,
    last: Bytes | null = null,
    version = 0,
    n,
    at;
  enter(input, s);
  n = map();
  at = mark;
  for (; n > 0; n--) {
    last = intKey(last);
    if (keyRead === STATUS_VERSION) {
      version = uint();
      if (version !== 1) refuse(STATUS_VERSION_UNKNOWN);
    } else if (keyRead === STATUS_CHALLENGE) {
      out.nonce = boundedCopy(bstr(), MAX_NONCE, STATUS_NONCE);
      if (out.nonce.length < MIN_NONCE) refuse(STATUS_NONCE);
    } else if (keyRead === STATUS_VERIFIER) out.verifier = boundedCopy(tstr(), MAX_TEXT, STATUS_LIMIT);
    else if (keyRead === STATUS_STATE) {
      if (uint() > STATE_ROLLED_BACK) refuse(STATUS_CLAIM);
      out.state = arg;
    } else if (keyRead === STATUS_FLOORS) out.floors = floorMap();
    else if (keyRead === STATUS_DIGEST) out.digest = readDigest();
    else if (keyRead === STATUS_SEQUENCE) out.sequence = uint64();
    else if (keyRead === STATUS_TRUST_NAME) out.trustName = boundedCopy(tstr(), MAX_TEXT, STATUS_LIMIT);
    else if (keyRead === STATUS_TRUST_SEQUENCE) out.trustSequence = uint64();
    else refuse(STATUS_CLAIM);
  }
  checkEnd();
  markAt(at);
  if (!version || !out.nonce || !out.verifier || out.state === undefined || !out.floors) refuse(STATUS_CLAIM);
  if (!out.digest !== !out.sequence || !out.trustName !== !out.trustSequence) refuse(STATUS_CLAIM);
  return out;
}

/**
 * Reads a status. Verifies nothing.
 *
 * @param bytes - The status, at most 32,768 bytes.
 * @returns What it says.
 * @throws The refusals 1 to 19, 50 to 69, and STATUS_….
 */
export function readStatus(bytes: Bytes): UnverifiedStatus {
  var aad: number[] = [],
    signatures,
    out,
    s,
    i;
  for (i = 0; i < STATUS_CONTEXT.length; i++) aad.push(STATUS_CONTEXT.charCodeAt(i));
  startReading(bytes);
  input.ramLeft = MAX_MESSAGE;
  input.excessCode = STATUS_LIMIT;
  load(input, input);
  if (head() !== TAG || (arg !== TAG_MAC0 && arg !== TAG_SIGN1)) refuse(STATUS_NONE);
  if (array() !== 4) refuse(CBOR_TYPE);
  skip();
  skip();
  s = bstr();
  enter(input, input);
  signatures = readSignatures(null, aad);
  checkEnd();
  out = claims(s) as UnverifiedStatus;
  out.signature = signatures[0];
  return out;
}

/**
 * Reads a status and verifies that it answers this nonce.
 *
 * @param bytes - The status.
 * @param anchors - The MAC secrets or public keys of devices. One of them made it.
 * @param nonce - The nonce that was sent.
 * @param host - Hash functions. Default: our own.
 * @returns What it says.
 * @throws The refusals of readStatus(), those of signatures (50 to 69), and STATUS_NONCE for another nonce.
 * @example
 * ```ts
 * import { hmac256 } from "@firmseal/verifier";
 * import { verifyStatus } from "@firmseal/verifier/tools";
 *
 * const claims = verifyStatus(answer, [{ alg: hmac256, key: secret }], nonce);
 * ```
 */
export function verifyStatus(bytes: Bytes, anchors: Anchor[], nonce: Bytes, host?: Host): UnverifiedStatus {
  var out = readStatus(bytes);
  markAt(-1);
  verified([out.signature], anchors, 1, host || {});
  if (!equalConstantTime(out.nonce, nonce)) refuse(STATUS_NONCE);
  return out;
}
