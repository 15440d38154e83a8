// Opens an envelope as an authenticated Manifest, in this order: read the envelope, verify the signatures over the
// digest, compare the digest with the manifest, and only then read the content of the manifest.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_FAMILIES, HAS_TRUST } from "../base/features.js";
import { isHalf, isSequence, sequenceLess } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Anchor, Bytes, Family, Host, Sequence, Source, Trust } from "../base/types.js";
import {
  array,
  bstr,
  checkEnd,
  copySlice,
  enter,
  type Input,
  input,
  leave,
  enterBstr as openString,
  type Slice,
  shrink,
} from "../cbor/reader.js";
import { type CoseSignature, MAX_SIGNATURES, readSignatures } from "../cose/message.js";
import { complete, isNew, verified } from "../cose/verify.js";
import { type Digest, digestPieces, digestSlice, readDigest } from "../hash/digest.js";
import { checkCommands } from "../interpreter/run.js";
import { MARK, type Manifest } from "../manifest/manifest.js";
import { type Element, type Envelope, parseHead, parseManifest, parsePayloads, type UnverifiedManifest } from "../manifest/parse.js";
import {
  ANCHOR_WINDOW,
  DIGEST_LENGTH,
  DIGEST_MANIFEST,
  DIGEST_SEVERED,
  NOT_SUPPORTED,
  PAYLOAD_UNREFERENCED,
  ROLLBACK,
  SIGNATURE_COUNT,
  SIGNATURE_FAMILY,
  TRUST_POLICY,
} from "../spec/errors.generated.js";

/**
 * As `own` of open(): a device will keep the envelope, or what it is receiving, of which only the head is here. Each
 * signature is then hashed as it was read, so that what is read again, and what the device keeps, can be compared. They
 * are values of `own` because each parameter takes memory of Espruino.
 */
export const TO_KEEP = 2;
export const TO_RECEIVE = 3;

type Own = boolean | typeof TO_KEEP | typeof TO_RECEIVE | undefined;

/** Maximum bytes of an encoded digest. */
const MAX_DIGEST = 128;

/** Refuses a limit that is neither absent nor a 64-bit number: an invalid one must not count as absent. */
export function checkLimit(s: Sequence | undefined): void {
  if (s !== undefined && !(typeof s === "object" && isSequence(s))) refuse(TRUST_POLICY);
}

function is16(id: Bytes): boolean {
  return id && id.length === 16;
}

/** Refuses a policy that cannot be met, or that anybody meets, before any byte is read: it is a fault of the caller. */
export function policy(trust: Trust): number {
  var anchors = trust && trust.anchors,
    distinct: number[] = [],
    threshold,
    i,
    a;
  markAt(-1);
  if (!anchors || !(anchors.length > 0)) refuse(TRUST_POLICY);
  for (i = 0; i < anchors.length; i++) {
    a = anchors[i];
    if (!a || !a.alg || !a.key) refuse(TRUST_POLICY);
    if (HAS_TRUST) {
      checkLimit(a.since);
      checkLimit(a.until);
      if ((a.vendor !== undefined && !is16(a.vendor)) || (a.class !== undefined && !is16(a.class))) refuse(TRUST_POLICY);
    } else if (a.since || a.until || a.vendor || a.class || a.single) refuse(TRUST_POLICY);
    if (isNew(anchors, distinct, a)) distinct.push(i);
  }
  // an invalid floor must not count as absent
  if (trust.floor !== undefined && !isSequence(trust.floor)) refuse(TRUST_POLICY);
  if (HAS_TRUST) checkLimit(trust.jump);
  threshold = trust.threshold;
  if (threshold === undefined) threshold = 1;
  if (!(isHalf(threshold) && threshold && threshold <= distinct.length)) refuse(TRUST_POLICY);
  return threshold;
}

/**
 * Reads SUIT_Authentication (M37 §8.3): sets `signed` of the envelope, and returns the claimed signatures. Of the
 * wrapper, only the signed digest stays in RAM. `own`: see TO_KEEP.
 */
