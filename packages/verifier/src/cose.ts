// COSE_Sign1, COSE_Sign and COSE_Mac0 (RFC 9052), checked against anchors. The anchor fixes the algorithm: `alg` in the message can only
// agree with it. Keys in the message are never looked at.

import { compare, concat, rawKey, same } from "./bytes.js";
import {
  array,
  ascending,
  BSTR,
  bstr,
  done,
  head,
  int,
  map,
  NINT,
  NULL,
  octets,
  peekType,
  type Reader,
  type Slice,
  simple,
  skip,
  sub,
  TAG,
  TSTR,
  take,
  tstr,
  UINT,
  uint,
} from "./cbor.js";
import { refuse } from "./refuse.js";
import {
  ALG_ED448,
  ALG_ED25519,
  ALG_EDDSA,
  ALG_ES256,
  ALG_ES384,
  ALG_ES512,
  ALG_ESP256,
  ALG_ESP384,
  ALG_ESP512,
  ALG_HMAC_256_256,
  ALG_HSS_LMS,
  ALG_ML_DSA_44,
  ALG_ML_DSA_65,
  ALG_ML_DSA_87,
  HEADER_ALG,
  HEADER_CRIT,
  HEADER_KID,
  TAG_MAC,
  TAG_MAC0,
  TAG_SIGN,
  TAG_SIGN1,
} from "./spec/cose.js";
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
} from "./spec/errors.js";
import type { Anchor, Bytes, Host } from "./types.js";

/** Signatures that an envelope may carry: each costs a verification for each anchor, and nobody has vouched for them yet. */
export const MAX_SIGNATURES = 8;
/** Bytes of a protected bucket, of a key identifier, and of a signature: ML-DSA-87 has 4,627, HSS/LMS of two levels some thousands. */
var MAX_HEADERS = 512;
var MAX_KID = 64;
var MAX_SIGNATURE = 16384;

var SIGNATURE_ALGS = [
  ALG_ED25519,
  ALG_EDDSA,
  ALG_ESP256,
  ALG_ES256,
  ALG_ES384,
  ALG_ES512,
  ALG_HSS_LMS,
  ALG_ML_DSA_44,
  ALG_ML_DSA_65,
  ALG_ML_DSA_87,
  ALG_ESP384,
  ALG_ESP512,
  ALG_ED448,
];

/** What one signature or tag claims of itself. */
export interface Claim {
  alg: number;
  kid: Bytes | null;
  /** The bytes that were signed: Sig_structure or MAC_structure. */
  message: Bytes;
  signature: Bytes;
  at: number;
}

interface Headers {
  alg: number | null;
  kid: Bytes | null;
  /** The protected bucket as it goes into the Sig_structure. */
  protected: Bytes;
  /** Encoded labels of the protected bucket, in order. */
  labels: Bytes[];
}

function bucket(r: Reader, out: Headers, isProtected: boolean): void {
  var n = map(r),
    next = 0,
    critical: number[] = [],
    at,
    label,
    s,
    i;
  for (; n > 0; n--) {
    at = r.at;
    label = 0;
    if (peekType(r) === TSTR) tstr(r);
    else label = int(r);
    ascending(r, at);
    // the same label in both buckets: which one is meant must not depend on the reader (RFC 9052 §3)
    if (isProtected) out.labels.push(r.last as Bytes);
    else {
      // both buckets are in order: one pass over each is enough
      i = -1;
      while (next < out.labels.length && (i = compare(out.labels[next], r.last as Bytes)) < 0) next++;
      if (i === 0) refuse(HEADER_TWICE, at);
    }
    if (label === HEADER_ALG) {
      if (!isProtected) refuse(HEADER_NO_ALG, at);
      if (peekType(r) > NINT) refuse(HEADER_ALG_UNKNOWN, at);
      out.alg = int(r);
    } else if (label === HEADER_KID) {
      s = bstr(r);
      if (s.n > MAX_KID) refuse(HEADER_LENGTH, at);
      out.kid = take(r, s.at, s.n);
    } else if (label === HEADER_CRIT) {
      // what is marked critical must be understood, and be protected (RFC 9052 §3.1)
      i = isProtected ? array(r) : 0;
      if (i === 0) refuse(HEADER_CRITICAL, at);
      for (; i > 0; i--) {
        label = peekType(r) === UINT ? uint(r) : 0;
        if (label !== HEADER_ALG && label !== HEADER_KID) refuse(HEADER_CRITICAL, at);
        critical.push(label);
      }
    } else skip(r);
  }
  // a label that is marked critical has to be there, in the same bucket
  for (i = 0; i < critical.length; i++) if ((critical[i] === HEADER_ALG ? out.alg : out.kid) === null) refuse(HEADER_CRITICAL, r.at);
}

