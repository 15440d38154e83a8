// Reads COSE_Sign1, COSE_Sign and COSE_Mac0 (RFC 9052). Keys in the message are ignored. Nothing here verifies a
// signature: see verify.ts.

import { concat, equalConstantTime } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import {
  arg,
  array,
  BSTR,
  boundedCopy,
  bstr,
  checkKeyOrder,
  copySlice,
  enter,
  head,
  here,
  input,
  int,
  intKey,
  keyRead,
  leave,
  map,
  NINT,
  NULL,
  peekType,
  type Slice,
  simple,
  skip,
  TAG,
  TSTR,
  tstr,
  UINT,
  uint,
} from "../cbor/reader.js";
import {
  ALG_HMAC_256_256,
  HEADER_ALG,
  HEADER_CRIT,
  HEADER_KID,
  SIGNATURE_ALGS,
  TAG_MAC,
  TAG_MAC0,
  TAG_SIGN,
  TAG_SIGN1,
} from "../spec/cose.js";
import {
  BLOCK_TAG,
  CBOR_TYPE,
  HEADER_ALG_UNKNOWN,
  HEADER_CRITICAL,
  HEADER_LENGTH,
  HEADER_NO_ALG,
  HEADER_TWICE,
  NOT_SUPPORTED,
  PAYLOAD_ATTACHED,
  SIGNATURE_COUNT,
  SIGNATURE_LENGTH,
  TRUST_LIMIT,
} from "../spec/errors.generated.js";

/** Maximum number of signatures in an envelope. Each costs one verification per anchor, before anything is verified. */
export const MAX_SIGNATURES = 8;
/**
 * Maximum bytes of a protected header, labels in either header, bytes of a key identifier, and bytes of a signature:
 * ML-DSA-87 has 4,627, HSS/LMS of two levels several thousand.
 */
const MAX_HEADERS = 512;
const MAX_LABELS = 16;
const MAX_KID = 64;
export const MAX_SIGNATURE = 16384;
/** Maximum bytes of a payload in the message. It must fit a Sig_structure. */
export const MAX_ATTACHED = 65535;

/** The payload in the message that readSignatures() has read last. */
export var attached: Slice;

/**
 * The place of a signature or tag: the block up to its signatures, `head`, and the signature itself, `body`.
 * `multiple`: in a COSE_Sign, in which an array of signatures follows the head.
 */
export interface Signature {
  head: Slice;
  body: Slice;
  multiple: boolean;
  /** Whether an anchor has verified it. */
  good?: boolean;
  /** SHA-256 of `head` and `body` as they were read, so that a later copy can be compared. For devices that keep it. */
  sum?: Bytes;
}

/** One signature or tag, with its unverified claims. */
export interface CoseSignature extends Signature {
  alg: number;
  kid: Bytes | null;
  /** The bytes that were signed: Sig_structure or MAC_structure. */
  message: Bytes;
  signature: Bytes;
}

interface Headers {
  alg: number | null;
  kid: Bytes | null;
  /** The protected header, as encoded in the Sig_structure. */
  protected: Bytes;
  /** Encoded labels of both headers. */
  labels: Bytes[];
}

function readHeaderMap(out: Headers, isProtected: boolean): void {
  var n = map(),
    last: Bytes | null = null,
    // the sum of the critical labels: 1 and 4 are bits of their own
    critical = 0,
    label,
    i;
  if (n > MAX_LABELS) refuse(HEADER_LENGTH);
  for (; n > 0; n--) {
    label = 0;
    if (peekType() === TSTR) {
      tstr();
      last = checkKeyOrder(last);
    } else {
      last = intKey(last);
      label = keyRead;
    }
    // the same label in both headers: its meaning must not depend on the reader (RFC 9052 §3)
    for (i = 0; i < out.labels.length; i++) if (equalConstantTime(out.labels[i], last)) refuse(HEADER_TWICE);
    // labels of the unprotected header are in order, and may be long
    if (isProtected) out.labels.push(last);
    if (label === HEADER_ALG) {
      if (!isProtected) refuse(HEADER_NO_ALG);
      if (peekType() > NINT) refuse(HEADER_ALG_UNKNOWN);
      out.alg = int();
    } else if (label === HEADER_KID) {
      out.kid = boundedCopy(bstr(), MAX_KID, HEADER_LENGTH);
    } else if (label === HEADER_CRIT) {
      // critical headers must be understood and protected (RFC 9052 §3.1)
      i = isProtected ? array() : 0;
      if (i === 0) refuse(HEADER_CRITICAL);
      for (; i > 0; i--) {
        label = peekType() === UINT ? uint() : 0;
        if (label !== HEADER_ALG && label !== HEADER_KID) refuse(HEADER_CRITICAL);
        critical |= label;
      }
    } else skip();
  }
  // a critical label must be present in the same header
  if ((critical & HEADER_ALG && out.alg === null) || (critical & HEADER_KID && !out.kid)) refuse(HEADER_CRITICAL);
}