export function wrapper(e: Envelope, host: Host, own?: Own): CoseSignature[] {
  var all: CoseSignature[] = [],
    n,
    s,
    outer,
    message,
    c;
  enter(input, (e.wrapper as Element).inside);
  n = array();
  e.signed = s = bstr();
  // copied for each signature and not verified yet: a SUIT_Digest has at most 69 bytes
  if (s.n > MAX_DIGEST) refuse(DIGEST_LENGTH);
  message = copySlice(input, s);
  if (n > MAX_SIGNATURES + 1) refuse(SIGNATURE_COUNT);
  for (; n > 1; n--) {
    outer = openString();
    all = all.concat(readSignatures(message, []));
    leave(outer);
    if (all.length > MAX_SIGNATURES) refuse(SIGNATURE_COUNT);
  }
  checkEnd();
  for (n = 0; (own as number) >= TO_KEEP && n < all.length; n++) {
    c = all[n];
    // a host's hash may itself use the reader and move the cursor to another input
    c.sum = digestPieces([copySlice(e.input, c.head), copySlice(e.input, c.body)], host);
  }
  // signatures are verified from copies, which is when RAM is needed
  shrink(e.input, s, message);
  return all;
}

/** Reads the SUIT_Digest of a wrapper. Used only after the signatures are verified. */
export function signedDigest(src: Input, s: Slice): Digest {
  var d;
  enter(src, s);
  d = readDigest();
  checkEnd();
  return d;
}

/**
 * Compares the bytes of an element, including its bstr head, with a digest, as for the manifest (M37 §8.3) and for
 * severed elements.
 */
export function checkElement(src: Input, e: Element, d: Digest, host: Host, code: number): void {
  markAt(e.whole.at);
  if (!equalConstantTime(digestSlice(src, e.whole, host, d.alg), d.bytes)) refuse(code);
}

/**
 * Checks that every severed element in the envelope matches its digest in the manifest. Records the numbers of the
 * absent ones.
 */
export function checkSevered(e: Envelope, m: UnverifiedManifest, host: Host): void {
  var i, j, d;
  m.absent = [];
  for (i = 0; i < m.digests.length; i++) {
    d = m.digests[i];
    for (j = 0; j < e.severed.length && e.severed[j].number !== d.number; j++);
    if (j === e.severed.length) m.absent.push(d.number);
    else checkElement(e.input, e.severed[j], d.sum, host, DIGEST_SEVERED);
  }
}

/**
 * Reads the heads of the integrated payloads. Refuses a payload that no signed command names, because no signature
 * covers it.
 */
export function refuseUnnamedPayloads(e: Envelope, m: UnverifiedManifest): void {
  var i;
  parsePayloads(e);
  for (i = 0; i < e.payloads.length; i++) {
    markAt(e.payloads[i].whole.at);
    if (m.uris.indexOf(e.payloads[i].uri) < 0) refuse(PAYLOAD_UNREFERENCED);
  }
}

/** How many signers must be known: all if one of them may not count, or 0 for as many as needed. */
function most(anchors: Anchor[], families: Family[] | undefined): number {
  var i, a;
  if (HAS_FAMILIES && families) return anchors.length;
  for (i = 0; i < anchors.length; i++) {
    a = anchors[i];
    if (a.since || a.until || a.vendor || a.class || a.single) return anchors.length;
  }
  return 0;
}

/** Leaves the signers that count for the sequence number of a manifest. Refuses if there are too few. */
function limit(m: Manifest, trust: Trust): void {
  var all = m.signers,
    i,
    a;
  m.signers = [];
  m.believed = [];
  for (i = 0; i < all.length; i++) {
    a = trust.anchors[all[i]];
    if (!(a.since && sequenceLess(m.sequence, a.since)) && !(a.until && sequenceLess(a.until, m.sequence))) {
      m.signers.push(all[i]);
      m.believed.push(a);
    }
  }
  if (m.signers.length < m.threshold) refuse(ANCHOR_WINDOW);
  if (HAS_FAMILIES && !complete(m.believed, null, trust.families)) refuse(SIGNATURE_FAMILY);
}

/** An envelope whose signatures are not verified yet. */
interface Unverified {
  /** The threshold of the policy, under a name that bundles shorten. */
  required: number;
  parsed: Envelope;
  signatures: CoseSignature[];
  /** Whether the payloads are here too. */
  whole: boolean;
}