function headers(r: Reader): Headers {
  var at = r.at,
    s = bstr(r),
    out: Headers = { alg: null, kid: null, protected: [], labels: [] },
    inner;
  // headers are copied, and signed over, before anybody has vouched for them
  if (s.n > MAX_HEADERS) refuse(HEADER_LENGTH, at);
  if (s.n > 0) {
    inner = sub(r, s);
    bucket(inner, out, true);
    done(inner);
    // an empty map is signed as an empty string (RFC 9052 §4.4)
    if (out.labels.length) out.protected = take(r, s.at, s.n);
  }
  bucket(r, out, false);
  return out;
}

/** The head of a byte string of `n` octets, in its shortest form; nothing that is signed here reaches 2^32 octets. */
function headOf(n: number): number[] {
  if (n < 24) return [64 + n];
  if (n < 256) return [88, n];
  return n < 65536 ? [89, n >> 8, n & 255] : [90, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** Sig_structure (RFC 9052 §4.4) or MAC_structure (§6.3): the bytes that are signed. `parts` are byte strings. */
export function structure(context: string, parts: Bytes[]): Bytes {
  var start = [129 + parts.length, 96 + context.length],
    pieces: Bytes[] = [start],
    i;
  for (i = 0; i < context.length; i++) start.push(context.charCodeAt(i));
  for (i = 0; i < parts.length; i++) pieces.push(headOf(parts[i].length), parts[i]);
  return concat(pieces);
}

function claim(h: Headers, context: string, parts: Bytes[], r: Reader, at: number): Claim {
  var signature = bstr(r),
    alg = h.alg;
  if (signature.n > MAX_SIGNATURE) refuse(SIGNATURE_LENGTH, at);
  if (alg === null) refuse(HEADER_NO_ALG, at);
  if (context === "MAC0" ? alg !== ALG_HMAC_256_256 : SIGNATURE_ALGS.indexOf(alg as number) < 0) refuse(HEADER_ALG_UNKNOWN, at);
  return {
    alg: alg as number,
    kid: h.kid,
    message: structure(context, parts),
    signature: take(r, signature.at, signature.n),
    at: at,
  };
}

/**
 * Reads one tagged COSE_Sign1 (18), COSE_Sign (98) or COSE_Mac0 (17) message that fills `slice`.
 * `payload`: the detached payload; the message must then hold nil. null: the payload is in the message.
 */
export function claims(r0: Reader, slice: Slice, payload: Bytes | null, externalAad: Bytes): Claim[] {
  var r = sub(r0, slice),
    out: Claim[] = [],
    at = r.at,
    kind,
    body,
    h,
    n,
    content: Bytes;
  if (head(r) !== TAG) refuse(BLOCK_TAG, at);
  kind = r.n;
  if (kind === TAG_MAC) refuse(NOT_SUPPORTED, at);
  if (kind !== TAG_SIGN1 && kind !== TAG_SIGN && kind !== TAG_MAC0) refuse(BLOCK_TAG, at);
  at = r.at;
  if (array(r) !== 4) refuse(CBOR_TYPE, at);
  body = headers(r);
  at = r.at;
  if (peekType(r) === BSTR) {
    if (payload) refuse(PAYLOAD_ATTACHED, at);
    content = octets(r);
  } else {
    if (simple(r) !== NULL || !payload) refuse(CBOR_TYPE, at);
    content = payload as Bytes;
  }
  if (kind !== TAG_SIGN) {
    out.push(claim(body, kind === TAG_MAC0 ? "MAC0" : "Signature1", [body.protected, externalAad, content], r, slice.at));
  } else {
    at = r.at;
    n = array(r);
    if (n === 0) refuse(CBOR_TYPE, at);
    if (n > MAX_SIGNATURES) refuse(SIGNATURE_COUNT, at);
    for (; n > 0; n--) {
      at = r.at;
      if (array(r) !== 3) refuse(CBOR_TYPE, at);
      h = headers(r);
      out.push(claim(h, "Signature", [body.protected, h.protected, externalAad, content], r, at));
    }
  }
  done(r);
  return out;
}

/** Whether a claim can be this anchor's: its algorithm, and its key identifier where both have one. */
export function concerns(c: Claim, anchor: Anchor): boolean {
  return anchor.alg.ids.indexOf(c.alg) >= 0 && !(c.kid && anchor.kid && !same(c.kid, anchor.kid));
}

/**
 * Checks claims against anchors until `need` of them have signed. Returns the indices of those that have.
 * A key counts once, however often it signed or is listed.
 */
export function verified(all: Claim[], anchors: Anchor[], need: number, host: Host): number[] {
  var found: number[] = [],
    i,
    j,
    k,
    fresh;
  for (i = 0; i < all.length && found.length < need; i++) {
    for (j = 0; j < anchors.length; j++) {
      fresh = concerns(all[i], anchors[j]);
      for (k = 0; k < found.length; k++) if (same(rawKey(anchors[found[k]].key), rawKey(anchors[j].key))) fresh = false;
      if (fresh && anchors[j].alg.verify(anchors[j].key, all[i].message, all[i].signature, host)) {
        found.push(j);
        break;
      }
    }
  }
  return found;
}