function headers(): Headers {
  var s = bstr(),
    out: Headers = { alg: null, kid: null, protected: [], labels: [] },
    outer;
  // headers are copied, and become part of the signed bytes, before anything is verified
  if (s.n > MAX_HEADERS) refuse(HEADER_LENGTH);
  if (s.n > 0) {
    outer = enter(input, s);
    readHeaderMap(out, true);
    leave(outer);
    // an empty map is signed as an empty string (RFC 9052 §4.4)
    if (out.labels.length) out.protected = copySlice(input, s);
  }
  readHeaderMap(out, false);
  return out;
}

/** The head of a byte string in its shortest form (RFC 8949 §4.2.1). `n` is below 2^32. */
export function stringHead(n: number): Bytes {
  // 32 bits, and the octets of n
  return n < 24
    ? [64 + n]
    : n < 256
      ? [88, n]
      : n < 65536
        ? [89, n >> 8, n & 255]
        : [90, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/**
 * Encodes the bytes to be signed: Sig_structure (RFC 9052 §4.4) or MAC_structure (§6.3).
 *
 * @param context - The context string, such as "Signature1".
 * @param parts - Protected header, external_aad and payload.
 * @returns The bytes.
 */
export function sigStructure(context: string, parts: Bytes[]): Bytes {
  var pieces: Bytes[] = [[129 + parts.length, 96 + context.length]],
    i;
  for (i = 0; i < context.length; i++) pieces.push([context.charCodeAt(i)]);
  for (i = 0; i < parts.length; i++) pieces.push(stringHead(parts[i].length), parts[i]);
  return concat(pieces);
}

/**
 * Reads one tagged COSE_Sign1 (18), COSE_Sign (98) or COSE_Mac0 (17) message. `payload`: the detached payload, in which
 * case the message must hold nil; null if the payload is in the message.
 */
export function readSignatures(payload: Bytes | null, externalAad: Bytes): CoseSignature[] {
  var out: CoseSignature[] = [],
    aad = HAS_TRUST ? externalAad : [],
    n = 1,
    kind,
    body,
    h,
    from = here,
    to,
    at,
    multiple,
    signed: Bytes,
    signature;
  if (head() !== TAG) refuse(BLOCK_TAG);
  kind = arg;
  if (kind === TAG_MAC) refuse(NOT_SUPPORTED);
  multiple = kind === TAG_SIGN;
  if (kind !== TAG_SIGN1 && !multiple && kind !== TAG_MAC0) refuse(BLOCK_TAG);
  if (array() !== 4) refuse(CBOR_TYPE);
  body = h = headers();
  if (peekType() === BSTR) {
    // of a trust file; it is copied again for each signature
    if (HAS_TRUST && !payload) {
      attached = bstr();
      signed = boundedCopy(attached, MAX_ATTACHED, TRUST_LIMIT);
    } else refuse(PAYLOAD_ATTACHED);
  } else {
    if (simple() !== NULL || !payload) refuse(CBOR_TYPE);
    signed = payload as Bytes;
  }
  to = here;
  if (multiple) {
    n = array();
    if (n === 0) refuse(CBOR_TYPE);
    if (n > MAX_SIGNATURES) refuse(SIGNATURE_COUNT);
  }
  for (; n > 0; n--) {
    at = here;
    if (multiple) {
      if (array() !== 3) refuse(CBOR_TYPE);
      h = headers();
    }
    signature = boundedCopy(bstr(), MAX_SIGNATURE, SIGNATURE_LENGTH);
    if (h.alg === null) refuse(HEADER_NO_ALG);
    if (kind === TAG_MAC0 ? h.alg !== ALG_HMAC_256_256 : SIGNATURE_ALGS.indexOf(" " + h.alg + " ") < 0) refuse(HEADER_ALG_UNKNOWN);
    out.push({
      alg: h.alg as number,
      kid: h.kid,
      message: multiple
        ? sigStructure("Signature", [body.protected, h.protected, aad, signed])
        : sigStructure(kind === TAG_MAC0 ? "MAC0" : "Signature1", [body.protected, aad, signed]),
      signature: signature,
      head: { at: from, n: to - from },
      body: { at: at, n: here - at },
      multiple: multiple,
    });
  }
  return out;
}