/** Reads what is needed to verify the signatures. `own`: see TO_KEEP. */
export function read(bytes: Bytes | Source, trust: Trust, host: Host, own: Own): Unverified {
  var threshold = policy(trust),
    envelope = parseHead(bytes, host, false);
  return { required: threshold, parsed: envelope, signatures: wrapper(envelope, host, own), whole: own !== TO_RECEIVE };
}

/** Reads the manifest, once its signers are known, and the heads of the payloads that are here. */
export function believe(u: Unverified, signers: number[], trust: Trust, host: Host): Manifest {
  var e = u.parsed,
    sum = signedDigest(e.input, e.signed),
    m: Manifest;
  checkElement(e.input, e.manifestElement, sum, host, DIGEST_MANIFEST);
  // first the signatures, then the content
  markAt(e.foreign);
  if (e.foreign >= 0) refuse(NOT_SUPPORTED);
  m = parseManifest(e) as Manifest;
  markAt(e.manifestElement.inside.at);
  // Rollback: RFC 9124 §4.3.1. An equal number is accepted, because an interrupted installation needs it.
  if (trust.floor && sequenceLess(m.sequence, trust.floor)) refuse(ROLLBACK);
  m.signers = signers;
  if (HAS_TRUST) {
    m.threshold = u.required;
    if (HAS_FAMILIES) m.families = trust.families;
    // a retired or stolen key still signs what it could sign before, but nothing newer
    limit(m, trust);
  }
  checkSevered(e, m, host);
  checkCommands(m);
  if (u.whole) refuseUnnamedPayloads(e, m);
  m.signatures = u.signatures;
  m.digest = sum;
  m.payloads = e.payloads;
  m.parsed = e;
  // from here on the manifest is trusted
  m.mark = MARK;
  return m;
}

/**
 * Verifies the signatures and the digest of an envelope, and reads its manifest. Everything that is read or executed
 * afterwards is in RAM. `own`: see open() and TO_KEEP. Also throws the errors of a Source or a host.
 */
export function opened(bytes: Bytes | Source, trust: Trust, host: Host, own: Own): Manifest {
  var u = read(bytes, trust, host, own),
    signers = verified(u.signatures, trust.anchors, u.required, host, HAS_TRUST ? most(trust.anchors, trust.families) : 0, own === true);
  return believe(u, signers, trust, host);
}

/** @internal For install(). */
export function open(bytes: Bytes | Source, trust: Trust, host: Host | undefined, own: typeof TO_KEEP): Manifest;
/**
 * Opens an envelope (SUIT manifest draft 37 §8). Neither a result nor a refusal changes anything. Wrapper, manifest and
 * severed elements are copied into RAM once, so that the verified bytes are the executed bytes. Payloads stay in place
 * and are compared with their digests when they are installed.
 *
 * @param bytes - The envelope, in RAM or as a Source.
 * @param trust - The trusted keys, and the lowest accepted sequence number.
 * @param host - Hash functions. Default: our own.
 * @param own - Whether the caller has kept or made the envelope, so that each of its signatures may be tried.
 *   Otherwise, at most `threshold` + 2 signatures may fail before the first good one. Default: false.
 * @returns The authenticated manifest.
 * @throws Refusal { code, at } (numbers: spec/errors.generated.ts).
 * @example
 * ```ts
 * import { anchor, open } from "@firmseal/verifier";
 *
 * const manifest = open(envelope, { anchors: [anchor("ed25519", publicKey)], floor: [0, 7] });
 * console.log(manifest.sequence); // the high and the low 32 bits
 * ```
 */
export function open(bytes: Bytes | Source, trust: Trust, host?: Host, own?: boolean): Manifest;
export function open(bytes: Bytes | Source, trust: Trust, host?: Host, own?: Own): Manifest {
  try {
    markAt(-1);
    // a value of another type must not count as no
    if (own !== undefined && own !== !!own && own !== TO_KEEP) refuse(TRUST_POLICY);
    return opened(bytes, trust, host || {}, own);
  } catch (e) {
    return rethrow(e);
  }
}
